"""The recorder of trails: footprints and happens-before of an execution, in numbers, as cheaply as they can be had.

What a search needs of every execution; `Recorder`, its base, is for the few that a person is shown. Where each task
stands is left out, and so are all words. Happens-before is computed while the execution goes on, from the last
accesses to each key and from edges that are not races: program order, spawning, waking, the closing of a nursery, and
time that passed because nothing could run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from racewindow.causality import Causality
from racewindow.footprint import NO_FOOTPRINT, READ_CODE, WRITE_CODE, Footprint, KeyTable
from racewindow.runtime.recorder import Recorder
from racewindow.runtime.stillness import Stance, is_in_a_loop, same, stance_of
from racewindow.trail import (
    CLOCK_TASK,
    MARK_MASK,
    NO_VALUES,
    KeyState,
    Row,
    State,
    Stride,
    TaskTable,
    Trail,
    mixed,
    number_of_trace,
)

if TYPE_CHECKING:
    from racewindow.runtime.location import Locator
    from racewindow.runtime.runner import SimRunner
    from racewindow.runtime.task import SimTask

_NOTHING: list[int] = []
_NO_SCOPES: dict[int, None] = {}
_PLAIN = frozenset({int, bool, str, type(None)})
"""Values of these types are all there is to them: equal ones of one type can take each other's place."""


class _Clock:
    """Stands for a task while time passes."""

    def __init__(self) -> None:
        self.tid = CLOCK_TASK
        self.previous = -1
        self.enablers: list[int] = []
        self.joined: list[int] = []
        self.waits_on = self.waited_for = None
        self.number = 0
        self.touched = NO_FOOTPRINT


class Tables:
    """What the recorders of one exploration share: numbers of keys and tasks, and what was learned about steps."""

    def __init__(self) -> None:
        self.keys = KeyTable()
        self.tasks = TaskTable()
        self.guesses: dict[tuple[int, int], Footprint] = {}
        self.places: dict[tuple[int, ...], int] = {}
        self.made: dict[tuple[int, str, int], int] = {}
        self.free: dict[tuple[int, int], int] = {}


class TrailRecorder(Recorder):
    """See the module's docstring.

    `prefix`: steps that are known from an earlier execution, and `keys`: the state of keys after them. While these are
    repeated only names and edges are kept. `looks_ahead`: learn what tasks touch next, by where they are suspended.
    """

    __slots__ = (
        *("_clock_codes", "_clock_footprint", "_effects", "_goes_back", "_joins_next", "_looks_ahead"),
        *("_scopes_before", "_stance", "blocked", "blocking", "by_number", "causality", "clock", "index", "known"),
        *("options", "parked", "places", "rows", "spun", "tables"),
    )

    def __init__(
        self,
        tables: Tables,
        locator: Locator,
        *,
        prefix: Sequence[Stride] = (),
        keys: dict[int, KeyState] | None = None,
        looks_ahead: bool = False,
    ) -> None:
        super().__init__(tables.keys, locator)
        self.tables = tables
        self.known = len(prefix)
        self.causality = Causality(tables.keys, prefix, keys)
        self._goes_back = self.causality.goes_back
        self.by_number: dict[int, SimTask] = {}
        self.rows: list[Row] = []
        self.index = 0  # of the step in progress, or of the next one
        self.blocking = False
        self._scopes_before = _NO_SCOPES
        self.blocked: list[tuple[int, int, tuple[int, ...]]] = []  # at the end: see `Causality.pending`
        self.parked: dict[int, int] = {}
        """Tasks that spin, by number -> the keys that they have read, none of which has been written since."""
        self.spun = False  # whether any has, at any time
        self._stance: Stance | None = None  # of the task of the step in progress, before it
        self._effects, self._joins_next = 0, list[int]()
        self.places: list[int] = []
        self._looks_ahead = looks_ahead
        self.options = 1  # product of the numbers of options at the decisions of a walk
        self.clock: Any = _Clock()
        self._clock_codes = (self._deadlines * 3 + READ_CODE, self._clock * 3 + WRITE_CODE)
        self._clock_footprint = dict.fromkeys(self._clock_codes)

    def new_number(self, kind: str) -> int:
        """As in the base, without putting a name together that is known."""
        task = self.current
        if task is None:
            return super().new_number(kind)
        task.objects_count += 1
        place = (task.tid, kind, task.objects_count)
        number = self.tables.made.get(place)
        if number is None:
            number = self.tables.made[place] = self.table.number(f"{task.path}:{kind}#{task.objects_count}")
        return number

    # --- what the runner tells --------------------------------------------------------------------------------------

    def spawned(self, task: SimTask, nursery: Any) -> None:
        """A task is there: its first step comes after the one that made it."""
        super().spawned(task, nursery)
        parent = task.parent
        table = self.tables.tasks
        task.tid = number = table.root(task.root) if parent is None else table.child(parent.tid, task.spawn_index)
        self.by_number[number] = task
        task.previous, task.place = -1, 0
        task.enablers = [] if self.current is None else [self.index]
        task.joined = []
        task.touched = NO_FOOTPRINT

    def woken(self, task: SimTask) -> None:
        """As in the base, unless it is known; and the next step of the task comes after this one."""
        task.waits_on = None
        if self.closing:
            return
        current, index = self.current, self.index
        if current is not None:
            if task is not current:
                task.enablers.append(index)
                if index >= self.known:
                    codes = self.around.get(task._cancel_status) or self.scope_codes(task)
                    if codes is not self._scopes_before:  # which the step has read
                        self._woken.append((task._counter, codes))
        elif index:  # a deadline that the last step has moved into the past
            task.enablers.append(index - 1)

    def closed(self, nursery: Any) -> None:
        """The parent's next step comes after the exits of all children; one that finds them all gone does not."""
        parent = nursery._parent_task
        if parent is self.current:
            self._joins_next.append(self.key(nursery))
        elif hasattr(parent, "joined"):
            parent.joined.append(self.key(nursery))

    def begin_clock(self) -> None:
        """Time passes, as a step of the clock."""
        self.current = self.clock
        if self.index >= self.known:
            self.footprint = self._clock_footprint.copy()
            self._scopes_before = _NO_SCOPES
            if self.choices:
                self.choices = []
            if self._woken:
                self._woken = []

    def end_clock(self, runner: SimRunner, *, barrier: bool, passed: bool = True) -> None:
        """It has passed, if it could."""
        if not passed:
            self.current = None
        elif self.index < self.known:
            self.repeated(self.clock, self.causality.strides[self.index])
        else:
            self._read_scopes_of_woken()
            self._file(self.clock, not barrier, barrier, runner.now_ns())

    # --- steps ------------------------------------------------------------------------------------------------------

    def begin(self, task: SimTask) -> None:
        """A step of `task` begins."""
        self.current = task
        if self._woken:
            self._woken = []
        if self.choices:
            self.choices = []
        if self._looks_ahead:
            self.places.append(self.place(task))
        codes = self._scopes_before = self.around.get(task._cancel_status) or self.scope_codes(task)
        self.footprint = codes.copy()
        self._stance = None
        if task.waited_for is not None:
            self.blocking = True
            self._ask_again(task)
        else:
            self.blocking = False
            if self._goes_back and task.previous >= 0:
                touched = task.touched
                if not (touched[1] or touched[2]):
                    self._begin_after_a_look(task)

    def _begin_after_a_look(self, task: SimTask) -> None:
        """A task that has only looked may be spinning: whether it is shows when it has looked once more."""
        index = task.previous
        self.blocking = self.causality.strides[index].still if index < self.known else self.rows[index - self.known][9]
        if is_in_a_loop(task):
            self._stance, self._effects = stance_of(task), task._runner.effects

    def _was_still(self, task: SimTask) -> bool:
        """Whether the step has changed nothing and told nobody, and its task can go on and is as it was before."""
        return (
            task._next_send_fn is not None
            and task._runner.effects == self._effects
            and not (self.choices or self._woken)
            and all(code % 3 == READ_CODE for code in self.footprint)
            and same(self._stance, stance_of(task))
        )

    def _note_parked(self, task: int, footprint: Footprint, *, still: bool) -> None:
        """A step has ended: who spins on what it has changed need not wait any more; its task may begin to."""
        changed = footprint.writes | footprint.adds
        for each in [each for each, reads in self.parked.items() if reads & changed]:
            del self.parked[each]
        if still:
            self.parked[task] = footprint.reads
            self.spun = True

    def end(self, task: SimTask, now_ns: int, exited: bool) -> None:  # noqa: FBT001  # keywords cost
        """The step is over."""
        del now_ns
        if self._woken:
            self._read_scopes_of_woken()
        if not exited:
            codes = self.around.get(task._cancel_status) or self.scope_codes(task)
            if codes is not self._scopes_before:
                self.footprint.update(codes)
        runner = task._runner
        if runner.due:
            self._strike(runner)
        still = self._stance is not None and not exited and self._was_still(task)
        self._file(task, self.blocking, False, 0, still)  # noqa: FBT003

    def repeated(self, task: Any, stride: Stride) -> None:
        """A step of the known prefix is over: what is kept is where it stood, and who spins."""
        if self.parked or stride.still:
            self._note_parked(task.tid, stride.footprint, still=stride.still)
        task.previous, task.touched = self.index, stride.footprint
        if task.enablers:
            task.enablers = []
        if task.joined or self._joins_next:
            task.joined, self._joins_next = self._joins_next, []
        self.index += 1
        self.current = None

    def _file(  # keywords cost
        self,
        task: Any,
        blocking: bool,  # noqa: FBT001
        barrier: bool,  # noqa: FBT001
        salt: int,
        still: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        """Put down the step that has ended; what it came after is worked out when somebody asks."""
        codes, index, choices = tuple(self.footprint), self.index, self.choices
        written: Mapping[int, int | State] = NO_VALUES
        if self._goes_back:
            decoded = self.table.decoded[codes]
            task.touched = decoded[0]
            if decoded[5] and task.tid != CLOCK_TASK:
                written = self._written(decoded[5])
        woken_by, joined = task.enablers or _NOTHING, task.joined or _NOTHING  # empty ones are still the task's
        if woken_by:
            task.enablers = []
        if joined or self._joins_next:
            task.joined, self._joins_next = self._joins_next, []
        taken = tuple(choices) if choices else ()
        row = (task.tid, task.previous, woken_by, joined, codes, taken, blocking, barrier, salt, still, written)
        self.rows.append(row)
        if self.parked or still:
            self._note_parked(task.tid, self.table.decoded[codes][0], still=still)
        task.previous = index
        if self._looks_ahead:
            touched = task.touched = self.table.decoded[codes][0]
            if task.tid == CLOCK_TASK:
                self.places.append(0)
            else:
                self.tables.guesses[task.tid, self.places[-1]] = touched
                task.place = 0
        self.index = index + 1
        self.current = None

    def _written(self, codes: tuple[int, ...]) -> Mapping[int, int | State]:
        """What the step has written, where the value says more than who wrote it; given the codes of its writes."""
        found: dict[int, int | State] = {}
        for code in codes:
            value = self.footprint[code]
            if value is None:
                continue
            if type(value) is not tuple:
                found[code // 3] = self._state(value)
            elif type(value[0]) in _PLAIN and code // 3 in self.table.sure:
                found[code // 3] = mixed(hash((type(value[0]).__name__, value[0])))
        return found

    def _state(self, queue: Any) -> int | State:
        """Of a lock or a semaphore. Who waits stands at his last step, which for the task in progress is this one."""
        try:
            owner = queue._owner
            free = 0 if owner is None else owner.tid, 0
        except AttributeError:
            free = 0, queue._value
        parked = queue._lot._parked
        if not parked:
            number = self.tables.free.get(free)
            if number is None:
                number = self.tables.free[free] = mixed(hash(free))
            return number
        return (*free, tuple((task.tid, self.index if task is self.current else task.previous) for task in parked))

    @property
    def prefix(self) -> list[Stride]:
        """The steps that are repeated."""
        return self.causality.strides[: self.known]

    @property
    def strides(self) -> list[Stride]:
        """The steps so far, with what each came after and raced with."""
        causality = self.causality
        for row in self.rows[len(causality.strides) - self.known :]:
            causality.add(row)
        return causality.strides

    def trace_number(self) -> int:
        """A number for the Mazurkiewicz trace of the execution: equal for equivalent orders, and for no others."""
        if self.causality.strides:
            return int(sum(map(attrgetter("mark"), self.strides))) & MARK_MASK
        return number_of_trace(self.rows, self.table)

    # --- the end, and looking ahead ---------------------------------------------------------------------------------

    def finish(self, runner: SimRunner) -> None:
        """The execution is over, and its tasks still stand: note what is blocked and for what it waits."""
        self.current = None
        if not self.causality.goes_back:
            return
        self.blocked = blocked = [(task.tid, task.previous, self.look(task)[0]) for task in runner.waiting]
        touched = self.touched() if self.parked else []
        blocked += [(t.tid, t.previous, touched[t.previous][1]) for t in runner.runq if t.tid in self.parked]
        blocked += [(t.tid, t.previous, codes) for t, codes in runner.vanished]
        if runner.racing:
            blocked.append((CLOCK_TASK, self.clock.previous, self._clock_codes))

    def touched(self) -> list[tuple[int, tuple[int, ...]]]:
        """Of each step so far: its task, and its accesses."""
        return [(each.task, each.codes) for each in self.prefix] + [(row[0], row[4]) for row in self.rows]

    def look(self, task: SimTask) -> tuple[tuple[int, ...], bool]:
        """What the predicate of a task in `until` reads now, scopes first as in its step; and whether it holds."""
        kept, self.footprint = self.footprint, self.scope_codes(task).copy()
        held = True
        with suppress(Exception):  # one that raises is let through, to raise in its own step
            held = bool(task.predicate())  # type: ignore[misc]
        codes, self.footprint = tuple(self.footprint), kept
        return codes, held

    def waits_for(self, task: SimTask, *, in_until: bool) -> tuple[int, ...]:
        """What the next step of a task will read at least: the scopes around it, and in `until` what it looks at."""
        return self.look(task)[0] if in_until else tuple(self.scope_codes(task))

    def place(self, task: SimTask) -> int:
        """Where a task is suspended, as a number: code and instruction of every frame on its stack."""
        if not task.place:
            parts: list[int] = []
            coro: Any = task.coro
            while coro is not None:
                frame = getattr(coro, "cr_frame", None)
                if frame is None:
                    break
                parts += (id(frame.f_code), frame.f_lasti)
                coro = coro.cr_await
            task.place = self.tables.places.setdefault(tuple(parts), len(self.tables.places) + 1)
        return task.place

    def guess(self, task: SimTask) -> Footprint | None:
        """See `racewindow.strategy.Task.pending`."""
        return self.tables.guesses.get((task.tid, self.place(task)))

    def trail(self) -> Trail:
        """The execution as a strategy sees it."""
        strides, related = self.strides, self.causality
        pending = [related.pending(*each) for each in self.blocked]
        return Trail(strides, pending, self.tables.tasks.paths, self.places, related.keys, related.snapshots)
