"""What the programs of these tests run on: a service, a wire, a store, a clock and a runbook, as small as they can be.

Each offers its fault points and asks the fault that struck to do its part, as any layer does.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import trio

import racewindow
from racewindow import Call, CallFault, Cell, ClockFault, ConfigFault, StepFault, StopFault, ValueFault, WriteFault
from racewindow.runtime.access import PROCESS, SERVICE

T = TypeVar("T")


class Instance:
    """A service with a life cycle, enough of it for a fault to act upon; what it has in memory is lost in a crash.

    What a supervisor does beyond that, such as not to run `finally` blocks in a crash, is not what is tested here.
    """

    def __init__(self, name: str, body: Callable[[Instance], Awaitable[object]]) -> None:
        self._name, self._body = name, body
        self.stopping = Cell(False, name=f"{name} stopping")
        self.memory: dict[str, Any] = {}
        self.crashes = 0
        self._restart_after: float | None = None
        self._paused_until = -math.inf
        self._scope = trio.CancelScope()

    @property
    def name(self) -> str:
        """As it was given."""
        return self._name

    async def run(self) -> None:
        """Until it has ended, and not been started again."""
        SERVICE.set(self.name)
        PROCESS.set(self)
        while True:
            self._scope, self._restart_after, self.memory = trio.CancelScope(), None, {}
            with self._scope:
                await self._body(self)
            if self._restart_after is None:
                return
            await trio.sleep(self._restart_after)

    async def step(self) -> None:
        """Comes before every step."""
        await racewindow.fault_point("service.step")
        while trio.current_time() < self._paused_until:
            await trio.sleep_until(self._paused_until)

    async def stop(self) -> None:
        """Told to stop, and taken for stopped when this returns."""
        fault = await racewindow.fault_point("service.stop", service=self.name)
        if isinstance(fault, StopFault):
            await trio.lowlevel.checkpoint()
        else:
            self.stopping.set(True)

    def crash(self) -> None:
        """See racewindow.Process, as for all below."""
        self.crashes += 1
        self._scope.cancel()

    def restart(self, after_seconds: float) -> None:
        self._restart_after = after_seconds
        self.crash()

    def pause(self, seconds: float) -> None:
        self._paused_until = trio.current_time() + seconds

    def cancel(self) -> None:
        self._scope.cancel()


class Wire:
    """A way between two services; calls on it are carried by whatever strikes them."""

    caller, callee = "client", "server"

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._cut_until = Cell(-math.inf, name="cut until")
        self._delivered = Cell(0, name="delivered")

    async def call(self, handler: Callable[[], Awaitable[T]], timeout_seconds: float | None = 10.0) -> T:
        """The reply of the handler at the other end."""

        async def deliver() -> T:
            await self._uncut()
            reply = await handler()
            self._delivered.update(lambda count: count + 1)
            return reply

        fault = await racewindow.fault_point("rpc.call", service=self.caller)
        if isinstance(fault, CallFault):
            return await fault.carry(Call(self, "method", timeout_seconds), deliver)
        return await deliver()

    async def _uncut(self) -> None:
        if trio.current_time() < self._cut_until.get():
            await trio.sleep_until(self._cut_until.get())

    def cut(self, seconds: float) -> None:
        self._cut_until.set(trio.current_time() + seconds)

    async def overtaken(self, at_most_seconds: float) -> None:
        before = self._delivered.get()
        with trio.move_on_after(at_most_seconds):
            await racewindow.until(lambda: self._delivered.get() > before)

    def later(self, deliver: Callable[[], Awaitable[object]], after_seconds: float) -> None:
        async def arrive() -> None:
            await trio.sleep(after_seconds)
            await deliver()

        self._nursery.start_soon(arrive, name="on its way")


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
