"""An outage waited out on a stale estimate, and the failover that breaks something else: what closes which."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

import racewindow
from racewindow import Fault, History
from racewindow_faults.network import Delay
from racewindow_faults.operator import Repeat, Skip
from racewindow_faults.process import Stall
from racewindow_models.cme.checkers import (
    decision_inputs_fresh,
    eventually_reopens,
    single_active_writer,
    validate_before_exit,
)
from racewindow_models.cme.estimator import Estimate
from racewindow_models.cme.registry import SITE_A, SITE_B, Lease
from racewindow_models.cme.site import OPEN, STAGES, TEST
from racewindow_models.scenarios.cme_failover import EXPECTED, cme_failover
from racewindow_models.units import SECOND_NS, TimeNs
from tests.models.seen import histories, judgements, kinds, searched, violated, watched_search, written

CLOSED = ("re_evaluate", "fencing")
FAILOVER = ("failover_at_once", "fencing")
MINUTE_NS = 60 * SECOND_NS
PARAMS = {"fresh_minutes": 15}
STALE, SPLIT = "decision_inputs_fresh", "single_active_writer"


def opened(history: History) -> list[tuple[str, str, int]]:
    """Who opened which stage after how many minutes."""
    asked = [each.data for each in history.events if each.kind == "clearing.asked"]
    return [
        (each["lease"].holder, each["stage"], each["at_ns"] // MINUTE_NS)
        for each in asked
        if each["accepted"] and each["what"] == OPEN
    ]


def test_what_each_set_of_safeguards_leaves_open() -> None:
    """A failover at once closes the first failure and leaves the second; fencing is what makes either way safe."""
    left = {
        frozenset(on): violated(searched(cme_failover, *on))
        for count in range(4)
        for on in combinations(cme_failover.safeguards, count)
    }
    for on, open_ in left.items():
        decided = on & {"re_evaluate", "failover_at_once"}
        assert open_ == (set() if decided else {STALE}) | (set() if "fencing" in on else {SPLIT}), on


def test_all_leaves_out_the_remedy_that_breaks_something_else() -> None:
    assert set(cme_failover.resolve_safeguards("all")) == set(CLOSED) == set(EXPECTED.closed_by[0])


def test_the_night_of_the_record_is_one_of_the_orders() -> None:
    """Both attempts fail, nobody looks again, and the market is open at site A after 9 h 20 min and 10 h 50 min."""
    night = [(SITE_A, STAGES[0], 560), (SITE_A, STAGES[1], 650)]
    nights = [each for each in histories(cme_failover) if opened(each) == night]
    assert nights
    assert any(decision_inputs_fresh.check(each).violations for each in nights)


def test_a_failover_with_fencing_is_silent_and_only_one_site_gets_through() -> None:
    """In some order site A has begun to open when the market is given away; it is refused and stands down."""
    result, seen = watched_search(cme_failover, *FAILOVER)
    assert result.verdict == "complete"
    assert {stage for each in seen for _, stage, _ in opened(each)[-2:]} == set(STAGES)
    both = [each for each in seen if {site for site, _, _ in opened(each)} == {SITE_A, SITE_B}]
    assert both
    assert all(kinds(each).count("site.stood_down") == 1 for each in both)
    assert all(opened(each)[-1][0] == SITE_B for each in both)


def test_site_a_leaves_the_market_alone_that_it_finds_with_the_other() -> None:
    """So both are active only where it has looked too early."""
    for each in histories(cme_failover, "failover_at_once"):
        (holder,) = (up.data["holder"] for up in each.events if up.kind == "site.up" and up.data["site"] == SITE_A)
        assert (SITE_A in {site for site, _, _ in opened(each)}) == (holder == SITE_A)
        assert len(opened(each)) == len(set(opened(each)))
        assert holder == SITE_A or not single_active_writer.check(each).violations


def test_an_estimator_that_comes_late_still_says_that_it_is_over() -> None:
    for each in histories(cme_failover, *CLOSED, faults=Stall(target="estimator", seconds=1_800)):
        estimates = [event.data["estimate"] for event in each.events if event.kind == "estimate.changed"]
        assert estimates[-1].is_over


def test_a_brief_outage_is_waited_out_and_a_long_one_is_not() -> None:
    """With the estimate read again, no order has the market closed for longer than the failover takes."""
    firsts = {opened(each)[0][::2] for each in histories(cme_failover, *CLOSED)}
    assert firsts == {(SITE_A, 20), (SITE_A, 40), (SITE_B, 40), (SITE_B, 55)}


@pytest.mark.parametrize(
    ("params", "open_"),
    [
        ({"re_evaluate_minutes": 15}, set()),
        ({"re_evaluate_minutes": 16}, {STALE}),
        ({"re_evaluate_minutes": 16, "fresh_minutes": 16}, set()),
    ],
)
def test_looking_again_helps_as_often_as_it_is_asked_for(params: dict[str, int], open_: set[str]) -> None:
    assert violated(searched(cme_failover, *CLOSED, params=params)) == open_


@pytest.mark.parametrize(
    ("safeguards", "params", "fault", "open_"),
    [
        (CLOSED, {}, Delay(target="operator", seconds=60), {STALE}),
        (CLOSED, {"re_evaluate_minutes": 10}, Delay(target="operator", seconds=60), set()),
        (CLOSED, {}, Skip(), {"validate_before_exit", "eventually_reopens", STALE}),
        (CLOSED, {}, Repeat(), set()),
        (FAILOVER, {}, Delay(), set()),
    ],
    ids=[
        "late",
        "late, with time to spare",
        "a step left out",
        "a step repeated",
        "failover, late",
    ],
)
def test_one_fault_opens_it_again_only_where_it_has_to(
    safeguards: tuple[str, ...], params: dict[str, int], fault: Fault, open_: set[str]
) -> None:
    assert violated(searched(cme_failover, *safeguards, params=params, faults=fault)) == open_


def test_under_a_racing_clock_a_look_may_come_late_and_the_outage_ends_all_the_same() -> None:
    """Any task may be arbitrarily slow then, the operator as well as the plant that they wait for."""
    result = racewindow.explore(
        cme_failover, safeguards=CLOSED, clock="racing", schedules=150, all_failures=True, shrink=False
    )
    assert violated(result) <= {STALE}


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"outage_minutes": 130}, "'outage_minutes' cannot be 130"),
        ({"re_evaluate_minutes": 0}, "'re_evaluate_minutes' cannot be 0"),
    ],
)
def test_an_outage_that_cannot_be_is_refused(params: dict[str, int], problem: str) -> None:
    with pytest.raises(racewindow.UsageError, match=problem):
        racewindow.explore(cme_failover, params=params)


# --- the checkers, on histories written by hand -----------------------------------------------------------------------


def decided(version: int, minute: int) -> tuple[str, dict[str, Any]]:
    return "operator.decided", {
        "estimate": Estimate(version, TimeNs(0)),
        "fails_over": False,
        "at_ns": minute * MINUTE_NS,
    }


def changed(version: int, minute: int) -> tuple[str, dict[str, Any]]:
    return "estimate.changed", {"estimate": Estimate(version, TimeNs(0)), "at_ns": minute * MINUTE_NS}


def booked(
    site: str, what: str = OPEN, *, minute: int = 0, stage: str = STAGES[0], newest: int = 0
) -> tuple[str, dict[str, Any]]:
    lease = Lease(site, 1 if site == SITE_A else 2)
    asked = {"lease": lease, "what": what, "stage": stage, "newest": newest}
    return "clearing.asked", asked | {"accepted": True, "at_ns": minute * MINUTE_NS}


@pytest.mark.parametrize(
    ("events", "is_violated"),
    [
        ((decided(1, 20), changed(2, 20)), True),
        ((decided(1, 20), changed(2, 20), decided(2, 35)), False),
        ((decided(1, 20), changed(2, 20), decided(2, 36)), True),
        ((decided(1, 20), changed(2, 20), decided(1, 30)), True),
        ((changed(2, 20), decided(2, 20)), False),
        ((changed(2, 20), decided(1, 20)), True),
        ((changed(2, 20),), False),
        ((decided(1, 20), changed(2, 20), booked(SITE_A, minute=35)), False),
        ((decided(1, 20), changed(2, 20), booked(SITE_A, minute=36)), True),
        ((decided(1, 20), changed(2, 20), booked(SITE_A, TEST, minute=30)), True),
        ((decided(1, 20), changed(2, 20), changed(3, 40), decided(3, 35)), False),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_decision_stands_until_it_is_made_again_or_the_market_is_open(
    events: tuple[tuple[str, dict[str, Any]], ...], *, is_violated: bool, turned: bool
) -> None:
    """Whatever the order in which independent events are listed."""
    history = written(*(reversed(events) if turned else events), params=PARAMS)
    assert bool(decision_inputs_fresh.check(history).violations) == is_violated


def test_half_an_execution_tells_only_what_is_past() -> None:
    open_end = written(decided(1, 20), changed(2, 20), params=PARAMS, finished=False, end_ns=35 * MINUTE_NS)
    late = written(decided(1, 20), changed(2, 20), params=PARAMS, finished=False, end_ns=36 * MINUTE_NS)
    assert judgements([decision_inputs_fresh], open_end) == {STALE: "unknown"}
    assert judgements([decision_inputs_fresh], late) == {STALE: "violated"}
    assert judgements([eventually_reopens], written(finished=False)) == {"eventually_reopens": "unknown"}


def test_two_sites_are_active_once_the_older_token_gets_through() -> None:
    assert not single_active_writer.check(written(booked(SITE_A), booked(SITE_B, newest=1))).violations
    (violation,) = single_active_writer.check(written(booked(SITE_B), booked(SITE_A, newest=2))).violations
    assert (violation.subject, violation.evidence) == (SITE_A, {"token": 1, "newest": 2})


def test_a_stage_is_tested_at_the_site_that_opens_it() -> None:
    """A test of another stage, or at the other site, is none."""
    for test in (booked(SITE_B, TEST), booked(SITE_A, TEST, stage=STAGES[1])):
        assert validate_before_exit.check(written(test, booked(SITE_A))).violations
    assert not validate_before_exit.check(written(booked(SITE_A, TEST), booked(SITE_A))).violations


def test_the_market_is_open_when_every_stage_is() -> None:
    half, rest = booked(SITE_A), booked(SITE_B, stage=STAGES[1])
    assert [each.subject for each in eventually_reopens.check(written(half)).violations] == [STAGES[1]]
    assert not eventually_reopens.check(written(half, rest)).violations
