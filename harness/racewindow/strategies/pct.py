"""Probabilistic concurrency testing: random priorities, and d - 1 points at which the running task's is lowered.

Burckhardt, Kothari, Musuvathi, Nagarakatti: "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs",
ASPLOS 2010, algorithm of section 3.1. In a program of n tasks and k steps, one execution finds a bug of depth d with a
chance of at least 1 / (n * k ** (d - 1)), where the depth is the smallest number of ordering constraints that suffice.

Departures: k is not given but measured: the number of steps of the first execution, which takes the default at every
decision. Change points are counted in decisions, of which other orders may have more than that one has; no order has
many more than it has steps. A task gets its rank when it is first seen, at a random place among the tasks seen so far,
because n is not known ahead. Under the racing clock, letting time pass is one more task. Values are drawn evenly. A
task that polls is not demoted, so it can starve the others up to the step limit.
"""

from __future__ import annotations

from collections.abc import Iterator

from racewindow.strategies.random_walk import words
from racewindow.strategies.replay import default_of
from racewindow.strategy import Task
from racewindow.trail import Trail

_CLOCK = "clock"


class PriorityWalk:
    """See the module's docstring. `depth`: d, at least 1."""

    name = "pct"
    exhaustive = bound_reached = looks_ahead = False

    def __init__(self, seed: int, depth: int) -> None:
        self._seed, self._depth = seed, depth
        self._steps = 0

    def start(self, number: int) -> PriorityPicker:
        """The default order first; then priorities and change points of its own for each execution."""
        if number == 0:
            return PriorityPicker(b"", 0, 0)
        return PriorityPicker(b"%d/%d/pct" % (self._seed, number), self._depth, self._steps)

    def finished(self, trail: Trail | None, steps: int) -> None:
        """Learn k from the first execution, and nothing from the others: each depends on its number and k only."""
        if self._steps == 0:
            self._steps = max(steps, 1)


class PriorityPicker:
    """One execution: the highest priority steps. `depth` 0: the default order."""

    words = None

    def __init__(self, key: bytes, depth: int, steps: int) -> None:
        self._key, self._depth, self._expected = key, depth, steps
        self.restart()

    def restart(self) -> None:
        """The same priorities and change points, from the start."""
        self._decisions = 0
        self._words: Iterator[int] = words(self._key)
        self._ranks: list[str] = []  # initial priorities, the lowest first
        self._lowered: dict[str, int] = {}  # priority given by a change point; below all initial ones
        self._changes = sorted((self._below(self._expected) + 1, i) for i in range(self._depth - 1))

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """The candidate of the highest priority, after lowering it where a change point says so."""
        del advances
        self._decisions += 1
        if self._depth == 0:
            return default_of(candidates, last)
        names = [candidate.path for candidate in candidates] + ([_CLOCK] if may_advance else [])
        for name in names:
            if name not in self._ranks:
                self._ranks.insert(self._below(len(self._ranks) + 1), name)
        while self._changes and self._changes[0][0] <= self._decisions:
            # The i-th point drawn gives priority i; drawn in any order, so the one lowered later may be the higher.
            _, self._lowered[max(names, key=self._priority)] = self._changes.pop(0)
        return names.index(max(names, key=self._priority))

    def pick_value(self, count: int, *, task: Task) -> int:
        """Any value with equal chance."""
        del task
        return self._below(count) if self._depth else 0

    def _priority(self, name: str) -> tuple[bool, int]:
        if name in self._lowered:
            return (False, self._lowered[name])
        return (True, self._ranks.index(name))

    def _below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        return (next(self._words) << 16 | next(self._words)) * limit >> 32
