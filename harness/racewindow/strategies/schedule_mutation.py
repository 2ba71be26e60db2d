"""Schedules as genes: deviations that are followed where they still fit, and ways to vary them.

A deviation is keyed by a task and that task's own step, so it keeps its meaning when others are added or removed, and
two lists can be put together. What does not fit any more is passed over, as it is while shrinking; the schedule that
was really followed is noted by a `DecisionLog` around the picker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from racewindow.schedule import CLOCK, Deviation
from racewindow.strategies.dice import Dice
from racewindow.strategies.replay import ValueCounter, default_of, place_of
from racewindow.strategy import Task


class Genes(NamedTuple):
    """What a child execution is to follow.

    `deviations`: in the order in which a parent took them. `fresh`: numbers of decisions, counted from 0, at which the
    child takes any option but the default, if no deviation says otherwise. `walk`: the decision from which on it is a
    uniform random walk, None for never.
    """

    deviations: tuple[Deviation, ...] = ()
    fresh: frozenset[int] = frozenset()
    walk: int | None = None


class Parent(NamedTuple):
    """The schedule of an execution, and how many decisions it met."""

    deviations: tuple[Deviation, ...]
    decisions: int


class Parents(NamedTuple):
    """The one that is varied, and another one."""

    one: Parent
    other: Parent


Mutation = Callable[[Genes, Parents, Dice], Genes]
"""Genes of a child so far, its parents, and the dice -> genes varied once."""


def insert(genes: Genes, parents: Parents, dice: Dice) -> Genes:
    """Deviate at one more decision."""
    return genes._replace(fresh=genes.fresh | {dice.below(max(parents.one.decisions, 1))})


def slip_in(genes: Genes, parents: Parents, dice: Dice) -> Genes:
    """Deviate at one more decision, and again a few decisions later: often, to go back."""
    at = dice.below(max(parents.one.decisions, 1))
    return genes._replace(fresh=genes.fresh | {at, at + (1 << dice.below(3))})


def walk_on(genes: Genes, parents: Parents, dice: Dice) -> Genes:
    """Go back to where the parent has been, and go on from there by chance."""
    return genes._replace(walk=dice.below(parents.one.decisions + 1))


def remove(genes: Genes, parents: Parents, dice: Dice) -> Genes:
    """Leave out a deviation, or some that were taken one after the other."""
    kept = genes.deviations
    if not kept:
        return insert(genes, parents, dice)
    start = dice.below(len(kept))
    end = start + 1 + (dice.below(len(kept) - start) if dice.below(2) else 0)
    return genes._replace(deviations=kept[:start] + kept[end:])


def move(genes: Genes, parents: Parents, dice: Dice) -> Genes:
    """Take a deviation some steps of its task earlier or later."""
    kept = genes.deviations
    if not kept:
        return insert(genes, parents, dice)
    at = dice.below(len(kept))
    distance = 1 << dice.below(3)
    step = max(kept[at].step + (distance if dice.below(2) else -distance), 0)
    return genes._replace(deviations=(*kept[:at], replace(kept[at], step=step), *kept[at + 1 :]))


def splice(genes: Genes, parents: Parents, dice: Dice) -> Genes:
    """Begin as so far, and go on as another schedule did."""
    kept = genes.deviations[: dice.below(len(genes.deviations) + 1)]
    return genes._replace(deviations=kept + parents.other.deviations[dice.below(len(parents.other.deviations) + 1) :])


MUTATIONS: Sequence[Mutation] = (insert, slip_in, remove, move, splice, walk_on)
"""Drawn evenly."""
_STACKED = (1, 1, 2, 4)


def mutate(parents: Parents, dice: Dice) -> Genes:
    """Genes of a child: those of its parent, varied once or, half of the time, more often."""
    genes = Genes(parents.one.deviations)
    for _ in range(_STACKED[dice.below(len(_STACKED))]):
        genes = MUTATIONS[dice.below(len(MUTATIONS))](genes, parents, dice)
    return genes


class GenesPicker:
    """Follows genes: the option of a deviation if it is there, else the default, else any other where that is fresh."""

    words = None

    def __init__(self, genes: Genes, dice: Dice) -> None:
        self._fresh, self._walk, self._dice = genes.fresh, genes.walk, dice
        self._wanted = {deviation.key: deviation.option for deviation in genes.deviations}
        self._values = ValueCounter()
        self._decisions = 0

    def restart(self) -> None:
        """Not asked for: the answers are remembered."""
        raise AssertionError

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """The option of the genes."""
        option = self._wanted.get((*place_of(last), "task", advances))
        index = -1
        if option == CLOCK and may_advance:
            index = len(candidates)
        elif option is not None:
            index = next((i for i, task in enumerate(candidates) if task.path == option), -1)
        return self._settle(index, default_of(candidates, last), len(candidates) + may_advance)

    def pick_value(self, count: int, *, task: Task) -> int:
        """The value of the genes."""
        path, number, position = self._values.place(task)
        option = self._wanted.get((path, number, "value", position), "")
        return self._settle(int(option) if option.isdecimal() and int(option) < count else -1, 0, count)

    def _settle(self, index: int, default: int, options: int) -> int:
        """The option at `index`, which is -1 where the genes name none, or as chance has it."""
        at, self._decisions = self._decisions, self._decisions + 1
        if self._walk is not None and at >= self._walk:
            return self._dice.below(options)
        if index >= 0:
            return index
        return (default + 1 + self._dice.below(options - 1)) % options if at in self._fresh else default
