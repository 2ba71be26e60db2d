"""The protocol of an exploration strategy, and the pickers that make its decisions.

A strategy starts executions until it is exhausted; the picker of an execution answers its decisions. To write one: make
a file in `strategies/` with a class like `RandomWalk`, and add a line to the table in `strategies/__init__.py`. A
strategy is a function of its seed and of what it has been shown; it never looks at a clock or at `random`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from racewindow.faults import Offer
from racewindow.footprint import Footprint
from racewindow.trail import Trail


class Task(Protocol):
    """What a picker may know of a task that could step next."""

    @property
    def path(self) -> str:
        """Stable identity, `main/0/2`."""

    @property
    def order(self) -> tuple[int, ...]:
        """Sort key by path; the default option is the task that stepped last, else the lowest of these."""

    @property
    def number(self) -> int:
        """Steps this task has finished; while one of its steps is in progress, the number of that step."""

    @property
    def touched(self) -> Footprint:
        """What its last step touched. Only where the strategy looks ahead (`Strategy.looks_ahead`)."""

    @property
    def pending(self) -> Footprint | None:
        """A guess what its next step will touch, None if there is nothing to go by.

        It is what a task touched when one with the same path was last resumed from the same suspended statement. A
        wrong guess may cost a strategy speed and must not cost it anything else. Only where the strategy looks ahead.
        """


class Picker(Protocol):
    """Answers the decisions of one execution."""

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """Index of the candidate that steps next, or `len(candidates)` to let time pass, offered if `may_advance`.

        `last`: the task that took the previous step (None at the start); `advances`: clock advances since then. The
        order of the candidates is the same whenever the decisions so far were the same, and means nothing else.
        """

    def pick_value(self, count: int, *, task: Task) -> int:
        """Index of the value to take, of `count` > 1, in the step of `task` in progress; 0 is the default."""

    def restart(self) -> None:
        """The same execution begins again from its start; answer the same as before."""

    @property
    def words(self) -> Iterator[int] | None:
        """The stream of 16-bit numbers, if every task decision is `next(words) * options >> 16`, else None.

        It lets the runtime use its fastest loop.
        """


class FaultPicker(Picker, Protocol):
    """A picker that says itself which faults strike; to any other one chance is added (`strategies.fault_sampling`)."""

    def pick_fault(self, offers: list[Offer], *, task: Task, index: int) -> int:
        """The number of an affordable offer, for a fault to strike, or 0 for none, which is the default.

        `index`: of the fault point among those of the step of `task` in progress. The offers may all be beyond the
        budget.
        """


class Strategy(Protocol):
    """Chooses the orders of events to run."""

    @property
    def name(self) -> str:
        """The name it is asked for by."""

    def start(self, number: int) -> Picker | None:
        """The picker for execution `number` (from 0), or None: there is nothing left to run.

        For a strategy that can be re-run from (seed, execution number), the same number gives the same decisions.
        """

    @property
    def exhaustive(self) -> bool:
        """Whether, once `start` has returned None, every order of events has been run."""

    @property
    def bound_reached(self) -> bool:
        """Whether a bound of the strategy's own left orders out."""

    @property
    def looks_ahead(self) -> bool:
        """Whether its pickers ask tasks for `touched` and `pending`; footprints are then always on."""

    def finished(self, trail: Trail | None, steps: int) -> None:
        """The execution started last has ended after so many steps; `trail` is None unless the strategy looks ahead.

        To work a trail out takes as long as to run it, so only those get it who live by it.
        """
