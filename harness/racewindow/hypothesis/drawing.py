"""Schedules and faults that are drawn while an execution comes to its decisions, and shown as deviations afterwards.

Drawn blindly, ahead of the execution, hardly any deviation would fit a decision. So a task's deviations are drawn when
its first decision comes, as a short list of (from which of the task's own decisions on, who goes first as soon as it
can): what is drawn for one task keeps its meaning when a deviation of another one is removed, and an example with fewer
deviations is a smaller one to Hypothesis. No draw at all is the default order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

from hypothesis import strategies as st
from hypothesis.control import current_build_context
from hypothesis.errors import InvalidArgument

from racewindow.errors import UsageError
from racewindow.faults import Fault, FaultPlan, Offer, parse_fault
from racewindow.schedule import CLOCK, Deviation, Kind, Schedule
from racewindow.strategies.lenient import LenientPicker
from racewindow.strategies.options import ranked
from racewindow.strategies.replay import ValueCounter, place_of
from racewindow.strategy import Task

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[Any]], Any]
Given = Sequence[Deviation | tuple[Any, ...]] | Schedule
"""Deviations as a person writes them: see `as_deviations`."""

Stream = tuple[str, int]
"""What a plan is drawn for: the decisions of a task, in a chapter of it, or its fault points."""
Wish = list[int]
"""From which decision of its stream on, and the number of the option; changed to `_GRANTED` when it is taken."""
_GRANTED = 1 << 60
MAIN = "main"
_FAULTS = -1
_PAGE = 32
"""So many of a task's decisions are drawn for at a time."""
_FROM = st.sampled_from([at for at in range(_PAGE) for _ in range(max(1, 12 // (at + 1)))])
"""From which of them on; mostly an early one, as most tasks have few."""
_OPTION = st.integers(0, 7)
_PLAN = st.lists(st.tuples(_FROM, _OPTION), max_size=20)
_SHOWN_MAX = 4_096


class Drawn:
    """What one example has drawn. `deviations`: those taken by the execution that it was used in, once it has been.

    `shown_bare`: it was shown before its deviations were known, so that something else has to tell them.
    """

    _kinds: tuple[Kind, ...] = ()
    _called = ""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.deviations: tuple[Deviation, ...] | None = None
        self.shown_bare = False

    def used(self, deviations: Iterable[Deviation]) -> None:
        """An execution has ended that took these deviations; keep those that were drawn here."""
        self.deviations = tuple(each for each in deviations if each.kind in self._kinds)
        if (drawn := _choices("choices")) is not None:
            if len(_SHOWN) >= _SHOWN_MAX:
                _SHOWN.clear()
            _SHOWN[self._called, drawn] = self.deviations

    def __repr__(self) -> str:
        deviations = self.deviations
        if deviations is None and (drawn := _choices("prefix")) is not None:
            # Hypothesis shows the arguments before it runs the smallest example for the last time; it has run before.
            deviations = _SHOWN.get((self._called, drawn))
        self.shown_bare = deviations is None
        return f"{self._called}()" if deviations is None else shown(deviations)


class DrawnSchedule(Drawn):
    """An order of events, drawn decision by decision. Its repr is the list of its deviations, for `@example`."""

    _kinds = ("task", "value")
    _called = "schedules"


class DrawnFaults(Drawn):
    """Faults, drawn at the fault points of an execution. `plan`: what may strike; None for what a scenario declares."""

    _kinds = ("fault",)
    _called = "faults"

    def __init__(self, draw: Draw, plan: FaultPlan | int) -> None:
        super().__init__(draw)
        self.plan = plan


def schedules() -> st.SearchStrategy[DrawnSchedule]:
    """A Hypothesis strategy of orders of events, for a function under `explored`.

    An order is shown as its deviations from the default order: `(task, step, option)`, which says that after that step
    of the task the task called `option` goes first; `(task, step, option, kind, index)` for values, and where time has
    passed since. The simplest one is the default order, shown as `[]`.
    """
    return _schedules()


def faults(*kinds: Fault | str, budget: int = 1) -> st.SearchStrategy[DrawnFaults]:
    """A Hypothesis strategy of faults, at most `budget` of them in one execution, for a function under `explored`.

    `kinds`: values such as `racewindow_faults.Crash(target="writer")`, or texts, `"crash:target=writer"`; none for
    those that the explored scenario declares. Raises UsageError for an unknown kind and for a budget below 0.
    """
    struck = tuple(parse_fault(each) if isinstance(each, str) else each for each in kinds)
    return _faults(FaultPlan(struck, budget) if struck else budget)


@st.composite
def _schedules(draw: st.DrawFn) -> DrawnSchedule:
    return DrawnSchedule(draw)


@st.composite
def _faults(draw: st.DrawFn, plan: FaultPlan | int) -> DrawnFaults:
    return DrawnFaults(draw, plan)


def draw_of_this_example() -> Draw:
    """How to draw more for the example that is being run; raises UsageError outside of one."""
    try:
        return cast("Draw", current_build_context().data.draw)
    except InvalidArgument:
        raise UsageError(
            "an explored function was called without a schedule.",
            why="its order of events is drawn by Hypothesis, and no example is being run.",
            do="put it under @given, or call it with schedule=[...].",
        ) from None


def shown(deviations: Iterable[Deviation]) -> str:
    """Deviations as they can be pasted into `@example`."""
    return repr(
        [
            (d.task, d.step, d.option)
            if d.kind == "task" and not d.index
            else (d.task, d.step, d.option, d.kind, d.index)
            for d in deviations
        ]
    )


def as_deviations(given: object) -> tuple[Deviation, ...]:
    """Read what `shown` wrote, or a list of `Deviation`, or a `Schedule`; raises UsageError for anything else."""
    if isinstance(given, Schedule):
        return given.deviations
    if not isinstance(given, Iterable):
        raise UsageError(
            f"{given!r:.80} is no list of deviations.",
            why="an order of events and faults are either drawn, or given as the deviations from the default order.",
            do="draw them, schedule=schedules() and faults=faults(...), or paste the list that a failing test printed.",
        )
    deviations = []
    for each in given:
        match each:
            case Deviation():
                deviations.append(each)
            case (str(task), int(step), str(option)):
                deviations.append(Deviation(task, step, "task", 0, option))
            case (str(task), int(step), str(option), ("task" | "value" | "fault") as kind, int(index)):
                deviations.append(Deviation(task, step, kind, index, option))
            case _:
                raise UsageError(
                    f"{each!r:.80} is not a deviation.",
                    why="a deviation is (task, step, option) or (task, step, option, kind, index).",
                    do="paste the list that a failing test has printed.",
                )
    return tuple(deviations)


class DrawingPicker:
    """Answers the decisions of one execution by drawing; where something is given instead, from that.

    `schedule`, `faults`: what is drawn, or the deviations given. A draw may say that the example has to end. That must
    not be raised into the program, so it is kept in `ended` and the execution goes on with defaults.
    """

    words = None

    def __init__(self, schedule: DrawnSchedule | Given, faults: DrawnFaults | Given) -> None:
        self._order = schedule.draw if isinstance(schedule, DrawnSchedule) else None
        self._strikes = faults.draw if isinstance(faults, DrawnFaults) else None
        given = (each for each in (schedule, faults) if not isinstance(each, Drawn))
        self._given = LenientPicker(deviation for each in given for deviation in as_deviations(each))
        self._plans: dict[tuple[Stream, int], list[tuple[int, int]]] = {}
        self.chapter = 0
        """Where the main task has come to in what it was told to do; a new one is drawn for by itself."""
        self._drawn_values: dict[tuple[str, int, int], int] = {}
        self._budget = 0
        if isinstance(faults, DrawnFaults):
            self._budget = faults.plan if isinstance(faults.plan, int) else faults.plan.budget
        self.ended: BaseException | None = None
        self.restart()

    def restart(self) -> None:
        """The same execution again: what has been drawn stays."""
        self._given.restart()
        self._met: dict[Stream, int] = {}
        self._open: dict[Stream, list[Wish]] = {}
        self._known: dict[str, tuple[int, ...]] = {}
        self._values = ValueCounter()

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """The option that was drawn for this decision of the task that stepped last, if any; else the default."""
        if self._order is None:
            return self._given.pick_task(candidates, may_advance=may_advance, last=last, advances=advances)
        for each in candidates:
            self._known.setdefault(each.path, each.order)
        whose = place_of(last)[0]
        wishes = self._wishes(self._order, (whose, self.chapter if whose == MAIN else 0), _PLAN)
        default, *others = ranked(candidates, last, may_advance=may_advance)
        if not wishes:
            return default
        names = {CLOCK if at == len(candidates) else candidates[at].path: at for at in others}
        # By its place among all tasks, not among the others of this decision, and nothing in place of one that is not
        # there: so an option means the same wherever shrinking moves it to.
        known = [*sorted(self._known, key=self._known.__getitem__), CLOCK]
        for wish in wishes:
            name = known[wish[1] % len(known)]
            if name in names:
                wish[0] = _GRANTED
                return names[name]
        return default

    def pick_value(self, count: int, *, task: Task) -> int:
        """A value, drawn when it is asked for."""
        if self._order is None:
            return self._given.pick_value(count, task=task)
        place = self._values.place(task)
        if place not in self._drawn_values:
            self._drawn_values[place] = self._draw(self._order, st.integers(0, count - 1), 0)
        return self._drawn_values[place]

    def pick_fault(self, offers: list[Offer], *, task: Task, index: int) -> int:
        """A fault, if one was drawn for this fault point; else none."""
        if self._strikes is None:
            return self._given.pick_fault(offers, task=task, index=index)
        affordable = [offer for offer in offers if offer.affordable]
        if not affordable:
            return 0
        strikes = st.lists(st.tuples(_FROM, _OPTION), max_size=self._budget)
        for wish in self._wishes(self._strikes, (task.path, _FAULTS), strikes):
            wish[0] = _GRANTED
            return affordable[wish[1] % len(affordable)].number
        return 0

    def _wishes(self, draw: Draw, whose: Stream, strategy: st.SearchStrategy[list[tuple[int, int]]]) -> list[Wish]:
        """What was drawn for this decision of `whose`, or for an earlier one at which it could not be had."""
        number = self._met.get(whose, 0)
        self._met[whose] = number + 1
        mine = self._open.setdefault(whose, [])
        if number % _PAGE == 0:
            if (whose, number) not in self._plans:
                self._plans[whose, number] = self._draw(draw, strategy, [])
            mine += [[number + at, option] for at, option in self._plans[whose, number]]
        return [wish for wish in mine if wish[0] <= number]

    def _draw(self, draw: Draw, strategy: st.SearchStrategy[T], default: T) -> T:
        if self.ended is not None:
            return default
        try:
            return cast("T", draw(strategy))
        except BaseException as error:  # noqa: BLE001  # StopTest is one; `ended` is raised after the execution
            self.ended = error
            return default


_SHOWN: dict[tuple[str, tuple[object, ...]], tuple[Deviation, ...]] = {}
"""By the choices of an example: the deviations that it came to."""


def _choices(which: str) -> tuple[object, ...] | None:
    """The choices of the example in hand, made so far or laid down ahead; None if Hypothesis does not say.

    It has no public name for them. Without them a failing example shows `schedules()`, and a note its deviations.
    """
    try:
        choices = getattr(current_build_context().data, which, None)
        return None if choices is None else tuple(choices)
    except (InvalidArgument, TypeError):
        return None
