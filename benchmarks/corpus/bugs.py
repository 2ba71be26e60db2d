"""Programs with a bug, from SCTBench (Thomson, Donaldson, Betts, PPoPP 2014), re-expressed one access per step.

How likely one schedule is to fail differs by strategy: these are for comparing them. As in C, an assertion that fails
ends its task, which keeps the locks that it holds.
"""

from __future__ import annotations

from corpus.parts import Main, Process, Program, flag, together
from racewindow import Cell


async def account() -> None:
    """The check after a deposit and a withdrawal expects a wrong balance: it fails whenever it comes last."""
    m, balance, deposited, withdrawn = flag("m"), Cell(1, name="balance"), flag("deposited"), flag("withdrawn")

    async def deposit(me: Process) -> None:
        await me.lock(m)
        await me.add(balance, 2)
        await me.write(deposited, value=True)
        await me.unlock(m)

    async def withdraw(me: Process) -> None:
        await me.lock(m)
        await me.add(balance, -4)
        await me.write(withdrawn, value=True)
        await me.unlock(m)

    async def check(me: Process) -> bool:
        await me.lock(m)
        if await me.read(deposited) and await me.read(withdrawn) and await me.read(balance) != (1 - 2) - 4:
            return False
        await me.unlock(m)
        return True

    *_, right = await together(deposit, withdraw, check)
    assert right


def reorder(setters: int, checkers: int) -> Main:
    """Setters write a, then b; a checker that sees the one without the other fails."""

    async def main() -> None:
        a, b = Cell(0, name="a"), Cell(0, name="b")

        async def setter(me: Process) -> None:
            await me.write(a, 1)
            await me.write(b, -1)

        async def checker(me: Process) -> bool:
            return (await me.read(a) == 0 and await me.read(b) == 0) or (
                await me.read(a) == 1 and await me.read(b) == -1
            )

        returned = await together(*[setter] * setters, *[checker] * checkers)
        assert all(returned[setters:])

    return main


def two_stage(writers: int, readers: int) -> Main:
    """Two values that belong together are written under a lock each, with a gap in between."""

    async def main() -> None:
        lock_a, lock_b = flag("lock_a"), flag("lock_b")
        first, second = Cell(0, name="first"), Cell(0, name="second")

        async def writer(me: Process) -> None:
            await me.lock(lock_a)
            await me.write(first, 1)
            await me.unlock(lock_a)
            await me.lock(lock_b)
            await me.write(second, await me.read(first) + 1)
            await me.unlock(lock_b)

        async def reader(me: Process) -> bool:
            await me.lock(lock_a)
            seen = await me.read(first)
            if seen == 0:
                await me.unlock(lock_a)
                return True
            seen = await me.read(first)
            await me.unlock(lock_a)
            await me.lock(lock_b)
            seen_later = await me.read(second)
            await me.unlock(lock_b)
            return seen_later == seen + 1

        returned = await together(*[writer] * writers, *[reader] * readers)
        assert all(returned[writers:])

    return main


def wrong_lock(checkers: int, writers: int) -> Main:
    """A counter is guarded by one lock here and by another one there."""

    async def main() -> None:
        here, there, counter = flag("here"), flag("there"), Cell(0, name="counter")

        async def checker(me: Process) -> bool:
            await me.lock(here)
            before = await me.read(counter)
            await me.write(counter, await me.read(counter) + 1)
            if await me.read(counter) != before + 1:
                return False
            await me.unlock(here)
            return True

        async def writer(me: Process) -> None:
            await me.lock(there)
            await me.write(counter, await me.read(counter) + 1)
            await me.unlock(there)

        returned = await together(*[checker] * checkers, *[writer] * writers)
        assert all(returned[:checkers])

    return main


async def deadlock01() -> None:
    """Two locks taken crosswise around a counter."""
    a, b, counter = flag("a"), flag("b"), Cell(0, name="counter")

    async def task(me: Process, outer: Cell[bool], inner: Cell[bool]) -> None:
        await me.lock(outer)
        await me.lock(inner)
        await me.write(counter, await me.read(counter) + 1)
        await me.unlock(inner)
        await me.unlock(outer)

    await together(lambda me: task(me, a, b), lambda me: task(me, b, a))


async def bluetooth() -> None:
    """A driver is stopped between a request's look at the flag and its registration (Qadeer and Wu, PLDI 2004)."""
    pending, stopping, event, stopped = Cell(1, name="pending"), flag("stopping"), flag("event"), flag("stopped")

    async def release(me: Process) -> None:
        if await me.add(pending, -1) == 0:
            await me.write(event, value=True)

    async def request(me: Process) -> bool:
        if not await me.read(stopping):
            await me.add(pending)
            if await me.read(stopped):
                return False
        await release(me)
        return True

    async def stop(me: Process) -> None:
        await me.write(stopping, value=True)
        await release(me)
        if await me.read(event):
            await me.write(stopped, value=True)

    right, _ = await together(request, stop)
    assert right


async def lazy01() -> None:
    """Two tasks add to a number, a third one asserts that not both have."""
    m, number = flag("m"), Cell(0, name="number")

    async def add(me: Process, amount: int) -> None:
        await me.lock(m)
        await me.add(number, amount)
        await me.unlock(m)

    async def check(me: Process) -> bool:
        await me.lock(m)
        if await me.read(number) >= 3:
            return False
        await me.unlock(m)
        return True

    *_, right = await together(lambda me: add(me, 1), lambda me: add(me, 2), check)
    assert right


BUGS = (
    Program("account", account, 6, 6, 2, 2, "violation", 0.3333),
    Program("reorder(1,1)", reorder(1, 1), 4, 7, 1, 1, "violation", 0.0625),
    Program("reorder(2,1)", reorder(2, 1), 56, 172, 12, 18, "violation", 0.0494),
    Program("reorder(3,1)", reorder(3, 1), 1_248, 7_038, 216, 522, "violation", 0.0381),
    Program("reorder(4,1)", reorder(4, 1), None, None, None, None, "violation"),
    Program("reorder(9,1)", reorder(9, 1), None, None, None, None, "violation"),
    Program("reorder(19,1)", reorder(19, 1), None, None, None, None, "violation"),
    Program("twostage(1,1)", two_stage(1, 1), 3, 72, 1, 1, "violation", 0.0156),
    Program("twostage(2,1)", two_stage(2, 1), 40, 17_752, 10, 284, "violation", 0.0139),
    Program("twostage(9,1)", two_stage(9, 1), None, None, None, None, "violation"),
    Program("wronglock(1,1)", wrong_lock(1, 1), 7, 199, 2, 34, "violation", 0.2266),
    Program("wronglock(1,3)", wrong_lock(1, 3), 360, 71_946, 246, 24_444, "violation", 0.3716),
    Program("wronglock(1,7)", wrong_lock(1, 7), None, None, None, None, "violation"),
    Program("deadlock01", deadlock01, 3, 6, 1, 2, "deadlock", 0.5),
    Program("bluetooth", bluetooth, 10, 73, 1, 4, "violation", 0.0391),
    Program("lazy01", lazy01, 6, 6, 2, 2, "violation", 0.3333),
)
