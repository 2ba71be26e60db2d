"""The story of a small scenario: one line for each kind of event that is worth telling, filled in from its data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from racewindow import Event


def told(lines: Mapping[str, str]) -> Callable[[Event], str | None]:
    """A narrator: kind of event -> the line about it, with `{name}` for what the event says; others are passed over."""

    def narrate(event: Event) -> str | None:
        line = lines.get(event.kind)
        return None if line is None else line.format(**event.data)

    return narrate


def listed(words: Iterable[object]) -> str:
    """Words as people list them: `a`, `a and b`, `a, b and c`; `nothing` if there are none."""
    *head, last = [str(word) for word in words] or ["nothing"]
    return f"{', '.join(head)} and {last}" if head else last
