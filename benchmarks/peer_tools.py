"""How each tool is asked to run a program so many times, or to explore all of its orders.

The tools are looked for when they are asked, and ship few types; hence the `Any`.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import racewindow
from peer_programs import Program, tasks_of

UNBOUNDED = 1_000_000
"""A bound that no program here reaches, for tools that always have one."""
SLOW_MAX = 100
"""Executions at most where each takes a tenth of a second: in a process of its own, or of sleeps under frontrun."""


class UnableError(Exception):
    """The tool reports a failure in a program that has none, or runs fewer executions than it was asked for."""


@dataclass(frozen=True, slots=True)
class End:
    """How an exploration of everything ended: what it ran, whether it says that this was all, and its other words."""

    executions: int
    complete: bool
    words: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: how many executions it is asked for, how often; or everything, up to a limit; None where it cannot.

    `speeds` maps a column to what runs so many executions; `whole` explores to the end, `of_cells` programs only.
    """

    name: str
    module: str
    speeds: Mapping[str, Callable[[Program, int], object]]
    whole: Callable[[Program, int], End] | None = None
    of_cells: bool = False

    @property
    def version(self) -> str | None:
        """What is installed, or None."""
        try:
            importlib.import_module(self.module)
            return importlib.metadata.version(self.name)
        except ModuleNotFoundError:
            return None


# --- racewindow ------------------------------------------------------------------------------------------------------


def _own(program: Program, executions: int, *, strategy: str = "random", footprints: bool | None = None) -> Any:
    return racewindow.explore(
        program.in_trio, strategy=strategy, schedules=executions, footprints=footprints, all_failures=True, shrink=False
    )


def _own_dpor(program: Program, executions: int) -> None:
    """As many executions, in as many explorations as that takes."""
    while executions > 0:
        executions -= _own(program, executions, strategy="dpor").executions


def _own_whole(program: Program, limit: int) -> End:
    result = _own(program, limit, strategy="dpor")
    assert not result.untrusted, result.untrusted
    return End(result.executions, result.complete)


# --- tools for asyncio -----------------------------------------------------------------------------------------------


def _detangle(program: Program, executions: int, strategy: object = "random") -> Any:
    detangle = importlib.import_module("detangle")
    return detangle.explore(
        program.in_asyncio, runs=executions, strategy=strategy, seed=1, shrink=False, database=False
    )


def _detangle_whole(program: Program, limit: int) -> End:
    strategies = importlib.import_module("detangle.strategies")
    stats = _detangle(program, limit, strategies.DFS(max_delays=UNBOUNDED, max_branch=UNBOUNDED))
    return End(stats.runs, stats.exhausted)


def _simloom(program: Program, executions: int) -> None:
    simloom = importlib.import_module("simloom")
    simloom.explore(program.in_asyncio, runs=executions, stop_on_failure=False)


def _simloom_whole(program: Program, limit: int) -> End:
    simloom = importlib.import_module("simloom")
    result = simloom.explore_systematic(program.in_asyncio, max_delays=UNBOUNDED, max_schedules=limit)
    return End(result.schedules, result.exhaustive)


def _simloop(program: Program, executions: int) -> None:
    importlib.import_module("simloop").explore(program.in_asyncio, range(executions))


def _frontrun(program: Program, **options: object) -> Any:
    """The tasks are workers, and what they share is made anew by `setup`; sleeps need a virtual clock."""
    frontrun = importlib.import_module("frontrun")

    def worker(number: int) -> Callable[[Any], Any]:
        async def work(tasks: Any) -> None:
            await tasks[number]()

        return work

    asked = frontrun.explore(
        setup=partial(tasks_of, program),
        workers=[worker(number) for number in range(len(tasks_of(program)))],
        invariant=lambda _: True,
        clock="virtual" if program.sleeps else "real",
        detect_io=False,
        **options,
    )
    return asyncio.run(asked)


def _frontrun_random(program: Program, executions: int) -> None:
    found = _frontrun(program, strategy="random", max_attempts=executions, seed=1)
    if found.num_explored < executions:
        raise UnableError(found.explanation)


def _frontrun_dpor(program: Program, executions: int) -> None:
    while executions > 0:
        found = _frontrun(program, preemption_bound=None, max_executions=executions, stop_on_first=False)
        executions -= found.num_explored


def _frontrun_whole(program: Program, limit: int) -> End:
    limit = min(limit, SLOW_MAX) if program.sleeps else limit
    found = _frontrun(program, preemption_bound=None, max_executions=limit, stop_on_first=False)
    words = "" if found.property_holds else ", inconclusive"
    return End(found.num_explored, found.num_explored < limit, words)


# --- tools for threads -----------------------------------------------------------------------------------------------


def _threads(cell: Any, start: Callable[[Callable[[], None]], Any], accesses: tuple[str, ...]) -> None:
    """The same accesses by threads; there is nothing to do between them."""

    def body(text: str) -> None:
        seen = 0
        for access in text:
            if access == "r":
                seen = cell.read()
            else:
                cell.write(seen + 1)

    for thread in [start(partial(body, text)) for text in accesses]:
        thread.join()


def _interleave_test_whole(program: Program, limit: int) -> End:
    """It switches before every line of the program."""
    tool = importlib.import_module("interleave_test")
    options: dict[str, Any] = {"strategy": "dfs", "max_preemptions": UNBOUNDED, "granularity": "line"}

    def model() -> None:
        _threads(ThreadCell(), tool.spawn, program.accesses)

    result = tool.explore(model, iterations=limit, raise_on_failure=False, **options)
    return End(result.schedules_run, result.exhausted)


class ThreadCell:
    """Shared memory for threads."""

    def __init__(self) -> None:
        self.value = 0

    def read(self) -> int:
        """Look."""
        return self.value

    def write(self, value: int) -> None:
        """Put."""
        self.value = value


def _ploom_scenario(accesses: tuple[str, ...]) -> None:
    """It switches at its own cells and threads, to start and to join among them."""
    ploom = importlib.import_module("ploom")

    def start(body: Callable[[], None]) -> Any:
        thread = ploom.Thread(target=body)
        thread.start()
        return thread

    _threads(ploom.SharedCell(0), start, accesses)


def _ploom_whole(program: Program, limit: int) -> End:
    ploom = importlib.import_module("ploom")
    config = ploom.Config(max_executions=min(limit, SLOW_MAX), timeout=600)
    try:
        found = ploom.check(partial(_ploom_scenario, program.accesses), config=config)
    except ploom.IncompleteExplorationError as stopped:
        return End(stopped.statistics.executions, complete=False)
    return End(found.executions, complete=True)


TOOLS = (
    Tool("racewindow", "racewindow", {"random": _own, "dpor": _own_dpor}, _own_whole),
    Tool("detangle", "detangle", {"random": _detangle}, _detangle_whole),
    Tool("simloom", "simloom", {"random": _simloom}, _simloom_whole),
    Tool("simloop", "simloop", {"random": _simloop}),
    Tool("frontrun", "frontrun", {"random": _frontrun_random, "dpor": _frontrun_dpor}, _frontrun_whole),
    Tool("interleave-test", "interleave_test", {}, _interleave_test_whole, of_cells=True),
    Tool("ploom", "ploom", {}, _ploom_whole, of_cells=True),
)
