"""Tasks with a stable identity, and the list-like containers whose order does not depend on addresses.

A task is identified by the task that spawned it and that task's own spawn count, never by `id()` or by arrival: the
same task has the same path in every order of events.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Awaitable, Callable, Iterable
from contextvars import Context
from heapq import heapify, heappop, heappush
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from racewindow._trio_internals import GLOBAL_RUN_CONTEXT, CancelReason, Deadlines, Runner, Task

if TYPE_CHECKING:
    from trio import CancelScope
    from trio.lowlevel import Abort

    from racewindow.footprint import Footprint
    from racewindow.runtime.runner import SimRunner

# trio marks `Task` final at run time. We add slots and change no behaviour, which is what the mark is there to protect;
# a side table keyed by task would cost several look-ups per step.
_FORBID_SUBCLASSES = Task.__dict__["__init_subclass__"]
del Task.__init_subclass__


_SLOTS = (
    "child_names",
    "enablers",
    "held",
    "joined",
    "label",
    "number",
    "objects_count",
    "parent",
    "place",
    "predicate",
    "previous",
    "root",
    "spawn_index",
    "tid",
    "timer",
    "touched",
    "waited_for",
    "waits_on",
)


class HeldStep(NamedTuple):
    """A step in which a task only found itself at a gate: its number, and the constraints that had put it there."""

    number: int
    constraints: tuple[object, ...]


class SimTask(Task):  # type: ignore[misc]  # see _trio_internals
    """A trio task that knows its path, its own step number, and what it sleeps or waits for."""

    __slots__ = _SLOTS

    parent: SimTask | None  # the task that spawned it; None for main, init and what nobody spawned
    root: str  # first part of the path of a task without a parent
    spawn_index: int
    child_names: list[str]  # trio's names of the tasks that it has spawned, in order
    objects_count: int
    number: int  # steps finished; while a step is in progress this is its number
    label: str | None  # the name given by the user, if any
    timer: int  # serial number of the pending lean sleep, 0 if none
    predicate: Callable[[], object] | None  # what a task in `until` waits for
    waits_on: Any  # key of the object on which it waits, for footprints; None if unknown
    waited_for: Callable[[], object] | None  # the predicate of the `until` that its next step comes from
    held: tuple[HeldStep, ...]  # unset as long as there is none
    # Filled by a TrailRecorder only:
    tid: int  # number in the TaskTable
    previous: int  # index of its last step, -1 before the first
    enablers: list[int]  # indices of the steps that spawned or woke it, for its next step
    joined: list[int]  # key numbers of the nurseries whose closing it has waited for, likewise
    place: int  # where it is suspended, as a number; 0 if not yet asked for
    touched: Footprint  # what its last step touched

    @property
    def path(self) -> str:
        """`main/0/2`: the third task spawned by the first task spawned by main."""
        parts: list[str] = []
        task: SimTask = self
        while task.parent is not None:
            parts.append(str(task.spawn_index))
            task = task.parent
        return "/".join([task.root, *reversed(parts)])

    @property
    def display(self) -> str:
        """How people call it: the name it was given or that of its function; `name#2` for its parent's second so named.

        For display only: in another order of events the parent may spawn its children otherwise.
        """
        base = self.label if self.label is not None else self.name.rpartition(".")[2]
        if self.parent is None:
            return base
        earlier = self.parent.child_names[: self.spawn_index].count(self.name)
        return f"{base}#{earlier + 1}" if earlier else base

    @property
    def order(self) -> tuple[int, ...]:
        """Sort key by path; numeric, so that the tenth child comes after the ninth."""
        parts: list[int] = []
        task: SimTask = self
        while task.parent is not None:
            parts.append(task.spawn_index)
            task = task.parent
        return tuple(reversed(parts))

    @property
    def pending(self) -> Footprint | None:
        """What its next step will touch, as a guess; see `racewindow.strategy.Task`."""
        guess: Footprint | None = self._runner.recorder.guess(self)
        return guess

    def drop_timer(self, _raise_cancel: object) -> Abort:
        """Abort function of a lean sleep: the heap entry becomes stale."""
        self.timer = 0
        if self._runner.recording:
            self._runner.recorder.changes_deadlines()
        return _ABORT_SUCCEEDED

    def drop_predicate(self, _raise_cancel: object) -> Abort:
        """Abort function of `until`."""
        self.waited_for, self.predicate = self.predicate, None
        runner: SimRunner = self._runner
        runner.waiting.remove(self)
        return _ABORT_SUCCEEDED


Task.__init_subclass__ = _FORBID_SUBCLASSES


def held_steps(task: SimTask) -> tuple[HeldStep, ...]:
    """The steps in which a task found itself at a gate."""
    return getattr(task, "held", ())


_next_count = itertools.count().__next__
_KNOWN_FIELDS = {
    *("_parent_nursery", "coro", "_runner", "name", "context", "_counter", "_ki_protected", "_next_send_fn"),
    *("_next_send", "_abort_func", "custom_sleep_data", "_child_nurseries", "_eventual_parent_nursery"),
    *("_cancel_points", "_schedule_points", "_cancel_status"),
}
assert {each.name for each in attrs.fields(Task)} == _KNOWN_FIELDS, "trio's Task has other fields than this file fills"


def new_task(runner: Runner, coro: Any, nursery: Any, name: str, context: Context, *, ki_protected: bool) -> SimTask:
    """A task with every slot filled; what trio's constructor does, without the two layers of it that cost."""
    task: SimTask = _new(SimTask)
    task._parent_nursery = nursery
    task.coro = coro
    task._runner = runner
    task.name = name
    task.context = context
    task._counter = _next_count()
    task._ki_protected = ki_protected
    task._next_send_fn = task._next_send = task._abort_func = task.custom_sleep_data = None
    task._eventual_parent_nursery = task._cancel_status = None
    task._child_nurseries = []
    task._cancel_points = task._schedule_points = 0
    task.child_names = []
    task.spawn_index = task.objects_count = task.number = task.timer = 0
    task.predicate = task.waits_on = task.waited_for = None
    return task


def name_of(name: object, async_fn: object) -> str:
    """The name that trio gives a task."""
    if name is None:
        name = async_fn
    if isinstance(name, functools.partial):
        name = name.func
    if isinstance(name, str):
        return name
    try:
        return f"{name.__module__}.{name.__qualname__}"  # type: ignore[attr-defined]
    except AttributeError:
        return repr(name)


async def wrap_foreign(coro: Awaitable[Any]) -> Any:
    """A coroutine with a frame, around one from C or Cython that has none."""
    return await coro


_new = object.__new__

from trio.lowlevel import Abort as _Abort  # noqa: E402  # at the end: a name used by methods only

_ABORT_SUCCEEDED = _Abort.SUCCEEDED


class OrderedSet(dict[Any, None]):
    """What trio needs of a set, in insertion order instead of the order of addresses."""

    __slots__ = ()

    def add(self, item: object) -> None:
        """Add `item` at the end, unless it is there."""
        self[item] = None

    def remove(self, item: object) -> None:
        """Remove `item`; KeyError if it is not there."""
        del self[item]

    def update(self, items: Iterable[object]) -> None:  # type: ignore[override]  # a set's, not a dictionary's
        """Add all of `items`."""
        for item in items:
            self[item] = None

    def discard(self, item: object) -> None:
        """Remove `item` if it is there."""
        self.pop(item, None)


_HEAP_SLOTS = ("serial", "timers")


class OrderedDeadlines(Deadlines):  # type: ignore[misc]  # see _trio_internals
    """trio's heap of deadlines with ties broken by registration, not by the address of the scope.

    With `timers`, a second heap for lean sleeps: `(deadline, serial, task)`, stale unless `task.timer == serial`.
    """

    __slots__ = _HEAP_SLOTS

    _heap: list[tuple[float, int, Any]]
    _active: int

    def __init__(self) -> None:
        super().__init__()
        self.serial = 0
        self.timers: list[tuple[float, int, SimTask]] = []

    def add(self, deadline: float, cancel_scope: CancelScope) -> None:
        """Register a scope's deadline."""
        self.serial += 1
        heappush(self._heap, (deadline, self.serial, cancel_scope))
        self._active += 1

    def next_deadline(self) -> float:
        """The earliest deadline of a scope or sleep, or infinity."""
        heap = self._heap
        while heap and heap[0][0] != heap[0][2]._registered_deadline:
            heappop(heap)
        timers = self.timers
        while timers and timers[0][2].timer != timers[0][1]:
            heappop(timers)
        first = heap[0][0] if heap else inf
        return timers[0][0] if timers and timers[0][0] < first else first

    def expire(self, now: float) -> bool:
        """Cancel every scope and wake every sleeper whose deadline is not later than `now`."""
        did_something = False
        timers = self.timers
        while timers and timers[0][0] <= now:
            _, serial, task = heappop(timers)
            if task.timer == serial:
                task.timer = 0
                task._runner.reschedule(task)
                did_something = True
        heap = self._heap
        if not heap:
            return did_something
        if heap[0][0] <= now:
            GLOBAL_RUN_CONTEXT.__dict__.pop("task", None)  # abort functions may ask: no step is in progress
        while heap and heap[0][0] <= now:
            deadline, _, scope = heappop(heap)
            if deadline == scope._registered_deadline:
                did_something = True
                scope._cancel(CancelReason(source="deadline"))
        if len(heap) > self._active * 2 + 1000:
            self._prune_stale()
        return did_something

    def _prune_stale(self) -> None:
        """Drop stale and doubled entries, so that a scope toggling its deadline does not grow the heap for ever."""
        seen: set[CancelScope] = set()
        kept = []
        for entry in self._heap:
            if entry[0] == entry[2]._registered_deadline and entry[2] not in seen:
                seen.add(entry[2])
                kept.append(entry)
        heapify(kept)
        self._heap = kept
