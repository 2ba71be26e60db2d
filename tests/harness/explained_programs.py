"""Programs each built around one pair of steps, which is what an explanation has to name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio

import racewindow
from racewindow import Cell, TrackedDict
from racewindow.explanation import RacingPair


async def lost_update() -> None:
    """Two deposits: read, wait, write."""
    balance = Cell(0, name="balance")

    async def deposit() -> None:
        seen = balance.get()
        await trio.lowlevel.checkpoint()
        balance.set(seen + 1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(deposit)
        nursery.start_soon(deposit)
    assert balance.get() == 2


async def read_before_ready() -> None:
    """A table is read before it is filled; a bystander does much that has nothing to do with it."""
    table = TrackedDict[str, int](name="table")
    published, noise = Cell(0, name="published"), Cell(0, name="noise")

    async def load() -> None:
        await trio.lowlevel.checkpoint()
        table["XRP"] = 7

    async def publish() -> None:
        await trio.lowlevel.checkpoint()
        published.set(table.get("XRP", 0))

    async def bystander() -> None:
        for _ in range(3):
            await trio.lowlevel.checkpoint()
            noise.update(lambda value: value + 1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(load)
        nursery.start_soon(bystander)
        nursery.start_soon(publish)
    noise.get()
    assert published.get() == 7


async def forestalled() -> None:
    """The reader fails at once, so that the write that it should have waited for never comes."""
    ready = Cell(False, name="ready")

    async def start() -> None:
        await trio.lowlevel.checkpoint()
        await trio.lowlevel.checkpoint()
        ready.set(True)

    async def use() -> None:
        await trio.lowlevel.checkpoint()
        assert ready.get(), "used before it was ready"

    async with trio.open_nursery() as nursery:
        nursery.start_soon(start)
        nursery.start_soon(use)


async def torn() -> None:
    """Two cells are written in two steps, and a reader comes in between."""
    low, high = Cell(1, name="low"), Cell(2, name="high")

    async def write() -> None:
        low.set(11)
        await trio.lowlevel.checkpoint()
        high.set(12)

    async def read() -> None:
        await trio.lowlevel.checkpoint()
        seen = low.get(), high.get()
        assert seen in {(1, 2), (11, 12)}, seen

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        nursery.start_soon(read)


async def used_after_close() -> None:
    """A resource is closed while somebody still has to use it."""
    is_open = Cell(True, name="is_open")

    async def close() -> None:
        await trio.lowlevel.checkpoint()
        is_open.set(False)

    async def use() -> None:
        for _ in range(2):
            await trio.lowlevel.checkpoint()
        if not is_open.get():
            raise RuntimeError("closed")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(use)
        nursery.start_soon(close)


async def locked_crosswise() -> None:
    """Two locks are taken in two orders."""
    one, other = trio.Lock(), trio.Lock()

    async def transfer(first: trio.Lock, second: trio.Lock) -> None:
        async with first:
            await trio.lowlevel.checkpoint()
            async with second:
                pass

    async with trio.open_nursery() as nursery:
        nursery.start_soon(transfer, one, other)
        nursery.start_soon(transfer, other, one)


async def slow_overlap() -> None:
    """As the lost update, but the two overlap in time: no order of events at one instant is to blame."""
    balance = Cell(0, name="balance")

    async def deposit() -> None:
        seen = balance.get()
        await trio.sleep(1)
        balance.set(seen + 1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(deposit)
        nursery.start_soon(deposit)
    assert balance.get() == 2


@racewindow.scenario(safeguards={"wait": "the publisher waits", "pray": "does nothing"})
async def guarded(sim: racewindow.Simulation) -> None:
    """Read before ready, with one safeguard that closes it and one that does not."""
    index = Cell(0, name="index")

    async def load() -> None:
        await trio.lowlevel.checkpoint()
        index.set(7)
        sim.emit("loaded")

    async def publish() -> None:
        if sim.safeguard("wait"):
            await racewindow.until(index.get)
        sim.emit("published", index=index.get())
        assert index.get() == 7

    async def gossip() -> None:
        sim.emit("gossip")

    sim.spawn(load)
    sim.spawn(publish)
    sim.spawn(gossip)


@dataclass(frozen=True, slots=True)
class Known:
    """What a program was built around: the object, whose the first and the second step are and what they do to it.

    `fix`: part of the constraint that closes it.
    """

    main: Callable[..., Awaitable[object]] | racewindow.Scenario
    key: str
    first: tuple[str, str]
    second: tuple[str, str]
    fix: str

    @property
    def name(self) -> str:
        """Of the program."""
        return self.main.name if isinstance(self.main, racewindow.Scenario) else self.main.__name__

    def assert_is_decided_by(self, pair: RacingPair) -> None:
        """It is that pair, and it alone."""
        assert pair.key.startswith(self.key)
        assert (pair.first.task.partition("#")[0], pair.first.mode) == self.first
        assert (pair.second.task.partition("#")[0], pair.second.mode) == self.second
        assert pair.kept.failing == pair.kept.runs > 0 == pair.reversed.failing < pair.reversed.runs


PROGRAMS = (
    Known(lost_update, "balance", ("deposit", "read"), ("deposit", "write"), "ends before deposit"),
    Known(read_before_ready, "table['XRP']", ("publish", "read"), ("load", "write"), "load ends before publish at"),
    Known(forestalled, "ready", ("use", "read"), ("start", "write"), "start ends before use at"),
    Known(torn, "high", ("read", "read"), ("write", "write"), "write ends before read at"),
    Known(used_after_close, "is_open", ("close", "write"), ("use", "read"), "use ends before close at"),
    Known(locked_crosswise, "main:Lock#", ("transfer", "write"), ("transfer", "write"), "before transfer"),
    Known(slow_overlap, "balance", ("deposit", "read"), ("deposit", "write"), "ends before deposit"),
    Known(guarded, "index", ("publish", "read"), ("load", "write"), "load ends before publish starts"),
)
