"""From events to the steps that they happened in, and a story for a program that emits none."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Protocol

from racewindow.checkers import Checker, History, judge
from racewindow.events import Event
from racewindow.failure import Execution
from racewindow.plain import clock_text
from racewindow.settings import Settings
from racewindow.trace import Trace

Identity = tuple[str, str | None, str | None, str | None]
_EVENTS_MAX = 500
"""Events up to which the checker is asked after each of them; of more, at those that halve what is left."""
_LINES_MAX = 10
_VALUE_MAX = 40


class Seen(Protocol):
    """An access, as `racewindow.witness.Sighting`."""

    @property
    def at(self) -> int:
        """Of its step in the trace."""

    @property
    def task(self) -> str:
        """Path of its task."""

    @property
    def key(self) -> str:
        """The object."""

    @property
    def reads(self) -> bool:
        """Whether it only looks."""

    @property
    def location(self) -> str:
        """The line."""

    @property
    def value(self) -> str | None:
        """What was read or written, if it is known."""


def first_violation(
    checker: Checker,
    identity: Identity,
    events: Sequence[Event],
    settings: Settings,
) -> int | None:
    """How many of the events it takes for the checker to find that failure; None if it takes the end as well.

    What it finds for a while and then no more, such as one of two writes that belong together, is no failure.
    """

    def finds(count: int) -> bool:
        history = History(
            events=events[:count],
            params=settings.params,
            safeguards=frozenset(settings.safeguards),
            feed=settings.feed,
            end_ns=events[count - 1].time_ns,
            finished=False,
        )
        return any(
            (each.class_, each.subject) == identity[2:] for each in judge([checker], history)[checker.name].violations
        )

    if not events or not finds(len(events)):
        return None
    if len(events) <= _EVENTS_MAX:
        return next((count + 1 for count in range(len(events) - 1, 0, -1) if not finds(count)), 1)
    return bisect_left(range(1, len(events)), True, key=finds) + 1  # noqa: FBT003  # as if it stayed violated


def violating_step(settings: Settings, identity: Identity, execution: Execution) -> int | None:
    """Index of the step after which the checker of a failure has all that it needs; None if that cannot be told."""
    checker = next((each for each in settings.scenario.checks if each.name == identity[1]), None)
    if checker is None or not execution.events:
        return None
    count = first_violation(checker, identity, execution.events, settings)
    return None if count is None else step_of_event(execution.trace, execution.events, count - 1)


def step_of_event(trace: Trace, events: Sequence[Event], at: int) -> int | None:
    """Index of the step in which an event happened; tasks may share a name, but steps have an order."""
    index = 0
    for event in events[: at + 1]:
        while index < len(trace.steps):
            step = trace.steps[index]
            if step.number == event.step and step.name.partition(" [")[0] == event.task:
                break
            index += 1
    return index if index < len(trace.steps) else None


def story_from_sightings(seen: Sequence[Seen], names: Mapping[str, str], trace: Trace) -> tuple[str, ...]:
    """One line for each access: who read or wrote what, and where."""
    lines = list(
        dict.fromkeys(
            f"{clock_text(trace.steps[each.at].time_ns)}  {names[each.task]} "
            f"{'reads' if each.reads else 'writes'} {each.key}{_valued(each.value)} ({each.location.partition(' ')[0]})"
            for each in seen
        )
    )
    return tuple(lines[-_LINES_MAX:])


def _valued(value: str | None) -> str:
    if value is None:
        return ""
    return f": {value if len(value) <= _VALUE_MAX else value[: _VALUE_MAX - 1] + '…'}"
