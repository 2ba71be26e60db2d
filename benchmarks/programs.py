"""The small programs that speed is measured on: ordinary trio code, the same function in every column of the table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio

import racewindow

SERVICES = 3
SLEEPS = 5
CHECKPOINTS = 10


async def empty() -> None:
    """Nothing at all: what an execution costs before its first step."""


async def services() -> None:
    """Three services sleep five times each, and take one lock after each sleep."""
    lock = trio.Lock()
    done = [0]

    async def service(seconds: int) -> None:
        for _ in range(SLEEPS):
            await trio.sleep(seconds)
            async with lock:
                done[0] += 1

    async with trio.open_nursery() as nursery:
        for number in range(SERVICES):
            nursery.start_soon(service, number + 1)
    assert done[0] == SERVICES * SLEEPS


async def _deposit_twice() -> int:
    balance = racewindow.Cell(0, name="balance")

    async def deposit(amount: int) -> None:
        await trio.lowlevel.checkpoint()
        seen = balance.get()
        await trio.lowlevel.checkpoint()
        balance.set(seen + amount)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(deposit, 1)
        nursery.start_soon(deposit, 1)
    return balance.get()


async def lost_update() -> None:
    """Two tasks read, wait and write one balance; it fails when one of the two deposits is lost."""
    assert await _deposit_twice() == 2


async def lost_update_unseen() -> None:
    """The same without the assertion: no execution fails."""
    await _deposit_twice()


async def checkpoints() -> None:
    """Three tasks of ten checkpoints each: steps and nothing else."""

    async def task() -> None:
        for _ in range(CHECKPOINTS):
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        for _ in range(SERVICES):
            nursery.start_soon(task)


@dataclass(frozen=True, slots=True)
class Program:
    """A program, how the table calls it, and the ratios to the trio loop that the design asks for.

    `least` and `aim` are (footprints off, footprints on) of `explore`; None where nothing was promised.
    """

    name: str
    main: Callable[[], Awaitable[object]]
    least: tuple[float | None, float | None] = (None, None)
    aim: tuple[float | None, float | None] = (None, None)


PROGRAMS = (
    Program("empty main", empty),
    Program("3 services × 5 sleeps, one lock", services, (4.0, 2.5), (7.0, None)),
    Program("lost update, failures kept", lost_update, (6.0, None), (9.0, None)),
    Program("lost update, no assertion", lost_update_unseen),
    Program("3 tasks × 10 checkpoints", checkpoints),
)
