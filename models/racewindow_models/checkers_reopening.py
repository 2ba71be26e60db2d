"""Checkers of how a halt ends: what was checked before, in which order things are switched on, and that it does end."""

from __future__ import annotations

from racewindow import Event, History, Verdict, Violation, checker
from racewindow_models.book import Mode
from racewindow_models.chain import Block
from racewindow_models.evidence import NO_TRUTH, evidence_of, in_block, window_of
from racewindow_models.findings import Finding, ValueClass, examine
from racewindow_models.units import TimeNs, text_seconds
from racewindow_models.validator import Report, ancestry
from racewindow_models.values import MarketValues
from racewindow_models.window import Window


@checker("validate_before_exit")
def validate_before_exit(history: History) -> Verdict:
    """A halt is left only after a check against a source other than the value being checked.

    A number that is right needs no check here, so a clean upgrade is silent. For each that is wrong under ground truth
    when trading resumes with it, there has to be a check that passed and whose reference was made from other sources.
    Of each market the gravest is reported.
    """
    window = window_of(history)
    if window is None:
        return Verdict.unknown(NO_TRUTH)
    first: dict[object, Violation] = {}
    for event in history.events:
        if event.kind == "halt.left":
            for finding in _unchecked(event, window):
                first.setdefault(finding.market, _left_with(finding, event))
    return Verdict.violated(list(first.values()))


def _unchecked(event: Event, window: Window) -> list[Finding]:
    """What is wrong when the halt is left, and was not held against anything independent."""
    block, now_ns = event.data["block"], TimeNs(event.time_ns)
    found = [
        each for values in block.batch for each in examine(values, window.truth, now_ns, window.settings.max_age_ns)
    ]
    found.sort(key=lambda each: each.quantity.value)  # the funding index first: a wrong one is money at once
    return [each for each in found if not any(_is_independent(report, each) for report in event.data["reports"])]


def _is_independent(report: Report, finding: Finding) -> bool:
    reference = report.references.get((finding.market, finding.quantity), frozenset())
    return bool(reference) and not reference & ancestry(finding.values, finding.quantity)


def _left_with(finding: Finding, event: Event) -> Violation:
    block: Block = event.data["block"]
    reports: tuple[Report, ...] = event.data["reports"]
    made_from = ancestry(finding.values, finding.quantity)
    shared = sorted(made_from & frozenset[str]().union(*(_reference(each, finding) for each in reports)))
    why = f"the check and the value have in common: {', '.join(shared)}" if shared else "nothing was checked"
    return Violation(
        class_=finding.class_.value,
        subject=finding.market,
        message=f"the halt is left with {finding} {in_block(block.height, block.time_ns)}; {why}",
        time_ns=event.time_ns,
        evidence={
            "quantity": finding.quantity.value,
            "amount_e8": finding.amount_e8,
            "true_e8": finding.true_e8,
            "made_from": sorted(made_from),
            "in_common_with_the_check": shared,
            "checks": len(reports),
        }
        | evidence_of(finding.values, block.height),
    )


def _reference(report: Report, finding: Finding) -> frozenset[str]:
    return report.references.get((finding.market, finding.quantity), frozenset())


@checker("liquidation_last")
def liquidation_last(history: History) -> Verdict:
    """Nothing is liquidated before all feeds are fresh again and the grace period, if there is one, is over.

    A mark price is not fresh while a book that was thin (a side missing, or a spread above 1%) had a vote in it within
    `max_age`.
    """
    window = window_of(history)
    if window is None:
        return Verdict.unknown(NO_TRUTH)
    first: dict[object, Violation] = {}
    for event in history.events:
        if event.kind == "account.liquidated":
            for values in event.data["used"]:
                thin_ns = values.provenance.last_thin_ns
                if thin_ns is not None and event.time_ns - thin_ns <= window.settings.max_age_ns:
                    first.setdefault(values.market, _too_early(event, values, thin_ns))
    return Verdict.violated(list(first.values()))


def _too_early(event: Event, values: MarketValues, thin_ns: TimeNs) -> Violation:
    account, height = event.data["account"], event.data["height"]
    return Violation(
        class_=ValueClass.STALE.value,
        subject=values.market,
        message=(
            f"{account.name} is liquidated {in_block(height, event.time_ns)} by a mark price in which a thin book "
            f"had a vote {text_seconds(event.time_ns - thin_ns)} before"
        ),
        time_ns=event.time_ns,
        evidence={"account": account.name, "last_thin_ns": thin_ns} | evidence_of(values, height),
    )


@checker("eventually_reopens")
def eventually_reopens(history: History) -> Verdict:
    """After every halt the markets open fully again before the end.

    The changes of mode are one operator's, so they are in order.
    """
    changes = [event for event in history.events if event.kind == "mode.changed"]
    if not changes or changes[-1].data["mode"] is Mode.OPEN:
        return Verdict.holds()
    if not history.finished:
        return Verdict.unknown("the execution ended before the markets could open")
    last: Event = changes[-1]
    return Verdict.violated(
        [
            Violation(
                class_=None,
                subject="markets",
                message=f"the markets are {last.data['mode'].value} since {text_seconds(last.time_ns)} and never open",
                time_ns=last.time_ns,
                evidence={"mode": last.data["mode"].value},
            )
        ]
    )


@checker("conservation")
def conservation_of_transfers(history: History) -> Verdict:
    """Every transfer of the clearing takes from some what it gives to others, to less than 10^-8 per account.

    Necessary, and not sufficient: what a wrong index or mark moves sums to zero as well.
    """
    violations = []
    for event in history.events:
        if event.kind == "clearing.changed":
            change = event.data["change"]
            lost_e16 = -change.moved_e16()
            if not 0 <= lost_e16 < len(change.after) * 10**8:
                name = next(iter(change.after))
                message = f"a transfer of {name} at {text_seconds(event.time_ns)} changes the sum of all values"
                evidence = {"lost_e16": lost_e16, "accounts": sorted(change.after)}
                violations.append(Violation(ValueClass.CORRUPT.value, name, message, event.time_ns, evidence))
    return Verdict.violated(violations)
