"""What the proof costs: `dpor` against plain trio, and from a thousand executions to a hundred thousand.

`python benchmarks/reduction.py` takes over a minute and prints Markdown; `--quick` only shows that it runs. A
contender runs whole explorations, with their set-up, probes and audit, and its executions alone are counted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import trio

import measure
import programs
import racewindow

Main = Callable[[], Awaitable[object]]


def deposits(tasks: int, times: int) -> Main:
    """So many tasks read, wait and write one balance, so many times."""

    async def main() -> None:
        balance = racewindow.Cell(0, name="balance")

        async def deposit() -> None:
            for number in range(times):
                if number:
                    await trio.lowlevel.checkpoint()
                seen = balance.get()
                await trio.lowlevel.checkpoint()
                balance.set(seen + 1)

        async with trio.open_nursery() as nursery:
            for _ in range(tasks):
                nursery.start_soon(deposit)

    return main


async def sleeping_together() -> None:
    """The services of `programs`, all of which wake at the same times: thousands of orders."""
    lock = trio.Lock()

    async def service() -> None:
        for _ in range(programs.SLEEPS):
            await trio.sleep(1)
            async with lock:
                pass

    async with trio.open_nursery() as nursery:
        for _ in range(programs.SERVICES):
            nursery.start_soon(service)


CONTENDERS: tuple[tuple[str, Main, int, float | None], ...] = (
    ("3 services × 5 sleeps, one lock", programs.services, 256, 1.8),
    ("the same, all awake at once", sleeping_together, 3_000, None),
    ("3 tasks × 6 steps on one cell", deposits(3, 3), 3_000, 1.3),
)
"""Name, program, executions at most, and the ratio to the trio loop that the design asks for."""
CURVE = (1_000, 10_000, 100_000)
"""Executions of the lost update of six tasks, which has 518,400 orders."""


def main() -> None:
    """Measure as the arguments say, and print."""
    parser = argparse.ArgumentParser(description="Measures dpor against plain trio; read ratios, not figures.")
    parser.add_argument("--quick", action="store_true", help="a few seconds, only to see that it runs")
    parser.add_argument("--point", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.point is not None:
        print(json.dumps(point(asked.point)))
        return
    print("| program | `trio.run` loop | `dpor` | probes | orders | at least | |")
    print("|---|---|---|---|---|---|---|")
    for name, program, executions, least in CONTENDERS:
        print(contender_line(name, program, 20 if asked.quick else executions, least, rounds=1 if asked.quick else 7))
    print("\n| executions | each | peak memory |\n|---|---|---|", flush=True)
    before: dict[str, float] = {"executions": 0, "seconds": 0.0}
    for executions in CURVE[:1] if asked.quick else CURVE:
        found = in_process(executions)
        each = (found["seconds"] - before["seconds"]) / (executions - before["executions"])
        first = int(before["executions"]) + 1
        print(f"| {first:,} to {executions:,} | {each * 1e6:,.0f} µs | {found['memory_mb']:.1f} MB |", flush=True)
        before = found


def contender_line(name: str, program: Main, executions: int, least: float | None, *, rounds: int) -> str:
    """One row of the table: the best of some rounds in which both take turns."""
    result = racewindow.explore(program, strategy="dpor", schedules=executions, all_failures=True, shrink=False)
    trio_best = dpor_best = 0.0
    for _ in range(rounds):
        runs = max(executions // 4, 10)
        started = time.process_time()
        measure.trio_loop(program, runs)
        trio_best = max(trio_best, runs / (time.process_time() - started))
        started = time.process_time()
        result = racewindow.explore(program, strategy="dpor", schedules=executions, all_failures=True, shrink=False)
        dpor_best = max(dpor_best, result.executions / (time.process_time() - started))
    ratio = dpor_best / trio_best
    orders = f"{result.executions:,}" + ("" if result.complete else " of more")
    wanted = "" if least is None else f"{least:.1f} × | {'met' if ratio >= least else '**missed**'}"
    return (
        f"| {name} | {trio_best:,.0f}/s | {dpor_best:,.0f}/s ({ratio:.2f} ×) | {result.probes:,} | {orders} "
        f"| {wanted or ' |'} |"
    )


def point(executions: int) -> dict[str, Any]:
    """One long exploration: CPU seconds, and the most memory that the process has held."""
    racewindow.explore(deposits(6, 1), strategy="dpor", schedules=10, shrink=False)
    started = time.process_time()
    result = racewindow.explore(deposits(6, 1), strategy="dpor", schedules=executions, shrink=False)
    assert (result.executions, result.redundant) == (executions, 0)
    return {
        "executions": executions,
        "seconds": time.process_time() - started,
        "memory_mb": measure.peak_memory_mb(),
    }


def in_process(executions: int) -> dict[str, float]:
    """The same in a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--point", str(executions)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # this script
    found: dict[str, float] = json.loads(answer.stdout)
    return found


if __name__ == "__main__":
    main()
