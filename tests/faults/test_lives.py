"""What faults of processes do to an instance, to a task and to what they are in the middle of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio

import racewindow
from racewindow import Fault, FaultPlan, StopFault
from racewindow_faults import Cancel, Crash, Expire, Overlap, Pause, Restart, Stall
from tests.faults.stage import Instance

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

    async def body(instance: Instance) -> None:
        notes.append("start" if not instance.memory else "remember")
        instance.memory["started"] = True
        try:
            await racewindow.fault_point("middle")
            notes.append("go on")
        except trio.Cancelled:
            notes.append(f"cancelled at {trio.current_time():g}")
            raise

    instance = Instance("writer", body)
    await instance.run()
    notes.append(f"end at {trio.current_time():g} after {instance.crashes} crashes")


@pytest.mark.parametrize(
    ("fault", "noted"),
    [
        (Crash(), "start cancelled at 0 end at 0 after 1 crashes"),
        (Restart(), "start cancelled at 0 start go on end at 5 after 1 crashes"),
        (Cancel(), "start cancelled at 0 end at 0 after 0 crashes"),
        (Stall(seconds=3), "start go on end at 3 after 0 crashes"),
        (Pause(), "start go on end at 0 after 0 crashes"),
    ],
)
def test_an_instance_that_ends_in_the_middle_of_a_step_does_not_go_on(fault: Fault, noted: str) -> None:
    assert outcomes(serve, fault) == {"start go on end at 0 after 0 crashes", noted}


def test_a_pause_holds_up_all_tasks_of_the_instance_and_nobody_else() -> None:
    async def main(notes: list[str]) -> None:
        async def body(instance: Instance) -> None:
            async def work() -> None:
                await trio.sleep(1)
                await instance.step()
                notes.append(f"{trio.current_time():g}")

            async with trio.open_nursery() as nursery:
                nursery.start_soon(work)
                nursery.start_soon(work)
                await instance.step()

        async def other() -> None:
            await trio.sleep(2)
            notes.append("other")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(Instance("writer", body).run)
            nursery.start_soon(other)

    noted = outcomes(main, Pause(until_seconds=1))
    assert noted == {"1 1 other", "other 30 30"}
    assert outcomes(main, Stall(until_seconds=1)) == {"1 1 other"}, "the other tasks go on"


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
    async def main() -> None:
        async def body(instance: Instance) -> None:
            await racewindow.until(instance.stopping.get)

        async with trio.open_nursery() as nursery:
            instance = Instance("writer-1", body)
            nursery.start_soon(instance.run)
            fault = await racewindow.fault_point("service.stop", service=instance.name)
            if isinstance(fault, StopFault):
                await trio.sleep(fault.lingers())
            await instance.stop()
            assert trio.current_time() < 7

    assert offered(main, Overlap(target="writer-1")) == 2, "here, and in stop"
    result = racewindow.explore(main, strategy="dfs", faults=Overlap(seconds=7), shrink=False)
    assert [each.faults for each in result.failures] == [("in step 0 of main: fault overlap:seconds=7",)]
