"""The recorder: what each step of one execution touched, where each task stands, and the decisions taken.

It exists only while footprints are on. Objects are named when they are created, by creating task and that task's own
creation count: named at first use, the same lock would have another name in another order of events, and a footprint
stored under one name would silently miss the other.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import trio

from racewindow.footprint import ADD_CODE, READ_CODE, WRITE_CODE, KeyTable
from racewindow.runtime.location import suspended_at
from racewindow.trace import Step, Trace

if TYPE_CHECKING:
    from racewindow._trio_internals import CancelStatus
    from racewindow.runtime.location import Locator
    from racewindow.runtime.task import SimTask

_Raw = tuple["SimTask", int, int, str, tuple[int, ...], tuple[int, ...]]


class Recorder:
    """Footprints and steps of one execution.

    Of the step in progress: `current` is its task (None between steps), `number` its number among that task's own, and
    `footprint` maps its access codes to None, in order of first access.
    """

    __slots__ = (
        "_clock",
        "_deadlines",
        "_names",
        "_woken",
        "choices",
        "closing",
        "current",
        "footprint",
        "locator",
        "number",
        "raw",
        "table",
    )

    def __init__(self, table: KeyTable, locator: Locator) -> None:
        self.table, self.locator = table, locator
        self.footprint: dict[int, None] = {}
        self.raw: list[_Raw] = []
        self.choices: list[int] = []
        self.current: SimTask | None = None
        self.number = 0
        self.closing = False  # a nursery is: no cancel can keep its parent from going on
        self._names: dict[int, tuple[object, int]] = {}
        self._woken: list[tuple[int, list[int]]] = []
        self._clock = table.number("clock")
        self._deadlines = table.number("deadlines")

    # --- names ------------------------------------------------------------------------------------------------------

    def new_name(self, kind: str) -> str:
        """The stable name of an object that the step in progress is creating."""
        task = self.current
        if task is None:
            return f"root:{kind}"
        task.objects_count += 1
        return f"{task.path}:{kind}#{task.objects_count}"

    def name(self, thing: object, kind: str) -> int:
        """Name one of trio's objects that the step in progress is creating; returns its key number."""
        number = self.table.number(self.new_name(kind))
        if kind == "CancelScope":
            self.table.scopes |= 1 << number
        self._names[id(thing)] = (thing, number)  # holds the object, so that the address stays its own
        return number

    def rename(self, thing: object, kind: str) -> None:
        """Call an object by the class that owns it, keeping its number: the lot of a lock reads as the lock."""
        entry = self._names.get(id(thing))
        if entry is not None:
            path, _, rest = self.table.access(entry[1] * 3).key.rpartition(":")
            self._names[id(thing)] = (thing, self.table.number(f"{path}:{kind}#{rest.rpartition('#')[2]}"))

    def key(self, thing: object) -> int:
        """The key number of an object; those made outside the execution share one per type, which is sound."""
        entry = self._names.get(id(thing))
        if entry is None:
            entry = (thing, self.table.number(f"outside:{type(thing).__name__}"))
            if isinstance(thing, trio.CancelScope):
                self.table.scopes |= 1 << entry[1]
            self._names[id(thing)] = entry
        return entry[1]

    # --- accesses ---------------------------------------------------------------------------------------------------

    def read(self, thing: object) -> None:
        """The step in progress looks at `thing`."""
        self.footprint[self.key(thing) * 3 + READ_CODE] = None

    def write(self, thing: object) -> None:
        """The step in progress changes `thing`."""
        self.footprint[self.key(thing) * 3 + WRITE_CODE] = None

    def add(self, thing: object) -> None:
        """The step in progress changes `thing` in a way that commutes with itself."""
        self.footprint[self.key(thing) * 3 + ADD_CODE] = None

    def read_clock(self) -> None:
        """The step in progress asks for the time."""
        self.footprint[self._clock * 3 + READ_CODE] = None

    def write_clock(self) -> None:
        """The step in progress moves the clock, as a blocking `time.sleep` does, over whatever deadlines there are."""
        self.footprint[self._deadlines * 3 + READ_CODE] = None
        self.footprint[self._clock * 3 + WRITE_CODE] = None

    def aborted(self, task: Any) -> None:  # hooks hand in what they have: a trio Task
        """The wait of `task` ends by a cancel: it is taken out of a queue, which is state of what it waited on."""
        thing = task.waits_on if task.waits_on is not None else task.custom_sleep_data
        if isinstance(thing, trio.MemorySendChannel | trio.MemoryReceiveChannel):
            thing = thing._state
        if thing is not None:
            self.write(thing)

    # --- what the runner tells --------------------------------------------------------------------------------------

    def woken(self, task: SimTask) -> None:
        """The step in progress makes another task runnable: whether it was still to be woken depends on its scopes."""
        task.waits_on = None
        if self.current is not None and task is not self.current and not self.closing:
            self._woken.append((task._counter, self._scopes_around(task._cancel_status)))

    def spawned(self, task: SimTask, nursery: Any) -> None:  # a Nursery or the lean root
        """A spawn from outside the nursery races with its closing; from inside it is ordered with it."""
        current = self.current
        if current is None or nursery is None or task.parent is None:
            return
        if current is not getattr(nursery, "_parent_task", current) and current not in nursery._children:
            self.write(nursery)

    def closed(self, nursery: Any) -> None:
        """The step in progress has closed a nursery: its parent goes on after all of its children's exits."""

    def changes_deadlines(self) -> None:
        """The step in progress changes which deadlines there are; whoever moves the clock looks at them."""
        self.footprint[self._deadlines * 3 + ADD_CODE] = None

    def begin_clock(self) -> None:
        """Time passes: what that does is not of any task's step."""

    def end_clock(self, runner: Any, *, barrier: bool, passed: bool = True) -> None:
        """It has, if it could; `barrier`: because nothing could run."""

    def finish(self, runner: Any) -> None:
        """The execution is over, and its tasks still stand."""

    # --- steps ------------------------------------------------------------------------------------------------------

    def begin(self, task: SimTask) -> None:
        """A step of `task` begins; it reads the cancel state of the scopes around it."""
        self.current, self.number = task, task.number
        self.footprint = {}
        self.choices = []
        self._woken = []
        self._read_scopes(task)
        self._ask_again(task)

    def _ask_again(self, task: SimTask) -> None:
        """A task that was cancelled in `until` could have gone on instead, if its state held: so it looks at it."""
        predicate, task.waited_for = task.waited_for, None
        if predicate is not None:
            with suppress(Exception):  # one that raises does so in its own step
                predicate()

    def end(self, task: SimTask, now_ns: int, *, exited: bool) -> None:
        """The step is over."""
        for _, numbers in sorted(self._woken):  # those that waited for an event are woken in the order of a set
            for number in numbers:
                self.footprint[number * 3 + READ_CODE] = None
        if not exited:
            self._read_scopes(task)
        location = "end" if exited else suspended_at(task.coro, self.locator)
        if task.number == self.number:  # cut off, at a place that depends on the machine's speed
            self.footprint, location = {}, "cut off"
        else:
            self._strike(task._runner)
        self.raw.append((task, self.number, now_ns, location, tuple(self.footprint), tuple(self.choices)))
        self.current = None

    def _strike(self, runner: Any) -> None:
        """Deadlines that are past at the end of a step were moved there by it: that counts as a cancel by this step."""
        deadlines = runner.deadlines
        if deadlines.next_deadline() > runner.now:
            return
        for _, serial, task in deadlines.timers:
            if task.timer == serial and _ <= runner.now:
                self._read_scopes(task)
        for deadline, _, scope in sorted(deadlines._heap, key=itemgetter(0, 1)):
            if deadline <= runner.now and deadline == scope._registered_deadline:
                self.write(scope)
                for task in _tasks_under(scope._cancel_status):
                    self._read_scopes(task)
                    self.aborted(task)

    def _read_scopes(self, task: SimTask) -> None:
        for number in self._scopes_around(task._cancel_status):
            self.footprint[number * 3 + READ_CODE] = None

    def _scopes_around(self, status: CancelStatus | None) -> list[int]:
        numbers = []
        while status is not None:
            numbers.append(self.key(status._scope))
            status = status._parent
        return numbers

    # --- afterwards -------------------------------------------------------------------------------------------------

    def trace(self) -> Trace:
        """Everything recorded, in words."""
        names = display_names([task for task, *_ in self.raw])
        return Trace(
            tuple(
                Step(
                    task=task.path,
                    name=names[task.path],
                    number=number,
                    time_ns=time_ns,
                    location=location,
                    accesses=self.table.accesses(codes),
                    choices=choices,
                )
                for task, number, time_ns, location, codes, choices in self.raw
            )
        )


def _tasks_under(status: CancelStatus) -> list[Any]:
    """The tasks that a cancel of the scope of `status` reaches."""
    found = list(status._tasks)
    for child in status._children:
        if not child._scope._shield:
            found += _tasks_under(child)
    return found


def display_names(tasks: list[SimTask]) -> dict[str, str]:
    """Path to display name; where tasks of different parents have the same one, their paths tell them apart."""
    names = {task.path: task.display for task in tasks}
    counts = Counter(names.values())
    return {path: name if counts[name] == 1 else f"{name} [{path}]" for path, name in names.items()}
