"""Uniform random walk: at each decision every option is as likely as any other. The baseline for all others.

It favours orders in which tasks alternate evenly: an order that needs one task to run many steps alone is rare. An
execution can be run again from (seed, execution number) alone.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from math import log

from racewindow.statistics import Knuth, TreeSize
from racewindow.strategy import Task
from racewindow.trail import Trail

_BLOCK = struct.Struct("<32H")


class RandomWalk:
    """See the module's docstring."""

    name = "random"
    exhaustive = bound_reached = looks_ahead = False

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._knuth = Knuth()
        self._picker = RandomPicker(b"")

    def start(self, number: int) -> RandomPicker:
        """A walk of its own for each execution; never exhausted."""
        self._picker = RandomPicker(b"%d/%d" % (self._seed, number))
        return self._picker

    def finished(self, trail: Trail | None, steps: int) -> None:
        """Learns how large the tree is that it walks down; only with footprints on, as counting costs time."""
        if self._picker.options:
            self._knuth.descended(log(self._picker.options))

    @property
    def tree_size(self) -> TreeSize | None:
        """How many interleavings there may be."""
        return self._knuth.size


def words(key: bytes) -> Iterator[int]:
    """An endless stream of 16-bit numbers that is a function of `key`.

    Hashing a key costs a fifth of seeding a `random.Random`, which is a good part of a short execution. For n options,
    `word * n >> 16` is uneven by at most n / 65,536.
    """
    block = 0
    while True:
        yield from _BLOCK.unpack(hashlib.blake2b(b"%b/%d" % (key, block)).digest())
        block += 1


class RandomPicker:
    """One walk."""

    __slots__ = ("_key", "options", "words")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.options = 0
        """Product of the numbers of options at all decisions; 0 if they were not counted."""
        self.words: Iterator[int] | None = words(key)

    def restart(self) -> None:
        """The same walk from its start."""
        self.words = words(self._key)
        self.options = 0

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """Any candidate, or the clock, with equal chance."""
        assert self.words is not None
        options = len(candidates) + may_advance
        self.options = (self.options or 1) * options
        return next(self.words) * options >> 16

    def pick_value(self, count: int, *, task: Task) -> int:
        """Any value with equal chance; with more values than words can tell apart, by two words."""
        assert self.words is not None
        self.options = (self.options or 1) * count
        if count > 1 << 8:
            return (next(self.words) << 16 | next(self.words)) * count >> 32
        return next(self.words) * count >> 16
