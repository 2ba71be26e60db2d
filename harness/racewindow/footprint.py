"""Footprints: what each step reads and writes, as small integers, and the one dependence relation.

A key is the stable name of an object (`balance`, `main/0:Lock#1`). Within one exploration each key has a small number;
an access is `number * 3 + mode`. Mode `add` commutes with itself and conflicts with the other two: counters, insertion
into a set, a child that leaves its nursery.
"""

from __future__ import annotations

from collections.abc import Iterable

from racewindow.trace import ADD, READ, WRITE, Access

READ_CODE, WRITE_CODE, ADD_CODE = 0, 1, 2
_MODES = (READ, WRITE, ADD)


class KeyTable:
    """Numbers for names; one per exploration, so that footprints of different executions can be compared."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []

    def number(self, name: str) -> int:
        """The number of a key, a new one if the name is new."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._names)
            self._names.append(name)
        return number

    def access(self, code: int) -> Access:
        """An access code in words."""
        return Access(self._names[code // 3], _MODES[code % 3])

    def accesses(self, codes: Iterable[int]) -> tuple[Access, ...]:
        """A footprint in words, in the order of first access."""
        return tuple(self.access(code) for code in codes)


def modes_conflict(one: int, two: int) -> bool:
    """Whether two accesses to the same key depend on each other, by mode."""
    return not (one == two and one != WRITE_CODE)


def dependent(one: Iterable[int], two: Iterable[int]) -> bool:
    """Whether two footprints conflict: the same key, and not both reads or both adds. Symmetric."""
    modes: dict[int, int] = {}
    for code in one:
        modes[code // 3] = modes.get(code // 3, 0) | 1 << code % 3
    for code in two:
        seen = modes.get(code // 3, 0)
        if seen & ~(0 if code % 3 == WRITE_CODE else 1 << code % 3):
            return True
    return False
