"""What an exploration has counted and found so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from racewindow.failure import Failure
from racewindow.judging import Group


@dataclass(slots=True)
class Tally:
    """What an exploration has counted so far."""

    executions: int = 0
    redundant: int = 0
    failing: int = 0
    steps: int = 0
    groups: dict[Group, Failure] = field(default_factory=dict)
    counts: Counter[Group] = field(default_factory=Counter)
    files: dict[Group, str | None] = field(default_factory=dict)
    cut_off: bool = False
    """An execution came to the step limit."""
    untrusted: str = ""
    untracked: str = ""
    notes: dict[str, str] = field(default_factory=dict)
    """Things worth saying, once each, by what they are about."""
    parts: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Executions and failing ones by the strategies of a portfolio."""

    def count_part(self, strategy: str, *, failed: bool) -> None:
        """One more execution of a strategy of a portfolio."""
        if strategy:
            executions, failing = self.parts.get(strategy, (0, 0))
            self.parts[strategy] = (executions + 1, failing + failed)
