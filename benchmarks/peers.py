"""Other Python tools that explore interleavings, on the same programs: `python benchmarks/peers.py [--quick]`.

Prints the tables of `README.md`, which says how to install the tools. None of them is needed for anything else: what is
not installed is left out, with a line that says so. The programs are in `peer_programs.py`, how each tool is asked in
`peer_tools.py`.
"""

from __future__ import annotations

import argparse
import gc
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import measure
from measure import Effort
from peer_programs import EXHAUSTIVE, SPEED, Program
from peer_tools import TOOLS, Tool, UnableError
from run import machine
from strategies import table


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to run: effort of the speeds, executions at most to the end, the programs of both tables."""

    effort: Effort
    executions: int
    speed: tuple[Program, ...]
    whole: tuple[Program, ...]


QUICK = Plan(Effort(0.01, 1), 300, SPEED[:1], EXHAUSTIVE[:1])
NORMAL = Plan(Effort(0.3, 7), 6_000, SPEED, EXHAUSTIVE)


def main() -> None:
    """Run as the arguments say, and print."""
    parser = argparse.ArgumentParser(description="Runs other tools on the same programs; read ratios, not figures.")
    parser.add_argument("--quick", action="store_true", help="a few seconds, only to see that everything runs")
    plan = QUICK if parser.parse_args().quick else NORMAL

    print(machine(), end="\n\n")
    here = [tool for tool in TOOLS if installed(tool)]
    print()
    gc.freeze()  # some tools collect garbage after each execution: what other modules hold is not theirs to search
    columns = [f"{tool.name}: {column}" for tool in here for column in tool.speeds]
    table(("program", *columns), (speeds(program, here, plan) for program in plan.speed))
    whole = [tool for tool in here if tool.whole is not None]
    table(("program", *(tool.name for tool in whole)), (to_the_end(program, whole, plan) for program in plan.whole))


def installed(tool: Tool) -> bool:
    """Whether there is such a tool; prints its version, or that it is left out."""
    version = tool.version
    print(f"- {tool.name}: {version or 'not installed, left out'}")
    return version is not None


# --- the tables ------------------------------------------------------------------------------------------------------


def speeds(program: Program, tools: Iterable[Tool], plan: Plan) -> list[str]:
    """Executions per second of CPU time of the best round; `-` where a tool cannot run the program."""
    entries = {(tool.name, way): partial(_counted, run, program) for tool in tools for way, run in tool.speeds.items()}
    able = {"".join(names): run for names, run in entries.items() if _is_able(run)}
    found = measure.race(able, plan.effort)
    cells = (found.get("".join(names)) for names in entries)
    return [program.name, *(f"{speed.per_second:,.0f}" if speed else "-" for speed in cells)]


def _counted(run: Callable[[Program, int], object], program: Program, executions: int) -> int:
    """So many executions, none of which fails."""
    run(program, executions)
    return 0


def _is_able(run: Callable[[int], int]) -> bool:
    try:
        run(10)
    except UnableError:
        return False
    return True


def to_the_end(program: Program, tools: Iterable[Tool], plan: Plan) -> list[str]:
    """Executions, and seconds of CPU time, those of child processes among them."""
    return [program.name, *(_whole(program, tool, plan.executions) for tool in tools)]


def _whole(program: Program, tool: Tool, limit: int) -> str:
    assert tool.whole is not None
    if tool.of_cells and not program.accesses:
        return ""
    gc.collect()
    gc.freeze()  # nor is what the others have left behind
    started = sum(os.times()[:4])
    end = tool.whole(program, limit)
    spent = sum(os.times()[:4]) - started
    count = f"{end.executions:,}" if end.complete else f"> {end.executions:,}"
    return f"{count}{end.words} ({spent:.2f} s)"


if __name__ == "__main__":
    main()
