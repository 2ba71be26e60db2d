"""Programs whose traces have been counted: from the papers on partial-order reduction and the tests of other tools.

Under sequential consistency. The sources are named where a program has one: genmc and nidhugg are model checkers for C
with public test suites, Concuerror is one for Erlang, SCTBench a collection of C programs.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import comb, factorial

import racewindow
from corpus.parts import Main, Process, Program, Task, flag, straight, together
from racewindow import Cell

# --- straight lines --------------------------------------------------------------------------------------------------


def litmus() -> Iterator[Program]:
    """The litmus tests of memory models."""
    yield Program("SB", straight("w x; r y", "w y; r x"), 3, 6)
    yield Program("LB", straight("r x; w y", "r y; w x"), 3, 6)
    yield Program("MP", straight("w x; w y", "r y; r x"), 3, 6)
    yield Program("2+2W", straight("w x; w y", "w y; w x"), 3, 6)
    yield Program("WRC", straight("w x", "r x; w y", "r y; r x"), 7, 30)
    yield Program("IRIW", straight("w x", "w y", "r x; r y", "r y; r x"), 15, 180)
    yield Program("CoRR2", straight("w x", "w x", "r x; r x", "r x; r x"), 72, 180)
    for n, orders in zip(range(2, 7), (6, 90, 2_520, 113_400, 7_484_400), strict=True):
        yield Program(f"SB-ring({n})", straight(*(f"w v{i}; r v{(i + 1) % n}" for i in range(n))), 2**n - 1, orders)


def families() -> Iterator[Program]:
    """Reads and writes that grow with N (genmc, nidhugg, Concuerror)."""
    for n in (2, 3, 4, 6, 8, 13):
        yield Program(f"readers({n})", straight("w x", *["r x"] * n), 2**n, factorial(n + 1))
    for n in (2, 3, 4, 5, 6):
        yield Program(f"writers({n})", straight(*["w x"] * n), factorial(n), factorial(n))
        yield Program(f"writers-reader({n})", straight(*["w x"] * n, "r x"), factorial(n + 1), factorial(n + 1))
    for n in (2, 3, 4, 5, 7):
        yield Program(f"ainc({n})", straight(*["rmw x"] * n), factorial(n), factorial(n))
    for n, orders in ((2, 6), (3, 90), (4, 2_520)):
        yield Program(f"binc({n})", straight(*["rmw x; rmw y"] * n), factorial(n) ** 2, orders)
    for n, orders in ((2, 20), (3, 1_680), (4, 369_600)):
        yield Program(f"cinc({n})", straight(*["rmw x; rmw y; rmw z"] * n), factorial(n) ** 3, orders)


def locks() -> Iterator[Program]:
    """Critical sections, locks that are never given back, locks taken crosswise (nidhugg, SCTBench)."""
    section = "lock m; rmw x; unlock m"
    for n in (2, 3, 4, 5):
        program = straight(*["lock m; r x; w x; unlock m"] * n)
        yield Program(f"lockinc({n})", program, factorial(n), factorial(n))
    for n in (1, 2, 3, 4):
        program = straight("; ".join([section] * n), "; ".join([section] * n))
        yield Program(f"sections({n})", program, comb(2 * n, n), comb(2 * n, n))
    for n in (2, 3, 4):
        yield Program(f"leaked-lock({n})", straight(*["lock m; r x; w x"] * n), n, n, n, n, "deadlock")
    one, other = "lock a; lock b; rmw c; unlock b; unlock a", "lock b; lock a; rmw c; unlock a; unlock b"
    yield Program("crosswise", straight(one, other), 3, 6, 1, 2, "deadlock")
    yield Program("in-order", straight(one, one), 2, 2)
    for n, orders in ((2, 6), (3, 168), (4, 98_184), (5, 66_468_720)):
        forks = [(f"fork{i}", f"fork{(i + 1) % n}") for i in range(n)]
        program = straight(*(f"lock {a}; lock {b}; unlock {b}; unlock {a}" for a, b in forks))
        yield Program(f"dining({n})", program, 2**n - 1, orders, 1, factorial(n), "deadlock")
    for n, orders in ((2, 6), (3, 90), (4, 2_520)):
        yield Program(f"event({n})", straight("w f", *["await f; r x"] * n), 1, orders)


# --- with branches ---------------------------------------------------------------------------------------------------


def lost_update(tasks: int, increments: int) -> Main:
    """Tasks that add one so many times, each time by a read and a write; it fails when an addition is lost."""

    async def main() -> None:
        x = Cell(0, name="x")

        async def add(me: Process) -> None:
            for _ in range(increments):
                await me.write(x, await me.read(x) + 1)

        await together(*[add] * tasks)
        assert x.get() == tasks * increments

    return main


def last_zero(n: int) -> Main:
    """A reader looks for the last zero of an array, N tasks set a place each to one more than the place before it.

    Without wakeup trees a reduction begins runs here that come to nothing (Abdulla et al., POPL 2014).
    """

    async def main() -> None:
        array = [Cell(0, name=f"a{i}") for i in range(n + 1)]

        async def reader(me: Process) -> None:
            i = n
            while await me.read(array[i]) != 0:
                i -= 1

        def writer(j: int) -> Task:
            async def write(me: Process) -> None:
                await me.write(array[j], await me.read(array[j - 1]) + 1)

            return write

        await together(reader, *(writer(j) for j in range(1, n + 1)))

    return main


def compare_and_set_chain(n: int) -> Main:
    """Task i sets the cell from i - 1 to i; which of them succeed depends on the order (genmc, casrot)."""

    async def main() -> None:
        x = Cell(0, name="x")
        await together(*(lambda me, i=i: me.compare_and_set(x, i - 1, i) for i in range(1, n + 1)))

    return main


def compare_and_set_write(n: int) -> Main:
    """One of N tasks gets the cell from 0 to 1, then each writes its own value (genmc, casw)."""

    async def main() -> None:
        x = Cell(0, name="x")

        def task(i: int) -> Task:
            async def body(me: Process) -> None:
                await me.compare_and_set(x, 0, 1)
                await me.write(x, i + 3)

            return body

        await together(*map(task, range(n)))

    return main


def write_compare_and_set(n: int) -> Main:
    """A write that lets N others succeed, of which one does; the rest only read (genmc, wcas)."""

    async def main() -> None:
        x = Cell(0, name="x")
        await together(lambda me: me.write(x, 2), *[lambda me: me.compare_and_set(x, 2, 3)] * n)

    return main


def fibonacci(n: int) -> Main:
    """Two tasks add the cells i and j, one into i and the other into j, N times (SCTBench, fib_bench)."""

    async def main() -> None:
        i, j = Cell(1, name="i"), Cell(1, name="j")

        def task(target: Cell[int]) -> Task:
            async def body(me: Process) -> None:
                for _ in range(n):
                    await me.write(target, await me.read(i) + await me.read(j))

            return body

        await together(task(i), task(j))

    return main


def try_lock(n: int) -> Main:
    """N tasks enter a critical section if they get the lock at once, and one that waits for it."""

    async def main() -> None:
        m, x = flag("m"), Cell(0, name="x")

        async def attempt(me: Process) -> None:
            if await me.try_lock(m):
                await me.add(x)
                await me.unlock(m)

        async def insist(me: Process) -> None:
            await me.lock(m)
            await me.add(x)
            await me.unlock(m)

        await together(*[attempt] * n, insist)

    return main


async def popl_example() -> None:
    """The example by which the optimal algorithm was introduced (Abdulla et al., POPL 2014; Concuerror)."""
    x, y, z = (Cell(0, name=name) for name in "xyz")

    async def third(me: Process) -> None:
        if await me.read(y) == 0:
            await me.write(z, 1)

    async def fourth(me: Process) -> None:
        if await me.read(z) == 1 and await me.read(y) == 0:
            await me.write(x, 2)

    await together(lambda me: me.write(x, 1), lambda me: me.write(y, 1), third, fourth)


def mailbox(n: int) -> Main:
    """N tasks send one message each, one task receives N; sending and receiving depend on each other always."""

    async def main() -> None:
        queue: Cell[tuple[int, ...]] = Cell((), name="queue")

        def sender(i: int) -> Task:
            return lambda me: me.step(lambda: queue.update(lambda waiting: (*waiting, i)))

        async def receiver(me: Process) -> None:
            for _ in range(n):
                await me.wait(queue.get)
                queue.update(lambda waiting: waiting[1:])

        await together(*map(sender, range(n)), receiver)

    return main


def choice(values: int) -> Main:
    """A task writes one of so many values, and another reads it: each value in each order is a trace of its own."""

    async def main() -> None:
        x = Cell(0, name="x")
        await together(lambda me: me.step(lambda: x.set(racewindow.choose(range(values)))), lambda me: me.read(x))

    return main


def choosers(n: int) -> Main:
    """N tasks each choose one of two cells and write it, so that what a step touches depends on what it chooses.

    k tasks on the first cell and the others on the second have k! (n - k)! traces; over all choices that is (n + 1)!.
    """

    async def main() -> None:
        pair = [Cell(0, name=name) for name in "xy"]
        await together(*[lambda me: me.step(lambda: racewindow.choose(pair).set(1))] * n)

    return main


def branching() -> Iterator[Program]:
    """Those whose steps depend on what was read."""
    for tasks, increments, traces, orders in ((2, 1, 4, 6), (3, 1, 36, 90), (4, 1, 576, 2_520), (2, 3, 328, 924)):
        right = factorial(tasks * increments) // factorial(increments) ** tasks  # nobody comes between read and write
        main = lost_update(tasks, increments)
        name = f"lost-update({tasks},{increments})"
        yield Program(name, main, traces, orders, traces - right, orders - right, "violation")
    known = {1: 3, 2: 35, 3: 920, 4: 44_300, 5: 3_487_880, 6: 416_108_000}
    for n in (*range(1, 9), 10):
        yield Program(f"lastzero({n})", last_zero(n), (n + 3) * 2**n // 4, known.get(n))
    for n, traces in zip(range(2, 10), (2, 5, 14, 43, 144, 523, 2_048, 8_597), strict=True):
        yield Program(f"casrot({n})", compare_and_set_chain(n), traces, factorial(n))
    for n, traces, orders in ((2, 6, 6), (3, 66, 90), (4, 1_200, 2_520), (5, 32_880, 113_400)):
        yield Program(f"casw({n})", compare_and_set_write(n), traces, orders)
    for n, traces in zip(range(1, 10), (2, 5, 13, 33, 81, 193, 449, 1_025, 2_305), strict=True):
        yield Program(f"wcas({n})", write_compare_and_set(n), traces, factorial(n + 1))
    for n, traces, orders in ((1, 3, 20), (2, 19, 924), (3, 141, 48_620), (4, 1_107, 2_704_156)):
        yield Program(f"fib({n})", fibonacci(n), traces, orders)
    for n, traces, orders in ((1, 3, 4), (2, 15, 28), (3, 103, 276)):
        yield Program(f"trylock({n})", try_lock(n), traces, orders)
    yield Program("POPL-example", popl_example, 5, 69)
    for n, traces in ((2, 4), (3, 30), (4, 336)):
        yield Program(f"mailbox({n})", mailbox(n), traces, traces)
    for values in (2, 3):
        yield Program(f"choice({values})", choice(values), 2 * values, 2 * values)
    for n in (2, 3, 4):
        yield Program(f"choosers({n})", choosers(n), factorial(n + 1), 2**n * factorial(n))


COUNTED = (*litmus(), *families(), *locks(), *branching())
