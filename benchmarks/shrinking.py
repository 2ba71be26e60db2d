"""How small failures get: `python benchmarks/shrinking.py [PROGRAM ...]`; prints the table of `README.md` as Markdown.

Each program of the corpus that can fail, and the scenarios of the incident of Paradex, by strategy and seed: the first
failure as it was found, and what shrinking makes of it; a scenario can fail in several ways, each of which has rows of
its own. All figures are counts and the same on every machine, but for the milliseconds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import racewindow
from corpus import PROGRAMS
from racewindow_models.scenarios.paradex import paradex
from racewindow_models.scenarios.paradex_overlap import paradex_overlap
from racewindow_models.scenarios.paradex_partial_copy import paradex_partial_copy
from racewindow_models.scenarios.paradex_rollback import paradex_rollback
from run import machine

SCENARIOS = {each.name: each for each in (paradex, paradex_overlap, paradex_partial_copy, paradex_rollback)}
STRATEGIES = ("random", "pct", "surw", "dpor")
SCHEDULES = 20_000
SEARCHED_MAX = 5_000
"""Executions of a search for the fewest preemptions; where it takes more, the smallest schedule known is our own."""


@dataclass(frozen=True, slots=True)
class Shrinking:
    """One failure: which, sizes before and after, executions that it took, and milliseconds of CPU time."""

    failure: str
    before: racewindow.Size
    after: racewindow.Size
    tries: int
    ms: float


def main() -> None:
    """Run as the arguments say, and print."""
    parser = argparse.ArgumentParser(description="Shrinks the first failure of every program, by strategy and seed.")
    parser.add_argument("--quick", action="store_true", help="a few seconds, only to see that everything runs")
    parser.add_argument("--seeds", type=int, default=20, help="failures of each program and strategy")
    every = [*(name for name, each in PROGRAMS.items() if each.failing != 0), *SCENARIOS]
    parser.add_argument("programs", nargs="*", default=every, metavar="PROGRAM", help="one of the corpus or a scenario")
    asked = parser.parse_args()
    names, seeds = (["crosswise", "reorder(1,1)", "paradex"], 2) if asked.quick else (asked.programs, asked.seeds)

    print(machine(), end="\n\n")
    columns = ("program", "strategy", "found with", "shrunk to", "at most", "tries", "ms", "smallest known")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for name in names:
        target: Any = SCENARIOS.get(name) or PROGRAMS[name].function
        found = {each: list(shrinkings(target, each, seeds)) for each in STRATEGIES}
        known = None if name in SCENARIOS else fewest_preemptions(target)
        searched = "" if known is None else f", {counted(known, 'preemption')} by exhaustive search"
        for failure in sorted({each.failure for rows in found.values() for each in rows}):
            rows = {key: [each for each in value if each.failure == failure] for key, value in found.items()}
            print_rows(f"{name}, {failure}" if name in SCENARIOS else name, rows, searched)


def print_rows(name: str, rows: dict[str, list[Shrinking]], known: str) -> None:
    """A row for each strategy; deviations and preemptions, the median over the seeds."""
    smallest = min((each.after for found in rows.values() for each in found), default=None)
    for strategy, found in rows.items():
        if found and smallest is not None:
            largest = max(each.after for each in found)
            how = f"{strategy}, {counted(len(found), 'time')}" if name.startswith(tuple(SCENARIOS)) else strategy
            cells = (
                *(name, how, size(each.before for each in found), size(each.after for each in found)),
                *(told(largest), f"{median(each.tries for each in found):,.0f}"),
                *(f"{median(each.ms for each in found):,.0f}", told(smallest) + known),
            )
            print(f"| {' | '.join(cells)} |", flush=True)


def shrinkings(target: Any, strategy: str, seeds: int) -> Iterator[Shrinking]:
    """The first failure for each seed, shrunk; a search is the same for all of them."""
    for seed in range(1 if strategy == "dpor" else seeds):
        result = racewindow.explore(target, strategy=strategy, seed=seed, schedules=SCHEDULES, shrink=False)
        assert not result.untrusted, result.untrusted
        if result.failures:
            started = time.process_time()
            shrunk = racewindow.shrink(target, result.failures[0], seconds=60).shrunk
            assert shrunk is not None
            ms = (time.process_time() - started) * 1_000
            _, checker, *about = result.failures[0].identity
            yield Shrinking(f"{checker} ({', '.join(map(str, about))})", shrunk.before, shrunk.after, shrunk.tries, ms)


def fewest_preemptions(target: Callable[[], Any]) -> int | None:
    """With how many preemptions it fails at least, None where that takes too long to know."""
    for bound in range(4):
        result = racewindow.explore(target, strategy="dfs", preemptions=bound, schedules=SEARCHED_MAX, shrink=False)
        if result.failures:
            return bound
        if result.bounds["schedules"].reached:
            break
    return None


def size(sizes: Iterable[racewindow.Size]) -> str:
    """Medians."""
    each = list(sizes)
    return f"{median(s.deviations for s in each):g} ({median(s.preemptions for s in each):g})"


def told(one: racewindow.Size) -> str:
    """Deviations, of them preemptions, and steps."""
    return f"{one.deviations} ({one.preemptions}), {one.steps} steps"


def counted(number: int, noun: str) -> str:
    """`1 preemption`, `0 preemptions`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


if __name__ == "__main__":
    main()
