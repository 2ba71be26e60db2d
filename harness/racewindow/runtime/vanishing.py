"""Tasks that end where they stand, as those of a process do that crashes: nothing of theirs runs any more.

A cancel lets `finally` blocks run; a crash does not. A vanished task leaves its nursery, its scopes and the queues that
it waits in, and its coroutine is kept, suspended for ever, until the execution is taken down: then, as with all tasks
that are left, what its `finally` blocks do is not part of the execution.

For the reduction a vanishing is a cancel: it writes the scope that all steps of the tasks read. A task that could have
gone on and now never will has no step that could race with it, so it counts as waiting (`SimRunner.vanished`). One in
`until` counts as waiting for what its predicate reads as well: it may have missed the moment at which that held.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

from racewindow._trio_internals import async_yield
from racewindow.runtime.patches import Vanish
from racewindow.runtime.runner import ENDED_WELL, SimRunner, current_runner
from racewindow.runtime.task import SimTask


def vanish(root: SimTask, scope: Any) -> bool:  # a CancelScope around all that the task does
    """End a task and all that it has begun; False if the step in progress is one of theirs, which has to `go` next."""
    runner: SimRunner = root._runner
    if runner.recording:
        runner.recorder.write(scope)
    if runner.current in set(_subtree(root)):
        runner.vanishing = root
        return False
    bury(runner, root)
    return True


async def go() -> None:
    """The last that a vanishing task does: it does not come back."""
    await async_yield(Vanish)


def is_going() -> bool:
    """Whether the step in progress belongs to a task that has vanished and has to `go`."""
    runner = current_runner()
    return runner is not None and runner.vanishing is not None and not runner.ending


def bury(runner: SimRunner, root: SimTask) -> None:
    """Take a task and all below it out of the execution, children first."""
    runner.vanishing = None
    runner.version += 1  # for who looks at what waits
    for task in list(_subtree(root)):
        codes = runner.recorder.waits_for(task, in_until=task in runner.waiting) if runner.naming else ()
        _stop_waiting(runner, task)
        nurseries, task._child_nurseries = task._child_nurseries, []
        for nursery in nurseries:
            nursery._closed = True
        here = status = task._cancel_status
        while status is not None and status is not task._parent_nursery._cancel_status:
            status._scope.deadline = inf
            status = status._parent
        runner.vanished.append((task, codes))
        runner.task_exited(task, ENDED_WELL)
        task._cancel_status, task._child_nurseries = here, nurseries  # for when it is taken down


def _subtree(root: SimTask) -> Iterator[SimTask]:
    """A task and all below it, children before parents; with a stack of its own, as services may be deep."""
    order, stack = [], [root]
    while stack:
        task = stack.pop()
        order.append(task)
        for nursery in task._child_nurseries:
            stack += nursery._children
    return reversed(order)


def _stop_waiting(runner: SimRunner, task: SimTask) -> None:
    """Whatever it waits for, it waits no more."""
    if task in runner.runq:
        runner.runq.remove(task)
    elif task._abort_func is not None:
        if runner.recording:
            runner.recorder.aborted(task)
        task._abort_func(_never)
    task._abort_func = task._next_send_fn = task._next_send = None


def _never() -> None:
    raise AssertionError
