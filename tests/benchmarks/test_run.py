"""The benchmarks run, and measure what they say; how fast anything is is nobody's test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = {"trio", "explore", "footprints"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What `run.py --quick` prints and writes."""
    file = tmp_path_factory.mktemp("benchmarks") / "figures.json"
    command: list[str | Path] = [sys.executable, ROOT / "benchmarks" / "run.py", "--quick", "--json", file]
    done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return done.stdout, figures


def test_every_program_runs_in_every_column(quick: tuple[str, dict[str, Any]]) -> None:
    """And fails exactly where it should: a lost update that is looked for is sometimes lost, nothing else fails."""
    _, figures = quick

    assert len(figures["programs"]) == 5
    for row in figures["programs"]:
        assert set(row["per_second"]) == COLUMNS | {"run"}
        assert all(speed > 0 for speed in row["per_second"].values()), row["name"]
        if row["name"] == "lost update, failures kept":
            assert row["failing"]["trio"] == 1.0  # trio's tasks take a step each in turn
            assert 0 < row["failing"]["explore"] < 1
            assert 0 < row["failing"]["footprints"] < 1
        else:
            assert set(row["failing"].values()) == {0.0}, row["name"]


def test_scenario_runs_under_plain_trio_and_explored(quick: tuple[str, dict[str, Any]]) -> None:
    """Its checkers object in both, and the shares of the packages are shares."""
    _, figures = quick
    paradex = figures["paradex"]

    assert set(paradex["per_second"]) == COLUMNS
    assert all(share > 0 for share in paradex["failing"].values())
    for shares in paradex["shares"].values():
        assert {"the models", "trio", "racewindow"} <= set(shares)
        assert sum(shares.values()) == pytest.approx(1)


def test_other_processes_are_measured(quick: tuple[str, dict[str, Any]]) -> None:
    """Cost and memory of longer explorations, and the start of the command line."""
    _, figures = quick

    for points in figures["curve"].values():
        assert [point["executions"] for point in points] == [1, 100, 1_000]
        assert all(point["memory_mb"] > 0 for point in points)
    assert all(times["wall_ms"] > 0 for times in figures["start_up"].values())


def test_output_names_no_machine(quick: tuple[str, dict[str, Any]]) -> None:
    """It is kept in the README of the benchmarks: no path, no host."""
    text, figures = quick

    assert str(ROOT) not in text + json.dumps(figures)
    assert text.startswith(figures["machine"])
