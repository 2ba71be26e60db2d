"""What properties in the code of one execution have said: which situations were reached, and what was broken.

A broken property is an event of the step in progress, so that reduction, audit, story and replay know it; checkers are
not shown it, as it is none of what the scenario emits. It changes nothing else, and the program goes on. Of one task
and one property only the first is an event, so that a loop that waits is not kept from waiting by what it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from racewindow.checkers import Violation
from racewindow.events import Event
from racewindow.plain import one_line, plain

BROKEN = "racewindow.broken"
"""Kind of the event of a property that does not hold, with `property`, `name`, `place` and `values`."""


class Marks:
    """See the module's docstring. `sometimes`: names of situations, each with whether it was reached.

    `violations`: (name of the property, violation) of each that was broken, in the order of the steps.
    """

    __slots__ = ("_broken", "sometimes", "violations")

    def __init__(self) -> None:
        self.sometimes: dict[str, bool] = {}
        self.violations: list[tuple[str, Violation]] = []
        self._broken: set[tuple[str, str]] = set()

    def met(self, name: str, *, reached: bool) -> None:
        """The code came to a place where `name` could be true."""
        self.sometimes[name] = reached or self.sometimes.get(name, False)

    def is_new(self, task: str, name: str) -> bool:
        """Whether the task has not broken this property before; it has now."""
        key = (task, name)
        if key in self._broken:
            return False
        self._broken.add(key)
        return True


def broken_data(property_: str, name: str, place: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The data of an event of kind `BROKEN`."""
    return {"property": property_, "name": name, "place": place, "values": dict(values)}


def broken_text(event: Event, place: str = "") -> str:
    """An event of kind `BROKEN` in words: `never overdrawn: not so in withdraw (left = -10)`."""
    data = event.data
    values = ", ".join(f"{name} = {one_line(plain(value))}" for name, value in data["values"].items())
    what = "was reached" if data["property"] == "unreachable" else "not so"
    return f"{data['name']}: {what} in {event.task}{place}{f' ({values})' if values else ''}"


def broken_violation(event: Event) -> Violation:
    """The same as a violation of the property that the event names."""
    data = event.data
    text = broken_text(event, f" at {data['place']}" if data["place"] else "")
    return Violation(data["property"], event.task, text, event.time_ns, data["values"])
