"""The state of a systematic search: the places along the execution run last, and what was learned about steps.

Between the strategy, which goes from one execution to the next, the leaders of its executions, and the analysis of
their races.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from racewindow.footprint import NO_FOOTPRINT, Footprint, KeyTable, footprint_of
from racewindow.strategies.foresight import BLOCKED, Foresight
from racewindow.strategies.labels import Budget, Choices, Options, covers
from racewindow.strategies.wakeup import Branch, Label, Word
from racewindow.trail import KeyState, Stride, Trail


class Probed(Protocol):
    """What has led the steps of a probe: how many could be taken, where the last one is, and what it could choose."""

    taken: int
    at: int
    options: tuple[Options, ...]


class Sleeping:
    """A task that need not step here: labels that have been explored, with what they touch and their options.

    `always`: a step without any decision has been explored, so all there is, whatever the budget.
    """

    __slots__ = ("always", "footprints", "labels")

    def __init__(self, labels: dict[Choices, tuple[Footprint, tuple[Options, ...]]]) -> None:
        self.labels = labels
        self.footprints = [footprint for footprint, _ in labels.values()]
        self.always = () in labels

    def is_whole(self, budget: Budget | None) -> bool:
        """Whether all that the task could choose with this budget left has been explored."""
        return self.always or covers(self.labels, budget, ())

    def commutes(self, budget: Budget | None, independent: Callable[[Footprint], bool]) -> bool:
        """Whether each label that the budget allows is independent of something, asked by its footprint."""
        if budget is None or self.always:
            return all(map(independent, self.footprints))
        return all(independent(footprint) for label, (footprint, _) in self.labels.items() if budget.allows(label))


class Node:
    """A place of the search, before a step: who sleeps there, what is planned from it, and the state of all keys.

    `options`: those of each decision of the label that is being explored; `done`: how many labels have been explored
    from here; `budget`: for faults, None if none may strike. `postponed`:
    words that are planned, or covered, once more is known (see `wakeup.insert`).
    """

    __slots__ = ("budget", "done", "keys", "options", "postponed", "sleep", "tree")

    def __init__(
        self,
        sleep: dict[int, Sleeping],
        tree: list[Branch],
        keys: dict[int, KeyState],
        budget: Budget | None,
        postponed: list[Word],
    ) -> None:
        self.sleep = sleep
        self.tree = tree
        self.keys = keys
        self.budget = budget
        self.postponed = postponed
        self.options: tuple[Options, ...] = ()
        self.done = 0

    def asleep_after(self, task: int, footprint: Footprint) -> dict[int, Sleeping]:
        """Who still sleeps after a step of a task: whoever does not depend on it."""
        sleep: dict[int, Sleeping] = {}
        for other, sleeping in self.sleep.items():
            if other == task:
                continue
            if not any(map(footprint.conflicts, sleeping.footprints)):
                sleep[other] = sleeping
            elif len(sleeping.labels) > 1:
                kept = {c: label for c, label in sleeping.labels.items() if not label[0].conflicts(footprint)}
                if kept:
                    sleep[other] = Sleeping(kept)
        return sleep

    def put_to_sleep(self, stride: Stride) -> None:
        """A step has been explored from here, with the values that it took."""
        sleeping = self.sleep.get(stride.task)
        labels = {stride.choices: (stride.footprint, self.options)}
        self.sleep[stride.task] = Sleeping(labels if sleeping is None else sleeping.labels | labels)


class Search:
    """The search as its parts share it.

    `run`: runs the steps of labels from a place on; gives the trail, and what has led it (see `leading.Probe`).
    `nodes`: the places of the execution run last, one before each of its `strides`, and one at its end. `paths`: of the
    tasks by number. `probes`: executions run only to learn what a step touches. `decides`: whether
    steps may have choices.
    """

    def __init__(
        self,
        run: Callable[[Search, int, Sequence[Label]], tuple[Trail, Probed]],
        keys: KeyTable,
        paths: list[str],
        budget: Budget | None = None,
    ) -> None:
        self._run, self._keys, self.paths = run, keys, paths
        self._foresight = Foresight(keys)
        self.nodes = [Node({}, [], {}, budget, [])]
        self.strides: list[Stride] = []
        self._scopes_change = False
        self._clock = 1 << keys.number("clock")
        self.probes = 0
        self.decides = budget is not None
        self.orders: dict[int, tuple[int, ...]] = {}  # of the tasks, by number, as far as they were needed

    @property
    def has_plans(self) -> bool:
        """Whether another execution is planned from any place of the one run last."""
        return any(node.tree or node.postponed for node in self.nodes)

    def probe(self, depth: int, labels: Sequence[Label]) -> tuple[Stride, tuple[Options, ...]] | None:
        """Run steps from a place on, to see what the last one does, and could choose; None if it cannot be taken."""
        self.probes += 1
        trail, probed = self._run(self, depth, labels)
        if probed.taken < len(labels):
            for pending in trail.pending:
                if pending.task == labels[-1][0]:
                    self._foresight.learn((pending.root, (), ()), self._looked_at(pending.codes), trail.keys, BLOCKED)
            return None
        self._mind_scopes()
        self.learn(trail.strides[probed.at], trail.snapshots[probed.at - depth], probed.options)
        return trail.strides[probed.at], probed.options

    def learn_all(self, strides: Sequence[Stride], known: int) -> list[int]:
        """`learn` from all steps of the execution run last but the first few; which of them took values."""
        views, nodes = self._foresight.views, self.nodes
        self._mind_scopes()
        valued: list[int] = []
        for index, stride in enumerate(strides[known:], known):
            if stride.choices:
                valued.append(index)
            if stride.view not in views:
                self.learn(stride, nodes[index].keys, nodes[index].options)
        self.decides = self.decides or bool(valued)
        return valued

    def learn(self, stride: Stride, keys: Mapping[int, KeyState], options: tuple[Options, ...]) -> None:
        """Remember what a step has touched in these states, if that depends on nothing but what it has read."""
        self.decides = self.decides or bool(stride.choices)
        if self._foresight.knows(stride.view):
            return
        # What a cancel does, and what a moved clock does to deadlines, depends on where other tasks stand.
        if not stride.footprint[1] & (self._keys.scopes | self._clock):
            codes = stride.codes if self._scopes_change else self._keys.decoded[stride.codes][4]
            self._foresight.learn((stride.root, stride.choices, options), codes, keys, stride.footprint)

    def _looked_at(self, codes: tuple[int, ...]) -> tuple[int, ...]:
        """What a footprint depends on: cancel scopes only once one has been written, as most never are."""
        self._mind_scopes()
        return codes if self._scopes_change else self._keys.decoded[codes][4]

    def _mind_scopes(self) -> None:
        """Begin anew if one has been written: what is known does not tell when it had not been."""
        if self._keys.scopes_change and not self._scopes_change:
            self._scopes_change = True
            self._foresight.forget()

    def footprint(self, codes: tuple[int, ...]) -> Footprint:
        """Access codes as bit sets."""
        return self._keys.decoded[codes][0]

    def recall(
        self, root: int, label: tuple[Choices, tuple[Options, ...]], version: Callable[[int], int]
    ) -> tuple[Any, Footprint]:
        """(what a step with these choices, of these options, will touch, None if not known; what it will in any case).

        The first is BLOCKED if the step cannot be taken.
        """
        self._mind_scopes()
        known, codes = self._foresight.recall((root, *label), version)
        return known, footprint_of(codes) if known is None else NO_FOOTPRINT
