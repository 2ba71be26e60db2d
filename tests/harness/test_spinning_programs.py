"""Any program that spins: parking loses no order and no outcome, and begins nothing in vain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.lowlevel import checkpoint

import racewindow
from racewindow import Cell, Result

Program = Callable[[], Awaitable[None]]
Op = tuple[str, Any, int]
CELLS, VALUES = 2, 3
ops = st.one_of(
    st.tuples(st.just("set"), st.integers(0, CELLS - 1), st.integers(0, VALUES - 1)),
    st.tuples(st.just("add"), st.integers(0, CELLS - 1), st.just(1)),
    st.tuples(st.just("wait"), st.sampled_from([(0,), (1,), (0, 1)]), st.integers(0, VALUES - 1)),
)
timed_ops = st.one_of(ops, ops, st.tuples(st.sampled_from(["sleep", "cancel"]), st.just(0), st.integers(1, 2)))


def programs_of(op: st.SearchStrategy[Op]) -> st.SearchStrategy[list[list[Op]]]:
    """Bodies of a few tasks."""
    return st.lists(st.lists(op, min_size=1, max_size=3), min_size=2, max_size=3)


def dpor(program: Program, **options: Any) -> Result:
    """All orders; a loop that is not recognised ends at the step limit."""
    return racewindow.explore(program, strategy="dpor", all_failures=True, step_limit=200, **options)


def as_program(bodies: list[list[Op]], outcomes: set[str], *, spin: bool) -> Program:
    """Tasks that sleep, cancel all, set, add to and wait for cells, which count how often they have been written."""

    async def program() -> None:
        cells = [Cell((0, 0), name=f"cell{number}") for number in range(CELLS)]
        ended: list[int] = []

        async def spin_for(keys: tuple[int, ...], value: int) -> None:
            while all(cells[key].get()[0] != value for key in keys):
                await checkpoint()

        async def wait_for(keys: tuple[int, ...], value: int) -> None:
            """Two looks, then one after each write to what the last one has read."""
            seen: dict[int, int] = {}

            def look() -> bool:
                seen.clear()
                for key in keys:
                    found, seen[key] = cells[key].get()
                    if found == value:
                        return True
                return False

            if look():
                return
            await checkpoint()
            while not look():
                await racewindow.until(lambda: any(cells[key].get()[1] != count for key, count in seen.items()))

        async def run(number: int, body: list[Op]) -> None:
            for kind, target, value in body:
                await checkpoint()
                if kind == "wait":
                    await (spin_for if spin else wait_for)(target, value)
                elif kind == "sleep":
                    await trio.sleep(value)
                elif kind == "cancel":
                    nursery.cancel_scope.cancel()
                else:
                    before, count = cells[target].get()
                    cells[target].set((value if kind == "set" else (before + 1) % VALUES, count + 1))
            ended.append(number)

        async with trio.open_nursery() as nursery:
            for number, body in enumerate(bodies):
                nursery.start_soon(run, number, body)
        outcomes.add(f"{sorted(ended)} {[cell.get() for cell in cells]}")

    return program


@pytest.mark.slow
@given(programs_of(ops))
def test_a_spinning_program_has_the_orders_of_one_that_waits_for_a_write(bodies: list[list[Op]]) -> None:
    """And the same outcomes; a livelock is what a deadlock is there."""
    waiting, spinning = set[str](), set[str]()
    expected = dpor(as_program(bodies, waiting, spin=False), schedules=300)
    if not expected.complete:
        return
    result = dpor(as_program(bodies, spinning, spin=True), schedules=600)
    assert (result.complete, result.redundant, result.untrusted) == (True, 0, "")
    assert result.executions == result.distinct_traces == expected.executions
    assert spinning == waiting
    assert [failure.count for failure in result.failures] == [failure.count for failure in expected.failures]


@pytest.mark.slow
@settings(max_examples=max(5, settings().max_examples // 4))
@given(programs_of(timed_ops))
def test_no_outcome_is_lost_by_parking_whoever_else_cancels_or_lets_time_pass(bodies: list[list[Op]]) -> None:
    """Random walks, which let tasks spin, end in nothing that the search has not seen."""
    searched, walked = set[str](), set[str]()
    result = dpor(as_program(bodies, searched, spin=True), clock="racing", schedules=600)
    walks = racewindow.explore(
        as_program(bodies, walked, spin=True),
        strategy="random",
        clock="racing",
        schedules=50,
        step_limit=200,
        all_failures=True,
    )
    assert (result.redundant, result.untrusted, walks.untrusted) == (0, "", "")
    if result.complete:
        assert walked <= searched
