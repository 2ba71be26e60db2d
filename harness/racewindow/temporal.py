"""Properties over the events of one execution: always, sometimes, eventually, leads to.

Each is a small frozen checker; `racewindow.properties` has the functions that make them. A condition is a pure function
of one `Event`. Virtual time is compared in integer nanoseconds, and every span of time is *closed*: with `within=2`,
an event at exactly two seconds is in time. (Half-open would call a time-out of two seconds, which fires at two seconds,
late.) A judgement does not turn on the order of events of different tasks at one instant, because partial-order
reduction runs only one of the two orders.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from racewindow.checkers import TIME, History, Verdict, Violation
from racewindow.events import Event
from racewindow.plain import clock_text, one_line, plain

Condition = Callable[[Event], object]
_NOTHING: frozenset[str] = frozenset()
_TIMED = frozenset({TIME})


@dataclass(frozen=True, slots=True)
class Always:
    """`condition` holds of every event. Of each task, the first event of which it does not is a violation."""

    condition: Condition
    name: str

    def check(self, history: History) -> Verdict:
        """Judge one execution; it is never unknown, because what did not happen violates nothing."""
        first: dict[str, Event] = {}
        for event in history.events:
            if event.task not in first and not self.condition(event):
                first[event.task] = event
        return Verdict.violated(
            [
                Violation("always", task, f"{self.name}: not so of {told(event)}", event.time_ns, dict(event.data))
                for task, event in first.items()
            ]
        )


@dataclass(frozen=True, slots=True)
class Sometimes:
    """`condition` holds of some event of at least one explored execution.

    One execution cannot violate it, so `check` always holds; an exploration adds up `coverage`.
    """

    condition: Condition
    name: str

    def check(self, history: History) -> Verdict:
        """Nothing that one execution does or leaves undone is wrong; but a condition that crashes is told as such."""
        self.coverage(history)
        return Verdict.holds()

    def coverage(self, history: History) -> Mapping[str, bool]:
        """Whether this execution has reached it, under its name."""
        return {self.name: any(self.condition(event) for event in history.events)}


@dataclass(frozen=True, slots=True)
class Eventually:
    """`condition` holds of some event, at `within_ns` virtual nanoseconds after the start at the latest.

    None: at any time. An execution that ended early is judged only if the time had passed; else it is unknown.
    """

    condition: Condition
    name: str
    within_ns: int | None = None

    @property
    def observes(self) -> frozenset[str]:
        """It looks at the time of events only where there is a limit."""
        return _NOTHING if self.within_ns is None else _TIMED

    def check(self, history: History) -> Verdict:
        """Judge one execution."""
        found = min((event for event in history.events if self.condition(event)), key=_when, default=None)
        if found is not None and (self.within_ns is None or found.time_ns <= self.within_ns):
            return Verdict.holds()
        if found is not None and self.within_ns is not None:
            late = clock_text(found.time_ns - self.within_ns)[2:]
            text = f"{self.name}: came {late} too late, as {told(found)}"
            return Verdict.violated([Violation("late", found.kind, text, found.time_ns)])
        if not history.finished and not _passed(self.within_ns, history):
            return Verdict.unknown(f"the execution ended early, at {clock_text(history.end_ns)}, and could still do so")
        text = f"{self.name}: never, until {_end(self.within_ns, history)}"
        return Verdict.violated([Violation("never", self.name, text, history.end_ns)])


@dataclass(frozen=True, slots=True)
class LeadsTo:
    """Every event that is a `trigger` is followed by a `response`, `within_ns` later at the latest (None: at any time).

    With `by`, trigger and response have to agree in it: `by=lambda event: event.data["id"]`. At one instant, a response
    of another task counts wherever it stands in the list; one of the same task has to come after the trigger.
    """

    trigger: Condition
    response: Condition
    name: str
    within_ns: int | None = None
    by: Callable[[Event], Hashable] | None = None
    observes = _TIMED

    def check(self, history: History) -> Verdict:
        """Judge one execution: violated if any trigger is left without a response, else unknown if any could be."""
        violations: list[Violation] = []
        open_triggers: list[Event] = []
        for at, trigger in enumerate(history.events):
            if not self.trigger(trigger):
                continue
            found = min(self._responses(history, at), key=_when, default=None)
            limit = None if self.within_ns is None else trigger.time_ns + self.within_ns
            if found is not None and (limit is None or found.time_ns <= limit):
                continue
            if found is None and not history.finished and not _passed(limit, history):
                open_triggers.append(trigger)
                continue
            violations.append(self._violation(trigger, found, limit, history))
        if violations or not open_triggers:
            return Verdict.violated(violations)
        first = min(open_triggers, key=_when)
        return Verdict.unknown(f"the execution ended early, and {told(first)} could still be answered")

    def _responses(self, history: History, at: int) -> Iterator[Event]:
        trigger = history.events[at]
        for position, event in enumerate(history.events):
            if position == at or not self.response(event):
                continue
            if event.time_ns < trigger.time_ns or (event.task == trigger.task and position < at):
                continue
            if self.by is None or self.by(event) == self.by(trigger):
                yield event

    def _violation(self, trigger: Event, found: Event | None, limit: int | None, history: History) -> Violation:
        evidence: dict[str, Any] = {"trigger": dict(trigger.data)}
        subject = trigger.task if self.by is None else str(self.by(trigger))
        if found is None:
            text = f"{self.name}: {told(trigger)} has no answer until {_end(limit, history)}"
            return Violation("never", subject, text, min(history.end_ns, limit or history.end_ns), evidence)
        assert limit is not None
        late = clock_text(found.time_ns - limit)[2:]
        text = f"{self.name}: {told(trigger)} was answered {late} too late, by {told(found)}"
        return Violation("late", subject, text, found.time_ns, {**evidence, "response": dict(found.data)})


def told(event: Event) -> str:
    """An event in a sentence: `chain.block height=7 of writer at T+00:30.000`."""
    data = "".join(f" {name}={one_line(plain(value))}" for name, value in event.data.items())
    return f"{event.kind}{data} of {event.task} at {clock_text(event.time_ns)}"


def _when(event: Event) -> tuple[int, str, int]:
    """The earliest first; at one instant in an order that does not depend on who came first."""
    return (event.time_ns, event.task, event.step)


def _passed(limit_ns: int | None, history: History) -> bool:
    """Whether the limit had passed when the execution ended: closed, so an event at the limit could still have come."""
    return limit_ns is not None and history.end_ns > limit_ns


def _end(limit_ns: int | None, history: History) -> str:
    if limit_ns is not None and limit_ns <= history.end_ns:
        return f"{clock_text(limit_ns)}, the last moment"
    return f"the end at {clock_text(history.end_ns)}"
