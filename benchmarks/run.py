"""The benchmarks, one command: `make bench`, or `python benchmarks/run.py [--quick|--long] [--json FILE]`.

Prints Markdown; `README.md` beside this file holds the figures of record and says how to read them. A measurement that
takes no side: the same program, unchanged, in every column.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

import measure
from measure import Effort, Speed
from programs import PROGRAMS, Program
from racewindow_models.scenarios.paradex import paradex
from window import plain_window

HERE = Path(__file__).resolve().parent
HELP_SECONDS_MAX = 0.25


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to run: the effort of the tables, the executions of the curve, how often other processes are started."""

    effort: Effort
    curve: tuple[int, ...]
    starts: int
    profiled: int


PLANS = {
    "quick": Plan(Effort(0.02, 1), (1, 100, 1_000), 1, 50),
    "normal": Plan(Effort(0.25, 7), (1, 100, 1_000, 10_000), 7, 500),
    "long": Plan(Effort(0.5, 15), (1, 100, 1_000, 10_000, 100_000), 9, 2_000),
}


def main() -> None:
    """Measure as the arguments say, and print."""
    parser = argparse.ArgumentParser(description="Measures racewindow against plain trio; read ratios, not figures.")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a few seconds, only to see that everything runs")
    size.add_argument("--long", action="store_true", help="some ten minutes, with 100,000 executions")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all figures to FILE as well")
    asked = parser.parse_args()
    plan = PLANS["quick" if asked.quick else "long" if asked.long else "normal"]

    found: dict[str, Any] = {"machine": machine()}
    print(found["machine"], end="\n\n", flush=True)
    found["programs"] = [programs_row(program, plan.effort) for program in PROGRAMS]
    print_programs(found["programs"])
    found["paradex"] = measure_paradex(plan)
    print_paradex(found["paradex"])
    found["curve"] = {PROGRAMS[number].name: measure_curve(number, plan) for number in (1, 2)}
    print_curve(found["curve"])
    found["start_up"] = measure_start_up(plan)
    print_start_up(found["start_up"])
    if asked.json is not None:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def machine() -> str:
    """What the figures depend on, without the name of the machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    return (
        f"{processor}, {os.cpu_count()} cores, {platform.system()}; "
        f"{platform.python_implementation()} {platform.python_version()}, trio {trio.__version__}"
    )


# --- programs --------------------------------------------------------------------------------------------------------


def programs_row(program: Program, effort: Effort) -> dict[str, Any]:
    """One program in all columns."""
    return {"name": program.name, "least": program.least, "aim": program.aim, **row(program.main, None, effort)}


def row(target: Any, explored: Any, effort: Effort) -> dict[str, Any]:
    """Executions per second, ratios to the trio loop, and shares of failing executions, by column."""
    speeds: dict[str, Speed] = measure.race(measure.contenders(target, explored), effort)
    return {
        "per_second": {name: round(speed.per_second, 1) for name, speed in speeds.items()},
        "ratio": {name: round(speed.per_second / speeds["trio"].per_second, 2) for name, speed in speeds.items()},
        "failing": {name: round(speed.failing, 3) for name, speed in speeds.items()},
    }


def print_programs(rows: list[dict[str, Any]]) -> None:
    """Executions per second, and how many times those of the trio loop that is."""
    print("| program | `trio.run` loop | `explore` | with footprints | `racewindow.run` |")
    print("|---|---|---|---|---|")
    for each in rows:
        print(f"| {each['name']} | {cells(each, ('trio', 'explore', 'footprints', 'run'))} |")
    print()
    print("| target | at least | aim | here | |")
    print("|---|---|---|---|---|")
    for each in rows:
        for place, column in enumerate(("explore", "footprints")):
            least, aim = each["least"][place], each["aim"][place]
            if least is not None:
                words = f"`explore`, {each['name']}" + (", with footprints" if column == "footprints" else "")
                aim_text = "" if aim is None else f"{aim:.1f} ×"
                print(f"| {words} | {least:.1f} × | {aim_text} | {verdict(each['ratio'][column], least)} |")
    worst = min(rows, key=lambda each: each["ratio"]["run"])
    here = verdict(worst["ratio"]["run"], 1.0)
    print(f"| `racewindow.run`, {worst['name']} (its worst) | 1.0 × | 1.7 × | {here} |")
    print(flush=True)


def verdict(ratio: float, least: float) -> str:
    """The ratio, and whether it is enough."""
    return f"{ratio:.2f} × | {'met' if ratio >= least else '**missed**'}"


def cells(measured: dict[str, Any], columns: tuple[str, ...]) -> str:
    """The cells of one row."""
    texts = []
    for column in columns:
        ratio = "" if column == "trio" else f" ({measured['ratio'][column]:.2f} ×)"
        texts.append(f"{measured['per_second'][column]:,.0f}/s{ratio}")
    return " | ".join(texts)


# --- paradex ---------------------------------------------------------------------------------------------------------


def measure_paradex(plan: Plan) -> dict[str, Any]:
    """The scenario under plain trio and explored, and where the time of both goes."""
    plain = plain_window()
    contenders = measure.contenders(plain, paradex)
    return {
        **row(plain, paradex, plan.effort),
        "shares": {name: measure.shares(contenders[name], plan.profiled) for name in ("trio", "explore")},
    }


def print_paradex(found: dict[str, Any]) -> None:
    """Ratios, and the shares of the packages."""
    columns = ("trio", "explore", "footprints")
    print("| scenario | `trio.run` loop | `explore` | with footprints |")
    print("|---|---|---|---|")
    print(f"| `paradex`, checkers included | {cells(found, columns)} |")
    failing = " | ".join(f"{found['failing'][each]:.0%}" for each in columns)
    print(f"| executions that fail | {failing} |")
    print()
    print("| time of `paradex` spent in | `trio.run` loop | `explore` |")
    print("|---|---|---|")
    trio_loop, explored = found["shares"]["trio"], found["shares"]["explore"]
    for owner in sorted(explored | trio_loop, key=lambda owner: -explored.get(owner, 0)):
        print(f"| {owner} | {trio_loop.get(owner, 0):.0%} | {explored.get(owner, 0):.0%} |")
    print(flush=True)


# --- does it stay as fast and as small? ------------------------------------------------------------------------------


def measure_curve(number: int, plan: Plan) -> list[dict[str, float]]:
    """Cost and memory of longer and longer explorations, each in its own process.

    `each_us`: of the executions that an exploration has more than the one before, so that set-up is in the first only.
    """
    points: list[dict[str, float]] = []
    executions_before, seconds_before = 0, 0.0
    for executions in plan.curve:
        probes = [_probe(number, executions) for _ in range(max(1, plan.starts // 2))]
        seconds = min(probe["seconds"] for probe in probes)
        points.append(
            {
                "executions": executions,
                "each_us": (seconds - seconds_before) / (executions - executions_before) * 1_000_000,
                "memory_mb": min(probe["memory_mb"] for probe in probes),
            }
        )
        executions_before, seconds_before = executions, seconds
    return points


def _probe(number: int, executions: int) -> dict[str, float]:
    command = [sys.executable, str(HERE / "probe.py"), str(number), str(executions)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # our own script
    found: dict[str, float] = json.loads(answer.stdout)
    return found


def print_curve(found: dict[str, list[dict[str, float]]]) -> None:
    """One line per length, all programs beside one another."""
    print("| executions |" + "".join(f" {name}: each | peak memory |" for name in found))
    print("|---|" + "---|---|" * len(found))
    before = 0
    for points in zip(*found.values(), strict=True):
        last = int(points[0]["executions"])
        which = f"{before + 1:,} to {last:,}" if before else f"{last:,}, with the set-up"
        figures = " | ".join(f"{point['each_us']:,.0f} µs | {point['memory_mb']:.1f} MB" for point in points)
        print(f"| {which} | {figures} |")
        before = last
    print(flush=True)


# --- start-up --------------------------------------------------------------------------------------------------------


def measure_start_up(plan: Plan) -> dict[str, dict[str, float]]:
    """How long the command line takes to say what it can do."""
    racewindow = str(Path(sys.executable).parent / "racewindow")
    commands = {"python -c pass": [sys.executable, "-c", "pass"], "racewindow --help": [racewindow, "--help"]}
    found = {}
    for name, command in commands.items():
        cpu, wall = measure.start_up(command, plan.starts * 4)
        found[name] = {"cpu_ms": cpu * 1000, "wall_ms": wall * 1000}
    return found


def print_start_up(found: dict[str, dict[str, float]]) -> None:
    """Both commands and their ratio."""
    print("| start | CPU time | wall time |")
    print("|---|---|---|")
    for name, times in found.items():
        print(f"| `{name}` | {times['cpu_ms']:.0f} ms | {times['wall_ms']:.0f} ms |")
    python, ours = found["python -c pass"], found["racewindow --help"]
    ratios = [ours[kind] / python[kind] if python[kind] else 0.0 for kind in ("cpu_ms", "wall_ms")]
    print(f"| ratio | {ratios[0]:.1f} | {ratios[1]:.1f} |")
    print(f"\n`--help` has to answer within {HELP_SECONDS_MAX} s.")


if __name__ == "__main__":
    main()
