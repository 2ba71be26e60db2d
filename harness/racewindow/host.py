"""The execution's side of a `Simulation`: what a scenario asks of the harness, answered by the runtime."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

import trio

from racewindow.events import Event
from racewindow.faults import Fault
from racewindow.runtime.access import fault_point
from racewindow.runtime.runner import SimRunner

T = TypeVar("T")


class Host:
    """The execution's side of a `Simulation`."""

    __slots__ = ("events", "nursery", "runner")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.nursery: trio.Nursery | None = None
        self.runner: SimRunner | None = None

    def now_ns(self) -> int:
        """Virtual time in nanoseconds; reading it is an access."""
        assert self.runner is not None
        return int(self.runner.world.now_ns())

    def choose(self, options: Sequence[T]) -> T:
        """A value decision of the step in progress."""
        assert self.runner is not None
        index: int = self.runner.world.choose(len(options))
        return options[index]

    async def fault_point(self, name: str, kinds: Collection[str] | None) -> Fault | None:
        """A fault point of the step in progress."""
        return await fault_point(name, kinds=kinds)

    def emit(self, kind: str, data: Mapping[str, Any]) -> None:
        """Record an event of the step in progress."""
        runner = self.runner
        assert runner is not None
        if runner.ending:
            return  # a `finally` block of a task that is taken down: not part of the execution
        task = runner.current
        assert task is not None
        runner.effects += 1
        self.events.append(Event(runner.now_ns(), task.display, task.number, kind, data))

    def spawn(self, function: Callable[..., Awaitable[object]], args: tuple[Any, ...], name: str | None) -> None:
        """Start a task in the nursery around the scenario."""
        assert self.nursery is not None
        self.nursery.start_soon(function, *args, name=name)

    def place(self) -> tuple[int, str, int]:
        """(virtual ns, task, step) of the step in progress, for log lines."""
        assert self.runner is not None
        task = self.runner.current
        return (self.runner.now_ns(), "" if task is None else task.display, 0 if task is None else task.number)
