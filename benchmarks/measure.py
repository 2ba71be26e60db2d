"""How speed is measured: process CPU time of many executions at once, rounds of all contenders in turn, best of them.

CPU time, because other work on the machine then counts as little as it can; rounds in turn, because what still counts
(a clock that is throttled, a cache that is shared) hits all contenders alike; the best, because nothing makes a program
faster than it is. What is left differs from run to run by some 5 to 10%: read ratios, and only within one run.
"""

from __future__ import annotations

import cProfile
import pstats
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import trio
from trio.testing import MockClock

import racewindow

try:
    import resource
except ImportError:  # not on Windows, where the figures about other processes are left out
    resource = None  # type: ignore[assignment]

Target = Callable[[], Awaitable[object]]
Contender = Callable[[int], int]
"""Runs so many executions and returns how many of them failed."""


# --- the contenders --------------------------------------------------------------------------------------------------


def trio_loop(main: Target, executions: int) -> int:
    """`trio.run` again and again, on a clock that jumps: what there is without racewindow."""
    failed = 0
    for _ in range(executions):
        try:
            trio.run(main, clock=MockClock(autojump_threshold=0))
        except AssertionError:
            failed += 1
    return failed


def run_loop(main: Target, executions: int) -> int:
    """`racewindow.run` again and again, each time in another order."""
    failed = 0
    for seed in range(executions):
        try:
            racewindow.run(main, seed=seed)
        except AssertionError:
            failed += 1
    return failed


def exploration(target: Any, executions: int, *, footprints: bool) -> int:
    """One `explore` of random orders with its set-up, failures kept."""
    result = racewindow.explore(
        target, strategy="random", schedules=executions, footprints=footprints, all_failures=True, shrink=False
    )
    return result.failing


def contenders(main: Target, target: Any = None) -> dict[str, Contender]:
    """The columns of the table; `target` is what `explore` is given, if that is not `main`."""
    explored = main if target is None else target
    found: dict[str, Contender] = {
        "trio": partial(trio_loop, main),
        "explore": partial(exploration, explored, footprints=False),
        "footprints": partial(exploration, explored, footprints=True),
    }
    if target is None:
        found["run"] = partial(run_loop, main)
    return found


# --- rounds ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure: CPU seconds per contender and round, and rounds."""

    seconds: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Speed:
    """What one contender reached: executions per second of CPU time, and the share of executions that failed."""

    per_second: float
    failing: float


def race(entries: Mapping[str, Contender], effort: Effort) -> dict[str, Speed]:
    """All contenders in turn, `effort.rounds` times; the best round of each."""
    counts = {name: _enough(run, effort.seconds) for name, run in entries.items()}
    best = dict.fromkeys(entries, 0.0)
    failed: Counter[str] = Counter()
    for _ in range(effort.rounds):
        for name, run in entries.items():
            spent, failing = _timed(run, counts[name])
            best[name] = max(best[name], counts[name] / spent)
            failed[name] += failing
    return {name: Speed(best[name], failed[name] / (counts[name] * effort.rounds)) for name in entries}


def _timed(run: Contender, executions: int) -> tuple[float, int]:
    started = time.process_time()
    failing = run(executions)
    return max(time.process_time() - started, 1e-9), failing


def _enough(run: Contender, seconds: float) -> int:
    """How many executions take about `seconds`.

    From at least half of them, so that the set-up of an exploration does not pass for the cost of its executions, nor
    what is imported when it is first used: a few are run before.
    """
    executions = 10
    run(executions)
    while True:
        spent, _ = _timed(run, executions)
        if spent >= seconds / 2:
            return round(executions * seconds / spent)
        executions *= 2


# --- other processes -------------------------------------------------------------------------------------------------


def start_up(command: list[str], rounds: int) -> tuple[float, float]:
    """CPU and wall seconds of the quickest of several starts of a command."""
    cpu = wall = float("inf")
    for _ in range(rounds):
        before, started = _children_cpu(), time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603  # our own command, or Python
        wall = min(wall, time.perf_counter() - started)
        cpu = min(cpu, _children_cpu() - before)
    return cpu, wall


def _children_cpu() -> float:
    if resource is None:
        return 0.0
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peak_memory_mb() -> float:
    """The most memory that this process has held; 0.0 where the system does not say."""
    if resource is None:
        return 0.0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1_000_000


# --- where the time goes ---------------------------------------------------------------------------------------------

_OWNERS = {"racewindow_models": "the models", "racewindow": "racewindow", "trio": "trio", "outcome": "trio"}


def shares(run: Contender, executions: int) -> dict[str, float]:
    """The share of each package in the time of a run, by `cProfile`; what is built in counts as its caller's."""
    run(executions)  # warm, so that imports and caches do not count
    profile = cProfile.Profile()
    profile.runcall(run, executions)
    spent: Counter[str] = Counter()
    stats: Mapping[Any, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # typeshed leaves it out
    for (file, _, _), (_, _, own, _, callers) in stats.items():
        if file != "~" or not callers:
            spent[_owner(file)] += own
            continue
        for (caller, _, _), (_, _, part, _) in callers.items():
            spent[_owner(caller)] += part
    total = sum(spent.values())
    return {owner: seconds / total for owner, seconds in spent.most_common()}


def _owner(file: str) -> str:
    parts = Path(file).parts
    return next((_OWNERS[part] for part in reversed(parts) if part in _OWNERS), "the rest of Python")
