"""The table of pages in a browser: what a browser builds does not grow with the number of steps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.browser.tab import CHROMIUM

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: the pages were not tried in a browser"),
]


def test_it_prints_a_column_for_each_page() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "pages.py"), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    figures = {row[0]: row[1:] for row in rows if len(row) == 4}

    assert {"kB", "elements", "interactive", "drawn", "first filter", "table opened"} < set(figures)
    ratios = [float(cell.partition("(")[2].partition(" ")[0]) for cell in figures["elements"][1:]]
    assert max(ratios) < 1.5
