"""Small plans of a window, and what became of them in every order of events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import racewindow
from racewindow import Event, History, Result, Scenario, Verdict, checker
from racewindow.plans import load_plan

BASE = """
plan = 1
system = "exchange"
{top}
[people]
operator = "takes the steps"
other = "takes others"
[exchange]
markets = {markets}
accounts = 2
ticks = 1
batches = 1
first_round = "10 s"
[services]
writer.start_up = "load"
writer.ready = "{ready}"
writer.instances = {{ writer-1 = "{writer}", writer-2 = "down" }}
{services}
{runbook}
{tables}
"""
STOP = ("stop", 'do = "stop"\ninstances = ["writer-1"]')
COPY = ("copy", 'do = "copy"')
SWITCH = ("switch", 'do = "switch"')
START = ("start", 'do = "start"\ninstances = ["writer-2"]\nnot_before = "10 s"')
COMMITTER = 'committer.at_start = "down"'
SAFE = "[checks]\nsafe_to_leave = true\n"
Steps = Sequence[tuple[str, str]]


def step(name: str, what: str, more: str = "", by: str = "operator") -> str:
    """A step of a runbook."""
    by = "" if "by =" in what + more else f'by = "{by}"'
    return f'[[runbook]]\nstep = "{name}"\n{by}\n{what}\n{more}\n'


@dataclass
class Seen:
    """What was seen of a plan: the result, and the events of every execution."""

    result: Result
    executions: list[Sequence[Event]] = field(default_factory=list)

    @property
    def groups(self) -> set[tuple[str | None, str | None]]:
        """Checker and class of every failure."""
        return {(each.checker, each.class_) for each in self.result.failures}

    def all(self, kind: str, key: str) -> set[object]:
        """What an entry of the events of one kind was, in whatever execution."""
        return {self._plain(event.data[key]) for events in self.executions for event in events if event.kind == kind}

    def sets(self, kind: str, key: str) -> set[frozenset[object]]:
        """For each execution, the entries of its events of one kind."""
        each = ((self._plain(e.data[key]) for e in events if e.kind == kind) for events in self.executions)
        return {frozenset(entries) for entries in each}

    @staticmethod
    def _plain(value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


def scenario_of(
    folder: Path,
    steps: Iterable[str],
    tables: str = SAFE,
    *,
    top: str = "",
    services: str = "",
    writer: str = "idle",
    ready: str = "loaded",
    markets: int = 1,
) -> Scenario:
    """The scenario of a plan of these parts."""
    text = BASE.format(
        top=top, services=services, runbook="\n".join(steps), tables=tables, writer=writer, ready=ready, markets=markets
    )
    path = folder / "plan.toml"
    path.write_text(text, encoding="utf-8")
    return load_plan(str(path)).scenario


def explored(scenario: Scenario, safeguards: Sequence[str] | None = None, **params: int) -> Seen:
    """Every order of events of a scenario, and what was seen in them."""
    executions: list[Sequence[Event]] = []

    @checker("kept")
    def kept(history: History) -> Verdict:
        executions.append(history.events)
        return Verdict.holds()

    watched = replace(scenario, checks=(*scenario.checks, kept))
    result = racewindow.explore(
        watched, strategy="dpor", all_failures=True, safeguards=safeguards, params=params, shrink=False
    )
    assert (result.complete, result.untrusted) == (True, ""), result.untrusted
    return Seen(result, executions)
