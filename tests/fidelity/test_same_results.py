"""Whatever runs a program whose result no order can change gives the same result: `trio.run`, `run`, `explore`.

`confluent.py` makes the programs. They cover `wait_all_tasks_blocked`, memory and lockstep streams, memory channels,
`move_on_after`, `fail_after`, moved deadlines, nested cancellation and shields, capacity limiters and the other locks,
`to_thread.run_sync`, async generators, `nursery.start()` and exception groups.
"""

from __future__ import annotations

import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

import racewindow
from tests.fidelity.confluent import Program, as_function, programs, thread_programs

SEEDS = st.integers(0, 1 << 16)


def under_trio(program: Program, clock: MockClock) -> object:
    """The result under plain trio."""
    results: list[object] = []
    trio.run(as_function(program, results), clock=clock)
    return results[0]


def under_racewindow(program: Program, seed: int) -> list[object]:
    """The results of one run under each semantics, and of a few explored executions."""
    results: list[object] = []
    main = as_function(program, results)
    racewindow.run(main, seed=seed)
    racewindow.run(main, seed=seed, semantics="processes")
    racewindow.run(main, seed=seed, clock=MockClock(autojump_threshold=0))
    result = racewindow.explore(main, schedules=3, seed=seed)
    assert result.verdict == "nothing found", result
    return results


@given(programs(), SEEDS)
def test_a_program_that_no_order_can_change_gives_trios_result(program: Program, seed: int) -> None:
    """The result says what every task saw, when, and how it ended."""
    expected = under_trio(program, MockClock(autojump_threshold=0))

    for result in under_racewindow(program, seed):
        assert result == expected


@given(thread_programs(), SEEDS)
def test_a_program_with_threads_gives_trios_result(program: Program, seed: int) -> None:
    """A thread that runs inline returns, raises, and calls back as a real one does."""
    expected = under_trio(program, MockClock())  # one that jumps would not wait for a real thread

    for result in under_racewindow(program, seed):
        assert result == expected
