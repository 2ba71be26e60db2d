"""Uniform random walk: at each decision every option is as likely as any other. The baseline for all others.

It favours orders in which tasks alternate evenly: an order that needs one task to run many steps alone is rare. An
execution can be run again from (seed, execution number) alone.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

from racewindow.strategy import Task
from racewindow.trace import Trace

_BLOCK = struct.Struct("<32H")


class RandomWalk:
    """See the module's docstring."""

    name = "random"
    exhaustive = bound_reached = False

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def start(self, number: int) -> RandomPicker:
        """A walk of its own for each execution; never exhausted."""
        return RandomPicker(b"%d/%d" % (self._seed, number))

    def finished(self, trace: Trace | None, steps: int) -> None:
        """Learns nothing."""


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

    __slots__ = ("_key", "words")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.words: Iterator[int] | None = words(key)

    def restart(self) -> None:
        """The same walk from its start."""
        self.words = words(self._key)

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """Any candidate, or the clock, with equal chance."""
        assert self.words is not None
        return next(self.words) * (len(candidates) + may_advance) >> 16

    def pick_value(self, count: int, *, task: Task) -> int:
        """Any value with equal chance; with more values than words can tell apart, by two words."""
        assert self.words is not None
        if count > 1 << 8:
            return (next(self.words) << 16 | next(self.words)) * count >> 32
        return next(self.words) * count >> 16
