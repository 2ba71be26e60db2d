"""trio's locks with one coroutine instead of four, as long as nobody else wants them.

Most of what a lock costs under trio is asking, by a function each: which task this is, whether it has been cancelled or
has ended, whether anybody waits. What is not simple (the lock is held, the task is cancelled, there is no execution of
ours) is left to trio. `patches` puts these in place. They note by themselves what they touch.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from racewindow._trio_internals import (
    GLOBAL_PARKING_LOT_BREAKER,
    GLOBAL_RUN_CONTEXT,
    CancelShieldedCheckpoint,
    _sync,
    async_yield,
)
from racewindow.footprint import READ_CODE
from racewindow.runtime.runner import NOTHING
from racewindow.runtime.task import SimTask

LockImpl: Any = _sync._LockImpl
acquire, acquire_nowait, release = LockImpl.acquire, LockImpl.acquire_nowait, LockImpl.release


def lean_enter(self: Any) -> Coroutine[Any, Any, None]:
    """`async with lock`, and whatever else can be acquired, without a coroutine that only awaits another one."""
    acquiring: Coroutine[Any, Any, None] = self.acquire()
    return acquiring


async def lean_acquire(self: Any) -> None:
    """`Lock.acquire`."""
    task = getattr(GLOBAL_RUN_CONTEXT, "task", None)
    held = self._owner is not None or self._lot._parked
    if held or type(task) is not SimTask or task._cancel_status.effectively_cancelled:
        await acquire(self)
        return
    task._cancel_points += 1
    _take(self, task)
    if (answer := await async_yield(CancelShieldedCheckpoint)) is not NOTHING:
        answer.unwrap()


def lean_acquire_nowait(self: Any) -> None:
    """`Lock.acquire_nowait`."""
    task = getattr(GLOBAL_RUN_CONTEXT, "task", None)
    if type(task) is not SimTask:
        acquire_nowait(self)
    elif self._owner is not None or self._lot._parked:
        if task._runner.recording:
            task._runner.recorder.writes_queue(self)
        acquire_nowait(self)
    else:
        _take(self, task)


def _take(lock: Any, task: SimTask) -> None:
    runner = task._runner
    if runner.recording:
        recorder = runner.recorder
        recorder.footprint[recorder.writes_queue(lock) * 3 + READ_CODE] = None
    lock._owner = task
    held = GLOBAL_PARKING_LOT_BREAKER.get(task)
    if held is None:
        GLOBAL_PARKING_LOT_BREAKER[task] = [lock._lot]
    else:
        held.append(lock._lot)


def lean_release(self: Any) -> None:
    """`Lock.release`."""
    task = getattr(GLOBAL_RUN_CONTEXT, "task", None)
    if type(task) is not SimTask:
        release(self)
        return
    runner, lot = task._runner, self._lot
    if self._owner is not task or lot._parked:
        if runner.recording:
            runner.recorder.writes_queue(self)
        release(self)
        return
    if runner.recording:
        recorder = runner.recorder
        recorder.footprint[recorder.writes_queue(self) * 3 + READ_CODE] = None
    held = GLOBAL_PARKING_LOT_BREAKER[task]
    if len(held) == 1:
        del GLOBAL_PARKING_LOT_BREAKER[task]
    else:
        held.remove(lot)
    self._owner = None
