"""Programs without trio: tasks that are generators, for statistics over many executions of a strategy.

A step of a task is what it does after a `yield`, and touches keys of a `Store`; `yield predicate` waits until that
holds, as `until` does. All tasks stand before their first step at the start: one step per event, and none besides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from racewindow.footprint import NO_FOOTPRINT, Footprint, footprint_of
from racewindow.strategy import Picker, Strategy, Task
from racewindow.trail import Stride, TaskTable, Trail

BLANK = Stride(0, (), (), NO_FOOTPRINT, 0, 0, 0, 0, blocking=False, barrier=False, mark=0, view=0, root=0)
"""A step that nothing is known of."""

Predicate = Callable[[], bool]
Body = Iterator[Predicate | None]


class Store:
    """Numbers by key; each access is noted."""

    def __init__(self, numbers: dict[str, int]) -> None:
        self.values: dict[str, int] = {}
        self.codes: dict[int, None] = {}
        self.numbers = numbers

    def __getitem__(self, key: str) -> int:
        self._touch(key, 0)
        return self.values.get(key, 0)

    def __setitem__(self, key: str, value: int) -> None:
        self._touch(key, 1)
        self.values[key] = value

    def _touch(self, key: str, mode: int) -> None:
        self.codes[self.numbers.setdefault(key, len(self.numbers)) * 3 + mode] = None


Program = Callable[[Store], Sequence[Body]]


@dataclass(eq=False)
class SimulatedTask:
    """What a picker knows of a task, and its generator."""

    index: int
    body: Body
    guesses: dict[tuple[int, ...], Footprint]
    order: tuple[int, ...] = ()
    path: str = ""
    number: int = 0
    touched: Footprint = NO_FOOTPRINT
    predicate: Predicate | None = None
    done: bool = False
    place: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        self.order, self.path = (self.index,), f"main/{self.index}"
        self.predicate = next(self.body)
        self.look()

    def look(self) -> None:
        """Note where the task is suspended."""
        parts, at = [self.index], self.body
        while at is not None:
            frame = getattr(at, "gi_frame", None)
            parts.append(-1 if frame is None else frame.f_lasti)
            at = getattr(at, "gi_yieldfrom", None)  # type: ignore[assignment]
        self.place = tuple(parts)

    @property
    def pending(self) -> Footprint | None:
        """As of a real one."""
        return self.guesses.get(self.place)


class Taken(NamedTuple):
    """A step that was taken."""

    task: int
    codes: tuple[int, ...]
    footprint: Footprint
    blocking: bool
    place: int


@dataclass
class Simulator:
    """Runs executions of a program, and remembers what was learned between them."""

    program: Program
    steps_max: int = 1_000
    numbers: dict[str, int] = field(default_factory=dict)
    guesses: dict[tuple[int, ...], Footprint] = field(default_factory=dict)
    places: dict[tuple[int, ...], int] = field(default_factory=dict)
    table: TaskTable = field(default_factory=TaskTable)
    taken: list[Taken] = field(default_factory=list)
    """The steps of the last execution."""

    def run(self, picker: Picker) -> bool:
        """Run one execution; whether it failed."""
        store = Store(self.numbers)
        tasks = [SimulatedTask(index, body, self.guesses) for index, body in enumerate(self.program(store))]
        self.taken = []
        last: SimulatedTask | None = None
        while len(self.taken) < self.steps_max:
            ready = [task for task in tasks if not task.done and (task.predicate is None or task.predicate())]
            if not ready:
                return any(not task.done for task in tasks)  # a deadlock
            options: list[Task] = [*ready]
            pick = 0
            if len(options) > 1:
                pick = picker.pick_task(options, may_advance=False, last=last, advances=0)
            last = ready[pick]
            if self._step(store, last):
                return True
        return False

    def _step(self, store: Store, task: SimulatedTask) -> bool:
        """Let a task take a step; whether that failed."""
        failed = False
        blocking, place = task.predicate is not None, task.place
        store.codes.clear()
        if task.predicate is not None:
            task.predicate()
        try:
            task.predicate = next(task.body)
        except StopIteration:
            task.done = True
        except AssertionError:
            task.done = failed = True
        codes = tuple(store.codes)
        task.touched = self.guesses[place] = footprint_of(codes)
        number = self.places.setdefault(place, len(self.places))
        self.taken.append(Taken(task.index, codes, task.touched, blocking, number))
        task.look()
        task.number += 1
        return failed

    def trail(self) -> Trail:
        """The last execution as a strategy sees it; what no sampling strategy looks at stays empty."""
        main = self.table.root("main")
        strides: list[Stride] = []
        previous: dict[int, int] = {}
        for index, step in enumerate(self.taken):
            at = previous.get(step.task)
            before = own = 0 if at is None else strides[at].before | 1 << at
            races = 0
            for earlier in range(index - 1, -1, -1):
                if not before >> earlier & 1 and strides[earlier].footprint.conflicts(step.footprint):
                    races |= 1 << earlier
                    before |= 1 << earlier | strides[earlier].before
            previous[step.task] = index
            strides.append(
                replace(
                    BLANK,
                    task=self.table.child(main, step.task),
                    codes=step.codes,
                    footprint=step.footprint,
                    enablers=own,
                    before=before,
                    races=races,
                    blocking=step.blocking,
                )
            )
        places = [step.place for step in self.taken]
        return Trail._make([()] * len(Trail._fields))._replace(strides=strides, paths=self.table.paths, places=places)


def failing(program: Program, strategy: Strategy, executions: int) -> float:
    """The share of executions that fail; the first, which takes the default in some strategies, does not count."""
    simulator, failures = Simulator(program), 0
    for number in range(executions + 1):
        failures += execute(simulator, strategy, number) and number > 0
    return failures / executions


def first_failure(program: Program, strategy: Strategy, executions: int) -> int | None:
    """The number of the first execution that fails, of so many."""
    simulator = Simulator(program)
    return next((number for number in range(executions) if execute(simulator, strategy, number)), None)


def execute(simulator: Simulator, strategy: Strategy, number: int) -> bool:
    """One execution, as the explorer does it; whether it failed."""
    picker = strategy.start(number)
    assert picker is not None
    failed = simulator.run(picker)
    strategy.finished(simulator.trail() if strategy.looks_ahead else None, len(simulator.taken))
    return failed


# --- programs ---------------------------------------------------------------------------------------------------------
#
# Of SCTBench; chances of theirs under several strategies were computed outside this project.


def take(store: Store, lock: str) -> Body:
    """Wait until the lock is free and take it, as one step."""
    yield lambda: store[lock] == 0
    store[lock] = 1


def reorder(setters: int) -> Program:
    """Two writes, in this order, that a reader takes for one."""

    def setter(store: Store) -> Body:
        yield None
        store["a"] = 1
        yield None
        store["b"] = -1

    def checker(store: Store) -> Body:
        yield None
        if store["a"] == 0:
            yield None
            if store["b"] == 0:
                return
        yield None
        consistent = store["a"] == 1
        if consistent:
            yield None
            consistent = store["b"] == -1
        assert consistent

    return lambda store: [*(setter(store) for _ in range(setters)), checker(store)]


def twostage(store: Store) -> Sequence[Body]:
    """The second number is one more than the first, unless it is looked at in between."""

    def write() -> Body:
        yield from take(store, "A")
        yield None
        store["d1"] = 1
        yield None
        store["A"] = 0
        yield from take(store, "B")
        yield None
        seen = store["d1"]
        yield None
        store["d2"] = seen + 1
        yield None
        store["B"] = 0

    def check() -> Body:
        yield from take(store, "A")
        yield None
        if store["d1"] == 0:
            yield None
            store["A"] = 0
            return
        yield None
        one = store["d1"]
        yield None
        store["A"] = 0
        yield from take(store, "B")
        yield None
        two = store["d2"]
        yield None
        store["B"] = 0
        assert two == one + 1

    return [write(), check()]


def wronglock(others: int) -> Program:
    """One task guards a number with one lock, the others with another."""

    def increment(store: Store) -> Body:
        current = store["v"]
        yield None
        store["v"] = current + 1

    def right(store: Store) -> Body:
        yield from take(store, "right")
        yield None
        seen = store["v"]
        yield None
        yield from increment(store)
        yield None
        assert store["v"] == seen + 1
        yield None
        store["right"] = 0

    def wrong(store: Store) -> Body:
        yield from take(store, "wrong")
        yield None
        yield from increment(store)
        yield None
        store["wrong"] = 0

    return lambda store: [right(store), *(wrong(store) for _ in range(others))]


def doors(count: int) -> Program:
    """One task has to come just in time, so many times in a row; each time shows in how far it gets."""

    def opener(store: Store) -> Body:
        for door in range(count):
            yield None
            store["open"] = door + 1
            yield None
            store["open"] = 0

    def visitor(store: Store) -> Body:
        for door in range(count):
            yield None
            if store["open"] != door + 1:
                return
        assert count == 0

    return lambda store: [opener(store), visitor(store)]
