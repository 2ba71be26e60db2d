"""Faults by chance, for strategies that sample orders and say nothing about faults.

Whether one strikes is drawn at every point that offers any, with a probability such that about half of the executions
have none: a plain race has to be found as well, and soon. The probability follows from the number of points that the
default order comes to, so an execution can still be run again from (seed, execution number) alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from racewindow.faults import Offer
from racewindow.strategies.dice import Dice
from racewindow.strategy import Picker, Task

_HALF = 0.5
_WHOLE = 1 << 32


def strike_chance(points: int) -> int:
    """The chance to strike at one of so many points, of 2 ** 32, for half of all executions to have no fault."""
    return int((1 - _HALF ** (1 / max(points, 1))) * _WHOLE)


class FaultSampling:
    """Adds fault decisions to a picker. `key`: the same for the same execution; `chance`: see `strike_chance`."""

    def __init__(self, picker: Picker, key: bytes, chance: int) -> None:
        self.picker, self._key, self._chance = picker, key, chance
        self._dice = Dice(key)

    @property
    def words(self) -> Iterator[int] | None:
        """Those of the wrapped picker."""
        return self.picker.words

    def restart(self) -> None:
        """The same execution from its start."""
        self.picker.restart()
        self._dice = Dice(self._key)

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """The wrapped picker's decision."""
        return self.picker.pick_task(candidates, may_advance=may_advance, last=last, advances=advances)

    def pick_value(self, count: int, *, task: Task) -> int:
        """The wrapped picker's decision."""
        return self.picker.pick_value(count, task=task)

    def pick_fault(self, offers: list[Offer], *, task: Task, index: int) -> int:
        """None, or any that the budget allows with equal chance."""
        affordable = [offer.number for offer in offers if offer.affordable]
        if not affordable or self._dice.below(_WHOLE) >= self._chance:
            return 0
        return affordable[self._dice.below(len(affordable))]


def unwrapped(picker: Any) -> Any:
    """The picker itself, without the faults that may have been added to it."""
    return picker.picker if isinstance(picker, FaultSampling) else picker
