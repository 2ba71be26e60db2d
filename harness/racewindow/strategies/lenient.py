"""Follow a schedule as far as it fits, and note every decision on the way: what shrinking tries its candidates with.

Not strict: a deviation whose option is not there, or whose decision never comes, is passed over as if it had not been
named. What was really taken can be read off the decisions; so a deviation that does nothing vanishes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from racewindow.faults import Offer
from racewindow.schedule import CLOCK, Deviation, Kind
from racewindow.strategies.options import ranked
from racewindow.strategies.replay import ValueCounter, place_of
from racewindow.strategy import Task


class Decision(NamedTuple):
    """One decision of an execution.

    `place`: as `Deviation.key`. `names`: of its options, the default first; for a value only `options` counts them.
    `taken`: the position of the option that was taken. `preemptive`: any other option than the default leaves a task
    that could have gone on.
    """

    place: tuple[str, int, Kind, int]
    names: tuple[str, ...]
    options: int
    taken: int
    preemptive: bool = False

    def deviation(self, option: str) -> Deviation:
        """To take `option` here."""
        task, step, kind, index = self.place
        return Deviation(task, step, kind, index, option)

    def name(self, position: int) -> str:
        """The option at `position`."""
        return self.names[position] if self.names else str(position)

    def offers(self, option: str) -> bool:
        """Whether `option` is there and is not the default."""
        return option in self.names[1:]

    def others(self, most: int) -> Iterator[str]:
        """The first `most` options that are not the default."""
        return (self.name(position) for position in range(1, min(self.options, most + 1)))


class LenientPicker:
    """Answers decisions from deviations, the default where none fits. `decisions`: all that were met, in order."""

    words = None

    def __init__(self, deviations: Iterable[Deviation]) -> None:
        self._wanted = {deviation.key: deviation.option for deviation in deviations}
        self.restart()

    def restart(self) -> None:
        """Follow them from the start."""
        self.decisions: list[Decision] = []
        self._values = ValueCounter()

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """The option named for this decision if it is there, else the default."""
        order = ranked(candidates, last, may_advance=may_advance)
        names = tuple(CLOCK if at == len(candidates) else candidates[at].path for at in order)
        place = (*place_of(last), _TASK, advances)
        wanted = self._wanted.get(place)
        taken = names.index(wanted) if wanted in names else 0
        self.decisions.append(Decision(place, names, len(names), taken, last in candidates))
        return order[taken]

    def pick_value(self, count: int, *, task: Task) -> int:
        """The value named for this decision if it is there, else the first."""
        path, number, position = self._values.place(task)
        place = (path, number, _VALUE, position)
        wanted = self._wanted.get(place, "")
        taken = int(wanted) if wanted.isdecimal() and int(wanted) < count else 0
        self.decisions.append(Decision(place, (), count, taken))
        return taken

    def pick_fault(self, offers: list[Offer], *, task: Task, index: int) -> int:
        """The fault named for this point if it is offered, else none."""
        affordable = [offer for offer in offers if offer.affordable]
        names = (_NONE_STRIKES, *(offer.text for offer in affordable))
        place = (task.path, task.number, _FAULT, index)
        wanted = self._wanted.get(place)
        taken = names.index(wanted) if wanted in names else 0
        self.decisions.append(Decision(place, names, len(names), taken))
        return affordable[taken - 1].number if taken else 0


_TASK: Kind = "task"
_FAULT: Kind = "fault"
_NONE_STRIKES = ""
_VALUE: Kind = "value"
