"""A program for each kind of fault of processes, the network and storage, which fails only if such a fault strikes."""

from __future__ import annotations

import contextlib

import trio

import racewindow
from racewindow import CallError, Cell, Fault, Instance, StoreError, Supervisor
from racewindow_faults import (
    Abort,
    Cancel,
    Corrupt,
    Crash,
    Delay,
    Drop,
    Duplicate,
    Expire,
    FailedCommit,
    LostFsync,
    LostWrite,
    Overlap,
    PartialCopy,
    Partition,
    Pause,
    Reorder,
    Reset,
    Restart,
    StaleRead,
    Stall,
    Timeout,
    TornBatch,
)
from tests.faults.stage import Store, Wire

# --- processes -------------------------------------------------------------------------------------------------------


async def leaves_no_half_of_a_batch() -> None:
    """The writer begins a batch and ends it."""
    batch = Cell("", name="batch")

    async def writer(_: Instance) -> None:
        batch.set("begun")
        await trio.lowlevel.checkpoint()
        batch.set("ended")

    async with trio.open_nursery() as nursery:
        Supervisor(nursery.start_soon).start(writer, "writer")
    assert batch.get() != "begun"


async def orders_once() -> None:
    """The buyer remembers in memory that it has ordered."""
    orders = Cell(0, name="orders")

    async def buyer(instance: Instance) -> None:
        del instance
        ordered = False
        for _ in range(2):
            if not ordered:
                ordered = True
                orders.update(lambda count: count + 1)
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        Supervisor(nursery.start_soon).start(buyer, "buyer")
    assert orders.get() <= 1


async def holds_a_lease() -> None:
    """The leader writes while it believes that it has the lease, which another one takes over after 10 s."""
    writers = Cell("", name="writers")

    async def leader(_: Instance) -> None:
        until = trio.current_time() + 10
        if trio.current_time() < until:
            await trio.lowlevel.checkpoint()
            writers.update(lambda names: f"{names}A")

    async def successor(_: Instance) -> None:
        await trio.sleep(10)
        writers.update(lambda names: f"{names}B")

    async with trio.open_nursery() as nursery:
        supervisor = Supervisor(nursery.start_soon)
        supervisor.start(leader, "leader")
        supervisor.start(successor, "successor")
    assert not writers.get().endswith("A")


async def is_ready_in_time() -> None:
    """The committer takes what the writer has published after 10 s."""
    published = Cell(0, name="published")

    async def writer() -> None:
        await racewindow.fault_point("compute")
        published.set(92_600)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(writer)
        await trio.sleep(10)
        assert published.get()
        nursery.cancel_scope.cancel()


async def stops_the_old_before_the_new_one() -> None:
    """The upgrader stops the old instance, and then starts the new one."""
    writer = Cell("", name="writer")

    async def old(_: Instance) -> None:
        await trio.sleep(1)
        writer.set("old")

    async with trio.open_nursery() as nursery:
        supervisor = Supervisor(nursery.start_soon)
        await supervisor.stop(supervisor.start(old, "old"))
        writer.set("new")
    assert writer.get() == "new"


async def lets_go() -> None:
    """A task marks a resource as taken, and then as free; it does so in no `finally` block."""
    taken = Cell(False, name="taken")

    async def use() -> None:
        taken.set(True)
        await racewindow.fault_point("use")
        taken.set(False)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(use)
    assert not taken.get()


async def lets_go_in_time() -> None:
    """The same under a deadline."""
    taken = Cell(False, name="taken")
    with trio.move_on_after(10):
        taken.set(True)
        await racewindow.fault_point("use")
        taken.set(False)
    assert not taken.get()


# --- network ---------------------------------------------------------------------------------------------------------


async def sends_in_order() -> None:
    """The client sends 1, and a second later 2."""
    value = Cell(0, name="value")

    async def client(instance: Instance) -> None:
        async def send(number: int, after: float) -> None:
            async def handler() -> None:
                value.set(number)

            await trio.sleep(after)
            await wire.call(handler)

        instance.spawn(send, 1, 0)
        instance.spawn(send, 2, 1)

    async with trio.open_nursery() as nursery:
        wire = Wire(nursery)
        Supervisor(nursery.start_soon).start(client, "client")
    assert value.get() == 2


async def pays_once() -> None:
    """The client pays, and pays again if it gets no reply."""
    balance = Cell(0, name="balance")

    async def pay() -> None:
        balance.update(lambda value: value + 1)

    async def client(_: Instance) -> None:
        try:
            await wire.call(pay)
        except CallError:
            await wire.call(pay)

    async with trio.open_nursery() as nursery:
        wire = Wire(nursery)
        Supervisor(nursery.start_soon).start(client, "client")
    assert balance.get() <= 1


async def pays_at_all() -> None:
    """The client pays, and takes it for done if it gets no reply."""
    balance = Cell(0, name="balance")

    async def pay() -> None:
        balance.set(1)

    async def client(_: Instance) -> None:
        with contextlib.suppress(CallError):
            await wire.call(pay)

    async with trio.open_nursery() as nursery:
        wire = Wire(nursery)
        Supervisor(nursery.start_soon).start(client, "client")
    assert balance.get() == 1


async def asks_for_the_price() -> None:
    async def price() -> float:
        return 92_600.0

    async with trio.open_nursery() as nursery:
        assert await Wire(nursery).call(price) == 92_600.0


async def is_done_after_20_seconds() -> None:
    done = Cell(0, name="done")
    async with trio.open_nursery() as nursery:
        wire = Wire(nursery, timeout_seconds=None)

        async def work(after: float) -> None:
            async def handler() -> None:
                done.update(lambda count: count + 1)

            await trio.sleep(after)
            await wire.call(handler)

        nursery.start_soon(work, 0)
        nursery.start_soon(work, 1)
        await trio.sleep(20)
        assert done.get() == 2


# --- storage ---------------------------------------------------------------------------------------------------------


async def reads_what_it_wrote() -> None:
    store = Store(index=12_000)
    await store.write(index=12_001)
    assert await store.read("index") == 12_001


async def outlasts_a_crash() -> None:
    store = Store(index=12_000)
    await store.write(index=12_001)
    assert await store.read("index") == 12_001, "before the crash"
    store.crash()
    assert await store.read("index") == 12_001, "after the crash"


async def writes_one_generation() -> None:
    store = Store(btc=7, eth=7)
    try:
        await store.write("db.commit", btc=9, eth=9)
    except StoreError:
        return  # told so, and it will be done again
    assert await store.read("btc") == await store.read("eth")


async def commits() -> None:
    store = Store(index=12_000)
    await store.write("db.commit", index=12_001)


async def copies_all_rows() -> None:
    store = Store()
    await store.write("db.copy", btc=7, eth=7)
    assert await store.read("eth") is not None


PROGRAMS: list[tuple[Fault, racewindow.Scenario]] = [
    (Crash(), racewindow.scenario(leaves_no_half_of_a_batch)),
    (Restart(), racewindow.scenario(orders_once)),
    (Pause(), racewindow.scenario(holds_a_lease)),
    (Stall(), racewindow.scenario(is_ready_in_time)),
    (Overlap(), racewindow.scenario(stops_the_old_before_the_new_one)),
    (Cancel(), racewindow.scenario(lets_go)),
    (Expire(), racewindow.scenario(lets_go_in_time)),
    (Delay(), racewindow.scenario(sends_in_order)),
    (Drop(), racewindow.scenario(pays_at_all)),
    (Duplicate(), racewindow.scenario(pays_once)),
    (Reorder(), racewindow.scenario(sends_in_order)),
    (Corrupt(), racewindow.scenario(asks_for_the_price)),
    (Partition(), racewindow.scenario(is_done_after_20_seconds)),
    (Timeout(), racewindow.scenario(pays_once)),
    (Reset(), racewindow.scenario(pays_once)),
    (StaleRead(), racewindow.scenario(reads_what_it_wrote)),
    (LostWrite(), racewindow.scenario(reads_what_it_wrote)),
    (LostFsync(), racewindow.scenario(outlasts_a_crash)),
    (TornBatch(), racewindow.scenario(writes_one_generation)),
    (FailedCommit(), racewindow.scenario(commits)),
    (Abort(), racewindow.scenario(commits)),
    (PartialCopy(), racewindow.scenario(copies_all_rows)),
]
"""Each kind with a program that fails only if it strikes."""
