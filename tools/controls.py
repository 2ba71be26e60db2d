"""Run the controls of every scenario, and write docs/controls.md from that.

    python tools/controls.py [SCENARIO]...

takes half a minute without a name, and else runs only what is named, and what the page does not have yet. What is run
is in `racewindow_models.controls`; `tests/models/test_controls.py` runs the cheap rows each time, and all with
--all-seeds.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import racewindow
from racewindow import History, Result, Scenario, Verdict
from racewindow.target import resolve
from racewindow_models.checkers_sinks import generation_monotonic
from racewindow_models.controls import CONTROLS, NEGATIVE, RUN, SENSELESS
from racewindow_models.expected import Expected, SafeguardSet
from racewindow_models.values import MarketValues

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "controls.md"
FEEDS = Path("examples") / "feeds"
FIRING = 50
"""Executions in which the same checkers have to fire without safeguards."""


class Silent(NamedTuple):
    """One row: a control in a scenario, what it was silent with, and who speaks without safeguards."""

    scenario: str
    control: str
    how: str
    silent: str
    fires: tuple[str, ...]

    @property
    def line(self) -> str:
        """The row of the table."""
        fires = ", ".join(f"`{each}`" for each in self.fires)
        return f"| `{self.scenario}` | {self.control} | {self.how} | {self.silent} | {fires} |"


class Run:
    """A control in a scenario, to be run."""

    def __init__(self, scenario: str, name: str) -> None:
        module = importlib.import_module(f"racewindow_models.scenarios.{scenario.replace('-', '_')}")
        self.scenario: Scenario = resolve(scenario)[0]
        self.expected: Expected = module.EXPECTED
        self.name, self.control = name, RUN[scenario][name]
        self.seen: set[str] = set()
        """The kinds of all events of the silent runs."""
        self.values: set[MarketValues] = set()
        """What has reached the chain in them."""

    def __repr__(self) -> str:
        return f"{self.scenario.name}-{self.name.replace(' ', '-')}"

    @property
    def how(self) -> str:
        """What to type besides the name of the scenario."""
        feed = [f"--feed {FEEDS / self.control.feed}"] if self.control.feed else []
        signs = ["--allow-negative-prices"] if self.control.feed == NEGATIVE else []
        typed = " ".join([*feed, *signs, *_sets(self.control.params)])
        return f"`{typed}`" if typed else "its defaults"

    @property
    def runs(self) -> list[tuple[SafeguardSet, dict[str, Any]]]:
        """What it has to be silent with: each set that closes it, and none if what races is absent."""
        control = self.control
        sets = control.safeguards or self.expected.closed_by
        absent = [((), {**control.params, **control.absent})] if control.absent else []
        return [*((on, dict(control.params)) for on in sets), *absent]

    def silent(self, on: SafeguardSet, params: Mapping[str, Any]) -> str:
        """Run every order of one of the `runs`: with what, and how many executions that took.

        Raises AssertionError if it is not silent, or not searched to its end.
        """
        result = self._explore(self._watching(), on, params, strategy="dpor")
        said = [failure.message for failure in result.failures]
        assert not said, f"{self!r} with {on or 'no safeguards'} and {dict(params)} is not silent: {said[0]}"
        assert result.complete, f"{self!r} with {on or 'no safeguards'} is not searched to its end"
        with_ = ", ".join(f"`{each}`" for each in on) or f"none, and `{' '.join(_sets(self.control.absent))}`"
        return f"{with_}: {result.executions:,}"

    def fires(self, schedules: int = FIRING) -> tuple[str, ...]:
        """The checkers that speak without safeguards, on the same prices."""
        params = {**self.control.params, **self.control.failing}
        result = self._explore(self.scenario, (), params, schedules=schedules)
        names = {failure.checker for failure in result.failures}
        return tuple(each.name for each in self.scenario.checks if each.name in names)

    def row(self) -> Silent:
        """The row of the table."""
        silent = "; ".join(self.silent(on, params) for on, params in self.runs)
        return Silent(self.scenario.name, self.name, self.how, silent, self.fires())

    def _watching(self) -> Scenario:
        """The scenario with a checker that collects; and for a rollback with the one that it could set off."""

        @racewindow.checker("watching")
        def watching(history: History) -> Verdict:
            self.seen.update(event.kind for event in history.events)
            self.values.update(*(each.data["block"].batch for each in history.events if each.kind == "chain.block"))
            return Verdict.holds()

        more = (generation_monotonic,) if self.name == "legitimate rollback" else ()
        return replace(self.scenario, checks=(*self.scenario.checks, *more, watching))

    def _explore(self, scenario: Scenario, on: SafeguardSet, params: Mapping[str, Any], **options: Any) -> Result:
        feed: dict[str, Any] = {}
        if self.control.feed:
            feed["feed"] = str(ROOT / FEEDS / self.control.feed)
        if self.control.feed == NEGATIVE:
            feed["feed_options"] = {"allow_negative_prices": True}
        fixed: dict[str, Any] = {"all_failures": True, "shrink": False, "explain": False}
        result = racewindow.explore(scenario, safeguards=on, params=params, **fixed, **feed, **options)
        assert not result.untrusted, result.untrusted
        return result


def _sets(params: Mapping[str, Any]) -> list[str]:
    return [f"--set {name}={str(value).lower()}" for name, value in params.items()]


# --- the page --------------------------------------------------------------------------------------------------------

HEAD = """# Controls

What is right and could be taken for wrong, run in every scenario in which it makes sense: a checker that is never
silent is as useless as one that never speaks.

This page is written by `python tools/controls.py`, which runs all of it, and `tests/models/test_controls.py` holds it
(the whole of it with `--all-seeds`).

"""
BETWEEN = """
- *run with*: what to type after `racewindow explore SCENARIO`, from the folder of the project.
- *silent with*: the safeguards with which nothing is reported in any order of events, and in how many executions all
  of these were run. *none* stands where what races is taken away instead, by a parameter.
- *fires*: who speaks on the same prices if all safeguards are off, in 50 executions. The checkers are not silent
  because they see nothing.

"""
NAMES = "| control | what it is |\n|---|---|\n"
TABLE = "| scenario | control | run with | silent with | fires |\n|---|---|---|---|---|\n"
WHY = """
## Where there is no row

There the control makes no sense:

| control | scenarios | why |
|---|---|---|
"""


def page(rows: list[str]) -> str:
    """The whole text. `rows`: the lines of the table."""
    names = "".join(f"| {name} | {what} |\n" for name, what in CONTROLS.items())
    why = "".join(
        f"| {', '.join(controls)} | {', '.join(f'`{each}`' for each in scenarios)} | {why} |\n"
        for controls, scenarios, why in SENSELESS
    )
    return HEAD + NAMES + names + BETWEEN + TABLE + "".join(f"{row}\n" for row in rows) + WHY + why


def written() -> dict[tuple[str, str], str]:
    """The rows of the page as it is: scenario and control -> line."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    found = {}
    for line in text.partition(TABLE)[2].partition("\n\n")[0].splitlines():
        scenario, control = (each.strip() for each in line.strip("|").split("|")[:2])
        found[scenario.strip("`"), control] = line
    return found


def every_run() -> list[Run]:
    """Every control of every scenario."""
    return [Run(scenario, name) for scenario, names in RUN.items() for name in names]


def main(names: list[str]) -> int:
    """Run everything, or what is named and what the page does not have yet, and write the page."""
    unknown = [name for name in names if name not in RUN]
    if unknown:
        print(f"no such scenario: {', '.join(unknown)}. Known: {', '.join(RUN)}.", file=sys.stderr)
        return 2
    kept, rows = written(), []
    for run in every_run():
        line = kept.get((run.scenario.name, run.name))
        if line is None or not names or run.scenario.name in names:
            line = run.row().line
            print(line, flush=True)
        rows.append(line)
    PAGE.write_text(page(rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
