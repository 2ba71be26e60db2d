"""Optimal dynamic partial-order reduction: one execution for every Mazurkiewicz trace, and no other.

Abdulla, Aronis, Jonsson, Sagonas: "Optimal dynamic partial order reduction", POPL 2014 / JACM 2017, algorithm 2, with
wakeup trees and sleep sets. At the end of each execution every race of it is reversed in thought: the steps that do not
depend on the first of its two steps, then the second; if no execution run or planned so far covers that, it is planned.

Departures. An event is a step of a task, with all that it touches. Blocking is by `until`, by spinning (see `SPINNING`
in `runtime.guided`) and by the racing clock only: a task in it takes part through what it looks at, also if it never
goes on, and its races need not be immediate. What the reversed step would touch is recalled (`foresight`) or found out
by a run of its own, a probe; so nothing is explored twice on a guess. Values and faults are branches: a label is a task
with the choices of its step, and the fault budget left belongs to a place of the search (`labels`). Depth costs no
stack.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from racewindow.faults import NO_FAULTS, FaultPlan
from racewindow.footprint import KeyTable
from racewindow.statistics import TreeSize, growing_tree
from racewindow.strategies.labels import Budget
from racewindow.strategies.leading import Leader, Probe
from racewindow.strategies.reversals import Reversals, plan_postponed
from racewindow.strategies.search_tree import Search
from racewindow.strategies.wakeup import Label
from racewindow.trail import Trail


class OptimalReduction:
    """See the module's docstring. It needs an exploration to run its probes: `attach`."""

    name = "dpor"
    exhaustive = reduces = True
    bound_reached = looks_ahead = False

    def __init__(self) -> None:
        self._search: Search | None = None
        self._begun = False
        self._executions = 0

    @property
    def search(self) -> Search:
        """The state of the search."""
        assert self._search is not None, "it has not been attached to an exploration"
        return self._search

    @property
    def reduced(self) -> Search:
        """What the audit needs of an execution that stands for others."""
        return self.search

    @property
    def probes(self) -> int:
        """Executions run only to learn what a step touches."""
        return 0 if self._search is None else self._search.probes

    def attach(
        self, run: Callable[[Any], Trail], keys: KeyTable, paths: list[str], faults: FaultPlan = NO_FAULTS
    ) -> None:
        """Be given a way to run probes, the tables of keys and tasks of the exploration, and what may strike."""

        def probe(search: Search, depth: int, labels: Sequence[Label]) -> tuple[Trail, Probe]:
            leader = Probe(paths, search.strides[:depth], search.nodes[depth].keys, labels)
            return run(leader), leader

        self._search = Search(probe, keys, paths, Budget(faults) if faults else None)

    def start(self, number: int) -> Leader | None:  # the search knows where it is
        """The next execution, which repeats the last one up to the deepest place where something is planned."""
        if self._begun and not self._go_back():
            return None
        self._begun = True
        return Leader(self.search)

    def finished(self, trail: Trail | None, steps: int) -> None:
        """Plan the reversal of every race of the execution, also of those inside the part that it repeated."""
        assert trail is not None
        search = self.search
        self._executions += 1
        known = len(search.strides)
        search.strides = trail.strides
        for node, keys in zip(search.nodes[known:], trail.snapshots, strict=False):
            node.keys = keys
        Reversals(search, trail, known).plan_all()

    def _go_back(self) -> bool:
        """Leave the execution just run for the deepest place from which another one is planned."""
        nodes, strides = self.search.nodes, self.search.strides
        nodes.pop()
        while nodes:
            node = nodes[-1]
            if node.tree or node.postponed:
                node.done += 1
                stride = strides[len(nodes) - 1]
                if not stride.barrier:
                    node.put_to_sleep(stride)
                    if node.postponed:
                        plan_postponed(self.search)
                if node.tree:
                    self.search.strides = strides[: len(nodes) - 1]
                    return True
            nodes.pop()
        return False

    @property
    def tree_size(self) -> TreeSize | None:
        """How many executions there may be in all."""
        if not self.search.nodes:
            return None
        *nodes, here = self.search.nodes
        # Here an execution has ended, or, once it has been left, others begin.
        begun = here.done + len(here.tree)
        levels = [(node.done, node.done + 1 + len(node.tree)) for node in nodes]
        return growing_tree(self._executions, [*levels, (here.done, begun) if begun else (1, 1)])
