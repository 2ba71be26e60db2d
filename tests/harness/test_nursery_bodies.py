"""The body of a nursery runs beside its children: what it does last can come before they end, and after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow import Cell

OPERATIONS = st.one_of(
    st.just(("step", 0)),
    st.tuples(st.just("sleep"), st.integers(1, 2)),
    st.tuples(st.just("read"), st.integers(0, 1)),
    st.tuples(st.just("write"), st.integers(0, 1)),
)
SOME = st.lists(OPERATIONS, max_size=3)
Operations = list[tuple[str, int]]


def program(body: Operations, children: list[Operations], after: Operations) -> Callable[[], Awaitable[None]]:
    """A nursery with a body and children, and what comes after it."""

    async def main() -> None:
        cells = [Cell(0, name=f"cell{n}") for n in range(2)]
        last = Cell(0, name="last")

        async def run(operations: Operations, own: int) -> None:
            for kind, number in operations:
                if kind == "step":
                    await trio.lowlevel.checkpoint()
                elif kind == "sleep":
                    await trio.sleep(number)
                elif kind == "read":
                    last.set(cells[number].get() * 10 + own)
                else:
                    cells[number].set(own)

        async with trio.open_nursery() as nursery:
            for own, operations in enumerate(children, 2):
                nursery.start_soon(run, operations, own)
            await run(body, 1)
        await run(after, 1)
        msg = f"{[cell.get() for cell in cells]} {last.get()}"
        raise AssertionError(msg)

    return main


def outcomes(main: Callable[[], Awaitable[None]], strategy: str, clock: str) -> tuple[int | None, bool]:
    """How many distinct orders there are."""
    result = racewindow.explore(
        main, strategy=strategy, clock=clock, all_failures=True, footprints=True, shrink=False, schedules=1_500
    )
    assert not result.untrusted
    assert result.redundant == 0
    return result.distinct_traces, result.complete


@pytest.mark.slow
@pytest.mark.parametrize("clock", ["idle", "racing"])
@given(SOME, st.lists(SOME, min_size=1, max_size=2), st.lists(OPERATIONS, max_size=1))
def test_dpor_shows_every_order_of_a_body_and_its_children(
    clock: str, body: Operations, children: list[Operations], after: Operations
) -> None:
    main = program(body, children, after)
    orders, whole = outcomes(main, "dfs", clock)
    if whole:
        assert outcomes(main, "dpor", clock) == (orders, True)


def test_what_a_body_reads_last_may_come_before_its_child_has_written() -> None:
    """Also if by default the child comes first, and its nursery ends in the very step that reads."""
    main = program([("sleep", 1), ("read", 0)], [[("sleep", 1), ("write", 0)]], [])
    assert outcomes(main, "dpor", "idle") == outcomes(main, "dfs", "idle") == (2, True)
