"""Services as processes: they start, stop, crash, pause and start anew, and a fault may do that to them at any step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar
from unittest import mock

import pytest
import trio

import racewindow
from racewindow import Cell, Fault, FaultPlan, FaultPoint, Instance, Simulation, Supervisor
from racewindow.runtime.trail_recorder import TrailRecorder
from racewindow.services.supervisor import State


@dataclass(frozen=True, slots=True, kw_only=True)
class AtAStep(Fault):
    """A fault of a process at one of its steps."""

    points: ClassVar[tuple[str, ...]] = ("service.step",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash(AtAStep):
    """The process ends."""

    kind: ClassVar[str] = "crash"

    async def strike(self, point: FaultPoint) -> None:
        assert point.process is not None
        point.process.crash()


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart(AtAStep):
    """The process ends, and another one begins."""

    kind: ClassVar[str] = "restart"
    seconds: float = 1.0

    async def strike(self, point: FaultPoint) -> None:
        assert point.process is not None
        point.process.restart(self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(AtAStep):
    """The process stands still."""

    kind: ClassVar[str] = "pause"
    seconds: float = 30.0

    async def strike(self, point: FaultPoint) -> None:
        assert point.process is not None
        point.process.pause(self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(AtAStep):
    """The process is told to stop."""

    kind: ClassVar[str] = "cancel"

    async def strike(self, point: FaultPoint) -> None:
        assert point.process is not None
        point.process.cancel()


KINDS = (Crash(target="a"), Restart(target="a"), Pause(target="a"), Cancel(target="a"))


Program = Callable[[Simulation], Awaitable[None]]


def seen(main: Program) -> list[tuple[object, ...]]:
    """What one execution in the default order says, as (kind, value)."""
    execution = racewindow.replay(main, racewindow.Schedule())
    assert execution.failure is None, execution.failure.message
    return [(event.kind, *event.data.values()) for event in execution.events]


# --- a life ----------------------------------------------------------------------------------------------------------


def test_an_instance_starts_is_ready_and_stops_with_its_finally_blocks() -> None:
    async def main(sim: Simulation) -> None:
        async def service(instance: Instance) -> None:
            try:
                instance.ready()
                await trio.sleep_forever()
            finally:
                sim.emit("cleaned", state=instance.state.get())

        supervisor = Supervisor(sim.spawn)
        instance = supervisor.start(service, "a")
        sim.emit("begun", state=instance.state.get())
        await racewindow.until(lambda: instance.state.get() is State.READY)
        await supervisor.stop(instance)
        sim.emit("stopped", state=instance.state.get())

    assert seen(main) == [("begun", State.STARTING), ("cleaned", State.STOPPING), ("stopped", State.STOPPED)]


def test_a_crash_runs_nothing_of_the_process_and_nothing_of_it_runs_later() -> None:
    async def main(sim: Simulation) -> None:
        async def child(event: trio.Event) -> None:
            try:
                await event.wait()
            finally:
                sim.emit("child cleaned")

        async def service(instance: Instance) -> None:
            try:
                event = trio.Event()
                instance.spawn(child, event)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(trio.sleep, 5)
                    with trio.CancelScope(shield=True):
                        await trio.sleep(5)
                event.set()
            finally:
                sim.emit("cleaned")

        supervisor = Supervisor(sim.spawn)
        instance = supervisor.start(service, "a")
        await trio.sleep(1)
        instance.crash()
        instance.crash()  # of a crashed process: nothing
        sim.emit("crashed", state=instance.state.get())
        await trio.sleep(20)
        sim.emit("later", state=instance.state.get())

    assert seen(main) == [("crashed", State.CRASHED), ("later", State.CRASHED)]


def test_a_lock_that_a_crashed_task_held_is_broken_as_trio_says() -> None:
    async def main(sim: Simulation) -> None:
        lock = trio.Lock()

        async def holder(_: Instance) -> None:
            async with lock:
                await trio.sleep_forever()

        instance = Supervisor(sim.spawn).start(holder, "a")
        await trio.sleep(1)
        instance.crash()
        with pytest.raises(trio.BrokenResourceError):
            await lock.acquire()
        sim.emit("tried")

    assert seen(main) == [("tried",)]


def test_a_process_may_crash_itself_and_what_waits_for_it_goes_on() -> None:
    async def main(sim: Simulation) -> None:
        async def service(_: Instance) -> None:
            try:
                await trio.lowlevel.checkpoint()
                sim.emit("goes on")
            finally:
                sim.emit("cleaned")

        supervisor = Supervisor(sim.spawn)
        instance = supervisor.start(service, "a")
        await racewindow.until(lambda: not instance.is_up)
        await supervisor.stop(instance)  # of one that has ended: nothing
        sim.emit("noticed", state=instance.state.get())

    result = racewindow.explore(main, strategy="dfs", faults=FaultPlan((Crash(),)), all_failures=True)
    assert result.failures == ()
    assert result.faults_struck["crash"] == 2  # before its first step, and before its second
    assert result.complete


def test_a_restart_loses_what_was_in_memory() -> None:
    async def main(sim: Simulation) -> None:
        async def service(instance: Instance) -> None:
            memory = []
            for number in range(3):
                await trio.sleep(1)
                memory.append(number)
            sim.emit("done", memory=tuple(memory), life=instance.number)

        supervisor = Supervisor(sim.spawn)
        instance = supervisor.start(service, "a")
        await trio.sleep(2.5)
        instance.restart(10)
        assert supervisor["a"] is instance
        await trio.sleep(11)
        assert supervisor["a"] is not instance

    assert seen(main) == [("done", (0, 1, 2), 1)]


def test_restarting_a_stopped_service_does_nothing() -> None:
    async def main(sim: Simulation) -> None:
        async def service(_: Instance) -> None:
            sim.emit("ran")

        supervisor = Supervisor(sim.spawn)
        instance = supervisor.start(service, "a")
        await racewindow.until(lambda: not instance.is_up)
        instance.restart(1)
        instance.crash()
        sim.emit("state", state=instance.state.get())

    assert seen(main) == [("ran",), ("state", State.STOPPED)]


def test_a_paused_process_takes_no_step_until_its_time_has_passed() -> None:
    async def main(sim: Simulation) -> None:
        async def tick(times: list[float]) -> None:
            for _ in range(3):
                await trio.sleep(1)
                times.append(trio.current_time())

        async def service(instance: Instance) -> None:
            times: list[float] = []
            instance.spawn(tick, times)
            await tick(times)
            await trio.sleep(100)
            sim.emit("ticks", times=tuple(times))

        Supervisor(sim.spawn).start(service, "a")

    result = racewindow.explore(
        main, strategy="dfs", faults=FaultPlan((Pause(after_seconds=1, until_seconds=2),)), schedules=3_000
    )
    assert not result.failures
    schedule = racewindow.Schedule(
        deviations=(racewindow.Deviation("main/0", 1, "fault", 0, Pause(after_seconds=1, until_seconds=2).text),),
        faults={Pause(after_seconds=1, until_seconds=2).text: Pause().home},
    )
    execution = racewindow.replay(main, schedule)
    assert [event.data["times"] for event in execution.events] == [(1.0, 31.0, 31.0, 32.0, 32.0, 33.0)]


def test_one_that_does_not_stop_in_time_is_crashed() -> None:
    async def main(sim: Simulation) -> None:
        async def stubborn(_: Instance) -> None:
            with trio.CancelScope(shield=True):
                await trio.sleep(1_000)
            sim.emit("unreachable")

        supervisor = Supervisor(sim.spawn)
        instance = supervisor.start(stubborn, "a")
        await trio.sleep(1)
        await supervisor.stop(instance, grace_seconds=5)
        sim.emit("stopped", state=instance.state.get(), at=trio.current_time())

    assert seen(main) == [("stopped", State.CRASHED, 6.0)]


# --- faults at any step ----------------------------------------------------------------------------------------------


def a_worker_and_a_reader(sim: Simulation) -> None:
    """Writes twice to a shared disk, with a `finally` block that writes as well; another task reads."""
    supervisor = Supervisor(sim.spawn)
    disk: Cell[tuple[object, ...]] = Cell((), name="disk")

    async def worker(instance: Instance) -> None:
        memory = 0
        try:
            for _ in range(2):
                memory += 1
                await trio.lowlevel.checkpoint()
                disk.update(lambda written: (*written, (instance.number, memory)))  # noqa: B023  # called at once
        finally:
            disk.update(lambda written: (*written, "end"))

    async def reader() -> None:
        await trio.lowlevel.checkpoint()
        sim.emit("read", disk=disk.get())

    supervisor.start(worker, "a")
    sim.spawn(reader, name="reader")


async def one_service(sim: Simulation) -> None:
    """See above."""
    a_worker_and_a_reader(sim)


async def a_service_of_two_tasks(sim: Simulation) -> None:
    """A service whose two tasks meet at an event."""
    supervisor, disk = Supervisor(sim.spawn), Cell(0, name="disk")

    async def service(instance: Instance) -> None:
        event = trio.Event()

        async def child() -> None:
            disk.set(1)
            event.set()

        instance.spawn(child)
        await event.wait()
        disk.set(disk.get() + 10)

    async def reader() -> None:
        sim.emit("read", disk=disk.get())

    supervisor.start(service, "a")
    sim.spawn(reader, name="reader")


async def outer_crash(sim: Simulation) -> None:
    """Another task crashes a service at once, by default: each step that it could have taken races with that."""
    supervisor, disk = Supervisor(sim.spawn), Cell(0, name="disk")

    async def service(_: Instance) -> None:
        await trio.sleep(1)
        disk.update(lambda value: value + 1)
        await trio.lowlevel.checkpoint()
        disk.update(lambda value: value + 1)

    async def killer() -> None:
        await trio.sleep(1)
        supervisor["a"].crash()
        sim.emit("killed", disk=disk.get())

    supervisor.start(service, "a")
    sim.spawn(killer, name="killer")


def every_end(
    program: Callable[[Simulation], Awaitable[None]], strategy: str, fault: Fault | None
) -> tuple[object, ...]:
    """What a strategy sees of a program: distinct traces, and what was emitted in any of them."""
    emitted: set[str] = set()

    @racewindow.checker("collect")
    def collect(history: racewindow.History) -> racewindow.Verdict:
        emitted.add(str([(event.kind, dict(event.data)) for event in history.events]))
        return racewindow.Verdict.holds()

    scenario = racewindow.scenario(checks=[collect])(program)
    plan = None if fault is None else FaultPlan((fault,))
    result = racewindow.explore(scenario, strategy=strategy, faults=plan, all_failures=True)
    assert (result.failures, result.complete, result.redundant) == ((), True, 0)
    return result.distinct_traces, sorted(emitted)


@pytest.mark.parametrize("program", [one_service, a_service_of_two_tasks])
@pytest.mark.parametrize("fault", KINDS, ids=lambda fault: fault.kind)
def test_dpor_sees_what_dfs_sees_with_a_process_fault_at_any_step(program: Program, fault: Fault) -> None:
    assert every_end(program, "dpor", fault) == every_end(program, "dfs", fault)


def test_dpor_sees_what_dfs_sees_of_a_crash_that_is_not_a_fault() -> None:
    assert every_end(outer_crash, "dpor", None) == every_end(outer_crash, "dfs", None)


def test_without_the_steps_that_a_crash_prevented_the_search_would_miss_orders() -> None:
    """The deliberate mistake: a vanished task has no step left, so it takes no part in any race."""
    finish = TrailRecorder.finish

    def forgetting(self: TrailRecorder, runner: object) -> None:
        vanished, runner.vanished = runner.vanished, []  # type: ignore[attr-defined]
        finish(self, runner)  # type: ignore[arg-type]
        runner.vanished = vanished  # type: ignore[attr-defined]

    whole = every_end(outer_crash, "dfs", None)
    with mock.patch.object(TrailRecorder, "finish", forgetting):
        assert every_end(outer_crash, "dpor", None) != whole


@pytest.mark.parametrize("semantics", ["processes", "trio"])
@pytest.mark.parametrize("clock", ["idle", "racing"])
@pytest.mark.parametrize("fault", KINDS, ids=lambda fault: fault.kind)
def test_random_executions_with_process_faults_replay_to_the_same_digest(
    fault: Fault, clock: str, semantics: str
) -> None:
    """`explore` compares executions with their replay, and says so if there is a difference."""

    async def never_happy(sim: Simulation) -> None:
        a_worker_and_a_reader(sim)
        await trio.sleep(50)
        msg = "looked at"
        raise AssertionError(msg)

    result = racewindow.explore(
        never_happy, strategy="random", faults=FaultPlan((fault,)), all_failures=True, schedules=60, clock=clock,
        semantics=semantics,
    )  # fmt: skip
    assert not result.untrusted
    assert result.failing == 60
