"""What a step has chosen, and what else it could have: values and faults, one entry for each decision of the step.

A choice is the position of a value, or one of the numbers of `racewindow.faults` for a fault that struck or did not. A
label is the choices of a whole step, or the first few. The options of a decision are how many values there were, or the
numbers of the faults that could have struck, budget aside: the budget that is left belongs to the place of a search,
and only gets smaller along an execution.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from racewindow.faults import NO_FAULT, FaultPlan, struck_in

Choices = tuple[int, ...]
Options = int | tuple[int, ...]
"""Of one decision: the number of values, or the numbers of faults."""


class Budget(NamedTuple):
    """The fault budget at a place of a search: the plan, and the numbers of the faults that have struck before."""

    plan: FaultPlan
    struck: tuple[int, ...] = ()

    def after(self, choices: Choices) -> Budget:
        """The budget behind a step."""
        struck = struck_in(choices)
        return Budget(self.plan, self.struck + struck) if struck else self

    def allows(self, label: Choices) -> bool:
        """Whether all faults of a label may strike here."""
        struck = self.struck
        for number in struck_in(label):
            if not self.plan.affords(struck, number):
                return False
            struck = (*struck, number)
        return True


def available(options: Options, budget: Budget | None, before: Choices) -> Iterable[int]:
    """The choices that a decision has at a place, the default first; `before`: the earlier choices of the step."""
    if isinstance(options, int):
        return range(options)
    if budget is None:
        return (NO_FAULT,)
    struck = budget.struck + struck_in(before)
    return (NO_FAULT, *(NO_FAULT - number for number in options if budget.plan.affords(struck, number)))


def fitting(wanted: int, options: Options, choices: Iterable[int]) -> int | None:
    """What comes nearest to a choice among those that a decision has; None if there is nothing like it."""
    if isinstance(options, int):
        return min(wanted, options - 1) if wanted >= 0 else None
    return wanted if wanted in choices else None


def begins(labels: Iterable[Choices], prefix: Choices) -> bool:
    """Whether a label begins with these choices."""
    return any(label[: len(prefix)] == prefix for label in labels)


def covers(labels: Mapping[Choices, tuple[Any, tuple[Options, ...]]], budget: Budget | None, prefix: Choices) -> bool:
    """Whether the labels hold every way in which a step that begins with these choices can go on at a place.

    `labels`: with something, and the options of each decision. A choice that the budget has disabled needs no label.
    """
    if prefix in labels:
        return True
    for label, (_, options) in labels.items():
        if label[: len(prefix)] == prefix:
            choices = available(options[len(prefix)], budget, prefix)
            return all(covers(labels, budget, (*prefix, choice)) for choice in choices)
    return False
