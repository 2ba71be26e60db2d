"""Several checkers as one: each keeps its name, and the worst answer is the answer of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from racewindow.checkers import Checker, History, Judgement, Verdict, coverage_of, judge, observed_by
from racewindow.errors import UsageError


@dataclass(frozen=True, slots=True)
class Composed:
    """See `compose`."""

    parts: Mapping[str, Checker]
    name: str

    @property
    def observes(self) -> frozenset[str]:
        """What any of the parts observes."""
        return observed_by(list(self.parts.values()))

    def check(self, history: History) -> Verdict:
        """The worst verdict of the parts, with the violations of all of them and what each could not tell."""
        verdicts = {name: judge([part], history)[part.name] for name, part in self.parts.items()}
        reason = "; ".join(
            f"{name} could not tell: {verdict.reason}" for name, verdict in verdicts.items() if verdict.reason
        )
        violations = tuple(
            replace(each, class_=name if each.class_ is None else f"{name}: {each.class_}")
            for name, verdict in verdicts.items()
            for each in verdict.violations
        )
        return Verdict(worst(*(verdict.judgement for verdict in verdicts.values())), violations, reason)

    def coverage(self, history: History) -> Mapping[str, bool]:
        """What the parts have to reach."""
        return coverage_of(list(self.parts.values()), history)


def worst(*judgements: Judgement) -> Judgement:
    """Violated beats unknown, and unknown beats holds; of nothing, it holds."""
    return max(judgements, key=list(Judgement).index, default=Judgement.HOLDS)


def compose(parts: Mapping[str, Checker], *, name: str) -> Composed:
    """One checker made of several, called `name`; each violation has the name of its part in front of its class.

    It is violated if any part is, else unknown if any part is (a crash is unknown), and holds only if all of them do.
    Raises UsageError without any parts: what asks nothing would pass whatever happens.
    """
    if not parts:
        raise UsageError(f"compose was given no checkers for {name!r}.", why="what asks nothing always passes.")
    return Composed(dict(parts), name)
