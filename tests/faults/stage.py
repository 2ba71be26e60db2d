"""What the programs of these tests run on: a wire, a store, a clock and a runbook, as small as they can be.

Each offers its fault points and asks the fault that struck to do its part, as any layer does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import trio

import racewindow
from racewindow import ClockFault, ConfigFault, Network, StepFault, ValueFault, WriteFault

T = TypeVar("T")


class Wire:
    """A way between two services; calls on it are carried by whatever strikes them."""

    def __init__(self, nursery: trio.Nursery, timeout_seconds: float | None = 10.0) -> None:
        self._network = Network(nursery.start_soon, timeout_seconds=timeout_seconds)

    async def call(self, handler: Callable[[], Awaitable[T]]) -> T:
        """The reply of the handler at the other end."""
        return await self._network.call("server", handler)


class Store:
    """Rows by key with all of their versions, in memory and on disk."""

    def __init__(self, **rows: Any) -> None:
        self._versions: dict[str, list[Any]] = {key: [value] for key, value in rows.items()}
        self._disk: dict[str, Any] = dict(rows)

    async def read(self, key: str, point: str = "db.read") -> Any:
        """The value of a row, None if there is none."""
        versions = self._versions.get(key, [None])
        fault = await racewindow.fault_point(point)
        return fault.read(versions) if isinstance(fault, ValueFault) else versions[-1]

    async def write(self, point: str = "db.write", **rows: Any) -> None:
        """All rows, in one batch."""
        fault = await racewindow.fault_point(point)
        taken: Sequence[Any] = list(rows)
        kept = taken
        if isinstance(fault, WriteFault):
            taken, kept = fault.written(taken), fault.durable(taken)
        for key in taken:
            self._versions.setdefault(key, [None]).append(rows[key])
        self._disk.update({key: rows[key] for key in kept})
        if isinstance(fault, WriteFault):
            fault.acknowledge()

    def crash(self) -> None:
        """What is not on disk is gone."""
        self._versions = {key: [value] for key, value in self._disk.items()}


class Clock:
    """The clock of one service."""

    def __init__(self) -> None:
        self._struck: tuple[ClockFault, int] | None = None

    def read(self) -> float:
        """What it shows, in seconds."""
        now = int(trio.current_time() * 1_000_000_000)
        fault = racewindow.offer_fault("clock.read")
        if isinstance(fault, ClockFault):
            self._struck = fault, now
        if self._struck is None:
            return now / 1_000_000_000
        fault, since = self._struck
        return fault.shown_ns(now, since) / 1_000_000_000


async def load(*versions: T) -> T:
    """What a service is configured with; the last version is the right one."""
    fault = await racewindow.fault_point("config.load")
    return fault.loaded(versions) if isinstance(fault, ConfigFault) else versions[-1]


async def carry_out(runbook: Sequence[str]) -> list[str]:
    """The steps as they were taken; one on the wrong target has a ! before it."""
    taken: list[int] = []
    for step in range(len(runbook)):
        fault = await racewindow.fault_point("runbook.step", service="operator")
        if step in taken:
            continue
        taken += fault.taken(step, len(runbook)) if isinstance(fault, StepFault) else (step,)
    return [runbook[step] if step >= 0 else f"!{runbook[-1 - step]}" for step in taken]
