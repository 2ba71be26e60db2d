"""The table of shrinking runs, and its programs end with the fewest preemptions that are known."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


def test_it_prints_a_row_for_each_program_and_strategy() -> None:
    """And what the scenario comes down to."""
    command = [sys.executable, str(ROOT / "benchmarks" / "shrinking.py"), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]

    columns, *cells = rows
    assert [(row[0], row[1]) for row in cells[:8]] == [
        (program, strategy)
        for program in ("crosswise", "reorder(1,1)")
        for strategy in ("random", "pct", "surw", "dpor")
    ]
    times = [int(row[1].split()[1]) for row in cells[8:]]
    assert sum(times) == 2 + 2 + 2 + 1
    assert all(len(row) == len(columns) for row in cells)
    for row in cells[:8]:
        assert row[3] == "1 (1)"
        assert row[-1].endswith(", 1 preemption by exhaustive search")
    for row in cells[8:]:
        assert row[0].startswith("paradex, ")
        assert row[4].startswith(("1 (", "2 (", "3 ("))
