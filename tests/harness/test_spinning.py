"""The spin rule: a search parks a task that has looked twice and changed nothing, until what it has read is written."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import trio
from trio.lowlevel import checkpoint

import racewindow
from racewindow import Cell, Result
from racewindow.report import result_text

Program = Callable[[], Awaitable[None]]
NOTE = "a task spun: after two looks that changed nothing it was parked until something that it had read was written"


def dpor(program: Program, **options: Any) -> Result:
    """All orders; a loop that is not recognised ends at the step limit."""
    return racewindow.explore(program, strategy="dpor", all_failures=True, **{"step_limit": 200, **options})


def spins(result: Result) -> bool:
    """Whether the report says that a task was parked."""
    told = NOTE in " ".join(result_text(result).split())
    assert told == any(note.startswith(NOTE) for note in result.as_dict()["notes"])
    return told


def one_waits_for_a_flag(wait: Callable[[Cell[bool]], Awaitable[object]]) -> Program:
    """One task waits for a flag, and another raises it."""

    async def program() -> None:
        flag = Cell(False, name="flag")

        async def raise_flag() -> None:
            await checkpoint()
            flag.set(True)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, flag)
            nursery.start_soon(raise_flag)

    return program


# --- loops that are recognised ---------------------------------------------------------------------------------------


async def bare(flag: Cell[bool]) -> None:
    while not flag.get():
        await checkpoint()


async def without_end(flag: Cell[bool]) -> None:
    while True:
        if flag.get():
            return
        await checkpoint()


async def by_a_helper(flag: Cell[bool]) -> None:
    async def pause(until: Callable[[], bool]) -> None:
        if not until():
            await checkpoint()

    while not flag.get():
        await pause(lambda: False)


async def in_a_for(flag: Cell[bool]) -> None:
    for each in [flag, flag]:
        while not each.get():
            await checkpoint()


async def inside_a_nursery(flag: Cell[bool]) -> None:
    async with trio.open_nursery():
        while not flag.get():
            await checkpoint()


class Service:
    """Has state of its own, which the loop leaves as it is."""

    def __init__(self, flag: Cell[bool]) -> None:
        self.flag, self.log = flag, ["made"]

    async def run(self) -> None:
        """Spins."""
        while not self.flag.get():
            await checkpoint()


async def in_a_method(flag: Cell[bool]) -> None:
    await Service(flag).run()


@pytest.mark.parametrize("wait", [bare, without_end, by_a_helper, in_a_for, inside_a_nursery, in_a_method])
def test_a_task_that_spins_on_a_flag_has_three_orders(wait: Callable[[Cell[bool]], Awaitable[object]]) -> None:
    """The flag goes up before its first look, before its second, or after both: then it is parked until it is up."""
    result = dpor(one_waits_for_a_flag(wait))
    assert (result.complete, result.executions, result.redundant, result.failing) == (True, 3, 0, 0)
    assert result.distinct_traces == 3
    assert spins(result)


async def looks_twice_and_waits(flag: Cell[bool]) -> None:
    if not flag.get():
        await checkpoint()
        if not flag.get():
            await racewindow.until(flag.get)


def test_the_orders_are_those_of_two_looks_and_until() -> None:
    result = dpor(one_waits_for_a_flag(looks_twice_and_waits))
    assert (result.complete, result.executions) == (True, 3)
    assert not spins(result)


def test_the_portfolio_proves_a_program_that_spins() -> None:
    result = racewindow.explore(one_waits_for_a_flag(bare))
    assert result.verdict == "complete"
    assert spins(result)


def test_a_cancel_wakes_a_task_that_spins() -> None:
    async def cancelled() -> None:
        flag = Cell(False, name="flag")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bare, flag)
            await checkpoint()
            nursery.cancel_scope.cancel()

    result = dpor(cancelled)
    assert (result.complete, result.failing) == (True, 0)


def test_a_racing_clock_wakes_a_task_that_spins_on_the_time() -> None:
    async def timed() -> None:
        async def sleep() -> None:
            await trio.sleep(1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleep)
            while trio.current_time() < 1:
                await checkpoint()

    result = dpor(timed, clock="racing")
    assert (result.complete, result.failing) == (True, 0)
    assert spins(result)


# --- those that get on -----------------------------------------------------------------------------------------------


async def with_a_bound(flag: Cell[bool]) -> None:
    tries = 0
    while not flag.get() and tries < 4:
        tries += 1
        await checkpoint()


async def with_a_hidden_bound(flag: Cell[bool]) -> None:
    """All that changes is a value on the stack."""
    for _ in itertools.repeat(None, 4):
        if flag.get():
            break
        await checkpoint()


async def with_a_bound_of_a_helper(flag: Cell[bool]) -> None:
    tries = 0

    def may_go_on() -> bool:
        nonlocal tries
        tries += 1
        return tries < 5

    while not flag.get() and may_go_on():
        await checkpoint()


class Patient:
    """Counts where the loop does not."""

    def __init__(self) -> None:
        self.tries = [0]

    def may_go_on(self) -> bool:
        """Four times."""
        self.tries[0] += 1
        return self.tries[0] < 5


async def with_a_bound_of_an_object(flag: Cell[bool]) -> None:
    patient = Patient()
    while not flag.get() and patient.may_go_on():
        await checkpoint()


async def with_a_bound_that_cannot_be_seen(flag: Cell[bool]) -> None:
    numbers: Iterator[int] = itertools.count(1)
    while not flag.get() and next(numbers) < 5:
        await checkpoint()


async def with_random_patience(flag: Cell[bool]) -> None:
    import random

    while not flag.get() and random.random() < 0.75:
        await checkpoint()


BOUNDED = [
    with_a_bound,
    with_a_hidden_bound,
    with_a_bound_of_a_helper,
    with_a_bound_of_an_object,
    with_a_bound_that_cannot_be_seen,
]


@pytest.mark.parametrize("wait", BOUNDED)
def test_a_loop_with_a_bound_is_not_parked(wait: Callable[[Cell[bool]], Awaitable[object]]) -> None:
    """The flag goes up before one of its five looks, or after the last."""
    result = dpor(one_waits_for_a_flag(wait))
    looks = 4 if wait is with_a_hidden_bound else 5
    assert (result.complete, result.executions, result.redundant, result.failing) == (True, looks + 1, 0, 0)
    assert not spins(result)


def test_a_task_that_draws_numbers_gets_on() -> None:
    result = dpor(one_waits_for_a_flag(with_random_patience))
    assert result.complete
    assert not spins(result)


@pytest.mark.parametrize("act", ["event", "task", "value"])
def test_a_task_that_tells_or_starts_or_chooses_gets_on(act: str) -> None:
    async def program(sim: racewindow.Simulation) -> None:
        async def nothing() -> None:
            pass

        while True:
            if act == "event":
                sim.emit("tick")
            elif act == "task":
                sim.spawn(nothing)
            else:
                racewindow.choose([1, 2])
            await checkpoint()

    result = racewindow.explore(program, strategy="dpor", step_limit=30, schedules=3)
    assert [failure.kind for failure in result.failures] == ["livelock"]
    assert result.bounds["step_limit"].reached
    assert not spins(result)


# --- livelocks -------------------------------------------------------------------------------------------------------


async def each_waits_for_the_other() -> None:
    ready = [Cell(False, name="ready0"), Cell(False, name="ready1")]

    async def serve(own: int) -> None:
        while not ready[1 - own].get():
            await checkpoint()
        ready[own].set(True)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, 0, name="first")
        nursery.start_soon(serve, 1, name="second")


def test_two_tasks_that_spin_on_each_other_are_a_livelock_and_all_there_is() -> None:
    """Nothing was cut off: the limit belongs to the replay, which shows that it goes on for ever."""
    result = dpor(each_waits_for_the_other, step_limit=2_000)
    assert [failure.kind for failure in result.failures] == ["livelock"]
    assert (result.complete, result.executions, result.redundant) == (True, 1, 0)
    assert not result.bounds["step_limit"].reached
    assert spins(result)


def test_the_livelock_names_who_spins_what_it_looks_at_and_who_gets_no_turn() -> None:
    (failure,) = dpor(each_waits_for_the_other, step_limit=2_000).failures
    lines = failure.message.splitlines()
    assert lines[2].startswith("   1,000 × second at test_spinning.py:")
    assert lines[2].endswith(", looks at ready0")
    assert lines[3].startswith("  Meanwhile each_waits_for_the_other is in the end of a nursery")
    assert lines[4].startswith("  Meanwhile first is in trio.checkpoint at test_spinning.py:")


async def one_order_starves() -> None:
    """The waiter spins for ever if the flag has been up and down again before it looks."""
    flag = Cell(False, name="flag")

    async def blink() -> None:
        for value in (True, False):
            await checkpoint()
            flag.set(value)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(blink)
        nursery.start_soon(bare, flag)


def test_a_livelock_in_some_orders_is_found_and_counted_and_replays() -> None:
    result = dpor(one_order_starves)
    (failure,) = result.failures
    assert (failure.kind, result.complete, result.redundant, result.untrusted) == ("livelock", True, 0, "")
    assert 0 < failure.count == result.failing < result.executions
    again = racewindow.replay(one_order_starves, failure.schedule)
    assert (again.outcome, again.digest) == ("livelock", failure.digest)


def test_a_failure_behind_a_spin_replays_where_nobody_is_parked() -> None:
    async def program() -> None:
        flag = Cell(0, name="flag")

        async def wait() -> None:
            while not flag.get():
                await checkpoint()
            assert flag.get() == 2

        async def rise() -> None:
            for value in (1, 2):
                await checkpoint()
                flag.set(value)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            nursery.start_soon(rise)

    result = dpor(program)
    (failure,) = result.failures
    assert spins(result)
    again = racewindow.replay(program, failure.schedule)
    assert (again.outcome, again.digest) == ("violation", failure.digest)
