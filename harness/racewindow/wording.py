"""How orders were chosen, deviations, and where two traces part, in words."""

from __future__ import annotations

from collections.abc import Mapping

from racewindow.schedule import CLOCK, START, Deviation
from racewindow.trace import Trace

SEMANTICS: Mapping[str, str] = {"processes": "any task may go", "trio": "only orders of trio itself"}


def how_text(strategy: str, seed: int, semantics: str, clock: str) -> str:
    """How orders of events were chosen: the line below a result."""
    meaning = SEMANTICS.get(semantics)
    words = f"{semantics} ({meaning})" if meaning else semantics
    return f"strategy {strategy}, seed {seed}, semantics {words}, clock {clock}"


def deviation_text(deviation: Deviation, names: Mapping[str, str]) -> str:
    """One deviation for a person: `after step 4 of db-upgrade: data-writer goes first`."""
    who = names.get(deviation.task, deviation.task)
    step = f"in step {deviation.step} of {who}"
    if deviation.kind == "fault":
        return f"{step}{_again(deviation, 'fault point')}: fault {deviation.option}"
    if deviation.kind == "value":
        return f"{step}{_again(deviation, 'choice')}: takes value {deviation.option} (counted from 0)"
    what = "time passes" if deviation.option == CLOCK else f"{names.get(deviation.option, deviation.option)} goes first"
    where = "at the start" if deviation.task == START else f"after step {deviation.step} of {who}"
    if deviation.index:
        where += f", {deviation.index} clock advance{'s' if deviation.index > 1 else ''} later"
    return f"{where}: {what}"


def _again(deviation: Deviation, noun: str) -> str:
    """Which one of those of a step it is, if not the first."""
    return f", {noun} {deviation.index + 1} there" if deviation.index else ""


def first_divergence(one: Trace, two: Trace, index: int) -> str:
    """The first step in which two runs of one schedule differ, both sides."""

    def side(trace: Trace) -> str:
        if index >= len(trace.steps):
            return "the execution had ended"
        step = trace.steps[index]
        touched = ", ".join(f"{a.mode} {a.key}" for a in step.accesses) or "nothing"
        return f"{step.name} step {step.number}, until {step.location or 'somewhere'}; {touched}"

    return f"step {index + 1} differs:\n  first:  {side(one)}\n  second: {side(two)}"
