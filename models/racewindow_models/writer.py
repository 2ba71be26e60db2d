"""The market-data writer: computes each market's mark price and funding index and publishes them.

An instance keeps the state of every market in memory. When it is started it runs two tasks: a loader, which reads the
saved states from the database one by one, and a tick loop, which publishes values in each round of the oracle. Nothing
but a safeguard makes the second wait for the first: that is hypothesis H1, read before ready.

What the tick loop does with a state that is not there is what code does that reads a missing number as 0: it computes
on. The mark price then lacks the fair basis, and the funding index starts again at 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import trio

import racewindow
from racewindow import CallError, Cell, Instance, Network, StoreError, TrackedDict
from racewindow_models.clocks import load_config
from racewindow_models.database import Database, Routing
from racewindow_models.ground_truth import mark_price_e8
from racewindow_models.oracle import OracleRound, SpotOracle
from racewindow_models.safeguards import Safeguards
from racewindow_models.settings import Settings
from racewindow_models.units import FundingIndexE8, MarketName, TimeNs, to_trio_seconds
from racewindow_models.values import Batch, MarketState, MarketValues, Provenance, missing_state
from racewindow_models.witness import Witness

NO_TIME = TimeNs(0)


class MarketDataWriter:
    """One instance of the writer.

    `ready` is set once every state has been loaded. An instance made with `states` has been running. `token`: its
    fencing token, higher than that of every instance before it.
    """

    def __init__(
        self,
        instance: str,
        *,
        markets: tuple[MarketName, ...],
        oracle: SpotOracle,
        safeguards: Safeguards,
        witness: Witness,
        network: Network,
        token: int = 0,
        states: Sequence[MarketState] = (),
    ) -> None:
        self.instance = instance
        self._network, self._token = network, token
        self.ready = Cell(bool(states), name=f"{instance}.ready")
        self._markets = markets
        self._oracle = oracle
        self._safeguards = safeguards
        self._witness = witness
        self._states = TrackedDict({each.market: each for each in states}, name=f"{instance}.states")

    async def serve(self, process: Instance, routing: Routing, settings: Settings, first_round: int = 0) -> None:
        """The life of an instance that has just been started: loader and tick loop, at once."""
        self._safeguards = load_config(self._safeguards)
        process.spawn(self.load, process, routing, name="loader")
        process.spawn(self.run_ticks, routing, settings, first_round, name="ticks")

    async def save_at_the_end(self, process: Instance, routing: Routing) -> None:
        """The life of an instance that is about to be stopped: when it is, it saves the state of every market."""
        database = routing.connect()
        process.ready()
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                states = [self._states[market] for market in self._markets]
                await self._save(database, states)
            self._witness.writer_stopped(self.instance, self._markets)

    async def _save(self, database: Database, states: Sequence[MarketState]) -> None:
        """Save them; what the store gives up is tried again."""
        while True:
            try:
                return await self._network.call_until_answered(database.name, database.save_states, states)
            except StoreError:
                await trio.sleep(1)

    async def load(self, process: Instance, routing: Routing) -> None:
        """The loader: read the saved states one by one, then be ready."""
        database = routing.connect_to_read()
        for market in self._markets:
            state = await self._network.call_until_answered(database.name, database.read_state, market)
            if state.present:
                self._states[market] = state
        self.ready.set(True)
        process.ready()
        self._witness.state_loaded(self.instance)

    async def run_ticks(
        self, routing: Routing, settings: Settings, first_round: int = 0, write_ns: TimeNs = NO_TIME
    ) -> None:
        """The tick loop: publish the values of every market in each round of the oracle.

        `write_ns`: how long an overloaded instance takes to make a write ready that is not the first of its round.
        """
        if self._safeguards.require_ready:
            await racewindow.until(self.ready.get)
        for number in range(first_round, first_round + settings.ticks):
            if number > 0:
                await trio.sleep_until(to_trio_seconds(settings.round_ns(number)))
            try:
                await self._tick(routing, write_ns)
            except (CallError, StoreError) as error:
                self._witness.call_failed(self.instance, str(error))

    async def _tick(self, routing: Routing, write_ns: TimeNs) -> None:
        """One round. Other tasks may run while the oracle answers, and before each market is published."""
        states = self._recall()
        answer = await self._network.call(self._oracle.name, self._oracle.latest)
        if self._safeguards.atomic_batch:
            batch = tuple(self._advance(state, answer) for state in states)
            if batch and self._may_write(routing):
                if write_ns:
                    await trio.sleep(to_trio_seconds(write_ns))
                await self._publish(routing, batch)
            return
        for number, state in enumerate(states):
            if self._may_write(routing):
                if number and write_ns:
                    await trio.sleep(to_trio_seconds(write_ns))
                await self._publish(routing, (self._advance(state, answer),))

    def _may_write(self, routing: Routing) -> bool:
        """Whether it holds the lease, if it has to; by the time that the write arrives it may not any more."""
        return not self._safeguards.lease or routing.holds_lease(self._token)

    async def _publish(self, routing: Routing, batch: Batch) -> None:
        """Write values to the store."""
        await self._network.call(routing.name, routing.publish, batch, self._token)

    def _recall(self) -> list[MarketState]:
        """The states to go on from: of every market, or with `presence_required` only those that are there.

        Then none at all, if the markets are published together and one of them is missing.
        """
        states = [self._states.get(market) or missing_state(market) for market in self._markets]
        missing = tuple(state.market for state in states if not state.present)
        if not missing:
            return states
        refused = self._safeguards.presence_required
        self._witness.state_missing(self.instance, missing, refused=refused)
        if not refused:
            return states
        return [] if self._safeguards.atomic_batch else [state for state in states if state.present]

    def _advance(self, state: MarketState, answer: OracleRound) -> MarketValues:
        """Bring a market's state up to the oracle's round; returns the values to publish.

        The funding index is integrated from the time that the state stands at. A state without a time starts now.
        """
        market, now_ns = state.market, answer.time_ns
        since_ns = now_ns if state.source_ts_ns is None else state.source_ts_ns
        accrued_e8 = self._oracle.funding_between_e8(market, since_ns, now_ns)
        index_e8 = FundingIndexE8(state.funding_index_e8 + accrued_e8)
        origin = state.provenance
        provenance = Provenance(self.instance, origin.producer, origin.from_saved_state)
        self._states[market] = MarketState(
            market=market,
            fair_basis_e8=state.fair_basis_e8,
            funding_index_e8=index_e8,
            present=True,
            source_ts_ns=now_ns,
            generation=answer.generation,
            provenance=provenance,
        )
        return MarketValues(
            market=market,
            mark_price_e8=mark_price_e8(self._oracle.price_e8(market, now_ns), state.fair_basis_e8),
            funding_index_e8=index_e8,
            present=True,
            source_ts_ns=now_ns,
            generation=answer.generation,
            provenance=provenance,
        )
