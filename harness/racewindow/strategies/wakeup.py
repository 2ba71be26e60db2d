"""Wakeup trees: the step sequences still to be explored from a node of the search, in order.

Abdulla, Aronis, Jonsson, Sagonas: "Optimal dynamic partial order reduction", POPL 2014 / JACM 2017, section 5. A node
of the tree is one step of one task, known by its label: the task and the values that the step takes. Insertion keeps
the promise that makes the search optimal: no sequence of the tree covers another one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from racewindow.footprint import NO_FOOTPRINT, Footprint
from racewindow.trail import Stride

Label = tuple[int, tuple[int, ...]]
"""A task, and the values that its step takes: all of them, or the first few, after which it takes what it likes."""


class Branch:
    """One step of the tree.

    `footprint` is None where the step has not been seen at this place; `least` is some of it, which is always known.
    """

    __slots__ = ("branches", "choices", "footprint", "least", "task")

    def __init__(
        self, task: int, choices: tuple[int, ...], footprint: Footprint | None, least: Footprint = NO_FOOTPRINT
    ) -> None:
        self.task, self.choices, self.footprint = task, choices, footprint
        self.least = least if footprint is None else footprint
        self.branches: list[Branch] = []

    def __repr__(self) -> str:
        return f"{self.task}{self.choices or ''}{self.branches or ''}"


class Last:
    """The last step of a word: the one whose order is reversed, so that what it touches there may be unknown.

    `before`: the steps that it cannot be without. `footprint` is None if what it touches there has to be found out, by
    `settle`; `least` is what it touches in any case. `choices` is None if its values have to be found out as well.
    """

    __slots__ = ("_settle", "before", "choices", "footprint", "least", "task")

    def __init__(
        self,
        task: int,
        before: int,
        settle: Callable[[], tuple[Footprint, tuple[int, ...]]],
        *,
        footprint: Footprint | None = None,
        least: Footprint = NO_FOOTPRINT,
        choices: tuple[int, ...] | None = None,
    ) -> None:
        self.task, self.before, self._settle = task, before, settle
        self.footprint, self.choices = footprint, choices
        self.least = least if footprint is None else footprint

    def settled(self) -> Footprint:
        """What it touches at its place."""
        if self.footprint is None:
            self.footprint, self.choices = self._settle()
            self.least = self.footprint
        return self.footprint

    def conflicts(self, footprint: Footprint) -> bool:
        """Whether it depends on a step that touches this."""
        return self.least.conflicts(footprint) or (self.footprint is None and self.settled().conflicts(footprint))

    def label(self) -> tuple[int, ...]:
        """The values that it takes there."""
        if self.choices is None:
            self.settled()
        assert self.choices is not None
        return self.choices


class Word:
    """A sequence of steps of one execution, none of which needs a step that is not in it, and perhaps a last one.

    `steps`: their indices, ascending; `mask`: the same as a set; `touched`: all that they touch.
    """

    __slots__ = ("last", "mask", "steps", "strides", "touched")

    def __init__(self, strides: Sequence[Stride], steps: list[int], last: Last | None) -> None:
        self.strides, self.steps, self.last = strides, steps, last
        mask = reads = writes = adds = 0
        for index in steps:
            mask |= 1 << index
            footprint = strides[index].footprint
            reads |= footprint[0]
            writes |= footprint[1]
            adds |= footprint[2]
        self.mask, self.touched = mask, Footprint(reads, writes, adds) if steps else NO_FOOTPRINT

    def followed_by(self, last: Last | None) -> Word:
        """The word with this last step."""
        word = Word.__new__(Word)
        word.strides, word.steps, word.mask, word.touched = self.strides, self.steps, self.mask, self.touched
        word.last = last
        return word

    def labels(self) -> list[Label]:
        """The labels of its steps, without the last one."""
        return [(self.strides[index].task, self.strides[index].choices) for index in self.steps]

    def first_of(self, task: int) -> int | None:
        """Index of the first step of a task, None if there is none (the last one aside)."""
        for index in self.steps:
            if self.strides[index].task == task:
                return index
        return None

    def starts_with(self, task: int, choices: tuple[int, ...]) -> bool:
        """Whether the task has a step in the word, with these choices, that may come first of all."""
        index = self.first_of(task)
        if index is not None:
            stride = self.strides[index]
            return stride.choices == choices and not stride.before & self.mask
        last = self.last
        if last is None or last.task != task or last.before & self.mask:
            return False
        return not last.conflicts(self.touched) and last.label() == choices

    def has(self, task: int) -> bool:
        """Whether a step of the task is in the word."""
        return (self.last is not None and self.last.task == task) or self.first_of(task) is not None

    def commutes_with(self, footprint: Footprint) -> bool:
        """Whether nothing in the word depends on a step that touches this."""
        if footprint.conflicts(self.touched):
            return False
        return self.last is None or not self.last.conflicts(footprint)

    def without_first_of(self, task: int) -> Word:
        """The rest after a step that may come first."""
        index = self.first_of(task)
        if index is None:
            return self.followed_by(None)
        return Word(self.strides, [each for each in self.steps if each != index], self.last)

    def __bool__(self) -> bool:
        return bool(self.steps) or self.last is not None


def insert(branches: list[Branch], word: Word, learn: Callable[[Sequence[Branch]], Footprint]) -> bool:
    """Add a word to the tree whose first branches these are, unless it is covered; says whether it was added.

    `learn` finds out what the last one of a path of branches touches, where that is not known.
    """
    path: list[Branch] = []
    while word:
        for branch in branches:
            if word.has(branch.task):
                if not word.starts_with(branch.task, branch.choices):
                    continue
                word = word.without_first_of(branch.task)
            else:
                # With other values the step of the branch may depend on the word, of which it then says nothing.
                if branch.choices:
                    continue
                if branch.footprint is None:
                    if not word.commutes_with(branch.least):
                        continue
                    branch.footprint = learn([*path, branch])
                if not word.commutes_with(branch.footprint):
                    continue
            break
        else:
            _append(branches, word)
            return True
        if not branch.branches:
            return False
        path.append(branch)
        branches = branch.branches
    return False


def _append(branches: list[Branch], word: Word) -> None:
    for index in word.steps:
        stride = word.strides[index]
        branch = Branch(stride.task, stride.choices, stride.footprint)
        branches.append(branch)
        branches = branch.branches
    if word.last is not None:
        last = word.last
        branches.append(Branch(last.task, last.label(), last.footprint, last.least))
