"""What replaces parts of trio during an execution does what the original does, in the same order of events."""

from __future__ import annotations

import threading
from math import inf, nan

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow.runtime import lean_locks as locks
from racewindow.runtime import patches, primitives
from tests.harness.executions import WAYS, Tap, Way, session, walk
from tests.strategies import Program, Run, as_function, programs

PARTS = {
    "sleep": {"sleep", "sleep_until"},
    "checkpoint": {"checkpoint"},
    "lock": {"acquire", "acquire_nowait", "release", "__aenter__"},
    "enter": {"__enter__"},
    "deadline": {"_might_change_registered_deadline"},
}
"""A replacement -> the attributes that it is put under."""


@pytest.mark.parametrize("part", PARTS)
def test_every_part_named_here_is_replaced(part: str) -> None:
    """If a replacement gets another name, this file has to learn it."""
    assert PARTS[part] <= {name for _, name, _ in patches._PATCHES}


@pytest.mark.parametrize("part", PARTS)
@given(program=programs(), seed=st.integers(0, 1 << 16), way=st.sampled_from(WAYS))
def test_a_lean_part_gives_the_events_of_the_original(part: str, program: Program, seed: int, way: Way) -> None:
    """With trio's own code put back, the same choices lead to the same events at the same times, step for step."""
    runs: list[Run] = []
    taps = []
    for replaced in (patches._PATCHES, tuple(each for each in patches._PATCHES if each[1] not in PARTS[part])):
        taps.append(Tap(walk(seed)))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(patches, "_PATCHES", replaced)
            with session(as_function(program, runs), footprints=False, **way) as running:
                running.run(taps[-1])

    assert runs[0].order == runs[1].order
    assert taps[0].taken == taps[1].taken
    assert taps[0].offered == taps[1].offered


@given(program=programs(), seed=st.integers(0, 1 << 16), way=st.sampled_from(WAYS))
def test_a_lean_lock_notes_what_a_hook_on_the_original_would(program: Program, seed: int, way: Way) -> None:
    """It stands in front of those hooks, so that it has to say by itself what it has looked at and changed."""
    kept = tuple(each for each in patches._PATCHES if each[1] not in PARTS["lock"])
    hooked = [(locks.LockImpl, name, primitives._writes_queue) for name in ("acquire_nowait", "release")]
    digests = []
    for replaced, methods in ((patches._PATCHES, ()), (kept, hooked)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(patches, "_PATCHES", replaced)
            patch.setattr(primitives, "_METHODS", (*primitives._METHODS, *methods))
            with session(as_function(program, []), **way) as running:
                digests.append(running.record(walk(seed)).trace.digest)

    assert digests[0] == digests[1]


def _outcome_of_sleeping(seconds: float, *, until: bool, around: float, cancelled: bool) -> tuple[object, ...]:
    """What one sleep comes to: under which deadline around it, cancelled or not before it starts."""

    async def main() -> tuple[object, ...]:
        with trio.CancelScope(deadline=around) as scope:
            if cancelled:
                scope.cancel()
            try:
                await (trio.sleep_until(seconds) if until else trio.sleep(seconds))
            except ValueError as error:
                return (str(error), trio.current_time())
        return (scope.cancelled_caught, scope.cancel_called, trio.current_time())

    return racewindow.run(main)


@pytest.mark.parametrize("seconds", [0, 1, 2, -1, nan, 1e-300, 1e18, inf])
@pytest.mark.parametrize("until", [False, True])
@pytest.mark.parametrize("around", [1, 2, 5])
@pytest.mark.parametrize("cancelled", [False, True])
def test_a_sleep_ends_as_trio_s_own_does(
    *, seconds: float, until: bool, around: float, cancelled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zero, the past, not a number, for ever, and the very instant of a deadline around it."""
    lean = _outcome_of_sleeping(seconds, until=until, around=around, cancelled=cancelled)
    kept = tuple(each for each in patches._PATCHES if not each[1].startswith("sleep"))
    monkeypatch.setattr(patches, "_PATCHES", kept)
    original = _outcome_of_sleeping(seconds, until=until, around=around, cancelled=cancelled)

    assert lean == original


def test_a_sleeper_that_somebody_else_wakes_is_told_so() -> None:
    """Rescheduling a task that sleeps is an error of whoever does it, as under trio."""

    async def main() -> None:
        async def sleeper() -> None:
            with pytest.raises(RuntimeError, match="rescheduled"):
                await trio.sleep(10)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleeper)
            await trio.testing.wait_all_tasks_blocked()
            (task,) = nursery.child_tasks
            trio.lowlevel.reschedule(task)

    racewindow.run(main)


def test_outside_an_execution_the_originals_run() -> None:
    """Plain trio in another thread, while an execution is in progress here, has its own clock and its own sleep."""
    times: list[float] = []

    async def elsewhere() -> None:
        start = trio.current_time()
        await trio.sleep(0.01)
        await trio.lowlevel.checkpoint()
        with trio.move_on_after(0.01):
            await trio.sleep_forever()
        times.append(trio.current_time() - start)

    with session(elsewhere):
        thread = threading.Thread(target=trio.run, args=(elsewhere,))
        thread.start()
        thread.join()

    assert 0.02 <= times[0] < 5
