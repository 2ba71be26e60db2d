"""What a maintenance window looks like before anything has happened, computed once per feed and settings.

An exploration runs thousands of executions of the same window; only the order of events differs between them. So
everything here is frozen and shared by all of them, services and checkers alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from racewindow_models.chain import Block
from racewindow_models.cross import CrossAccount, open_cross_accounts
from racewindow_models.feed import Feed
from racewindow_models.ground_truth import GroundTruth, MarketTruth
from racewindow_models.margin import Account, open_accounts
from racewindow_models.oracle import SpotSeries
from racewindow_models.settings import Settings
from racewindow_models.units import (
    BlockHeight,
    FundingIndexE8,
    Generation,
    MarketName,
    PriceE8,
    TimeNs,
)
from racewindow_models.values import Batch, MarketState, MarketValues, Provenance

OLD_WRITER = "writer-1"
NEW_WRITER = "writer-2"
LAST_GOOD_HEIGHT = BlockHeight(1_604_710)
"""The last block before the maintenance of 2026-01-19, to which the chain was rolled back."""
START_NS = TimeNs(0)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The settings, the truth, and the state of everything at virtual time 0.

    `accounts` have a position in one market, `cross_accounts` one in every market. `states` are what the old writer
    knows, `values` what it published last; `block` is the last block before the window, which holds the same values.
    """

    settings: Settings
    series: tuple[SpotSeries, ...]
    truth: GroundTruth
    accounts: tuple[Account, ...]
    cross_accounts: tuple[CrossAccount, ...]
    states: tuple[MarketState, ...]
    values: Batch
    block: Block

    @property
    def markets(self) -> tuple[MarketName, ...]:
        """The names of all markets, in order."""
        return tuple(each.market for each in self.series)


def prepare(feed: Feed, params: Mapping[str, Any]) -> Window:
    """The window of a feed and the parameters of a scenario; made once, then found again."""
    return feed.derived(("window", *params.items()), lambda: _make(feed, Settings.of(params)))


def _make(feed: Feed, settings: Settings) -> Window:
    truths = tuple(_market_truth(feed, number, settings) for number in range(settings.markets))
    end_ns = settings.round_ns(max(settings.ticks, settings.batches))
    values = tuple(_opening_values(truth) for truth in truths)
    return Window(
        settings=settings,
        series=tuple(truth.series for truth in truths),
        truth=GroundTruth(truths),
        accounts=tuple(account for truth in truths for account in open_accounts(truth, settings.accounts, end_ns)),
        cross_accounts=open_cross_accounts(truths, settings.cross, end_ns),
        states=tuple(_opening_state(truth) for truth in truths),
        values=values,
        block=Block(LAST_GOOD_HEIGHT, START_NS, values),
    )


def _market_truth(feed: Feed, number: int, settings: Settings) -> MarketTruth:
    recording = feed.market(number)
    series = SpotSeries.of(MarketName(recording.name), recording.prices_e8, feed.funding_rates_e8, settings.tick_ns)
    opening_index_e8 = FundingIndexE8(PriceE8(recording.prices_e8[0]) * settings.opening_index_percent // 100)
    return MarketTruth(series, settings.fair_basis_e8, opening_index_e8)


_SAVED = Provenance(producer=OLD_WRITER, state_by=OLD_WRITER, from_saved_state=True)


def _opening_state(truth: MarketTruth) -> MarketState:
    return MarketState(
        market=truth.market,
        fair_basis_e8=truth.fair_basis_e8,
        funding_index_e8=truth.funding_index_e8(START_NS),
        present=True,
        source_ts_ns=START_NS,
        generation=Generation(0),
        provenance=_SAVED,
    )


def _opening_values(truth: MarketTruth) -> MarketValues:
    return MarketValues(
        market=truth.market,
        mark_price_e8=truth.mark_price_e8(START_NS),
        funding_index_e8=truth.funding_index_e8(START_NS),
        present=True,
        source_ts_ns=START_NS,
        generation=Generation(0),
        provenance=_SAVED,
    )
