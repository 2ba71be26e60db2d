"""What the checkers of the small scenarios have in common: each event of a kind is judged by what it says itself.

An event says what the step that emitted it has read and written. So nothing depends on where events of independent
steps stand in the history.
"""

from __future__ import annotations

from collections.abc import Callable

from racewindow import Event, History, Verdict, Violation


def judged(history: History, kind: str, judge: Callable[[Event], Violation | None], *needs: str) -> Verdict:
    """The verdict on all events of a kind: the earliest violation of each class and subject.

    Unknown if an event lacks one of the data that `needs` names, unless others are violations in themselves.
    """
    first: dict[tuple[str | None, str], Violation] = {}
    missing: set[str] = set()
    for event in history.events:
        if event.kind != kind:
            continue
        lacking = {name for name in needs if name not in event.data}
        missing |= lacking
        violation = None if lacking else judge(event)
        if violation is None:
            continue
        key = violation.class_, violation.subject
        if key not in first or _rank(violation) < _rank(first[key]):
            first[key] = violation
    if missing and not first:
        return Verdict.unknown(f"an event {kind} does not say: {', '.join(sorted(missing))}")
    return Verdict.violated([first[key] for key in sorted(first, key=str)])


def _rank(violation: Violation) -> tuple[int, str]:
    return violation.time_ns, violation.message
