"""The benchmark of the proof runs; how fast anything is is nobody's test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


def test_it_prints_a_line_for_each_program_and_each_length(tmp_path: Path) -> None:
    """Each with a ratio, and memory that a small machine has."""
    command = [sys.executable, str(ROOT / "benchmarks" / "reduction.py"), "--quick"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert sum(" ×) | " in line for line in lines) == 3
    assert sum(line.startswith("| 1 to 1,000 |") and line.endswith(" MB |") for line in lines) == 1
