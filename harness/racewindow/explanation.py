"""What an explanation consists of, as frozen values: the pairs of steps that decide a failure, and what closes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from racewindow.constraints import Before, Moment

Group = tuple[str, str | None, str | None]
"""Kind, checker and class of a failure."""
_OFTEN = 0.25
"""Share of the runs from which on a pair is taken to fail by itself and not by what chance does later."""


class Count(NamedTuple):
    """Of so many runs, so many failed in the same way."""

    failing: int
    runs: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.failing / self.runs if self.runs else 0.0


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two steps that race: who, which step, and what it does to the object.

    `number`: of the task's own steps. `mode`: read, write or add. `location`: of the access, or if that is not known of
    the place that the step goes on from. `value`: as text, None if it is not known. `last`: the task ends with it.
    """

    task: str
    path: str
    number: int
    mode: str
    location: str
    value: str | None
    moment: Moment
    last: bool = False


@dataclass(frozen=True, slots=True)
class RacingPair:
    """Two steps whose order could be the other one: `first` came before `second` in the failing execution.

    `key`: the object. `kept`, `reversed`: runs with the same steps before them and other ones after them. `late`: the
    failure had no need of the second one, it only came too late. `besides`: how many other pairs come the other way
    round as well when this one does.
    """

    first: Side
    second: Side
    key: str
    kept: Count
    reversed: Count
    late: bool = False
    besides: int = 0

    @property
    def rare(self) -> bool:
        """Whether the failure takes much else to go wrong after the two."""
        return self.kept.share < _OFTEN

    @property
    def matters(self) -> bool:
        """Whether the failure depends on their order."""
        return self.kept.failing > 0 and self.reversed.share <= self.kept.share / 2


@dataclass(frozen=True, slots=True)
class Checked:
    """How it was checked that the failure is gone: orders explored, random runs besides.

    `proved`: the orders are all there are. `remaining`: other failures that were seen, which are there without it, too.
    """

    orders: int
    walks: int
    proved: bool
    remaining: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class Fix:
    """Constraints that are enough together, the pairs that they decide, and how that was checked."""

    constraints: tuple[Before, ...]
    pairs: tuple[RacingPair, ...]
    checked: Checked


@dataclass(frozen=True, slots=True)
class Safeguard:
    """A safeguard of the scenario that closes the failure by itself, or two that do together.

    `name`: as `--safeguards` takes it, so two of them with a comma between them.
    """

    name: str
    checked: Checked

    @property
    def names(self) -> tuple[str, ...]:
        """The one, or both."""
        return tuple(self.name.split(","))


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an execution failed, and what closes it.

    `pairs`: those that matter, the one that the first fix decides first. `not_the_cause`: a pair that one might
    suspect, whose order changes nothing. `needed`: the deviations and faults without which it does not fail, as texts;
    `not_needed`: how many others there are. `story`: the events that the failure depends on; `left_out`: how many it
    does not; `chain`: those of the story from the first step of the first pair on. `executions`: how many were run to
    find out. `out_of_budget`: something was left untried. `off`: the safeguards that could be tried. `texts`: what
    a safeguard does, and what a checker demands, by name, as far as they say so.
    """

    pairs: tuple[RacingPair, ...] = ()
    fixes: tuple[Fix, ...] = ()
    safeguards: tuple[Safeguard, ...] = ()
    not_the_cause: RacingPair | None = None
    needed: tuple[str, ...] = ()
    needed_keys: tuple[tuple[str, int, str, int], ...] = ()
    not_needed: int = 0
    story: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    left_out: int = 0
    executions: int = 0
    out_of_budget: bool = False
    off: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict, hash=False)

    def as_dict(self) -> dict[str, Any]:
        """In the words of JSON."""
        return {
            "pairs": [_pair(each) for each in self.pairs],
            "not_the_cause": None if self.not_the_cause is None else _pair(self.not_the_cause),
            "fixes": [
                {"constraints": [str(c) for c in fix.constraints], **_checked(fix.checked)} for fix in self.fixes
            ],
            "safeguards": [{"name": each.name, **_checked(each.checked)} for each in self.safeguards],
            "needed": list(self.needed),
            "not_needed": self.not_needed,
            "story": list(self.story),
            "left_out": self.left_out,
            "executions": self.executions,
            "out_of_budget": self.out_of_budget,
        }


def _pair(pair: RacingPair) -> dict[str, Any]:
    return {
        "object": pair.key,
        "first": _side(pair.first),
        "second": _side(pair.second),
        "kept": pair.kept._asdict(),
        "reversed": pair.reversed._asdict(),
    }


def _side(side: Side) -> Mapping[str, Any]:
    return {
        "task": side.task,
        "path": side.path,
        "step": side.number,
        "mode": side.mode,
        "location": side.location,
        "value": side.value,
    }


def _checked(checked: Checked) -> Mapping[str, Any]:
    return {
        "orders": checked.orders,
        "random_executions": checked.walks,
        "proved": checked.proved,
        "remaining": [
            {"kind": kind, "checker": checker, "class": class_} for kind, checker, class_ in checked.remaining
        ],
    }
