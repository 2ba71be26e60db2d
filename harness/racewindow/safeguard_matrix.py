"""Which sets of safeguards close what: the values that a matrix consists of, and what follows from what was run.

A cell is about one set and one checker. What was run is said as it is: the checker fails, every order was run and it
does not, so many executions have not shown it, or it could not tell. The smallest closing sets follow from what was run
alone. One thing is inferred, and called so: see `Matrix.inferred`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any, Literal, NamedTuple

from racewindow.faults import NO_FAULTS, FaultPlan
from racewindow.plain import plain

SafeguardSet = frozenset[str]
VerdictName = Literal["fails", "proved", "not found", "unknown", "inferred"]


class Verdict(NamedTuple):
    """What is known of a cell. `executions`: to the first failure if it fails, else all that were run."""

    name: VerdictName
    executions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What became of one set of safeguards that was run.

    `fails`: checkers, or other ways of failing, each with the executions to the first. `unknown`: checkers that could
    not tell in some execution. `untrusted`: why what did not fail cannot be trusted, or "". `complete`: every order was
    run; if not, `cut` says why. `hurried`: the time was over first, so that what was not found counts for nothing.
    """

    on: SafeguardSet
    executions: int
    complete: bool = False
    fails: Mapping[str, int] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    untrusted: str = ""
    cut: tuple[str, ...] = ()
    hurried: bool = False

    def of(self, checker: str) -> Verdict:
        """What it says of a checker. A failure is one whatever else happened; nothing else beats a doubt."""
        if checker in self.fails:
            return Verdict("fails", self.fails[checker])
        if self.untrusted or checker in self.unknown or not self.executions:
            return Verdict("unknown", self.executions)
        return Verdict("proved" if self.complete else "not found", self.executions)

    @property
    def together(self) -> Verdict:
        """What it says of all that can fail, together."""
        if self.fails:
            return Verdict("fails", min(self.fails.values()))
        if self.untrusted or self.unknown or not self.executions:
            return Verdict("unknown", self.executions)
        return Verdict("proved" if self.complete else "not found", self.executions)

    def closes(self, checker: str | None = None) -> bool:
        """Whether it may be said to close a checker, all that can fail for None."""
        name = (self.together if checker is None else self.of(checker)).name
        return name == "proved" or (name == "not found" and not self.hurried)


class Closing(NamedTuple):
    """A set that closes something. `sure`: none of the smaller ones does, by all that were run, and all were."""

    on: tuple[str, ...]
    verdict: Verdict
    sure: bool


class Broken(NamedTuple):
    """With `on` it is proved that `checker` does not fail; with `added` as well, it does."""

    on: tuple[str, ...]
    added: str
    checker: str


class Cell(NamedTuple):
    """One set, one checker, one verdict."""

    on: tuple[str, ...]
    checker: str
    verdict: Verdict


class Limits(NamedTuple):
    """What bounded the search: executions for each set, seconds of wall time for all of them; None for no limit."""

    schedules: int | None
    seconds: float | None


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """What `racewindow.matrix` found.

    `safeguards`: those that were tried, in the order of their declaration; `not_in_all`: those of them that "all"
    leaves out. `checkers`: what can fail, the gravest first: ways to end (deadlock, exception, ...) that were seen, the
    declared checkers, properties in the code that were violated. `tried`: what was run. `seconds`: wall time.
    `stopped`: why sets were left that should have been run, or "". `held_fixed`: parameters and the like.
    """

    target: str
    safeguards: tuple[str, ...]
    checkers: tuple[str, ...]
    tried: Mapping[SafeguardSet, Tried]
    not_in_all: tuple[str, ...] = ()
    strategy: str = "auto"
    seed: int = 0
    semantics: str = "processes"
    clock: str = "idle"
    params: Mapping[str, Any] = field(default_factory=dict)
    faults: FaultPlan = NO_FAULTS
    feed: str | None = None
    limits: Limits = field(default_factory=lambda: Limits(None, None))
    seconds: float = 0.0
    stopped: str = ""
    interrupted: bool = False
    notes: tuple[str, ...] = ()

    # --- what was run -----------------------------------------------------------------------------------------------

    @property
    def whole(self) -> SafeguardSet:
        """All safeguards that "all" means."""
        return frozenset(self.safeguards) - frozenset(self.not_in_all)

    @property
    def executions(self) -> int:
        """All that were run."""
        return sum(each.executions for each in self.tried.values())

    @property
    def sets(self) -> int:
        """How many sets there are."""
        return 1 << len(self.safeguards)

    def ordered(self, on: Iterable[str]) -> tuple[str, ...]:
        """A set in the order of the declaration."""
        names = frozenset(on)
        return tuple(name for name in self.safeguards if name in names)

    def all_sets(self) -> Iterator[SafeguardSet]:
        """Every set, the smaller ones first."""
        return subsets(self.safeguards)

    @cached_property
    def failing(self) -> tuple[str, ...]:
        """The checkers that fail with some set."""
        seen = {name for each in self.tried.values() for name in each.fails}
        return tuple(name for name in self.checkers if name in seen)

    # --- what follows from it ---------------------------------------------------------------------------------------

    def minimal(self, checker: str | None = None) -> tuple[Closing, ...]:
        """The smallest sets that close a checker (all that fails, for None): no smaller one that was run does."""
        verdicts = {on: each.together if checker is None else each.of(checker) for on, each in self.tried.items()}
        closing = [on for on, each in self.tried.items() if each.closes(checker)]
        found = []
        for on in smallest(closing):
            below = [verdicts.get(each) for each in subsets(self.ordered(on)) if each != on]
            sure = all(verdict is not None and verdict.name == "fails" for verdict in below)
            found.append(Closing(self.ordered(on), verdicts[on], sure))
        return tuple(sorted(found, key=lambda each: (len(each.on), [self.safeguards.index(x) for x in each.on])))

    @cached_property
    def broken(self) -> tuple[Broken, ...]:
        """What one more safeguard opens again, without those that hold another one of the same checker."""
        found: list[Broken] = []
        for on in sorted(self.tried, key=len):
            for added in self.safeguards:
                more = on | {added}
                for checker in self.tried[more].fails if added not in on and more in self.tried else ():
                    known = any(each.checker == checker and {*each.on, each.added} <= more for each in found)
                    if not known and self.tried[on].of(checker).name == "proved":
                        found.append(Broken(self.ordered(on), added, checker))
        return tuple(found)

    @cached_property
    def inferred(self) -> frozenset[SafeguardSet]:
        """Sets that were not run and are taken to close everything, because adding to a closing set was tried.

        They lie between a set that closes everything and all safeguards together, which does so, too; so does the
        former with any one more of theirs; and nothing that they add was seen to open anything. That is no proof.
        """
        rule = Inference(self.safeguards, self.whole, self.tried)
        return frozenset(on for on in self.all_sets() if on not in self.tried and rule.holds(on))

    def verdict(self, on: Iterable[str], checker: str) -> Verdict | None:
        """What is known of a cell; None if it was neither run nor inferred."""
        names = frozenset(on)
        if names in self.tried:
            return self.tried[names].of(checker)
        return Verdict("inferred", 0) if names in self.inferred else None

    @property
    def cells(self) -> list[Cell]:
        """Everything that is known, the smaller sets first."""
        rows = ((on, checker) for on in self.all_sets() for checker in self.checkers)
        known = ((on, checker, self.verdict(on, checker)) for on, checker in rows)
        return [Cell(self.ordered(on), checker, verdict) for on, checker, verdict in known if verdict is not None]

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of `racewindow matrix --json`."""
        return {
            "target": self.target,
            "safeguards": list(self.safeguards),
            "checkers": list(self.checkers),
            "cells": [
                {"on": list(on), "checker": checker, "verdict": verdict.name, "executions": verdict.executions}
                for on, checker, verdict in self.cells
            ],
            "minimal": {name: [list(each.on) for each in self.minimal(name)] for name in self.checkers},
            "together": [list(each.on) for each in self.minimal()],
            "broken": [{"on": list(on), "added": added, "checker": checker} for on, added, checker in self.broken],
            "sets": {"all": self.sets, "run": len(self.tried), "inferred": len(self.inferred)},
            "executions": self.executions,
            "seconds": round(self.seconds, 3),
            "strategy": self.strategy,
            "seed": self.seed,
            "semantics": self.semantics,
            "clock": self.clock,
            "params": {name: plain(value) for name, value in self.params.items()},
            "feed": self.feed,
            "faults": self.faults.summary if self.faults else "",
            "bounds": self.limits._asdict(),
            "incomplete": [
                {"on": list(self.ordered(each.on)), "why": list(each.cut)}
                for each in self.tried.values()
                if not each.complete
            ],
            "untrusted": [
                {"on": list(self.ordered(each.on)), "why": each.untrusted}
                for each in self.tried.values()
                if each.untrusted
            ],
            "stopped": self.stopped,
            "interrupted": self.interrupted,
            "notes": list(self.notes),
        }


class Inference:
    """The rule of `Matrix.inferred`, as far as sets have been tried."""

    def __init__(self, safeguards: Sequence[str], whole: SafeguardSet, tried: Mapping[SafeguardSet, Tried]) -> None:
        self.tried, self.whole = tried, whole
        self.closing = smallest(on for on in tried if self.closes(on))
        self._opens = {
            added
            for on, each in tried.items()
            for added in safeguards
            if added not in on and (more := tried.get(on | {added})) is not None
            if any(each.closes(checker) for checker in more.fails)
        }

    def holds(self, on: SafeguardSet) -> bool:
        """Whether the set may be taken to close everything without being run."""
        return self.closes(self.whole) and self._fits(on, self.closes)

    def may(self, on: SafeguardSet) -> bool:
        """Whether it may yet come to hold, without this set having to be run for it."""
        hopeful = self._fits(on, lambda each: each != on and (each not in self.tried or self.closes(each)))
        return hopeful and (self.whole not in self.tried or self.closes(self.whole))

    def _fits(self, on: SafeguardSet, closes: Callable[[SafeguardSet], bool]) -> bool:
        """Whether `on` adds to a closing set only what opens nothing, each by itself."""
        return on <= self.whole and any(
            below < on and not ((on - below) & self._opens) and all(closes(below | {name}) for name in on - below)
            for below in self.closing
        )

    def closes(self, on: SafeguardSet) -> bool:
        """Whether a set was run and shows no failure."""
        return on in self.tried and self.tried[on].closes()


def subsets(names: Sequence[str]) -> Iterator[SafeguardSet]:
    """Every set of the names, the smaller ones first."""
    for size in range(len(names) + 1):
        yield from map(frozenset, combinations(names, size))


def smallest(sets: Iterable[SafeguardSet]) -> list[SafeguardSet]:
    """Those that hold no other one."""
    kept: list[SafeguardSet] = []
    for on in sorted(sets, key=len):
        if not any(each <= on for each in kept):
            kept.append(on)
    return kept
