"""Hand-written histories: a small feed with round numbers, true values made from it, and the events of a window."""

from __future__ import annotations

from typing import Any

from racewindow import Event, History
from racewindow_models.chain import Block
from racewindow_models.feed import Feed, Recording
from racewindow_models.margin import Account, account_value_e8
from racewindow_models.units import (
    E8,
    AccountName,
    BlockHeight,
    FundingIndexE8,
    FundingRateE8,
    Generation,
    MarketName,
    PriceE8,
    SizeE8,
    TimeNs,
    UsdtE8,
    nanoseconds,
)
from racewindow_models.values import NOBODY, MarketValues, Provenance
from racewindow_models.window import LAST_GOOD_HEIGHT, Window, prepare

BTC, PAXG = MarketName("BTC"), MarketName("PAXG")
RATE_E8 = FundingRateE8(10_000)
FEED = Feed(
    (
        Recording(BTC, tuple(PriceE8((92_600 + 10 * row) * E8) for row in range(20))),
        Recording(PAXG, tuple(PriceE8((2_700 - row) * E8) for row in range(20))),
    ),
    (RATE_E8,),
)
SAVED = Provenance("writer-2", "writer-1", from_saved_state=True)
UNLOADED = Provenance("writer-2", NOBODY, from_saved_state=False)


def at(seconds: int) -> TimeNs:
    return nanoseconds(seconds)


def window(feed: Feed = FEED, **params: Any) -> Window:
    return prepare(feed, params)


def true_values(market: MarketName, seconds: int, feed: Feed = FEED, **params: Any) -> MarketValues:
    """What a writer that has loaded its state publishes of a market at a time."""
    truth = window(feed, **params).truth[market]
    return MarketValues(
        market=market,
        mark_price_e8=truth.mark_price_e8(at(seconds)),
        funding_index_e8=truth.funding_index_e8(at(seconds)),
        present=True,
        source_ts_ns=at(seconds),
        generation=Generation(seconds // 5),
        provenance=SAVED,
    )


def block(number: int, seconds: int, *batch: MarketValues) -> Block:
    """The block `number` above the last one before the window, from 1."""
    return Block(BlockHeight(LAST_GOOD_HEIGHT + number), at(seconds), batch)


def on_chain(appended: Block) -> Event:
    return Event(appended.time_ns, "committer", appended.height - LAST_GOOD_HEIGHT, "chain.block", {"block": appended})


def in_cloud(stored: Block) -> Event:
    data = {"height": stored.height, "batch": stored.batch}
    return Event(stored.time_ns, "committer", stored.height - LAST_GOOD_HEIGHT, "cloud.batch", data)


def short(collateral: int = 9_260, size: int = 1) -> Account:
    """Ten times short one BTC at 92,600, with the index cached that held at the time."""
    return Account(
        AccountName("BTC-short-1"),
        BTC,
        SizeE8(-size * E8),
        PriceE8(92_600 * E8),
        UsdtE8(collateral * E8),
        window().truth[BTC].funding_index_e8(TimeNs(0)),
    )


def liquidation(account: Account, used: MarketValues, seconds: int, *, number: int = 1, **changed: Any) -> Event:
    """The event of a liquidation by `used`, with collateral conserved unless `changed` says otherwise."""
    left_e8 = max(0, account_value_e8(account, used.mark_price_e8, used.funding_index_e8))
    data = {
        "account": account,
        "height": BlockHeight(LAST_GOOD_HEIGHT + number),
        "used": (used,),
        "left_e8": left_e8,
        "vault_e8": account.collateral_e8 - left_e8,
        "truth": window().truth,
    }
    return Event(at(seconds), "liquidator", number, "account.liquidated", data | changed)


def history(*events: Event, feed: Feed | None = FEED, finished: bool = True, **params: Any) -> History:
    return History(events=events, params=params, feed=feed, end_ns=at(100), finished=finished)


ZERO = FundingIndexE8(0)
