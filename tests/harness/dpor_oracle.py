"""What a reduction has to show of a small program: each of its traces once, and all outcomes; found without reducing.

Two searches, neither of which reverses races or keeps sleep sets. `every_order` runs every order of events there is,
by the project's depth-first search without a bound, which is counted against published numbers. `every_trace` is for
programs with too many orders: the same search, but it does not go on from a place that an equivalent order has led to.
The first takes nothing for granted; the second that footprints are true, for which the first is the test.

Steps and what they touch come from the recorder of trails. What came before what is worked out here.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, cast
from unittest import mock

from racewindow.faults import NO_FAULTS, FaultPlan, Offer
from racewindow.footprint import WRITE_CODE
from racewindow.runtime import execution
from racewindow.runtime.execution import STOPPED, Environment, Raw, run_once
from racewindow.runtime.faulting import Faulting
from racewindow.runtime.guided import CUT
from racewindow.runtime.location import Locator
from racewindow.runtime.loop import DecidedLoop
from racewindow.runtime.runner import SimRunner
from racewindow.runtime.step import StopExecution
from racewindow.runtime.task import SimTask
from racewindow.runtime.trail_recorder import Tables, TrailRecorder
from racewindow.session import Session
from racewindow.settings import make_settings
from racewindow.strategies.dfs import DepthFirst
from racewindow.strategies.dpor import OptimalReduction
from racewindow.strategies.options import ranked
from racewindow.strategy import Picker, Task
from racewindow.trail import Stride
from tests.harness.small_programs import orders_estimate
from tests.strategies import Program, Run, as_function

STEPS_MAX = 500

Outcome = tuple[object, ...]
"""How an execution ended, what main raised, what every task saw and what was left when nothing could run any more."""
Trace = frozenset[int]
"""What all orders of a trace have in common: the marks of their steps."""


class TooManyOrdersError(Exception):
    """There are more than the caller wants to run."""


class Order(NamedTuple):
    """One execution: its trace, its outcome, and its steps."""

    trace: Trace
    outcome: Outcome
    strides: tuple[Stride, ...]


# --- looking at runs -------------------------------------------------------------------------------------------------


class Watch:
    """A program, and what its last run has left, taken before the tasks of a deadlock are taken down."""

    def __init__(self, program: Program) -> None:
        self._runs: list[Run] = []
        self._left: tuple[Run, Outcome] | None = None
        self.function = as_function(program, self._runs, brisk=True)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While it is run."""

        def look_then_tear_down(runner: SimRunner) -> None:
            if self._runs:
                self._left = self._runs[-1], self._runs[-1].result()
            tear_down(runner)

        tear_down = execution.tear_down
        with mock.patch.object(execution, "tear_down", look_then_tear_down):
            yield

    def outcome(self, raw: Raw) -> Outcome:
        """The outcome of the run that has just ended; the next one begins anew."""
        run = self._runs[-1]
        taken_down = self._left is not None and self._left[0] is run
        left = self._left[1] if self._left is not None and taken_down else run.result()
        self._runs.clear()
        return (raw.end, *_leaves(raw.error), left)


def _leaves(error: BaseException | None) -> list[str]:
    """The errors of a group, in its order."""
    if isinstance(error, BaseExceptionGroup):
        return [text for each in error.exceptions for text in _leaves(each)]
    return [] if error is None else [f"{type(error).__name__}: {error}"]


class Runs:
    """Runs a program again and again, with footprints that can be compared: those of equal `tables`."""

    def __init__(self, program: Program, clock: str, tables: Tables | None = None, plan: FaultPlan = NO_FAULTS) -> None:
        self._watch, self._racing, self._plan = Watch(program), clock == "racing", plan
        self._tables, self._locator = tables or Tables(), Locator()

    @contextmanager
    def running(self) -> Iterator[None]:
        """While it is run."""
        with Environment(footprints=True), self._watch.watching():
            yield

    def run(self, picker: Picker) -> Order | None:
        """One execution, None if the picker has stopped it."""
        recorder = TrailRecorder(self._tables, self._locator)

        def drive(runner: SimRunner) -> str:
            pick = cast("Callable[..., int]", picker.pick_task)
            return DecidedLoop(runner, pick, batches=False, racing=self._racing, steps_max=STEPS_MAX).run()

        faulting = Faulting(self._plan, picker.pick_fault) if self._plan else None  # type: ignore[attr-defined]
        raw = run_once(self._watch.function, (), drive, picker.pick_value, recorder=recorder, faulting=faulting)
        assert raw is not None
        outcome = self._watch.outcome(raw)
        return None if raw.end == STOPPED else Order(trace_of(recorder.strides), outcome, tuple(recorder.strides))


# --- which orders are the same trace ---------------------------------------------------------------------------------


def trace_of(strides: list[Stride]) -> Trace:
    """What all orders of a Mazurkiewicz trace have in common, and no other order has.

    Two orders of the same steps are equivalent exactly if they order all dependent pairs alike (Mazurkiewicz, 1977).
    So a step is known by whose it is, what it chose and touched, and which steps came before it that it depends on.
    """
    marks: list[int] = []
    for stride in strides:
        marks.append(_mark(stride, strides, marks))
    assert len(set(marks)) == len(marks)
    return frozenset(marks)


def _mark(stride: Stride, strides: list[Stride], marks: list[int]) -> int:
    earlier = frozenset(
        mark
        for other, mark in zip(strides, marks, strict=False)
        if other.task == stride.task or conflict(other.codes, stride.codes)
    )
    return hash((stride.task, stride.choices, frozenset(stride.codes), earlier))


def conflict(one: tuple[int, ...], two: tuple[int, ...]) -> bool:
    """Whether the order of two steps can matter: a key that both touch, and not both to read or both to add."""
    return any(a // 3 == b // 3 and (a % 3 != b % 3 or a % 3 == WRITE_CODE) for a in one for b in two)


# --- the two searches ------------------------------------------------------------------------------------------------


def every_order(
    program: Program, *, clock: str, limit: int, tables: Tables | None = None, plan: FaultPlan = NO_FAULTS
) -> list[Order]:
    """One execution for each order of events; TooManyOrdersError if there are more than `limit`."""
    search, orders, runs = DepthFirst(), list[Order](), Runs(program, clock, tables, plan)
    with runs.running():
        while (picker := search.start(len(orders))) is not None:
            if len(orders) == limit:
                raise TooManyOrdersError
            order = runs.run(picker)
            assert order is not None
            orders.append(order)
            search.finished(None, len(order.strides))
    return orders


def every_trace(
    program: Program, *, clock: str, limit: int, tables: Tables | None = None, plan: FaultPlan = NO_FAULTS
) -> list[Order]:
    """One execution or more for each trace; TooManyOrdersError if it would take more than `limit`."""
    orders, runs, known = list[Order](), Runs(program, clock, tables, plan), set[Hashable]()
    waiting: list[tuple[int, ...]] = [()]
    count = 0
    with runs.running():
        while waiting:
            if count == limit:
                raise TooManyOrdersError
            picker = _Pruning(waiting.pop(), known)
            order = runs.run(picker)
            if order is not None:
                orders.append(order)
            waiting += picker.alternatives
            count += 1
    return orders


class _Pruning:
    """Follows a prefix of ranks, then takes the first option, up to a place that is known; notes the other options."""

    words = None

    def __init__(self, prefix: tuple[int, ...], known: set[Hashable]) -> None:
        self._prefix, self._known = prefix, known
        self._taken: list[int] = []
        self._marks: list[int] = []
        self._over = False
        self.alternatives: list[tuple[int, ...]] = []

    def restart(self) -> None:
        """Never asked for: the programs of these tests do without the full runner."""
        raise AssertionError

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """The option of the prefix, else the first one; nothing if this place is known."""
        del advances
        options = ranked(candidates, last, may_advance=may_advance)
        return options[self._next(len(options), (self._trace(candidates[0]), may_advance))]

    def pick_value(self, count: int, *, task: Task) -> int:
        """The value of the prefix, else the first one."""
        choices = tuple(cast("SimTask", task)._runner.recorder.choices)
        return self._next(count, (self._trace(task), task.path, choices))

    def pick_fault(self, offers: list[Offer], *, task: Task, index: int) -> int:
        """The fault of the prefix, else none."""
        del index
        numbers = [0, *(offer.number for offer in offers if offer.affordable)]
        return numbers[self.pick_value(len(numbers), task=task)]

    def _trace(self, task: Task) -> Trace:
        """The trace of the steps so far."""
        strides = cast("SimTask", task)._runner.recorder.strides
        while len(self._marks) < len(strides):
            self._marks.append(_mark(strides[len(self._marks)], strides, self._marks))
        return frozenset(self._marks)

    def _next(self, options: int, place: Hashable) -> int:
        at = len(self._taken)
        if self._over:
            raise StopExecution
        if at >= len(self._prefix):
            if place in self._known:
                raise StopExecution
            self._known.add(place)
            self.alternatives += [(*self._taken, rank) for rank in range(1, options)]
        self._taken.append(self._prefix[at] if at < len(self._prefix) else 0)
        return self._taken[-1]


# --- what the reduction shows ----------------------------------------------------------------------------------------


class Reduced(NamedTuple):
    """What the reduction has run: to the end, cut off as covered already, and to learn from."""

    orders: list[Order]
    redundant: int
    probes: int


Make = Callable[[], OptimalReduction]


def reduced(
    program: Program,
    *,
    clock: str,
    make: Make = OptimalReduction,
    limit: int = 20_000,
    tables: Tables | None = None,
    plan: FaultPlan = NO_FAULTS,
) -> Reduced:
    """Explore a program as `explore` does under "dpor", and keep what each execution has left.

    AssertionError if that takes more than `limit` executions.
    """
    watch, search = Watch(program), make()
    orders, redundant = list[Order](), 0
    with Environment(footprints=True), watch.watching():
        session = Session(make_settings(watch.function, clock=clock, step_limit=STEPS_MAX, faults=plan or None))
        session.tables = tables or session.tables
        search.attach(session.probe, session.tables.keys, session.tables.tasks.paths, plan)
        while (picker := search.start(len(orders))) is not None:
            assert len(orders) + redundant < limit, "the search does not end"
            raw = session.run(cast("Picker", picker), footprints=True).raw
            outcome = watch.outcome(raw)
            recorder = raw.recorder
            assert isinstance(recorder, TrailRecorder)
            if raw.end == CUT:
                redundant += 1
            else:
                orders.append(Order(trace_of(recorder.strides), outcome, tuple(recorder.strides)))
            search.finished(recorder.trail(), raw.steps)  # may run probes
    gc.collect(1)  # nothing else does, in a test that keeps the environment between programs
    return Reduced(orders, redundant, search.probes)


def expected(
    program: Program,
    *,
    clock: str,
    tables: Tables | None = None,
    orders_max: int = 60,
    plan: FaultPlan = NO_FAULTS,
) -> list[Order]:
    """All orders if there seem to be at most `orders_max`, else at least one for each trace."""
    small = orders_estimate(program, racing=clock == "racing") <= orders_max
    return (every_order if small else every_trace)(program, clock=clock, limit=_RUNS_MAX, tables=tables, plan=plan)


_RUNS_MAX = 2_000


def faults(program: Program, *, clock: str, make: Make = OptimalReduction, plan: FaultPlan = NO_FAULTS) -> list[str]:
    """What is wrong with the reduction of a program, or with what it rests on, in words.

    Raises TooManyOrdersError if it would take too long to tell.
    """
    tables = Tables()
    orders = expected(program, clock=clock, tables=tables, plan=plan)
    outcomes, traces = {order.outcome for order in orders}, {order.trace for order in orders}
    found = reduced(program, clock=clock, make=make, limit=10 * len(traces) + 100, tables=tables, plan=plan)
    seen, shown = {order.outcome for order in found.orders}, {order.trace for order in found.orders}
    wrong = disagreements(orders)
    wrong += [f"outcome lost: {outcome}" for outcome in outcomes - seen]
    wrong += [f"no such outcome: {outcome}" for outcome in seen - outcomes]
    if len(found.orders) != len(traces):
        wrong.append(f"{len(found.orders)} executions for {len(traces)} traces")
    if shown != traces:
        wrong.append(f"{len(traces - shown)} traces lost, {len(shown - traces)} that there are not")
    if found.redundant:
        wrong.append(f"{found.redundant} redundant executions")
    return wrong


def disagreements(orders: list[Order]) -> list[str]:
    """Orders of one trace that have different outcomes: then something that a step touches is not in its footprint."""
    first: dict[Trace, Order] = {}
    return [
        f"one trace, two outcomes: {first[order.trace].outcome} and {order.outcome}"
        for order in orders
        if first.setdefault(order.trace, order).outcome != order.outcome
    ]
