"""The comparison with other tools runs without them; which of them is faster is nobody's test."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = {
    "detangle": "detangle",
    "simloom": "simloom",
    "simloop": "simloop",
    "frontrun": "frontrun",
    "interleave-test": "interleave_test",
    "ploom": "ploom",
}
"""The tools by the names of their packages, and the modules that they install."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def printed() -> str:
    command: list[str | Path] = [sys.executable, ROOT / "benchmarks" / "peers.py", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout
    return done.stdout


def test_a_tool_that_is_not_installed_is_left_out_and_named(printed: str) -> None:
    missing = [name for name, module in TOOLS.items() if importlib.util.find_spec(module) is None]

    for name in missing:
        assert f"- {name}: not installed, left out\n" in printed
        assert f"| {name}" not in printed
    assert "left out" in printed or not missing


def test_racewindow_is_always_measured(printed: str) -> None:
    speed, whole = (block.splitlines() for block in printed.split("\n\n") if block.startswith("|"))

    assert "racewindow: random | racewindow: dpor" in speed[0]
    assert len(speed) == 3
    assert whole[0].startswith("| program | racewindow")
    assert whole[2].startswith("| lost update, 2 × (R, W) | 4 (")
