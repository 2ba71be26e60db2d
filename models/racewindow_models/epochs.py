"""Sinks that can be rolled back: a chain with epochs, and a cloud store from which portfolio pages are fed.

Each rollback begins a new *epoch*. With `fencing` the chain refuses a batch that was made in an older one. With
`outbox` the cloud store is fed from the chain's own log, in the same step, and rolls back with it; without, it keeps
what it was given, and a portfolio page shows the first row of every height.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from racewindow import Cell, Instance, TrackedDict
from racewindow_models.chain import Accounts, Block, Chain, Snapshot
from racewindow_models.cloud import CloudStore
from racewindow_models.committer import Committer
from racewindow_models.database import Routing
from racewindow_models.units import BlockHeight
from racewindow_models.values import Batch
from racewindow_models.witness import Witness

LATER_WRITER = "writer-3"
"""The writer that starts after the rollback."""


def made_in(batch: Batch) -> int:
    """The epoch in which a batch was made, as only a simulator knows it: by who computed it."""
    return int(batch[0].provenance.producer == LATER_WRITER)


@dataclass(frozen=True, slots=True)
class Rollback:
    """What was to be restored, the epoch that begins with it, and the state root that the chain has then."""

    snapshot: Snapshot
    epoch: int
    root: str


class EpochChain(Chain):
    """A chain that can be rolled back, and its log."""

    def __init__(self, first: Block, accounts: Callable[[], Accounts] = dict) -> None:
        super().__init__(first, accounts)
        self._epoch = Cell(0, name="chain.epoch")

    @property
    def epoch(self) -> int:
        """How often it has been rolled back."""
        return self._epoch.get()

    def roll_back(self, snapshot: Snapshot, restore: Callable[[Accounts], None]) -> Rollback:
        """Make the snapshot's block the head again, and `restore` its accounts; says what the state is then."""
        epoch = self._epoch.get() + 1
        self._epoch.set(epoch)
        self._head.set(snapshot.block)
        restore(snapshot.accounts)
        return Rollback(snapshot, epoch, self.state_root())

    def above(self, height: BlockHeight) -> dict[BlockHeight, Batch]:
        """What the log holds above a height."""
        found, block = dict[BlockHeight, Batch](), self._head.get()
        while block.height > height and block.parent is not None:
            found[block.height] = block.batch
            block = block.parent
        return found


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a portfolio page's history."""

    batch: Batch
    epoch: int


class PortfolioStore(CloudStore):
    """The cloud store, with the history of every height as portfolio pages have it."""

    def __init__(self, log: EpochChain | None, made_in: Callable[[Batch], int] = made_in) -> None:
        """`log`: the chain that it is fed from, with an outbox. `made_in`: the epoch of a batch."""
        super().__init__()
        self._made_in = made_in
        self._log = log
        self._rows: TrackedDict[BlockHeight, tuple[Row, ...]] = TrackedDict(name="portfolio")

    def store(self, height: BlockHeight, batch: Batch) -> None:
        """Keep the batch of a block; one that a log feeds has it already."""
        if self._log is None:
            super().store(height, batch)
            self._rows[height] = (*self._rows.get(height, ()), Row(batch, self._made_in(batch)))

    def batch(self, height: BlockHeight) -> Batch | None:
        """The batch of a block, None if there is none."""
        return super().batch(height) if self._log is None else self._log.above(BlockHeight(height - 1)).get(height)

    def shown_above(self, height: BlockHeight) -> dict[BlockHeight, Row]:
        """What a portfolio page shows above a height."""
        if self._log is not None:
            return {each: Row(batch, self._made_in(batch)) for each, batch in self._log.above(height).items()}
        return {each: rows[0] for each, rows in self._rows.items() if each > height}

    def forget_above(self, height: BlockHeight) -> None:
        """Go back to a height: what is above it is gone. A store that a log feeds goes back with it."""
        for each in [each for each in self._rows if each > height]:
            del self._rows[each]
            del self._batches[each]


class EpochWitness(Witness):
    """A witness that knows in which epoch the batch of a block was made."""

    __slots__ = ()
    made_in = staticmethod(made_in)

    def _more(self, block: Block) -> dict[str, Any]:
        return {"made_in": self.made_in(block.batch)}


class EpochCommitter(Committer):
    """A committer that belongs to the epoch in which it was started; with `fencing` the chain looks at that."""

    async def run(self, instance: Instance, routing: Routing, first_round: int = 0) -> None:
        """Try to commit one batch in each round."""
        self._token = self._epoch()
        await super().run(instance, routing, first_round)

    def _commit(self, batch: Batch) -> Block | None:
        if self._token < self._epoch():
            self._witness.refused("chain", "the batch was made before the rollback")
            return None
        return super()._commit(batch)

    def _epoch(self) -> int:
        """The chain's epoch, as far as it is looked at."""
        return self._chain.epoch if self._safeguards.fencing and isinstance(self._chain, EpochChain) else 0
