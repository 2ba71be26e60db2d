"""The races of one execution, each reversed in thought: what has to be planned so that the search sees both orders.

Abdulla, Aronis, Jonsson, Sagonas (see `dpor`), the part of algorithm 2 that runs at the end of a maximal execution.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from racewindow.footprint import Footprint
from racewindow.strategies.foresight import BLOCKED
from racewindow.strategies.labels import Choices, available, begins
from racewindow.strategies.search_tree import Node, Search
from racewindow.strategies.wakeup import Branch, Label, Last, Word, insert
from racewindow.trail import Pending, Stride, Trail


class _Disabled(Exception):  # noqa: N818  # a signal
    """The reversed step cannot be taken there: its task waits for a state that does not hold."""


class Reversals:
    """The races of one execution. `known`: how many of its steps are of an earlier one, and learned from already."""

    def __init__(self, search: Search, trail: Trail, known: int) -> None:
        self.search, self.trail, self.strides = search, trail, trail.strides
        self.known = known
        self._words: dict[int, Word] = {}

    def plan_all(self) -> None:
        """Plan all reversals."""
        for index in range(self.known, len(self.strides)):
            self.search.learn(self.trail, index)
        for index in range(self.known, len(self.strides)):
            if self.strides[index].choices:
                self._plan_other_values(index)
        for stride in self.strides:
            races = stride.races
            while races:
                bit = races & -races
                self._reverse(bit.bit_length() - 1, stride)
                races ^= bit
        for pending in self.trail.pending:
            races = pending.races
            while races:
                bit = races & -races
                self._reverse(bit.bit_length() - 1, pending)
                races ^= bit

    def _plan_other_values(self, index: int) -> None:
        """Each other value of a step is planned at the same place, unless an execution from there shows it."""
        node, stride = self.search.nodes[index], self.strides[index]
        sleeping = node.sleep.get(stride.task)
        explored = {} if sleeping is None else sleeping.labels
        for position, options in enumerate(node.options):
            before = stride.choices[:position]
            for value in available(options, node.budget, before):
                label = (*before, value)
                known = [branch.choices for branch in node.tree if branch.task == stride.task]
                if value == stride.choices[position] or begins(explored, label) or begins(known, label):
                    continue
                if not node.tree and not node.sleep:
                    node.tree.append(Branch(stride.task, label, None))
                    continue
                known, least = self._recall(stride.root, label, (1 << index) - 1)
                settle = partial(self._settle, index, [(stride.task, label)])
                choices = None if known is None else label
                last = Last(stride.task, 0, settle, footprint=known, least=least, choices=choices)
                word = Word(self.strides, [], last)
                if not self._is_covered(node, word):
                    insert(node.tree, word, partial(self._learn, index))

    def _reverse(self, first: int, second: Stride | Pending) -> None:
        """Plan the execution in which the second step of a race comes first, unless one covers it."""
        node = self.search.nodes[first]
        word = self._independent_of(first)
        choices = second.choices if isinstance(second, Stride) else ()
        if not (word.steps or choices) and self._is_next(node, second.task):
            return
        blocking = isinstance(second, Pending) or second.blocking
        before = second.own if blocking or isinstance(second, Pending) else second.enablers
        known, least = self._recall(second.root, choices, ((1 << first) - 1) | word.mask)
        if known is BLOCKED:
            return
        settle = partial(self._settle_behind, word, first, (second.task, choices))
        # It may make other decisions there, in number or kind: what becomes of its values only a probe can say.
        sure = choices if known is not None or not choices else None
        last = Last(second.task, before, settle, footprint=known, least=least, choices=sure)
        whole = word.followed_by(last)
        try:
            if self._is_covered(node, whole):
                return
            if blocking and not self._still_race(first, last):
                return
            insert(node.tree, whole, partial(self._learn, first))
        except _Disabled:
            return

    def _still_race(self, first: int, last: Last) -> bool:
        """Whether the reversed step, which may find another state and look at less of it, depends on the first one.

        If not, all that follows it is found behind the first step, unless that takes values, which are run one by one.
        """
        stride = self.strides[first]
        return last.settled().conflicts(stride.footprint) or bool(stride.choices)

    def _independent_of(self, first: int) -> Word:
        """All later steps of the execution that do not come after the given one."""
        word = self._words.get(first)
        if word is None:
            strides, bit, steps = self.strides, 1 << first, list[int]()
            for index in range(first + 1, len(strides)):
                stride = strides[index]
                if stride.barrier:
                    break  # all that follows comes after all that precedes
                if not stride.before & bit:
                    steps.append(index)
            word = self._words[first] = Word(strides, steps, None)
        return word

    @staticmethod
    def _is_next(node: Node, task: int) -> bool:
        """Whether a step without choices has been explored from a place, or is the first one planned: the usual case.

        Then there is nothing to plan, whatever it touches.
        """
        tree, sleeping = node.tree, node.sleep.get(task)
        if sleeping is not None and () in sleeping.labels:
            return True
        return bool(tree) and tree[0].task == task and not tree[0].choices

    @staticmethod
    def _is_covered(node: Node, word: Word) -> bool:
        """Whether a sleeping task could begin the word, so that an execution from there has covered it."""
        for task, sleeping in node.sleep.items():
            if word.has(task):
                if any(word.starts_with(task, choices) for choices in sleeping.labels):
                    return True
            elif sleeping.commutes(node.budget, word.commutes_with) and sleeping.is_whole(node.budget):
                return True
        return False

    def _recall(self, root: int, choices: Choices, steps: int) -> tuple[Any, Footprint]:
        return self.search.recall(root, choices, partial(self.trail.version, steps))

    def _settle_behind(self, word: Word, depth: int, label: Label) -> tuple[Footprint, Choices]:
        """What a step touches behind a word."""
        return self._settle(depth, [*word.labels(), label])

    def _settle(self, depth: int, labels: Sequence[Label]) -> tuple[Footprint, Choices]:
        """What the last of some steps touches."""
        probed = self.search.probe(depth, labels)
        if probed is None:
            raise _Disabled
        return probed.footprint, probed.choices

    def _learn(self, depth: int, path: Sequence[Branch]) -> Footprint:
        return self._settle(depth, [(branch.task, branch.choices) for branch in path])[0]
