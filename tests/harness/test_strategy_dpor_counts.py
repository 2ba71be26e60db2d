"""Optimal DPOR runs every trace of a program exactly once: counted against the literature, program by program.

The corpus and its numbers are those of `benchmarks/corpus`: published by the authors of other model checkers, or found
by enumerators that are not part of this project. What is small enough is counted here as well, without any reduction.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import trio

import racewindow
from tests.harness.classes import enumerate_orders, outcomes

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from corpus import PROGRAMS, Program

COUNTED = [each for each in PROGRAMS.values() if each.traces is not None]
LARGE_TRACES = 1_000
"""From here on a program takes a second and more."""
SHUFFLED = {"lockinc(4)", "event(3)"}
"""Few orders of accesses, but of all steps thousands: each task begins with one that touches nothing."""
BY_HAND = [each for each in COUNTED if each.interleavings and each.interleavings <= 100 and each.name not in SHUFFLED]


@pytest.mark.parametrize("program", BY_HAND, ids=repr)
def test_the_corpus_is_what_its_numbers_say(program: Program) -> None:
    """Without reduction: orders of accesses, those that fail, and the traces that they fall into.

    A step that touches nothing of the program's is no access: the start of a task that begins by waiting.
    """
    executions = enumerate_orders(program.function)
    orders: dict[tuple[object, ...], str] = {}
    for execution in executions:
        shared = [step for step in execution.trace.steps if any(":" not in access.key for access in step.accesses)]
        orders[tuple((step.task, step.choices) for step in shared)] = execution.outcome
    ends_of_orders, ends_of_traces = list(orders.values()), list(outcomes(executions).values())

    assert (len(ends_of_orders), _failing(ends_of_orders)) == (program.interleavings, program.failing_interleavings)
    assert (len(ends_of_traces), _failing(ends_of_traces)) == (program.traces, program.failing)
    assert set(ends_of_traces) <= {"ok", program.ending}
    assert ends_of_traces.count("deadlock") == program.deadlocks


def _failing(endings: list[str]) -> int:
    """How many did not end well."""
    return len(endings) - endings.count("ok")


@pytest.mark.parametrize(
    "program",
    [pytest.param(p, marks=pytest.mark.slow) if p.traces and p.traces >= LARGE_TRACES else p for p in COUNTED],
    ids=repr,
)
def test_every_trace_is_run_once(program: Program) -> None:
    """No trace is missed, none is run twice, none is begun in vain, and every failure among them is seen."""
    result = racewindow.explore(program.function, strategy="dpor", all_failures=True)

    assert (result.executions, result.failing, result.redundant) == (program.traces, program.failing, 0)
    assert result.distinct_traces == program.traces
    assert result.complete
    assert result.verdict == ("failure" if program.failing else "complete")
    assert {failure.kind: failure.count for failure in result.failures} == (
        {program.ending: program.failing} if program.failing else {}
    )


async def waits_for_either() -> None:
    """The waiter goes on without a look at `done` if `count` is enough: then it does not depend on who writes that."""
    count, done = racewindow.Cell(0, name="count"), racewindow.Cell(False, name="done")

    async def reset_and_add() -> None:
        await trio.lowlevel.checkpoint()
        done.set(False)
        await trio.lowlevel.checkpoint()
        count.update(lambda number: number + 1)

    async def add() -> None:
        await trio.lowlevel.checkpoint()
        count.update(lambda number: number + 1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(reset_and_add)
        nursery.start_soon(add)
        nursery.start_soon(racewindow.until, lambda: count.get() == 1 or done.get())


def test_a_wait_that_looks_at_less_when_it_is_reversed_races_with_less() -> None:
    """Reversed, the two steps commute: what follows has been found behind the first of them."""
    result = racewindow.explore(waits_for_either, strategy="dpor", all_failures=True)
    assert (result.complete, result.executions, result.redundant) == (True, 4, 0)
