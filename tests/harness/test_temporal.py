"""Always, sometimes, eventually, leads to: what they say of histories of a few events, and in which words."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow import Checker, Event, History, Judgement, UsageError, Verdict, Violation
from racewindow.checkers import TIME, observed_by
from tests.harness.histories import NS, event, history, interleaved

REOPENED = racewindow.eventually(lambda each: each.kind == "reopened", within=30, name="reopens")
ACKED = racewindow.leads_to(
    lambda each: each.kind == "sent",
    lambda each: each.kind == "acked",
    within=2,
    by=lambda each: each.data["id"],
    name="acked",
)


def only(verdict: Verdict) -> Violation:
    """Its one violation."""
    assert verdict.judgement is Judgement.VIOLATED
    (violation,) = verdict.violations
    return violation


# --- always ----------------------------------------------------------------------------------------------------------


def test_always_holds_of_no_event_at_all() -> None:
    """And of one that fulfils it, also where the execution did not come to its end."""
    solvent = racewindow.always(lambda each: each.data["balance"] >= 0, "solvent")

    assert solvent.check(history(finished=False)) == Verdict.holds()
    assert solvent.check(history(event("paid", balance=0))) == Verdict.holds()


def test_always_names_the_first_event_of_each_task_that_breaks_it() -> None:
    """With its time and data."""
    solvent = racewindow.always(lambda each: each.data.get("balance", 0) >= 0, "solvent")
    verdict = solvent.check(
        history(
            event("paid", at=1, balance=3),
            event("paid", at=1.5, balance=-1),
            event("paid", at=2, balance=-2),
            event("paid", at=2, task="reader", balance=-2),
            event("closed", at=3),
        )
    )

    assert [(each.class_, each.subject, each.time_ns) for each in verdict.violations] == [
        ("always", "writer", 1_500_000_000),
        ("always", "reader", 2 * NS),
    ]
    assert verdict.violations[0].message == "solvent: not so of paid balance=-1 of writer at T+00:01.500"
    assert verdict.violations[0].evidence == {"balance": -1}


# --- sometimes -------------------------------------------------------------------------------------------------------


def test_sometimes_is_never_violated_by_one_execution() -> None:
    """Which says only whether it was reached."""
    full = racewindow.sometimes(lambda each: each.kind == "full", "queue full")

    assert full.check(history()) == full.check(history(event("full"))) == Verdict.holds()
    assert full.coverage(history(event("put"))) == {"queue full": False}
    assert full.coverage(history(event("put"), event("full"))) == {"queue full": True}


# --- eventually ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, 29.999, 30])
def test_eventually_holds_up_to_its_limit_and_at_it(at: float) -> None:
    """The span is closed. It holds whatever became of the execution afterwards."""
    assert REOPENED.check(history(event("closed"), event("reopened", at=at), finished=False)) == Verdict.holds()


def test_eventually_says_how_late_it_came() -> None:
    """By the first event, whatever follows."""
    late = only(REOPENED.check(history(event("reopened", at=30.5), event("reopened", at=40))))

    assert (late.class_, late.subject, late.time_ns) == ("late", "reopened", 30_500_000_000)
    assert late.message == "reopens: came 00:00.500 too late, as reopened of writer at T+00:30.500"


def test_eventually_is_violated_by_an_execution_that_ends_without_it() -> None:
    """Nothing can happen any more, though there was time left."""
    never = only(REOPENED.check(history(event("closed", at=3))))

    assert (never.class_, never.message) == ("never", "reopens: never, until the end at T+00:03.000")


@pytest.mark.parametrize(
    ("end", "judgement"), [(0, Judgement.UNKNOWN), (30, Judgement.UNKNOWN), (30.000000001, Judgement.VIOLATED)]
)
def test_eventually_is_unknown_of_an_early_end_unless_its_time_had_passed(end: float, judgement: Judgement) -> None:
    """At the limit itself it could still have come."""
    verdict = REOPENED.check(history(event("closed"), end=end, finished=False))

    assert verdict.judgement is judgement
    if judgement is Judgement.VIOLATED:
        assert only(verdict).message == "reopens: never, until T+00:30.000, the last moment"
    elif end:
        assert verdict.reason == "the execution ended early, at T+00:30.000, and could still do so"


def test_eventually_without_a_limit_waits_for_the_end() -> None:
    """However long that takes."""
    done = racewindow.eventually(lambda each: each.kind == "done", name="done")

    assert done.check(history(event("done", at=1e6))) == Verdict.holds()
    assert done.check(history(end=1e6, finished=False)).judgement is Judgement.UNKNOWN
    assert only(done.check(history(end=60))).message == "done: never, until the end at T+01:00.000"


# --- leads to --------------------------------------------------------------------------------------------------------


def test_every_trigger_needs_a_response_of_its_own() -> None:
    """Of the same `by`, not before it, and within the limit, which belongs to it."""
    told = ACKED.check(
        history(
            event("acked", id=3),
            event("sent", at=1, id=1),
            event("sent", at=1, id=2),
            event("acked", at=3, task="server", id=1),
            event("sent", at=4, id=3),
            event("acked", at=6.25, task="server", id=3),
            end=7,
        )
    )

    assert [(each.class_, each.subject, each.time_ns) for each in told.violations] == [
        ("never", "2", 3 * NS),
        ("late", "3", 6_250_000_000),
    ]
    unanswered, late = (each.message for each in told.violations)
    assert unanswered == "acked: sent id=2 of writer at T+00:01.000 has no answer until T+00:03.000, the last moment"
    assert late == (
        "acked: sent id=3 of writer at T+00:04.000 was answered 00:00.250 too late, by acked id=3 of server at "
        "T+00:06.250"
    )
    assert told.violations[1].evidence == {"trigger": {"id": 3}, "response": {"id": 3}}


def test_without_a_trigger_it_holds() -> None:
    """A response alone is fine."""
    assert ACKED.check(history(event("acked", id=1), finished=False)) == Verdict.holds()


def test_a_trigger_that_could_still_be_answered_is_unknown() -> None:
    """Unless another one is violated already."""
    sent = event("sent", at=1, id=1)

    assert ACKED.check(history(sent, end=3, finished=False)) == Verdict.unknown(
        "the execution ended early, and sent id=1 of writer at T+00:01.000 could still be answered"
    )
    assert only(ACKED.check(history(sent, end=3))).class_ == "never"
    assert only(ACKED.check(history(sent, event("sent", at=9, id=2), end=9, finished=False))).subject == "1"


def test_at_one_instant_the_order_counts_within_a_task_only() -> None:
    """The order of steps of different tasks may mean nothing."""
    sent = event("sent", at=1, step=3, id=1)

    assert only(ACKED.check(history(event("acked", at=1, step=2, id=1), sent))).class_ == "never"
    assert ACKED.check(history(sent, event("acked", at=1, step=3, id=1))) == Verdict.holds()
    assert ACKED.check(history(event("acked", at=1, task="server", id=1), sent)) == Verdict.holds()


def test_without_by_the_subject_is_the_task() -> None:
    """And any response will do."""
    calm = racewindow.leads_to(lambda each: each.kind == "alarm", lambda each: each.kind == "calm", name="calm")

    assert calm.check(history(event("alarm"), event("calm", at=99, task="other"))) == Verdict.holds()
    assert only(calm.check(history(event("alarm"), end=5))).subject == "writer"


# --- all of them -----------------------------------------------------------------------------------------------------

KINDS = st.sampled_from(["sent", "acked", "reopened", "closed"])
EVENTS = st.lists(
    st.builds(
        event,
        KINDS,
        at=st.integers(0, 3),
        task=st.sampled_from(["a", "b", "c"]),
        id=st.integers(0, 1),
    ),
    max_size=6,
).map(lambda events: sorted(events, key=lambda each: each.time_ns))


@given(EVENTS, st.booleans(), st.randoms(use_true_random=False))
def test_verdicts_do_not_depend_on_the_order_of_independent_events(
    events: list[Event],
    finished: bool,  # noqa: FBT001  # drawn by Hypothesis
    random: Random,
) -> None:
    """Partial-order reduction runs only one of the orders; what is said is the same, in the same words."""
    checkers: list[Checker] = [
        racewindow.always(lambda each: each.kind != "closed", "open"),
        racewindow.eventually(lambda each: each.kind == "reopened", within=1, name="reopens"),
        racewindow.leads_to(
            lambda each: each.kind == "sent",
            lambda each: each.kind == "acked",
            within=1,
            by=lambda each: each.data["id"],
            name="acked",
        ),
    ]

    def told(order: list[Event]) -> list[object]:
        of = History(order, end_ns=3 * NS, finished=finished)
        verdicts = [each.check(of) for each in checkers]
        return [(v.judgement, sorted(map(str, v.violations)), v.judgement.value) for v in verdicts]

    assert told(events) == told(interleaved(events, random))


def test_only_those_with_a_limit_look_at_the_time() -> None:
    """So that an exploration runs more orders only for them."""
    done = racewindow.eventually(bool, name="done")

    assert observed_by([done, racewindow.always(bool, "b"), racewindow.sometimes(bool, "c")]) == frozenset()
    assert observed_by([done, REOPENED]) == observed_by([ACKED]) == {TIME}


@pytest.mark.parametrize("within", [-1, float("nan"), float("inf"), True, "2", 1e10])
def test_a_limit_is_a_number_of_seconds(within: float) -> None:
    """One that is none is refused at once."""
    with pytest.raises(UsageError, match="eventually cannot be within"):
        racewindow.eventually(bool, within=within, name="x")


def test_a_property_needs_a_name_and_a_function_no_values() -> None:
    """By which it is reported; what a function breaks shows itself."""
    with pytest.raises(UsageError, match="always was given '' as its name"):
        racewindow.always(bool, "")
    with pytest.raises(UsageError, match="unreachable was given 3 as its name"):
        racewindow.unreachable(3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="was given a function and values"):
        racewindow.always(bool, "x", balance=3)  # type: ignore[call-overload]
