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

from racewindow._trio_internals import ParkingLot
from racewindow.faults import split_choices
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
    `footprint` has its access codes as keys, in order of first access. What it has at a write is None, `(value,)` where
    a cell was set, or the lock. `clock_read`, `deadlines_add`: the codes of what every sleep does.
    """

    __slots__ = (
        "_cells",
        "_clock",
        "_deadlines",
        "_woken",
        "around",
        "choices",
        "clock_read",
        "closing",
        "current",
        "deadlines_add",
        "footprint",
        "locator",
        "names",
        "number",
        "raw",
        "table",
    )

    def __init__(self, table: KeyTable, locator: Locator) -> None:
        self.table, self.locator = table, locator
        self.footprint: dict[int, Any] = {}
        self.raw: list[_Raw] = []
        self.choices: list[int] = []
        self.current: SimTask | None = None
        self.number = 0
        self.closing = False  # a nursery is: no cancel can keep its parent from going on
        self._cells: set[int] = set()
        self.names: dict[int, tuple[object, int]] = {}
        self.around: dict[CancelStatus | None, dict[int, None]] = {}  # see `scope_codes`; until a scope is moved
        self._woken: list[tuple[int, dict[int, None]]] = []
        self._clock = table.number("clock")
        self._deadlines = table.number("deadlines")
        self.clock_read, self.deadlines_add = self._clock * 3 + READ_CODE, self._deadlines * 3 + ADD_CODE

    # --- names ------------------------------------------------------------------------------------------------------

    def new_name(self, kind: str) -> str:
        """The stable name of an object that the step in progress is creating."""
        task = self.current
        if task is None:
            return f"root:{kind}"
        task.objects_count += 1
        return f"{task.path}:{kind}#{task.objects_count}"

    def new_number(self, kind: str) -> int:
        """The key number of that name."""
        return self.table.number(self.new_name(kind))

    def name(self, thing: object, kind: str) -> int:
        """Name one of trio's objects that the step in progress is creating; returns its key number."""
        number = self.new_number(kind)
        if kind == "CancelScope":
            self.table.scopes |= 1 << number
        self.names[id(thing)] = (thing, number)  # holds the object, so that the address stays its own
        return number

    def rename(self, lot: object, kind: str) -> None:
        """Call a parking lot by the class of the lock that owns it, keeping its number: it reads as the lock."""
        entry = self.names.get(id(lot))
        if entry is not None:
            self.names[id(lot)] = (lot, self.table.renamed(entry[1], kind))

    def made(self, name: str, thing: object) -> None:
        """The step in progress makes a tracked object."""

    def new_cell(self, number: int) -> None:
        """The step in progress makes a cell; two of one name share a key, of which little is known then."""
        table = self.table
        if number in self._cells:
            table.shared.add(number)
            table.blind.discard(number)
            table.sure.discard(number)
        elif number not in table.shared:
            table.blind.add(number)
            table.sure.add(number)
        self._cells.add(number)

    def key(self, thing: object) -> int:
        """The key number of an object; those made outside the execution share one per type, which is sound."""
        entry = self.names.get(id(thing))
        if entry is None:
            entry = (thing, self.table.number(f"outside:{type(thing).__name__}"))
            if isinstance(thing, trio.CancelScope):
                self.table.scopes |= 1 << entry[1]
            self.names[id(thing)] = entry
        return entry[1]

    # --- accesses ---------------------------------------------------------------------------------------------------

    def read(self, thing: object) -> None:
        """The step in progress looks at `thing`."""
        self.footprint[self.key(thing) * 3 + READ_CODE] = None

    def write(self, thing: object) -> None:
        """The step in progress changes `thing`."""
        self.footprint.setdefault(self.key(thing) * 3 + WRITE_CODE)

    def add(self, thing: object) -> None:
        """The step in progress changes `thing` in a way that commutes with itself."""
        self.footprint[self.key(thing) * 3 + ADD_CODE] = None

    def writes_queue(self, queue: Any) -> int:
        """The step in progress takes or gives back a lock or a semaphore; returns the key number of who waits for it.

        What that is then, its owner or value and who waits, is looked at when the step is over.
        """
        lot = queue._lot
        entry = self.names.get(id(lot))
        number = self.key(lot) if entry is None else entry[1]
        self.footprint[number * 3 + WRITE_CODE] = queue
        return number

    def read_clock(self) -> None:
        """The step in progress asks for the time."""
        self.footprint[self.clock_read] = None

    def write_clock(self) -> None:
        """The step in progress moves the clock, as a blocking `time.sleep` does, over whatever deadlines there are."""
        self.footprint[self._deadlines * 3 + READ_CODE] = None
        self.footprint[self._clock * 3 + WRITE_CODE] = None

    def parks(self, task: SimTask) -> None:
        """The step in progress ends in a queue, if that is what it waits in."""
        lot = task.custom_sleep_data
        if isinstance(lot, ParkingLot):
            self.write(lot)
            task.waits_on = lot

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
            self._woken.append((task._counter, self.scope_codes(task)))

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
        self.footprint[self.deadlines_add] = None

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

    def end(self, task: SimTask, now_ns: int, exited: bool) -> None:  # noqa: FBT001  # keywords cost
        """The step is over."""
        self._read_scopes_of_woken()
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
        for deadline, serial, task in deadlines.timers:
            if task.timer == serial and deadline <= runner.now:
                self._read_scopes(task)
        for deadline, _, scope in sorted(deadlines._heap, key=itemgetter(0, 1)):
            if deadline <= runner.now and deadline == scope._registered_deadline:
                self.write(scope)
                for task in _tasks_under(scope._cancel_status):
                    self._read_scopes(task)
                    self.aborted(task)

    def _read_scopes_of_woken(self) -> None:
        if len(self._woken) > 1:  # those that waited for an event are woken in the order of a set
            self._woken.sort(key=itemgetter(0))
        for _, codes in self._woken:
            self.footprint.update(codes)

    def _read_scopes(self, task: SimTask) -> None:
        self.footprint.update(self.scope_codes(task))

    def scope_codes(self, task: SimTask) -> dict[int, None]:
        """A footprint: reads of the cancel scopes around a task, the innermost first. One object for one place."""
        codes = self.around.get(task._cancel_status)
        if codes is None:
            status = task._cancel_status
            codes = self.around[status] = {}
            while status is not None:
                codes[self.key(status._scope) * 3 + READ_CODE] = None
                status = status._parent
        return codes

    def waits_for(self, task: SimTask, *, in_until: bool) -> tuple[int, ...]:
        """What the next step of a task will read at least; see `TrailRecorder.waits_for`."""
        return tuple(self.scope_codes(task))

    # --- afterwards -------------------------------------------------------------------------------------------------

    def trace(self, faults: tuple[str, ...] = ()) -> Trace:
        """Everything recorded, in words; `faults`: the names of those that may strike, in the order of their plan."""
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
                    choices=values,
                    faults=struck,
                )
                for task, number, time_ns, location, codes, choices in self.raw
                for values, struck in [split_choices(choices, faults)]
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
