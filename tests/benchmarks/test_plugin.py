"""The benchmark of the pytest plugin runs, and measures what it says; how fast it is is nobody's test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "plugin.py"


@pytest.mark.slow
def test_it_measures_both_sides(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, SCRIPT, "--rounds", "1"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stderr
    assert "| without the plugin |" in ran.stdout and "| with the plugin |" in ran.stdout
    assert "at most 30 ms is asked for" in ran.stdout
    assert list(tmp_path.iterdir()) == []
