"""Whatever runs a program whose result no order can change gives the same result: `trio.run`, `run`, `explore`.

`confluent.py` makes the programs: MockClock, Sequencer, `wait_all_tasks_blocked`, streams, channels, timeouts, moved
deadlines, nested cancellation, shields, locks and limiters, threads, async generators, `start()`, exception groups. The
result says what every task saw, at which time, and how it ended.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import trio
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

import racewindow
from tests.fidelity import confluent
from tests.fidelity.confluent import Op, Program, as_function, lone_programs, operations, programs, thread_programs

SEEDS = st.integers(0, 1 << 16)
SEMANTICS = ["trio", "processes"]


def jumping() -> MockClock:
    """A clock that jumps when everybody sleeps."""
    return MockClock(autojump_threshold=0)


def result_of(run: Callable[..., Any], program: Program, **options: Any) -> object:
    """What one run of the program leaves."""
    results: list[object] = []
    run(as_function(program, results), **options)
    (result,) = results
    return result


def explored(program: Program, **options: Any) -> list[object]:
    """What each execution of an exploration leaves, the recorded ones that it compares among them."""
    results: list[object] = []
    found = racewindow.explore(as_function(program, results), schedules=3, **options, strategy="random")
    assert found.verdict == "nothing found", found
    assert len(results) > found.executions, "one execution is run again, on the record"
    return results


@pytest.mark.parametrize("semantics", SEMANTICS)
@given(program=programs(), seed=SEEDS)
def test_a_program_that_no_order_can_change_gives_trios_result(semantics: str, program: Program, seed: int) -> None:
    expected = result_of(trio.run, program, clock=jumping())
    assert result_of(trio.run, program, clock=jumping()) == expected, "this program races, the test is wrong"

    run = partial(racewindow.run, semantics=semantics)
    assert result_of(run, program, seed=seed) == expected
    assert result_of(run, program, seed=seed, clock=jumping()) == expected
    for result in explored(program, semantics=semantics, seed=seed):
        assert result == expected


@pytest.mark.parametrize("semantics", SEMANTICS)
@given(program=lone_programs(), seed=SEEDS)
def test_what_ends_at_the_same_instant_ends_as_under_trio(semantics: str, program: Program, seed: int) -> None:
    """A sleep and the scopes around it, several scopes, a deadline that is moved to now or into the past."""
    expected = result_of(trio.run, program, clock=jumping())

    assert result_of(racewindow.run, program, semantics=semantics, seed=seed) == expected
    assert result_of(racewindow.run, program, semantics=semantics, seed=seed, clock=jumping()) == expected
    for result in explored(program, semantics=semantics, seed=seed):
        assert result == expected


@pytest.mark.parametrize("semantics", SEMANTICS)
@given(program=thread_programs(), seed=SEEDS)
def test_a_program_with_threads_gives_trios_result(semantics: str, program: Program, seed: int) -> None:
    """A function that runs inline returns, raises, and calls back as in a real thread."""
    expected = result_of(trio.run, program, clock=MockClock())  # one that stands, as virtual time does here

    assert result_of(racewindow.run, program, semantics=semantics, seed=seed) == expected
    for result in explored(program, semantics=semantics, seed=seed):
        assert result == expected


def test_the_programs_have_every_operation_in_them() -> None:
    """An operation that is not generated is not compared."""
    missing = set(Op.__subclasses__())

    @settings(max_examples=200, phases=[Phase.generate], derandomize=True, database=None)
    @given(programs(), thread_programs())
    def look(one: Program, other: Program) -> None:
        missing.difference_update(map(type, [*operations(one), *operations(other)]))

    look()

    assert missing == set()


def test_no_two_timers_of_a_program_end_at_the_same_time() -> None:
    """All of them in one task: the sums of their durations are exact, so each is told from all others."""
    program = Program((tuple(confluent.Nap() for _ in range(confluent.TIMERS_MAX)),))
    durations = sorted(program.durations().values())

    assert durations == [2.0**power for power in range(confluent.TIMERS_MAX)]
    assert sum(durations) + 0.5 == 2.0**confluent.TIMERS_MAX - 0.5
