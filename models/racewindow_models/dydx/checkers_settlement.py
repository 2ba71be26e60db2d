"""Checkers of the settlement: no pool below zero, money where it is owed, and a failsafe only when it is missing."""

from __future__ import annotations

from collections.abc import Iterator

from racewindow import Event, History, Verdict, Violation, checker
from racewindow_models.dydx.bank import FUND, ISOLATED
from racewindow_models.dydx.positions import text_dollars

MARKET = "isolated market"


def _events(history: History, kind: str) -> Iterator[Event]:
    return (event for event in history.events if event.kind == kind)


@checker("pool_not_negative")
def pool_not_negative(history: History) -> Verdict:
    """No step asks a pool or fund for more than it holds at that moment.

    The bank refuses such a transfer; that it was asked for is what is wrong.
    """
    return Verdict.violated(
        [_overdrawn(each) for each in _events(history, "bank.transfer") if each.data["after_e8"] < 0]
    )


def _overdrawn(event: Event) -> Violation:
    data = event.data
    return Violation(
        class_="negative",
        subject=data["source"],
        message=(
            f"the {data['source']} holds {text_dollars(data['before_e8'])} and is asked for "
            f"{text_dollars(data['amount_e8'])}, which would leave {text_dollars(data['after_e8'])}"
        ),
        time_ns=event.time_ns,
        evidence={name: data[name] for name in ("before_e8", "amount_e8", "after_e8")},
    )


@checker("settlement_completes")
def settlement_completes(history: History) -> Verdict:
    """What has been matched is settled: the insurance payment and the update of the subaccounts both happen.

    A liveness property, bounded by the execution: the matcher has seen to it that the fund is sufficient.
    """
    match = next(_events(history, "liquidation.matched"), None)
    if match is None:
        return (
            Verdict.holds() if history.finished else Verdict.unknown("the execution ended before anything was matched")
        )
    missing_e8 = match.data["match"].shortfall_e8
    is_updated = any(_events(history, "subaccounts.updated"))
    is_paid = missing_e8 == 0 or any(
        event.data["accepted"] and event.data["source"] == FUND for event in _events(history, "bank.transfer")
    )
    if is_updated and is_paid:
        return Verdict.holds()
    halted = any(_events(history, "chain.halted"))
    if not history.finished and not halted:
        return Verdict.unknown("the execution ended before the settlement could")
    undone = []
    if not is_updated:
        undone.append("the subaccounts are never updated")
    if not is_paid:
        undone.append(f"the {text_dollars(missing_e8)} of the insurance fund are never paid")
    return Verdict.violated(
        [
            Violation(
                class_="never",
                subject=MARKET,
                message=f"{' and '.join(undone)}, though the fund holds {text_dollars(match.data['fund_e8'])}",
                time_ns=match.time_ns,
                evidence={"shortfall_e8": missing_e8, "fund_e8": match.data["fund_e8"], "halted": halted},
            )
        ]
    )


@checker("failsafe_only_if_needed")
def failsafe_only_if_needed(history: History) -> Verdict:
    """The failsafe halts the chain only if pool and fund together do not hold what is owed."""
    return Verdict.violated([_needless(each) for each in _events(history, "chain.halted") if _is_needless(each)])


def _is_needless(event: Event) -> bool:
    balances_e8 = event.data["balances_e8"]
    return bool(balances_e8[ISOLATED] + balances_e8[FUND] >= event.data["owed_e8"])


def _needless(event: Event) -> Violation:
    balances_e8, owed_e8 = event.data["balances_e8"], event.data["owed_e8"]
    return Violation(
        class_="needless",
        subject="chain",
        message=(
            f"the chain halts because the {ISOLATED} holds {text_dollars(balances_e8[ISOLATED])} of "
            f"{text_dollars(owed_e8)}, though the {FUND} holds {text_dollars(balances_e8[FUND])}"
        ),
        time_ns=event.time_ns,
        evidence={"owed_e8": owed_e8, "balances_e8": balances_e8},
    )


@checker("conservation")
def conservation(history: History) -> Verdict:
    """The sum of both pools and the fund is constant. It says nothing about whether money is where it is owed."""
    opened = next(_events(history, "bank.opened"), None)
    if opened is None:
        return Verdict.unknown("nothing says what the pools and the fund held at first")
    before_e8 = sum(opened.data["balances_e8"].values())
    found = []
    for event in _events(history, "bank.transfer"):
        after_e8 = sum(event.data["balances_e8"].values())
        if after_e8 != before_e8:
            message = f"all balances together go from {text_dollars(before_e8)} to {text_dollars(after_e8)}"
            evidence = {"before_e8": before_e8, "after_e8": after_e8}
            found.append(Violation("corrupt", MARKET, message, event.time_ns, evidence))
    return Verdict.violated(found[:1])
