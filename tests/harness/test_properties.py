"""Properties in the code of a program: what an exploration makes of them, and what plain trio does."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import trio

import racewindow
from racewindow import Cell, Checker, History, Simulation, UsageError, Verdict, Violation, checker
from racewindow.marks import BROKEN
from racewindow.report import result_text
from tests.harness.executions import record, walk


async def withdraw_twice() -> None:
    """Two tasks see the same balance and both take of it."""
    balance = Cell(1, name="balance")

    async def withdraw() -> None:
        seen = balance.get()
        await trio.lowlevel.checkpoint()
        if seen:
            balance.set(balance.get() - 1)
            racewindow.always(balance.get() >= 0, "never overdrawn", balance=balance.get())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(withdraw)
        nursery.start_soon(withdraw)


async def settle_twice() -> None:
    """A second settlement is not meant to be possible."""
    settled = Cell(0, name="settled")

    async def settle() -> None:
        seen = settled.get()
        await trio.lowlevel.checkpoint()
        if settled.get() != seen:
            racewindow.unreachable("double settle")
        settled.set(seen + 1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(settle)
        nursery.start_soon(settle)


def line_of(function: Any, text: str) -> int:
    """The line of this file on which a function says it."""
    lines, start = inspect.getsourcelines(function)
    return start + next(number for number, line in enumerate(lines) if text in line)


# --- always and unreachable ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["random", "pct", "dfs", "dpor", "auto"])
def test_a_broken_property_is_a_violation_under_its_name(strategy: str) -> None:
    """With the place, the values and the task; every strategy finds it, and it replays."""
    result = racewindow.explore(withdraw_twice, strategy=strategy, schedules=200)
    (failure,) = result.failures

    assert (failure.kind, failure.checker, failure.class_) == ("violation", "never overdrawn", "always")
    assert failure.subject in {"withdraw", "withdraw#2"}
    line = line_of(withdraw_twice, "racewindow.always(")
    assert failure.message == (
        f"never overdrawn: not so in {failure.subject} at test_properties.py:{line} withdraw_twice.withdraw "
        "(balance = -1)"
    )
    assert failure.evidence == {"balance": -1}
    again = racewindow.replay(withdraw_twice, failure.schedule).failure
    assert again is not None
    assert again.identity == failure.identity


def test_a_place_that_is_not_meant_to_be_reached_is_named() -> None:
    """By the line that says so."""
    failure = racewindow.explore(settle_twice, strategy="dpor").failures[0]
    line = line_of(settle_twice, "racewindow.unreachable(")

    assert (failure.checker, failure.class_) == ("double settle", "unreachable")
    assert failure.message == (
        f"double settle: was reached in {failure.subject} at test_properties.py:{line} settle_twice.settle"
    )


def test_search_by_reduction_finds_what_all_interleavings_show() -> None:
    """The same findings, and the audit has nothing to say: a broken property is of its step alone."""
    for program in (withdraw_twice, settle_twice):
        by_dpor = racewindow.explore(program, strategy="dpor", all_failures=True)
        by_dfs = racewindow.explore(program, strategy="dfs", all_failures=True)

        assert by_dpor.complete
        assert by_dfs.complete
        assert by_dpor.audited > 0
        assert by_dpor.untrusted == ""
        assert by_dpor.failing < by_dpor.executions <= by_dfs.executions
        assert {each.group for each in by_dpor.failures} == {each.group for each in by_dfs.failures}


def test_a_property_changes_no_footprint() -> None:
    """With and without it there are the same orders: it touches nothing that is tracked."""

    def program(*, judged: bool) -> Any:
        async def two() -> None:
            async def work() -> None:
                await trio.lowlevel.checkpoint()
                if judged:
                    racewindow.always(True, "fine")
                    racewindow.sometimes(False, "never")
                    racewindow.always(False, "broken")

            async with trio.open_nursery() as nursery:
                nursery.start_soon(work)
                nursery.start_soon(work)

        return two

    orders = [
        racewindow.explore(program(judged=judged), strategy="dpor", all_failures=True).executions
        for judged in (False, True)
    ]

    assert orders == [1, 1]


def test_the_program_goes_on_after_a_broken_property() -> None:
    """Nothing is raised, so no `except` hides it; of one task the first counts. Checkers see what is emitted."""
    histories: list[History] = []

    @checker("keeps")
    def keeps(history: History) -> Verdict:
        histories.append(history)
        return Verdict.holds()

    @racewindow.scenario(checks=[keeps])
    async def program(sim: Simulation) -> None:
        for number in range(3):
            racewindow.always(number < 1, "below one", number=number)
            racewindow.always(number < 2, "below two")
        sim.emit("done")

    execution = record(program, walk(0))

    assert [each.checker for each in execution.failures] == ["below one", "below two"]
    assert [(each.kind, each.data.get("values")) for each in execution.events] == [
        (BROKEN, {"number": 1}),
        (BROKEN, {}),
        ("done", None),
    ]
    assert [each.kind for each in histories[-1].events] == ["done"]


def test_the_story_tells_where_it_was_broken() -> None:
    """In words, whatever the scenario narrates itself."""

    @racewindow.scenario(narrate=lambda event: f"{event.kind} happens")
    async def program(sim: Simulation) -> None:
        sim.emit("it")
        racewindow.always(False, "fine", left=3)

    async def without_events() -> None:
        racewindow.always(False, "fine")

    (failure,) = record(program, walk(0)).failures

    assert record(without_events, walk(0)).failures[0].story == ()
    assert failure.story == (
        "T+00:00.000  it happens",
        "T+00:00.000  fine: not so in program (left = 3)",
    )


def test_an_ending_is_graver_than_a_broken_property() -> None:
    """But both are told."""

    async def program() -> None:
        racewindow.always(False, "first")
        raise LookupError

    execution = record(program, walk(0))

    assert [(each.kind, each.checker) for each in execution.failures] == [("exception", None), ("violation", "first")]


def test_a_loop_that_waits_is_not_kept_from_waiting() -> None:
    """A task that spins and says the same each time has said it once: a search parks it as before."""

    async def program() -> None:
        ready = Cell(False, name="ready")

        async def spin() -> None:
            while not ready.get():
                racewindow.sometimes(True, "has to wait")
                racewindow.always(False, "is ready at once")
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(spin)
            await trio.lowlevel.checkpoint()
            ready.set(True)

    result = racewindow.explore(program, strategy="dpor", all_failures=True)

    assert result.complete
    assert {each.checker for each in result.failures} == {"is ready at once"}
    assert 0 < result.sometimes["has to wait"] < result.executions


def test_a_function_inside_an_execution_is_refused() -> None:
    """A forgotten call would pass for ever: nobody judges a checker that is made there."""

    async def program() -> None:
        racewindow.always(bool, "full")

    with pytest.raises(UsageError, match=r"always\('full'\) was given a function inside an execution"):
        racewindow.explore(program, schedules=1)


def test_outside_of_an_exploration_it_is_an_assert() -> None:
    """Under plain trio, under `racewindow.run` and in plain Python."""

    async def program() -> None:
        racewindow.sometimes(False, "never")
        racewindow.always(True, "fine", balance=1)
        racewindow.always(False, "solvent", balance=-1)

    with pytest.raises(AssertionError, match=r"^always: solvent \(balance=-1\)$"):
        trio.run(program)
    with pytest.raises(AssertionError, match="solvent"):
        racewindow.run(program)
    with pytest.raises(AssertionError, match=r"^unreachable: here$"):
        racewindow.unreachable("here")


def test_what_is_said_while_leftovers_are_taken_down_does_not_count() -> None:
    """A deadlock ends the execution; `finally` blocks run after it, and neither emit nor break anything."""
    histories: list[History] = []

    @checker("keeps")
    def keeps(history: History) -> Verdict:
        histories.append(history)
        return Verdict.holds()

    @racewindow.scenario(checks=[keeps])
    async def program(sim: Simulation) -> None:
        sim.emit("before")
        try:
            await trio.sleep_forever()
        finally:
            sim.emit("after")
            racewindow.always(False, "after")
            racewindow.sometimes(True, "after")

    result = racewindow.explore(program, schedules=1, strategy="random")

    assert [each.kind for each in result.failures] == ["deadlock"]
    assert result.sometimes == {}
    assert {tuple(each.kind for each in of.events) for of in histories} == {("before",)}


# --- sometimes -------------------------------------------------------------------------------------------------------


@racewindow.scenario(
    checks=[racewindow.sometimes(lambda each: each.kind == "swapped", "swapped")], safeguards={"one": "only one task"}
)
async def two_in_any_order(sim: Simulation) -> None:
    """Whether the second task comes first is a matter of order."""
    first = Cell(-1, name="first")

    async def come(number: int) -> None:
        if first.get() < 0:
            first.set(number)
        racewindow.sometimes(first.get() == 1, "second first")
        racewindow.sometimes(first.get() == 7, "seventh first")

    async with trio.open_nursery() as nursery:
        for number in range(1 if sim.safeguard("one") else 2):
            nursery.start_soon(come, number)
    if first.get() == 1:
        sim.emit("swapped")


def test_a_result_counts_the_executions_that_reached_it() -> None:
    """In the code and by events; what was not reached is told, as a proof where there is one."""
    result = racewindow.explore(two_in_any_order, strategy="dpor")

    assert (result.verdict, result.executions, result.missed) == ("complete", 2, ())
    assert result.sometimes == {"second first": 1, "seventh first": 0, "swapped": 1}
    assert result.as_dict()["sometimes"] == {"second first": 1, "seventh first": 0, "swapped": 1}
    assert (
        "sometimes: second first in 1 of 2, seventh first in none (proved: every order of events was run), "
        "swapped in 1 of 2"
    ) in " ".join(result_text(result).split())


def test_required_coverage_makes_a_miss_a_failure() -> None:
    """All that is known, or what is named; a name that nobody has ever said is a miss, too."""
    told = racewindow.explore(two_in_any_order, strategy="dpor", require_coverage=True)
    named = racewindow.explore(two_in_any_order, strategy="dpor", require_coverage=["swapped"])
    unknown = racewindow.explore(two_in_any_order, strategy="dpor", require_coverage=["swopped"])
    safe = racewindow.explore(two_in_any_order, strategy="random", safeguards="all", require_coverage="swapped")

    assert (told.verdict, told.missed, told.complete) == ("failure", ("seventh first",), True)
    assert (named.verdict, named.missed) == ("complete", ())
    assert (unknown.verdict, unknown.missed, unknown.sometimes["swopped"]) == ("failure", ("swopped",), 0)
    assert (safe.verdict, safe.missed) == ("failure", ("swapped",))
    assert told.as_dict()["missed"] == ["seventh first"]
    with pytest.raises(racewindow.ExplorationFailed, match="No order of events reaches 'seventh first'"):
        told.check()
    with pytest.raises(racewindow.ExplorationFailed, match="None of 2,000 executions reached 'swapped'"):
        safe.check()


def test_a_condition_that_crashes_is_not_just_never_reached() -> None:
    """The result says so, and reaches nothing by it."""

    @racewindow.scenario(checks=[racewindow.sometimes(lambda each: each.data["full"], "queue full")])
    async def program(sim: Simulation) -> None:
        sim.emit("put")

    result = racewindow.explore(program, schedules=1, strategy="random", require_coverage=True)

    assert result.missed == ("queue full",)
    assert any("queue full could not tell" in note and "KeyError: 'full'" in note for note in result.notes)


def test_a_scenario_can_require_it_and_an_exploration_can_think_otherwise() -> None:
    """The option of `explore` wins."""

    @racewindow.scenario(require_coverage=["full"])
    async def program() -> None:
        racewindow.sometimes(False, "full")

    assert racewindow.explore(program, schedules=3, strategy="random").missed == ("full",)
    assert racewindow.explore(program, schedules=3, strategy="random", require_coverage=False).missed == ()


def test_an_exploration_that_a_failure_cut_off_is_not_judged_by_what_it_missed() -> None:
    """It might have come to it; one that went on is."""

    async def program() -> None:
        racewindow.sometimes(False, "full")
        raise LookupError

    cut = racewindow.explore(program, schedules=9, strategy="random", require_coverage=True)
    whole = racewindow.explore(program, schedules=9, strategy="random", require_coverage=True, all_failures=True)

    assert (cut.missed, cut.sometimes) == ((), {"full": 0})
    assert whole.missed == ("full",)


@pytest.mark.parametrize("strategy", ["random", "dpor", "dfs", "auto", "surw"])
def test_counts_are_the_same_every_time(strategy: str) -> None:
    """A result is a function of its options."""
    first, second = (racewindow.explore(two_in_any_order, strategy=strategy, schedules=50, seed=3) for _ in range(2))

    assert first.sometimes == second.sometimes


def test_what_cannot_be_required_is_refused() -> None:
    """Before anything is run."""
    with pytest.raises(UsageError, match="require_coverage cannot be 3"):
        racewindow.explore(two_in_any_order, require_coverage=3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"require_coverage cannot be \[''\]"):
        racewindow.scenario(require_coverage=[""])(withdraw_twice)


DONE_IN_TIME = racewindow.eventually(lambda each: each.kind == "done", within=1, name="done in time")


@checker("late by hand", observes=["time"])
def late_by_hand(history: History) -> Verdict:
    """The same, as a user would write it."""
    late = [each for each in history.events if each.kind == "done" and each.time_ns > 1_000_000_000]
    return Verdict.violated([Violation("late", "done", "too late") for _ in late])


# --- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", [DONE_IN_TIME, late_by_hand, racewindow.compose({"x": late_by_hand}, name="all")])
def test_a_limit_in_virtual_time_is_judged_in_every_order_under_the_racing_clock(check: Checker) -> None:
    """There the clock races with an event that nobody waits for: a search has to run both orders of them."""

    def program(*, timed: bool) -> Any:
        untimed = racewindow.eventually(lambda each: each.kind == "done", name="done")

        @racewindow.scenario(checks=[check if timed else untimed])
        async def work(sim: Simulation) -> None:
            async def tick() -> None:
                await trio.sleep(2)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(tick)
                await trio.lowlevel.checkpoint()
                sim.emit("done")

        return work

    timed = racewindow.explore(program(timed=True), strategy="dpor", clock="racing", all_failures=True)
    untimed = racewindow.explore(program(timed=False), strategy="dpor", clock="racing", all_failures=True)

    assert (timed.complete, untimed.complete) == (True, True)
    assert [each.checker for each in timed.failures] == [check.name]
    assert untimed.failures == ()
    assert untimed.executions < timed.executions


def test_a_checker_can_observe_only_what_there_is() -> None:
    """A misspelt word must not read as "nothing"."""
    with pytest.raises(UsageError, match="there is no thing to observe called 'tiem'"):
        checker("x", observes=["tiem"])
