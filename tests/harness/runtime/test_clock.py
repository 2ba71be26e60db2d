"""Virtual time: when it passes, what it wakes, and what only a racing clock can do."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from racewindow.schedule import CLOCK
from tests.harness.executions import Script, Tap, session, taken, walk
from tests.strategies import ON_CELLS, Program, Sleep, as_function, programs


def _all_orders(main: Callable[[list[str]], object], *, clock: str, seeds: int = 100, **settings: str) -> set[str]:
    """What the program noted, in each of the orders that some random executions took."""
    found: set[str] = set()
    noted: list[str] = []
    with session(partial(main, noted), footprints=False, clock=clock, **settings) as running:  # type: ignore[arg-type]
        for seed in range(seeds):
            noted.clear()
            assert running.run(walk(seed)).judged.findings == ()
            found.add(" ".join(noted))
    return found


async def _timeout_against_work(noted: list[str]) -> None:
    async def work() -> None:
        for _ in range(3):
            await trio.lowlevel.checkpoint()
        noted.append("work")

    async def timeout() -> None:
        await trio.sleep(1)
        noted.append("timeout")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)
        nursery.start_soon(timeout)


def test_under_an_idle_clock_time_passes_only_when_nothing_can_run() -> None:
    """Work that needs no time is done before a timeout, in every order."""
    assert _all_orders(_timeout_against_work, clock="idle") == {"work timeout"}


@pytest.mark.parametrize("semantics", ["processes", "trio"])
def test_a_racing_clock_reaches_orders_that_an_idle_one_cannot(semantics: str) -> None:
    """A task may be arbitrarily slow: its timeout may come first."""
    found = _all_orders(_timeout_against_work, clock="racing", semantics=semantics)

    assert found == {"work timeout", "timeout work"}


@pytest.mark.parametrize("clock", ["idle", "racing"])
def test_deadlines_strike_in_their_order(clock: str) -> None:
    """However slow the tasks are, an earlier deadline passes first; who acts on it first is another matter."""

    async def main(noted: list[str]) -> None:
        async def sleeper(seconds: int) -> None:
            await trio.sleep(seconds)
            noted.append(f"{trio.current_time():g}>={seconds}")
            assert trio.current_time() >= seconds

        async with trio.open_nursery() as nursery:
            for seconds in (3, 1, 2):
                nursery.start_soon(sleeper, seconds)

    found = _all_orders(main, clock=clock)

    if clock == "idle":
        assert found == {"1>=1 2>=2 3>=3"}
    else:
        assert len(found) > 3
        assert "3>=3 3>=1 3>=2" in found  # all deadlines passed before anyone acted


@given(programs(ON_CELLS | {Sleep}), st.integers(0, 1 << 16), st.sampled_from(["idle", "racing"]))
def test_time_never_goes_back(program: Program, seed: int, clock: str) -> None:
    """From step to step the clock stands still or moves forward, and it is the same for all tasks."""
    with session(as_function(program), clock=clock) as running:
        execution = running.record(walk(seed))

    times = [step.time_ns for step in execution.trace.steps]
    assert times == sorted(times)


def test_equal_deadlines_strike_together_and_may_be_acted_on_in_any_order() -> None:
    """What one instant wakes is runnable at once."""

    async def main(noted: list[str]) -> None:
        async def sleeper(name: str) -> None:
            await trio.sleep(1)
            noted.append(name)

        async with trio.open_nursery() as nursery:
            for name in "abc":
                nursery.start_soon(sleeper, name)

    assert len(_all_orders(main, clock="idle")) == 6


def test_a_racing_clock_counts_its_advances_since_the_last_step() -> None:
    """Two advances in a row are two decisions at the same place, told apart by their number."""

    async def main() -> None:
        async def sleeper(seconds: int) -> None:
            await trio.sleep(seconds)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleeper, 1)
            nursery.start_soon(sleeper, 2)
            await trio.lowlevel.checkpoint()
            await trio.lowlevel.checkpoint()

    tap = Tap(Script(["main/0", "main/1", CLOCK, CLOCK, "main"]))
    with session(main, clock="racing") as running:
        execution, schedule = taken(running, tap)
        again = running.replay(schedule)

    assert execution.outcome == "ok"
    assert again.digest == execution.digest
    assert [each.index for each in schedule.deviations if each.option == CLOCK] == [0, 1]
    assert [place for place, option in tap.taken.items() if option == CLOCK] == [(3, 0), (3, 1)]


def test_an_hour_takes_no_time() -> None:
    """A sleep costs what a step costs."""

    async def main() -> None:
        await trio.sleep(3600)
        assert trio.current_time() == 3600
        assert time.monotonic() == 1_000_000 + 3600

    with session(main) as running:
        execution = running.record(walk(0))

    assert execution.outcome == "ok"
    assert execution.trace.steps[-1].time_ns == 3600 * 10**9


def test_a_blocking_sleep_makes_deadlines_strike_before_the_next_step() -> None:
    """`time.sleep` stops everybody; what is overdue afterwards is overdue for all."""

    async def main(noted: list[str]) -> None:
        async def patient() -> None:
            with trio.move_on_after(1):
                await trio.sleep_forever()
            noted.append("timeout")

        async def blocking() -> None:
            await trio.lowlevel.checkpoint()
            time.sleep(2)
            noted.append("slept")
            await trio.lowlevel.checkpoint()
            noted.append("went on")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(patient)
            nursery.start_soon(blocking)

    assert _all_orders(main, clock="idle") == {"slept timeout went on", "slept went on timeout"}


def test_a_deadline_moved_into_the_past_strikes_before_the_next_step() -> None:
    """Nobody can come between a scope's deadline being moved into the past and its cancellation."""

    async def main(noted: list[str]) -> None:
        scope, entered = trio.CancelScope(), trio.Event()

        async def waiting() -> None:
            with scope:
                entered.set()
                await trio.sleep_forever()
            noted.append("cancelled")

        async def setter() -> None:
            await entered.wait()
            scope.deadline = trio.current_time() - 1
            await trio.lowlevel.checkpoint()
            noted.append(f"{scope._cancel_called}")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(waiting)
            nursery.start_soon(setter)

    assert _all_orders(main, clock="idle") == {"True cancelled", "cancelled True"}


def test_wait_all_tasks_blocked_waits_for_idleness_and_not_for_time() -> None:
    """It wakes when nothing else can run, before the clock moves."""

    async def main(noted: list[str]) -> None:
        async def worker() -> None:
            for _ in range(3):
                await trio.lowlevel.checkpoint()
            noted.append("idle soon")
            await trio.sleep(1)
            noted.append("slept")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(worker)
            await trio.testing.wait_all_tasks_blocked()
            noted.append("all blocked")

    assert _all_orders(main, clock="idle") == {"idle soon all blocked slept"}
