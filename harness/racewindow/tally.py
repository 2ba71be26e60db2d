"""What an exploration has counted so far: executions, failures by group, doubts, and who did what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from racewindow.failure import Failure
from racewindow.footprint import KeyTable
from racewindow.judging import Group
from racewindow.result import Part
from racewindow.runtime.primitives import PEAK
from racewindow.statistics import INDEPENDENT_FROM, Discovery, summary

_NOTES = {
    "racing": "the program sets deadlines relative to the time it reads; under the racing clock time is read at "
    "deadlines only, so a deadline computed from an instant between two others is not covered",
    "spinning": "a task spun: after two looks that changed nothing it was parked until something that it had read was "
    "written, because until then it can only look again",
}
"""What is said once if it happened in any execution."""


@dataclass(slots=True)
class Tally:
    """See the module's docstring. `untrusted`, `untracked`: why the result cannot be trusted, or ""."""

    executions: int = 0
    redundant: int = 0
    failing: int = 0
    steps: int = 0
    groups: dict[Group, Failure] = field(default_factory=dict)
    counts: Counter[Group] = field(default_factory=Counter)
    files: dict[Group, str | None] = field(default_factory=dict)
    cut_off: bool = False
    """An execution ended at the step limit."""
    untrusted: str = ""
    untracked: str = ""
    notes: dict[str, str] = field(default_factory=dict)
    """Things worth saying, once each, by what they are about."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Checkers that could not tell, each with the number of executions."""
    sometimes: Counter[str] = field(default_factory=Counter)
    """Situations that have to be reached, each with the number of executions that did."""
    by_strategy: dict[str, Discovery] = field(default_factory=dict)
    """What the strategies of a portfolio have shown, each by itself."""

    def note(self, key: str) -> None:
        """Say that something has happened that has to be known."""
        self.notes.setdefault(key, _NOTES[key])

    def cover(self, sometimes: Mapping[str, bool]) -> None:
        """One more execution, which has reached some of the situations that have to be reached."""
        for name, reached in sometimes.items():
            self.sometimes[name] += reached

    def count_part(self, strategy: str, trace: int | None, *, failed: bool) -> None:
        """One more execution of a strategy of a portfolio.

        Its trace is kept only where it says something about chance: all traces together are counted elsewhere.
        """
        independent_from = INDEPENDENT_FROM.get(strategy)
        part = self.by_strategy.setdefault(strategy, Discovery(independent_from))
        part.executed(None if independent_from is None else trace, failed=failed)

    def parts(self, *, complete: str, notes: dict[str, str]) -> tuple[Part, ...]:
        """Who did what. `complete`: the strategy that alone ran every order, ""; `notes`: by strategy."""
        return tuple(
            Part(name, part.executions, part.failing, name == complete, notes.get(name, ""), summary(part))
            for name, part in self.by_strategy.items()
        )

    def failures(self, checkers: list[str]) -> list[Failure]:
        """One per group, the gravest first: endings, then checkers in the order of their declaration."""
        rank = {name: position for position, name in enumerate(checkers)}
        return sorted(
            (replace(failure, count=self.counts[group]) for group, failure in self.groups.items()),
            key=lambda f: (f.checker is not None, rank.get(f.checker or "", 0), -f.count, f.class_ or ""),
        )

    def doubts(self, keys: KeyTable | None) -> list[str]:
        """What takes `complete` back, as for `racewindow.result.why_incomplete`; `keys`: what a reduction went by."""
        found = ["audit" if self.untracked else "nondeterminism"] if self.untrusted or self.untracked else []
        if keys is not None and keys.knows(PEAK):
            found.append("peak")
        return found
