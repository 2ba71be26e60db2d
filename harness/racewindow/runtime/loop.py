"""The loops: which task takes the next step, and what a step does.

`take_step` resumes one task and interprets what it yields; it is trio's `unrolled_run` from "run this task" to "and
file it away". Around it there are two loops. `run_walk` is the specialised one: uniform choice, `processes` semantics,
nothing recorded. `run_decided` is the general one: any decision function, both semantics, both clocks, instruments and
recording. Given the same draws both make the same choices: a test holds them equal.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from heapq import heappush
from math import inf
from operator import attrgetter
from typing import Any, Final, Protocol

import outcome
from trio.testing import MockClock

from racewindow._trio_internals import (
    CONTEXT_RUN_TB_FRAMES,
    GLOBAL_RUN_CONTEXT,
    CancelShieldedCheckpoint,
    PermanentlyDetachCoroutineObject,
    WaitTaskRescheduled,
)
from racewindow.runtime.patches import Sleep, Until
from racewindow.runtime.runner import ENDED_WELL, NOTHING, NeedsFullRunner, SimRunner
from racewindow.runtime.task import SimTask

FINISHED: Final = "finished"
BLOCKED: Final = "blocked"
LIMIT: Final = "limit"
"""How a loop ends: all tasks ended; some are left and none can ever run; the step limit was reached."""

_spawn_order = attrgetter("_counter")
_path_order = attrgetter("order")
_real_sleep = time.sleep


class StopExecution(BaseException):  # noqa: N818  # a signal, not an error
    """Raised into a step from outside: it ran too long, or the user pressed Ctrl-C."""


class Decide(Protocol):
    """Chooses among the tasks that may step next, and letting time pass."""

    def __call__(self, candidates: list[SimTask], *, may_advance: bool, last: SimTask | None, advances: int) -> int:
        """Index of a candidate, or `len(candidates)` to let time pass, which is offered if `may_advance`.

        `last`: the task that took the previous step; `advances`: clock advances since.
        """


def take_step(runner: SimRunner, task: SimTask) -> None:
    """Resume `task` until its next scheduling point."""
    runner.current = GLOBAL_RUN_CONTEXT.task = task
    send, value = task._next_send_fn, task._next_send
    task._next_send_fn = task._next_send = None
    final: outcome.Outcome[object] | None = None
    message: Any = None
    try:
        message = task.context.run(send, value)  # type: ignore[arg-type]
    except StopIteration as stop:
        final = outcome.Value(stop.value)
    except (NeedsFullRunner, StopExecution):
        raise
    except BaseException as error:  # noqa: BLE001  # whatever it is, it is the task's outcome
        final = _error_outcome(error)
    if final is not None:
        # Outside the `except` blocks: else exceptions would be chained to each other in ways the user did not write.
        runner.task_exited(task, final)
    else:
        task._schedule_points += 1
        if message is CancelShieldedCheckpoint:
            task._next_send_fn = task.coro.send
            task._next_send = NOTHING
            runner.runq.append(task)
        elif message is Sleep:
            begin_sleep(runner, task)
        else:
            interpret(runner, task, message)
    task.number += 1


def _error_outcome(error: BaseException) -> outcome.Error:
    """The outcome of a task that raised, without the frames of the loop."""
    traceback = error.__traceback__
    for _ in range(1 + CONTEXT_RUN_TB_FRAMES):
        if traceback is not None:
            traceback = traceback.tb_next
    return outcome.Error(error.with_traceback(traceback))


def begin_sleep(runner: SimRunner, task: SimTask) -> None:
    deadlines = runner.deadlines
    deadlines.serial = task.timer = deadlines.serial + 1
    heappush(deadlines.timers, (runner.sleep_deadline, task.timer, task))
    task._cancel_points += 1
    task._abort_func = task.drop_timer
    if task._cancel_status.effectively_cancelled:
        task._attempt_delivery_of_any_pending_cancel()


def interpret(runner: SimRunner, task: SimTask, message: Any) -> None:  # noqa: ANN401
    """The rarer messages of a task that has just yielded."""
    if type(message) is WaitTaskRescheduled:
        task._cancel_points += 1
        task._abort_func = message.abort_func
        if task._cancel_status.effectively_cancelled:
            task._attempt_delivery_of_any_pending_cancel()
    elif message is Until:
        task._cancel_points += 1
        task.predicate = runner.until_predicate
        runner.waiting.append(task)
        task._abort_func = task.drop_predicate
        if task._cancel_status.effectively_cancelled:
            task._attempt_delivery_of_any_pending_cancel()
    elif type(message) is PermanentlyDetachCoroutineObject:
        runner.task_exited(task, message.final_outcome)
    else:
        error = TypeError(
            f"trio.run received unrecognized yield message {message!r}. "
            "Are you trying to use a library written for some other framework like asyncio? "
            "That won't work without some kind of compatibility shim."
        )
        runner.reschedule(task, error)
        task._next_send_fn = task.coro.throw  # the foreign library would not unwrap an outcome


def holds(task: SimTask) -> bool:
    """Whether the predicate of a task in `until` holds; one that raises is let through, to raise in its own step."""
    try:
        return bool(task.predicate())  # type: ignore[misc]
    except Exception:  # noqa: BLE001
        return True


def wake_waiter(runner: SimRunner, task: SimTask) -> None:
    """Take a task out of `until`; its next step begins by evaluating the predicate again, as part of its footprint."""
    runner.waiting.remove(task)
    task.predicate = None
    task._abort_func = None
    task._next_send_fn = task.coro.send
    task._next_send = NOTHING


# --- the specialised loop --------------------------------------------------------------------------------------------


def run_walk(runner: SimRunner, words: Iterator[int], steps_max: int) -> str:  # noqa: C901, PLR0912, PLR0915
    """Uniform random walk under `processes` semantics and virtual time; returns how it ended.

    The body of `take_step` stands here once more, for speed: a call, and passing around what is in locals here, cost a
    tenth of an execution. `tests/harness/runtime` holds the two loops equal.
    """
    context, runq, waiting, tasks = GLOBAL_RUN_CONTEXT, runner.runq, runner.waiting, runner.tasks
    append, checkpoint, sleep, nothing, yielded_nothing = runq.append, CancelShieldedCheckpoint, Sleep, NOTHING, object()
    ready: list[SimTask] = []
    seen_version = -1
    serial = 0
    while True:
        if runner.due:
            runner.due = False
            before = len(runq)
            runner.deadlines.expire(runner.now)
            sort_tail(runq, before)
        count = runnable = len(runq)
        if waiting:
            if seen_version != runner.version:
                seen_version = runner.version
                ready = [task for task in waiting if holds(task)]
            elif ready:
                ready = [task for task in ready if task.predicate is not None]
            count += len(ready)
        if count == 0:
            if not tasks:
                return FINISHED
            if not pass_time(runner):
                return BLOCKED
            seen_version = -1
            continue
        index = next(words) * count >> 16 if count > 1 else 0
        if index < runnable:
            task = runq[index]
            runq[index] = runq[-1]
            runq.pop()
            before = runnable - 1
        else:
            task = ready.pop(index - runnable)
            wake_waiter(runner, task)
            before = runnable
        # --- take_step -------------------------------------------------------------------------------------------------
        runner.current = context.task = task
        send, value = task._next_send_fn, task._next_send
        task._next_send_fn = task._next_send = None
        message = yielded_nothing
        try:
            message = task.context.run(send, value)  # type: ignore[arg-type]
        except StopIteration as stop:
            final: outcome.Outcome[object] = ENDED_WELL if stop.value is None else outcome.Value(stop.value)
        except (NeedsFullRunner, StopExecution):
            raise
        except BaseException as error:  # noqa: BLE001  # whatever it is, it is the task's outcome
            final = _error_outcome(error)
        if message is checkpoint:
            task._schedule_points += 1
            task._next_send_fn = task.coro.send
            task._next_send = nothing
            append(task)
        elif message is yielded_nothing:
            runner.task_exited(task, final)
        else:
            task._schedule_points += 1
            if message is sleep:
                begin_sleep(runner, task)
            else:
                interpret(runner, task, message)
        task.number += 1
        # --- end of take_step ------------------------------------------------------------------------------------------
        if len(runq) - before > 1:
            sort_tail(runq, before)
        runner.step_serial = serial = serial + 1
        if serial >= steps_max:
            return FINISHED if not tasks else LIMIT
        if waiting and waiting[-1] is task and seen_version == runner.version:
            seen_version = -1  # it has just arrived in `until`


def sort_tail(runq: list[SimTask], start: int) -> None:
    """Put what one step, or one instant, made runnable into spawn order: trio keeps waiters in sets."""
    if len(runq) - start > 1:
        runq[start:] = sorted(runq[start:], key=_spawn_order)


def pass_time(runner: SimRunner) -> bool:
    """Nothing can run: wake those who wait for that, or move to the next deadline. False if nothing ever will."""
    runq = runner.runq
    if runner.idle_waiters:
        before = len(runq)
        runner.wake_idle_waiters()
        sort_tail(runq, before)
        return True
    if runner.clock is not None:
        return _pass_foreign_time(runner)
    deadline = runner.deadlines.next_deadline()
    if deadline == inf:
        return runner.woken_from_outside and _answer_outside(runner)
    runner.now = max(runner.now, deadline)
    before = len(runq)
    runner.deadlines.expire(runner.now)
    sort_tail(runq, before)
    return True


def _answer_outside(runner: SimRunner) -> bool:
    runner.entry_queue.wakeup.wake()  # type: ignore[attr-defined]
    return bool(runner.runq)


def _pass_foreign_time(runner: SimRunner) -> bool:
    """As `pass_time`, for a clock of the caller's own, which may run in real time."""
    clock, runq, before = runner.clock, runner.runq, len(runner.runq)
    assert clock is not None
    timeout = clock.deadline_to_sleep_time(runner.deadlines.next_deadline())
    if runner.clock_autojump_threshold < timeout and isinstance(clock, MockClock):
        earlier = clock.current_time()
        clock._autojump()
        if clock.current_time() == earlier:
            return False
    elif timeout > 0:
        if timeout == inf or (isinstance(clock, MockClock) and clock.rate == 0):
            return False
        _real_sleep(min(timeout, 1.0))
    runner.deadlines.expire(clock.current_time())
    sort_tail(runq, before)
    return True


# --- the general loop ------------------------------------------------------------------------------------------------


class DecidedLoop:
    """One run of the general loop.

    `batches`: trio's rule, under which every task runnable at the start of a batch steps once before any other.
    `racing`: time may pass at any decision, not only when nothing can run.
    """

    def __init__(self, runner: SimRunner, decide: Decide, *, batches: bool, racing: bool, steps_max: int) -> None:
        self.runner, self.decide, self.steps_max = runner, decide, steps_max
        self.batches, self.racing = batches, racing
        self.batch: list[SimTask] = []
        self.last: SimTask | None = None
        self.advances = 0

    def run(self) -> str:
        """Step until an end; returns how it ended."""
        runner = self.runner
        while True:
            if not self.batch:
                self._between_batches()
            candidates = self._candidates()
            if not candidates:
                if self.batches and (runner.runq or self._open_waiters()):
                    continue
                if not runner.tasks:
                    return FINISHED
                if not pass_time(runner):
                    return BLOCKED
                self.advances += 1
                continue
            task = self._choose(candidates)
            if task is None:
                self._advance_racing()
                continue
            self._step(task)
            if runner.step_serial >= self.steps_max:
                return LIMIT if runner.tasks else FINISHED

    def _between_batches(self) -> None:
        """What trio does once per loop iteration: deadlines, callbacks, a new batch. `processes`: before every step."""
        runner = self.runner
        runq, before = runner.runq, len(runner.runq)
        if runner.woken_from_outside:
            _answer_outside(runner)
        if self.batches and runner._instruments is not None:
            self._announce_io_wait()
        runner.deadlines.expire(runner.current_time())
        sort_tail(runq, before)
        if self.batches:
            self.batch = [*runq, *self._open_waiters()]
            runq.clear()

    def _announce_io_wait(self) -> None:
        instruments = self.runner._instruments
        assert instruments is not None
        for name in ("before_io_wait", "after_io_wait"):
            if name in instruments.data:
                instruments.call(name, 0)

    def _open_waiters(self) -> list[SimTask]:
        return [task for task in self.runner.waiting if holds(task)] if self.runner.waiting else []

    def _candidates(self) -> list[SimTask]:
        if not self.batches:
            return [*self.runner.runq, *self._open_waiters()]
        self.batch = [task for task in self.batch if task.predicate is None or holds(task)]
        return self.batch

    def _choose(self, candidates: list[SimTask]) -> SimTask | None:
        runner = self.runner
        may_advance = self.racing and runner.deadlines.next_deadline() < inf
        index = 0
        if len(candidates) + may_advance > 1:
            index = self.decide(candidates, may_advance=may_advance, last=self.last, advances=self.advances)
        if index == len(candidates):
            return None
        task = candidates[index]
        if task.predicate is not None:
            wake_waiter(runner, task)
            if self.batches:
                self.batch.remove(task)
            return task
        queue = self.batch if self.batches else runner.runq
        queue[index] = queue[-1]
        queue.pop()
        return task

    def _advance_racing(self) -> None:
        runner, before = self.runner, len(self.runner.runq)
        runner.now = max(runner.now, runner.deadlines.next_deadline())
        runner.deadlines.expire(runner.now)
        sort_tail(runner.runq, before)
        self.advances += 1

    def _step(self, task: SimTask) -> None:
        runner = self.runner
        instruments = runner._instruments.data if runner._instruments is not None else {}
        if "before_task_step" in instruments:
            runner._instruments.call("before_task_step", task)  # type: ignore[union-attr]
        before = len(runner.runq)
        if runner.recording:
            recorder = runner.recorder
            assert recorder is not None
            recorder.begin(task)
            try:
                take_step(runner, task)
            finally:
                recorder.end(task, runner.now_ns(), exited=task not in runner.tasks)
        else:
            take_step(runner, task)
        if "after_task_step" in instruments:
            runner._instruments.call("after_task_step", task)  # type: ignore[union-attr]
        sort_tail(runner.runq, before)
        self.last, self.advances = task, 0
        runner.step_serial += 1


def default_index(candidates: list[SimTask], last: SimTask | None) -> int:
    """Option 0: the task that stepped last if it can go on, else the one with the lowest path."""
    if last is not None and last in candidates:
        return candidates.index(last)
    return min(range(len(candidates)), key=lambda index: candidates[index].order)
