"""Faults in the scenarios of the exchange: what breaks with one that did not break by order, and what closes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

import racewindow
from racewindow import Fault, Result, Scenario
from racewindow_faults.clock import Frozen, Jump, Skew
from racewindow_faults.config import FlagReuse, OldConfig, PartialRollout, WrongOrder
from racewindow_faults.network import Delay, Reset
from racewindow_faults.process import Cancel, Crash, Overlap, Pause, Restart, Stall
from racewindow_faults.storage import Abort, FailedCommit, LostFsync, LostWrite, PartialCopy, StaleRead, TornBatch
from racewindow_models.scenarios.paradex import paradex
from racewindow_models.scenarios.paradex_overlap import paradex_overlap
from racewindow_models.scenarios.paradex_partial_copy import paradex_partial_copy
from racewindow_models.scenarios.paradex_rollback import paradex_rollback

pytestmark = pytest.mark.slow

CLOSED = "require_ready,age_guard,atomic_batch"
DELAYED = Delay(target="writer-1*", seconds=10)


def searched(scenario: Scenario, safeguards: str, fault: Fault) -> Result:
    """Every order with at most one such fault."""
    result = racewindow.explore(
        scenario, strategy="dpor", all_failures=True, safeguards=safeguards, faults=fault, shrink=False
    )
    assert (result.complete, result.untrusted) == (True, "")
    assert result.faults_struck[fault.kind] > 0
    return result


def groups(result: Result) -> set[tuple[str | None, str | None]]:
    return {(failure.checker, failure.class_) for failure in result.failures}


@pytest.mark.parametrize(
    "fault",
    [
        Crash(target="writer-2*"),
        Pause(target="writer-2*", seconds=20),
        Cancel(target="writer-2*"),
        Stall(target="committer", seconds=20),
        Delay(target="committer", seconds=20),
        Reset(target="committer"),
        StaleRead(),
        Skew(target="committer", seconds=60),
        WrongOrder(),
        FailedCommit(),
    ],
    ids=lambda fault: fault.kind,
)
def test_behind_the_three_guards_none_of_these_does_harm(fault: Fault) -> None:
    assert searched(paradex, CLOSED, fault).verdict == "complete"


def test_a_crash_between_the_two_sinks_leaves_them_apart() -> None:
    """No order alone does that, and none of the guards stands there."""
    result = searched(paradex, CLOSED, Crash(target="committer"))
    assert groups(result) == {("sinks_agree", "default")}


def test_a_writer_that_crashes_before_it_has_saved_its_state_leaves_nothing_to_load() -> None:
    result = searched(paradex, CLOSED, Crash(target="writer-1"))
    assert ("no_false_liquidation", "default") in groups(result)


def test_every_kind_of_fault_of_clocks_configuration_and_storage_has_a_place_to_strike() -> None:
    clocks, configs = Skew() | Jump() | Frozen(), OldConfig() | FlagReuse() | PartialRollout() | WrongOrder()
    storage = StaleRead() | LostWrite() | LostFsync() | TornBatch() | FailedCommit() | Abort() | PartialCopy()
    faults = clocks | configs | storage
    result = racewindow.explore(
        paradex, strategy="random", schedules=5, safeguards="all", faults=faults, all_failures=True, shrink=False
    )
    assert len(faults.faults) == 14
    assert result.faults_offered.keys() == {fault.kind for fault in faults.faults}
    assert all(result.faults_offered.values())


@pytest.mark.parametrize("fault", [Skew(seconds=-60), Frozen(seconds=60)], ids=lambda fault: fault.kind)
def test_a_guard_of_ages_is_as_good_as_the_clock_of_its_service(fault: Fault) -> None:
    """The committer's, when it is behind; one that stands still has gone as far as the window by then."""
    found = groups(searched(paradex, CLOSED, replace(fault, target="committer")))
    assert found == ({("no_unknown_age", "stale")} if fault.kind == "skew" else set())


def test_a_guard_is_as_good_as_the_configuration_that_has_switched_it_on() -> None:
    """Each service has its own: a committer with the old one takes stale values, a writer writes missing ones."""
    committer = searched(paradex, CLOSED, OldConfig(target="committer"))
    old = OldConfig(target="writer-2")
    writer = racewindow.explore(paradex, strategy="random", schedules=300, safeguards=CLOSED, faults=old, shrink=False)
    assert groups(committer) == {("no_unknown_age", "stale"), ("no_mixed_generations", "torn")}
    assert writer.failures[0].faults == (
        "in step 0 of writer-2, fault point 2 there: fault old-config:target=writer-2",
    )


def test_rows_that_a_copy_has_left_out_are_noticed_by_those_who_miss_them_only() -> None:
    assert ("no_false_liquidation", "default") in groups(searched(paradex, CLOSED, PartialCopy()))
    assert searched(paradex, f"{CLOSED},presence_required", PartialCopy()).verdict == "complete"


@pytest.mark.parametrize("closing", ["fencing", "cas_write"])
@pytest.mark.parametrize("fault", [DELAYED, Delay(target="writer-2*")], ids=["old", "new"])
def test_a_store_that_looks_at_what_arrives_does_not_mind_when_it_does(closing: str, fault: Fault) -> None:
    assert searched(paradex_overlap, f"{closing},atomic_batch", fault).verdict == "complete"


def test_a_write_in_flight_outlives_a_full_downtime_unless_it_is_drained() -> None:
    assert groups(searched(paradex_overlap, "full_downtime,atomic_batch", DELAYED)) == {
        ("generation_monotonic", "regressed")
    }
    assert searched(paradex_overlap, "full_downtime,drain_writes,atomic_batch", DELAYED).verdict == "complete"


def test_a_stop_that_is_believed_and_not_true_makes_an_overlap_of_a_full_downtime() -> None:
    found = searched(paradex_overlap, "full_downtime,drain_writes,atomic_batch", Overlap(seconds=10))
    assert groups(found) == {("generation_monotonic", "regressed"), ("no_overlap", None)}


@pytest.mark.parametrize("fault", [StaleRead(), Delay(target="copy-job", seconds=10)], ids=lambda fault: fault.kind)
def test_a_copy_that_is_compared_may_be_slow_and_its_replica_may_lag(fault: Fault) -> None:
    assert searched(paradex_partial_copy, "copy_complete", fault).verdict == "complete"


@pytest.mark.parametrize(
    "fault", [Crash(target="committer"), Restart(target="committer")], ids=lambda fault: fault.kind
)
def test_a_rollback_with_epoch_and_log_stands_a_committer_that_crashes(fault: Fault) -> None:
    assert searched(paradex_rollback, "all", fault).verdict == "complete"


@pytest.mark.parametrize(
    "scenario", [paradex, paradex_overlap, paradex_partial_copy, paradex_rollback], ids=lambda each: each.name
)
def test_a_budget_alone_is_spent_on_the_faults_that_a_scenario_declares(scenario: Scenario) -> None:
    result = racewindow.explore(
        scenario, strategy="random", schedules=150, faults=1, safeguards="all", all_failures=True, shrink=False
    )
    assert {failure.kind for failure in result.failures} <= {"violation"}
    assert result.faults_offered.keys() == {fault.kind for fault in scenario.faults}
    assert sum(result.faults_struck.values()) > 0
