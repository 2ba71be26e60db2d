"""Histories by hand, and the orders in which their events could as well have stood."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from racewindow import Event, History

NS = 1_000_000_000


def event(kind: str, *, at: float = 0, task: str = "writer", step: int = 0, **data: object) -> Event:
    """Made up; `at` in seconds."""
    return Event(round(at * NS), task, step, kind, data)


def history(*events: Event, end: float | None = None, finished: bool = True) -> History:
    """An execution that ended at `end` seconds, with its last event unless said otherwise."""
    last = max((each.time_ns for each in events), default=0)
    return History(events, end_ns=last if end is None else round(end * NS), finished=finished)


def interleaved(events: Sequence[Event], random: Random) -> list[Event]:
    """The same events in another order: time and the order within each task are kept, all else is as it falls."""
    queues = [[each for each in events if each.task == task] for task in dict.fromkeys(each.task for each in events)]
    order: list[Event] = []
    while queues := [queue for queue in queues if queue]:
        soonest = min(queue[0].time_ns for queue in queues)
        order.append(random.choice([queue for queue in queues if queue[0].time_ns == soonest]).pop(0))
    return order
