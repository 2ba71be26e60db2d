"""The parts of tracked containers: one key for each part, and one for the shape, which parts there are."""

from __future__ import annotations

import inspect
from typing import Any

from racewindow.errors import UsageError
from racewindow.footprint import WRITE_CODE
from racewindow.plain import one_line, plain
from racewindow.runtime.access import Owner, owner

_HERE = (__file__, __file__.replace("tracked_parts", "tracking"))


def owner_of(what: str) -> Owner:
    """What a tracked object that is being made belongs to; raises UsageError outside an execution."""
    found = owner()
    if found is None:
        caller = inspect.currentframe()
        while caller is not None and caller.f_code.co_filename in _HERE:
            caller = caller.f_back
        assert caller is not None
        raise UsageError(
            f"{what} was made outside an execution, at {caller.f_code.co_filename}:{caller.f_lineno}.",
            why="it would be shared by all executions, and each would start from what the last one left.",
            do="make it inside the scenario function, or in a function called from there.",
        )
    return found


class Keyed:
    """Footprints per part of a container: one key number for each part, and one for its shape."""

    __slots__ = ("_name", "_numbers", "_owner", "quiet")
    _settable = True
    """Whether a part gets its value from whoever writes it; one of a list may get that of its neighbour."""

    def __init__(self, name: str | None, kind: str, thing: object = None) -> None:
        self._owner = owner_of(f"a {kind}")
        self._numbers: dict[Any, int] = {}
        self.quiet = False  # while it is being made
        made = self if thing is None else thing
        self._name = self._owner.name_of_new(name, kind, made) if self._owner.naming else ""

    def touch(self, part: object, code: int) -> None:
        """The step in progress accesses one part."""
        if self._owner.recording and not self.quiet:
            number = self._numbers.get(part)
            if number is None:
                table = self._owner.recorder.table
                number = self._numbers[part] = table.number(f"{self._name}{self._word(part)}")
                if part is not SHAPE and self._settable:
                    table.blind.add(number)
            self._owner.recorder.footprint[number * 3 + code] = None

    def wrote(self, part: object) -> None:
        """The step in progress changes one part."""
        self._owner.version += 1
        self.touch(part, WRITE_CODE)

    def removed(self, part: object) -> None:
        """The step in progress removes one part, so that from now on it can be missing though it was written."""
        if self._owner.recording:
            self._owner.recorder.table.blind.discard(self._numbers.get(part))

    def _word(self, part: object) -> str:
        """How a part is written in a key: the same in every process, whatever the `repr` of the user's own types."""
        return f"[{part!r}]" if type(part) in _SIMPLE else f"[{one_line(plain(part))}]"


class _Shape:
    """The part that stands for which keys or how many items there are."""

    def __repr__(self) -> str:
        return "*"


SHAPE = _Shape()
_SIMPLE = frozenset({str, int, bool, bytes, type(None), _Shape})


class Attributes(Keyed):
    """The parts of an instance of a tracked class. A copy of the instance shares them, which merges their keys."""

    __slots__ = ()

    def __deepcopy__(self, _memo: dict[int, Any]) -> Attributes:
        return self

    def _word(self, part: object) -> str:
        return f".{part}"
