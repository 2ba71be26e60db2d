"""Where the steps of a trace begin, by name: what an ordering constraint may name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from racewindow.constraints import AT, ENDS, STARTS, STEP, Moment
from racewindow.trace import Trace


class Stop(NamedTuple):
    """Where a step begins: its task, its own number, the place that the task goes on from and how often it has.

    `ordinal`: the number that a constraint gives it, for which a step in which the task was held back does not count.
    """

    task: str
    name: str
    number: int
    place: str
    times: int
    last: bool
    """Whether the task ends with it."""
    ordinal: int

    def is_at(self, moment: Moment) -> bool:
        """Whether a moment means this step."""
        if not moment.is_of(self.name, self.task):
            return False
        return self.last if moment.kind == ENDS else moment.is_step(self.ordinal, self.place, self.times)

    @property
    def moment(self) -> Moment:
        """The step by name."""
        if self.ordinal == 0:
            return Moment(self.name, STARTS)
        return (
            Moment(self.name, AT, self.place, self.times) if self.place else Moment(self.name, STEP, "", self.ordinal)
        )


def stops_of(trace: Trace, held: Collection[tuple[str, int]] = ()) -> list[Stop]:
    """Where each step of a trace begins, in the same order.

    `held`: steps in which a task found itself held back by a constraint; it begins its next one at the same moment.
    """
    place_of: dict[str, str] = {}
    times = Counter[tuple[str, str]]()
    counts = Counter[str]()
    stops = []
    for step in trace.steps:
        place, count = place_of.get(step.task, ""), counts[step.task]
        stops.append(
            Stop(step.task, step.name, step.number, place, times[step.task, place] + 1, step.location == "end", count)
        )
        if (step.task, step.number) not in held:
            times[step.task, place] += 1
            counts[step.task] += 1
        place_of[step.task] = step.location
    return stops
