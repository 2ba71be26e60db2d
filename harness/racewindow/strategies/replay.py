"""Follow a schedule: the default at every decision that it does not name, the named option at every one that it does.

Strict: a deviation whose option is not there, or whose decision never comes, is a divergence that says where and what.
Not in the table of strategies, because it needs a schedule instead of a seed.
"""

from __future__ import annotations

from racewindow.errors import DivergenceError
from racewindow.faults import Offer
from racewindow.schedule import CLOCK, START, Deviation, Kind, Schedule
from racewindow.strategy import Picker, Task


class ReplayPicker:
    """Answers decisions from a schedule."""

    words = None

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self.restart()

    def restart(self) -> None:
        """Follow the schedule from its start."""
        self._wanted = {deviation.key: deviation for deviation in self._schedule.deviations}
        self._values = ValueCounter()
        self._divergence: DivergenceError | None = None

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """The option named for this decision, else the default."""
        if self._divergence is not None:
            raise self._divergence
        path, number = place_of(last)
        deviation = self._wanted.pop((path, number, "task", advances), None)
        if deviation is None:
            return default_of(candidates, last)
        if deviation.option == CLOCK and may_advance:
            return len(candidates)
        for index, candidate in enumerate(candidates):
            if candidate.path == deviation.option:
                return index
        runnable = ", ".join(sorted(candidate.path for candidate in candidates))
        raise _divergence(
            f"after step {number} of {path}" if last is not None else "at the start",
            "lets time pass next" if deviation.option == CLOCK else f"runs task {deviation.option} next",
            "no deadline is pending" if deviation.option == CLOCK else f"it cannot run; those that can: {runnable}",
        )

    def pick_value(self, count: int, *, task: Task) -> int:
        """The value named for this decision, else the first."""
        path, number, position = self._values.place(task)
        deviation = self._wanted.pop((path, number, "value", position), None)
        if deviation is None:
            return 0
        if not deviation.option.isdecimal() or int(deviation.option) >= count:
            # Raised here, it would be an exception of the program's, which may catch it: so it is kept for later.
            self._divergence = self._divergence or _divergence(
                f"in step {number} of {path}", f"takes value {deviation.option}", f"there are {count} values, from 0"
            )
            return 0
        return int(deviation.option)

    def pick_fault(self, offers: list[Offer], *, task: Task, index: int) -> int:
        """The fault named for this point, else none."""
        deviation = self._wanted.pop((task.path, task.number, "fault", index), None)
        if deviation is None:
            return 0
        for offer in offers:
            if offer.text == deviation.option and offer.affordable:
                return offer.number
        self._divergence = self._divergence or _divergence(
            f"in step {task.number} of {task.path}",
            f"has the fault {deviation.option} strike",
            f"the point offers {', '.join(offer.text for offer in offers) or 'no fault'}",
        )
        return 0

    def check_followed(self, *, to_the_end: bool = True) -> None:
        """Raise DivergenceError if a value was not there, or, `to_the_end`, a decision of the schedule never came."""
        if self._divergence is not None:
            raise self._divergence
        if self._wanted and to_the_end:
            first = min(self._wanted.values(), key=lambda deviation: (deviation.step, deviation.key))
            where = f"{'after' if first.kind == 'task' else 'in'} step {first.step} of {first.task}"
            raise _divergence(
                "at the start" if first.task == START else where,
                f"takes option {first.option} there",
                "the execution ended without coming to that decision",
            )


def _divergence(where: str, recorded: str, now: str) -> DivergenceError:
    return DivergenceError(
        f"The replay diverged {where}.\n  recorded: the schedule {recorded}\n  now:      {now}",
        why="the code has changed since the schedule was recorded, or the schedule belongs to another scenario.",
        do="racewindow explore with the same scenario and seed, to record the failure again.",
    )


def place_of(last: Task | None) -> tuple[str, int]:
    """The (task, step) under which a scheduling decision is filed: the step just finished."""
    return (START, 0) if last is None else (last.path, last.number - 1)


def default_of(candidates: list[Task], last: Task | None) -> int:
    """Option 0: the task that stepped last if it can go on, else the one with the lowest path."""
    if last is not None and last in candidates:
        return candidates.index(last)
    return min(range(len(candidates)), key=lambda index: candidates[index].order)


class ValueCounter:
    """Numbers the value decisions of each step, from 0."""

    def __init__(self) -> None:
        self._step: tuple[str, int] = ("", -1)
        self._position = 0

    def place(self, task: Task) -> tuple[str, int, int]:
        """(path, step, position) of the value decision that `task` is making now."""
        step = (task.path, task.number)
        self._position = self._position + 1 if step == self._step else 0
        self._step = step
        return (*step, self._position)


class DecisionLog:
    """Wraps a picker and keeps the deviations that it takes, in order."""

    words = None

    def __init__(self, picker: Picker) -> None:
        self._picker = picker
        self._begin()

    def _begin(self) -> None:
        self.deviations: list[Deviation] = []
        self._values = ValueCounter()

    def restart(self) -> None:
        """Forget what was noted, and begin again."""
        self._picker.restart()
        self._begin()

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """Pass the decision on; note it if it is not the default."""
        index = self._picker.pick_task(candidates, may_advance=may_advance, last=last, advances=advances)
        if index == len(candidates):
            self._note("task", *place_of(last), advances, CLOCK)
        elif index != default_of(candidates, last):
            self._note("task", *place_of(last), advances, candidates[index].path)
        return index

    def pick_value(self, count: int, *, task: Task) -> int:
        """Pass the decision on; note it if it is not the default."""
        path, number, position = self._values.place(task)
        index = self._picker.pick_value(count, task=task)
        if index:
            self._note("value", path, number, position, str(index))
        return index

    def pick_fault(self, offers: list[Offer], *, task: Task, index: int) -> int:
        """Pass the decision on; note it if a fault strikes."""
        number: int = self._picker.pick_fault(offers, task=task, index=index)  # type: ignore[attr-defined]
        if number:
            text = next(offer.text for offer in offers if offer.number == number)
            self._note("fault", task.path, task.number, index, text)
        return number

    def _note(self, kind: Kind, task: str, step: int, index: int, option: str) -> None:
        self.deviations.append(Deviation(task, step, kind, index, option))
