"""Programs that end in every way in which an execution can; their lines stand in the messages that tests compare."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import trio

import racewindow
from racewindow import Cell, History, Simulation, Verdict, Violation


async def stuck() -> None:
    first, second = trio.Lock(), trio.Lock()

    async def transfer(one: trio.Lock, other: trio.Lock) -> None:
        async with one:
            await trio.lowlevel.checkpoint()
            async with other:
                await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(transfer, first, second)
        nursery.start_soon(transfer, second, first)


async def stuck_everywhere() -> None:
    send, receive = trio.open_memory_channel[int](0)
    never, condition = Cell(False), trio.Condition()

    async def in_condition() -> None:
        async with condition:
            await condition.wait()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)
        nursery.start_soon(racewindow.until, never.get, name="gate")
        nursery.start_soon(receive.receive)
        nursery.start_soon(send.clone().send, 1) if never.get() else None
        nursery.start_soon(trio.Event().wait)
        nursery.start_soon(trio.Semaphore(0).acquire)
        nursery.start_soon(in_condition)
        nursery.start_soon(in_condition)


async def spinning() -> None:
    async def poll() -> None:
        while True:
            await trio.lowlevel.checkpoint()

    async def work() -> None:
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(poll)
        nursery.start_soon(work)


async def hanging() -> None:
    async def service() -> None:
        await trio.lowlevel.checkpoint()
        forever()

    ledger: racewindow.TrackedDict[int, int] = racewindow.TrackedDict(name="ledger")

    def forever() -> None:
        while True:  # how far it gets depends on the machine
            ledger[len(ledger)] = 0

    async with trio.open_nursery() as nursery:
        nursery.start_soon(service)


async def raising() -> None:
    await trio.lowlevel.checkpoint()
    raise KeyError("BTC-USD")


async def raising_twice() -> None:
    async def fail(error: Exception) -> None:
        with trio.CancelScope(shield=True):
            await trio.lowlevel.checkpoint()
        raise error

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail, ValueError(f"no price in {object()}"))
        nursery.start_soon(fail, OSError(5, "disk"))


async def asserting() -> None:
    balance = Cell(0, name="balance")

    async def deposit(amount: int) -> None:
        seen = balance.get()
        await trio.lowlevel.checkpoint()
        balance.set(seen + amount)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(deposit, 1)
        nursery.start_soon(deposit, 2)
    assert balance.get() == 3, f"balance is {balance.get()}"


@racewindow.checker("in_order")
def in_order(history: History) -> Verdict:
    sold = [event.data["number"] for event in history.events if event.kind == "sold"]
    return Verdict.violated(
        [
            Violation(
                "late", f"ticket {b}", f"ticket {b} was sold after ticket {a}", time_ns=7, evidence={"sold": sold}
            )
            for a, b in itertools.pairwise(sold)
            if a > b
        ]
    )


@racewindow.checker("crashing")
def crashing(history: History) -> Verdict:
    return Verdict.unknown(history.events[9].kind)


@racewindow.scenario(checks=[in_order, crashing])
async def selling(sim: Simulation) -> None:
    """Two clerks sell tickets; the numbers are handed out before the sale."""
    numbers = itertools.count(1)

    async def clerk() -> None:
        number = next(numbers)
        await trio.lowlevel.checkpoint()
        sim.emit("sold", number=number)

    sim.spawn(clerk)
    sim.spawn(clerk)


def differing() -> Callable[[], Any]:
    """A program that is another one each time."""
    runs = itertools.count()

    async def unsteady() -> None:
        shared = Cell(0, name="shared")
        await trio.lowlevel.checkpoint()
        if next(runs) % 2 == 0:
            shared.get()
        await trio.lowlevel.checkpoint()

    return unsteady


def failing_in(*numbers: int) -> Callable[[], Any]:
    """A program that fails only in certain ones of its runs, counted from 0."""
    runs = itertools.count()

    async def unlucky() -> None:
        assert next(runs) not in numbers

    return unlucky
