"""Faults of processes: an instance of a service crashes, starts anew, stands still, is cancelled or outlives its stop.

They act through the life cycle of the instance that has come to the point, and are offered only where there is one.
A stall and a cancellation need none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import trio

from racewindow import Fault, FaultPoint, fault_parameter

FAMILY = "process"


@dataclass(frozen=True, slots=True, kw_only=True)
class _ProcessFault(Fault):
    family: ClassVar[str] = FAMILY

    def can_strike(self, point: FaultPoint) -> bool:
        """Only where there is an instance with a life cycle."""
        return point.process is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash(_ProcessFault):
    """The instance ends where it stands: nothing is cleaned up, and what it had in memory is gone.

    All of its tasks end, no `finally` block is run, and nobody starts it again unless the program does. At a point in
    the middle of a step, what the step has done before is done, and what comes after never happens.
    """

    kind: ClassVar[str] = "crash"

    async def strike(self, point: FaultPoint) -> None:
        """Crash the instance; a task of its own that is in the middle of this ends with it."""
        if point.process is not None:
            point.process.crash()


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart(_ProcessFault):
    """The instance crashes and starts anew after a while, from nothing: its volatile state is lost."""

    kind: ClassVar[str] = "restart"

    down_seconds: float = fault_parameter(5.0, "how long it is down before it starts anew")

    async def strike(self, point: FaultPoint) -> None:
        """Crash the instance and have it started again; a task of its own ends with it."""
        if point.process is not None:
            point.process.restart(self.down_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(_ProcessFault):
    """No task of the instance takes a step for a while, as in a long garbage collection or a frozen machine.

    Time goes on meanwhile: leases and deadlines expire, and it notices only when it goes on.
    """

    kind: ClassVar[str] = "pause"

    seconds: float = fault_parameter(30.0, "how long it stands still")

    async def strike(self, point: FaultPoint) -> None:
        """Pause the instance, the task that has come here included."""
        if point.process is not None:
            point.process.pause(self.seconds)
            await trio.lowlevel.checkpoint()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall(Fault):
    """The task waits for a while at the point; others of the same service go on."""

    kind: ClassVar[str] = "stall"
    family: ClassVar[str] = FAMILY

    seconds: float = fault_parameter(30.0, "how long it waits")

    async def strike(self, point: FaultPoint) -> None:
        """Wait."""
        await trio.sleep(self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap(_ProcessFault):
    """The instance goes on for a while after it has been told to stop, beside the one that takes its place.

    Whoever stopped it takes it for stopped, so the old and the new instance are alive at the same time.
    """

    kind: ClassVar[str] = "overlap"
    points: ClassVar[tuple[str, ...]] = ("service.stop",)

    seconds: float = fault_parameter(30.0, "how long the old one goes on")

    async def strike(self, point: FaultPoint) -> None:
        """Let it go on for so long."""
        if point.process is not None:
            point.process.linger(self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(Fault):
    """The task is cancelled at the point, from the enclosing scope: `finally` blocks run.

    An instance with a life cycle is cancelled as a whole, as its supervisor would. Elsewhere it is the nursery that the
    task runs in, as if a sibling had failed; the main task has none, so it is not struck.
    """

    kind: ClassVar[str] = "cancel"
    family: ClassVar[str] = FAMILY

    def can_strike(self, point: FaultPoint) -> bool:
        """Where something encloses the task that has not been cancelled yet."""
        if trio.current_effective_deadline() == -math.inf:
            return False
        return point.process is not None or _nursery_around() is not None

    async def strike(self, point: FaultPoint) -> None:
        """Cancel what encloses the task, and come to a checkpoint."""
        if point.process is not None:
            point.process.cancel()
        elif (nursery := _nursery_around()) is not None:
            nursery.cancel_scope.cancel()
        await trio.lowlevel.checkpoint()


def _nursery_around() -> trio.Nursery | None:
    """The nursery of the program that the task in progress runs in, None for the main task."""
    nursery = trio.lowlevel.current_task().parent_nursery
    return None if nursery is None or nursery.parent_task.parent_nursery is None else nursery


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire(Fault):
    """The deadline that the task works under expires at the point: `move_on_after` moves on, `fail_after` fails.

    The task waits until then, and is cancelled there. Without a deadline there is nothing to expire.
    """

    kind: ClassVar[str] = "expire"
    family: ClassVar[str] = FAMILY

    def can_strike(self, point: FaultPoint) -> bool:
        """Where a deadline is in force that has not expired."""
        return math.isfinite(trio.current_effective_deadline())

    async def strike(self, point: FaultPoint) -> None:
        """Wait for the deadline; if it is moved meanwhile, that is the end of it."""
        await trio.sleep_until(trio.current_effective_deadline())
        await trio.lowlevel.checkpoint()
