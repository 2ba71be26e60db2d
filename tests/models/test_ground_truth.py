"""Oracle and ground truth equal an independent recomputation, second by second and in fractions."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racewindow_models.feed import load
from racewindow_models.ground_truth import GroundTruth, MarketTruth
from racewindow_models.oracle import SpotSeries
from racewindow_models.units import (
    E8,
    FairBasisE8,
    FundingIndexE8,
    FundingRateE8,
    MarketName,
    PriceE8,
    TimeNs,
    nanoseconds,
)
from racewindow_models.window import prepare

prices_e8 = st.lists(st.integers(-(10**9), 10**14), min_size=1, max_size=8)
rates_e8 = st.lists(st.integers(-5_000_000, 5_000_000), min_size=1, max_size=8)
seconds = st.integers(0, 60)


def series_of(prices: list[int], rates: list[int], tick_seconds: int) -> SpotSeries:
    return SpotSeries.of(
        MarketName("BTC"), [PriceE8(p) for p in prices], [FundingRateE8(r) for r in rates], nanoseconds(tick_seconds)
    )


def row(rows: list[int], number: int) -> int:
    """The row of a tick: after the last one, the last one holds on."""
    return rows[number] if number < len(rows) else rows[-1]


def naive_funding(prices: list[int], rates: list[int], tick_seconds: int, until: int) -> Fraction:
    """The funding premium in USDT per unit, one second after the other."""
    total = Fraction(0)
    for second in range(until):
        tick = second // tick_seconds
        price, rate = Fraction(row(prices, tick), E8), Fraction(row(rates, tick), E8)
        total += price * rate / (8 * 3600)
    return total


@given(prices=prices_e8, rates=rates_e8, tick_seconds=st.integers(1, 9), until=seconds)
def test_funding_is_the_integral_of_the_premium(
    prices: list[int], rates: list[int], tick_seconds: int, until: int
) -> None:
    series = series_of(prices, rates, tick_seconds)

    assert series.funding_e8(nanoseconds(until)) == math.floor(naive_funding(prices, rates, tick_seconds, until) * E8)


@given(prices=prices_e8, rates=rates_e8, cuts=st.lists(st.integers(0, 60 * 10**9), min_size=2, max_size=6))
def test_funding_of_adjoining_spans_adds_up_to_the_last_digit(
    prices: list[int], rates: list[int], cuts: list[int]
) -> None:
    series = series_of(prices, rates, 5)
    times = sorted(map(TimeNs, cuts))

    parts = [series.funding_e8(b) - series.funding_e8(a) for a, b in pairwise(times)]

    assert sum(parts) == series.funding_e8(times[-1]) - series.funding_e8(times[0])


@given(prices=prices_e8, tick_seconds=st.integers(1, 9), at=seconds, basis_bps=st.integers(-100, 100))
def test_mark_price_is_spot_and_basis(prices: list[int], tick_seconds: int, at: int, basis_bps: int) -> None:
    truth = MarketTruth(series_of(prices, [0], tick_seconds), FairBasisE8(basis_bps * 10_000), FundingIndexE8(0))

    expected = row(prices, at // tick_seconds) * (1 + Fraction(basis_bps, 10_000))

    assert truth.mark_price_e8(nanoseconds(at)) == math.floor(expected)


def test_a_round_holds_from_its_start_to_just_before_the_next() -> None:
    series = series_of([10, 20, 30], [0], 5)

    held = [series.price_e8(TimeNs(ns)) for ns in (0, 5 * 10**9 - 1, 5 * 10**9, 10 * 10**9, 10**12)]

    assert held == [10, 10, 20, 30, 30]


@given(prices=prices_e8, start=seconds, length=seconds)
def test_prices_between_are_those_that_held_at_some_time(prices: list[int], start: int, length: int) -> None:
    series = series_of(prices, [0], 5)

    held = {series.price_e8(nanoseconds(second)) for second in range(start, start + length + 1)}

    assert set(series.prices_between(nanoseconds(start), nanoseconds(start + length))) == held


@pytest.mark.parametrize(("percent", "index"), [(10, 12_143_100), (0, 0), (-10, -12_143_100)])
def test_the_opening_index_is_a_share_of_the_first_price(percent: int, index: int) -> None:
    truth = prepare(load(), {"opening_index_percent": percent}).truth[MarketName("XRP")]

    assert truth.opening_index_e8 == truth.funding_index_e8(TimeNs(0)) == index


def test_the_truth_names_its_markets_only() -> None:
    window = prepare(load(), {"markets": 3})

    assert repr(window.truth) == "GroundTruth(XRP, ETH, XRP-2)"
    assert isinstance(window.truth, GroundTruth)
    assert [each.market for each in window.truth.markets] == list(window.markets)
