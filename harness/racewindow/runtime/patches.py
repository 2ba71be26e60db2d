"""The parts of trio that are replaced while executions run, and put back afterwards.

Each replacement does what the original does, faster or in a fixed order; outside an execution of ours (plain
`trio.run` in another thread, say) the original runs. `tests/harness/runtime/test_lean_parts.py` holds them equal.

* `sleep`, `sleep_until`: one message to the loop instead of a scope, two deadline registrations and an exception.
* `Lock`, and `async with` it or a semaphore: see `lean_locks`.
* `checkpoint`: one coroutine less. `CancelScope.__enter__`: no look at the clock for a scope without a deadline.
* `CancelScope._might_change_registered_deadline`: a small class instead of a generator.
* `CancelStatus.__init__`: ordered sets instead of sets that iterate by address.
* `start_thread_soon` as used by `trio.to_thread.run_sync`: the function runs inline, as part of the step.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import update_wrapper
from heapq import heappush
from math import inf
from typing import TYPE_CHECKING, Any

import outcome
import trio

from racewindow._trio_internals import (
    GLOBAL_RUN_CONTEXT,
    CancelScope,
    CancelShieldedCheckpoint,
    CancelStatus,
    _core,
    _sync,
    _threads,
    _timeouts,
    async_yield,
    cancelled,
    sniffio_library,
)
from racewindow.errors import RealThreadError
from racewindow.runtime import lean_locks as locks
from racewindow.runtime.runner import NOTHING, SimRunner
from racewindow.runtime.task import OrderedSet, SimTask
from racewindow.runtime.world import World, world_of_this_thread
from racewindow.virtual.installing import is_installed
from racewindow.virtual.patching import Ledger
from racewindow.virtual.refusal import patch_methods

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_sleep, _sleep_until = _timeouts.sleep, _timeouts.sleep_until
_checkpoint = trio.lowlevel.checkpoint
_enter = CancelScope.__enter__
_might_change = CancelScope._might_change_registered_deadline
_status_init = CancelStatus.__init__
_start_thread_soon = _threads.start_thread_soon  # type: ignore[attr-defined]
_send_message_to_trio = _threads._send_message_to_trio


class Sleep:
    """Message to the loop: wake this task at `runner.sleep_deadline`. The class itself is the message."""


class Until:
    """Message to the loop: this task is enabled while `runner.until_predicate()` holds."""


class Vanish:
    """Message to the loop: this task, and all that vanish with it, ends here (`racewindow.runtime.vanishing`)."""


class Held:
    """The same of a task that a constraint stops on its way: it goes on with what it was sent. See `runtime.gates`."""


async def lean_sleep_until(deadline: float) -> None:
    """`trio.sleep_until` without a cancel scope.

    Where the original differs from a plain timer: a deadline that is past or not a number takes the original's path; a
    task that somebody else reschedules is an error; and a timeout does not swallow a cancel of an outer scope that
    strikes at the same instant.
    """
    runner = getattr(GLOBAL_RUN_CONTEXT, "runner", None)
    if type(runner) is not SimRunner or not runner.lean_sleep or not runner.now < deadline < inf:
        await _sleep_until(deadline)
        return
    task = runner.current
    assert task is not None
    runner.sleep_deadline = deadline
    if (answer := await async_yield(Sleep)) is not NOTHING:
        answer.unwrap()
    if task.timer or task._cancel_status.effectively_cancelled:
        _not_simply_woken(task)


async def lean_sleep(seconds: float) -> None:
    """`trio.sleep`, with `lean_sleep_until` inlined where it applies."""
    runner = getattr(GLOBAL_RUN_CONTEXT, "runner", None)
    if type(runner) is not SimRunner or not runner.lean_sleep:
        await _sleep(seconds)
        return
    if runner.recording:
        recorder = runner.recorder
        recorder.footprint[recorder.clock_read] = None
    now = runner.now
    deadline = now + seconds
    if not now < deadline < inf:
        await _sleep(seconds)
        return
    task = runner.current
    runner.sleep_deadline = deadline
    if (answer := await async_yield(Sleep)) is not NOTHING:
        answer.unwrap()
    if task.timer or task._cancel_status.effectively_cancelled:  # type: ignore[union-attr]
        _not_simply_woken(task)  # type: ignore[arg-type]


def _not_simply_woken(task: SimTask) -> None:
    """What the end of `move_on_at` does for a sleep that did not just reach its deadline."""
    if task.timer:
        task.timer = 0
        msg = "Should never have been rescheduled!"
        raise RuntimeError(msg)
    raise cancelled("deadline")


async def lean_checkpoint() -> None:
    """`trio.lowlevel.checkpoint` with one coroutine less between the caller and the loop."""
    runner = getattr(GLOBAL_RUN_CONTEXT, "runner", None)
    if type(runner) is not SimRunner:
        await _checkpoint()
        return
    if (answer := await async_yield(CancelShieldedCheckpoint)) is not NOTHING:
        answer.unwrap()
    task = runner.current
    assert task is not None
    task._cancel_points += 1
    if task._cancel_status.effectively_cancelled:
        scope = CancelScope(deadline=-inf)
        scope._cancel_reason = task._cancel_status._scope._cancel_reason
        with scope:
            await trio.lowlevel.wait_task_rescheduled(_abort_at_once)


def _abort_at_once(_raise_cancel: object) -> trio.lowlevel.Abort:
    return trio.lowlevel.Abort.SUCCEEDED


class _DeadlineChange:
    """Context manager: when it ends, the runner's heap knows the scope's deadline again."""

    __slots__ = ("scope",)

    def __init__(self, scope: CancelScope) -> None:
        self.scope = scope

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        scope = self.scope
        old = scope._registered_deadline
        new = inf if scope._cancel_status is None or scope._cancel_called else scope._deadline
        if old != new:
            scope._registered_deadline = new
            runner = GLOBAL_RUN_CONTEXT.runner
            deadlines = runner.deadlines
            if new <= runner.now:
                runner.due = True
            if runner.recording:
                runner.recorder.changes_deadlines()
            if old != inf:
                deadlines._active -= 1
            if new != inf:
                deadlines.serial += 1
                heappush(deadlines._heap, (new, deadlines.serial, scope))
                deadlines._active += 1


def _change_deadline(scope: CancelScope) -> Any:  # one of two context managers
    if type(getattr(GLOBAL_RUN_CONTEXT, "runner", None)) is SimRunner:
        return _DeadlineChange(scope)
    return _might_change(scope)


def _lean_enter(self: CancelScope) -> CancelScope:
    """`CancelScope.__enter__` for a scope without a deadline, such as that of every nursery."""
    runner = getattr(GLOBAL_RUN_CONTEXT, "runner", None)
    if (
        type(runner) is not SimRunner
        or self._has_been_entered
        or self._cancel_called
        or self._deadline != inf
        or self._relative_deadline != inf
    ):
        return _enter(self)
    task = runner.current
    assert task is not None
    self._has_been_entered = True
    parent = task._cancel_status
    self._cancel_status = status = CancelStatus(scope=self, parent=parent)
    if parent is not None:
        parent._tasks.remove(task)
    task._cancel_status = status
    status._tasks.add(task)
    if status.effectively_cancelled:
        task._attempt_delivery_of_any_pending_cancel()
    return self


def _ordered_status_init(
    self: CancelStatus,
    scope: CancelScope,
    effectively_cancelled: bool = False,  # noqa: FBT001, FBT002  # the signature is trio's
    parent: CancelStatus | None = None,
) -> None:
    if type(getattr(GLOBAL_RUN_CONTEXT, "runner", None)) is not SimRunner:
        _status_init(self, scope, effectively_cancelled, parent)
        return
    self._scope = scope
    self.effectively_cancelled = effectively_cancelled
    self._parent = parent
    self._children = OrderedSet()
    self._tasks = OrderedSet()
    self.abandoned_by_misnesting = False
    if parent is not None:
        parent._children.add(self)
        if scope._cancel_called or parent.effectively_cancelled or effectively_cancelled:
            self.recalculate()  # else it would find nothing to change


# --- threads that run inline -----------------------------------------------------------------------------------------


@contextmanager
def _outside_trio(runner: SimRunner) -> Iterator[None]:
    """Make code in this thread see what a worker thread sees: no run, no task. Time and randomness stay virtual.

    Waits that only another thread could end are refused, or the step would not come back.
    """
    context, task = GLOBAL_RUN_CONTEXT, runner.current
    library, sniffio_library.name = sniffio_library.name, None
    context.__dict__.clear()
    context.inline_runner = runner
    waits = Ledger()
    if not is_installed():
        patch_methods(waits, _world, RealThreadError)
    try:
        yield
    finally:
        waits.undo()
        context.__dict__.clear()
        context.runner, context.task = runner, task
        sniffio_library.name = library


def _world() -> World | None:
    return world_of_this_thread(GLOBAL_RUN_CONTEXT)


def _run_inline(
    function: Callable[[], Any], deliver: Callable[[outcome.Outcome[Any]], object], name: str | None = None
) -> None:
    runner = getattr(GLOBAL_RUN_CONTEXT, "runner", None)
    if type(runner) is not SimRunner:
        _start_thread_soon(function, deliver, name)
        return
    with _outside_trio(runner):
        result = outcome.capture(function)
    deliver(result)


def _answer_inline(trio_token: Any, message: Any) -> Any:  # trio's own private types
    context = GLOBAL_RUN_CONTEXT
    runner = getattr(context, "inline_runner", None)
    own_token = trio_token is None or (runner is not None and trio_token is runner.trio_token)
    if runner is None or hasattr(context, "runner") or not own_token:
        return _send_message_to_trio(trio_token, message)  # a real thread, or trio's own error
    if isinstance(message, _threads.Run):
        raise RealThreadError(
            "trio.from_thread.run",
            "call trio.from_thread.run_sync, or do the asynchronous part in the task, before or after the thread: "
            "a thread is run inline, in one step, and cannot wait for another step.",
        )
    context.runner, context.task = runner, runner.current
    library, sniffio_library.name = sniffio_library.name, "trio"
    try:
        return message.unprotected_fn()
    finally:
        del context.runner, context.task
        sniffio_library.name = library


_PATCHES: tuple[tuple[Any, str, Any], ...] = (
    (_timeouts, "sleep", lean_sleep),
    (trio, "sleep", lean_sleep),
    (_timeouts, "sleep_until", lean_sleep_until),
    (trio, "sleep_until", lean_sleep_until),
    (trio.lowlevel, "checkpoint", lean_checkpoint),
    (_core, "checkpoint", lean_checkpoint),
    (_sync.AsyncContextManagerMixin, "__aenter__", locks.lean_enter),
    (locks.LockImpl, "acquire", locks.lean_acquire),
    (locks.LockImpl, "acquire_nowait", locks.lean_acquire_nowait),
    (locks.LockImpl, "release", locks.lean_release),
    (CancelScope, "__enter__", _lean_enter),
    (CancelScope, "_might_change_registered_deadline", _change_deadline),
    (CancelStatus, "__init__", _ordered_status_init),
    (_threads, "start_thread_soon", _run_inline),
    (_threads, "_send_message_to_trio", _answer_inline),
)
for _function, _original in (
    *((lean_sleep, _sleep), (lean_sleep_until, _sleep_until), (lean_checkpoint, _checkpoint)),
    *((locks.lean_acquire, locks.acquire), (locks.lean_acquire_nowait, locks.acquire_nowait)),
    (locks.lean_release, locks.release),
):
    update_wrapper(_function, _original)  # a task that runs it keeps its name


class Patches:
    """Installs the replacements on entry and puts the originals back on exit; nests, also from several threads."""

    _lock = threading.Lock()
    _depth = 0
    _originals: tuple[tuple[Any, str, Any], ...] = ()

    def __enter__(self) -> None:
        with Patches._lock:
            if Patches._depth == 0:
                Patches._originals = tuple((owner, name, owner.__dict__[name]) for owner, name, _ in _PATCHES)
                for owner, name, replacement in _PATCHES:
                    setattr(owner, name, replacement)
            Patches._depth += 1

    def __exit__(self, *_: object) -> None:
        with Patches._lock:
            Patches._depth -= 1
            if Patches._depth == 0:
                for owner, name, original in Patches._originals:
                    setattr(owner, name, original)
