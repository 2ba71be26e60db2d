"""Linearizability: each operation takes effect at one instant between its call and its return.

The search of Wing and Gong (Testing and verifying concurrent objects, 1993) with the memoisation of Lowe (Testing for
linearizability, 2017, section 4), as in porcupine: operations are placed one after another, each among those that no
unplaced one has returned before the call of; a set of placed operations with the state that they lead to is looked at
once. An operation of unknown outcome has no return: it can be placed anywhere after its call, or left out.

Departures: sets are compared by the operations in them, states by `==`, so a state needs no hash; the limit counts
steps of the model and not seconds, so that a verdict is the same on every machine.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from racewindow.checkers import OPERATIONS, History, Judgement, Verdict, Violation
from racewindow.errors import UsageError
from racewindow.operations import Operation, operations_of
from racewindow.plain import one_line, plain

S = TypeVar("S")
_PREFIX_SHOWN = 6
"""Operations of the prefix that a message names; all of them are in the evidence."""


@dataclass(frozen=True, slots=True)
class Model(Generic[S]):
    """A sequential object: what it would do if one operation came after the other.

    `initial`: its state before the first operation. `step(state, name, *args)`: (next state, result), or None if the
    operation cannot happen in that state; pure, it must not change the state that it is given. `same(expected, got)`:
    whether a result is the one that the model gives.
    """

    initial: S
    step: Callable[..., tuple[S, Any] | None]
    same: Callable[[Any, Any], object] = operator.eq


@dataclass(frozen=True, slots=True)
class Linearization:
    """What a search found. `order`: the longest sequence of operations that the model allows.

    `stuck`: the operation that returned first of those that `order` has no place for; None unless VIOLATED.
    """

    judgement: Judgement
    order: tuple[Operation, ...]
    stuck: Operation | None = None


def linearize(model: Model[S], operations: Sequence[Operation], steps_max: int) -> Linearization:
    """Look for an order of `operations` that the model allows, within so many steps of the model; else UNKNOWN."""
    search = _Search(model, operations)
    while search.steps < steps_max:
        if search.is_complete:
            return Linearization(Judgement.HOLDS, search.order)
        if not search.advance():
            return Linearization(Judgement.VIOLATED, search.longest, search.stuck)
    return Linearization(Judgement.UNKNOWN, search.longest)


class _Search(Generic[S]):
    """A depth-first search; `placed` is a set of positions in `operations`, as bits."""

    def __init__(self, model: Model[S], operations: Sequence[Operation]) -> None:
        self._model, self._operations = model, operations
        self._have_to = sum(1 << at for at, each in enumerate(operations) if each.end is not None)
        self._placed = 0
        self._path: list[int] = []
        self._states: list[S] = [model.initial]
        self._left: list[list[int]] = [self._candidates()]
        self._seen: dict[int, list[S]] = {0: [model.initial]}
        self._longest: list[int] = []
        self.steps = 0

    @property
    def is_complete(self) -> bool:
        """Whether every operation that has returned has its place."""
        return self._placed & self._have_to == self._have_to

    @property
    def order(self) -> tuple[Operation, ...]:
        """As far as it has come."""
        return tuple(self._operations[at] for at in self._path)

    @property
    def longest(self) -> tuple[Operation, ...]:
        """The furthest that it has come."""
        return tuple(self._operations[at] for at in self._longest)

    @property
    def stuck(self) -> Operation:
        """Of those that the longest order leaves out, the one that returned first."""
        out = [each for at, each in enumerate(self._operations) if each.end is not None and at not in self._longest]
        return min(out, key=lambda each: each.end or 0)

    def advance(self) -> bool:
        """Place one more operation, or take some back first; False if there is no other way."""
        while self._left:
            while self._left[-1]:
                if self._place(self._left[-1].pop()):
                    return True
            self._left.pop()
            self._states.pop()
            if self._path:
                self._placed ^= 1 << self._path.pop()
        return False

    def _candidates(self) -> list[int]:
        """Those that can come next, the likeliest last: an unknown outcome only after all that are known."""
        unplaced = [at for at in range(len(self._operations)) if not self._placed >> at & 1]
        ends = [end for at in unplaced if (end := self._operations[at].end) is not None]
        first_end = min(ends, default=0)
        found = [at for at in unplaced if not ends or self._operations[at].call < first_end]
        return sorted(found, key=lambda at: (self._operations[at].end is not None, -at))

    def _place(self, at: int) -> bool:
        self.steps += 1
        operation, model = self._operations[at], self._model
        answer = model.step(self._states[-1], operation.name, *operation.args)
        if answer is None or (operation.end is not None and not model.same(answer[1], operation.result)):
            return False
        state, placed = answer[0], self._placed | 1 << at
        seen = self._seen.setdefault(placed, [])
        if state in seen:
            return False
        seen.append(state)
        self._placed = placed
        self._path.append(at)
        self._states.append(state)
        self._left.append(self._candidates())
        if len(self._path) > len(self._longest):
            self._longest = self._path.copy()
        return True


@dataclass(frozen=True, slots=True)
class Linearizable(Generic[S]):
    """A checker of the operations in a history; see `linearizable`."""

    model: Model[S]
    name: str
    of: Callable[[Operation], object] | None = None
    steps_max: int = 100_000
    observes: frozenset[str] = field(default=frozenset({OPERATIONS}), init=False)

    def check(self, history: History) -> Verdict:
        """Judge the operations of each key by themselves."""
        parts: dict[Hashable, list[Operation]] = {}
        for each in operations_of(history.events):
            if self.of is None or self.of(each):
                parts.setdefault(each.key, []).append(each)
        violations: list[Violation] = []
        undecided: list[str] = []
        for key in sorted(parts, key=str):
            found = linearize(self.model, parts[key], self.steps_max)
            if found.stuck is not None:
                violations.append(self._violation(found, found.stuck))
            elif found.judgement is Judgement.UNKNOWN:
                undecided.append(f"no answer in {self.steps_max:,} steps of the model for {_about(key, parts[key])}")
        if violations or not undecided:
            return Verdict.violated(violations)
        return Verdict.unknown("; ".join(undecided))

    def _violation(self, found: Linearization, stuck: Operation) -> Violation:
        order = [str(each) for each in found.order]
        shown = (
            order
            if len(order) <= _PREFIX_SHOWN
            else [f"… {len(order) - _PREFIX_SHOWN} more …", *order[-_PREFIX_SHOWN:]]
        )
        after = f"after {', '.join(shown)}" if shown else "at the beginning"
        about = "" if stuck.key is None else f" {_word(stuck.key)}:"
        text = f"{self.name}:{about} {stuck.told}, has no place {after}{self._instead(found.order, stuck)}"
        evidence = {"order": order, "operation": str(stuck), "client": stuck.client}
        subject = stuck.name if stuck.key is None else _word(stuck.key)
        return Violation("not linearizable", subject, text, stuck.end_ns, evidence)

    def _instead(self, order: Sequence[Operation], stuck: Operation) -> str:
        """What the model would have answered there."""
        state = self.model.initial
        for each in order:
            answer = self.model.step(state, each.name, *each.args)
            assert answer is not None
            state = answer[0]
        answer = self.model.step(state, stuck.name, *stuck.args)
        return ", where it cannot happen" if answer is None else f", where it gives {one_line(plain(answer[1]))}"


def linearizable(
    model: Model[S],
    *,
    name: str = "linearizable",
    of: Callable[[Operation], object] | None = None,
    steps_max: int = 100_000,
) -> Linearizable[S]:
    """A checker: the operations of a history could have been done one after the other by `model`.

    Operations are recorded by `sim.operation(name, *args, key=...)`; those of each key are judged by themselves, as an
    object of their own. `of`: which operations are meant, where a history holds those of several models. After
    `steps_max` steps of the model without an answer, it is unknown.
    """
    if steps_max < 1:
        raise UsageError(f"steps_max cannot be {steps_max!r}.", why="it is a number of steps of the model, at least 1.")
    return Linearizable(model, name, of, steps_max)


def _word(key: object) -> str:
    return key if isinstance(key, str) else one_line(plain(key))


def _about(key: Hashable, operations: Sequence[Operation]) -> str:
    return f"{len(operations)} operations{'' if key is None else f' on {_word(key)}'}"
