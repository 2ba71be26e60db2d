"""The races of one execution, each reversed in thought: what has to be planned so that the search sees both orders.

Abdulla, Aronis, Jonsson, Sagonas (see `dpor`), the part of algorithm 2 that runs at the end of a maximal execution.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import compress
from operator import attrgetter
from typing import Any

from racewindow.footprint import Footprint
from racewindow.strategies.foresight import BLOCKED
from racewindow.strategies.labels import Budget, Choices, Options, available, begins
from racewindow.strategies.search_tree import Node, Search
from racewindow.strategies.wakeup import Branch, Label, Last, Word, insert
from racewindow.trail import Pending, Stride, Trail

_races = attrgetter("races")


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
        nodes = self.search.nodes
        for index in self.search.learn_all(self.strides, self.known):
            self._plan_other_values(index)
        for index, stride in compress(enumerate(self.strides), map(_races, self.strides)):  # few have any
            races = stride.races
            while races:
                bit = races & -races
                self._reverse(bit.bit_length() - 1, stride, nodes[index].options)
                races ^= bit
        for pending in self.trail.pending:
            races = pending.races
            while races:
                bit = races & -races
                self._reverse(bit.bit_length() - 1, pending, ())
                races ^= bit

    def _plan_other_values(self, index: int) -> None:
        """Each other label of a step is planned at the same place, unless an execution from there shows it."""
        node, stride = self.search.nodes[index], self.strides[index]
        sleeping = node.sleep.get(stride.task)
        explored = {} if sleeping is None else sleeping.labels
        nothing = Word(self.strides, [], None)
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
                for last in self._all_that_begin(nothing, index, stride, label, node.budget):
                    self._plan(index, nothing.followed_by(last))

    def _reverse(self, first: int, second: Stride | Pending, options: tuple[Options, ...]) -> None:
        """Plan the execution in which the second step of a race comes first, unless one covers it."""
        node = self.search.nodes[first]
        word = self._independent_of(first)
        choices = second.choices if isinstance(second, Stride) else ()
        if not (word.steps or choices) and self._is_next(node, second.task):
            return
        blocking = isinstance(second, Pending) or second.blocking
        try:
            for last in self._lasts(word, first, second, (choices, options)):
                self._plan(first, word.followed_by(last), blocking=blocking)
        except _Disabled:
            return

    def _plan(self, depth: int, word: Word, *, blocking: bool = False) -> None:
        """Plan a word, unless it is covered; `blocking`: its last step has waited until it could be taken."""
        node, last = self.search.nodes[depth], word.last
        assert last is not None
        if is_covered(node, word):
            return
        if blocking and not self._still_race(depth, last):
            return
        insert(node.tree, node.postponed, word, partial(learn, self.search, depth))

    def _lasts(
        self, word: Word, first: int, second: Stride | Pending, label: tuple[Choices, tuple[Options, ...]]
    ) -> Iterator[Last]:
        """The second step of a race behind a word; all that it could be there if it decides otherwise than it did."""
        known, least = self._recall(second.root, label, ((1 << first) - 1) | word.mask)
        if known is BLOCKED:
            return
        node, choices = self.search.nodes[first], label[0]
        if known is None and self.search.decides:
            if any(word.starts_with(task, each) for task, asleep in node.sleep.items() for each in asleep.labels):
                return  # whatever comes behind it
            probed = self.search.probe(first, [*word.labels(), (second.task, choices)])
            if probed is None:
                return
            stride, options = probed
            if (stride.choices, options) != label:
                budget = node.budget and node.budget.after(word.choices())
                yield from self._all_that_begin(word, first, second, (), budget)
                return
            known = stride.footprint
        settle = None if known is not None else partial(self._settle, first, [*word.labels(), (second.task, choices)])
        yield Last(second.task, self._needs(second), choices, settle, footprint=known, least=least)

    def _all_that_begin(
        self, word: Word, depth: int, step: Stride | Pending, label: Choices, budget: Budget | None
    ) -> Iterator[Last]:
        """A step behind a word, with each of its labels that begin with these choices; the default one comes first."""
        probed = self.search.probe(depth, [*word.labels(), (step.task, label)])
        if probed is None:
            return
        found, options = probed
        yield Last(step.task, self._needs(step), found.choices, None, footprint=found.footprint)
        for position in range(len(label), len(options)):
            before = found.choices[:position]
            for value in available(options[position], budget, before):
                if value != found.choices[position]:
                    yield from self._all_that_begin(word, depth, step, (*before, value), budget)

    @staticmethod
    def _needs(step: Stride | Pending) -> int:
        """The steps without which it could not be taken, wherever."""
        return step.own if isinstance(step, Pending) or step.blocking else step.enablers

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

    def _recall(self, root: int, label: tuple[Choices, tuple[Options, ...]], steps: int) -> tuple[Any, Footprint]:
        return self.search.recall(root, label, partial(self.trail.version, steps))

    def _settle(self, depth: int, labels: Sequence[Label]) -> Footprint:
        """What the last of some steps touches."""
        return _settled(self.search, depth, labels)[0]


def plan_postponed(search: Search) -> None:
    """Once a label has been explored: plan what waited for that at the place where the search is, or for more."""
    node, depth = search.nodes[-1], len(search.nodes) - 1
    postponed, node.postponed = node.postponed, []
    for word in postponed:
        if not is_covered(node, word):
            with suppress(_Disabled):
                insert(node.tree, node.postponed, word, partial(learn, search, depth))


def is_covered(node: Node, word: Word) -> bool:
    """Whether a sleeping task could begin the word, so that an execution from there has covered it."""
    budget = node.budget and node.budget.after(word.choices())
    for task, sleeping in node.sleep.items():
        if word.has(task):
            if any(word.starts_with(task, choices) for choices in sleeping.labels):
                return True
        elif sleeping.commutes(budget, word.commutes_with) and sleeping.is_whole(budget):
            return True
    return False


def learn(search: Search, depth: int, path: Sequence[Branch]) -> tuple[Footprint, Choices]:
    """What the last step of a path of a wakeup tree touches and chooses."""
    return _settled(search, depth, [(branch.task, branch.choices) for branch in path])


def _settled(search: Search, depth: int, labels: Sequence[Label]) -> tuple[Footprint, Choices]:
    probed = search.probe(depth, labels)
    if probed is None:
        raise _Disabled
    return probed[0].footprint, probed[0].choices
