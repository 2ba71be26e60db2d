"""Checkers of what customers suffer, and of repairs that make it worse.

| event | says |
|---|---|
| `order.executed` | `order`, `server`, its `quantity`, what has been `sent` of it to the market so far (shares) |
| `repair.done` | `by`, `what`, who was broken `before` and `after` it |
| `customers.counted` | `turned_away` and `bound` (customers) |
"""

from __future__ import annotations

from racewindow import Event, History, Verdict, Violation, checker
from racewindow_models.findings import ValueClass
from racewindow_models.judging import judged
from racewindow_models.telling import listed
from racewindow_models.units import text_seconds


@checker("no_overexecution")
def no_overexecution(history: History) -> Verdict:
    """No order is executed for more than its quantity."""
    return judged(history, "order.executed", _too_much, "order", "server", "quantity", "sent")


def _too_much(event: Event) -> Violation | None:
    data = event.data
    if data["sent"] <= data["quantity"]:
        return None
    return Violation(
        class_=ValueClass.CORRUPT.value,
        subject=data["order"],
        message=(
            f"{data['server']} has sent {data['sent']} shares of {data['order']} to the market by "
            f"{text_seconds(event.time_ns)}; it is an order for {data['quantity']}"
        ),
        time_ns=event.time_ns,
        evidence={name: data[name] for name in ("server", "quantity", "sent")},
    )


@checker("repair_no_worse")
def repair_no_worse(history: History) -> Verdict:
    """What is done against a failure breaks nobody who was well before."""
    return judged(history, "repair.done", _worse, "by", "what", "before", "after")


def _worse(event: Event) -> Violation | None:
    data = event.data
    broken = [each for each in data["after"] if each not in data["before"]]
    if not broken:
        return None
    return Violation(
        class_=ValueClass.REGRESSED.value,
        subject=data["by"],
        message=f"{data['by']} {data['what']} at {text_seconds(event.time_ns)}, which breaks {listed(broken)} as well",
        time_ns=event.time_ns,
        evidence={"before": list(data["before"]), "after": list(data["after"])},
    )


@checker("few_turned_away")
def few_turned_away(history: History) -> Verdict:
    """No more customers are turned away than the bound that was agreed on."""
    return judged(history, "customers.counted", _too_many, "turned_away", "bound")


def _too_many(event: Event) -> Violation | None:
    data = event.data
    if data["turned_away"] <= data["bound"]:
        return None
    return Violation(
        class_=ValueClass.DEFAULT.value,
        subject="customers",
        message=(
            f"{data['turned_away']} customers have been turned away by {text_seconds(event.time_ns)}, "
            f"{data['bound']} would be within the bound"
        ),
        time_ns=event.time_ns,
        evidence={name: data[name] for name in ("turned_away", "bound")},
    )
