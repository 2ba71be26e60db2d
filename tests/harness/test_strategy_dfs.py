"""Depth-first search runs every interleaving exactly once: counted against numbers computed outside this project.

The programs and their numbers of interleavings are those of the literature on partial-order reduction (one access per
step, a lock is `until` free and take in one step). They are what a reduction will have to be compared with.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from math import comb, factorial

import pytest
import trio

import racewindow
from racewindow import Cell, UsageError, until

Operation = Callable[[], Awaitable[None] | None]


async def together(sim: racewindow.Simulation, *tasks: Sequence[Operation]) -> None:
    """Run tasks of one access per step beside each other; each access is an event that says whose it was."""

    async def body(number: int, operations: Sequence[Operation]) -> None:
        for position, operation in enumerate(operations):
            if position and not hasattr(operation, "waits"):
                await trio.lowlevel.checkpoint()
            result = operation()
            if result is not None:
                await result
            sim.emit("access", of=number)

    for number, operations in enumerate(tasks):
        sim.spawn(body, number, operations, name=f"task{number}")


def lock(cell: Cell[bool]) -> Operation:
    """Wait until the lock is free and take it, as one step."""

    async def take() -> None:
        await until(lambda: not cell.get())
        cell.set(True)

    take.waits = True  # type: ignore[attr-defined]  # `until` is its own scheduling point
    return take


def wait_for(cell: Cell[bool]) -> Operation:
    """Wait until the flag is set."""

    async def wait() -> None:
        await until(cell.get)

    wait.waits = True  # type: ignore[attr-defined]
    return wait


def unlock(cell: Cell[bool]) -> Operation:
    """Give the lock back."""
    return lambda: cell.set(False)


def flag(name: str) -> Cell[bool]:
    """A lock or flag, at first off."""
    return Cell(False, name=name)


def write(cell: Cell[int], value: int) -> Operation:
    """A blind write."""
    return lambda: cell.set(value)


def read(cell: Cell[int]) -> Operation:
    """A read."""

    def look() -> None:
        cell.get()

    return look


def add_one(cell: Cell[int]) -> Operation:
    """A read and write in one step."""

    def change() -> None:
        cell.update(lambda value: value + 1)

    return change


async def lost_update(tasks: int) -> int:
    """Tasks that read a number, and in another step write one more; what is left in the end."""
    x = Cell(0, name="x")

    async def add() -> None:
        seen = x.get()
        await trio.lowlevel.checkpoint()
        x.set(seen + 1)

    async with trio.open_nursery() as nursery:
        for _ in range(tasks):
            nursery.start_soon(add)
    return x.get()


Program = Callable[[racewindow.Simulation], Awaitable[None]]


def interleavings(program: Program) -> tuple[int, int]:
    """How many orders of accesses there are, and how many of them deadlock, in an exploration to exhaustion.

    A task that begins by waiting has a first step without an access, so there are more executions than orders.
    """
    orders: dict[bool, set[tuple[int, ...]]] = {True: set(), False: set()}

    @racewindow.checker("collect")
    def collect(history: racewindow.History) -> racewindow.Verdict:
        orders[history.finished].add(tuple(event.data["of"] for event in history.events))
        return racewindow.Verdict.holds()

    result = racewindow.explore(racewindow.scenario(checks=[collect])(program), strategy="dfs", all_failures=True)

    assert result.complete
    assert {failure.kind for failure in result.failures} <= {"deadlock"}
    return len(orders[True]) + len(orders[False]), len(orders[False])


@pytest.mark.parametrize("count", [2, 3, 4])
def test_blind_writers_have_a_factorial_number_of_orders(count: int) -> None:
    """N writers of one cell: N!."""

    async def program(sim: racewindow.Simulation) -> None:
        x = Cell(0, name="x")
        await together(sim, *([write(x, i)] for i in range(count)))

    assert interleavings(program) == (factorial(count), 0)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_one_writer_among_readers(count: int) -> None:
    """A writer and N readers: (N + 1)! orders."""

    async def program(sim: racewindow.Simulation) -> None:
        x = Cell(0, name="x")
        await together(sim, [write(x, 1)], *([read(x)] for _ in range(count)))

    assert interleavings(program) == (factorial(count + 1), 0)


@pytest.mark.parametrize(("tasks", "orders", "right"), [(2, 6, 2), (3, 90, 6)])
def test_the_lost_update_is_right_only_when_nobody_overlaps(tasks: int, orders: int, right: int) -> None:
    """N tasks that read, then write one more: all but N! of the orders lose an update, and each is run once."""

    async def program() -> None:
        assert await lost_update(tasks) == tasks

    result = racewindow.explore(program, strategy="dfs", all_failures=True)

    assert (result.executions, result.failing, result.complete) == (orders, orders - right, True)


@pytest.mark.parametrize(("count", "orders"), [(2, 6), (3, 90)])
def test_store_buffering_in_a_ring(count: int, orders: int) -> None:
    """Task i writes its own cell and reads its neighbour's."""

    async def program(sim: racewindow.Simulation) -> None:
        v = [Cell(0, name=f"v{i}") for i in range(count)]
        await together(sim, *([write(v[i], 1), read(v[(i + 1) % count])] for i in range(count)))

    assert interleavings(program) == (orders, 0)


@pytest.mark.parametrize("sections", [1, 2])
def test_critical_sections_of_two_tasks_shuffle_whole(sections: int) -> None:
    """Two tasks of K critical sections each: C(2K, K), because nobody gets in between."""

    async def program(sim: racewindow.Simulation) -> None:
        m, x = flag("m"), Cell(0, name="x")
        task = [lock(m), add_one(x), unlock(m)] * sections
        await together(sim, task, task)

    assert interleavings(program) == (comb(2 * sections, sections), 0)


@pytest.mark.parametrize("count", [2, 3])
def test_a_leaked_lock_deadlocks_whoever_comes_second(count: int) -> None:
    """N tasks that lock and never unlock: N orders, all of them deadlocks."""

    async def program(sim: racewindow.Simulation) -> None:
        m, x = flag("m"), Cell(0, name="x")
        await together(sim, *([lock(m), read(x), write(x, 1)] for _ in range(count)))

    assert interleavings(program) == (count, count)


def test_locks_taken_crosswise_deadlock_in_two_of_six() -> None:
    """ABBA: four orders end well, two deadlock; with the locks in the same order there are two, and none does."""

    async def crosswise(sim: racewindow.Simulation) -> None:
        a, b, c = flag("a"), flag("b"), Cell(0, name="c")
        one = [lock(a), lock(b), add_one(c), unlock(b), unlock(a)]
        await together(sim, one, [lock(b), lock(a), add_one(c), unlock(a), unlock(b)])

    async def in_order(sim: racewindow.Simulation) -> None:
        a, b, c = flag("a"), flag("b"), Cell(0, name="c")
        task = [lock(a), lock(b), add_one(c), unlock(b), unlock(a)]
        await together(sim, task, task)

    assert interleavings(crosswise) == (6, 2)
    assert interleavings(in_order) == (2, 0)


@pytest.mark.parametrize(("count", "orders", "deadlocks"), [(2, 6, 2), (3, 168, 6)])
def test_dining_philosophers_starve_in_a_factorial_number_of_ways(count: int, orders: int, deadlocks: int) -> None:
    """Each takes the left fork, then the right one: N! of the orders deadlock."""

    async def program(sim: racewindow.Simulation) -> None:
        forks = [flag(f"fork{i}") for i in range(count)]
        pairs = [(forks[i], forks[(i + 1) % count]) for i in range(count)]
        await together(sim, *([lock(a), lock(b), unlock(b), unlock(a)] for a, b in pairs))

    assert interleavings(program) == (orders, deadlocks)


@pytest.mark.parametrize(("waiters", "orders"), [(2, 6), (3, 90)])
def test_waiters_of_a_flag_run_after_it_in_any_order(waiters: int, orders: int) -> None:
    """One task sets a flag, N wait for it and read: nobody runs before it is set."""

    async def program(sim: racewindow.Simulation) -> None:
        f, x = flag("f"), Cell(0, name="x")
        await together(sim, [lambda: f.set(True)], *([wait_for(f), read(x)] for _ in range(waiters)))

    assert interleavings(program) == (orders, 0)


def test_value_choices_are_branches() -> None:
    """Three values, then two: six executions, one for each pair."""
    pairs = set()

    async def program() -> None:
        first = racewindow.choose([1, 2, 3])
        await trio.lowlevel.checkpoint()
        pairs.add((first, racewindow.choose("ab")))

    assert racewindow.explore(program, strategy="dfs").executions == 6
    assert len(pairs) == 6


def test_a_preemption_bound_is_complete_within_itself_and_says_what_it_left_out() -> None:
    """More preemptions show more orders, the loss of an update needs one, and only the whole tree is complete."""

    async def program() -> None:
        assert await lost_update(2) == 2

    found = {
        bound: racewindow.explore(program, strategy="dfs", preemptions=bound, all_failures=True)
        for bound in (0, 1, 2, 3)
    }

    assert [(r.executions, r.failing) for r in found.values()] == [(2, 0), (4, 2), (6, 4), (6, 4)]
    assert [r.complete for r in found.values()] == [False, False, True, True]
    assert [r.bounds["preemptions"].reached for r in found.values()] == [True, True, False, False]
    assert found[0].verdict == "nothing found"


def test_orders_with_fewer_preemptions_come_first() -> None:
    """So the first failure found has the smallest number of preemptions that there is."""

    async def program() -> None:
        assert await lost_update(3) > 1

    failure = racewindow.explore(program, strategy="dfs", preemptions=4).failures[0]

    assert racewindow.explore(program, strategy="dfs", preemptions=0).verdict == "nothing found"
    assert racewindow.explore(program, strategy="dfs", preemptions=1).failures[0].schedule == failure.schedule


def test_a_budget_that_ends_one_run_early_takes_back_complete() -> None:
    """Five of six interleavings are not all of them."""

    async def program() -> None:
        await lost_update(2)

    assert not racewindow.explore(program, strategy="dfs", schedules=5).complete
    assert racewindow.explore(program, strategy="dfs", schedules=7).complete


def test_a_step_limit_that_cuts_a_branch_takes_back_complete() -> None:
    """A task that spins for one value of a choice: the others are run, and nothing is proved."""

    async def program() -> None:
        while racewindow.choose([False, True]):
            await trio.lowlevel.checkpoint()

    result = racewindow.explore(program, strategy="dfs", step_limit=20, all_failures=True)

    assert not result.complete
    assert [failure.kind for failure in result.failures] == ["livelock"]


def test_preemptions_make_sense_with_dfs_only() -> None:
    """Any other strategy would leave out orders without saying which."""

    async def program() -> None:
        pass

    with pytest.raises(UsageError, match="random cannot be bounded by preemptions"):
        racewindow.explore(program, strategy="random", preemptions=2)
    with pytest.raises(UsageError, match="cannot be -1"):
        racewindow.explore(program, strategy="dfs", preemptions=-1)
