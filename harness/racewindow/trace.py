"""Traces: what one execution did, step by step, as frozen values, and the digest that identifies it.

A trace is recorded only while footprints are on. Two executions are the same exactly if their digests are: the digest
runs over (task, location, footprint) of every step, holds no address, no wall-clock time and no version, and is the
same on every supported Python.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

READ, WRITE, ADD = "read", "write", "add"
"""Access modes. `add` commutes with itself and conflicts with the other two."""


class Access(NamedTuple):
    """One object touched by a step: its stable name and how."""

    key: str
    mode: str


class Step(NamedTuple):
    """What one task did between two scheduling points.

    `task`: path id (`main/0`). `name`: display name (`writer`). `number`: this task's own step number, from 0.
    `time_ns`: virtual time. `location`: where the task is suspended *after* the step (`file.py:12 qualname`), or "end".
    `accesses`: the footprint, in order of first access. `choices`: positions taken at its value decisions. `faults`:
    names of the faults that struck in it.
    """

    task: str
    name: str
    number: int
    time_ns: int
    location: str
    accesses: tuple[Access, ...]
    choices: tuple[int, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """All steps of one execution, in order."""

    steps: tuple[Step, ...] = ()

    @property
    def digest(self) -> str:
        """32 hexadecimal digits over task, location, footprint, choices and faults of every step."""
        return digest_of(self.steps)

    def __len__(self) -> int:
        return len(self.steps)


def digest_of(steps: Iterable[Step]) -> str:
    """See `Trace.digest`."""
    running = hashlib.blake2b(digest_size=16)
    for step in steps:
        running.update(step_text(step).encode())
    return running.hexdigest()


def step_text(step: Step) -> str:
    """One line that says what a step did; what the digest runs over."""
    footprint = " ".join(f"{a.mode}:{a.key}" for a in step.accesses)
    choices = ",".join([*map(str, step.choices), *step.faults])
    return f"{step.task}|{step.number}|{step.location}|{footprint}|{choices}\n"


def first_difference(one: Sequence[Step], two: Sequence[Step]) -> int | None:
    """Index of the first step in which two traces differ, or None if they are the same."""
    for index, (a, b) in enumerate(zip(one, two, strict=False)):
        if step_text(a) != step_text(b):
            return index
    return None if len(one) == len(two) else min(len(one), len(two))
