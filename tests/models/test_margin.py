"""Account value, margin and the accounts of a window, against the formulas in fractions and the documented example."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from racewindow_models.feed import Feed, Recording, load
from racewindow_models.margin import (
    Account,
    account_value_e8,
    is_solvent,
    maintenance_margin_e8,
)
from racewindow_models.units import (
    E8,
    AccountName,
    FundingIndexE8,
    FundingRateE8,
    MarketName,
    PriceE8,
    SizeE8,
    TimeNs,
    UsdtE8,
)
from racewindow_models.window import Window, prepare

amounts = st.integers(-(10**14), 10**14)


def account(size_e8: int, entry_e8: int, collateral_e8: int, cached_e8: int) -> Account:
    return Account(
        AccountName("a"),
        MarketName("BTC"),
        SizeE8(size_e8),
        PriceE8(entry_e8),
        UsdtE8(collateral_e8),
        FundingIndexE8(cached_e8),
    )


def test_a_reset_index_charges_the_lifetime_of_funding() -> None:
    """BTC at 92,600, index 12,000, ten times short of 1 BTC: a reset costs 12,000 at an unchanged price."""
    price, index = PriceE8(92_600 * E8), FundingIndexE8(12_000 * E8)
    short = account(-E8, price, 9_260 * E8, index)
    long = account(E8, price, 9_260 * E8, index)

    assert account_value_e8(short, price, index) == 9_260 * E8
    assert account_value_e8(short, price, FundingIndexE8(0)) == -2_740 * E8
    assert account_value_e8(long, price, FundingIndexE8(0)) == 21_260 * E8
    assert is_solvent(short, price, index)
    assert not is_solvent(short, price, FundingIndexE8(0))


@given(size=amounts, entry=amounts, collateral=amounts, cached=amounts, mark=amounts, index=amounts)
def test_value_is_collateral_and_profit_and_funding(
    *, size: int, entry: int, collateral: int, cached: int, mark: int, index: int
) -> None:
    it = account(size, entry, collateral, cached)

    units = Fraction(size, E8)
    expected = collateral + units * (mark - entry) + -units * (index - cached)

    assert account_value_e8(it, PriceE8(mark), FundingIndexE8(index)) == math.floor(expected)


@given(size=amounts, mark=amounts)
def test_margin_is_a_share_of_the_notional_whatever_the_signs(size: int, mark: int) -> None:
    margin_e8 = maintenance_margin_e8(account(size, 0, 0, 0), PriceE8(mark))

    assert margin_e8 == math.floor(abs(Fraction(size, E8) * mark) / 20)


@given(size=st.integers(1, 10**12), index=amounts, mark=amounts)
def test_a_wrong_index_is_zero_sum(size: int, index: int, mark: int) -> None:
    """What `conservation` cannot see: long and short together are worth the same under any index."""
    pair = [account(sign * size * E8, 0, 0, 0) for sign in (1, -1)]

    assert sum(account_value_e8(each, PriceE8(mark), FundingIndexE8(index)) for each in pair) == 0


def always_solvent(window: Window, it: Account) -> bool:
    """Whether the account stays above its maintenance margin under ground truth, from start to end."""
    truth, settings = window.truth[it.market], window.settings
    end_ns = settings.round_ns(max(settings.ticks, settings.batches))
    times = map(TimeNs, range(0, end_ns + 1, settings.tick_ns))
    return all(is_solvent(it, truth.mark_price_e8(time), truth.funding_index_e8(time)) for time in times)


@given(
    prices=st.lists(st.integers(1, 10**13) | st.integers(10**8, 2 * 10**8), min_size=1, max_size=20),
    rate=st.integers(-(10**6), 10**6),
    percent=st.integers(-20, 20),
)
def test_under_ground_truth_nobody_is_ever_liquidated(prices: list[int], rate: int, percent: int) -> None:
    feed = Feed((Recording("BTC", tuple(map(PriceE8, prices))),), (FundingRateE8(rate),))
    window = prepare(feed, {"opening_index_percent": percent, "accounts": 4})

    assert len(window.accounts) == 8
    for it in window.accounts:
        assert always_solvent(window, it), it


def test_the_default_accounts_are_ten_times_leveraged_and_fall_with_the_index() -> None:
    window = prepare(load(), {})

    assert [it.name for it in window.accounts] == ["XRP-long-1", "XRP-short-1", "ETH-long-1", "ETH-short-1"]
    for it in window.accounts:
        notional_e8 = abs(it.size_e8) * it.entry_price_e8 // E8
        assert it.collateral_e8 == notional_e8 // 10
        truth, now_ns = window.truth[it.market], window.settings.window_ns
        assert is_solvent(it, truth.mark_price_e8(now_ns), truth.funding_index_e8(now_ns))
        is_short = it.size_e8 < 0
        assert is_solvent(it, truth.mark_price_e8(now_ns), FundingIndexE8(0)) is not is_short
