"""Checkers of a failover: on what a decision rests, who is active, and whether the market opens, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from racewindow import Event, History, Verdict, Violation, checker
from racewindow_models.cme.site import OPEN, STAGES, TEST
from racewindow_models.units import SECOND_NS, text_duration


def _events(history: History, kind: str) -> Iterator[Event]:
    return (event for event in history.events if event.kind == kind)


def _accepted(history: History, what: str) -> Iterator[Event]:
    return (each for each in _events(history, "clearing.asked") if each.data["accepted"] and each.data["what"] == what)


@checker("decision_inputs_fresh")
def decision_inputs_fresh(history: History) -> Verdict:
    """A decision is made again within `fresh_minutes` after the estimate that it rests on has changed.

    It stands until the market is open: after that nothing rests on the estimate any more.
    """
    within_ns = int(history.params["fresh_minutes"]) * 60 * SECOND_NS
    open_ns = min((each.data["at_ns"] for each in _accepted(history, OPEN)), default=None)
    decisions = [each.data for each in _events(history, "operator.decided")]
    for changed in _events(history, "estimate.changed"):
        estimate, until_ns = changed.data["estimate"], changed.data["at_ns"] + within_ns
        standing = [each for each in decisions if each["estimate"].version < estimate.version]
        made_again = any(
            each["estimate"].version >= estimate.version and each["at_ns"] <= until_ns for each in decisions
        )
        is_open = open_ns is not None and open_ns <= until_ns
        if not standing or made_again or is_open:
            continue
        if not history.finished and history.end_ns <= until_ns:
            return Verdict.unknown("the execution ended before the decision could be made again")
        return Verdict.violated([_outdated(standing[-1], changed, within_ns)])
    return Verdict.holds()


def _outdated(decision: Mapping[str, Any], changed: Event, within_ns: int) -> Violation:
    rests_on, estimate = decision["estimate"], changed.data["estimate"]
    what = "to fail over" if decision["fails_over"] else "to wait"
    return Violation(
        class_="stale",
        subject="operator",
        message=(
            f"the decision {what} rests on estimate {rests_on.version} ({text_duration(rests_on.left_ns)}) and is not "
            f"made again within {text_duration(within_ns)} of estimate {estimate.version} "
            f"({text_duration(estimate.left_ns)})"
        ),
        time_ns=changed.time_ns + within_ns,
        evidence={
            "rests_on_version": rests_on.version,
            "rests_on_left_ns": rests_on.left_ns,
            "version": estimate.version,
            "left_ns": estimate.left_ns,
            "changed_ns": changed.data["at_ns"],
            "within_ns": within_ns,
        },
    )


@checker("single_active_writer")
def single_active_writer(history: History) -> Verdict:
    """Once clearing has accepted something from the site that the market has gone to, it accepts nothing of the other.

    By the fencing tokens, whether or not anyone looks at them.
    """
    for event in _events(history, "clearing.asked"):
        lease, newest = event.data["lease"], event.data["newest"]
        if event.data["accepted"] and lease.token < newest:
            message = (
                f"clearing accepts {event.data['what']} of {event.data['stage']} from {lease.holder} (token "
                f"{lease.token}), and has accepted from the other site with token {newest} before: both are active"
            )
            evidence = {"token": lease.token, "newest": newest}
            return Verdict.violated([Violation("split-brain", lease.holder, message, event.time_ns, evidence)])
    return Verdict.holds()


@checker("validate_before_exit")
def validate_before_exit(history: History) -> Verdict:
    """No site opens a stage without a test trade of that stage that clearing has accepted."""
    tested = {(each.data["lease"], each.data["stage"]) for each in _accepted(history, TEST)}
    return Verdict.violated(
        [
            Violation(
                class_="untested",
                subject=each.data["stage"],
                message=f"{each.data['lease'].holder} opens {each.data['stage']} without a test trade",
                time_ns=each.time_ns,
                evidence={"site": each.data["lease"].holder, "token": each.data["lease"].token},
            )
            for each in _accepted(history, OPEN)
            if (each.data["lease"], each.data["stage"]) not in tested
        ]
    )


@checker("eventually_reopens")
def eventually_reopens(history: History) -> Verdict:
    """Every stage is open at some site before the execution ends: bounded liveness."""
    missing = [stage for stage in STAGES if stage not in {each.data["stage"] for each in _accepted(history, OPEN)}]
    if missing and not history.finished:
        return Verdict.unknown("the execution ended before the market could be open")
    return Verdict.violated(
        [Violation("never", stage, f"{stage}: never open again", history.end_ns) for stage in missing]
    )
