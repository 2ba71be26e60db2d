"""Footprints: what each step reads and writes, as small integers, and the one dependence relation.

A key is the stable name of an object (`balance`, `main/0:Lock#1`). Within one exploration each key has a small number;
an access is `number * 3 + mode`. Mode `add` commutes with itself and conflicts with the other two: counters, insertion
into a set, a child that leaves its nursery.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from racewindow.trace import ADD, READ, WRITE, Access

READ_CODE, WRITE_CODE, ADD_CODE = 0, 1, 2
READS, WRITES, ADDS = 1, 2, 4
"""The modes as bits, where a step accesses a key in several."""
Item = tuple[int, int]
"""A key number, and the modes in which a step accesses it."""
_DECODED_MAX = 20_000
_MODES = (READ, WRITE, ADD)


class KeyTable:
    """Numbers for names; one per exploration, so that footprints of different executions can be compared.

    `scopes`: which of them are cancel scopes, as bits; `scopes_change`: one has been written in some execution.
    `blind`: those that are set without being looked at; of them `sure`: those that are set in the same way whatever is
    there, as a cell is, and a key of a dictionary is not. `shared`: those that stand for several cells, which were
    given one name. By access codes, `decoded`: a footprint as bit sets; the keys that are not only read, with modes;
    those that are; the latter, and all codes, without the cancel scopes only read; and the codes of what is written.
    `changing`: the keys, but for those that no footprint asked for so far has changed: first not only added to, then
    only added to; and again those that it writes, and those that it adds to and does not write.
    """

    def __init__(self) -> None:
        self.scopes = 0
        self.scopes_change = False
        self.blind: set[int] = set()
        self.sure: set[int] = set()
        self.shared: set[int] = set()
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []
        self._renamed: dict[tuple[int, str], int] = {}
        self.decoded = _Decodings(self)
        self.changing = _Changing(self)

    def number(self, name: str) -> int:
        """The number of a key, a new one if the name is new."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._names)
            self._names.append(name)
        return number

    def __len__(self) -> int:
        return len(self._names)

    def knows(self, name: str) -> bool:
        """Whether a key of this name has been touched."""
        return name in self._numbers

    def renamed(self, number: int, kind: str) -> int:
        """The number of the key that is called alike, but for the kind of thing that it is."""
        found = self._renamed.get((number, kind))
        if found is None:
            path, _, rest = self._names[number].rpartition(":")
            found = self._renamed[number, kind] = self.number(f"{path}:{kind}#{rest.rpartition('#')[2]}")
        return found

    def access(self, code: int) -> Access:
        """An access code in words."""
        return Access(self._names[code // 3], _MODES[code % 3])

    def accesses(self, codes: Iterable[int]) -> tuple[Access, ...]:
        """A footprint in words, in the order of first access."""
        return tuple(self.access(code) for code in codes)


class _Decodings(dict[tuple[int, ...], "_Decoded"]):
    def __init__(self, table: KeyTable) -> None:
        self._table = table

    def __missing__(self, codes: tuple[int, ...]) -> _Decoded:
        if len(self) >= _DECODED_MAX:
            self.clear()
        scopes = self._table.scopes
        modes: dict[int, int] = {}
        for code in codes:
            modes[code // 3] = modes.get(code // 3, 0) | 1 << code % 3
        items = tuple(sorted(modes.items(), key=_by_mode))
        looks = tuple(number for number, mode in items if mode == READS)
        lean = tuple(number for number in looks if not scopes >> number & 1)
        rest = tuple(code for code in codes if code % 3 != READ_CODE or not scopes >> code // 3 & 1)
        writes = tuple(code for code in codes if code % 3 == WRITE_CODE)
        found = self[codes] = footprint_of(codes), items[len(looks) :], looks, lean, rest, writes
        return found


def _by_mode(item: Item) -> int:
    """What is only read comes first, and what is only added to last: then marks need no look at the modes."""
    return (item[1] != READS) + (item[1] == ADDS)


class _Changing(dict[tuple[int, ...], "_Changes"]):
    def __init__(self, table: KeyTable) -> None:
        self._table, self._keys = table, 0

    def __missing__(self, codes: tuple[int, ...]) -> _Changes:
        (_, writes, adds), items, looks, *_ = self._table.decoded[codes]
        if (writes | adds) & ~self._keys or len(self) >= _DECODED_MAX:
            self.clear()
            self._keys |= writes | adds
        items = (*((number, READS) for number in looks), *items)
        kept = [item for item in items if self._keys >> item[0] & 1]
        found = self[codes] = (
            tuple(number for number, mode in kept if mode != ADDS),
            tuple(number for number, mode in kept if mode == ADDS),
            tuple(number for number, mode in kept if mode & WRITES),
            tuple(number for number, mode in kept if mode & ADDS and not mode & WRITES),
        )
        return found


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


class Footprint(NamedTuple):
    """What a step touches, as three bit sets over key numbers."""

    reads: int
    writes: int
    adds: int

    def conflicts(self, other: Footprint) -> bool:
        """Whether the two steps depend on each other: a key in common, and not both reads or both adds."""
        reads, writes, adds = self
        other_reads, other_writes, other_adds = other
        return bool(
            writes & (other_reads | other_writes | other_adds)
            or other_writes & (reads | adds)
            or reads & other_adds
            or adds & other_reads
        )

    def union(self, other: Footprint) -> Footprint:
        """What two steps touch together."""
        return Footprint(self[0] | other[0], self[1] | other[1], self[2] | other[2])


_Decoded = tuple[Footprint, tuple[Item, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]
_Changes = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]
NO_FOOTPRINT = Footprint(0, 0, 0)


def footprint_of(codes: Iterable[int]) -> Footprint:
    """The bit sets of some access codes."""
    sets = [0, 0, 0]
    for code in codes:
        sets[code % 3] |= 1 << code // 3
    return Footprint(*sets)
