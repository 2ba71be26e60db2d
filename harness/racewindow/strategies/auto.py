"""A portfolio, and the default: a proof if there can be one, and else as many ways of looking as the budget allows.

The default order comes first, then a look around: a few random walks, because a search begins with the orders that
are nearly the default one, and what fails often need not wait for the others. The rest of the first half of the budget
belongs to the search that can end with a proof: `dpor`, or `dfs` under trio's semantics, where reduction does not
apply. It gives up earlier if it cannot end in time, by its own estimate of what is left. What remains is shared by
`pct`, `surw` and `fuzz`, in turns: none of them finds everything that one of the others does.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any

from racewindow.faults import NO_FAULTS, FaultPlan
from racewindow.footprint import KeyTable
from racewindow.statistics import TreeSize
from racewindow.strategies.dfs import DepthFirst
from racewindow.strategies.dpor import OptimalReduction
from racewindow.strategies.fuzz import ScheduleFuzzing
from racewindow.strategies.pct import PriorityWalk
from racewindow.strategies.random_walk import RandomWalk
from racewindow.strategies.search_tree import Search
from racewindow.strategies.surw import SelectiveWalk
from racewindow.strategy import Picker, Strategy
from racewindow.trail import Trail

_LOOK_AROUND = 20
"""Random walks after the default order."""
_SHARE = 0.5
"""Of the budget, for the search."""
_HOPELESS, _ENOUGH = 50, 100
"""So many times the budget left is more than the search can be expected to do; asked after so many executions."""


class Portfolio:
    """See the module's docstring. `schedules`: the budget, None if time is all that bounds it."""

    name = "auto"
    looks_ahead = True
    bound_reached = False

    def __init__(self, seed: int, depth: int, semantics: str, schedules: int | None) -> None:
        self._schedules = schedules
        self._search: OptimalReduction | DepthFirst = DepthFirst() if semantics == "trio" else OptimalReduction()
        self._walk = RandomWalk(seed)
        self._others: tuple[Strategy, ...] = (PriorityWalk(seed, depth), SelectiveWalk(seed), ScheduleFuzzing(seed))
        self._counts = [0] * len(self._others)
        self.searched = 0
        """Executions of the search, each of which is another order."""
        self._next: Picker | None = None  # of the search, while others take their turn
        self._current: Strategy = self._search
        self._spent = 0.0
        self.notes = {self._walk.name: "a look around at the start"}
        """When a strategy ran, or why it ended, by its name; the others run to the end of the budget."""
        self.exhaustive = True

    def attach(
        self, run: Callable[[Any], Trail], keys: KeyTable, paths: list[str], faults: FaultPlan = NO_FAULTS
    ) -> None:
        """As of `dpor`."""
        if isinstance(self._search, OptimalReduction):
            self._search.attach(run, keys, paths, faults)

    @property
    def current(self) -> str:
        """The name of the strategy that has made the execution in progress."""
        return self._current.name

    @property
    def reduced(self) -> Search | None:
        """What the audit needs of the execution in progress, if it stands for others."""
        return (
            self._search.search
            if self._current is self._search and isinstance(self._search, OptimalReduction)
            else None
        )

    def give_up_search(self, why: str) -> None:
        """The search cannot be believed: the others take over."""
        self.notes[self._search.name] = why
        self.exhaustive = False

    @property
    def reduces(self) -> bool:
        """Whether its proof is one of the reduction."""
        return isinstance(self._search, OptimalReduction)

    @property
    def gave_up(self) -> bool:
        """Whether it will not be known if every order has been run."""
        return not self.exhaustive

    @property
    def probes(self) -> int:
        """Executions run only to learn what a step touches."""
        return self._search.probes if isinstance(self._search, OptimalReduction) else 0

    @property
    def tree_size(self) -> TreeSize | None:
        """What the search has to say of the number of orders."""
        return self._search.tree_size if self.searched else None

    def progressed(self, share: float) -> None:
        """So much of the budget has been spent, from 0 to 1."""
        self._spent = share

    def start(self, number: int) -> Picker | None:
        """The next execution of whoever's turn it is; None once the search has run every order."""
        if self.exhaustive:
            hopeless = self._hopeless(number)  # asked first: the search says so of the execution that it ran last
            self._next = self._next or self._search.start(number)
            if self._next is None:
                self._current = self._search
                return None
            if self._spent >= _SHARE:
                self.give_up_search("had its half of the budget, and there was more to run")
            elif hopeless:
                self.give_up_search("gave up: there are far more orders than the budget allows")
            elif 1 <= number <= _LOOK_AROUND:
                self._current = self._walk
                return self._walk.start(number - 1)
            else:
                planned, self._next, self._current = self._next, None, self._search
                self.searched += 1
                return planned
        turn = sum(self._counts) % len(self._others)
        self._current = self._others[turn]
        picker = self._current.start(self._counts[turn])
        self._counts[turn] += 1
        return picker

    def _hopeless(self, number: int) -> bool:
        size = self._search.tree_size if number and number % _ENOUGH == 0 else None
        return size is not None and self._schedules is not None and size.log_leaves > log(self._schedules * _HOPELESS)

    def finished(self, trail: Trail | None, steps: int) -> None:
        """Whoever made the execution learns from it."""
        self._current.finished(trail, steps)
