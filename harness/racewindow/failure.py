"""What one execution came to, and a failure: what went wrong in it and everything needed to make it happen again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from racewindow.events import Event
from racewindow.explanation import Explanation
from racewindow.schedule import Schedule
from racewindow.trace import Trace

KINDS = ("violation", "exception", "deadlock", "livelock", "hang")


class Size(NamedTuple):
    """How large a schedule is, compared from the first number on: what a person has to understand comes first."""

    faults: int
    preemptions: int
    """Deviations that leave a task that could have gone on."""
    deviations: int
    steps: int


class Named(Protocol):
    """What was found, be it by this program or read from a file; see `Failure`."""

    @property
    def kind(self) -> str:
        """One of `KINDS`."""

    @property
    def checker(self) -> str | None:
        """Who found it."""

    @property
    def class_(self) -> str | None:
        """What kind of wrong."""

    @property
    def subject(self) -> str | None:
        """What it happened to."""

    @property
    def message(self) -> str:
        """For a person."""


def found_fields(found: Named) -> dict[str, Any]:
    """What was found, as every JSON object that is about a failure has it."""
    return {
        "kind": found.kind,
        "checker": found.checker,
        "class": found.class_,
        "subject": found.subject,
        "message": found.message,
    }


@dataclass(frozen=True, slots=True, eq=False)
class Shrunk:
    """What shrinking has made of a failure.

    `original`: the failure as it was found. `before`, `after`: sizes of its schedule and of the shrunk one. `tries`:
    executions that it took. `ended`: what ended it before nothing smaller was left to try, "" if it came to its end.
    `smaller`: the schedule is another one now, if only with lower values or earlier deviations.
    """

    original: Failure
    before: Size
    after: Size
    tries: int
    ended: str = ""
    smaller: bool = True

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready form, without the original."""
        before, after = self.before._asdict(), self.after._asdict()
        return {"from": before, "to": after, "tries": self.tries, "ended": self.ended}


@dataclass(frozen=True, slots=True, eq=False)
class Failure:
    """One finding of one execution.

    `kind`: one of `KINDS`. `checker`, `class_`, `subject`: who found it, what kind of wrong, and what it happened to;
    None outside violations of a checker. `message`: one or more lines for a person, free of addresses. `execution`:
    the number of the execution that showed it first, from 0. `count`: in how many executions it was seen.
    `deviations`: one line per deviation of the schedule, with display names and locations. `digest`: of the trace.
    """

    kind: str
    message: str
    schedule: Schedule
    checker: str | None = None
    class_: str | None = None
    subject: str | None = None
    time_ns: int = 0
    evidence: Mapping[str, Any] = field(default_factory=dict)
    execution: int = 0
    count: int = 1
    trace: Trace = field(default_factory=Trace)
    events: tuple[Event, ...] = ()
    deviations: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    digest: str = ""
    story: tuple[str, ...] = ()
    token: str = ""
    """The schedule as a word for pasting, without the parameters that have their default."""
    explanation: Explanation | None = None
    """Why, and what closes it, if somebody has found out: see `racewindow.explain`."""
    unexplained: str = ""
    """Why that was not to be found out, if somebody has tried."""
    others: tuple[str, ...] = ()
    """What else went wrong in the same execution, one line each."""
    shrunk: Shrunk | None = None
    """How it became as small as it is; None if nobody has tried."""

    @property
    def identity(self) -> tuple[str, str | None, str | None, str | None]:
        """What makes it the same failure when it is seen again: kind, checker, class and subject."""
        return (self.kind, self.checker, self.class_, self.subject)

    @property
    def group(self) -> tuple[str, str | None, str | None]:
        """What failures are counted by in a report: kind, checker and class."""
        return (self.kind, self.checker, self.class_)


@dataclass(frozen=True, slots=True)
class Execution:
    """One finished run of a scenario under one schedule.

    `outcome`: `ok`, `violation`, `exception`, `deadlock`, `livelock` or `hang`. `failure`: the gravest finding, or
    None; `failures`: all of them. `trace` is empty and `digest` is "" when footprints were off.
    """

    outcome: str
    failures: tuple[Failure, ...] = ()
    trace: Trace = field(default_factory=Trace)
    events: tuple[Event, ...] = ()
    digest: str = ""
    steps: int = 0
    unknown: tuple[tuple[str, str], ...] = ()
    """(checker, reason) of every checker that could not tell."""

    @property
    def failure(self) -> Failure | None:
        """The gravest finding: the one whose checker the scenario declares first."""
        return self.failures[0] if self.failures else None
