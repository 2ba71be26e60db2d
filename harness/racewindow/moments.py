"""Where the steps of a trace begin, by name: what an ordering constraint may name."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from racewindow.constraints import AT, ENDS, STARTS, STEP, Moment
from racewindow.trace import Trace


class Stop(NamedTuple):
    """Where a step begins: its task, its own number, the place that the task goes on from and how often it has."""

    task: str
    name: str
    number: int
    place: str
    times: int
    last: bool
    """Whether the task ends with it."""

    def is_at(self, moment: Moment) -> bool:
        """Whether a moment means this step."""
        if not moment.is_of(self.name, self.task):
            return False
        return self.last if moment.kind == ENDS else moment.is_step(self.number, self.place, self.times)

    @property
    def moment(self) -> Moment:
        """The step by name."""
        if self.number == 0:
            return Moment(self.name, STARTS)
        return Moment(self.name, AT, self.place, self.times) if self.place else Moment(self.name, STEP, "", self.number)


def stops_of(trace: Trace) -> list[Stop]:
    """Where each step of a trace begins, in the same order."""
    place_of: dict[str, str] = {}
    times = Counter[tuple[str, str]]()
    stops = []
    for step in trace.steps:
        place = place_of.get(step.task, "")
        times[step.task, place] += 1
        stops.append(
            Stop(step.task, step.name, step.number, place, times[step.task, place], last=step.location == "end")
        )
        place_of[step.task] = step.location
    return stops
