"""Programs for `racewindow.hypothesis`, each with a failure of which the smallest example is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio

import racewindow


async def restart(prices: Sequence[int], *, guarded: bool = False) -> None:
    """A publisher restarts: a tick goes out before the load has ended, and is committed before the next publish.

    Smallest failure: one tick, and two deviations, one for each of these.
    """
    index = racewindow.Cell(0, name="index")
    published: racewindow.Cell[tuple[int, int] | None] = racewindow.Cell(None, name="published")

    async def loader() -> None:
        await trio.lowlevel.checkpoint()
        index.set(12_000)
        published.set((0, 12_000))

    async def ticks() -> None:
        if guarded:
            await racewindow.until(lambda: index.get() != 0)
        for price in prices:
            published.set((price, index.get()))
            await trio.lowlevel.checkpoint()

    async def committer() -> None:
        await racewindow.until(lambda: published.get() is not None)
        assert published.get()[1] != 0, "an index of zero is committed"  # type: ignore[index]  # waited for

    async with trio.open_nursery() as nursery:
        for service in (loader, ticks, committer):
            nursery.start_soon(service)


async def both_wait(order: Sequence[int]) -> None:
    """Two tasks take two locks, one of them the other way round: a deadlock in one order of events."""
    locks = [trio.Lock(), trio.Lock()]

    async def take(first: int) -> None:
        async with locks[first]:
            await trio.lowlevel.checkpoint()
            async with locks[1 - first]:
                pass

    async with trio.open_nursery() as nursery:
        for each in order:
            nursery.start_soon(take, each)


def counted(program: Callable[..., object], calls: list[object]) -> Callable[..., object]:
    """The same, noting the arguments of every call."""

    async def noted(**arguments: object) -> None:
        calls.append(arguments)
        await program(**arguments)  # type: ignore[misc]  # an async function

    return noted
