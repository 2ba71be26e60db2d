"""What a rollback touches: a queue of batches on their way to the chain, the chain, and the cloud store beside it.

A batch is made in an *epoch*, which grows with each rollback. A chain that is fenced refuses a batch of an older one.
With an outbox the cloud store is fed from the chain's own log, and holds what that holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import trio

from racewindow import Cell, Instance, Simulation, TrackedDict, TrackedList
from racewindow_models.chain import Block
from racewindow_models.ground_truth import GroundTruth
from racewindow_models.safeguards import Safeguards
from racewindow_models.units import BlockHeight, TimeNs
from racewindow_models.values import Batch


@dataclass(frozen=True, slots=True)
class Queued:
    """A batch on its way, and the epoch in which it was made."""

    batch: Batch
    made_in: int


class Sinks:
    """Chain and cloud store after a bad batch has reached both, with another one queued."""

    def __init__(
        self,
        sim: Simulation,
        *,
        good: Block,
        bad: Sequence[Batch],
        truth: GroundTruth,
        max_age_ns: TimeNs,
        safeguards: Safeguards,
    ) -> None:
        self._sim, self._good, self._truth, self._max_age_ns = sim, good, truth, max_age_ns
        self._fencing, self._outbox = safeguards.fencing, safeguards.outbox
        committed, *queued = bad
        first = Block(BlockHeight(good.height + 1), TimeNs(0), committed, good)
        self._head = Cell(first, name="chain.head")
        self._epoch = Cell(0, name="chain.epoch")
        self._queue: TrackedList[Queued] = TrackedList([Queued(each, 0) for each in queued], name="queue")
        stored = {} if self._outbox else {good.height: good.batch, first.height: committed}
        self._cloud: TrackedDict[BlockHeight, Batch] = TrackedDict(stored, name="cloud")

    async def roll_back(self) -> None:
        """The operator restores the chain to the last good block; batches made before belong to an older epoch."""
        await trio.lowlevel.checkpoint()
        epoch = self._epoch.get() + 1
        self._epoch.set(epoch)
        self._head.set(self._good)
        self._sim.log.warning("chain rolled back", height=self._good.height)
        self._sim.emit("chain.rolled_back", block=self._good, epoch=epoch)

    async def commit_queued(self, instance: Instance) -> None:
        """The committer appends what is queued, and stores it in the cloud."""
        instance.ready()
        while True:
            await trio.lowlevel.checkpoint()
            if not self._queue:
                return
            queued = self._queue.pop(0)
            await trio.lowlevel.checkpoint()
            if self._fencing and queued.made_in < self._epoch.get():
                self._sim.log.warning("refused", made_in=queued.made_in)
                self._sim.emit("guard.refused", service="chain", reason="the batch was made before the rollback")
                continue
            parent = self._head.get()
            block = Block(BlockHeight(parent.height + 1), TimeNs(self._sim.now_ns), queued.batch, parent)
            self._head.set(block)
            self._sim.emit(
                "chain.block", block=block, truth=self._truth, max_age_ns=self._max_age_ns, made_in=queued.made_in
            )
            if not self._outbox:
                await trio.lowlevel.checkpoint()
                self._cloud[block.height] = block.batch
                self._sim.emit("cloud.batch", height=block.height, batch=block.batch)

    async def read_after_the_rollback(self) -> None:
        """A portfolio page reads the chain and the cloud store, which with an outbox is what the chain's log says."""
        await trio.lowlevel.checkpoint()
        block, chain = self._head.get(), dict[BlockHeight, Batch]()
        while block.height > self._good.height and block.parent is not None:
            chain[block.height] = block.batch
            block = block.parent
        batches = chain if self._outbox else {h: b for h, b in self._cloud.items() if h > self._good.height}
        # Whatever is above the last good block was made before the rollback: nothing new has been computed since.
        self._sim.emit("cloud.read", batches=batches, chain=chain, made_in=dict.fromkeys(batches, 0))
