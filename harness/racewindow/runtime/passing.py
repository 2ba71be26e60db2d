"""Letting time pass when nothing can run, and the order of what that wakes."""

from __future__ import annotations

import time
from math import inf
from operator import attrgetter

import trio
from trio.testing import MockClock

from racewindow.runtime.runner import SimRunner
from racewindow.runtime.task import SimTask

_spawn_order = attrgetter("_counter")
_real_sleep = time.sleep


def sort_tail(runq: list[SimTask], start: int) -> None:
    """Put what one step, or one instant, made runnable into spawn order: trio keeps waiters in sets."""
    if len(runq) - start > 1:
        runq[start:] = sorted(runq[start:], key=_spawn_order)


def expire(runner: SimRunner, now: float) -> None:
    """Deadlines that have passed strike, and whom they wake stands in spawn order."""
    runq = runner.runq
    before = len(runq)
    runner.deadlines.expire(now)
    if len(runq) - before > 1:
        sort_tail(runq, before)


def wakes_the_idle(runner: SimRunner) -> bool:
    """Whether, if nothing can run, that wakes those who wait for it, before the next deadline comes."""
    if not runner.idle_waiters:
        return False
    deadline = runner.deadlines.next_deadline()
    wait = deadline - runner.now if runner.clock is None else runner.clock.deadline_to_sleep_time(deadline)
    return min(runner.idle_waiters.values()) < wait


def pass_time(runner: SimRunner) -> bool:
    """Nothing can run: wake those who wait for that, or move to the next deadline. False if nothing ever will."""
    runq = runner.runq
    deadline = runner.deadlines.next_deadline()
    if runner.idle_waiters and wakes_the_idle(runner):
        cushion, clock = min(runner.idle_waiters.values()), runner.clock
        if clock is None:
            runner.now += cushion
        elif cushion > 0 and not _stands_still(clock):
            _real_sleep(cushion)
        before = len(runq)
        runner.wake_idle_waiters(cushion)
        sort_tail(runq, before)
        return True
    if deadline == inf:
        return runner.woken_from_outside and answer_outside(runner)
    if runner.clock is not None:
        return _pass_foreign_time(runner, runner.clock, deadline)
    runner.now = max(runner.now, deadline)
    expire(runner, runner.now)
    return True


def pass_time_on_record(runner: SimRunner, *, barrier: bool = True) -> bool:
    """The same as a step of the clock; `barrier`: because nothing could run."""
    runner.recorder.begin_clock()
    passed = pass_time(runner)
    runner.recorder.end_clock(runner, barrier=barrier, passed=passed)
    return passed


def answer_outside(runner: SimRunner) -> bool:
    """Somebody called `run_sync_soon`: wake the task that serves the queue. False if that made nothing runnable."""
    runner.entry_queue.wakeup.wake()  # type: ignore[attr-defined]
    return bool(runner.runq)


def _pass_foreign_time(runner: SimRunner, clock: trio.abc.Clock, deadline: float) -> bool:
    """As `pass_time`, for a clock of the caller's own, which may run in real time."""
    timeout = clock.deadline_to_sleep_time(deadline)
    if runner.clock_autojump_threshold < timeout and isinstance(clock, MockClock):
        earlier = clock.current_time()
        clock._autojump()
        if clock.current_time() == earlier:
            return False
    elif timeout > 0:
        if timeout == inf or _stands_still(clock):
            return False
        _real_sleep(min(timeout, 1.0))
    expire(runner, clock.current_time())
    return True


def _stands_still(clock: trio.abc.Clock) -> bool:
    """Whether waiting in real time would not move the clock."""
    return isinstance(clock, MockClock) and clock.rate == 0
