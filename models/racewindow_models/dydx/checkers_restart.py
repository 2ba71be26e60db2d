"""Checkers of a restart: prices of what age are used, who is liquidated by them, and whether trading comes back.

They go by the time that a price is really of, which the chain does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from racewindow import Event, History, Verdict, Violation, checker
from racewindow_models.dydx.consumers import is_solvent
from racewindow_models.dydx.positions import text_dollars
from racewindow_models.units import SECOND_NS, text_duration


def _uses(history: History, *kinds: str) -> Iterator[Event]:
    return (event for event in history.events if event.kind in kinds)


def _age_ns(event: Event) -> int:
    return event.time_ns - int(event.data["price"].true_ts_ns)


def _is_old(event: Event, history: History) -> bool:
    return _age_ns(event) > int(history.params["max_age_seconds"]) * SECOND_NS


def _by(event: Event) -> str:
    price_e8, true_e8 = event.data["price"].price_e8, event.data["true_price_e8"]
    age = text_duration(_age_ns(event))
    return f"a price of {text_dollars(price_e8)} that is {age} old (true is {text_dollars(true_e8)})"


def _evidence(event: Event) -> dict[str, Any]:
    price = event.data["price"]
    return {
        "price_e8": price.price_e8,
        "true_price_e8": event.data["true_price_e8"],
        "source_ts_ns": price.true_ts_ns,
        "source_ts_on_chain_ns": price.source_ts_ns,
    }


@checker("no_unknown_age")
def no_unknown_age(history: History) -> Verdict:
    """No order is filled and no account liquidated by a price that is older than `max_age`."""
    found = [
        Violation(
            class_="stale",
            subject=event.data["order"] if event.kind == "order.filled" else event.data["account"].owner,
            message=f"{_what(event)} by {_by(event)}",
            time_ns=event.time_ns,
            evidence=_evidence(event),
        )
        for event in _uses(history, "order.filled", "account.liquidated")
        if _is_old(event, history)
    ]
    return Verdict.violated(found)


def _what(event: Event) -> str:
    return (
        f"{event.data['order']} is filled"
        if event.kind == "order.filled"
        else f"{event.data['account'].owner} is liquidated"
    )


@checker("liquidation_last")
def liquidation_last(history: History) -> Verdict:
    """Nobody is liquidated before the price is fresh again, nor in the grace period, where there is one."""
    on = "liquidation_grace" in history.safeguards
    grace_ns = history.params["grace_seconds"] * SECOND_NS if on else 0
    resumed = next(_uses(history, "chain.resumed"), None)
    found = []
    for event in _uses(history, "account.liquidated"):
        too_early = resumed is not None and event.time_ns < resumed.data["at_ns"] + grace_ns
        if too_early or _is_old(event, history):
            why = "in the grace period" if too_early else "before the price is fresh again"
            owner = event.data["account"].owner
            message = f"{owner} is liquidated {why}, by {_by(event)}"
            found.append(Violation("early", owner, message, event.time_ns, _evidence(event)))
    return Verdict.violated(found)


@checker("no_false_liquidation")
def no_false_liquidation(history: History) -> Verdict:
    """No account that is solvent at the true price is liquidated."""
    found = []
    for event in _uses(history, "account.liquidated"):
        account, true_e8 = event.data["account"], event.data["true_price_e8"]
        if is_solvent(account, true_e8):
            message = (
                f"{account.owner} is worth {text_dollars(account.worth_e8(true_e8))}, but is liquidated by {_by(event)}"
            )
            class_ = "stale" if _is_old(event, history) else "corrupt"
            found.append(Violation(class_, account.owner, message, event.time_ns, _evidence(event)))
    return Verdict.violated(found)


@checker("eventually_reopens")
def eventually_reopens(history: History) -> Verdict:
    """Some order is filled before the execution ends: bounded liveness.

    An engine that is open and refuses every price has not reopened.
    """
    if any(_uses(history, "order.filled")):
        return Verdict.holds()
    if not history.finished:
        return Verdict.unknown("the execution ended before trading could be back")
    refused = [event.data["reason"] for event in _uses(history, "guard.refused")]
    why = f"; the last refusal: {refused[-1]}" if refused else ""
    return Verdict.violated([Violation("never", "engine", f"no order is ever filled{why}", history.end_ns)])
