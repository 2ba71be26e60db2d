"""Trails: the order of one execution as a strategy sees it, in numbers, with its happens-before relation.

A trail is to a search what a `Trace` is to a person. Tasks and keys have numbers that mean the same in all executions
of one exploration; sets of steps are integers, one bit a step, so that happens-before is a mask per step. An advance of
the clock is a step of the task number CLOCK_TASK.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from racewindow.footprint import ADDS, READS, WRITES, Footprint, KeyTable

CLOCK_TASK = 0
"""The number of the clock among the tasks."""
MARK_MASK = (1 << 61) - 1
"""Marks are numbers below this; a sum of marks is taken modulo its successor, a power of two."""


def mixed(number: int) -> int:
    """A mark from the hash of a tuple: a middle product, as hashes of tuples that are alike have sums that collide."""
    number &= MARK_MASK
    return (number * (number ^ 0x1E3779B97F4A7C15) >> 30) & MARK_MASK


class TaskTable:
    """Numbers for the paths of tasks; one per exploration."""

    def __init__(self) -> None:
        self.paths: list[str] = ["clock"]
        self._numbers: dict[tuple[int, int], int] = {}
        self._roots: dict[str, int] = {}

    def root(self, name: str) -> int:
        """The number of a task that no task spawned."""
        number = self._roots.get(name)
        if number is None:
            number = self._roots[name] = len(self.paths)
            self.paths.append(name)
        return number

    def child(self, parent: int, index: int) -> int:
        """The number of the `index`-th task spawned by task number `parent`."""
        number = self._numbers.get((parent, index))
        if number is None:
            number = self._numbers[parent, index] = len(self.paths)
            self.paths.append(f"{self.paths[parent]}/{index}")
        return number


class Stride(NamedTuple):
    """One step of a trail.

    `task`: its number. `choices`: the values that it took. `codes`: its accesses in order of first access; `footprint`:
    the same as bit sets. `enablers`: the steps without which it could not have been taken here: the one before it of
    its own task, the one that spawned or woke it, all exits that a nursery waited for; with everything before those.
    `own`: the step before it of its own task, with everything before that. `before`: all steps that happen before it.
    `races`: steps of other tasks that conflict with it and that could have come after it. `blocking`: it waited on a
    state (`until`), so it could have been taken whenever that held. `barrier`: time passed because nothing could run.
    `mark`: a number that stands for the step and everything that happens before it; equal steps in equivalent orders
    have equal marks. `view`: a number that stands for what the task has seen until after the step, so for its state
    then and for what it has written; `root`: the same before the step, with what has woken it. `still`: it has changed
    nothing, its own task included, so that the task's next step waits until something that it has read is written.
    """

    task: int
    choices: tuple[int, ...]
    codes: tuple[int, ...]
    footprint: Footprint
    enablers: int
    own: int
    before: int
    races: int
    blocking: bool
    barrier: bool
    mark: int
    view: int
    root: int
    still: bool = False


KeyState = tuple[int, int, int, int, int, int, int]
"""Of a key: the steps that have read, written and added to it, as masks; mark of the last write, and the sum of those
of the adds since; the same of views."""
Row = tuple[int, int, list[int], list[int], tuple[int, ...], tuple[int, ...], bool, bool, int, bool]
"""A step before anything is worked out: number of its task, index of that task's step before it or -1, the steps that
have woken it, keys of the nurseries that it has waited for, access codes, choices, blocking, barrier, salt: a number
that makes its mark a different one, such as the time; whether it was still."""


class Pending(NamedTuple):
    """A task that waits in `until` or spins at the end, or the racing clock: what it looks at, and what bounds it."""

    task: int
    codes: tuple[int, ...]
    footprint: Footprint
    own: int
    races: int
    root: int


class Trail(NamedTuple):
    """One execution. `trace`: a number for its Mazurkiewicz trace; equivalent orders have equal ones.

    `paths`: path of each task number. `places`: where the task of each step was suspended before it, as a number that
    means the same within one exploration; only if the strategy asked for predictions. `keys`: who accessed what;
    `snapshots`: the same before each of the steps that are new, where the strategy goes back to them.
    """

    strides: list[Stride]
    pending: list[Pending]
    paths: list[str]
    places: list[int]
    trace: int
    keys: dict[int, KeyState]
    snapshots: Sequence[dict[int, KeyState]] = ()

    def version(self, key: int, steps: int) -> int:
        """A number for the value that a key has after these steps of the trail, a mask closed under happens-before."""
        state = self.keys.get(key)
        if state is None:
            return 0
        writers = state[1] & steps
        last = writers.bit_length()
        version = self.strides[last - 1].view if last else 0
        adders = (state[2] & steps) >> last
        while adders:
            lowest = (adders & -adders).bit_length()
            last += lowest
            adders >>= lowest
            version += self.strides[last - 1].view
        return version


def number_of_trace(rows: Sequence[Row], table: KeyTable) -> int:
    """The `trace` of an execution, without the rest: the sum of the marks of its steps."""
    marks: list[int] = []
    versions: dict[int, tuple[int, int]] = {}
    decode, untouched = table.decode, (0, 0)
    for tid, previous, woken_by, joined, codes, choices, blocking, _, salt, _ in rows:
        root = hash((tid, marks[previous] if previous >= 0 else -1))
        if (woken_by or joined) and not blocking:
            mark = sum(marks[each] for each in set(woken_by))
            for number in joined:
                mark += sum(versions.get(number, untouched))
            root = hash((root, mark))
        parts = [root, salt, *choices]
        items = decode(codes)[1]
        for number, mode in items:
            base, added = versions.get(number, untouched)
            parts.append(base if mode == ADDS else base + added)
        mark = mixed(hash(tuple(parts)))
        for number, mode in items:
            if mode != READS:
                if mode & WRITES:
                    versions[number] = (mark, 0)
                else:
                    base, added = versions.get(number, untouched)
                    versions[number] = (base, added + mark)
        marks.append(mark)
    return sum(marks) & MARK_MASK
