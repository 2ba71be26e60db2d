"""The audit and the ground-truth oracle, against a naive re-computation over generated accounts and feeds."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from racewindow import Event, History, Judgement
from racewindow_models.checkers_accounts import no_false_liquidation
from racewindow_models.feed import Feed, Recording
from racewindow_models.margin import Account
from racewindow_models.refunds import Harm, Refund, What, audit, beyond_the_band_e8, refund_report, worth_e8
from racewindow_models.units import (
    E8,
    AccountName,
    BlockHeight,
    FundingIndexE8,
    FundingRateE8,
    PriceE8,
    SizeE8,
    TimeNs,
    UsdtE8,
)
from racewindow_models.window import Window, prepare
from tests.models.variants import naive_truth

PARAMS = {"markets": 1, "tick_seconds": 5, "max_age_seconds": 15, "opening_index_percent": 10, "basis_bps": 20}

feeds = st.builds(
    lambda prices, rates: Feed(
        (Recording("BTC", tuple(PriceE8(each * E8 // 100) for each in prices)),),
        tuple(FundingRateE8(each * 10_000) for each in rates),
    ),
    st.lists(st.integers(5_000, 20_000), min_size=2, max_size=12),
    st.lists(st.integers(-500, 500), min_size=1, max_size=4),
)
seconds = st.fractions(0, 70, max_denominator=10)


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    size, entry = draw(st.integers(-300, 300)) * E8 // 100, draw(st.integers(5_000, 20_000)) * E8 // 100
    margin = Fraction(abs(size) * entry * draw(st.integers(2, 40)), E8 * 100)
    return Account(
        AccountName("a"),
        prepare_btc().markets[0],
        SizeE8(size),
        PriceE8(entry),
        UsdtE8(int(margin)),
        FundingIndexE8(draw(st.integers(0, 30)) * E8),
    )


def prepare_btc() -> Window:
    return prepare(Feed((Recording("BTC", (PriceE8(100 * E8),) * 2),), (FundingRateE8(0),)), PARAMS)


def at(time: Fraction) -> TimeNs:
    return TimeNs(int(time * 10**9))


# --- the naive side: no code of the models, fractions of seconds, every tick on its own -------------------------------


def naive_value(account: Account, mark: int, index: int) -> int:
    return math.floor(naive_exact(account, mark, index))


def naive_exact(account: Account, mark: int, index: int) -> Fraction:
    gain = Fraction(account.size_e8, E8) * (mark - account.entry_price_e8 - index + account.cached_index_e8)
    return account.collateral_e8 + gain


def naive_solvent(account: Account, mark: int, index: int) -> bool:
    needed = Fraction(abs(account.size_e8 * mark), E8) * Fraction(5, 100)
    return naive_exact(account, mark, index) >= needed


def naive_ticks(start: Fraction, end: Fraction) -> list[Fraction]:
    return [start, *(Fraction(t) for t in range(0, 200, 5) if start < t < end), end]


def naive_worth(account: Account, feed: Feed, start: Fraction, end: Fraction) -> int:
    for time in naive_ticks(start, end):
        mark, index = naive_truth(feed, 0, time, PARAMS)
        if account.size_e8 and not naive_solvent(account, mark, index):
            return max(0, naive_value(account, mark, index))
    return naive_value(account, *naive_truth(feed, 0, end, PARAMS))


def naively_wrong(account: Account, feed: Feed, time: Fraction) -> bool:
    """Whether the account was solvent at all times whose values may have been used."""
    times = naive_ticks(max(Fraction(0), time - PARAMS["max_age_seconds"]), time)
    return all(naive_solvent(account, *naive_truth(feed, 0, each, PARAMS)) for each in times)


# --- they agree -------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(feeds, accounts(), seconds, seconds)
def test_what_an_account_would_be_worth(feed: Feed, account: Account, one: Fraction, other: Fraction) -> None:
    start, end = sorted((one, other))
    truth = prepare(feed, PARAMS).truth
    assert worth_e8(account, truth, at(start), at(end)) == naive_worth(account, feed, start, end)


@settings(max_examples=60)
@given(feeds, accounts(), accounts(), seconds, seconds)
def test_what_is_owed_for_a_liquidation(
    feed: Feed, before: Account, after: Account, one: Fraction, other: Fraction
) -> None:
    time, end = sorted((one, other))
    left = replace(after, size_e8=SizeE8(0))
    wrong = naively_wrong(before, feed, time)
    owed = max(0, naive_worth(before, feed, time, end) - left.collateral_e8) if wrong else 0
    (refund,) = audited(feed, harm(before, left, at(time)), at(end))
    assert refund.owed_e8 == owed


@settings(max_examples=60)
@given(feeds, accounts(), seconds)
def test_the_oracle_calls_a_liquidation_false_if_it_naively_is(feed: Feed, account: Account, time: Fraction) -> None:
    window = prepare(feed, PARAMS)
    data = {"account": account, "height": BlockHeight(1), "used": window.values}
    history = History((Event(at(time), "liquidator", 1, "account.liquidated", data),), PARAMS, feed=feed)
    found = no_false_liquidation.check(history).judgement is Judgement.VIOLATED
    assert found == naively_wrong(account, feed, time)


def harm(before: Account, after: Account, time_ns: TimeNs) -> Harm:
    return Harm(What.LIQUIDATED, before, after, before.size_e8, PriceE8(90 * E8), PriceE8(100 * E8), time_ns, 0)


def audited(feed: Feed, each: Harm, end_ns: TimeNs, epoch: int = 0) -> list[Refund]:
    return audit([each], prepare(feed, PARAMS).truth, end_ns, epoch, TimeNs(15 * 10**9))


# --- by hand ----------------------------------------------------------------------------------------------------------

FLAT_FEED = Feed((Recording("BTC", (PriceE8(100 * E8),) * 20),), (FundingRateE8(0),))
LONG = Account(
    AccountName("long"), prepare_btc().markets[0], SizeE8(2 * E8), PriceE8(100 * E8), UsdtE8(50 * E8), FundingIndexE8(0)
)


def test_what_a_rollback_has_undone_is_owed_nothing_and_said_so() -> None:
    left = replace(LONG, size_e8=SizeE8(0), collateral_e8=UsdtE8(0))
    (refund,) = audited(FLAT_FEED, harm(LONG, left, TimeNs(0)), TimeNs(10**9), epoch=1)
    assert (refund.owed_e8, refund.why) == (0, "the rollback has undone it")


def test_a_triggered_order_is_owed_what_it_lost_beyond_the_band() -> None:
    each = replace(harm(LONG, LONG, TimeNs(0)), what=What.TRIGGERED)
    assert beyond_the_band_e8(each) == 2 * (100 * E8 - 5 * E8 // 100 - 90 * E8)
    within = replace(each, price_e8=PriceE8(9_996 * E8 // 100))
    assert beyond_the_band_e8(within) == 0
    bought_high = replace(each, size_e8=SizeE8(-2 * E8), price_e8=PriceE8(110 * E8))
    assert beyond_the_band_e8(bought_high) == 2 * (110 * E8 - 100 * E8 - 5 * E8 // 100)


def test_the_report_has_a_line_for_each_and_the_sum() -> None:
    refunds = [
        Refund(AccountName("a"), "liquidated", UsdtE8(3 * E8), "why a"),
        Refund(AccountName("b"), "liquidated", UsdtE8(0), "why b"),
    ]
    events = [Event(0, "operator", 1, "refund.decided", {"refund": each}) for each in refunds]
    assert refund_report(events).splitlines() == [
        "a: liquidated; owed 3.00 USDT: why a",
        "b: liquidated; owed 0.00 USDT: why b",
        "3.00 USDT to 1 of 2 accounts",
    ]
