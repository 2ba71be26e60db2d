"""The comparison of strategies runs, and has a column for each; which of them is better is nobody's test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from racewindow.strategies import STRATEGIES, UNLIMITED

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tables() -> list[list[list[str]]]:
    """The tables that `strategies.py --quick` prints: rows of cells, the first of them the names of the columns."""
    command: list[str | Path] = [sys.executable, ROOT / "benchmarks" / "strategies.py", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout
    blocks = [block.splitlines() for block in done.stdout.split("\n\n") if block.startswith("|")]
    return [[row.strip("| ").split(" | ") for row in block if "---" not in row] for block in blocks]


def test_every_strategy_has_its_columns(tables: list[list[list[str]]]) -> None:
    """Those that end by themselves are run to the end, the others for their speed, and all until they fail."""
    until_failure, speed, whole = tables

    assert set(STRATEGIES) <= set(until_failure[0])
    assert set(speed[0][1:]) == set(STRATEGIES) - UNLIMITED - {"auto"}
    assert {column.partition(":")[0] for column in whole[0] if ":" in column} == UNLIMITED
    assert all(len(row) == len(table[0]) for table in tables for row in table)


def test_programs_are_run_to_their_end(tables: list[list[list[str]]]) -> None:
    """As many executions as there are traces, none of them in vain."""
    columns, *rows = tables[2]

    assert rows
    for row in rows:
        cells = dict(zip(columns, row, strict=True))
        assert cells["dpor: executions"] == cells["traces"]
        assert cells["dpor: redundant"] == "0"
