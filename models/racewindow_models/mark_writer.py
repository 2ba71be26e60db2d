"""The market-data writer of a reopening: samples the fair basis from the venue's own book, and publishes on the chain.

In each round it asks the oracle and the book, smooths the basis, and appends the values of all markets to the chain. In
the older documented form two of three votes come from the book, so a thin one moves the mark. With
`external_mark_at_reopen` the book has no vote until the markets are open and their spreads are at most 1%.
"""

from __future__ import annotations

from collections.abc import Sequence

import trio

from racewindow import Cell, Instance, Network
from racewindow_models.book import Mode, OrderBook, Quotes
from racewindow_models.chain import Chain
from racewindow_models.cloud import CloudStore
from racewindow_models.fair import basis_e8, ewma_e8, external_basis_e8, fair_basis_vote_e8, is_thin, mid_e8
from racewindow_models.ground_truth import mark_price_e8
from racewindow_models.market_witness import MarketWitness
from racewindow_models.oracle import OracleRound, SpotOracle
from racewindow_models.safeguards import Safeguards
from racewindow_models.settings import Settings
from racewindow_models.units import FairBasisE8, FundingIndexE8, MarketName, PriceE8, TimeNs, to_trio_seconds
from racewindow_models.values import MarketState, MarketValues, Provenance
from racewindow_models.witness import Witness

SPOT_ORACLE, OWN_BOOK, OTHER_VENUES = "the spot oracle", "the venue's own book", "other venues"


class MarkWriter:
    """One instance of the writer, which has its state.

    `fresh`: whether all that the marks are made of is, other than for `max_age` a book that was thin. `cloud`: the
    second sink, if there is one.
    """

    def __init__(
        self,
        instance: str,
        states: Sequence[MarketState],
        *,
        oracle: SpotOracle,
        book: OrderBook,
        chain: Chain,
        network: Network,
        safeguards: Safeguards,
        settings: Settings,
        witness: Witness,
        market_witness: MarketWitness,
        cloud: CloudStore | None = None,
    ) -> None:
        self.instance, self._cloud = instance, cloud
        self.fresh = Cell(False, name=f"{instance}.fresh")  # noqa: FBT003
        self._states = {each.market: each for each in states}
        self._own_e8 = {each.market: each.fair_basis_e8 for each in states}  # too slow an average to move in minutes
        self._thin_ns: dict[MarketName, TimeNs] = {}
        self._oracle, self._book, self._chain, self._network = oracle, book, chain, network
        self._safeguards, self._settings = safeguards, settings
        self._witness, self._market_witness = witness, market_witness

    async def run(self, process: Instance, first_round: int, rounds: int) -> None:
        """Publish in each round."""
        process.ready()
        for number in range(first_round, first_round + rounds):
            await trio.sleep_until(to_trio_seconds(self._settings.round_ns(number)))
            answer = await self._network.call(self._oracle.name, self._oracle.latest)
            shown = await self._network.call(self._book.name, self._book.quotes, tuple(self._states))
            batch = tuple(
                self._advance(state, answer, quotes)
                for state, quotes in zip(list(self._states.values()), shown, strict=True)
            )
            block = self._chain.append(batch, self._witness.now_ns)
            self._witness.block_appended(block)
            fresh = (
                self._is_fresh(market, each, answer.time_ns) for market, each in zip(self._states, shown, strict=True)
            )
            self.fresh.set(all(fresh))
            if self._cloud is not None:
                await trio.lowlevel.checkpoint()
                self._cloud.store(block.height, batch)
                self._witness.batch_stored(block.height, batch)

    def external_fair_price_e8(self, market: MarketName, time_ns: TimeNs) -> PriceE8:
        """Spot by the oracle, and the median basis of other venues and of the venue's own slow average."""
        own_e8 = self._own_e8[market]
        return mark_price_e8(self._oracle.price_e8(market, time_ns), external_basis_e8(own_e8, own_e8))

    def _is_fresh(self, market: MarketName, quotes: Quotes, now_ns: TimeNs) -> bool:
        """Whether the book of a market is not thin, and had no vote while it was for `max_age`; or has none at all."""
        if self._is_external(quotes):
            return True
        thin_ns = self._thin_ns.get(market)
        was_thin = thin_ns is not None and now_ns - thin_ns <= self._settings.max_age_ns
        return not is_thin(quotes.bid_e8, quotes.ask_e8) and not was_thin

    def _advance(self, state: MarketState, answer: OracleRound, quotes: Quotes) -> MarketValues:
        """Bring a market's state up to the oracle's round; returns the values to publish."""
        market, now_ns = state.market, answer.time_ns
        spot_e8 = self._oracle.price_e8(market, now_ns)
        basis = self._sampled(state, spot_e8, quotes, now_ns)
        since_ns = now_ns if state.source_ts_ns is None else state.source_ts_ns
        index_e8 = FundingIndexE8(state.funding_index_e8 + self._oracle.funding_between_e8(market, since_ns, now_ns))
        sources = (SPOT_ORACLE, OTHER_VENUES) if self._is_external(quotes) else (SPOT_ORACLE, OTHER_VENUES, OWN_BOOK)
        origin = Provenance(self.instance, self.instance, True, sources, self._thin_ns.get(market))  # noqa: FBT003
        self._states[market] = MarketState(market, basis, index_e8, True, now_ns, answer.generation, origin)  # noqa: FBT003
        mark_e8 = mark_price_e8(spot_e8, basis)
        return MarketValues(market, mark_e8, index_e8, True, now_ns, answer.generation, origin)  # noqa: FBT003

    def _is_external(self, quotes: Quotes) -> bool:
        """Whether the book of a market has no vote."""
        is_reopening = self._book.mode is not Mode.OPEN or is_thin(quotes.bid_e8, quotes.ask_e8)
        return self._safeguards.external_mark_at_reopen and is_reopening

    def _sampled(self, state: MarketState, spot_e8: PriceE8, quotes: Quotes, now_ns: TimeNs) -> FairBasisE8:
        """The smoothed basis after this round's sample."""
        external_e8 = external_basis_e8(self._own_e8[state.market], self._own_e8[state.market])
        if self._is_external(quotes):
            return external_e8
        middle_e8 = mid_e8(quotes.bid_e8, quotes.ask_e8)
        last = None if quotes.last_e8 is None else basis_e8(quotes.last_e8, spot_e8)
        middle = None if middle_e8 is None else basis_e8(middle_e8, spot_e8)
        has_vote = last is not None or middle is not None
        if has_vote and is_thin(quotes.bid_e8, quotes.ask_e8):
            self._thin_ns[state.market] = now_ns
        sample_e8 = fair_basis_vote_e8(last, middle, external_e8)
        smoothed_e8 = ewma_e8(state.fair_basis_e8, sample_e8)
        if smoothed_e8 != external_e8:
            votes = {"last trade": last, "mid": middle, "other venues": external_e8}
            mark_e8 = mark_price_e8(spot_e8, smoothed_e8)
            self._market_witness.mark_skewed(state.market, votes, smoothed_e8, mark_e8)
        return smoothed_e8
