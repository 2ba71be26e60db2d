"""How small it gets: on the small programs of the corpus as small as an exhaustive search knows, on paradex nearly."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import racewindow
from racewindow_models.scenarios.paradex import paradex
from tests.harness.shrinkable import fewest_preemptions

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from corpus import PROGRAMS

pytestmark = pytest.mark.slow

FEWEST = {
    **dict.fromkeys(("leaked-lock(2)", "leaked-lock(3)", "leaked-lock(4)", "account"), 0),
    **dict.fromkeys(("crosswise", "dining(2)", "dining(3)", "dining(4)", "dining(5)"), 1),
    **dict.fromkeys(("lost-update(2,1)", "lost-update(3,1)", "lost-update(4,1)", "lost-update(2,3)"), 1),
    **dict.fromkeys(("reorder(1,1)", "reorder(2,1)", "reorder(3,1)", "reorder(4,1)", "bluetooth"), 1),
    **dict.fromkeys(("twostage(1,1)", "twostage(2,1)", "wronglock(1,1)", "wronglock(1,3)", "deadlock01"), 1),
    "lazy01": 0,
}
"""With how many preemptions a program fails at least."""
LARGE = ("reorder(9,1)", "reorder(19,1)", "twostage(9,1)", "wronglock(1,7)")
"""Those that cannot be searched in a test; one preemption is the smallest known."""


def test_every_program_that_fails_is_here() -> None:
    assert {*FEWEST, *LARGE} == {name for name, program in PROGRAMS.items() if program.failing != 0}


@pytest.mark.slow
@pytest.mark.parametrize("name", FEWEST)
def test_the_fewest_preemptions_are_known_by_running_all_there_is(name: str) -> None:
    assert fewest_preemptions(PROGRAMS[name].function, 2) == FEWEST[name]


def smallest(name: str, seed: int) -> racewindow.Size:
    """What the first failure of a random walk is shrunk to."""
    program = PROGRAMS[name]
    result = racewindow.explore(program.function, strategy="random", seed=seed, schedules=20_000)
    (failure,) = result.failures
    assert failure.kind == program.ending
    assert failure.shrunk is not None
    assert failure.shrunk.ended == ""
    assert failure.identity == failure.shrunk.original.identity
    return failure.shrunk.after


@pytest.mark.slow
@pytest.mark.seeds(sample=2, all=20)
@pytest.mark.parametrize("name", FEWEST)
def test_small_programs_come_down_to_the_fewest_preemptions(name: str, seed: int) -> None:
    assert smallest(name, seed).preemptions == FEWEST[name]


@pytest.mark.slow
@pytest.mark.seeds(sample=1, all=20)
@pytest.mark.parametrize("name", LARGE)
def test_large_programs_come_down_to_one_deviation(name: str, seed: int) -> None:
    assert smallest(name, seed)[:3] == (0, 1, 1)


@pytest.mark.seeds(sample=3, all=20)
def test_paradex_comes_down_to_three_deviations_or_fewer(seed: int) -> None:
    """Whatever it finds first, from a dozen; the false liquidation: a round of the new writer before it is ready."""
    result = racewindow.explore(paradex, strategy="random", seed=seed)
    for failure in result.failures:
        assert failure.shrunk is not None
        assert failure.shrunk.after.deviations <= 3
        if (failure.checker, failure.class_) == ("no_false_liquidation", "default"):
            assert failure.deviations == ("after step 0 of writer-2: writer-2.ticks goes first",)
