"""The random walk is uniform: it finds a bug as often as an enumeration of the whole tree says that it should."""

from __future__ import annotations

import sys
from math import sqrt
from pathlib import Path

import pytest

import racewindow

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from corpus import PROGRAMS

SCHEDULES = 5_000


@pytest.mark.parametrize("name", ["reorder(1,1)", "reorder(2,1)", "reorder(3,1)", "bluetooth"])
def test_random_fails_as_often_as_a_uniform_walk_does(name: str) -> None:
    """Programs without locks, so that every step is one access; within four standard deviations."""
    program = PROGRAMS[name]
    assert program.chance is not None

    result = racewindow.explore(program.function, strategy="random", schedules=SCHEDULES, all_failures=True)

    deviation = sqrt(program.chance * (1 - program.chance) / SCHEDULES)
    assert result.failing / SCHEDULES == pytest.approx(program.chance, abs=4 * deviation)
