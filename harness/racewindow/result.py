"""The result of an exploration: a verdict with its evidence, and everything that was held fixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from racewindow.coverage import missed_text
from racewindow.errors import ExplorationFailed
from racewindow.failure import Failure, found_fields
from racewindow.faults import NO_FAULTS, FaultPlan
from racewindow.report_failure import failure_text, untrusted_text

VerdictName = Literal["failure", "complete", "nothing found", "untrusted"]


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit that was set, and whether the exploration ran into it."""

    limit: float | int
    reached: bool


@dataclass(frozen=True, slots=True)
class Part:
    """What one strategy of a portfolio did; `complete`: it alone ran every order. `note`: why it began or ended.

    `statistics`: see `racewindow.statistics.summary`; of this strategy's executions alone.
    """

    strategy: str
    executions: int
    failing: int
    complete: bool = False
    note: str = ""
    statistics: Mapping[str, Any] = field(default_factory=dict)


_CUT: Mapping[str, str] = {
    "schedules": "the limit of {limit:,} execution{s} came before the last order",
    "seconds": "the limit of {limit:,} s came before the last order",
    "step_limit": "an execution was cut off at the limit of {limit:,} step{s}, and nothing that could follow was run",
    "step_timeout": "a step took more than {limit:,} s and was stopped: whether it would have ended is not known, and "
    "nothing that could follow was run",
    "preemptions": "orders with preemptions beyond the limit of {limit:,} were left out",
}
"""Bound that was reached -> what it cut."""
_DOUBTS: Mapping[str, str] = {
    "first failure": "the exploration ended with the first failure that it found",
    "interrupted": "the exploration was interrupted",
    "gave up": "the search that could have run every order was given up before its end",
    "untracked": "the program shares state that is not tracked, so orders that differ may have counted as the same",
    "audit": "two steps that count as independent were swapped, and something changed: untracked shared state",
    "peak": "the program looks at peak_buffer_used of a channel, which tells orders apart that were taken for one",
    "choices": "a choice had more values than are enumerated; the others were left out",
    "nondeterminism": "one schedule gave two executions",
}
"""What else takes `complete` back -> the sentence that says so."""


def why_incomplete(bounds: Mapping[str, Bound], *doubts: str, exhausted: bool = False) -> tuple[str, ...]:
    """The sentences of `Result.incomplete`: one for each bound that cut something, one for each doubt.

    A doubt is a key of the table above, or a sentence of its own where more is known, such as a name or a number.
    `exhausted`: the search came to its own end, so a budget that was used up cut nothing.
    """
    budgets = ("schedules", "seconds") if exhausted else ()
    cut = [
        _CUT[name].format(limit=bound.limit, s="" if bound.limit == 1 else "s")
        for name, bound in bounds.items()
        if bound.reached and name in _CUT and name not in budgets
    ]
    return (*cut, *(_DOUBTS.get(doubt, doubt) for doubt in doubts))


@dataclass(frozen=True, slots=True)
class Result:
    """What `explore` found.

    `executions`: runs to an end (passed, failed or deadlocked); `failing`: those that failed; `redundant`: those begun
    but cut off as already covered; `probes`: runs made only to learn a footprint;
    `audited`: runs in an order that should be equivalent. `complete`: every order of events
    was run. `incomplete`: what a search that could have been complete left out, one sentence each (`why_incomplete`).
    `parts`: who did what, where several strategies shared the work. `distinct_traces` is None where footprints were
    off. `statistics`: see `racewindow.statistics.summary`. `failures`: one per group (kind, checker, class), the
    gravest first. `untrusted`: why the result cannot be trusted, or "". `notes`: other things worth saying, one
    sentence each. `seconds`: wall time. `target`: what a person types to get this scenario again.
    `sometimes`: situations that some execution should reach, each with how many did; `missed`: those that were
    required and never reached, empty where the exploration was cut off by a failure or by the user. `unknown`:
    checkers that could not tell, each with the number of executions; none of these is a pass of that checker.
    """

    scenario: str
    strategy: str
    semantics: str
    clock: str
    seed: int
    executions: int
    failing: int
    steps: int
    seconds: float
    failures: tuple[Failure, ...] = ()
    files: tuple[str | None, ...] = ()
    bounds: Mapping[str, Bound] = field(default_factory=dict)
    redundant: int = 0
    probes: int = 0
    audited: int = 0
    complete: bool = False
    distinct_traces: int | None = None
    statistics: Mapping[str, Any] = field(default_factory=dict)
    faults: FaultPlan = NO_FAULTS
    faults_offered: Mapping[str, int] = field(default_factory=dict)
    faults_struck: Mapping[str, int] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    safeguards: tuple[str, ...] = ()
    target: str = ""
    untrusted: str = ""
    interrupted: bool = False
    notes: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    sometimes: Mapping[str, int] = field(default_factory=dict)
    curve: tuple[tuple[int, int], ...] = ()
    """(executions, distinct traces seen in them), from the first to the last; () where `distinct_traces` is None."""
    missed: tuple[str, ...] = ()
    unknown: Mapping[str, int] = field(default_factory=dict)

    @property
    def exhaustive_bound(self) -> int | None:
        """The bound on preemptions within which every order was run, where it is all that was left out; else None."""
        bound = self.bounds.get("preemptions")
        return int(bound.limit) if bound is not None and bound.reached and len(self.incomplete) == 1 else None

    @property
    def verdict(self) -> VerdictName:
        """`failure` beats `untrusted`: a confirmed failure has been replayed, whatever else happened.

        What was required and never reached is a failure too, but of a result that can be trusted.
        """
        if self.failures:
            return "failure"
        if self.untrusted:
            return "untrusted"
        if self.missed:
            return "failure"
        return "complete" if self.complete else "nothing found"

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of `racewindow explore --json`, format 1."""
        files = (*self.files, *([None] * (len(self.failures) - len(self.files))))
        return {
            "format": 1,
            "scenario": self.scenario,
            "params": dict(self.params),
            "safeguards": list(self.safeguards),
            "strategy": self.strategy,
            "semantics": self.semantics,
            "clock": self.clock,
            "seed": self.seed,
            "verdict": self.verdict,
            "bounds": {name: {"limit": b.limit, "reached": b.reached} for name, b in self.bounds.items()},
            "executions": self.executions,
            "failing": self.failing,
            "redundant": self.redundant,
            "probes": self.probes,
            "audited": self.audited,
            "complete": self.complete,
            "exhaustive_bound": self.exhaustive_bound,
            "incomplete": list(self.incomplete),
            "parts": [asdict(part) for part in self.parts],
            "steps": self.steps,
            "seconds": round(self.seconds, 3),
            "distinct_traces": self.distinct_traces,
            "statistics": dict(self.statistics),
            "faults": {
                "budget": self.faults.budget,
                "budgets": dict(self.faults.budgets),
                "kinds": [each.text for each in self.faults.faults],
            },
            "faults_offered": dict(self.faults_offered),
            "faults_struck": dict(self.faults_struck),
            "sometimes": dict(self.sometimes),
            "missed": list(self.missed),
            "untrusted": self.untrusted,
            "interrupted": self.interrupted,
            "notes": list(self.notes),
            "failures": [
                {
                    **found_fields(f),
                    "count": f.count,
                    "execution": f.execution,
                    "deviations": list(f.deviations),
                    "faults": list(f.faults),
                    "shrunk": None if f.shrunk is None else f.shrunk.as_dict(),
                    "file": file,
                    **({} if f.explanation is None else {"explanation": f.explanation.as_dict()}),
                }
                for f, file in zip(self.failures, files, strict=True)
            ],
        }

    def check(self) -> None:
        """Raise ExplorationFailed with the report of the first failure, if there is one.

        Also raises it when the result cannot be trusted, or what was required was never reached: silence is not a pass.
        """
        if self.failures:
            file = self.files[0] if self.files else None
            text = failure_text(self.failures[0], scenario=self.scenario, file=file, target=self.target)
            raise ExplorationFailed(text)
        if self.untrusted:
            raise ExplorationFailed(untrusted_text(self))
        if self.missed:
            raise ExplorationFailed(missed_text(self.missed, self.executions, complete=self.complete))
