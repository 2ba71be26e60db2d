"""One schedule, one execution: in every process, under every hash seed, on every Python."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import trio

import racewindow
from tests.harness import digests, outcome_programs

ROOT = Path(__file__).parents[2]
PYTHONS = "RACEWINDOW_TEST_PYTHONS"
"""Environment variable: interpreters that have the dependencies, separated as in PATH. Default: those in .venvs."""


def further_pythons() -> list[str]:
    """Other interpreters with the same trio."""
    named = os.environ.get(PYTHONS)
    if named is not None:
        return [path for path in named.split(os.pathsep) if path]
    return sorted(str(path) for path in ROOT.glob(".venvs/3.*/bin/python"))


def run(python: str, hash_seed: str, *arguments: str) -> list[str]:
    """The lines that `digests.py` prints in a fresh process."""
    package = Path(racewindow.__file__).parent.parent
    roots = [ROOT, package, ROOT / "models", ROOT / "faults"]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))},
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": os.pathsep.join(map(str, roots)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [python, "-m", "tests.harness.digests", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@cache
def here(seeds: int) -> list[str]:
    """The same lines from this process, which has run other things before."""
    return list(digests.lines(seeds))


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_digests_and_messages_do_not_depend_on_the_process_or_its_hash_seed(hash_seed: str) -> None:
    """Not on addresses, not on the order of sets, not on what else has been run."""
    assert run(sys.executable, hash_seed, "3") == here(3)


@pytest.mark.slow
def test_digests_and_messages_are_the_same_on_every_python() -> None:
    """A failure found on one can be replayed on another."""
    for python in further_pythons():
        assert run(python, "random", "6") == here(6), python


@pytest.mark.seeds(sample=2, all=30)
def test_twenty_replays_are_identical(seed: int) -> None:
    """Whatever was explored in between."""
    result = racewindow.explore(outcome_programs.stuck_everywhere, seed=seed, schedules=20, strategy="random")
    (failure,) = result.failures
    replays = []
    for other in range(20):
        racewindow.explore(outcome_programs.selling, seed=other, schedules=3, strategy="random")
        replays.append(racewindow.replay(outcome_programs.stuck_everywhere, failure.schedule))

    assert {(each.digest, each.outcome, each.steps) for each in replays} == {
        (failure.digest, "deadlock", len(failure.trace))
    }
    assert {each.failures[0].message for each in replays} == {failure.message}


@pytest.mark.seeds(sample=2, all=30)
def test_the_same_seed_explores_the_same_executions(seed: int) -> None:
    """Counts, failures and the executions that showed them are functions of the seed."""
    results = [
        racewindow.explore(outcome_programs.selling, seed=seed, schedules=100, all_failures=True, strategy="random")
        for _ in range(2)
    ]
    facts = [
        (r.executions, r.failing, r.steps, [(f.message, f.execution, f.count, f.digest) for f in r.failures])
        for r in results
    ]

    assert facts[0] == facts[1]


def test_an_execution_can_be_run_alone_from_its_seed_and_number() -> None:
    """The failure of execution n is that of the first execution with the n-th walk of the same seed."""
    result = racewindow.explore(outcome_programs.selling, seed=11, schedules=200, strategy="random")
    (failure,) = result.failures
    again = racewindow.explore(outcome_programs.selling, seed=11, schedules=failure.execution + 1, strategy="random")

    assert again.executions == failure.execution + 1
    assert again.failures[0].digest == failure.digest


def test_a_step_limit_that_is_reached_does_not_change_what_came_before() -> None:
    """A livelock's trace is the beginning of the longer one."""
    short, long = (
        racewindow.explore(outcome_programs.spinning, seed=2, step_limit=limit, strategy="random")
        .failures[0]
        .trace.steps
        for limit in (100, 300)
    )

    assert short == long[:100]


def test_a_place_in_a_comprehension_is_called_by_its_function() -> None:
    """Which Python up to 3.11 makes a function of its own."""

    async def main() -> None:
        [await trio.lowlevel.checkpoint() for _ in range(2)]  # type: ignore[func-returns-value]

    steps = racewindow.replay(main, racewindow.Schedule()).trace.steps
    assert {step.location.partition(" ")[2] for step in steps[:2]} == {
        "test_a_place_in_a_comprehension_is_called_by_its_function.main"
    }
