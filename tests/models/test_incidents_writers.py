"""AWS, GitHub and SSV: who may write, and what a check is worth that is made before."""

from __future__ import annotations

from itertools import combinations

import pytest

from racewindow_faults import Overlap
from racewindow_models.scenarios.aws_dns_plan import aws_dns_plan
from racewindow_models.scenarios.github_failover import github_failover
from racewindow_models.scenarios.ssv_double_sign import ssv_double_sign
from tests.models.incidents import happens, said, searched, violated


def test_aws_the_record_is_empty_and_the_automation_is_stuck() -> None:
    assert said(searched(aws_dns_plan), "never_empty") == (
        "record-1 is empty from 0 s on: enactor-2 deletes generation 1, which it points at"
    )
    assert happens(aws_dns_plan, lambda event: event.kind == "enactor.stuck", enactors=3)


def test_aws_a_second_check_only_narrows_the_window() -> None:
    """Whatever is checked before the write is checked too early, however often."""
    first, second = searched(aws_dns_plan), searched(aws_dns_plan, "generation_check")
    assert violated(first) == violated(second) == {"generation_monotonic", "never_empty"}


def test_aws_the_store_refuses_in_the_step_that_writes() -> None:
    assert happens(
        aws_dns_plan,
        lambda event: event.kind == "guard.refused" and event.data["why"] == "it points at plan 5",
        "cas_write",
    )


def test_github_writes_from_before_the_promotion_are_lost_whoever_is_fenced_off() -> None:
    result = searched(github_failover, "fencing")
    assert violated(result) == {"no_unique_writes"}
    assert "only east has write-1; only west has write-2" in said(result, "no_unique_writes")


@pytest.mark.parametrize("writes", [1, 3])
def test_github_a_failover_that_is_planned_and_fenced_is_silent(writes: int) -> None:
    """The control, with what makes it a legitimate one: nothing is lost, and the west is promoted in every order."""
    guards = ("fencing", "copy_complete")
    assert not violated(searched(github_failover, *guards, writes=writes, planned=True))
    assert happens(github_failover, lambda event: event.kind == "site.promoted", *guards, planned=True)


def test_github_an_unfenced_failover_is_not_saved_by_being_planned() -> None:
    assert "single_active_writer" in violated(searched(github_failover, "copy_complete", planned=True))


@pytest.mark.parametrize("planned", [False, True])
def test_github_fencing_and_a_replica_that_is_caught_up_close_it_planned_or_not(*, planned: bool) -> None:
    """By every set: unplanned it takes one that promotes nothing blindly, planned it takes both."""
    names = tuple(github_failover.safeguards)
    closing = {
        on
        for count in range(len(names) + 1)
        for on in combinations(names, count)
        if not violated(searched(github_failover, *on, planned=planned))
    }
    enough = {on for on in closing if not any(set(other) < set(on) for other in closing)}
    assert enough == ({("fencing", "copy_complete")} if planned else {("copy_complete",), ("no_auto_promotion",)})
    assert {("fencing", "copy_complete"), names} <= closing


def test_ssv_two_signatures_for_one_slot() -> None:
    assert said(searched(ssv_double_sign), "single_active_writer") == (
        "signer-old writes validator-1 at 12 s, which signer-new has written as well"
    )


def test_ssv_only_the_shared_store_holds_against_an_instance_that_lives_on() -> None:
    fault = Overlap(target="signer-old", seconds=60)
    assert violated(searched(ssv_double_sign, "full_downtime", faults=fault))
    assert not violated(searched(ssv_double_sign, "cas_write", faults=fault))


@pytest.mark.parametrize("safeguard", ["full_downtime", "cas_write", "listen_before_signing"])
def test_ssv_somebody_goes_on_signing(safeguard: str) -> None:
    """No safeguard is silent because it signs nothing any more."""
    assert happens(
        ssv_double_sign,
        lambda event: event.kind == "write.accepted" and event.data["slot"] > 1,
        safeguard,
    )
