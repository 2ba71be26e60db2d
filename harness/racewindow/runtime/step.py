"""One step: resume a task, and interpret what it yields.

This is trio's `unrolled_run` from "run this task" to "and file it away".
"""

from __future__ import annotations

from heapq import heappush
from typing import Any

import outcome

from racewindow._trio_internals import (
    CONTEXT_RUN_TB_FRAMES,
    GLOBAL_RUN_CONTEXT,
    CancelShieldedCheckpoint,
    PermanentlyDetachCoroutineObject,
    WaitTaskRescheduled,
)
from racewindow.runtime.patches import Held, Sleep, Until, Vanish
from racewindow.runtime.runner import ENDED_WELL, NOTHING, NeedsFullRunner, SimRunner
from racewindow.runtime.task import SimTask


class StopExecution(BaseException):  # a signal, not an error
    """Raised into a step from outside: it ran too long, or the user pressed Ctrl-C."""


def take_step(runner: SimRunner, task: SimTask) -> None:
    """Resume `task` until its next scheduling point."""
    runner.current = GLOBAL_RUN_CONTEXT.task = task
    send, value = task._next_send_fn, task._next_send
    task._next_send_fn = task._next_send = None
    final: outcome.Outcome[object] | None
    try:
        message: Any = task.context.run(send, value)
    except StopIteration as stop:
        # The full form unwraps the outcome of its init task, which can be done to one only once.
        final = ENDED_WELL if stop.value is None and not runner.full else outcome.Value(stop.value)
    except (NeedsFullRunner, StopExecution):
        raise
    except BaseException as error:  # noqa: BLE001  # whatever it is, it is the task's outcome
        final = error_outcome(error)
    else:
        task._schedule_points += 1
        if message is CancelShieldedCheckpoint:
            task._next_send_fn = task.coro.send
            task._next_send = NOTHING
            task.custom_sleep_data = None
            runner.runq.append(task)
            if runner._instruments is not None and "task_scheduled" in runner._instruments.data:
                runner._instruments.call("task_scheduled", task)
        elif message is Sleep:
            begin_sleep(runner, task)
        else:
            interpret(runner, task, message)
        task.number += 1
        return
    # Outside the `except` blocks: else exceptions would be chained to each other in ways the user did not write.
    runner.task_exited(task, final)
    final = value = None  # else a traceback in them, whose frames lead back to this one, would be a cycle
    task.number += 1


def error_outcome(error: BaseException) -> outcome.Error:
    """The outcome of a task that raised, without the frames of the loop."""
    traceback = error.__traceback__
    for _ in range(1 + CONTEXT_RUN_TB_FRAMES):
        if traceback is not None:
            traceback = traceback.tb_next
    return outcome.Error(error.with_traceback(traceback))


def begin_sleep(runner: SimRunner, task: SimTask) -> None:
    """A task yielded `Sleep`: wake it at `runner.sleep_deadline`."""
    if runner.recording:
        recorder = runner.recorder
        recorder.footprint[recorder.deadlines_add] = None
    deadlines = runner.deadlines
    deadlines.serial = task.timer = deadlines.serial + 1
    heappush(deadlines.timers, (runner.sleep_deadline, task.timer, task))
    task._cancel_points += 1
    task._abort_func = task.drop_timer
    if task._cancel_status.effectively_cancelled:
        task._attempt_delivery_of_any_pending_cancel()


def interpret(runner: SimRunner, task: SimTask, message: Any) -> None:
    """The rarer messages of a task that has just yielded."""
    if runner.vanishing is not None:  # it waits, and does not know that it has ended
        message = Vanish
    if type(message) is WaitTaskRescheduled:
        if runner.naming:
            runner.recorder.parks(task)
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
            task.waited_for = None  # it will not go on whatever the predicate says
    elif message is Vanish:
        from racewindow.runtime.vanishing import bury  # which needs what takes steps

        bury(runner, runner.vanishing or task)
    elif message is Held:
        task.predicate = runner.until_predicate
        runner.waiting.append(task)
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
    task.waited_for, task.predicate = task.predicate, None
    task._abort_func = None
    if task._next_send_fn is None:  # it is set if the task was held back on its way
        task._next_send_fn = task.coro.send
        task._next_send = NOTHING
    runner.waiting.remove(task)
