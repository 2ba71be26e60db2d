"""The optimal reduction of random small programs under ordering constraints: the laws of `test_strategy_dpor_programs`.

A gate is state like any other, so a search that is sound without constraints is sound with them, and shows each trace
once: that is what a fix that is called proved rests on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from racewindow import session
from racewindow.constraints import ENDS, STARTS, STEP, Before, Moment
from racewindow.runtime.execution import Environment, run_once
from racewindow.runtime.gates import put_gates
from racewindow.runtime.location import Locator
from racewindow.runtime.runner import SimRunner
from tests.harness import dpor_oracle
from tests.harness.dpor_oracle import TooManyOrdersError, expected, faults
from tests.harness.small_programs import FAMILIES, SHARED, WAITS, aimed, small_programs
from tests.strategies import Checkpoint, Program, Update

pytestmark = pytest.mark.slow

CLOCKS = ["idle", "racing"]
EXAMPLES = settings().max_examples
slow_to_draw = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], max_examples=EXAMPLES * 3 // 5
)
TASKS = st.sampled_from(["main/0", "main/1", "main/2"])
FIRST = st.builds(Moment, TASKS, st.sampled_from([STARTS, ENDS])) | st.builds(
    Moment, TASKS, st.just(STEP), st.just(""), st.integers(0, 4)
)
THEN = st.builds(Moment, TASKS, st.just(STEP), st.just(""), st.integers(0, 4))
CONSTRAINTS = st.lists(
    st.tuples(FIRST, THEN).filter(lambda pair: pair[0].task != pair[1].task).map(lambda pair: Before(*pair)),
    min_size=1,
    max_size=2,
)


@pytest.fixture(scope="module", autouse=True)
def _environment() -> Iterator[None]:
    """As there."""
    with Environment(footprints=True):
        yield


@contextmanager
def gated(constraints: Sequence[Before]) -> Iterator[None]:
    """While every execution, of the search as of the oracle, is under these constraints."""

    def run(*args: Any, **options: Any) -> Any:
        start = options.pop("on_start", None)

        def started(runner: SimRunner) -> None:
            if start is not None:
                start(runner)
            put_gates(runner, constraints, Locator())

        return run_once(*args, on_start=started, **options)

    with mock.patch.object(dpor_oracle, "run_once", run), mock.patch.object(session, "run_once", run):
        yield


def judge(program: Program, constraints: Sequence[Before], clock: str) -> None:
    """The laws, for one program under constraints."""
    try:
        with gated(constraints):
            wrong = faults(program, clock=clock)
    except TooManyOrdersError:
        assume(False)  # rare: sizes are estimated
    assert not wrong, "\n".join(wrong)


@settings(slow_to_draw)
@given(data=st.data(), family=st.sampled_from(sorted(SHARED)), constraints=CONSTRAINTS)
def test_programs_of_tracked_state_are_reduced_to_their_traces(
    data: st.DataObject, family: str, constraints: list[Before]
) -> None:
    """Reads, writes, compare and set, `until`, locks that leak, choices."""
    judge(data.draw(small_programs(SHARED[family], 60)), constraints, "idle")


@pytest.mark.parametrize("clock", CLOCKS)
@settings(slow_to_draw)
@given(data=st.data(), family=st.sampled_from(sorted(FAMILIES)), constraints=CONSTRAINTS)
def test_programs_of_trios_primitives_are_reduced_to_their_traces(
    data: st.DataObject, clock: str, family: str, constraints: list[Before]
) -> None:
    """A task may be held back with a lock in its hand, or with the time-out of a scope at its heels."""
    judge(data.draw(small_programs(FAMILIES[family], 60, racing=clock == "racing")), constraints, clock)


@pytest.mark.parametrize("clock", CLOCKS)
@settings(slow_to_draw)
@given(data=st.data(), kind=st.sampled_from(sorted(WAITS)), constraints=CONSTRAINTS)
def test_a_wait_that_is_ended_and_cancelled_is_reduced_to_its_traces(
    data: st.DataObject, clock: str, kind: str, constraints: list[Before]
) -> None:
    """One that is woken, or cancelled, may come to a gate with what it was sent."""
    judge(data.draw(aimed(kind, 60, racing=clock == "racing")), constraints, clock)


def test_a_constraint_leaves_the_orders_that_keep_it() -> None:
    """Of the two orders of two updates one is left, and each of its steps is where it was."""
    program = Program(((Update(0), Checkpoint()), (Update(0),)))
    free = expected(program, clock="idle")
    with gated([Before(Moment("main/1", ENDS), Moment("main/0", STARTS))]):
        held = expected(program, clock="idle")

    assert len({order.outcome for order in free}) == 2
    assert len({order.outcome for order in held}) == 1
    assert {order.outcome for order in held} < {order.outcome for order in free}
