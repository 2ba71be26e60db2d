"""`until`: enabled exactly while the predicate holds, one step with what follows, and cancelled like any wait."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow import Cell, TrackedDict, until
from tests.harness.executions import WAYS, Tap, Way, session, walk
from tests.strategies import ON_CELLS, Cancel, MoveOn, Program, as_function, programs


@given(
    programs({*ON_CELLS, Cancel, MoveOn}),
    st.integers(0, 1 << 16),
    st.sampled_from(WAYS),
    st.sampled_from(["run", "record"]),
)
def test_a_lock_made_of_until_excludes(program: Program, seed: int, way: Way, how: str) -> None:
    """Whatever else happens, cancellations included: who has been let in finds what he waited for."""
    with session(as_function(program), **way) as running:
        picker: Any = walk(seed)
        findings = running.run(picker).judged.findings if how == "run" else running.record(picker).failures

    assert {finding.kind for finding in findings} <= {"deadlock"}


@pytest.mark.parametrize("way", WAYS)
def test_waiting_and_taking_are_one_step(way: Way) -> None:
    """Between the predicate and what the task does next nobody comes, in any order."""

    async def main() -> None:
        free, holders = Cell(True), Cell(0)

        async def worker() -> None:
            await until(free.get)
            assert free.get()
            free.set(False)
            assert holders.update(lambda count: count + 1) == 1
            await trio.lowlevel.checkpoint()
            holders.update(lambda count: count - 1)
            free.set(True)

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(worker)

    result = racewindow.explore(main, schedules=200, **way, strategy="random")

    assert result.verdict == "nothing found", result.failures


def _offers(main: Callable[[], Any], way: Way, seed: int) -> list[tuple[int, frozenset[str]]]:
    tap = Tap(walk(seed))
    with session(main, **way) as running:
        assert running.record(tap).failure is None
    return sorted(tap.offered.items())


def test_a_task_is_offered_exactly_while_its_predicate_holds() -> None:
    """True, false and true again: it is a candidate, is not, and is."""
    states: dict[int, bool] = {}
    waits: list[int] = []

    def steps_so_far() -> int:
        task: Any = trio.lowlevel.current_task()
        serial: int = task._runner.step_serial
        return serial

    async def main() -> None:
        flag = Cell(False)

        async def waiter() -> None:
            waits.append(steps_so_far())
            await until(flag.get)
            waits.append(steps_so_far())
            assert flag.get()

        async def switch() -> None:
            for state in (True, False, True, False, True):
                flag.set(state)
                states[steps_so_far() + 1] = state
                await trio.lowlevel.checkpoint()

        async def bystander() -> None:  # so that there is always something to decide
            for _ in range(9):
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(waiter)
            nursery.start_soon(switch)
            nursery.start_soon(bystander)

    compared = set()
    for seed in range(20):
        states.clear()
        waits.clear()
        offers = dict(_offers(main, {}, seed))
        for serial, state in states.items():
            if serial in offers and waits[0] < serial <= waits[1]:
                assert ("main/0" in offers[serial]) == state
                compared.add(state)
    assert compared == {True, False}


@pytest.mark.parametrize("way", WAYS)
def test_a_task_in_until_can_be_cancelled_by_another_in_the_same_batch(way: Way) -> None:
    """It may have been about to step: it steps once, with the cancellation."""

    async def main() -> None:
        open_, scope = Cell(True), trio.CancelScope()
        ended = []

        async def waiter() -> None:
            with scope:
                await until(open_.get)
                ended.append("let in")
            ended.append("out")

        async def canceller() -> None:
            await trio.lowlevel.checkpoint()
            scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(waiter)
            nursery.start_soon(canceller)
        assert ended in (["let in", "out"], ["out"])

    result = racewindow.explore(main, schedules=100, **way, strategy="random")

    assert result.verdict == "nothing found", result.failures


@pytest.mark.parametrize("clock", ["idle", "racing"])
def test_until_times_out(clock: str) -> None:
    """A deadline around it strikes as around any wait; nobody is left behind as a waiter."""

    async def main() -> None:
        never = Cell(False)
        with trio.move_on_after(5) as scope:
            await until(never.get)
        assert scope.cancelled_caught
        assert trio.current_time() == 5
        task: Any = trio.lowlevel.current_task()
        assert task._runner.waiting == []
        await trio.lowlevel.checkpoint()

    result = racewindow.explore(main, schedules=20, clock=clock, strategy="random")

    assert result.verdict == "nothing found", result.failures


def test_until_is_always_a_scheduling_point() -> None:
    """Even if the predicate holds at once, others may come first."""
    orders = set()

    async def main() -> None:
        order: list[str] = []

        async def worker(name: str) -> None:
            await until(lambda: True)
            order.append(name)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(worker, "a")
            nursery.start_soon(worker, "b")
        orders.add("".join(order))

    racewindow.explore(main, schedules=50, strategy="random")

    assert orders == {"ab", "ba"}


def test_an_exception_of_the_predicate_is_raised_by_until() -> None:
    """In the task's own step, where it can be caught."""

    async def main() -> None:
        prices: TrackedDict[str, int] = TrackedDict(name="prices")
        with pytest.raises(KeyError, match="BTC"):
            await until(lambda: prices["BTC"] > 0)

        async def publish() -> None:
            prices["ETH"] = 1
            await trio.lowlevel.checkpoint()
            prices["ETH"] = 0

        prices["ETH"] = 0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(publish)
            with pytest.raises(ZeroDivisionError):
                await until(lambda: prices["ETH"] and 1 // 0)

    def outcomes(way: Way) -> set[str]:
        return {
            failure.kind
            for failure in racewindow.explore(main, schedules=50, all_failures=True, **way, strategy="random").failures
        }

    assert [outcomes(way) for way in WAYS] == [{"deadlock"}] * 4  # where the 1 came and went unseen


def test_nobody_may_wait_outside_of_tasks() -> None:
    """As with any trio function."""
    with pytest.raises(RuntimeError, match=r"racewindow\.until must be called from async context"):
        until(lambda: True).send(None)


@pytest.mark.parametrize("how", ["run", "record"])
def test_the_predicate_is_asked_again_only_after_a_write(how: str) -> None:
    """Steps that write nothing tracked cost a waiting task nothing."""
    asked: list[int] = []

    async def main(steps_count: int) -> None:
        asked.append(0)
        flag = Cell(False)

        def predicate() -> bool:
            asked[-1] += 1
            return flag.get()

        async def waiter() -> None:
            await until(predicate)

        async def busy() -> None:
            for _ in range(steps_count):
                flag.get()
                await trio.lowlevel.checkpoint()
            flag.set(True)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(waiter)
            nursery.start_soon(busy)

    for steps_count in (5, 500):
        with session(partial(main, steps_count), footprints=how == "record") as running:
            for seed in range(3):
                picker: Any = walk(seed)
                running.run(picker) if how == "run" else running.record(picker)

    assert max(asked) <= 4


def test_the_reads_of_the_predicate_open_the_step_that_is_let_in() -> None:
    """And they are in no other step's footprint, though the loop asks the predicate between steps."""

    async def main() -> None:
        flag = Cell(0, name="flag")

        async def waiter() -> None:
            await until(lambda: flag.get() == 1)
            await trio.lowlevel.checkpoint()

        async def other() -> None:
            await trio.lowlevel.checkpoint()
            await trio.lowlevel.checkpoint()
            flag.set(1)
            await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(waiter)
            nursery.start_soon(other)

    with session(main) as running:
        for seed in range(10):
            steps = running.record(walk(seed)).trace.steps
            touching = [(step.task, step.number, a.mode) for step in steps for a in step.accesses if a.key == "flag"]
            assert touching == [("main/1", 2, "write"), ("main/0", 1, "read")]


def test_until_under_plain_trio_waits_for_the_same_thing() -> None:
    """It polls, at checkpoints, so that the program also runs in production."""

    async def main() -> list[int]:
        counter = Cell(0)
        seen = []

        async def count() -> None:
            for _ in range(5):
                await trio.lowlevel.checkpoint()
                counter.update(lambda value: value + 1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(count)
            await until(lambda: counter.get() >= 3)
            seen.append(counter.get())
        return seen

    assert trio.run(main)[0] >= 3
    with pytest.raises(trio.TooSlowError):
        trio.run(_too_slow)


async def _too_slow() -> None:
    with trio.fail_after(0.01):
        await until(lambda: False)
