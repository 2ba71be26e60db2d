"""The specialised loop: uniform choice, `processes` semantics, virtual time.

It makes the choices that the general loop would make from the same stream; a test holds them equal.
"""

from __future__ import annotations

from collections.abc import Iterator

import outcome

from racewindow._trio_internals import GLOBAL_RUN_CONTEXT, CancelShieldedCheckpoint
from racewindow.runtime.loop import BLOCKED, FINISHED, LIMIT
from racewindow.runtime.passing import expire, pass_time, pass_time_on_record, sort_tail
from racewindow.runtime.patches import Sleep
from racewindow.runtime.runner import ENDED_WELL, NOTHING, NeedsFullRunner, SimRunner
from racewindow.runtime.step import StopExecution, begin_sleep, error_outcome, holds, interpret, wake_waiter
from racewindow.runtime.task import SimTask


def run_walk(runner: SimRunner, words: Iterator[int], steps_max: int) -> str:
    """Uniform random walk under `processes` semantics and virtual time; returns how it ended.

    The body of `take_step` stands here once more, for speed: a call, and passing around what is in locals here, cost a
    tenth of an execution. `tests/harness/runtime` holds the two loops equal.
    """
    context, runq, waiting, tasks = GLOBAL_RUN_CONTEXT, runner.runq, runner.waiting, runner.tasks
    append, checkpoint, sleep, nothing = runq.append, CancelShieldedCheckpoint, Sleep, NOTHING
    yielded_nothing = object()
    recorder = runner.recorder
    ready: list[SimTask] = []
    seen_version = -1
    serial = 0
    while True:
        if runner.due:
            runner.due = False
            expire(runner, runner.now)
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
            if not (pass_time(runner) if recorder is None else pass_time_on_record(runner)):
                return BLOCKED
            seen_version = -1
            continue
        index = 0
        if count > 1:
            index = next(words) * count >> 16
            if recorder is not None:
                recorder.options *= count
        if index < runnable:
            task = runq[index]
            runq[index] = runq[-1]
            runq.pop()
            before = runnable - 1
        else:
            task = ready.pop(index - runnable)
            wake_waiter(runner, task)
            before = runnable
        if recorder is not None:
            recorder.begin(task)
        # --- take_step
        runner.current = context.task = task
        send, value = task._next_send_fn, task._next_send
        task._next_send_fn = task._next_send = None
        message, final = yielded_nothing, ENDED_WELL
        try:
            message = task.context.run(send, value)
        except StopIteration as stop:
            final = ENDED_WELL if stop.value is None else outcome.Value(stop.value)
        except (NeedsFullRunner, StopExecution):
            raise
        except BaseException as error:  # noqa: BLE001  # whatever it is, it is the task's outcome
            final = error_outcome(error)
        if message is checkpoint:
            task._schedule_points += 1
            task._next_send_fn = task.coro.send
            task._next_send = nothing
            task.custom_sleep_data = None
            append(task)
        elif message is yielded_nothing:
            runner.task_exited(task, final)
            final = value = ENDED_WELL  # see `take_step`: no cycle
        else:
            task._schedule_points += 1
            if message is sleep:
                begin_sleep(runner, task)
            else:
                interpret(runner, task, message)
        task.number += 1
        # --- end of take_step
        if recorder is not None:
            recorder.end(task, 0, task not in tasks)
        if len(runq) - before > 1:
            sort_tail(runq, before)
        runner.step_serial = serial = serial + 1
        if serial >= steps_max:
            return FINISHED if not tasks else LIMIT
        if waiting and waiting[-1] is task and seen_version == runner.version:
            seen_version = -1  # it has just arrived in `until`
