"""Checkers of what happened to the accounts."""

from __future__ import annotations

from dataclasses import replace

from racewindow import Event, History, Verdict, Violation, checker
from racewindow_models.cross import AnyAccount, is_covered, needed_e8, quoted, true_at, value_e8, was_covered
from racewindow_models.evidence import NO_TRUTH, evidence_of, in_block, window_of
from racewindow_models.findings import Finding, Quantity, ValueClass, examine
from racewindow_models.ground_truth import GroundTruth
from racewindow_models.units import TimeNs, text_seconds, text_usdt
from racewindow_models.values import Batch, MarketValues
from racewindow_models.window import Window


@checker("no_false_liquidation")
def no_false_liquidation(history: History) -> Verdict:
    """No account that is solvent under ground truth is liquidated.

    A value may lawfully be up to `max_age` old, so an account counts as solvent only if it was so all that time: that
    a price recovered a second ago is nobody's mistake.
    """
    window = window_of(history)
    if window is None:
        return Verdict.unknown(NO_TRUTH)
    return Verdict.violated(
        [
            _false_liquidation(event, window)
            for event in history.events
            if event.kind == "account.liquidated" and _was_solvent(event, window)
        ]
    )


def _was_solvent(event: Event, window: Window) -> bool:
    return was_covered(event.data["account"], window.truth, TimeNs(event.time_ns), window.settings.max_age_ns)


def _false_liquidation(event: Event, window: Window) -> Violation:
    account, used, height = event.data["account"], event.data["used"], event.data["height"]
    now_ns = TimeNs(event.time_ns)
    truly = true_at(window.truth, now_ns)
    judged_e8, true_e8, margin_e8 = value_e8(account, quoted(used)), value_e8(account, truly), needed_e8(account, truly)
    cause = _cause(account, used, window, now_ns)
    blamed: MarketValues = used[0] if cause is None else cause.values
    true_mark_e8, true_index_e8 = truly(blamed.market)
    why = f": {cause}, {blamed.provenance}" if cause else ", by values that were true when they were published"
    return Violation(
        class_=cause.class_.value if cause else None,
        subject=account.name,
        message=(
            f"{account.name} is worth {text_usdt(true_e8)} under ground truth and needs {text_usdt(margin_e8)}, "
            f"but was liquidated at {text_seconds(now_ns)} as worth {text_usdt(judged_e8)}{why}, in block {height}"
        ),
        time_ns=now_ns,
        evidence={
            "account": account.name,
            "judged_value_e8": judged_e8,
            "true_value_e8": true_e8,
            "maintenance_margin_e8": margin_e8,
            "true_mark_price_e8": true_mark_e8,
            "true_funding_index_e8": true_index_e8,
        }
        | evidence_of(blamed, height),
    )


def _cause(account: AnyAccount, used: Batch, window: Window, now_ns: TimeNs) -> Finding | None:
    """The bad number that made the difference: with the true one in its place, the account would have been spared.

    If none does alone, the last that is bad, where mark prices come last; None if there was nothing wrong with any.
    """
    found = [f for values in used for f in examine(values, window.truth, now_ns, window.settings.max_age_ns)]
    bad = sorted(found, key=lambda finding: finding.quantity is Quantity.MARK_PRICE)
    for finding in bad:
        if is_covered(account, quoted(tuple(_corrected(values, finding, window.truth) for values in used))):
            return finding
    return bad[-1] if bad else None


def _corrected(values: MarketValues, finding: Finding, truth: GroundTruth) -> MarketValues:
    """The values with the true number in place of the bad one, if it is theirs."""
    if values.market != finding.market:
        return values
    mark_e8, index_e8 = true_at(truth, finding.time_ns)(values.market)
    if finding.quantity is Quantity.FUNDING_INDEX:
        return replace(values, funding_index_e8=index_e8)
    return replace(values, mark_price_e8=mark_e8)


@checker("conservation")
def conservation(history: History) -> Verdict:
    """The sum of all collateral is constant: a liquidation moves it and makes or destroys none.

    Necessary, and not sufficient: a funding index that is wrong by any amount takes from one side what it gives to the
    other, and the sum stays the same. A rollback that restores accounts says what they hold then.
    """
    window = window_of(history)
    if window is None:
        return Verdict.unknown(NO_TRUTH)
    accounts: tuple[AnyAccount, ...] = (*window.accounts, *window.cross_accounts)
    held_e8 = {account.name: account.collateral_e8 for account in accounts}
    before_e8 = sum(held_e8.values())
    vault_e8 = 0
    for event in history.events:
        if event.kind == "account.liquidated":
            held_e8[event.data["account"].name] = event.data["left_e8"]
            vault_e8 = event.data["vault_e8"]
            after_e8 = sum(held_e8.values()) + vault_e8
            if after_e8 != before_e8:
                return Verdict.violated([_not_conserved(event, before_e8, after_e8)])
        elif event.kind == "chain.rolled_back" and "held_e8" in event.data:
            held_e8, vault_e8 = dict(event.data["held_e8"]), event.data["vault_e8"]
    return Verdict.holds()


def _not_conserved(event: Event, before_e8: int, after_e8: int) -> Violation:
    account, height = event.data["account"], event.data["height"]
    return Violation(
        class_=ValueClass.CORRUPT.value,
        subject=account.name,
        message=(
            f"the liquidation of {account.name} {in_block(height, event.time_ns)} changes the sum of all collateral "
            f"from {text_usdt(before_e8)} to {text_usdt(after_e8)}"
        ),
        time_ns=event.time_ns,
        evidence={"before_e8": before_e8, "after_e8": after_e8} | evidence_of(event.data["used"][0], height),
    )
