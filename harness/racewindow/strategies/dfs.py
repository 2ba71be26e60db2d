"""Depth-first search: every order of events once, or every order with at most so many preemptions.

Stateless search by re-execution (Godefroid, POPL'97), bounded as in CHESS (Musuvathi and Qadeer, PLDI'07, section 3): a
preemption is a decision that takes another option although the task that stepped last could have gone on. An execution
is a prefix of options followed by defaults, which are free; each alternative after the prefix begins another execution.
So each order is run exactly once, and those with fewer preemptions are run first: the bound is deepened without running
anything again.

Departure from the paper: values and faults are branches as well, and cost nothing.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

from racewindow.errors import DivergenceError
from racewindow.faults import Offer
from racewindow.statistics import TreeEstimate, TreeSize
from racewindow.strategies.options import ranked
from racewindow.strategy import Task
from racewindow.trail import Trail


class Pending(NamedTuple):
    """An execution still to be run: the ranks of its first options, and how many preemptions these are.

    `log_weight`: of the product of the numbers of options at these decisions.
    """

    ranks: tuple[int, ...]
    preemptions: int
    log_weight: float = 0.0


class Decision(NamedTuple):
    """A decision met after the prefix: how many options it had, and whether all but the first are preemptions."""

    options: int
    preemptive: bool


class DepthFirst:
    """See the module's docstring. `preemptions` None: no bound."""

    name = "dfs"
    looks_ahead = False

    def __init__(self, preemptions: int | None = None) -> None:
        self.preemptions = preemptions
        self.bound_reached = False
        """Whether the bound left anything out."""
        self._pending: list[list[Pending]] = [[Pending((), 0)]]
        self._picker: DepthFirstPicker | None = None
        self._tree = TreeEstimate()

    def start(self, number: int) -> DepthFirstPicker | None:  # the search knows where it is
        """The next execution in order of preemptions, the deepest branch first; None when all have been run."""
        for level in self._pending:
            if level:
                self._picker = DepthFirstPicker(level.pop())
                return self._picker
        return None

    def finished(self, trail: Trail | None, steps: int) -> None:
        """Every decision after the prefix has alternatives; note them, so that the deepest is taken up first."""
        picker = self._picker
        assert picker is not None
        log_weight = picker.pending.log_weight
        for depth, decision in enumerate(picker.met):
            log_weight += log(decision.options)
            for rank in range(decision.options - 1, 0, -1):
                preemptions = picker.pending.preemptions + decision.preemptive
                if self.preemptions is not None and preemptions > self.preemptions:
                    self.bound_reached = True
                    continue
                while self.preemptions is not None and len(self._pending) <= preemptions:
                    self._pending.append([])
                level = self._pending[preemptions if self.preemptions is not None else 0]
                level.append(Pending((*picker.pending.ranks, *[0] * depth, rank), preemptions, log_weight))
        self._tree.finished(-log_weight)

    @property
    def tree_size(self) -> TreeSize | None:
        """How many interleavings there may be in all; with a bound nothing can be said."""
        return self._tree.size if self.preemptions is None else None

    @property
    def exhaustive(self) -> bool:
        """Whether, once `start` has returned None, every order of events has been run."""
        return not self.bound_reached


class DepthFirstPicker:
    """Follows a prefix of ranks, then takes the default, and notes what else there was."""

    words = None

    def __init__(self, pending: Pending) -> None:
        self.pending = pending
        self.restart()

    def restart(self) -> None:
        """The same execution from its start."""
        self._at = 0
        self.met: list[Decision] = []

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """The option of the prefix, else the default."""
        options = ranked(candidates, last, may_advance=may_advance)
        return options[self._next(len(options), preemptive=last in candidates)]

    def pick_value(self, count: int, *, task: Task) -> int:
        """The value of the prefix, else the first."""
        return self._next(count, preemptive=False)

    def pick_fault(self, offers: list[Offer], *, task: Task, index: int) -> int:
        """The fault of the prefix, else none."""
        options = [0, *(offer.number for offer in offers if offer.affordable)]
        return options[self._next(len(options), preemptive=False)] if len(options) > 1 else 0

    def _next(self, options: int, *, preemptive: bool) -> int:
        at, self._at = self._at, self._at + 1
        if at >= len(self.pending.ranks):
            self.met.append(Decision(options, preemptive))
            return 0
        rank = self.pending.ranks[at]
        if rank >= options:
            raise DivergenceError(
                f"The search diverged at decision {at + 1}: option {rank + 1} of {options} was there before.",
                why="the program depends on something that is not under control, such as state kept across executions.",
                do="make everything that the program changes inside the scenario function.",
            )
        return rank
