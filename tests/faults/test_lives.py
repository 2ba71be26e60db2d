"""What faults of processes do to an instance, to a task and to what they are in the middle of."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable

import pytest
import trio

import racewindow
from racewindow import Fault, FaultPlan, Instance, Supervisor
from racewindow_faults import Cancel, Crash, Expire, Overlap, Pause, Restart, Stall

Main = Callable[[], Awaitable[object]]


def offered(main: Main, fault: Fault) -> int:
    """How often the fault could have struck in the default order."""
    result = racewindow.explore(main, strategy="dfs", schedules=1, faults=fault, all_failures=True)
    return result.faults_offered[fault.kind]


async def in_the_open() -> None:
    """Comes to a point in the main task: no instance, no nursery, no deadline."""
    await racewindow.fault_point("point")


@pytest.mark.parametrize("fault", [Crash(), Restart(), Pause(), Cancel(), Expire(), Overlap()])
def test_where_it_could_do_nothing_it_is_not_offered(fault: Fault) -> None:
    assert offered(in_the_open, fault) == 0
    assert offered(in_the_open, Stall()) == 1


def outcomes(main: Callable[[list[str]], Awaitable[object]], fault: Fault) -> set[str]:
    """What a program has noted down, in any order of events with or without the fault."""
    seen = set()

    async def noting() -> None:
        notes: list[str] = []
        try:
            await main(notes)
        finally:
            seen.add(" ".join(notes))

    result = racewindow.explore(noting, strategy="dfs", faults=FaultPlan((fault,)), all_failures=True)
    assert result.complete and not result.failures
    return seen


async def serve(notes: list[str]) -> None:
    """An instance that comes to a point in the middle of a step, and cleans up."""

    async def writer(_: Instance) -> None:
        notes.append(f"start at {trio.current_time():g}")
        try:
            await racewindow.fault_point("middle", kinds=["crash", "restart", "pause", "cancel", "stall"])
            notes.append(f"go on at {trio.current_time():g}")
        finally:
            notes.append("clean up")

    async with trio.open_nursery() as nursery:
        supervisor = Supervisor(nursery.start_soon)
        supervisor.start(writer, "writer")
        await trio.sleep(100)
        notes.append(supervisor["writer"].state.get().value)


@pytest.mark.parametrize(
    ("fault", "noted"),
    [
        (Crash(), "start at 0 crashed"),
        (Restart(), "start at 0 start at 5 go on at 5 clean up stopped"),
        (Cancel(), "start at 0 clean up stopped"),
        (Stall(seconds=3), "start at 0 go on at 3 clean up stopped"),
        (Pause(), "start at 0 go on at 30 clean up stopped"),
    ],
)
def test_a_fault_in_the_middle_of_a_step_of_an_instance(fault: Fault, noted: str) -> None:
    """A crash leaves the rest of the step undone and cleans nothing up; a cancellation does."""
    assert noted in outcomes(serve, fault)
    assert outcomes(serve, dataclasses.replace(fault, after_seconds=50)) == {"start at 0 go on at 0 clean up stopped"}


async def two_tasks(notes: list[str]) -> None:
    """An instance with two tasks, and another one."""

    async def writer(instance: Instance) -> None:
        async def work() -> None:
            await trio.sleep(1)
            notes.append(f"{trio.current_time():g}")

        instance.spawn(work)
        instance.spawn(work)

    async def other(_: Instance) -> None:
        await trio.sleep(2)
        notes.append("other")

    async with trio.open_nursery() as nursery:
        supervisor = Supervisor(nursery.start_soon)
        supervisor.start(writer, "writer")
        supervisor.start(other, "other")


def test_a_pause_holds_up_all_tasks_of_the_instance_and_nobody_else() -> None:
    """Each of the tasks was about to sleep for a second, or had begun to."""
    paused = outcomes(two_tasks, Pause(until_seconds=1, target="writer")) - {"1 1 other"}
    assert paused and paused <= {"other 30 30", "other 30 31", "other 31 31"}


def test_a_stall_holds_up_one_task() -> None:
    assert "1 other 31" in outcomes(two_tasks, Stall(until_seconds=1, target="writer"))


def test_a_cancellation_takes_the_siblings_with_it_and_runs_what_cleans_up() -> None:
    async def main(notes: list[str]) -> None:
        async def work() -> None:
            try:
                await racewindow.fault_point("work")
                await trio.sleep(1)
            finally:
                notes.append("clean up")

        async def sibling() -> None:
            await trio.sleep(2)
            notes.append("done")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)
            nursery.start_soon(sibling)

    assert outcomes(main, Cancel()) == {"clean up done", "clean up"}


def test_a_deadline_expires_at_the_point_when_it_is_due() -> None:
    async def main(notes: list[str]) -> None:
        with trio.move_on_after(5) as scope:
            await racewindow.fault_point("work")
            notes.append("done")
        notes.append(f"{scope.cancelled_caught} at {trio.current_time():g}")

    assert outcomes(main, Expire()) == {"done False at 0", "True at 5"}


def test_a_deadline_that_is_moved_meanwhile_does_not_expire() -> None:
    async def main(notes: list[str]) -> None:
        async def prolong() -> None:
            await trio.sleep(1)
            scope.deadline += 10

        async with trio.open_nursery() as nursery:
            with trio.move_on_after(5) as scope:
                nursery.start_soon(prolong)
                await racewindow.fault_point("work")
                notes.append(f"done at {trio.current_time():g}")

    assert outcomes(main, Expire()) == {"done at 0", "done at 5"}


@pytest.mark.parametrize("shield", [False, True])
def test_a_stall_while_cleaning_up_after_a_cancellation_is_over_at_once_unless_shielded(shield: bool) -> None:  # noqa: FBT001
    async def main(notes: list[str]) -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            try:
                await trio.lowlevel.checkpoint()
            finally:
                with trio.CancelScope(shield=shield):
                    await racewindow.fault_point("clean up")
                    notes.append("cleaned up")
        notes.append(f"at {trio.current_time():g}")

    assert outcomes(main, Stall()) == {"cleaned up at 0", "cleaned up at 30" if shield else "at 0"}


def test_what_has_been_cancelled_is_not_cancelled_again() -> None:
    async def main() -> None:
        async def work() -> None:
            with trio.CancelScope() as scope:
                scope.cancel()
                await racewindow.fault_point("work")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)

    assert offered(main, Cancel()) == offered(main, Expire()) == 0


def test_an_instance_outlives_its_stop_for_as_long_as_the_fault_says() -> None:
    async def main(notes: list[str]) -> None:
        async def writer(_: Instance) -> None:
            try:
                await trio.sleep_forever()
            finally:
                notes.append(f"ended at {trio.current_time():g}")

        async with trio.open_nursery() as nursery:
            supervisor = Supervisor(nursery.start_soon)
            instance = supervisor.start(writer, "writer")
            await trio.sleep(1)
            await supervisor.stop(instance)
            notes.append(f"stopped at {trio.current_time():g}")

    assert outcomes(main, Overlap(seconds=7)) == {"ended at 1 stopped at 1", "stopped at 1 ended at 8"}


def test_an_instance_that_outlives_its_stop_can_be_stopped_again() -> None:
    async def main(notes: list[str]) -> None:
        async with trio.open_nursery() as nursery:
            supervisor = Supervisor(nursery.start_soon)
            instance = supervisor.start(lambda _: trio.sleep_forever(), "writer")
            for _ in range(2):
                await supervisor.stop(instance)
                notes.append("up" if instance.is_up else "down")

    assert outcomes(main, Overlap()) == {"down down", "up down"}


@pytest.mark.parametrize("fault", [Stall(), Pause(), Crash(), Cancel()])
def test_no_other_fault_makes_a_stop_fail(fault: Fault) -> None:
    async def main(notes: list[str]) -> None:
        async with trio.open_nursery() as nursery:
            supervisor = Supervisor(nursery.start_soon)
            instance = supervisor.start(lambda _: trio.sleep_forever(), "writer")
            await supervisor.stop(instance)
            notes.append("up" if instance.is_up else "down")

    assert outcomes(main, fault) == {"down"}
