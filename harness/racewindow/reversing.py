"""The other order: an execution in which the two steps of a racing pair come the other way round, and nothing fails.

It is looked for under an ordering constraint and then run again without one, so that it is an execution of the program
as it is, with a schedule that anyone can replay. Where the program as it is has no such order, as where a task that can
run would have to wait for time to pass, it stays the one with the wait.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from racewindow.constraints import Before
from racewindow.explanation import RacingPair, Side
from racewindow.failure import Execution
from racewindow.judging import Identity
from racewindow.picture import places_without
from racewindow.runtime.execution import Environment
from racewindow.runtime.recorder import Recorder
from racewindow.runtime.task import SimTask, held_steps
from racewindow.runtime.watchdog import Watchdog
from racewindow.schedule import Schedule
from racewindow.session import Session
from racewindow.settings import Settings, Target, settings_of
from racewindow.strategies.replay import DecisionLog, ValueCounter, default_of
from racewindow.strategies.tolerant import Offered, TolerantPicker, uncounted
from racewindow.strategy import Picker, Task
from racewindow.trace import Trace

COMPLETIONS = 20
"""In so many ways the rest of the execution is completed, until one of them passes."""

_Value = tuple[str, int, int]


class Reversal(NamedTuple):
    """An execution of the other order. `held`: indices of steps in which a task only found that it has to wait.

    `wait`: the constraint that keeps it that way round, None where the order is one of the program as it is.
    """

    schedule: Schedule
    held: frozenset[int]
    wait: Before | None


def reversal_of(target: Target, schedule: Schedule, pair: RacingPair, identity: Identity) -> Reversal | None:
    """An execution with the pair reversed that does not fail in this way; None if none was found.

    Best is one in which nothing fails, then one of the program as it is.
    """
    settings = settings_of(target, schedule)
    best: tuple[tuple[bool, bool], Reversal] | None = None
    with Watchdog(settings.step_timeout) as watchdog, Environment(footprints=True):
        for completion in range(COMPLETIONS):
            for found, execution in _reversed(settings, watchdog, schedule, pair, completion):
                if watchdog.interrupted:
                    raise KeyboardInterrupt
                if identity in {failure.identity for failure in execution.failures}:
                    continue
                if not _is_reversed(execution.trace, found.held, pair):
                    continue
                rank = (execution.outcome != "ok", found.wait is not None)
                if best is None or rank < best[0]:
                    best = (rank, found)
            if best is not None and best[0] == (False, False):
                break
    return None if best is None else best[1]


def _reversed(
    settings: Settings, watchdog: Watchdog, schedule: Schedule, pair: RacingPair, completion: int
) -> Iterator[tuple[Reversal, Execution]]:
    """One completion: with the constraint, then without."""
    wait = Before(pair.second.moment, pair.first.moment)
    held = replace(settings, constraints=(*settings.constraints, wait))
    places = None if completion == 0 else ((pair.first.path, pair.first.number), (pair.second.path, pair.second.number))
    picker = _Noting(
        schedule.deviations, until=places, chance=completion - 2 if completion > 1 else None, given=settings.constraints
    )
    session = Session(held, watchdog)
    recorders: list[_Order] = []

    def make_recorder(_: Picker) -> _Order:
        recorders.append(_Order(session, settings.constraints))
        return recorders[-1]

    log = DecisionLog(picker)
    execution = session.record(log, None, make_recorder)
    order = recorders[-1]
    yield Reversal(held.schedule(log.deviations), frozenset(order.held), wait), execution
    log = DecisionLog(_Led(order.order, picker.values, picker.faults))
    execution = Session(settings, watchdog).record(log)
    yield Reversal(settings.schedule(log.deviations), frozenset(), None), execution


def _is_reversed(trace: Trace, held: Collection[int], pair: RacingPair) -> bool:
    """Whether the second step was taken, and the first one after it if at all."""
    at = {place: index for index, place in enumerate(places_without(trace.steps, held)) if place is not None}

    def index(side: Side) -> int | None:
        return at.get((side.path, side.number))

    first, second = index(pair.first), index(pair.second)
    return second is not None and (first is None or second < first)


class _Order(Recorder):
    """Also keeps which task took each step, and which steps were none but to find itself at a gate."""

    __slots__ = ("_given", "_holds", "held", "order")

    def __init__(self, session: Session, given: Collection[Before]) -> None:
        super().__init__(session.tables.keys, session.locator)
        self._given = given
        self.order: list[str] = []
        self.held: list[int] = []
        self._holds = 0

    def begin(self, task: SimTask) -> None:
        """A step begins."""
        self._holds = self._count(task)
        super().begin(task)

    def end(self, task: SimTask, now_ns: int, exited: bool) -> None:  # noqa: FBT001  # as in the base
        """It is over."""
        super().end(task, now_ns, exited)
        if self._count(task) == self._holds:
            self.order.append(task.path)
        else:
            self.held.append(len(self.raw) - 1)

    def _count(self, task: SimTask) -> int:
        return len(uncounted(held_steps(task), self._given))


class _Noting(TolerantPicker):
    """Also keeps the values and faults that it picks, by the task's own step without holds."""

    def restart(self) -> None:
        """Begin again."""
        super().restart()
        self.values: dict[_Value, int] = {}
        self.faults: dict[_Value, str] = {}
        self._places = ValueCounter()

    def pick_value(self, count: int, *, task: Task) -> int:
        """See the base."""
        picked = super().pick_value(count, task=task)
        _, _, position = self._places.place(task)
        self.values[task.path, self._number(task), position] = picked
        return picked

    def pick_fault(self, offers: Sequence[Offered], *, task: Task, index: int) -> int:
        """Likewise."""
        picked = super().pick_fault(offers, task=task, index=index)
        if picked:
            text = next(offer.text for offer in offers if offer.number == picked)
            self.faults[task.path, self._number(task), index] = text
        return picked


class _Led:
    """Lets tasks step in a given order, with given values and faults; the default where that cannot be had."""

    words = None

    def __init__(self, order: Sequence[str], values: dict[_Value, int], faults: dict[_Value, str]) -> None:
        self._after: dict[tuple[str, int], str] = {}
        counts: dict[str, int] = {}
        for path, following in pairwise(order):
            counts[path] = counts.get(path, 0) + 1
            self._after[path, counts[path] - 1] = following
        self._first = order[0] if order else ""
        self._given, self._struck = values, faults
        self.restart()

    def restart(self) -> None:
        """Begin again."""
        self._places = ValueCounter()

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """Whose turn it is; where nobody of these has it, time passes if it may."""
        wanted = self._first if last is None else self._after.get((last.path, last.number - 1))
        for index, candidate in enumerate(candidates):
            if candidate.path == wanted:
                return index
        return len(candidates) if may_advance and wanted else default_of(candidates, last)

    def pick_value(self, count: int, *, task: Task) -> int:
        """As given."""
        picked = self._given.get(self._places.place(task), 0)
        return picked if picked < count else 0

    def pick_fault(self, offers: Sequence[Offered], *, task: Task, index: int) -> int:
        """Likewise."""
        wanted = self._struck.get((task.path, task.number, index))
        return next((offer.number for offer in offers if offer.text == wanted and offer.affordable), 0)
