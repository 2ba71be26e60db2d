"""The programs that are run by other tools as well: one source, for trio and for asyncio; of cells, for threads too.

Work and scheduling points are the same under both loops. A task gives way between any two accesses, and neither before
its first nor after its last. Under asyncio main waits for one future that the last task sets: with `gather` or a task
group a tool would also have to order the ends of the tasks, of which trio's nursery makes no choice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import trio

import racewindow

Task = Callable[[], Awaitable[None]]

SERVICES = 3
SLEEPS = 5


class Kit(Protocol):
    """What a program uses of its loop."""

    async def give_way(self) -> None:
        """Let others run."""

    async def sleep(self, seconds: float) -> None:
        """Wait on the clock."""

    def lock(self) -> Any:
        """A mutex for `async with`."""

    def cell(self, value: int, name: str) -> Any:
        """Shared memory with `get` and `set`."""


class TrioKit:
    """Trio, with cells that racewindow tracks."""

    give_way = staticmethod(trio.lowlevel.checkpoint)
    sleep = staticmethod(trio.sleep)
    lock = staticmethod(trio.Lock)

    @staticmethod
    def cell(value: int, name: str) -> racewindow.Cell[int]:
        """A tracked cell."""
        return racewindow.Cell(value, name=name)


class PlainCell:
    """Shared memory of which no tool knows; those that track attributes track this one's."""

    def __init__(self, value: int, name: str) -> None:
        self.value = value
        self.name = name

    def get(self) -> int:
        """Look."""
        return self.value

    def set(self, value: int) -> None:
        """Write."""
        self.value = value


class AsyncioKit:
    """Asyncio as it is; looked up late, since a tool may replace parts of it."""

    cell = PlainCell

    @staticmethod
    async def sleep(seconds: float) -> None:
        """Wait on the clock."""
        await asyncio.sleep(seconds)

    @staticmethod
    def lock() -> asyncio.Lock:
        """A mutex."""
        return asyncio.Lock()

    @staticmethod
    async def give_way() -> None:
        """The usual way to let others run."""
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Program:
    """Tasks that run beside each other, made anew for each execution; `accesses` if they are all that there is.

    One text per task, a letter per access: `r` reads the cell, `w` writes one more than was read last.
    """

    name: str
    build: Callable[[Any], list[Task]]
    accesses: tuple[str, ...] = ()
    sleeps: bool = False

    async def in_trio(self) -> None:
        """Main for trio."""
        async with trio.open_nursery() as nursery:
            for task in self.build(TrioKit):
                nursery.start_soon(task)

    async def in_asyncio(self) -> None:
        """Main for asyncio."""
        loop = asyncio.get_running_loop()
        tasks = self.build(AsyncioKit)
        left, ended = len(tasks), loop.create_future()

        async def run(task: Task) -> None:
            nonlocal left
            await task()
            left -= 1
            if not left:
                ended.set_result(None)

        running = [loop.create_task(run(task)) for task in tasks]
        await ended
        del running  # held until here: the loop keeps no task alive


def tasks_of(program: Program) -> list[Task]:
    """The tasks for asyncio, for a tool that starts them itself."""
    return program.build(AsyncioKit)


def cells(name: str, *accesses: str) -> Program:
    """Tasks that access one cell."""

    def build(kit: Kit) -> list[Task]:
        cell = kit.cell(0, "shared")

        def task(text: str) -> Task:
            async def body() -> None:
                seen = 0
                for place, access in enumerate(text):
                    if place:
                        await kit.give_way()
                    if access == "r":
                        seen = cell.get()
                    else:
                        cell.set(seen + 1)

            return body

        return [task(text) for text in accesses]

    return Program(name, build, accesses)


def services(name: str, *, give_way: bool) -> Program:
    """Services that sleep and take one lock after each sleep.

    Taking a free lock, trio gives way while it holds it, asyncio not at all: `give_way` adds that, before the lock.
    """

    def build(kit: Kit) -> list[Task]:
        lock = kit.lock()
        done = [0]

        def service(seconds: int) -> Task:
            async def body() -> None:
                for _ in range(SLEEPS):
                    await kit.sleep(seconds)
                    if give_way and kit is AsyncioKit:
                        await kit.give_way()
                    async with lock:
                        done[0] += 1

            return body

        return [service(number + 1) for number in range(SERVICES)]

    return Program(name, build, sleeps=True)


def driver(kit: Kit) -> list[Task]:
    """The corpus' `bluetooth`, without its assertion: a request while the driver is being stopped."""
    pending, stopping = kit.cell(1, "pending"), kit.cell(0, "stopping")
    event, stopped = kit.cell(0, "event"), kit.cell(0, "stopped")

    async def release() -> None:
        await kit.give_way()
        left = pending.get() - 1
        pending.set(left)
        if not left:
            await kit.give_way()
            event.set(1)

    async def request() -> None:
        if not stopping.get():
            await kit.give_way()
            pending.set(pending.get() + 1)
            await kit.give_way()
            if stopped.get():
                return
        await release()

    async def stop() -> None:
        stopping.set(1)
        await release()
        await kit.give_way()
        if event.get():
            await kit.give_way()
            stopped.set(1)

    return [request, stop]


LOST_2 = cells("lost update, 2 × (R, W)", "rw", "rw")
LOST_3 = cells("lost update, 3 × (R, W)", "rw", "rw", "rw")
LOST_2_3 = cells("lost update, 2 × 3 increments", "rwrwrw", "rwrwrw")
READERS = tuple(cells(f"readers({n})", "w", *["r"] * n) for n in (3, 6))
DRIVER = Program("bluetooth", driver)
WINDOW = services("3 services × 5 sleeps, one lock", give_way=True)
WINDOW_AS_WRITTEN = services("the same, asyncio not giving way for a free lock", give_way=False)

EXHAUSTIVE = (LOST_2, LOST_3, LOST_2_3, *READERS, DRIVER, WINDOW)
SPEED = (LOST_2, LOST_3, LOST_2_3, READERS[1], DRIVER, WINDOW, WINDOW_AS_WRITTEN)
