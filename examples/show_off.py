"""A service restarts: one of its tasks loads the saved state, the other publishes it, and nothing makes it wait."""

import trio

import racewindow


async def restart(*, wait: bool = False) -> None:
    """Publish the index that was saved, and no other."""
    index = racewindow.Cell(0, name="index")
    published = racewindow.Cell(0, name="published")
    loaded = trio.Event()

    async def load() -> None:
        await trio.lowlevel.checkpoint()  # the database answers
        index.set(1214)
        loaded.set()

    async def publish() -> None:
        await trio.lowlevel.checkpoint()  # the network connects
        await trio.lowlevel.checkpoint()  # the price feed answers
        if wait:
            await loaded.wait()
        published.set(index.get())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(load)
        nursery.start_soon(publish)
    assert published.get() == 1214


if __name__ == "__main__":
    trio.run(restart)
    print("Under trio.run it passes, as often as you like.")
