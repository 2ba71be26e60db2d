"""Run every scenario against what the catalogue of incidents says of it, and write docs/incidents.md from that.

    python tools/incidents.py [SCENARIO]...

takes some minutes without a name, and else runs only what is named, and what the page does not have yet. A scenario is
any module under `racewindow_models.scenarios` with an `EXPECTED`; nothing else has to be told about a new one.
`tests/models/test_catalogue.py` runs the cheap rows each time, and all with --all-seeds.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from functools import cached_property
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import racewindow
from racewindow import Failure, Result, Scenario
from racewindow.constraints import Before
from racewindow.runtime.execution import Environment
from racewindow.session import Session
from racewindow.settings import make_settings
from racewindow.strategies.tolerant import TolerantPicker
from racewindow_models import scenarios
from racewindow_models.expected import Expected, SafeguardSet

PAGE = Path(__file__).resolve().parent.parent / "docs" / "incidents.md"
SEEDS = 20
NOTHING = "nothing"


class Row(NamedTuple):
    """What one set of safeguards leaves open, and how well that is known.

    `sure`: in words. `executions`: how many that took. `orderings`: how many of them the first failure needs.
    """

    name: str
    on: SafeguardSet
    violated: tuple[str, ...]
    sure: str
    orderings: str = ""

    @property
    def line(self) -> str:
        """The row of the table."""
        on = ", ".join(f"`{each}`" for each in self.on) or "none"
        violated = ", ".join(f"`{each}`" for each in self.violated) or NOTHING
        return f"| `{self.name}` | {on} | {violated} | {self.sure} | {self.orderings} |"

    @property
    def executions(self) -> int:
        """How many it took, by its own words."""
        return max(self._numbers)

    @property
    def first(self) -> int:
        """The first that failed, by its own words; of what does not fail, how many it took."""
        return self._numbers[0]

    @property
    def _numbers(self) -> list[int]:
        return [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", self.sure)]


class Entry:
    """A scenario of the catalogue."""

    def __init__(self, scenario: Scenario, expected: Expected) -> None:
        self.scenario, self.expected, self.name = scenario, expected, scenario.name

    def __repr__(self) -> str:
        return self.name

    @property
    def explored_with(self) -> str:
        """What is not the default, in words."""
        params = [f"{name}={value}" for name, value in self.expected.params.items()]
        faults = self.expected.faults
        return ", ".join([*params, *([f"at most {_counted(faults, 'fault')}"] if faults else [])]) or "its defaults"

    @cached_property
    def sets(self) -> tuple[SafeguardSet, ...]:
        """The sets that the catalogue says something about, none of them first."""
        expected = self.expected
        named = ((), *expected.closed_by, *expected.closes_only, *expected.not_closed_by)
        return tuple(dict.fromkeys(tuple(name for name in self.scenario.safeguards if name in on) for on in named))

    def closes(self, on: SafeguardSet) -> bool:
        """Whether the catalogue says that these close everything."""
        return any(set(closing) == set(on) for closing in self.expected.closed_by)

    def silenced(self, on: SafeguardSet) -> tuple[str, ...]:
        """The checkers that these silence without closing everything, by the catalogue."""
        return next((names for each, names in self.expected.closes_only.items() if set(each) == set(on)), ())

    def explore(self, on: SafeguardSet = (), **options: Any) -> Result:
        """Explore it as the catalogue means it."""
        expected = self.expected
        fixed = {"params": expected.params, "faults": expected.faults or None, "shrink": False}
        return racewindow.explore(self.scenario, safeguards=on, **{**fixed, **options})

    def search(self, on: SafeguardSet) -> Result:
        """Everything that fails with these on, by all orders where the catalogue says that they are few enough."""
        if self.closes(on) and self.expected.proved:
            return self.explore(on, strategy="dpor", all_failures=True)
        return self.explore(on, schedules=self.expected.executions, all_failures=True)

    def row(self, on: SafeguardSet) -> Row:
        """The row of a set, without what only the first one has: see `first_row`."""
        result = self.search(on)
        assert not result.untrusted, result.untrusted
        seen = {failure.checker or failure.kind for failure in result.failures}
        violated = (*(each.name for each in self.scenario.checks if each.name in seen), *sorted(seen - self.checkers))
        return Row(self.name, on, violated, _sure(result))

    @property
    def checkers(self) -> set[str]:
        """The names of the declared ones."""
        return {each.name for each in self.scenario.checks}

    def first_row(self) -> Row:
        """The row without safeguards, with all seeds and the orderings of the explanation."""
        row = self.row(())
        return row._replace(sure=f"{row.sure}; {self.seeds_text()}", orderings=self.orderings_text())

    def seeds_text(self) -> str:
        """How soon each seed finds a failure; raises AssertionError if one does not."""
        most = 0
        for seed in range(SEEDS):
            result = self.explore(seed=seed)
            assert result.failures, f"{self.name}: seed {seed} finds nothing in {result.executions} executions"
            most = max(most, result.executions)
        return f"{SEEDS} of {SEEDS} seeds within {_counted(most, 'execution')}"

    def orderings_text(self) -> str:
        """How many the first failure needs, by its explanation, and how many the catalogue allows."""
        needed = self.orderings(self.explained())
        return f"{'?' if needed is None else needed} of at most {self.expected.constraints}"

    def explained(self) -> Failure:
        """The first failure of seed 0, made small, with its explanation."""
        return self.explore(shrink=True, explain=True).failures[0]

    def orderings(self, failure: Failure) -> int | None:
        """How many of the orderings that its explanation names make it happen in what is else the default order.

        None if not even all of them do, or if it has no explanation.
        """
        pairs = () if failure.explanation is None else failure.explanation.pairs
        for count in range(len(pairs) + 1):
            for chosen in combinations(pairs, count):
                if self._happens(failure, [Before(each.first.moment, each.second.moment) for each in chosen]):
                    return count
        return None

    def _happens(self, failure: Failure, constraints: list[Before]) -> bool:
        """Whether the default order under these constraints shows it, with its own values and faults.

        In its smaller size or in the one in which it was found: the explanation is about the latter.
        """
        smaller, found = failure.schedule, failure if failure.shrunk is None else failure.shrunk.original
        for schedule in (smaller, found.schedule):
            faults = self.expected.faults or None
            settings = make_settings(self.scenario, params=schedule.params, faults=faults, constraints=constraints)
            drawn = [each for each in schedule.deviations if each.kind != "task"]
            with Environment(footprints=False):
                judged = Session(settings).run(TolerantPicker(drawn)).judged
            if failure.group in {finding.identity[:3] for finding in judged.findings}:
                return True
        return False

    def rows(self) -> Iterator[Row]:
        """All of them."""
        for on in self.sets:
            yield self.row(on) if on else self.first_row()


def catalogue() -> dict[str, Entry]:
    """Every scenario that has an `EXPECTED` beside it, by name; the latest incident first."""
    entries = [Entry(own, module.EXPECTED) for module, own in _modules() if hasattr(module, "EXPECTED")]
    entries.sort(key=lambda entry: entry.name)
    entries.sort(key=lambda entry: entry.scenario.incident, reverse=True)
    return {entry.name: entry for entry in entries}


def missing() -> list[str]:
    """Scenarios without an `EXPECTED`."""
    return [own.name for module, own in _modules() if not hasattr(module, "EXPECTED")]


def _modules() -> Iterator[tuple[ModuleType, Scenario]]:
    """Every module of the folder with its own scenario."""
    for found in pkgutil.iter_modules(scenarios.__path__):
        module = importlib.import_module(f"{scenarios.__name__}.{found.name}")
        for value in vars(module).values():
            if isinstance(value, Scenario) and value.function.__module__ == module.__name__:
                yield module, value


def _sure(result: Result) -> str:
    if result.failures:
        first = min(failure.execution for failure in result.failures) + 1
        every = "; every order was run" if result.complete else ""
        return f"first in execution {first:,} of {result.executions:,}{every}"
    if result.complete:
        return f"proved: {_counted(result.executions, 'execution')}, every order"
    return f"not found in {_counted(result.executions, 'execution')}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


# --- the page --------------------------------------------------------------------------------------------------------

HEAD = """# The incidents, and what closes them

Every scenario that comes with racewindow: what fails in it without safeguards, and which sets of them close that. What
is fact, what an inference and what a hypothesis is in the docstring of each, as are its parameters; no model is claimed
to be what happened. `racewindow list NAME` says what the safeguards do. What is right and could be taken for wrong is
in [controls.md](controls.md).

This page is written by `python tools/incidents.py`, which runs all of it, and `tests/models/test_catalogue.py` holds it
(the whole of it with `--all-seeds`).

- *violated*: the checkers that fail, all that do.
- *how sure*: `proved` if every order of events was run with this set and nothing fails, `not found` if not.
  Of what fails, the first execution that shows it; by the default strategy with seed 0.
- *orderings*: of those that the explanation of the shrunk failure names, how many are enough to make it happen in what
  is else the default order, and how many the catalogue allows. 0: it fails in the default order.

"""
TABLE = "| scenario | safeguards on | violated | how sure | orderings |\n|---|---|---|---|---|\n"


ABOUT = "| scenario | in the catalogue | incident | what it shows | explored with |\n|---|---|---|---|---|"


def page(entries: dict[str, Entry], rows: list[Row]) -> str:
    """The whole text."""
    about = [f"## What each is about\n\n{ABOUT}"]
    for entry in entries.values():
        scenario = entry.scenario
        cells = (f"`{entry.name}`", entry.expected.ident, scenario.incident, scenario.summary, entry.explored_with)
        about.append(f"| {' | '.join(cells)} |")
    lines = "\n".join(row.line for row in rows)
    return f"{HEAD}{TABLE}{lines}\n\n" + "\n".join(about) + "\n"


def written() -> dict[tuple[str, SafeguardSet], Row]:
    """The rows of the page as it is."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    rows = {}
    for line in text.partition(TABLE)[2].partition("\n\n")[0].splitlines():
        name, on, violated, sure, orderings = (each.strip() for each in line.strip("|").split("|"))
        row = Row(name.strip("`"), _names(on), _names(violated), sure, orderings)
        rows[row.name, row.on] = row
    return rows


def _names(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))


def main(names: list[str]) -> int:
    """Run everything, or the named scenarios and what the page does not have yet, and write the page."""
    entries, kept, rows = catalogue(), written(), []
    unknown = [name for name in names if name not in entries]
    if unknown:
        print(f"no such scenario: {', '.join(unknown)}. Known: {', '.join(entries)}.", file=sys.stderr)
        return 2
    for entry in entries.values():
        old = [kept[entry.name, on] for on in entry.sets if (entry.name, on) in kept]
        if names and entry.name not in names and len(old) == len(entry.sets):
            rows += old
            continue
        for row in entry.rows():
            print(row.line, flush=True)
            rows.append(row)
    PAGE.write_text(page(entries, rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
