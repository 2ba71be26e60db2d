"""Strategies on the corpus: `python benchmarks/strategies.py [--quick]`; prints the tables of `README.md` as Markdown.

How soon each strategy meets a bug, how fast it runs, and what the exhaustive ones take to see every order. Executions
are counts and the same on every machine; only the figures per second are measurements.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from statistics import quantiles

import measure
import racewindow
from corpus import BUGS, PROGRAMS, Program
from measure import Effort
from racewindow.strategies import STRATEGIES, UNLIMITED
from run import machine

SAMPLING = [name for name in STRATEGIES if name not in UNLIMITED]
EXHAUSTIVE = [name for name in STRATEGIES if name in UNLIMITED]
TIMED = [name for name in SAMPLING if name != "auto"]
"""Those that run as many executions as they are asked for; `auto` stops when it has seen every order."""

WHOLE = (
    *("readers(8)", "writers-reader(4)", "lastzero(8)", "SB-ring(6)", "IRIW", "CoRR2", "ainc(5)", "binc(4)", "cinc(3)"),
    *("lost-update(4,1)", "lost-update(2,3)", "casrot(7)", "casw(4)", "wcas(7)", "fib(3)", "POPL-example"),
    *("lockinc(5)", "sections(4)", "leaked-lock(4)", "crosswise", "dining(5)", "trylock(3)", "event(4)", "mailbox(4)"),
    *("reorder(3,1)", "twostage(2,1)", "wronglock(1,3)", "bluetooth"),
)
"""What is explored to the end: of each family the largest that takes seconds."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to run: seeds for each bug, executions at most, effort and programs for speeds, programs for the end."""

    seeds: int
    schedules: int
    effort: Effort
    fast: tuple[str, ...]
    whole: tuple[str, ...]


QUICK = Plan(3, 30, Effort(0.01, 1), ("account",), ("POPL-example", "lost-update(2,1)", "crosswise"))
NORMAL = Plan(30, 5_000, Effort(0.25, 5), ("reorder(1,1)", "reorder(9,1)", "twostage(1,1)", "wronglock(1,7)"), WHOLE)
WHOLE_MAX = 20_000
"""What has more orders is explored to the end only by a strategy that does not run them all."""


def main() -> None:
    """Run as the arguments say, and print."""
    parser = argparse.ArgumentParser(description="Compares the strategies on programs whose orders have been counted.")
    parser.add_argument("--quick", action="store_true", help="a few seconds, only to see that everything runs")
    plan = QUICK if parser.parse_args().quick else NORMAL
    bugs = BUGS[:2] if plan is QUICK else BUGS

    print(machine(), end="\n\n")
    table(("program", "1/p", *STRATEGIES), (first_failures(program, plan) for program in bugs))
    table(("program", *TIMED), (speeds(PROGRAMS[name], plan) for name in plan.fast))
    columns = (f"{name}: {what}" for name in EXHAUSTIVE for what in ("executions", "redundant", "probes", "seconds"))
    table(("program", "orders", "traces", *columns), (to_the_end(PROGRAMS[name]) for name in plan.whole))


def table(columns: Iterable[str], rows: Iterable[list[str]]) -> None:
    """A table in Markdown, each row as soon as it is there."""
    names = list(columns)
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)
    print()


# --- how soon a bug is met -------------------------------------------------------------------------------------------


def first_failures(program: Program, plan: Plan) -> list[str]:
    """Executions up to the first that fails, by strategy."""
    expected = f"{1 / program.chance:.1f}" if program.chance else ""
    return [program.name, expected, *(first_failure(program, name, plan) for name in STRATEGIES)]


def first_failure(program: Program, strategy: str, plan: Plan) -> str:
    """`median (first to third quartile)` over the seeds; a single number where the seed changes nothing."""
    seeds = plan.seeds if strategy in SAMPLING else 1
    needed = sorted(_until_failure(program, strategy, seed, plan.schedules) for seed in range(seeds))
    if seeds == 1:
        return _up_to(plan.schedules, needed[0])
    low, median, high = (_up_to(plan.schedules, figure) for figure in quantiles(needed, n=4, method="inclusive"))
    return f"{median} ({low} to {high})"


def _until_failure(program: Program, strategy: str, seed: int, schedules: int) -> float:
    """Executions up to the first that fails; infinite if none of so many does."""
    result = racewindow.explore(program.function, strategy=strategy, seed=seed, schedules=schedules, shrink=False)
    assert not result.untrusted, result.untrusted
    return result.executions if result.failures else float("inf")


def _up_to(limit: int, figure: float) -> str:
    """A number of executions, or that it is more than there were."""
    return f"{figure:,.0f}" if figure <= limit else f"> {limit:,}"


# --- how fast --------------------------------------------------------------------------------------------------------


def speeds(program: Program, plan: Plan) -> list[str]:
    """Executions per second of CPU time, failures kept; strategies that end by themselves are in the other table."""
    contenders: dict[str, Callable[[int], int]] = {name: partial(_explored, program, name) for name in TIMED}
    found = measure.race(contenders, plan.effort)
    return [program.name, *(f"{found[name].per_second:,.0f}" for name in TIMED)]


def _explored(program: Program, strategy: str, executions: int) -> int:
    """The failing ones of so many executions."""
    return racewindow.explore(
        program.function, strategy=strategy, schedules=executions, all_failures=True, shrink=False
    ).failing


# --- to the end ------------------------------------------------------------------------------------------------------


def to_the_end(program: Program) -> list[str]:
    """What each exhaustive strategy takes for the whole of a program."""
    counted = [f"{figure:,}" if figure is not None else "" for figure in (program.interleavings, program.traces)]
    return [program.name, *counted, *(cell for name in EXHAUSTIVE for cell in _exhausted(program, name))]


def _exhausted(program: Program, strategy: str) -> list[str]:
    """Executions, redundant ones, probes, seconds of CPU time, the set-up among them."""
    if strategy == "dfs" and (program.interleavings is None or program.interleavings > WHOLE_MAX):
        return [""] * 4
    started = time.process_time()
    result = racewindow.explore(
        program.function, strategy=strategy, schedules=WHOLE_MAX, all_failures=True, shrink=False
    )
    spent = time.process_time() - started
    assert not result.untrusted, result.untrusted
    executions = f"{result.executions:,}" if result.complete else f"> {WHOLE_MAX:,}"
    return [executions, f"{result.redundant:,}", f"{result.probes:,}", f"{spent:.2f}"]


if __name__ == "__main__":
    main()
