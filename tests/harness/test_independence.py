"""Figures about chance need executions that do not depend on each other: which strategies have them, which do not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
import trio

import racewindow
from racewindow import Cell
from racewindow.statistics import INDEPENDENT_FROM
from racewindow.strategies import STRATEGIES, Options, make_strategy
from tests.harness.executions import Tap, session

LEARNING = ("pos", "surw", "fuzz")


async def branching() -> None:
    """Which steps there are depends on the order, so there is something to learn from each."""
    cells = [Cell(0) for _ in range(3)]

    async def task(mine: int) -> None:
        for turn in range(3):
            await trio.lowlevel.checkpoint()
            seen = cells[mine].get()
            await trio.lowlevel.checkpoint()
            cells[(mine + seen + turn) % 3].set(seen + 1)

    async with trio.open_nursery() as nursery:
        for mine in range(3):
            nursery.start_soon(task, mine)


def decisions(name: str, numbers: Iterable[int]) -> list[dict[tuple[int, int], str]]:
    """What executions of these numbers take, run in this order and no others before them."""
    strategy = make_strategy(name, Options(seed=4))
    all_taken = []
    with session(branching) as running:
        for number in numbers:
            picker = strategy.start(number)
            assert picker is not None
            tap: Any = Tap(picker)
            ran = running.run(tap, footprints=True, looks_ahead=strategy.looks_ahead)
            strategy.finished(ran.trail if strategy.looks_ahead else None, ran.raw.steps)
            all_taken.append(tap.taken)
    return all_taken


@pytest.mark.parametrize("name", INDEPENDENT_FROM)
def test_an_independent_execution_is_a_function_of_its_number(name: str) -> None:
    """Whatever was run in between: only the first ones, which are no samples, have a say."""
    start = INDEPENDENT_FROM[name]
    whole = decisions(name, range(40))

    for number in (start, 7, 39):
        assert decisions(name, [*range(start), number])[-1] == whole[number]
    assert len({str(taken) for taken in whole[start:]}) > 20


@pytest.mark.parametrize("name", LEARNING)
def test_an_execution_of_a_strategy_that_learns_depends_on_those_before(name: str) -> None:
    """So a bound that multiplies chances would be wrong, and none is given."""
    whole = decisions(name, range(40))

    assert any(decisions(name, [0, number])[-1] != whole[number] for number in range(2, 40))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_only_independent_executions_support_a_bound(strategy: str) -> None:
    result = racewindow.explore(branching, strategy=strategy, schedules=50, footprints=True)
    bound, samples = result.statistics["failure_chance_at_most"], result.statistics["independent_executions"]

    assert (result.executions, result.failing) == (50, 0)
    if strategy in INDEPENDENT_FROM:
        assert samples == 50 - INDEPENDENT_FROM[strategy]
        assert (1 - bound) ** samples == pytest.approx(0.05, rel=1e-4)
    else:
        assert (bound, samples, result.statistics["new_trace_chance"]) == (None, None, None)
        assert result.statistics["distinct_traces"] > 1
