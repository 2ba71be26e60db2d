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
        self._counts = [0] * (1 + len(self._others))
        self._next: Picker | None = None  # of the search, while others take their turn
        self._current: Strategy = self._search
        self._spent = 0.0
        self.notes: dict[str, str] = {}
        """Why a strategy ended, where that is worth saying, by its name."""
        self.exhaustive = True

    def attach(self, run: Callable[[Any], Trail], keys: KeyTable, paths: list[str]) -> None:
        """As of `dpor`."""
        if isinstance(self._search, OptimalReduction):
            self._search.attach(run, keys, paths)

    @property
    def current(self) -> str:
        """The name of the strategy that has made the execution in progress."""
        return self._current.name

    @property
    def searches_by(self) -> str:
        """The name of the strategy that can end with a proof."""
        return self._search.name

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
    def probes(self) -> int:
        """Executions run only to learn what a step touches."""
        return self._search.probes if isinstance(self._search, OptimalReduction) else 0

    @property
    def tree_size(self) -> TreeSize | None:
        """What the search has to say of the number of orders."""
        return self._search.tree_size if self._counts[0] else None

    def progressed(self, share: float) -> None:
        """So much of the budget has been spent, from 0 to 1."""
        self._spent = share

    def start(self, number: int) -> Picker | None:
        """The next execution of whoever's turn it is; None once the search has run every order."""
        if self.exhaustive:
            why = self._why_give_up(number)
            picker = self._next or self._search.start(number)
            if picker is None:
                return None
            if not why:
                return self._walk_or_search(number, picker)
            self.give_up_search(why)
        turn = sum(self._counts[1:]) % len(self._others)
        self._current = self._others[turn]
        picker = self._current.start(self._counts[1 + turn])
        self._counts[1 + turn] += 1
        return picker

    def _walk_or_search(self, number: int, picker: Picker) -> Picker:
        """The search goes on with this picker, unless it is time to look around first."""
        if 1 <= number <= _LOOK_AROUND:
            self._next, self._current = picker, self._walk
            return self._walk.start(number - 1)
        self._next, self._current = None, self._search
        self._counts[0] += 1
        return picker

    def _why_give_up(self, number: int) -> str:
        """Why the search has to end if there is more to run, or ""."""
        if self._spent >= _SHARE:
            return "had its half of the budget, and there was more to run"
        size = self._search.tree_size if number and number % _ENOUGH == 0 else None
        if size is not None and self._schedules is not None and size.log_leaves > log(self._schedules * _HOPELESS):
            return "gave up: there are far more orders than the budget allows"
        return ""

    def finished(self, trail: Trail | None, steps: int) -> None:
        """Whoever made the execution learns from it."""
        self._current.finished(trail, steps)
