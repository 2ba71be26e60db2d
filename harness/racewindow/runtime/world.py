"""The world of one execution: virtual time for `time.time`, entropy for `random`, value decisions, the step limit.

One `World` lives as long as its runner. Entropy is a stream per task, seeded by the seed and the task's path: with one
stream for all, two tasks that draw would race for the numbers.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Protocol

from racewindow.runtime.runner import SimRunner
from racewindow.runtime.task import SimTask

if TYPE_CHECKING:
    from racewindow.faults import Fault, FaultPoint
    from racewindow.runtime.faulting import Faulting


class DecideValue(Protocol):
    """Makes the value decisions of an execution."""

    def __call__(self, count: int, *, task: SimTask) -> int:
        """Index of the one to take, of `count` > 1 values, in the step of `task`."""


class World:
    """See the module's docstring; what `racewindow.virtual` asks for is `now_ns`, `advance_ns` and `entropy`.

    `host`: whoever hears what properties in the code say; None outside of an exploration.
    """

    __slots__ = ("_streams", "_values", "faulting", "host", "runner", "seed")

    def __init__(self, runner: SimRunner, seed: int, values: DecideValue) -> None:
        self.runner, self.seed, self._values = runner, seed, values
        self._streams: dict[str, random.Random] | None = None
        self.faulting: Faulting | None = None  # where faults may strike
        self.host: Any = None

    def now_ns(self) -> int:
        """Virtual nanoseconds since the start."""
        if self.runner.recording:
            self.runner.recorder.read_clock()
        return self.runner.now_ns()

    def advance_ns(self, ns: int) -> None:
        """A blocking `time.sleep` of the whole process: time passes and nobody runs."""
        if self.runner.clock is None:
            self.runner.now += ns / 1_000_000_000
            self.runner.due = True
            if self.runner.recording:
                self.runner.recorder.write_clock()

    def entropy(self) -> random.Random:
        """The current task's own stream."""
        self.runner.effects += 1
        task = self.runner.current
        path = "" if task is None else task.path
        if self._streams is None:
            self._streams = {}
        stream = self._streams.get(path)
        if stream is None:
            stream = self._streams[path] = random.Random(f"{self.seed}/{path}")  # repeatable on purpose
        return stream

    def choose(self, count: int) -> int:
        """Make a value decision among `count` options."""
        task = self.runner.current
        index = self._values(count, task=task) if count > 1 and task is not None else 0
        if self.runner.recording and count > 1:
            self.runner.recorder.choices.append(index)
        return index

    def fault_at(self, where: FaultPoint, kinds: Collection[str] | None, *, waits: bool) -> Fault | None:
        """The fault that strikes at a fault point which the step in progress has come to, or None."""
        return None if self.faulting is None else self.faulting.at(self.runner, where, kinds, waits=waits)


def world_of_this_thread(context: Any) -> World | None:  # trio's thread-local run context
    """The world if this thread is inside a step of an execution, also in a function run inline; else None."""
    runner = getattr(context, "runner", None) or getattr(context, "inline_runner", None)
    if type(runner) is SimRunner:
        world: World | None = runner.world
        return world
    return None
