"""The runner: trio's `Runner` with the parts that an execution does not need made only when they are asked for.

Two forms. The *lean* runner has no init task, no system nursery, no entry queue and no instruments: making these is
most of what a `trio.run` costs. The *full* one runs trio's own `init`. Whatever only the full one can do raises
`NeedsFullRunner` in the lean one, and the execution starts again from the beginning, full, under the same schedule;
both make the same decisions at the same places.
"""

from __future__ import annotations

from contextvars import Context, copy_context
from inspect import CO_COROUTINE
from math import inf
from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn

import outcome
import trio

from racewindow._trio_internals import (
    GLOBAL_PARKING_LOT_BREAKER,
    GLOBAL_RUN_CONTEXT,
    NO_SEND,
    AsyncGenerators,
    CancelReason,
    EntryQueue,
    Instruments,
    Runner,
    coroutine_or_error,
    enable_ki_protection,
)
from racewindow.runtime.stand_ins import VIRTUAL_CLOCK, LooseWakeup, OrderedAsyncGenerators, VirtualIO
from racewindow.runtime.task import OrderedDeadlines, OrderedSet, SimTask, name_of, new_task, wrap_foreign

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from trio.abc import Clock, Instrument


class NeedsFullRunner(BaseException):  # a signal to the loop, not an error
    """Raised inside a lean execution by whatever only a full runner has."""


class _Nothing:
    """Stands for `outcome.Value(None)`, which can be unwrapped only once and so cannot be shared."""

    __slots__ = ()

    def unwrap(self) -> None:
        """The answer to a bare wake-up."""


NOTHING: Any = _Nothing()


_SLOTS = (
    *("_asyncgens", "_entry_queue", "_instruments", "_system_context", "current", "driven", "due"),
    *("effects", "ending", "full", "generators", "idle_waiters", "lean_sleep", "naming", "now"),
    *("outside_count", "racing", "recorder", "recording", "sleep_deadline", "step_serial"),
    *("time_was_read", "until_predicate", "vanished", "vanishing", "version", "waiting", "wants_full"),
    *("woken_from_outside", "world"),
)
"""Our own; not a literal in the class, because a checker that sees one does not believe in the inherited ones."""


class SimRunner(Runner):  # type: ignore[misc]  # see _trio_internals
    """See the module's docstring. Slots that trio's class declares keep their meaning."""

    __slots__ = _SLOTS

    runq: list[SimTask]
    tasks: OrderedSet
    deadlines: OrderedDeadlines
    clock: Clock | None
    init_task: SimTask | None
    main_task: SimTask | None
    main_task_outcome: outcome.Outcome[object] | None
    _locals: dict[Any, object]

    def __init__(  # the base class would make a socket pair, a sorted dict, instruments
        self, *, clock: Clock | None, full: bool, strict_exception_groups: bool, instruments: Sequence[Instrument] = ()
    ) -> None:
        self.clock = clock
        self.now = 0.0
        self.driven = False  # steps are being taken, so a watchdog may stop them; not while their end is tidied up
        self.due = False  # a deadline may have passed without the loop having moved the clock
        self.lean_sleep = clock is None
        self.io_manager = self.ki_manager = _VIRTUAL_IO  # no descriptors; Ctrl-C is not ours
        self.strict_exception_groups = strict_exception_groups
        self._locals = {}
        self.runq = []
        self.tasks = OrderedSet()
        self.deadlines = OrderedDeadlines()
        self.init_task = self.system_nursery = self.main_task = self.main_task_outcome = self.trio_token = None
        self.clock_autojump_threshold = inf
        self.is_guest = self.guest_tick_scheduled = self.ki_pending = False
        self.full = full
        self.wants_full = False
        self.generators: list[Any] = []  # weak references to async generators, in order of their first use
        self._entry_queue: EntryQueue | None = None
        self._asyncgens: AsyncGenerators | None = None
        self._instruments: Instruments | None = Instruments(instruments) if full else None
        self._system_context: Context | None = None
        self.waiting: list[SimTask] = []  # tasks in `until`, in order of arrival
        self.idle_waiters: dict[SimTask, float] = {}  # tasks in `wait_all_tasks_blocked` and their cushions
        self.version = 0  # grows with every write to tracked state
        self.effects = 0  # grows with what no footprint shows: a task started, an event emitted, a number drawn
        self.naming = False  # there is a recorder, that names what is made and knows who woke whom
        self.recording = False  # and it notes accesses as well: not while it repeats steps that are known
        self.racing = self.time_was_read = False
        self.recorder: Any = None  # a Recorder while `naming`
        self.current: SimTask | None = None
        self.sleep_deadline = inf
        self.until_predicate: Callable[[], object] | None = None
        self.step_serial = 0
        self.outside_count = 0
        self.woken_from_outside = False
        self.world: Any = None
        self.vanished: list[tuple[SimTask, tuple[int, ...]]] = []  # and the scopes that they would look at
        self.vanishing: SimTask | None = None  # the step in progress is of a task that does, below this one
        self.ending = False  # what is left is taken down

    def record_by(self, recorder: Any) -> None:
        """Put the execution on the record, or with None take it off."""
        self.recorder = recorder
        self.recording = self.naming = recorder is not None

    # --- what is made only when asked for ---------------------------------------------------------------------------

    def ask_for_full(self) -> NoReturn:
        """End this lean execution; it runs again in full. The flag holds even if user code swallows the signal."""
        self.wants_full = True
        raise NeedsFullRunner

    @property
    def instruments(self) -> Instruments:
        """trio's instruments; the lean runner has none."""
        if self._instruments is None:
            self.ask_for_full()
        return self._instruments

    @property
    def entry_queue(self) -> EntryQueue:
        """trio's entry queue with a wake-up that needs no socket."""
        if not self.full:
            self.ask_for_full()
        if self._entry_queue is None:
            self._entry_queue = EntryQueue(wakeup=LooseWakeup(self))  # type: ignore[arg-type]
        return self._entry_queue

    @property
    def asyncgens(self) -> AsyncGenerators:
        """trio's bookkeeping of async generators, in order of creation."""
        if not self.full:
            self.ask_for_full()
        if self._asyncgens is None:
            self._asyncgens = OrderedAsyncGenerators()
        return self._asyncgens

    @property
    def system_context(self) -> Context:
        """The context of system tasks: a copy of what surrounds the run."""
        if self._system_context is None:
            self._system_context = copy_context()
        return self._system_context

    def current_root_task(self) -> SimTask | None:
        """trio's init task."""
        if not self.full:
            self.ask_for_full()
        return self.init_task

    def spawn_system_task(self, *args: Any, **kwargs: Any) -> SimTask:  # trio's own signature
        """trio's system tasks live in a nursery that only the full runner has."""
        if not self.full:
            self.ask_for_full()
        task: SimTask = super().spawn_system_task(*args, **kwargs)
        return task

    # --- time -------------------------------------------------------------------------------------------------------

    def current_time(self) -> float:
        """Virtual seconds since the start, or what the caller's own clock says."""
        self.time_was_read = True
        if self.recording:
            self.recorder.read_clock()
        return self.clock_seconds()

    def clock_seconds(self) -> float:
        """The same for the runtime itself: nobody in the program has asked."""
        return self.now if self.clock is None else self.clock.current_time()

    def current_clock(self) -> Clock:
        """The caller's clock, or one that reads virtual time."""
        return VIRTUAL_CLOCK if self.clock is None else self.clock

    def now_ns(self) -> int:
        """Virtual time in integer nanoseconds."""
        return round((self.now if self.clock is None else self.clock.current_time()) * 1_000_000_000)

    # --- tracked objects --------------------------------------------------------------------------------------------

    def name_of_new(self, name: str | None, kind: str, thing: object) -> str:
        """The stable name of a tracked object that the step in progress makes; asked only while recording."""
        word: str = self.recorder.new_name(kind) if name is None else name
        self.recorder.made(word, thing)
        return word

    def key_of_new(self, name: str | None, kind: str, thing: object) -> int:
        """The same as a key number."""
        number: int = self.recorder.table.number(self.name_of_new(name, kind, thing))
        if kind == "Cell":
            self.recorder.new_cell(number)
        return number

    # --- tasks ------------------------------------------------------------------------------------------------------

    def reschedule(self, task: SimTask, next_send: Any = NO_SEND) -> None:
        """Make a blocked task runnable. See `trio.lowlevel.reschedule`."""
        assert task._runner is self
        assert task._next_send_fn is None
        task._next_send_fn = task.coro.send
        task._next_send = NOTHING if next_send is NO_SEND else next_send
        task._abort_func = None
        task.custom_sleep_data = None
        self.runq.append(task)
        if self.naming:
            self.recorder.woken(task)
        if self._instruments is not None and "task_scheduled" in self._instruments.data:
            self._instruments.call("task_scheduled", task)

    def spawn_impl(
        self,
        async_fn: Callable[..., Awaitable[object]],
        args: tuple[Any, ...],
        nursery: Any,  # a Nursery, or the lean root that stands for one
        name: object,
        *,
        system_task: bool = False,
        context: Context | None = None,
    ) -> SimTask:
        """Make a task; the same steps in the same order as trio's."""
        if nursery is not None and nursery._closed:
            if self.recording:
                self.recorder.read(nursery)
            msg = "Nursery is closed to new arrivals"
            raise RuntimeError(msg)
        if context is None:
            context = self.system_context.copy() if system_task else copy_context()
        label = name if type(name) is str else None
        if type(async_fn) is FunctionType and async_fn.__code__.co_flags & CO_COROUTINE:
            coro: Any = context.run(async_fn, *args)
            full_name = label or f"{async_fn.__module__}.{async_fn.__qualname__}"
        else:  # trio's helper has the helpful errors, and costs as much as the rest of this method
            coro = context.run(coroutine_or_error, async_fn, *args)
            full_name = ""
            if getattr(coro, "cr_frame", None) is None:
                coro = wrap_foreign(coro)
        if not full_name or (label is None and name is not None):
            full_name = name_of(name, async_fn)
        task = new_task(self, coro, nursery, full_name, context, ki_protected=system_task)
        task.label = label
        parent = self.current
        if self.main_task is not None and parent is not None:
            task.parent, task.root = parent, ""
            siblings = parent.child_names
            task.spawn_index = len(siblings)
            siblings.append(full_name)
        else:
            self._identify_root(task)
        self.effects += 1
        self.tasks[task] = None
        if nursery is not None:
            nursery._children.add(task)
            task._cancel_status = status = nursery._cancel_status
            status._tasks[task] = None
        if self.naming:
            self.recorder.spawned(task, nursery)
        if self._instruments is not None:
            if "task_spawned" in self._instruments.data:
                self._instruments.call("task_spawned", task)
            self.reschedule(task, None)
        else:
            task._next_send_fn = coro.send
            self.runq.append(task)
        return task

    def _identify_root(self, task: SimTask) -> None:
        """Name a task that main or one of its descendants did not spawn."""
        parent = self.current
        task.parent, task.root = None, ""
        if self.full and self.init_task is None:
            task.root = "init"
        elif self.main_task is None and (not self.full or parent is self.init_task):
            task.root = "main"
        elif parent is None:
            task.root = f"outside{self.outside_count}"
            self.outside_count += 1
        else:
            task.parent, task.spawn_index = parent, len(parent.child_names)
            parent.child_names.append(task.name)

    def task_exited(self, task: SimTask, result: outcome.Outcome[object]) -> None:
        """Take a finished task out of its nursery; trio's method, which looks at instruments, is for the full form."""
        if self.full:
            super().task_exited(task, result)
            return
        if task._child_nurseries or task in GLOBAL_PARKING_LOT_BREAKER or task._cancel_status.abandoned_by_misnesting:
            result = self._exited_in_disorder(task, result)
        task._cancel_status._tasks.remove(task)
        task._cancel_status = None  # as trio's method leaves it
        del self.tasks[task]
        if task is self.main_task:
            self.main_task_outcome = result
            result = ENDED_WELL
        nursery = task._parent_nursery
        if result is not ENDED_WELL or nursery._closed or self.naming:
            nursery._child_finished(task, result)
            return
        nursery._children.remove(task)  # `_child_finished` and what it calls, for a child that returned nothing
        if not (nursery._children or nursery._nested_child_running or nursery._pending_starts):
            nursery._closed = True
            if nursery._parent_waiting_in_aexit:
                nursery._parent_waiting_in_aexit = False
                self.reschedule(nursery._parent_task)

    def _exited_in_disorder(self, task: SimTask, result: outcome.Outcome[object]) -> outcome.Outcome[object]:
        """A task that ends inside its own nursery or scope, or holding a lock; as in trio's `Runner.task_exited`."""
        for nursery in task._child_nurseries:
            nursery.cancel_scope._cancel(
                CancelReason(
                    source="nursery",
                    reason="Parent Task exited prematurely, abandoning this nursery without exiting it properly.",
                    source_task=repr(task),
                )
            )
            nursery._closed = True
        for lot in GLOBAL_PARKING_LOT_BREAKER.pop(task, ()):
            lot.break_lot(task)
        status = task._cancel_status
        if not task._child_nurseries and not (status.abandoned_by_misnesting and status.parent is None):
            return result
        reason = "Nursery" if task._child_nurseries else "Cancel scope"
        msg = f"{reason} stack corrupted: {reason} surrounding {task!r} was closed before the task exited"
        try:
            raise RuntimeError(msg)  # noqa: TRY301  # raised to get a traceback, as trio does
        except RuntimeError as error:
            if isinstance(result, outcome.Error):
                error.__context__ = result.error
            return outcome.Error(error)

    @enable_ki_protection
    async def wait_all_tasks_blocked(self, cushion: float = 0.0) -> None:
        """See `trio.testing.wait_all_tasks_blocked`; the shortest cushion wakes first, equal ones together."""
        task: SimTask = trio.lowlevel.current_task()  # type: ignore[assignment]
        self.idle_waiters[task] = cushion

        def abort(_: object) -> trio.lowlevel.Abort:
            del self.idle_waiters[task]
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    def wake_idle_waiters(self, shortest: float) -> None:
        """Wake those in `wait_all_tasks_blocked` with the shortest cushion."""
        for task in [t for t, cushion in self.idle_waiters.items() if cushion == shortest]:
            del self.idle_waiters[task]
            self.reschedule(task)


ENDED_WELL: Any = outcome.Value(None)
"""The outcome of every task that returns None; trio never unwraps the outcome of a child, and neither do we."""
_VIRTUAL_IO: Any = VirtualIO()


def current_runner() -> SimRunner | None:
    """The runner of the execution in this thread, or None: asked by type, because plain trio has one of its own."""
    runner = getattr(GLOBAL_RUN_CONTEXT, "runner", None) or getattr(GLOBAL_RUN_CONTEXT, "inline_runner", None)
    return runner if type(runner) is SimRunner else None
