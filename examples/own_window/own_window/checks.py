"""What has to be true, whatever the order of events."""

from __future__ import annotations

from collections import Counter

from racewindow import History, Verdict, Violation, checker


@checker("charged_once")
def charged_once(history: History) -> Verdict:
    """No card is charged twice for one order."""
    charged = Counter(event.data["order"] for event in history.events if event.kind == "card.charged")
    twice = [order for order, times in charged.items() if times > 1]
    return Verdict.violated([Violation("twice", order, f"{order} is charged twice") for order in twice])


@checker("all_charged")
def all_charged(history: History) -> Verdict:
    """When the window is over, every order has been charged."""
    if not history.finished:
        return Verdict.unknown("the execution ended before the window did")
    charged = {event.data["order"] for event in history.events if event.kind == "card.charged"}
    wanted = {order for event in history.events if event.kind == "window.begins" for order in event.data["orders"]}
    lost = sorted(wanted - charged)
    return Verdict.violated([Violation("lost", order, f"{order} is never charged") for order in lost])
