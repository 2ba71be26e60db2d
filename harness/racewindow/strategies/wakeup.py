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
"""A task, and the choices of its step: all of them, or the first few, after which it takes what it likes."""


class Branch:
    """One step of the tree.

    `footprint` is None where the step has not been seen at this place; `least` is some of it, which is always known.
    `unseen`: so its choices may be more than these. Nothing is planned behind such a step. `postponed`: words that are
    not in `branches` yet (see `insert`).
    """

    __slots__ = ("branches", "choices", "footprint", "least", "postponed", "task", "unseen")

    def __init__(
        self, task: int, choices: tuple[int, ...], footprint: Footprint | None, least: Footprint = NO_FOOTPRINT
    ) -> None:
        self.task, self.choices, self.footprint = task, choices, footprint
        self.unseen = footprint is None
        self.least = least if footprint is None else footprint
        self.branches: list[Branch] = []
        self.postponed: list[Word] = []

    def __repr__(self) -> str:
        return f"{self.task}{self.choices or ''}{self.branches or ''}"


class Last:
    """The last step of a word: the one whose order is reversed, so that what it touches there may be unknown.

    `before`: the steps that it cannot be without. `footprint` is None if what it touches there has to be found out, by
    `settle`; `least` is what it touches in any case.
    """

    __slots__ = ("_settle", "before", "choices", "footprint", "least", "task")

    def __init__(
        self,
        task: int,
        before: int,
        choices: tuple[int, ...],
        settle: Callable[[], Footprint] | None,
        *,
        footprint: Footprint | None = None,
        least: Footprint = NO_FOOTPRINT,
    ) -> None:
        self.task, self.before, self._settle = task, before, settle
        self.footprint, self.choices = footprint, choices
        self.least = least if footprint is None else footprint

    def settled(self) -> Footprint:
        """What it touches at its place."""
        if self.footprint is None:
            assert self._settle is not None
            self.footprint = self.least = self._settle()
        return self.footprint

    def conflicts(self, footprint: Footprint) -> bool:
        """Whether it depends on a step that touches this."""
        return self.least.conflicts(footprint) or (self.footprint is None and self.settled().conflicts(footprint))


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
        """The labels of its steps."""
        labels = [(self.strides[index].task, self.strides[index].choices) for index in self.steps]
        return labels if self.last is None else [*labels, (self.last.task, self.last.choices)]

    def choices(self) -> tuple[int, ...]:
        """All that is chosen in it, one step after the other."""
        return tuple(choice for _, choices in self.labels() for choice in choices)

    def first_of(self, task: int) -> int | None:
        """Index of the first step of a task, None if there is none (the last one aside)."""
        for index in self.steps:
            if self.strides[index].task == task:
                return index
        return None

    def starts_with(self, task: int, choices: tuple[int, ...], *, more: bool = False) -> bool:
        """Whether the task has a step in the word, with these choices, perhaps `more`, that may come first of all."""
        index = self.first_of(task)
        if index is not None:
            stride = self.strides[index]
            return not stride.before & self.mask and _is_label(stride.choices, choices, more=more)
        last = self.last
        if last is None or last.task != task or last.before & self.mask:
            return False
        return _is_label(last.choices, choices, more=more) and not last.conflicts(self.touched)

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


def _is_label(label: tuple[int, ...], choices: tuple[int, ...], *, more: bool) -> bool:
    return label == choices or (more and label[: len(choices)] == choices)


def insert(
    branches: list[Branch],
    postponed: list[Word],
    word: Word,
    learn: Callable[[Sequence[Branch]], tuple[Footprint, tuple[int, ...]]],
) -> bool:
    """Add a word to the tree whose first branches these are, unless it is covered; says whether it was added.

    `learn` finds out what the last one of a path of branches touches and chooses, where that is not known. A step that
    is planned with choices, and independent of the word, covers it if it is independent whatever it chooses. That is
    known once all that it can choose has been explored; until then the word is `postponed`, and in no one's way.
    """
    path: list[Branch] = []
    while word:
        for branch in branches:
            if word.has(branch.task):
                if not word.starts_with(branch.task, branch.choices, more=branch.unseen):
                    continue
                word = word.without_first_of(branch.task)
            else:
                if branch.choices:
                    if not word.commutes_with(branch.least):
                        continue
                    _postpone(word, postponed)
                    return False
                if branch.footprint is None:
                    if not word.commutes_with(branch.least):
                        continue
                    footprint, choices = learn([*path, branch])
                    if choices:
                        continue
                    branch.footprint = footprint
                if not word.commutes_with(branch.footprint):
                    continue
            break
        else:
            _append(branches, word)
            return True
        if not branch.branches:
            # Whoever goes on from here sees the word, unless it drops as covered what the word begins with.
            if word.choices():
                _postpone(word, branch.postponed)
            return False
        path.append(branch)
        branches, postponed = branch.branches, branch.postponed
    return False


def _postpone(word: Word, postponed: list[Word]) -> None:
    labels = word.labels()
    if not any(labels == each.labels() for each in postponed):
        postponed.append(word)


def _append(branches: list[Branch], word: Word) -> None:
    for index in word.steps:
        stride = word.strides[index]
        branch = Branch(stride.task, stride.choices, stride.footprint)
        branches.append(branch)
        branches = branch.branches
    if word.last is not None:
        last = word.last
        branches.append(Branch(last.task, last.choices, last.footprint, last.least))
