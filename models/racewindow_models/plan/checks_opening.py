"""Checks of how a plan's window ends: on what the decision to open rests, and when liquidation begins."""

from __future__ import annotations

from typing import Any

from racewindow import Checker, Event, History, Verdict, Violation, checker
from racewindow_models.chain import Block
from racewindow_models.evidence import evidence_of
from racewindow_models.findings import ValueClass
from racewindow_models.guards import too_old
from racewindow_models.judging import judged
from racewindow_models.units import TimeNs, text_seconds
from racewindow_models.validator import Report


@checker("liquidation_last")
def liquidation_last(history: History) -> Verdict:
    """The liquidator judges accounts only by fresh values, and only when the grace period, if there is one, is over.

    That it closes none at that moment is luck: what counts is that it could.
    """
    needs = ("batch", "height", "enabled_ns", "grace_ns", "max_age_ns")
    return judged(history, "accounts.judged", _too_early, *needs)


def _too_early(event: Event) -> Violation | None:
    data, now_ns = event.data, TimeNs(event.time_ns)
    since_ns = now_ns - data["enabled_ns"]
    for values in data["batch"]:
        why = too_old(values, now_ns, data["max_age_ns"])
        if why:
            message = f"the liquidator acts at {text_seconds(now_ns)} by block {data['height']}, where {why}"
            evidence = evidence_of(values, data["height"])
            return Violation(ValueClass.STALE.value, values.market, message, now_ns, evidence)
    if since_ns < data["grace_ns"]:
        message = (
            f"the liquidator acts at {text_seconds(now_ns)}, {text_seconds(since_ns)} after it was let in; the grace "
            f"period is {text_seconds(data['grace_ns'])}"
        )
        evidence = {"since_ns": since_ns, "grace_ns": data["grace_ns"]}
        return Violation("early", "liquidator", message, now_ns, evidence)
    return None


def decision_inputs_fresh(within_ns: int) -> Checker:
    """The check that a decision to open is made again `within_ns` after there is another block than it rests on.

    The decision is a validation that has passed. It stands until the halt is left.
    """

    @checker("decision_inputs_fresh", observes=["time"])
    def fresh(history: History) -> Verdict:
        newest: Report | None = None
        heads: list[tuple[int, Block]] = []
        for event in history.events:  # in order: whatever is looked at here reads or writes the head of the chain
            data = event.data
            if event.kind == "validation.done":
                newest = data["report"]
            elif event.kind in ("chain.block", "chain.rolled_back"):
                heads.append((event.time_ns, data["block"]))
            elif event.kind == "halt.left" and newest is not None and data["block"] != newest.block:
                since_ns = event.time_ns - _changed_ns(newest.block, heads)
                if since_ns > within_ns:
                    return Verdict.violated([_outdated(newest, event, since_ns, within_ns)])
        return Verdict.holds()

    return fresh


def _changed_ns(block: Block, heads: list[tuple[int, Block]]) -> int:
    """When a block was followed by another one."""
    blocks = [head for _, head in heads]
    last = len(blocks) - 1 - blocks[::-1].index(block) if block in blocks else -1
    return heads[last + 1][0]


def _outdated(newest: Report, left: Event, since_ns: int, within_ns: int) -> Violation:
    block: Block = left.data["block"]
    evidence: dict[str, Any] = {
        "rests_on_block": newest.block.height,
        "block": block.height,
        "since_ns": since_ns,
        "within_ns": within_ns,
    }
    message = (
        f"the halt is left at {text_seconds(left.time_ns)} with block {block.height}; the decision rests on block "
        f"{newest.block.height}, and was not made again within {text_seconds(within_ns)} of the next one"
    )
    return Violation(ValueClass.STALE.value, "markets", message, left.time_ns, evidence)
