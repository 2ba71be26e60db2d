"""Linearizability: histories of a few operations by hand, brute force as the judge, and programs that are explored."""

from __future__ import annotations

import itertools
from random import Random
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow import Cell, Event, History, Judgement, Model, Operation, Simulation, UsageError, Verdict, Violation
from racewindow.linearizability import linearize
from racewindow.operations import CALL, FAIL, RETURN, UNKNOWN, operations_of
from tests.harness.histories import event


def step(state: int, name: str, *args: int) -> tuple[int, int | None] | None:
    """A register with a counter's increment, and a `take` that only happens above zero."""
    if name == "write":
        return args[0], None
    if name == "take":
        return (state - 1, None) if state > 0 else None
    return (state, state) if name == "read" else (state + 1, state + 1)


REGISTER = Model(initial=0, step=step)
CHECK = racewindow.linearizable(REGISTER, name="register")


def call(client: str, name: str, *args: int, key: object = None, at: float = 0) -> Event:
    """An operation begins; a client has one at a time."""
    return event(CALL, task=client, id=client, name=name, args=args, key=key, at=at)


def back(client: str, result: int | None = None, at: float = 0) -> Event:
    """It gives an answer."""
    return event(RETURN, task=client, id=client, result=result, at=at)


def told(*events: Event) -> Verdict:
    """What the checker says of a history."""
    return CHECK.check(History(events))


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_a_read_that_overlaps_a_write_may_see_it_or_not() -> None:
    """Both orders are possible."""
    for seen in (0, 1):
        history = (call("a", "write", 1), call("b", "read"), back("b", seen), back("a"))

        assert told(*history) == Verdict.holds()


def test_a_read_after_a_write_sees_it() -> None:
    """The evidence: what could be placed, what could not, and what it would have given."""
    verdict = told(
        call("a", "write", 1, at=1),
        back("a", at=2),
        call("b", "read", at=3),
        call("c", "write", 2, at=4),
        back("b", 0, at=5),
        back("c", at=6),
    )

    assert verdict == Verdict(
        Judgement.VIOLATED,
        (
            Violation(
                "not linearizable",
                "read",
                "register: read() -> 0 of b, T+00:03.000 to T+00:05.000, has no place after write(1), "
                "write(2), where it gives 2",
                5_000_000_000,
                {"order": ["write(1)", "write(2)"], "operation": "read() -> 0", "client": "b"},
            ),
        ),
    )


def test_two_reads_agree_on_which_write_came_first() -> None:
    """New, then old again, is what no order explains."""
    verdict = told(
        call("w", "write", 1),
        call("a", "read"),
        back("a", 1),
        call("b", "read"),
        back("b", 0),
        back("w"),
    )

    assert verdict.judgement is Judgement.VIOLATED
    assert verdict.violations[0].evidence["operation"] == "read() -> 0"


def test_the_interval_is_closed() -> None:
    """Half-open ones, in which a call at the return of another comes after it, would call this history wrong.

    The call of `b` stands before the return of `a`: they overlap in one position, and `b` may have come first.
    """
    assert told(call("a", "write", 1), call("b", "read"), back("a"), back("b", 0)) == Verdict.holds()
    assert told(call("a", "write", 1), back("a"), call("b", "read"), back("b", 0)).judgement is Judgement.VIOLATED


@pytest.mark.parametrize(("seen", "holds"), [(0, True), (1, True), (2, False)])
@pytest.mark.parametrize("timed_out", [False, True])
def test_an_unknown_outcome_takes_effect_at_any_later_time_or_never(seen: int, holds: bool, timed_out: bool) -> None:  # noqa: FBT001
    """Whether the caller was told that it does not know, or the execution ended before."""
    unknown = [event(UNKNOWN, task="a", id="a")] if timed_out else []
    history = [call("a", "write", 1), *unknown, call("b", "read"), back("b", 0), call("c", "read"), back("c", seen)]

    assert told(*history).judgement is (Judgement.HOLDS if holds else Judgement.VIOLATED)


def test_an_unknown_outcome_takes_effect_not_before_its_call() -> None:
    """And only once."""
    early = (call("b", "read"), back("b", 1), call("a", "write", 1))
    twice = (
        call("a", "increment"),
        call("b", "read"),
        back("b", 1),
        call("c", "write", 0),
        back("c"),
        call("d", "read"),
        back("d", 1),
    )

    assert told(*early).judgement is told(*twice).judgement is Judgement.VIOLATED


def test_what_is_known_to_have_failed_took_no_effect() -> None:
    """Nor is it asked for."""
    failed = (call("a", "write", 1), event(FAIL, task="a", id="a"))

    assert told(*failed, call("b", "read"), back("b", 0)) == Verdict.holds()
    assert told(*failed, call("b", "read"), back("b", 1)).judgement is Judgement.VIOLATED


def test_what_cannot_happen_in_a_state_has_no_place_there() -> None:
    """The model says so with None."""
    taken = told(call("a", "take"), back("a"))

    assert taken.violations[0].message.endswith("has no place at the beginning, where it cannot happen")
    assert told(call("a", "take"), call("b", "write", 1), back("b"), back("a")) == Verdict.holds()


def test_each_key_is_an_object_of_its_own() -> None:
    """One violation for each that has no order; the others do not matter to it."""
    verdict = told(
        call("a", "write", 1, key="x"),
        back("a"),
        call("b", "read", key="y"),
        back("b", 0),
        call("c", "read", key="x"),
        back("c", 0),
        call("d", "read", key=("z", 1)),
        back("d", 7),
    )

    assert [each.subject for each in verdict.violations] == ['["z", 1]', "x"]
    assert verdict.violations[1].message == (
        "register: x: read() -> 0 of c, T+00:00.000 to T+00:00.000, has no place after write(1), where it gives 1"
    )


def test_a_long_prefix_is_cut_in_the_message_and_whole_in_the_evidence() -> None:
    """The last few are what matters."""
    events = [each for number in range(9) for each in (call("a", "write", number), back("a"))]
    history = [each._replace(data={**each.data, "id": str(at // 2)}) for at, each in enumerate(events)]
    (violation,) = told(*history, call("b", "read"), back("b", 3)).violations

    assert "after … 3 more …, write(3)" in violation.message
    assert len(violation.evidence["order"]) == 9


def test_a_model_may_say_which_results_are_the_same() -> None:
    """A float that is near enough, for example."""
    near = Model(initial=0, step=step, same=lambda expected, got: abs((expected or 0) - (got or 0)) < 2)
    history = History((call("b", "read"), back("b", 1)))

    assert racewindow.linearizable(near).check(history) == Verdict.holds()
    assert CHECK.check(history).judgement is Judgement.VIOLATED


def test_of_chooses_the_operations_of_one_model() -> None:
    """Where a history holds those of several."""
    only_reads = racewindow.linearizable(REGISTER, of=lambda operation: operation.name == "read")
    history = History((call("a", "write", 1), back("a"), call("b", "read"), back("b", 0)))

    assert only_reads.check(history) == Verdict.holds()


def test_beyond_the_limit_it_is_unknown() -> None:
    """Which is no pass; one more step and it is known."""
    history = History((call("a", "write", 1), call("b", "read"), back("b", 0), back("a")))
    needed = next(n for n in range(1, 99) if limited(n).check(history).judgement is Judgement.HOLDS)

    assert needed > 1
    assert limited(needed - 1).check(history) == Verdict.unknown(
        f"no answer in {needed - 1} steps of the model for 2 operations"
    )
    with pytest.raises(UsageError, match="steps_max cannot be 0"):
        limited(0)


def test_what_leads_to_the_same_state_is_looked_at_once() -> None:
    """Ten increments at once have 3,628,800 orders and 1,024 sets; that no order explains the read is known soon."""
    clients = [str(number) for number in range(10)]
    calls = [call(each, "increment") for each in clients]
    history = History((*calls, call("r", "read"), back("r", 11)))

    assert racewindow.linearizable(REGISTER, steps_max=20_000).check(history).judgement is Judgement.VIOLATED


def limited(steps: int) -> racewindow.Checker:
    """The same with a limit."""
    return racewindow.linearizable(REGISTER, steps_max=steps)


def test_a_state_needs_no_hash() -> None:
    """Lists compare, and are not changed."""
    queue: Model[list[int]] = Model(
        initial=[],
        step=lambda state, name, *args: ([*state, *args], None) if name == "put" else (state[1:], state[0]),
    )
    history = History((call("a", "put", 1), call("b", "put", 2), back("a"), back("b"), call("c", "get"), back("c", 2)))

    assert racewindow.linearizable(queue).check(history) == Verdict.holds()


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([back("a")], "ends before it is called"),
        ([call("a", "read"), call("a", "read")], "is called twice"),
        ([call("a", "read"), back("a", 0), back("a", 0)], "ends twice"),
    ],
)
def test_a_history_that_cannot_be_is_no_pass(events: list[Event], why: str) -> None:
    """It crashes the checker, which makes it unknown."""
    with pytest.raises(ValueError, match=why):
        told(*events)


# --- against brute force ---------------------------------------------------------------------------------------------

CLIENTS = ["a", "b", "c"]


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Up to six operations of three clients: any results, any overlap, some without an end."""
    events: list[Event] = []
    under_way: dict[str, str] = {}
    count = 0
    for client in draw(st.lists(st.sampled_from(CLIENTS), max_size=12)):
        if client in under_way:
            number = under_way.pop(client)
            name = next(each.data["name"] for each in events if each.data["id"] == number)
            kind = draw(st.sampled_from([RETURN] * 4 + [UNKNOWN, FAIL]))
            result = None if name in ("write", "take") else draw(st.integers(0, 2))
            events.append(event(kind, task=client, id=number, result=result))
        elif count < 6:
            count += 1
            name = draw(st.sampled_from(["write", "read", "increment", "take"]))
            args = (draw(st.integers(0, 2)),) if name == "write" else ()
            under_way[client] = str(count)
            events.append(event(CALL, task=client, id=str(count), name=name, args=args))
    return events


def brute_force(operations: tuple[Operation, ...]) -> bool:
    """Whether some order of some of the operations, with all that returned, is one that the model allows."""
    optional = [each for each in operations if each.end is None]
    required = [each for each in operations if each.end is not None]
    return any(
        allowed(order)
        for count in range(len(optional) + 1)
        for chosen in itertools.combinations(optional, count)
        for order in itertools.permutations([*required, *chosen])
    )


def allowed(order: tuple[Operation, ...]) -> bool:
    """Whether nothing comes after what it returned before, and the model gives these results."""
    if any(late.end is not None and late.end < early.call for early, late in itertools.combinations(order, 2)):
        return False
    state = 0
    for each in order:
        answer = step(state, each.name, *each.args)
        if answer is None or (each.end is not None and answer[1] != each.result):
            return False
        state = answer[0]
    return True


@given(histories())
def test_the_search_agrees_with_brute_force(events: list[Event]) -> None:
    """Every order of every choice of the unknown; and the evidence is what it says it is."""
    operations = operations_of(events)
    found = linearize(REGISTER, operations, 10**6)

    assert (found.judgement is Judgement.HOLDS) == brute_force(operations)
    assert allowed(found.order)
    if found.judgement is Judgement.HOLDS:
        assert {each.id for each in operations if each.end is not None} <= {each.id for each in found.order}
    else:
        assert found.stuck is not None
        assert found.stuck not in found.order


@given(histories(), st.integers(1, 40))
def test_a_limit_never_turns_into_another_answer(events: list[Event], limit: int) -> None:
    """It says what it would have said, or that it does not know."""
    operations = operations_of(events)
    whole = linearize(REGISTER, operations, 10**6)
    cut = linearize(REGISTER, operations, limit)

    assert cut.judgement in {whole.judgement, Judgement.UNKNOWN}
    assert cut.judgement is Judgement.UNKNOWN or cut == whole


@given(histories(), st.randoms(use_true_random=False))
def test_the_verdict_does_not_depend_on_the_order_of_independent_events(events: list[Event], random: Random) -> None:
    """Calls may change places with calls, and returns with returns; only a call and a return are an order."""
    order = events.copy()
    for at in [random.randrange(max(len(order) - 1, 1)) for _ in range(20)]:
        pair = order[at : at + 2]
        if len({each.kind == CALL for each in pair}) == 1 and len({each.task for each in pair}) == len(pair) == 2:
            order[at : at + 2] = reversed(pair)

    def judged(of: list[Event]) -> object:
        verdict = CHECK.check(History(of))
        return verdict.judgement, [each.class_ for each in verdict.violations]

    assert judged(events) == judged(order)


@given(st.lists(st.sampled_from(["increment", "read"]), max_size=60), st.randoms(use_true_random=False))
def test_what_one_register_did_is_linearizable_however_long(names: list[str], random: Random) -> None:
    """Each takes effect at its return, or a little before; the search does not drown in it."""
    events: list[Event] = []
    state = 0
    waiting: list[tuple[str, int | None]] = []
    for number, name in enumerate(names):
        events.append(event(CALL, task=str(number), id=str(number), name=name))
        answer = step(state, name)
        assert answer is not None
        state = answer[0]
        waiting.append((str(number), answer[1]))
        while waiting and random.random() < 0.5:
            which, result = waiting.pop(random.randrange(len(waiting)))
            events.append(event(RETURN, task=which, id=which, result=result))

    assert racewindow.linearizable(REGISTER, steps_max=5_000).check(History(events)) == Verdict.holds()


# --- explored --------------------------------------------------------------------------------------------------------


def register(*, atomic: bool) -> Any:
    """Two clients increment a counter, with or without a gap between its read and its write; a third one reads."""

    @racewindow.scenario(checks=[racewindow.linearizable(REGISTER, name="counter is linearizable")])
    async def program(sim: Simulation) -> None:
        counter = Cell(0, name="counter")

        async def increment() -> None:
            with sim.operation("increment", key="n") as operation:
                seen = counter.get()
                if not atomic:
                    await trio.lowlevel.checkpoint()
                counter.set(seen + 1)
                operation.returned(seen + 1)

        sim.spawn(increment)
        sim.spawn(increment)

    return program


def test_a_race_is_found_and_a_lock_is_proved() -> None:
    """The lost update shows as two increments to one; without the gap there is nothing to find."""
    (failure,) = racewindow.explore(register(atomic=False), strategy="dpor").failures
    safe = racewindow.explore(register(atomic=True), strategy="dpor")

    assert (failure.checker, failure.class_, failure.subject) == ("counter is linearizable", "not linearizable", "n")
    assert "increment() -> 1" in failure.message
    assert safe.verdict == "complete"


@racewindow.scenario(checks=[racewindow.linearizable(REGISTER, name="register")])
async def stale_replica(sim: Simulation) -> None:
    """A write goes to the leader, a read to a replica that never hears of it: no step of one touches the other's."""
    leader, replica = Cell(0, name="leader"), Cell(0, name="replica")

    async def write() -> None:
        with sim.operation("write", 1) as operation:
            leader.set(1)
            await trio.lowlevel.checkpoint()
            operation.returned()

    async def read() -> None:
        await trio.lowlevel.checkpoint()
        with sim.operation("read") as operation:
            operation.returned(replica.get())

    sim.spawn(write)
    sim.spawn(read)


def test_reduction_runs_the_orders_of_calls_and_returns() -> None:
    """They touch nothing in common, but the read is wrong only after the write: the checker's eyes count as shared."""
    by_dpor = racewindow.explore(stale_replica, strategy="dpor", all_failures=True)
    by_dfs = racewindow.explore(stale_replica, strategy="dfs", all_failures=True)

    assert by_dpor.complete
    assert by_dpor.audited > 0
    assert by_dpor.untrusted == by_dfs.untrusted == ""
    assert (
        [each.class_ for each in by_dpor.failures] == [each.class_ for each in by_dfs.failures] == ["not linearizable"]
    )
    assert 0 < by_dpor.failing < by_dpor.executions <= by_dfs.executions


def test_a_cancelled_call_leaves_its_outcome_unknown() -> None:
    """So does a raised one; to end it twice is a mistake."""
    kept: list[History] = []

    @racewindow.checker("keeps")
    def keeps(history: History) -> Verdict:
        kept.append(history)
        return Verdict.holds()

    @racewindow.scenario(checks=[keeps])
    async def program(sim: Simulation) -> None:
        with trio.move_on_after(1), sim.operation("write", 1):
            await trio.sleep_forever()
        with sim.operation("write", 2) as operation:
            operation.failed()
        with sim.operation("read") as operation:
            operation.returned(0)
            with pytest.raises(UsageError, match="operation 'read' has ended twice"):
                operation.failed()

    racewindow.explore(program, schedules=1, strategy="random")

    assert [(each.kind, each.data["id"]) for each in kept[-1].events] == [
        (CALL, "main.1"),
        (UNKNOWN, "main.1"),
        (CALL, "main.2"),
        (FAIL, "main.2"),
        (CALL, "main.3"),
        (RETURN, "main.3"),
    ]
    assert [str(each) for each in operations_of(kept[-1].events)] == ["write(1) -> ?", "read() -> 0"]
