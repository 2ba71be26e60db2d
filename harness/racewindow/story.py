"""The story of an execution: its events as a few lines of virtual time that a person can follow.

A story is cut around what went wrong: the lines nearest to a violation stay, and each gap says how many it left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from racewindow.events import Event
from racewindow.marks import BROKEN, broken_text
from racewindow.plain import clock_text, one_line, plain

LINES_MAX = 14
"""How many lines a story has at most, those that count what was left out included."""


def story_of(
    events: Sequence[Event],
    narrate: Callable[[Event], str | None] | None = None,
    highlight: Collection[int] = (),
    lines_max: int = LINES_MAX,
) -> tuple[str, ...]:
    """The lines `T+00:30.000  what happened` of the events that matter, in the order in which they happened.

    `narrate` turns an event into its whole sentence, or None for one that is not worth a line; without it every event
    is told by its task, kind and data. `highlight`: the virtual times, in nanoseconds, at which something was violated.
    Properties that are broken are part of a story, but no story by themselves: they are what is reported anyway.
    """
    if all(event.kind == BROKEN for event in events):
        return ()
    told = [(event, text) for event in events if (text := sentence(event, narrate))]
    kept = _nearest([event.time_ns for event, _ in told], highlight, lines_max)
    lines: list[str] = []
    before = -1
    for index in kept:
        lines += _gap(index - before - 1)
        event, text = told[index]
        lines.append(f"{clock_text(event.time_ns)}  {text}")
        before = index
    return (*lines, *_gap(len(told) - before - 1))


def sentence(event: Event, narrate: Callable[[Event], str | None] | None) -> str | None:
    """An event as a line of a story has it, without its time; None if it is not worth a line."""
    if event.kind == BROKEN:
        return broken_text(event)
    if narrate is not None:
        try:
            text = narrate(event)
        except Exception:  # noqa: BLE001  # a narrator that crashes must not hide the failure; the event tells itself
            text = _told_by_itself(event)
        return None if text is None else " ".join(text.split())
    return _told_by_itself(event)


def _told_by_itself(event: Event) -> str:
    data = " ".join(f"{name}={_value(value)}" for name, value in event.data.items())
    return f"{event.task}: {event.kind} {data}".rstrip()


def _value(value: object) -> str:
    simple = plain(value)
    return simple if isinstance(simple, str) else one_line(simple)


def _nearest(times_ns: Sequence[int], highlight: Collection[int], lines_max: int) -> list[int]:
    """Which of the lines to keep, so that with a line for each gap there are at most `lines_max`.

    Those nearest to a violation stay, the ones before it rather than those after it; without any violation, the last.
    """
    if len(times_ns) <= lines_max:
        return list(range(len(times_ns)))
    centres = [index for index, time_ns in enumerate(times_ns) if time_ns in highlight] or [len(times_ns) - 1]

    def distance(index: int) -> tuple[float, int]:
        # A line after the violation counts as twice as far: what led to it is what a reader looks for.
        return min(centre - index if index <= centre else (index - centre) * 2 for centre in centres), index

    ranked = sorted(range(len(times_ns)), key=distance)
    for count in range(lines_max, 0, -1):
        kept = sorted(ranked[:count])
        gaps = sum(b - a > 1 for a, b in zip([-1, *kept], [*kept, len(times_ns)], strict=True))
        if count + gaps <= lines_max:
            return kept
    return []


def _gap(count: int) -> list[str]:
    if count == 0:
        return []
    return [f"{' ' * 13}… {count} more {'event' if count == 1 else 'events'} …"]
