"""Trails: the order of one execution as a strategy sees it, in numbers, with its happens-before relation.

A trail is to a search what a `Trace` is to a person. Tasks and keys have numbers that mean the same in all executions
of one exploration; sets of steps are integers, one bit a step, so that happens-before is a mask per step. An advance of
the clock is a step of the task number CLOCK_TASK.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from racewindow.footprint import Footprint, KeyTable

CLOCK_TASK = 0
"""The number of the clock among the tasks."""
MARK_MASK = (1 << 61) - 1
"""Marks are numbers below this; a sum of marks is taken modulo its successor, a power of two."""

MIXER = 0x1E3779B97F4A7C15


def mixed(number: int) -> int:
    """A mark from the hash of a tuple: a middle product, as hashes of tuples that are alike have sums that collide."""
    number &= MARK_MASK
    return (number * (number ^ MIXER) >> 30) & MARK_MASK


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


NO_VALUES: Mapping[int, int] = {}
State = tuple[int, int, tuple[tuple[int, int], ...]]
"""Of a lock or semaphore: its owner's number, its value, and who waits, each with the index of its last step."""


@dataclass(slots=True, eq=False)
class Stride:
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
    `values`: numbers for the values of those keys that it has written whose value says more than the view does: the
    same whoever wrote it.
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
    values: Mapping[int, int] = field(default_factory=dict)


KeyState = tuple[int, int, int, int, int, int]
"""Of a key: the steps that have read, written and added to it, as masks; the mark of the last write; its version: that
mark with those of the adds since; and the same of views, or of values where these say more."""
Row = tuple[
    int,
    int,
    list[int],
    list[int],
    tuple[int, ...],
    tuple[int, ...],
    bool,
    bool,
    int,
    bool,
    Mapping[int, "int | State"],
]
"""A step before anything is worked out: number of its task, index of that task's step before it or -1, the steps that
have woken it, keys of the nurseries that it has waited for, access codes, choices, blocking, barrier, salt: a number
that makes its mark a different one, such as the time; whether it was still; what it has written, by key."""


class Pending(NamedTuple):
    """A task that waits in `until` or spins at the end, or the racing clock: what it looks at, and what bounds it."""

    task: int
    codes: tuple[int, ...]
    footprint: Footprint
    own: int
    races: int
    root: int


class Trail(NamedTuple):
    """One execution.

    `paths`: path of each task number. `places`: where the task of each step was suspended before it, as a number that
    means the same within one exploration; only if the strategy asked for predictions. `keys`: who accessed what;
    `snapshots`: the same before each of the steps that are new, where the strategy goes back to them.
    """

    strides: list[Stride]
    pending: list[Pending]
    paths: list[str]
    places: list[int]
    keys: dict[int, KeyState]
    snapshots: Sequence[dict[int, KeyState]] = ()

    def version(self, steps: int, key: int) -> int:
        """A number for the value that a key has after these steps of the trail, a mask closed under happens-before."""
        state = self.keys.get(key)
        if state is None:
            return 0
        writers = state[1] & steps
        last = writers.bit_length()
        version = 0
        if last:
            writer = self.strides[last - 1]
            version = writer.values.get(key, writer.view)
        adders = (state[2] & steps) >> last
        while adders:
            lowest = (adders & -adders).bit_length()
            last += lowest
            adders >>= lowest
            version += self.strides[last - 1].view
        return version


def number_of_trace(rows: Sequence[Row], table: KeyTable) -> int:
    """A number for a Mazurkiewicz trace: the sum of the marks of its steps, as `Causality` has them."""
    keys_of = table.changing
    marks: list[int] = []
    bases = [0] * len(table)  # of each key: the mark of its last write
    versions = [0] * len(table)  # the same and those of the adds since
    for tid, previous, woken_by, joined, codes, choices, blocking, _, salt, _, _ in rows:
        enabled = seen = 0
        if (woken_by or joined) and not blocking:
            enabled = marks[woken_by[0]] if len(woken_by) == 1 else sum(marks[each] for each in set(woken_by))
            for number in joined:
                enabled += versions[number]
        used, added, written, grown = keys_of[codes]
        for number in used:
            seen += versions[number]
        for number in added:
            seen += bases[number]
        own = marks[previous] if previous >= 0 else -1
        mark = hash((tid, own, enabled, salt, choices, seen)) & MARK_MASK
        mark = (mark * (mark ^ MIXER) >> 30) & MARK_MASK  # `mixed`, without the call
        for number in written:
            versions[number] = bases[number] = mark
        for number in grown:
            versions[number] += mark
        marks.append(mark)
    return sum(marks) & MARK_MASK
