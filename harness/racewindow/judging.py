"""From what an execution left to findings: endings and checkers' verdicts, the gravest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from racewindow.checkers import Checker, History, coverage_of, judge
from racewindow.errors import UsageError
from racewindow.marks import Marks
from racewindow.runtime.diagnosis import deadlock_text, error_text, flatten, hang_text, livelock_text
from racewindow.runtime.execution import STOPPED, Raw
from racewindow.runtime.guided import SPINNING
from racewindow.runtime.location import Locator
from racewindow.runtime.loop import BLOCKED, FINISHED, LIMIT
from racewindow.trace import Trace

_NOTHING: Mapping[str, Any] = {}


class Finding(NamedTuple):
    """One thing wrong with one execution; the fields are those of `Failure`."""

    kind: str
    message: str
    checker: str | None = None
    class_: str | None = None
    subject: str | None = None
    time_ns: int = 0
    evidence: Mapping[str, Any] = _NOTHING

    @property
    def identity(self) -> tuple[str, str | None, str | None, str | None]:
        """As `Failure.identity`."""
        return (self.kind, self.checker, self.class_, self.subject)


Group = tuple[str, str | None, str | None]
"""Kind, checker and class: what failures are counted by."""

Identity = tuple[str, str | None, str | None, str | None]
"""The same, and what it happened to: what makes a failure the same when it is seen again."""


def names_of(identities: Iterable[Identity]) -> str:
    """What failed, in words."""
    words = sorted(" ".join(part for part in identity if part) for identity in identities)
    return " and ".join(words) if words else "no failure"


class Judged(NamedTuple):
    """All findings of an execution, and (checker, reason) of the checkers that could not tell."""

    findings: tuple[Finding, ...]
    unknown: tuple[tuple[str, str], ...] = ()
    groups: frozenset[Group] = frozenset()
    """Kind, checker and class of each finding: what failures are counted by."""
    sometimes: Mapping[str, bool] = _NOTHING
    """Situations that have to be reached in some execution, each with whether this one has."""


CLEAN = Judged(())


def judge_execution(
    raw: Raw,
    checks: Sequence[Checker],
    history: History,
    *,
    locator: Locator,
    steps_max: int,
    step_timeout: float,
    trace: Trace | None = None,
    marks: Marks | None = None,
) -> Judged:
    """How the execution ended, then what properties in its code and the checkers say.

    Re-raises a UsageError of the scenario's own. Without a `trace` the endings have no message: enough to count a
    failure that is known already. The confirming replay has one.
    """
    brief = brief_ending(raw)
    endings = brief.findings if trace is None else _endings(raw, locator, steps_max, step_timeout, trace)
    if not checks and marks is None:
        return Judged(endings, (), brief.groups)
    verdicts = judge(checks, history)
    violated = [] if marks is None else [*marks.violations]
    violated += [(name, v) for name, verdict in verdicts.items() for v in verdict.violations]
    violations = tuple(
        Finding("violation", v.message, name, v.class_, v.subject, v.time_ns, v.evidence) for name, v in violated
    )
    unknown = tuple((name, v.reason) for name, v in verdicts.items() if v.reason)
    findings = endings + violations
    groups = frozenset((f.kind, f.checker, f.class_) for f in findings)
    return Judged(findings, unknown, groups, _covered(checks, history, marks))


def _covered(checks: Sequence[Checker], history: History, marks: Marks | None) -> Mapping[str, bool]:
    """What had to be reached, by the checkers and in the code."""
    covered = coverage_of(checks, history)
    for name, reached in () if marks is None else marks.sometimes.items():
        covered[name] = reached or covered.get(name, False)
    return covered


def brief_ending(raw: Raw) -> Judged:
    """How the execution ended, without a message: all there is to know where there are no checkers."""
    if raw.end != FINISHED:
        return _BRIEF[raw.end]
    return CLEAN if raw.error is None else _BRIEF[_kind_of(flatten(raw.error))]


_BRIEF = {
    end: Judged((Finding(kind, ""),), (), frozenset([(kind, None, None)]))
    for end, kind in (
        (BLOCKED, "deadlock"),
        (LIMIT, "livelock"),
        (SPINNING, "livelock"),
        (STOPPED, "hang"),
        ("violation", "violation"),
        ("exception", "exception"),
    )
}


def _kind_of(leaves: list[BaseException]) -> str:
    """By the first of several exceptions; a UsageError is not a finding but the caller's mistake."""
    for leaf in leaves:
        if isinstance(leaf, UsageError):
            raise leaf
    return "violation" if isinstance(leaves[0], AssertionError) else "exception"


def _endings(raw: Raw, locator: Locator, steps_max: int, step_timeout: float, trace: Trace) -> tuple[Finding, ...]:
    if raw.end == BLOCKED:
        return (Finding("deadlock", deadlock_text(raw.left, raw.stacks, locator), time_ns=raw.now_ns),)
    if raw.end == LIMIT:
        return (
            Finding("livelock", livelock_text(trace, steps_max, raw.left, raw.stacks, locator), time_ns=raw.now_ns),
        )
    if raw.end == STOPPED:
        return (Finding("hang", hang_text(raw.last, step_timeout, locator), time_ns=raw.now_ns),)
    if raw.error is None:
        assert raw.end == FINISHED, raw.end
        return ()
    leaves = flatten(raw.error)
    message = "\n".join(error_text(leaf, locator) for leaf in leaves)
    return (Finding(_kind_of(leaves), message, time_ns=raw.now_ns),)
