"""A small supervisor: services that start, are ready, stop, crash and start anew, as processes do.

An instance of a service lives in tasks of its own. Starting one calls the service's function, which makes whatever it
keeps in memory; so an instance that is started again has lost it. To stop is to cancel: `finally` blocks run. To crash
is to end where it stands: nothing of it runs any more (`racewindow.runtime.vanishing`).

Every step of an instance begins with the fault point `service.step`; stopping one comes to `service.stop`.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import trio

from racewindow.runtime.access import PROCESS, SERVICE, fault_point
from racewindow.runtime.vanishing import go, is_going, vanish
from racewindow.services.stepping import stepped
from racewindow.tracking import Cell, until


class State(enum.Enum):
    """Where an instance is in its life."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    CRASHED = "crashed"


UP = (State.STARTING, State.READY, State.STOPPING)
"""The states of an instance that lives."""


class Spawn(Protocol):
    """How tasks are begun: `Simulation.spawn`, or a nursery's `start_soon`."""

    def __call__(self, function: Callable[..., Awaitable[object]], /, *args: Any, name: str | None = None) -> None:
        """Begin a task."""


class Instance:
    """One life of a service: from its start to its end.

    `name`: of the instance, `writer-2`; it is what targets of faults are matched with. `state`: a cell, which
    `racewindow.until` can wait on. `number`: how often the name was started before.
    """

    def __init__(self, supervisor: Supervisor, service: Service, name: str, number: int) -> None:
        self.name, self.number = name, number
        self.state = Cell(State.STARTING, name=f"{name}.state" if not number else f"{name}.state#{number + 1}")
        self._supervisor, self._service = supervisor, service
        self._scope = trio.CancelScope()
        self._task: Any = None
        self._nursery: trio.Nursery | None = None
        self.lingers = False
        """Whether it has been told to stop, is believed to be gone, and lives on."""
        self._paused_until = Cell(0.0, name=f"{name}.paused" if not number else f"{name}.paused#{number + 1}")

    # --- for the service itself -------------------------------------------------------------------------------------

    def ready(self) -> None:
        """Say that it is: what it needs has been loaded."""
        if self.state.get() is State.STARTING:
            self.state.set(State.READY)

    def spawn(self, function: Callable[..., Awaitable[object]], *args: Any, name: str | None = None) -> None:
        """Begin a task of the instance; it ends with it. `name`: how reports call it, behind the instance's own."""
        assert self._nursery is not None, "it is not running"
        label = name or getattr(function, "__name__", "task")
        self._nursery.start_soon(self._step_by_step, function, args, name=f"{self.name}.{label}")

    # --- for those who run it ---------------------------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        """Whether it lives; reads its state."""
        return self.state.get() in UP

    @property
    def is_ready(self) -> bool:
        """Whether it lives and has said that it is ready; reads its state."""
        return self.state.get() is State.READY

    def crash(self) -> None:
        """End all of its tasks where they stand; nothing happens if it has ended before.

        A task of its own that calls this goes on until it next waits.
        """
        if not self.is_up:
            return
        self.state.set(State.CRASHED)
        if self._task is not None:
            vanish(self._task, self._scope)

    def restart(self, after_seconds: float) -> None:
        """Crash, and start anew after some virtual time; nothing happens if it has ended before."""
        if self.is_up:
            self._supervisor.start_later(self._service, self.name, after_seconds)
            self.crash()

    def pause(self, seconds: float) -> None:
        """Let none of its tasks take a step for some virtual time, as a stopped process or a frozen machine."""
        self._paused_until.set(max(self._paused_until.get(), trio.current_time() + seconds))

    def linger(self, seconds: float) -> None:
        """Live on for some virtual time after it was told to stop, while whoever told it believes that it is gone."""
        self.lingers = True
        self._supervisor.stop_later(self, seconds)

    def cancel(self) -> None:
        """Cancel all of its tasks: `finally` blocks run."""
        if self.is_up:
            self.state.set(State.STOPPING)
            self._scope.cancel()

    # --- its tasks --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Its first task: the service's function, until it and all that it has spawned have ended."""
        if not self.is_up:
            return  # ended before it began
        SERVICE.set(self.name)
        PROCESS.set(self)
        self._task = trio.lowlevel.current_task()
        with self._scope:
            async with trio.open_nursery() as self._nursery:
                await self._step_by_step(self._service, (self,))
        self.state.set(State.STOPPED)

    async def _step_by_step(self, function: Callable[..., Awaitable[object]], args: tuple[Any, ...]) -> None:
        await stepped(function(*args), self._before_step)

    async def _before_step(self) -> None:
        """A fault may strike; an instance that is paused waits."""
        await fault_point("service.step")
        while (paused_until := self._paused_until.get()) and paused_until > trio.current_time():
            await trio.sleep_until(paused_until)
            if is_going():
                await go()


Service = Callable[[Instance], Awaitable[object]]


class Supervisor:
    """Starts and stops instances of services. `spawn`: where their tasks live, such as `sim.spawn`."""

    def __init__(self, spawn: Spawn) -> None:
        self._spawn = spawn
        self._numbers: dict[str, int] = {}
        self._instances: dict[str, Instance] = {}

    def start(self, service: Service, name: str) -> Instance:
        """Begin an instance; it starts from nothing, also if there was one of that name before."""
        number = self._numbers[name] = self._numbers.get(name, -1) + 1
        instance = self._instances[name] = Instance(self, service, name, number)
        self._spawn(instance.run, name=name)
        return instance

    def __getitem__(self, name: str) -> Instance:
        """The latest instance of a name; KeyError if there was none."""
        return self._instances[name]

    async def stop(self, instance: Instance, *, grace_seconds: float | None = None) -> None:
        """Cancel an instance and wait until it has ended; it crashes if that takes longer than `grace_seconds`.

        Nothing happens if it has ended before.
        """
        if not instance.is_up:
            return
        instance.lingers = False
        await fault_point("service.stop", service=instance.name, process=instance)
        if instance.lingers:
            return  # whoever stops it believes that it is gone
        instance.cancel()
        if grace_seconds is None:
            await until(lambda: not instance.is_up)
            return
        with trio.move_on_after(grace_seconds):
            await until(lambda: not instance.is_up)
        instance.crash()

    def start_later(self, service: Service, name: str, after_seconds: float) -> None:
        """Begin an instance after some virtual time, unless there is one by then."""

        async def starter() -> None:
            await trio.sleep(after_seconds)
            if not self._instances[name].is_up:
                self.start(service, name)

        self._spawn(starter, name=f"{name}.starter")

    def stop_later(self, instance: Instance, after_seconds: float) -> None:
        """Cancel an instance after some virtual time."""

        async def stopper() -> None:
            await trio.sleep(after_seconds)
            instance.cancel()

        self._spawn(stopper, name=f"{instance.name}.stopper")
