"""Follow a schedule as far as it goes, then complete the execution in another way: how an explanation asks "what if".

Deviations that do not fit are left out: an order that is changed on purpose is not the one that was recorded. As soon
as certain steps have been taken the rest is left to the default, or to chance.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from racewindow.schedule import CLOCK, START, Deviation
from racewindow.strategies.replay import ValueCounter, default_of
from racewindow.strategy import Task

Place = tuple[str, int]
"""A step by the path of its task and its own number."""


class Offered(Protocol):
    """A fault that may strike at some point."""

    @property
    def number(self) -> int:
        """Its number among those offered there, from 1."""

    @property
    def text(self) -> str:
        """What a schedule calls it."""

    @property
    def affordable(self) -> bool:
        """Whether the budget still has room for it."""


class TolerantPicker:
    """Answers decisions from deviations where they fit.

    `until`: steps after all of which the deviations are followed no more; None to follow them to the end. `chance`: the
    seed of what decides after that; None for the default order. A step in which a task only finds itself held back by
    a constraint does not count, so that steps keep the numbers that they have without one; but for those in `given`,
    under which the deviations were recorded.
    """

    words = None

    def __init__(
        self,
        deviations: Iterable[Deviation],
        *,
        until: Iterable[Place] | None = None,
        chance: int | None = None,
        given: Collection[object] = (),
    ) -> None:
        self._deviations = tuple(deviations)
        self._until = None if until is None else frozenset(until)
        self._chance = chance
        self._given = given
        self.restart()

    def restart(self) -> None:
        """Begin again."""
        self._wanted = {deviation.key: deviation.option for deviation in self._deviations}
        self._ahead = None if self._until is None else set(self._until)
        self._dice = None if self._chance is None else random.Random(self._chance)
        self._values = ValueCounter()

    @property
    def _free(self) -> bool:
        return self._ahead is not None and not self._ahead

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """The option named for this decision if it is there, else the default; afterwards the completion."""
        place = (START, 0) if last is None else (last.path, self._number(last) - 1)
        if self._ahead:  # a step after which there was nothing to decide was not seen
            self._ahead = {(path, number) for path, number in self._ahead if path != place[0] or number > place[1]}
        if self._free:
            if self._dice is not None:
                return self._dice.randrange(len(candidates) + may_advance)
            return default_of(candidates, last)
        option = self._wanted.pop((*place, "task", advances), None)
        if option == CLOCK and may_advance:
            return len(candidates)
        for index, candidate in enumerate(candidates):
            if candidate.path == option:
                return index
        return default_of(candidates, last)

    def pick_value(self, count: int, *, task: Task) -> int:
        """Likewise for a value."""
        _, _, position = self._values.place(task)
        if self._free:
            return 0 if self._dice is None else self._dice.randrange(count)
        option = self._wanted.pop((task.path, self._number(task), "value", position), "0")
        return int(option) if option.isdecimal() and int(option) < count else 0

    def pick_fault(self, offers: Sequence[Offered], *, task: Task, index: int) -> int:
        """The fault named for this point if it is offered, else none; none at all in the completion."""
        option = None if self._free else self._wanted.pop((task.path, self._number(task), "fault", index), None)
        return next((offer.number for offer in offers if offer.text == option and offer.affordable), 0)

    def _number(self, task: Task) -> int:
        """How many steps it has taken, without those that do not count."""
        return task.number - len(uncounted(getattr(task, "held", ()), self._given))


def uncounted(held: Iterable[tuple[int, Collection[object]]], given: Collection[object]) -> list[int]:
    """Of the steps in which a task was held back, by number and constraints, those that are not there under `given`."""
    return [number for number, constraints in held if not any(each in given for each in constraints)]
