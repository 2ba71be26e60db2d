"""The footprint of every operation of trio's primitives, one step each, as `docs/tracking.md` has it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

import racewindow
from racewindow.trace import Step
from tests.harness.executions import Script, session

Action = Callable[[Any], object]


def step_of(setup: Callable[[], Any], action: Action) -> Step:
    """The step in which `action`, awaited if it can be, begins on what `setup` made a step before."""

    async def main() -> None:
        thing = setup()
        with trio.CancelScope() as outer:
            await trio.lowlevel.checkpoint()
            with contextlib.suppress(trio.WouldBlock, trio.EndOfChannel, trio.BrokenResourceError):
                result = action(thing)
                if isinstance(result, Awaitable):
                    with trio.move_on_after(1):
                        await result
            outer.cancel()

    with session(main) as running:
        return running.record(Script([])).trace.steps[1]


def touched(setup: Callable[[], Any], action: Action, *, scopes: bool = False) -> set[str]:
    """The footprint of that step, reads of what it writes aside.

    Without the scopes around the task, which every step reads, and the clock and deadlines, which a timeout touches.
    """
    found = {
        f"{mode} {key.rpartition(':')[2]}"
        for key, mode in step_of(setup, action).accesses
        if scopes or ("Scope" not in key and key not in {"clock", "deadlines"})
    }
    return {each for each in found if each.replace("read", "write") not in found or not each.startswith("read")}


def _held_lock() -> trio.Lock:
    lock = trio.Lock()
    lock.acquire_nowait()
    return lock


def _used_up() -> trio.Semaphore:
    return trio.Semaphore(0)


def _condition() -> trio.Condition:
    condition = trio.Condition()
    condition.acquire_nowait()
    return condition


def _limiter() -> trio.CapacityLimiter:
    return trio.CapacityLimiter(1)


def _set_event() -> trio.Event:
    event = trio.Event()
    event.set()
    return event


@pytest.mark.parametrize(
    ("setup", "action", "footprint"),
    [
        (trio.Lock, lambda lock: lock.acquire(), {"write Lock#1"}),
        (_held_lock, lambda lock: lock.release(), {"write Lock#1"}),
        (trio.Lock, lambda lock: lock.acquire_nowait(), {"write Lock#1"}),
        (trio.Lock, lambda lock: lock.locked(), {"read Lock#1"}),
        (trio.Lock, lambda lock: lock.statistics(), {"read Lock#1"}),
        (trio.StrictFIFOLock, lambda lock: lock.acquire(), {"write StrictFIFOLock#1"}),
        (lambda: trio.Semaphore(1), lambda semaphore: semaphore.acquire(), {"write Semaphore#1"}),
        (_used_up, lambda semaphore: semaphore.acquire(), {"write Semaphore#1"}),
        (_used_up, lambda semaphore: semaphore.acquire_nowait(), {"write Semaphore#1"}),
        (_used_up, lambda semaphore: semaphore.release(), {"write Semaphore#1"}),
        (_used_up, lambda semaphore: semaphore.value, {"read Semaphore#1"}),
        (_used_up, lambda semaphore: semaphore.statistics(), {"read Semaphore#1"}),
        (_limiter, lambda limiter: limiter.acquire(), {"write CapacityLimiter#1"}),
        (_limiter, lambda limiter: limiter.acquire_on_behalf_of_nowait("me"), {"write CapacityLimiter#1"}),
        (_limiter, lambda limiter: limiter.available_tokens, {"read CapacityLimiter#1"}),
        (_limiter, lambda limiter: limiter.borrowed_tokens, {"read CapacityLimiter#1"}),
        (_limiter, lambda limiter: limiter.statistics(), {"read CapacityLimiter#1"}),
        (_limiter, lambda limiter: setattr(limiter, "total_tokens", 3), {"write CapacityLimiter#1"}),
        (trio.lowlevel.ParkingLot, lambda lot: lot.park(), {"write ParkingLot#1"}),
        (trio.lowlevel.ParkingLot, lambda lot: lot.unpark(), {"write ParkingLot#1"}),
        (trio.lowlevel.ParkingLot, lambda lot: lot.unpark_all(), {"write ParkingLot#1"}),
        (trio.lowlevel.ParkingLot, len, {"read ParkingLot#1"}),
        (trio.lowlevel.ParkingLot, bool, {"read ParkingLot#1"}),
        (trio.Event, lambda event: event.wait(), {"add Event#1"}),
        (_set_event, lambda event: event.wait(), {"read Event#1"}),
        (trio.Event, lambda event: event.set(), {"write Event#1"}),
        (_set_event, lambda event: event.set(), {"read Event#1"}),
        (trio.Event, lambda event: event.is_set(), {"read Event#1"}),
        (trio.Event, lambda event: event.statistics(), {"read Event#1"}),
    ],
)
def test_the_footprint_of_a_primitive(setup: Callable[[], Any], action: Action, footprint: set[str]) -> None:
    """One write per operation that may change a queue, a read for a look, an `add` for what commutes with itself."""
    assert touched(setup, action) == footprint


def test_moving_waiters_writes_both_lots() -> None:
    """They leave one queue and join another, as those that `Condition.notify` wakes do."""

    def lots() -> tuple[trio.lowlevel.ParkingLot, trio.lowlevel.ParkingLot]:
        return trio.lowlevel.ParkingLot(), trio.lowlevel.ParkingLot()

    found = touched(lots, lambda both: both[0].repark(both[1]))

    assert found == {"write ParkingLot#1", "write ParkingLot#2"}


def test_the_footprint_of_a_condition() -> None:
    """Waiting leaves the lock and joins the queue; a notice moves a waiter from the queue to that of the lock."""
    wait = touched(_condition, lambda condition: condition.wait())
    notify = touched(_condition, lambda condition: condition.notify())

    assert wait == {"write Lock#1", "write Condition#2"}
    assert notify == {"write Condition#2", "write Lock#1"}


@pytest.mark.parametrize(
    ("action", "footprint"),
    [
        (lambda scope: scope.cancel(), {"write CancelScope#1"}),
        (lambda scope: scope.cancel_called, {"read CancelScope#1"}),
        (lambda scope: setattr(scope, "deadline", 10), {"write CancelScope#1"}),
        (lambda scope: scope.deadline, {"read CancelScope#1"}),
        (lambda scope: setattr(scope, "shield", True), {"write CancelScope#1"}),
        (lambda scope: scope.shield, {"read CancelScope#1"}),
        (lambda scope: scope.__enter__().__exit__(None, None, None), {"read CancelScope#1"}),
    ],
)
def test_the_footprint_of_a_cancel_scope(action: Action, footprint: set[str]) -> None:
    """Its state is read by whoever looks or passes through, and written by whoever cancels or moves it."""
    found = touched(trio.CancelScope, action, scopes=True)

    assert {each for each in found if "#1" in each} == footprint


def test_a_second_cancel_only_looks() -> None:
    """It changes nothing."""

    def cancelled() -> trio.CancelScope:
        scope = trio.CancelScope()
        scope.cancel()
        return scope

    assert "read CancelScope#1" in touched(cancelled, lambda scope: scope.cancel(), scopes=True)
    assert "write CancelScope#1" not in touched(cancelled, lambda scope: scope.cancel(), scopes=True)


@pytest.mark.parametrize(
    "look",
    [lambda: trio.current_time(), lambda: time.time(), lambda: time.monotonic_ns()],  # noqa: PLW0108  # by name
)
def test_a_look_at_the_clock_reads_it(look: Callable[[], object]) -> None:
    """Under a racing clock it matters when that is."""
    accesses = step_of(lambda: None, lambda _: look()).accesses

    assert ("clock", "read") in [tuple(each) for each in accesses]


def test_a_blocking_sleep_writes_the_clock() -> None:
    """All who look at it later see another time."""
    accesses = step_of(lambda: None, lambda _: time.sleep(1)).accesses

    assert ("clock", "write") in [tuple(each) for each in accesses]


# --- between tasks ---------------------------------------------------------------------------------------------------


def steps(main: Callable[[], Awaitable[None]], *options: str) -> dict[tuple[str, int], set[str]]:
    """The footprints of an execution whose first decisions are given, by task and step."""
    with session(main) as running:
        execution = running.record(Script(options))
    return {
        (step.task, step.number): {f"{mode} {key}" for key, mode in step.accesses if key != "outside:CancelScope"}
        for step in execution.trace.steps
    }


def test_a_cancel_writes_what_the_cancelled_task_waited_on() -> None:
    """It is taken out of a queue: of a lot, an event, a channel."""

    async def main() -> None:
        lot, event, (_, receive) = trio.lowlevel.ParkingLot(), trio.Event(), trio.open_memory_channel[int](0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lot.park)
            nursery.start_soon(event.wait)
            nursery.start_soon(receive.receive)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()

    found = steps(main)[("main", 1)]

    assert {"write main:ParkingLot#1", "write main:Event#2", "write main:Channel#3"} <= found


@pytest.mark.parametrize("how", ["deadline", "sleep"])
def test_a_step_that_makes_a_deadline_strike_counts_as_the_canceller(how: str) -> None:
    """Moving the deadline into the past or moving the clock past it: the cancellation follows before any other step."""

    async def main() -> None:
        lock, scope = trio.Lock(), trio.CancelScope(deadline=5)
        lock.acquire_nowait()

        async def waiter() -> None:
            with scope:
                await lock.acquire()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(waiter)
            await trio.testing.wait_all_tasks_blocked()
            if how == "deadline":
                scope.deadline = 0
            else:
                time.sleep(6)

    found = steps(main)[("main", 1)]

    assert {"write main:Lock#1", "write main:CancelScope#2"} <= found


def test_waking_a_task_reads_the_scopes_around_it() -> None:
    """Whether it was still to be woken depends on them."""

    async def main() -> None:
        event = trio.Event()

        async def waiter() -> None:
            with trio.CancelScope():
                await event.wait()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(waiter)
            await trio.testing.wait_all_tasks_blocked()
            event.set()

    assert "read main/0:CancelScope#1" in steps(main)[("main", 1)]


def test_every_step_reads_the_scopes_around_its_task_at_its_start_and_at_its_end() -> None:
    """A cancellation of any of them would have changed it."""

    async def main() -> None:
        with trio.CancelScope():
            await trio.lowlevel.checkpoint()
        with trio.CancelScope():
            await trio.lowlevel.checkpoint()

    assert steps(main) == {
        ("main", 0): {"read main:CancelScope#1"},
        ("main", 1): {"read main:CancelScope#1", "read main:CancelScope#2"},
        ("main", 2): {"read main:CancelScope#2"},
    }


async def _leaves() -> None:
    """A child that ends at once."""


async def _fails() -> None:
    raise ValueError


def test_children_that_end_add_to_their_nursery() -> None:
    """In either order of two exits the parent has one more step to do: they commute, and so does the parent's end."""

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_leaves)
            nursery.start_soon(_leaves)

    found = steps(main)
    scope, nursery = "read main:CancelScope#1", "add main:Nursery#2"

    assert found["main/0", 0] == found["main/1", 0] == {scope, nursery}
    assert nursery in found["main", 0]


def test_a_child_that_fails_writes_its_nursery_and_cancels_it() -> None:
    """Its exception joins the list, whose order can be seen, and its siblings are cancelled."""

    async def main() -> None:
        with contextlib.suppress(ExceptionGroup):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_fails)

    found = steps(main)["main/0", 0]

    assert {"write main:Nursery#2", "add main:Nursery#2", "write main:CancelScope#1"} <= found


def test_a_spawn_is_an_access_only_from_outside_the_nursery() -> None:
    """From inside it is ordered with the nursery's closing; from outside it may come too late."""

    async def main() -> None:
        async def spawn(nursery: trio.Nursery) -> None:
            nursery.start_soon(_leaves)

        async with trio.open_nursery() as outer, trio.open_nursery() as inner:
            inner.start_soon(spawn, inner)
            outer.start_soon(spawn, inner)
            await trio.lowlevel.checkpoint()

    found = steps(main, "main/1")
    inner = "main:Nursery#4"

    assert f"write {inner}" not in found["main/0", 0]
    assert f"write {inner}" in found["main/1", 0]
    assert f"write {inner}" not in found["main", 0]


def test_a_look_at_the_children_reads_the_nursery() -> None:
    """It is another before and after a child has ended."""

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_leaves)
            await trio.lowlevel.checkpoint()
            assert len(nursery.child_tasks) < 2

    assert "read main:Nursery#2" in steps(main)["main", 1]


def test_start_soon_of_a_wait_is_an_access_of_the_child_not_of_the_parent() -> None:
    """`nursery.start_soon(event.wait)` calls the method in the parent's step, and runs it in the child's."""

    async def main() -> None:
        event = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(event.wait)
            await trio.lowlevel.checkpoint()
            await trio.lowlevel.checkpoint()
            event.set()

    found = steps(main, "main/0")

    assert not [each for each in found["main", 0] if "Event" in each]
    assert "add main:Event#1" in found["main/0", 0]


def test_objects_made_outside_the_execution_share_a_key_per_type() -> None:
    """Merging keys is sound; their state survives from one execution to the next and is the user's business."""
    one, two = trio.Event(), trio.Event()

    async def main() -> None:
        one.is_set()
        await trio.lowlevel.checkpoint()
        two.is_set()
        racewindow.choose("a")

    assert steps(main) == {("main", 0): {"read outside:Event"}, ("main", 1): {"read outside:Event"}}


def test_nothing_is_hooked_outside_of_recorded_executions() -> None:
    """What footprints need is put in for an execution on the record, and taken out again."""
    before = {cls: dict(vars(cls)) for cls in (trio.Lock, trio.Event, trio.CancelScope, trio.Nursery, trio.Semaphore)}

    async def main() -> None:
        async with trio.Lock():
            pass

    assert touched(trio.Lock, lambda lock: lock.acquire()) == {"write Lock#1"}
    racewindow.explore(main, schedules=2, strategy="random")

    assert {cls: dict(vars(cls)) for cls in before} == before
