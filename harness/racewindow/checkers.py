"""Checkers: small pure things that judge what happened in one execution.

A checker is handed a `History` and answers with a `Verdict`: holds, violated (with evidence) or unknown. It knows no
runtime and no scheduler, so it can be tested with six hand-written events. A checker that crashes answers *unknown*
with its exception, never *holds*. Verdicts have to be the same for every order of independent events.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from racewindow.errors import unknown_name
from racewindow.events import Event

TIME = "time"
"""A checker that looks at the virtual time of events."""
OPERATIONS = "operations"
"""A checker that looks at which operation had ended before which other one began."""


class Judgement(enum.Enum):
    """The three answers of a checker, in order of increasing trouble."""

    HOLDS = "holds"
    UNKNOWN = "unknown"
    VIOLATED = "violated"


@dataclass(frozen=True, slots=True)
class Violation:
    """One piece of evidence that a property does not hold.

    `class_`: what kind of wrong it is (a word of the checker's own vocabulary, such as `stale`), or None.
    `subject`: what it happened to: a market, account, service or task. `message`: one sentence for a person.
    `time_ns`: virtual time at which it happened, in nanoseconds. `evidence`: the values that prove it.
    """

    class_: str | None
    subject: str
    message: str
    time_ns: int = 0
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A checker's answer: a judgement, and the violations or the reason that support it.

    `reason`: what the checker could not tell, "" if nothing. One made of several may have both.
    """

    judgement: Judgement
    violations: tuple[Violation, ...] = ()
    reason: str = ""

    @classmethod
    def holds(cls) -> Verdict:
        """The property was observed to hold."""
        return _HOLDS

    @classmethod
    def violated(cls, violations: Sequence[Violation]) -> Verdict:
        """The property does not hold; at least one violation says where. No violations at all means: it holds."""
        return cls(Judgement.VIOLATED, tuple(violations)) if violations else _HOLDS

    @classmethod
    def unknown(cls, reason: str) -> Verdict:
        """The checker could not tell, and says why. Unknown is not a pass."""
        return cls(Judgement.UNKNOWN, reason=reason)


_HOLDS = Verdict(Judgement.HOLDS)


@dataclass(frozen=True, slots=True)
class History:
    """What one execution left behind for its checkers.

    `events` in the order of the steps; `params` and `safeguards` of the scenario; `feed`: what the scenario's own feed
    loader returned (None without one); `end_ns`: virtual time at the end, in nanoseconds; `finished`: False when the
    execution ended early (deadlock, limit, exception), so that a checker of *eventually* can answer unknown.
    """

    events: Sequence[Event]
    params: Mapping[str, Any] = field(default_factory=dict)
    safeguards: frozenset[str] = frozenset()
    feed: Any = None
    end_ns: int = 0
    finished: bool = True


class Checker(Protocol):
    """Anything with a name and a pure `check`.

    It may have two members more. `observes`: a set of `TIME` and `OPERATIONS`, what it makes of the history besides
    which events each task emitted; the exploration then takes care to run every order that shows in it.
    `coverage(history)`: names of situations, each with whether the execution has reached it (see `sometimes`).
    """

    @property
    def name(self) -> str:
        """The name under which its violations are reported and grouped."""

    def check(self, history: History) -> Verdict:
        """Judge one execution."""


@dataclass(frozen=True, slots=True)
class FunctionChecker:
    """A checker made of a plain function; see `checker`."""

    name: str
    function: Callable[[History], Verdict]
    observes: frozenset[str] = frozenset()

    def check(self, history: History) -> Verdict:
        """Judge one execution by calling the function."""
        return self.function(history)


def demand_of(checker: Checker) -> str:
    """What a checker demands, in a sentence: how its function describes itself; "" if it does not."""
    text = inspect.getdoc(checker.function) if isinstance(checker, FunctionChecker) else None
    return " ".join((text or "").partition("\n\n")[0].split())


def checker(name: str, *, observes: Sequence[str] = ()) -> Callable[[Callable[[History], Verdict]], FunctionChecker]:
    """Turn a function of a `History` into a checker called `name`.

    `observes`: "time" if it looks at the time of events, "operations" if it looks at which had ended before which
    began; see `Checker`. Raises UsageError for anything else.
    """
    for each in observes:
        if each not in (TIME, OPERATIONS):
            raise unknown_name("thing to observe", each, (TIME, OPERATIONS))

    def decorate(function: Callable[[History], Verdict]) -> FunctionChecker:
        return FunctionChecker(name, function, frozenset(observes))

    return decorate


def observed_by(checkers: Sequence[Checker]) -> frozenset[str]:
    """What any of them observes; see `Checker`."""
    return frozenset[str]().union(*(getattr(each, "observes", ()) for each in checkers))


def coverage_of(checkers: Sequence[Checker], history: History) -> dict[str, bool]:
    """What any of them has to reach, and whether it has; a crash has reached nothing."""
    covered: dict[str, bool] = {}
    for each in checkers:
        coverage = getattr(each, "coverage", None)
        if coverage is not None:
            try:
                found: Mapping[str, bool] = coverage(history)
            except Exception:  # noqa: BLE001  # as a crash in `check` is no pass
                found = {each.name: False}
            for name, reached in found.items():
                covered[name] = covered.get(name, False) or reached
    return covered


def judge(checkers: Sequence[Checker], history: History) -> dict[str, Verdict]:
    """Ask every checker; a crash becomes *unknown* with the exception as reason."""
    verdicts: dict[str, Verdict] = {}
    for each in checkers:
        try:
            verdict: object = each.check(history)
            if not isinstance(verdict, Verdict):
                verdict = Verdict.unknown(f"the checker answered {verdict!r:.80}, which is not a Verdict")
            verdicts[each.name] = verdict
        except Exception as error:  # noqa: BLE001  # any crash of a checker is an answer of "unknown"
            verdicts[each.name] = Verdict.unknown(f"the checker crashed: {type(error).__name__}: {error}")
    return verdicts
