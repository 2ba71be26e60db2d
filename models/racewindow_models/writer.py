"""The market-data writer: computes each market's mark price and funding index and publishes them.

An instance keeps the state of every market in memory. When it is started it runs two tasks: a loader, which reads the
saved states from the database one by one, and a tick loop, which publishes values in each round of the oracle. Nothing
but a safeguard makes the second wait for the first: that is hypothesis H1, read before ready.

What the tick loop does with a state that is not there is what code does that reads a missing number as 0: it computes
on. The mark price then lacks the fair basis, and the funding index starts again at 0.
"""

from __future__ import annotations

from collections.abc import Iterable

import trio

import racewindow
from racewindow import Cell, TrackedDict
from racewindow_models.database import Database, Routing
from racewindow_models.ground_truth import mark_price_e8
from racewindow_models.oracle import OracleRound, SpotOracle
from racewindow_models.safeguards import Safeguards
from racewindow_models.settings import Settings
from racewindow_models.units import FundingIndexE8, MarketName, to_trio_seconds
from racewindow_models.values import MarketState, MarketValues, Provenance, missing_state
from racewindow_models.witness import Witness


class MarketDataWriter:
    """One instance of the writer.

    `ready` is set once every state has been loaded. An instance made with `states` is a running one.
    """

    def __init__(
        self,
        instance: str,
        *,
        markets: tuple[MarketName, ...],
        oracle: SpotOracle,
        safeguards: Safeguards,
        witness: Witness,
        states: Iterable[MarketState] = (),
    ) -> None:
        self.instance = instance
        self.ready = Cell(False, name=f"{instance}.ready")  # noqa: FBT003  # the value of the cell
        self._markets = markets
        self._oracle = oracle
        self._safeguards = safeguards
        self._witness = witness
        self._states = TrackedDict({each.market: each for each in states}, name=f"{instance}.states")

    async def save_when_told(self, told: trio.Event, gone: trio.Event, database: Database) -> None:
        """The end of a running instance: when told to stop, save the state of every market and be gone."""
        await told.wait()
        await database.save_states([self._states[market] for market in self._markets])
        self._witness.writer_stopped(self.instance, self._markets)
        gone.set()

    async def load(self, routing: Routing) -> None:
        """The loader: read the saved states one by one, then be ready."""
        database = routing.connect()
        for market in self._markets:
            state = await database.read_state(market)
            if state.present:
                self._states[market] = state
        self.ready.set(True)
        self._witness.state_loaded(self.instance)

    async def run_ticks(self, routing: Routing, settings: Settings) -> None:
        """The tick loop: publish the values of every market in each round of the oracle."""
        database = routing.connect()
        if self._safeguards.require_ready:
            await racewindow.until(self.ready.get)
        for number in range(settings.ticks):
            if number > 0:
                await trio.sleep_until(to_trio_seconds(settings.round_ns(number)))
            await self._tick(database)

    async def _tick(self, database: Database) -> None:
        """One round. Other tasks may run while the oracle answers, and before each market is published."""
        states = self._recall()
        answer = await self._oracle.latest()
        if self._safeguards.atomic_batch:
            batch = tuple(self._advance(state, answer) for state in states)
            if batch:
                await database.publish(batch)
                self._witness.published(batch)
            return
        for state in states:
            values = self._advance(state, answer)
            await database.publish((values,))
            self._witness.published((values,))

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
