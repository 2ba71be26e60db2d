"""What a rollback touches: a queue of batches on their way to the chain, the chain, and the cloud store beside it.

A batch is made in an *epoch*, which grows with each rollback. A chain that is fenced refuses a batch of an older one.
With an outbox the cloud store is fed from the chain's own log, and holds what that holds. Whether the state is that of
the snapshot again, accounts included, is told by the state root: in the step that restores it, and once more when the
operator looks whether all is complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import trio

from racewindow import Instance, Simulation, TrackedDict, TrackedList
from racewindow_models.chain import Block
from racewindow_models.clearing import Clearing
from racewindow_models.cross import is_covered, quoted
from racewindow_models.epochs import EpochChain, Row
from racewindow_models.ground_truth import GroundTruth
from racewindow_models.margin import Account
from racewindow_models.market_witness import MarketWitness
from racewindow_models.safeguards import Safeguards
from racewindow_models.units import BlockHeight, TimeNs
from racewindow_models.values import Batch


@dataclass(frozen=True, slots=True)
class Queued:
    """A batch on its way, and the epoch in which it was made."""

    batch: Batch
    made_in: int


class Sinks:
    """Chain and cloud store after a bad batch has reached both and been acted on, with another one queued."""

    def __init__(
        self,
        sim: Simulation,
        *,
        good: Block,
        bad: Sequence[Batch],
        accounts: Sequence[Account],
        truth: GroundTruth,
        max_age_ns: TimeNs,
        safeguards: Safeguards,
    ) -> None:
        self._sim, self._truth, self._max_age_ns = sim, truth, max_age_ns
        self._witness = MarketWitness(sim)
        self._fencing, self._outbox = safeguards.fencing, safeguards.outbox
        committed, *queued = bad
        self._clearing = Clearing(accounts, None)
        self._chain = EpochChain(good, self._clearing.everything)
        self._snapshot = self._chain.snapshot()
        first = self._chain.append(committed, TimeNs(0))
        self._liquidate(committed)
        self._queue: TrackedList[Queued] = TrackedList([Queued(each, 0) for each in queued], name="queue")
        stored = {} if self._outbox else {good.height: good.batch, first.height: committed}
        self._cloud: TrackedDict[BlockHeight, Batch] = TrackedDict(stored, name="cloud")

    def _liquidate(self, bad: Batch) -> None:
        """What the bad batch has done by now: accounts are closed that are not solvent by it."""
        for name in self._clearing.names:
            if not is_covered(self._clearing[name], quoted(bad)):
                self._clearing.liquidate(name, quoted(bad))

    async def roll_back(self) -> None:
        """The operator restores chain and accounts to the last good block, and sees by the state root that all is back.

        Batches made before belong to an older epoch. Raises StateRootError if not all is back.
        """
        await trio.lowlevel.checkpoint()
        done = self._chain.roll_back(self._snapshot, self._clearing.restore)
        self._witness.rolled_back(done)
        self._snapshot.check(done.root)

    async def commit_queued(self, instance: Instance) -> None:
        """The committer appends what is queued, and stores it in the cloud."""
        instance.ready()
        while True:
            await trio.lowlevel.checkpoint()
            if not self._queue:
                return
            queued = self._queue.pop(0)
            await trio.lowlevel.checkpoint()
            if self._fencing and queued.made_in < self._chain.epoch:
                self._sim.log.warning("refused", made_in=queued.made_in)
                self._sim.emit("guard.refused", service="chain", reason="the batch was made before the rollback")
                continue
            block = self._chain.append(queued.batch, TimeNs(self._sim.now_ns))
            self._sim.emit(
                "chain.block", block=block, truth=self._truth, max_age_ns=self._max_age_ns, made_in=queued.made_in
            )
            if not self._outbox:
                await trio.lowlevel.checkpoint()
                self._cloud[block.height] = block.batch
                self._sim.emit("cloud.batch", height=block.height, batch=block.batch)

    async def read_after_the_rollback(self) -> None:
        """A portfolio page reads the chain and the cloud store, which with an outbox is what the chain's log says.

        The operator looks at the state root again: the committer may have been at it since.
        """
        await trio.lowlevel.checkpoint()
        height = self._snapshot.block.height
        chain = self._chain.above(height)
        batches = chain if self._outbox else {h: b for h, b in self._cloud.items() if h > height}
        # Whatever is above the last good block was made before the rollback: nothing new has been computed since.
        self._witness.page_shown(chain, {each: Row(batch, 0) for each, batch in batches.items()})
        self._witness.verified(self._snapshot, self._chain.state_root())
