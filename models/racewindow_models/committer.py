"""The on-chain committer: takes the published values of every market and commits them, to the chain and to the cloud.

It makes a batch in each round, whether or not there is anything new, as a chain makes blocks. All guards stand before
the fan-out to the two sinks, and in the same step as the append: what is refused reaches neither, and nothing can
change between check and use. A committer with guards on the chain path only can be had as well: its cloud store gets
what was taken, whatever the guards make of it.
"""

from __future__ import annotations

import trio

from racewindow import CallError, Instance, Network
from racewindow_models.chain import Block, Chain
from racewindow_models.clocks import ServiceClock, load_config
from racewindow_models.cloud import CloudStore
from racewindow_models.database import Database, Routing
from racewindow_models.guards import implausible, regressed, too_old
from racewindow_models.oracle import SpotOracle
from racewindow_models.safeguards import Safeguards
from racewindow_models.settings import Settings
from racewindow_models.units import BlockHeight, MarketName, TimeNs, to_trio_seconds
from racewindow_models.values import Batch
from racewindow_models.witness import Witness


class Committer:
    """The committer and its two sinks. `guards_cloud`: whether the guards stand before the fan-out to both."""

    def __init__(
        self,
        *,
        markets: tuple[MarketName, ...],
        chain: Chain,
        cloud: CloudStore,
        oracle: SpotOracle,
        safeguards: Safeguards,
        witness: Witness,
        settings: Settings,
        network: Network,
        guards_cloud: bool = True,
    ) -> None:
        self._markets = markets
        self._guards_cloud = guards_cloud
        self._network = network
        self._chain = chain
        self._cloud = cloud
        self._oracle = oracle
        self._safeguards = safeguards
        self._witness = witness
        self._settings = settings
        self._clock = ServiceClock()

    async def run(self, instance: Instance, routing: Routing, first_round: int = 0) -> None:
        """Try to commit one batch in each round."""
        self._clock, self._safeguards = ServiceClock(), load_config(self._safeguards)
        instance.ready()
        for number in range(first_round, first_round + self._settings.batches):
            if number > 0:
                await trio.sleep_until(to_trio_seconds(self._settings.round_ns(number)))
            try:
                batch = await self._take(routing.connect())
            except CallError as error:
                self._witness.call_failed("committer", str(error))
                continue
            block = self._commit(batch)
            if not self._guards_cloud:
                await self._store(self._chain.next_height if block is None else block.height, batch)
            elif block is not None:
                await self._store(block.height, block.batch)

    async def _store(self, height: BlockHeight, batch: Batch) -> None:
        """Store the batch of a block in the cloud."""
        await trio.lowlevel.checkpoint()
        self._cloud.store(height, batch)
        self._witness.batch_stored(height, batch)

    async def _take(self, database: Database) -> Batch:
        """The published values of every market: as one batch, or market by market."""
        if self._safeguards.atomic_batch:
            return await self._network.call(database.name, database.read_batch, self._markets)
        call = self._network.call
        return tuple([await call(database.name, database.read_values, market) for market in self._markets])

    def _commit(self, batch: Batch) -> Block | None:
        """Append the batch to the chain, unless a guard refuses it."""
        now_ns = self._witness.now_ns
        missing = [each.market for each in batch if not each.present]
        if self._safeguards.presence_required and missing:
            self._witness.refused("committer", f"there are no values of {' and '.join(missing)}")
            return None
        if self._safeguards.delta_guard:
            batch, refusals = self._guard_delta(batch, self._clock.shown_ns(now_ns))
            if refusals:
                self._witness.refused("committer", "; ".join(refusals))
                return None
        if self._safeguards.generation_check:
            pairs = zip(batch, self._chain.head.batch, strict=True)
            refusals = [reason for values, last in pairs if (reason := regressed(values, last))]
            if refusals:
                self._witness.refused("committer", "; ".join(refusals))
                return None
        if self._safeguards.age_guard:
            shown_ns, most_ns = self._clock.shown_ns(now_ns), self._settings.max_age_ns
            refusals = [reason for each in batch if (reason := too_old(each, shown_ns, most_ns))]
            if refusals:
                self._witness.refused("committer", "; ".join(refusals))
                return None
        block = self._chain.append(batch, now_ns)
        self._witness.block_appended(block)
        return block

    def _guard_delta(self, batch: Batch, now_ns: TimeNs) -> tuple[Batch, list[str]]:
        """The batch with what may be replaced replaced, and the reasons why it has to be refused as a whole."""
        checked, refusals = [], []
        for values, last in zip(batch, self._chain.head.batch, strict=True):
            reason = implausible(values, last, self._oracle.price_e8(values.market, now_ns))
            if reason and self._safeguards.keep_last_good:
                self._witness.last_good_kept(last, reason)
                checked.append(last)
            elif reason:
                refusals.append(reason)
            else:
                checked.append(values)
        return tuple(checked), refusals
