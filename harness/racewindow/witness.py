"""A recorder that also notes, for a few objects, the line of each access and the value that it saw or left.

For the one replay from which an explanation is told. What a step reads or writes comes to a recorder as a key in a
dictionary; here that dictionary looks up the stack for whose line it was, and at the tracked object for its value.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

from racewindow.footprint import READ_CODE, KeyTable
from racewindow.plain import one_line, plain
from racewindow.runtime.recorder import Recorder
from racewindow.tracked_parts import SHAPE
from racewindow.tracking import Cell, TrackedDict, TrackedList

if TYPE_CHECKING:
    from racewindow.runtime.location import Locator
    from racewindow.runtime.task import SimTask

_FRAMES_MAX = 12
_INNER = re.compile(r"\.<\w+>")
"""A comprehension is a function of its own on older Pythons only."""
NOTHING = "nothing"
"""What a place holds that has no value."""


class Sighting(NamedTuple):
    """One access. `at`: index of the step in the trace. `value`: as text, None where none is known."""

    at: int
    task: str
    number: int
    key: str
    reads: bool
    location: str
    value: str | None


class Witness(Recorder):
    """See the module's docstring. `sightings`: of the watched keys, in order."""

    __slots__ = ("_watched", "sightings")

    def __init__(self, table: KeyTable, locator: Locator, keys: Iterable[str]) -> None:
        super().__init__(table, locator)
        self._watched = {table.number(key) for key in keys}
        self.sightings: list[Sighting] = []

    def _ask_again(self, task: SimTask) -> None:
        self.footprint = _Noting(self)  # the cancel scopes that are in it already come again, at the end
        super()._read_scopes(task)
        super()._ask_again(task)

    def note(self, code: int, given: Any) -> None:
        """The step in progress makes an access."""
        number, mode = divmod(code, 3)
        if self.current is None or number not in self._watched:
            return
        reads = mode == READ_CODE
        own = inspect.currentframe()
        caller = None if own is None or own.f_back is None else own.f_back.f_back  # of the dictionary
        location, value = _who(caller, self.locator, reads=reads)
        if type(given) is tuple and len(given) == 1:
            value = _text(given[0])
        self.sightings.append(
            Sighting(len(self.raw), self.current.path, self.number, self.table.access(code).key, reads, location, value)
        )


class _Noting(dict[int, Any]):
    """A footprint that tells the witness."""

    def __init__(self, witness: Witness) -> None:
        super().__init__()
        self._witness = witness

    def __setitem__(self, code: int, value: Any) -> None:
        self._witness.note(code, value)
        super().__setitem__(code, value)

    def setdefault(self, code: int, default: Any = None) -> Any:
        """As of a dictionary."""
        self._witness.note(code, default)
        return super().setdefault(code, default)


def _who(frame: FrameType | None, locator: Locator, *, reads: bool) -> tuple[str, str | None]:
    """(the user's line that makes an access, the value that it gets or leaves)."""
    value: str | None = None
    for _ in range(_FRAMES_MAX):
        if frame is None:
            break
        text = locator.text(frame.f_code, frame.f_lineno)
        if text is not None:
            return _INNER.sub("", text), value
        if value is None:
            value = _value_read(frame) if reads else _value_written(frame)
        frame = frame.f_back
    return "", value


def _value_read(frame: FrameType) -> str | None:
    """The value that a method of a tracked object is about to return."""
    names = frame.f_locals
    thing = names.get("self")
    if isinstance(thing, Cell):
        return _text(thing._value)  # noqa: SLF001  # what it holds is what a witness is here to see
    if isinstance(thing, TrackedDict | TrackedList) and names.get("part", SHAPE) is not SHAPE:
        try:
            return _text(thing._data[names["part"]])  # noqa: SLF001  # likewise
        except LookupError:
            return NOTHING
    if "keyed" in names and "name" in names:  # an attribute of a tracked class
        try:
            return _text(object.__getattribute__(thing, names["name"]))
        except AttributeError:
            return NOTHING
    return None


def _value_written(frame: FrameType) -> str | None:
    """The value that one is about to keep; a cell's is told by itself."""
    if frame.f_code.co_name in ("__setitem__", "__setattr__"):
        return _text(frame.f_locals["value"])
    return NOTHING if frame.f_code.co_name in ("__delitem__", "__delattr__") else None


def _text(value: object) -> str:
    simple = plain(value)
    return simple if isinstance(simple, str) else one_line(simple)
