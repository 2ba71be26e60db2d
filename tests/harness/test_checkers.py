"""Checkers: pure functions of a hand-written history, asked one by one, and never trusted to work."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow import Checker, Event, History, Judgement, Simulation, UsageError, Verdict, Violation, checker
from racewindow.checkers import judge
from tests.harness.executions import record, walk


def event(kind: str, **data: object) -> Event:
    """Made up."""
    return Event(0, "writer", 1, kind, data)


@checker("no_loss")
def no_loss(history: History) -> Verdict:
    """What was sent has arrived; it cannot tell while the execution goes on."""
    sent = [each.data["number"] for each in history.events if each.kind == "sent"]
    arrived = [each.data["number"] for each in history.events if each.kind == "arrived"]
    lost = [number for number in sent if number not in arrived]
    if lost and not history.finished:
        return Verdict.unknown("messages were still under way")
    return Verdict.violated([Violation("lost", f"message {number}", f"message {number} was lost") for number in lost])


class Crashes:
    """A checker with a bug."""

    name = "crashes"

    def check(self, history: History) -> Verdict:
        raise ZeroDivisionError(f"after {len(history.events)} events")


class Forgets:
    """A checker that returns nothing."""

    name = "forgets"

    def check(self, history: History) -> Verdict:
        return None  # type: ignore[return-value]


def test_a_verdict_without_violations_holds() -> None:
    """There is nothing to show."""
    assert (
        Verdict.violated([])
        == Verdict.holds()
        == no_loss.check(History([event("sent", number=1), event("arrived", number=1)]))
    )


def test_a_violation_has_its_evidence() -> None:
    """One for each thing that went wrong."""
    verdict = no_loss.check(History([event("sent", number=1), event("sent", number=2)]))

    assert verdict.judgement is Judgement.VIOLATED
    assert [each.subject for each in verdict.violations] == ["message 1", "message 2"]


def test_unknown_is_neither_of_the_other_two() -> None:
    """And says why."""
    verdict = no_loss.check(History([event("sent", number=1)], finished=False))

    assert (verdict.judgement, verdict.violations, verdict.reason) == (
        Judgement.UNKNOWN,
        (),
        "messages were still under way",
    )


def test_every_checker_is_asked_whatever_the_others_do() -> None:
    """A crash is an answer of `unknown`, with the exception; so is an answer that is none."""
    verdicts = judge([Crashes(), no_loss, Forgets()], History([event("sent", number=1)]))

    assert list(verdicts) == ["crashes", "no_loss", "forgets"]
    assert verdicts["crashes"] == Verdict.unknown("the checker crashed: ZeroDivisionError: after 1 events")
    assert verdicts["no_loss"].judgement is Judgement.VIOLATED
    assert verdicts["forgets"] == Verdict.unknown("the checker answered None, which is not a Verdict")


@given(st.lists(st.tuples(st.sampled_from(["sent", "arrived"]), st.integers(0, 3)), max_size=6), st.randoms())
def test_a_verdict_does_not_depend_on_the_order_of_independent_events(
    events: list[tuple[str, int]], random: st.DataObject
) -> None:
    """Partial-order reduction runs only one of the orders."""
    history = [event(kind, number=number) for kind, number in events]
    shuffled = history.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    def subjects(of: list[Event]) -> set[str]:
        return {each.subject for each in no_loss.check(History(of)).violations}

    assert subjects(history) == subjects(shuffled)


def test_a_checker_is_handed_what_the_execution_left() -> None:
    """Events in the order of the steps, parameters, safeguards, virtual time, and whether it ended by itself."""
    histories: list[History] = []

    @checker("keeps")
    def keeps(history: History) -> Verdict:
        histories.append(history)
        return Verdict.holds()

    @racewindow.scenario(checks=[keeps], safeguards={"slow": "takes two seconds", "fast": "takes none"})
    async def program(sim: Simulation, *, size: int = 3) -> None:
        import trio

        sim.emit("started", size=size)
        if sim.safeguard("slow"):
            await trio.sleep(2)
        sim.emit("ended", at=sim.now_ns)
        assert size < 5

    racewindow.explore(program, schedules=1, safeguards=["slow"], params={"size": 4}, strategy="random")
    history = histories[-1]

    assert list(history.events) == [
        Event(0, "program", 0, "started", {"size": 4}),
        Event(2_000_000_000, "program", 1, "ended", {"at": 2_000_000_000}),
    ]
    assert (history.params, history.safeguards, history.end_ns, history.finished) == (
        {"size": 4},
        frozenset({"slow"}),
        2_000_000_000,
        True,
    )
    racewindow.explore(program, schedules=1, params={"size": 9}, strategy="random")
    assert histories[-1].finished is False


def test_endings_come_before_violations_and_checkers_in_the_order_of_their_declaration() -> None:
    """The gravest first."""

    @checker("second")
    def second(history: History) -> Verdict:
        return Verdict.violated([Violation(None, "b", "b"), Violation(None, "a", "a")])

    @racewindow.scenario(checks=[no_loss, second, Crashes()])
    async def program(sim: Simulation) -> None:
        sim.emit("sent", number=1)
        sim.emit("sent", number=2)
        sim.emit("arrived", number=2)
        raise LookupError

    execution = record(program, walk(0))

    assert [(f.kind, f.checker, f.subject) for f in execution.failures] == [
        ("exception", None, None),
        ("violation", "second", "b"),
        ("violation", "second", "a"),
    ]
    assert execution.outcome == "exception"
    assert execution.unknown == (
        ("no_loss", "messages were still under way"),
        ("crashes", "the checker crashed: ZeroDivisionError: after 3 events"),
    )


def test_two_checks_of_one_name_are_refused() -> None:
    """One would be reported under the name of the other."""
    with pytest.raises(UsageError, match="two checks are called 'no_loss'"):
        racewindow.scenario(checks=[no_loss, Crashes(), no_loss])


def test_a_plain_class_can_be_a_checker() -> None:
    """A name and a method are all there is to it."""
    checkers: list[Checker] = [Crashes(), no_loss]

    assert [each.name for each in checkers] == ["crashes", "no_loss"]
