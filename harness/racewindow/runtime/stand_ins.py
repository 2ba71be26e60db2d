"""What stands for the parts of trio's runner that touch the world or depend on addresses."""

from __future__ import annotations

import weakref
from math import inf
from typing import Any

import trio

from racewindow._trio_internals import GLOBAL_RUN_CONTEXT, AsyncGenerators, Runner, Task
from racewindow.errors import RealIOError
from racewindow.runtime.task import OrderedSet


class VirtualIO:
    """Stands for trio's I/O manager: there is none, and whoever waits for a file descriptor is told so."""

    def statistics(self) -> VirtualIO:
        """For `trio.lowlevel.current_statistics`."""
        return self

    backend = "racewindow"

    def force_wakeup(self) -> None:
        """Nothing sleeps in the kernel."""

    def close(self) -> None:
        """Nothing is open."""

    def __getattr__(self, name: str) -> Any:  # every operation of every platform's manager
        if name.startswith("__"):
            raise AttributeError(name)

        def refuse(*_args: object, **_kwargs: object) -> Any:
            raise RealIOError(
                f"trio.lowlevel.{name}",
                "use trio.testing.memory_stream_pair(), a memory channel, or a model of the peer.",
            )

        return refuse


class LooseWakeup:
    """Stands for the socket pair of trio's entry queue; a plain flag and a parked task do, with one thread."""

    def __init__(self, runner: Runner) -> None:
        self.runner: Any = runner
        self.task: Task | None = None
        self.woken = False

    def wakeup_thread_and_signal_safe(self) -> None:
        """Called by `run_sync_soon`, possibly from another thread or a signal handler."""
        self.woken = True
        self.runner.woken_from_outside = True

    def wake(self) -> None:
        """Called by the loop between steps."""
        self.runner.woken_from_outside = False
        if self.task is not None and self.woken:
            task, self.task, self.woken = self.task, None, False
            self.runner.reschedule(task)

    async def wait_woken(self) -> None:
        """Park the entry-queue task until there is something in the queue."""
        if self.woken:
            self.woken = False
            await trio.lowlevel.checkpoint()
            return
        self.task = trio.lowlevel.current_task()

        def abort(_: object) -> trio.lowlevel.Abort:
            self.task = None
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    def wakeup_on_signals(self) -> None:
        """Signals are not ours."""

    def close(self) -> None:
        """Nothing is open."""


class OrderedAsyncGenerators(AsyncGenerators):
    """trio's bookkeeping of async generators; those that are left are closed in order of first use, not of address."""

    def __init__(self) -> None:
        self._alive: Any = ()
        super().__init__()
        self.trailing_needs_finalize = OrderedSet()  # type: ignore[assignment]  # what trio does with it, it can do

    @property
    def alive(self) -> Any:
        """A `WeakSet` while the program runs, a set of strong references once its generators are being closed."""
        return self._alive

    @alive.setter
    def alive(self, value: Any) -> None:
        if isinstance(value, weakref.WeakSet):
            value.data = OrderedSet()  # type: ignore[attr-defined]  # what it keeps its references in
        else:
            value = OrderedSet.fromkeys(each for each in self._alive if each in value)
        self._alive = value

    async def finalize_remaining(self, runner: Any) -> None:
        """As trio's, once tasks that misnesting has abandoned had the turns that trio would have given them."""
        while len(runner.tasks) > 2 and runner.runq:  # more than init and the entry-queue task, which it asserts
            await trio.lowlevel.cancel_shielded_checkpoint()
        await super().finalize_remaining(runner)


class VirtualClock(trio.abc.Clock):
    """What `trio.lowlevel.current_clock()` returns under virtual time."""

    def start_clock(self) -> None:
        """Virtual time starts with the execution."""

    def current_time(self) -> float:
        """Virtual seconds since the start of the execution."""
        return float(GLOBAL_RUN_CONTEXT.runner.current_time())

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Nothing to sleep: virtual time jumps."""
        return 0.0 if deadline < inf else inf


VIRTUAL_CLOCK = VirtualClock()
