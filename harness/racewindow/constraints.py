"""Ordering constraints: one moment of a program before another one, and how people write that down.

A moment is a step of a task, named so that it means the same in every order of events: by the task and by where the
task goes on from, counted. A constraint holds a task back at its second moment until its first one has come, as a wait
written at that place would. It is a wait like any other: if the first moment never comes, whoever waits for it waits
for ever, and the execution ends as a deadlock. (Letting it go as soon as nobody could do the first thing any more would
hide just that: code that waits for a loader that has crashed does not go on.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from racewindow.errors import UsageError

STARTS, ENDS, STEP, AT = "starts", "ends", "step", "at"
_SHAPE = re.compile(
    r"(?P<task>\S.*?)\s+(?:(?P<edge>starts|ends)|step\s+(?P<step>\d+)"
    r"|at\s+(?P<place>\S+:\d+(?:\s+[^,]+?)?)(?:,\s*time\s+(?P<times>\d+))?)"
)
_FORMS = '"TASK starts", "TASK ends", "TASK at FILE:LINE", "TASK at FILE:LINE, time 2" or "TASK step N"'


@dataclass(frozen=True, slots=True)
class Moment:
    """A step of a task.

    `task`: its name or path, or a pattern with `*`. `kind`: `starts` (its first step), `ends` (its last one), `at` (the
    step in which it goes on from `place` for the `count`-th time, from 1) or `step` (its own step number `count`, from
    0). `place`: `file.py:12 qualname`, or without the name, as traces have it.
    """

    task: str
    kind: str
    place: str = ""
    count: int = 0

    @classmethod
    def parse(cls, text: str) -> Moment:
        """Read what `str` wrote, or a person; raises UsageError."""
        found = _SHAPE.fullmatch(text.strip())
        if found is None:
            raise UsageError(f"{text!r} names no step of a task.", why=f"a moment is written as {_FORMS}.")
        if found["edge"]:
            return cls(found["task"], found["edge"])
        if found["step"]:
            return cls(found["task"], STEP, count=int(found["step"]))
        times = int(found["times"] or 1)
        if times < 1:
            raise UsageError(f"{text!r} names no step of a task.", why="times are counted from 1.")
        return cls(found["task"], AT, " ".join(found["place"].split()), times)

    def __str__(self) -> str:
        if self.kind == STEP:
            return f"{self.task} step {self.count}"
        if self.kind == AT:
            return f"{self.task} at {self.place}" + (f", time {self.count}" if self.count > 1 else "")
        return f"{self.task} {self.kind}"

    def is_of(self, display: str, path: str) -> bool:
        """Whether a task of this name and path is meant."""
        known = (display, path, f"{display} [{path}]")
        return self.task in known or fnmatchcase(display, self.task) or fnmatchcase(path, self.task)

    def is_step(self, number: int, place: str, times: int) -> bool:
        """Whether it is the task's own step `number`, that goes on from `place` for the `times`-th time.

        The end of a task cannot be told beforehand.
        """
        if self.kind == AT:
            return times == self.count and self.place in (place, place.partition(" ")[0])
        return number == self.count and self.kind in (STARTS, STEP)


@dataclass(frozen=True, slots=True)
class Before:
    """`first` comes before `then`: the task of `then` waits there until it has."""

    first: Moment
    then: Moment

    def __post_init__(self) -> None:
        if self.then.kind == ENDS:
            raise UsageError(
                f"a constraint cannot make something wait for {str(self.first)!r} before {str(self.then)!r}.",
                why="which step of a task is its last one is known only when it is over.",
                do='name the step by its place: "TASK at FILE:LINE".',
            )
        if self.first == self.then:
            raise UsageError(f"{str(self.first)!r} cannot come before itself.", do="name two different steps.")

    @classmethod
    def parse(cls, text: str) -> Before:
        """Read `FIRST before THEN`; raises UsageError."""
        first, found, then = text.partition(" before ")
        if not found:
            raise UsageError(
                f"{text!r} is no ordering constraint.",
                why="one is written as two moments with the word before between them.",
                do='for example: "loader ends before writer starts".',
            )
        return cls(Moment.parse(first), Moment.parse(then))

    def __str__(self) -> str:
        return f"{self.first} before {self.then}"


def before(first: str | Moment, then: str | Moment) -> Before:
    """The constraint that one moment comes before another one, for `explore(constraints=[...])`.

    A moment is written as `TASK starts`, `TASK ends`, `TASK at FILE:LINE` (goes on from there for the first time; for
    another one: `TASK at FILE:LINE, time 2`) or `TASK step N` (its own step number, from 0). TASK is a name or a path
    as reports show it, or a pattern with `*`: the first of those that match opens, and all that match wait.
    """
    return Before(*(each if isinstance(each, Moment) else Moment.parse(each) for each in (first, then)))


def as_constraints(given: Sequence[Before | str]) -> tuple[Before, ...]:
    """Constraints from values or from texts; raises UsageError."""
    if isinstance(given, (str, Before)):
        given = [given]
    found = tuple(each if isinstance(each, Before) else Before.parse(str(each)) for each in given)
    return tuple(dict.fromkeys(found))
