"""Cross margin: several positions behind one collateral, against a naive re-computation, and in the window."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import racewindow
from racewindow import Event, History, Judgement
from racewindow_models.checkers_accounts import conservation, no_false_liquidation
from racewindow_models.cross import (
    AnyAccount,
    CrossAccount,
    CrossPosition,
    closed,
    is_covered,
    needed_e8,
    open_cross_accounts,
    positions_of,
    quoted,
    true_at,
    value_e8,
    was_covered,
)
from racewindow_models.feed import Feed, Recording, load
from racewindow_models.margin import Account, account_value_e8, is_solvent, maintenance_margin_e8
from racewindow_models.narrate import narrate
from racewindow_models.refunds import Harm, What, audit, worth_e8
from racewindow_models.scenarios.paradex import EXPECTED, paradex
from racewindow_models.scenarios.paradex_day import paradex_day
from racewindow_models.units import (
    E8,
    AccountName,
    BlockHeight,
    FundingIndexE8,
    FundingRateE8,
    MarketName,
    PriceE8,
    SizeE8,
    TimeNs,
    UsdtE8,
)
from racewindow_models.window import prepare
from tests.models.seen import searched, violated, watched, watched_search
from tests.models.variants import naive_truth

PARAMS = {"markets": 2, "tick_seconds": 5, "max_age_seconds": 15, "opening_index_percent": 10, "basis_bps": 20}
MARKETS = MarketName("BTC"), MarketName("PAXG")

prices = st.lists(st.integers(5_000, 20_000), min_size=2, max_size=8)
feeds = st.builds(
    lambda one, other, rates: Feed(
        tuple(
            Recording(market, tuple(PriceE8(each * E8 // 100) for each in recorded))
            for market, recorded in zip(MARKETS, (one, other), strict=True)
        ),
        tuple(FundingRateE8(each * 10_000) for each in rates),
    ),
    prices,
    prices,
    st.lists(st.integers(-500, 500), min_size=1, max_size=4),
)
seconds = st.fractions(0, 50, max_denominator=10)


@st.composite
def accounts(draw: st.DrawFn) -> CrossAccount:
    """An account with a position in either market or in both, with not too much behind them."""
    positions, notional = [], 0
    for market in MARKETS:
        size, entry = draw(st.integers(-300, 300)) * E8 // 100, draw(st.integers(5_000, 20_000)) * E8 // 100
        index = FundingIndexE8(draw(st.integers(0, 30)) * E8)
        positions.append(CrossPosition(market, SizeE8(size), PriceE8(entry), index))
        notional += abs(size) * entry
    collateral = Fraction(notional * draw(st.integers(2, 40)), E8 * 100)
    return CrossAccount(AccountName("a"), UsdtE8(int(collateral)), tuple(positions))


def at(time: Fraction) -> TimeNs:
    return TimeNs(int(time * 10**9))


# --- the naive side: no code of the models, fractions, every tick on its own ------------------------------------------


Numbers = list[tuple[int, int]]
"""Mark price and funding index of each market."""


def naive_numbers(feed: Feed, *times: Fraction) -> Numbers:
    """Those of each market at its own time."""
    return [naive_truth(feed, number, time, PARAMS) for number, time in enumerate(times)]


def naive_value(account: CrossAccount, numbers: Numbers) -> Fraction:
    value = Fraction(account.collateral_e8)
    for each, (mark, index) in zip(account.positions, numbers, strict=False):
        value += Fraction(each.size_e8, E8) * (mark - each.entry_price_e8)
        value -= Fraction(each.size_e8, E8) * (index - each.cached_index_e8)
    return value


def naive_needed(account: CrossAccount, numbers: Numbers) -> Fraction:
    pairs = zip(account.positions, numbers, strict=False)
    return sum((Fraction(abs(each.size_e8 * mark), E8) / 20 for each, (mark, _) in pairs), Fraction(0))


def naive_covered(account: CrossAccount, numbers: Numbers) -> bool:
    return naive_value(account, numbers) >= naive_needed(account, numbers)


def naive_ticks(start: Fraction, end: Fraction) -> list[Fraction]:
    return [start, *(Fraction(t) for t in range(0, 200, 5) if start < t < end), end]


def naively_wrong(account: CrossAccount, feed: Feed, time: Fraction) -> bool:
    """Whether the account was solvent by every pair of values that may have been used, of whatever two times."""
    times = naive_ticks(max(Fraction(0), time - PARAMS["max_age_seconds"]), time)
    return all(naive_covered(account, naive_numbers(feed, *pair)) for pair in product(times, repeat=2))


def naive_worth(account: CrossAccount, feed: Feed, start: Fraction, end: Fraction) -> int:
    for time in naive_ticks(start, end):
        numbers = naive_numbers(feed, time, time)
        if any(each.size_e8 for each in account.positions) and not naive_covered(account, numbers):
            return max(0, math.floor(naive_value(account, numbers)))
    return math.floor(naive_value(account, naive_numbers(feed, end, end)))


# --- they agree -------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(feeds, accounts(), seconds)
def test_what_it_is_worth_and_needs_is_summed_over_its_positions(
    feed: Feed, account: CrossAccount, time: Fraction
) -> None:
    truly, numbers = true_at(prepare(feed, PARAMS).truth, at(time)), naive_numbers(feed, time, time)
    assert value_e8(account, truly) == math.floor(naive_value(account, numbers))
    assert needed_e8(account, truly) == math.floor(naive_needed(account, numbers))
    assert is_covered(account, truly) == naive_covered(account, numbers)


@settings(max_examples=60)
@given(feeds, accounts(), seconds)
def test_the_oracle_calls_a_liquidation_false_if_it_naively_is(
    feed: Feed, account: CrossAccount, time: Fraction
) -> None:
    window = prepare(feed, PARAMS)
    data = {"account": account, "height": BlockHeight(1), "used": window.values}
    history = History((Event(at(time), "liquidator", 1, "account.liquidated", data),), PARAMS, feed=feed)
    found = no_false_liquidation.check(history).judgement is Judgement.VIOLATED
    assert found == naively_wrong(account, feed, time)


@settings(max_examples=60)
@given(feeds, accounts(), st.integers(0, 1_000), seconds, seconds)
def test_what_is_owed_for_a_liquidation(
    feed: Feed, before: CrossAccount, left: int, one: Fraction, other: Fraction
) -> None:
    time, end = sorted((one, other))
    truth, after = prepare(feed, PARAMS).truth, closed(before, UsdtE8(left * E8))
    harm = Harm(What.LIQUIDATED, before, after, SizeE8(0), None, PriceE8(0), at(time), 0)
    (refund,) = audit([harm], truth, at(end), 0, TimeNs(15 * 10**9))
    would = naive_worth(before, feed, time, end)
    assert worth_e8(before, truth, at(time), at(end)) == would
    assert refund.owed_e8 == (max(0, would - left * E8) if naively_wrong(before, feed, time) else 0)
    assert refund.what.startswith("liquidated at ")


@settings(max_examples=60)
@given(feeds, accounts(), seconds)
def test_with_one_position_it_is_an_isolated_account(feed: Feed, account: CrossAccount, time: Fraction) -> None:
    first, truth = account.positions[0], prepare(feed, PARAMS).truth
    one = replace(account, positions=(first,))
    isolated = Account(
        one.name, first.market, first.size_e8, first.entry_price_e8, one.collateral_e8, first.cached_index_e8
    )
    truly = true_at(truth, at(time))
    numbers, each_e8 = truly(first.market), (value_e8(one, truly), needed_e8(one, truly), is_covered(one, truly))
    assert each_e8 == (
        account_value_e8(isolated, *numbers),
        maintenance_margin_e8(isolated, numbers[0]),
        is_solvent(isolated, *numbers),
    )
    assert each_e8 == (value_e8(isolated, truly), needed_e8(isolated, truly), is_covered(isolated, truly))
    assert was_covered(one, truth, at(time), TimeNs(10**10)) == was_covered(isolated, truth, at(time), TimeNs(10**10))


@settings(max_examples=60)
@given(feeds, st.integers(-20, 20))
def test_under_ground_truth_none_of_a_window_is_ever_liquidated(feed: Feed, percent: int) -> None:
    window = prepare(feed, PARAMS | {"opening_index_percent": percent, "cross": 3})
    end_s = window.settings.round_ns(2) // 10**9
    times = [TimeNs(second * 10**9) for second in range(0, end_s + 1, 5)]
    assert len(window.cross_accounts) == 3
    assert all(is_covered(each, true_at(window.truth, time)) for each in window.cross_accounts for time in times)


# --- by hand ----------------------------------------------------------------------------------------------------------


def hedged(collateral: int) -> CrossAccount:
    """Long one BTC and short ten PAXG, both entered at an index of 0."""
    btc = CrossPosition(MARKETS[0], SizeE8(E8), PriceE8(1_000 * E8), FundingIndexE8(0))
    paxg = CrossPosition(MARKETS[1], SizeE8(-10 * E8), PriceE8(100 * E8), FundingIndexE8(0))
    return CrossAccount(AccountName("hedged"), UsdtE8(collateral * E8), (btc, paxg))


@pytest.mark.parametrize(
    ("btc", "paxg", "value", "needed_tenths"),
    [
        (1_000, 100, 100, 1_000),
        (900, 90, 100, 900),
        (1_000, 101, 90, 1_005),
        (900, 100, 0, 950),
        (1_100, 100, 200, 1_050),
    ],
)
def test_what_one_position_loses_another_one_gains(btc: int, paxg: int, value: int, needed_tenths: int) -> None:
    by_market = {MARKETS[0]: btc, MARKETS[1]: paxg}

    def quotes(market: MarketName) -> tuple[PriceE8, FundingIndexE8]:
        return PriceE8(by_market[market] * E8), FundingIndexE8(0)

    account = hedged(100)
    assert (value_e8(account, quotes), needed_e8(account, quotes)) == (value * E8, needed_tenths * E8 // 10)
    assert is_covered(account, quotes) == (value * 10 >= needed_tenths)


def test_what_is_closed_has_no_positions_and_needs_nothing() -> None:
    left = closed(hedged(100), UsdtE8(7))
    assert (left.collateral_e8, list(positions_of(left)), is_covered(left, quoted(()))) == (7, [], True)


# --- in the window ----------------------------------------------------------------------------------------------------

SMALL: dict[str, Any] = {"params": {"cross": 2, "accounts": 1, "ticks": 1, "batches": 1}}


def liquidated(history: History) -> dict[str, AnyAccount]:
    """Who was, by name."""
    found = [event.data["account"] for event in history.events if event.kind == "account.liquidated"]
    return {account.name: account for account in found}


def wrong_markets(history: History) -> frozenset[str]:
    """The markets whose index was 0 in the block that the liquidator saw."""
    used = [each for event in history.events if event.kind == "chain.block" for each in event.data["block"].batch]
    return frozenset(each.market for each in used if each.funding_index_e8 == 0)


@pytest.mark.parametrize(("percent", "name"), [(10, "cross-1"), (-10, "cross-2")])
def test_an_index_that_is_wrong_in_one_market_brings_it_down_and_one_that_is_wrong_in_both_does_not(
    percent: int, name: str
) -> None:
    """cross-1 is short ETH, whose state is loaded last: what it loses by a reset of both markets, it gains as well."""
    params = SMALL["params"] | {"opening_index_percent": percent}
    _, seen = watched_search(paradex, "age_guard", "atomic_batch", params=params)
    gone = {(wrong_markets(each), who) for each in seen for who in liquidated(each) if who.startswith("cross")}
    assert gone == {(frozenset({"ETH"}), name)}
    assert frozenset({"XRP", "ETH"}) in {wrong_markets(each) for each in seen}


def test_who_is_liquidated_and_by_which_number_is_told() -> None:
    result = racewindow.explore(
        paradex,
        strategy="dpor",
        safeguards=("age_guard", "atomic_batch"),
        all_failures=True,
        shrink=False,
        explain=False,
        **SMALL,
    )
    (failure,) = (each for each in result.failures if each.checker == "no_false_liquidation")
    assert (failure.subject, failure.class_, failure.evidence["market"]) == ("cross-1", "default", "ETH")
    told = [line for event in failure.events if (line := narrate(event)) and line.startswith("cross-1")]
    assert "it should not have been" in told[0]
    assert "conservation" not in violated(result)


@pytest.mark.parametrize("safeguards", EXPECTED.closed_by, ids="+".join)
def test_what_closes_the_window_closes_it_for_them_too(safeguards: tuple[str, ...]) -> None:
    assert searched(paradex, *safeguards, params={"cross": 2}).verdict == "complete"


@pytest.mark.slow
def test_the_day_liquidates_rolls_back_and_refunds_them_as_well() -> None:
    """The first wave is undone by the rollback; in the second, what a wrong mark has cost is owed."""
    watching, seen = watched(paradex_day)
    params = {"cross": 2, "markets": 2}
    result = racewindow.explore(
        watching, strategy="random", schedules=150, all_failures=True, shrink=False, explain=False, params=params
    )
    refunds = [event.data["refund"] for each in seen for event in each.events if event.kind == "refund.decided"]
    whys = {(refund.owed_e8 > 0, refund.why.partition(" would")[0]) for refund in refunds if "cross" in refund.account}
    assert {(False, "the rollback has undone it"), (True, "by the true values it")} <= whys
    assert {each.kind for each in result.failures} == {"violation"}
    assert "conservation" not in violated(result)


def test_collateral_that_vanishes_with_them_is_seen() -> None:
    window = prepare(load(), {"cross": 1})
    account = window.cross_accounts[0]
    data = {"account": account, "height": BlockHeight(1), "used": window.values, "left_e8": 5, "vault_e8": 7}
    for vault_e8, judgement in ((7, Judgement.VIOLATED), (account.collateral_e8 - 5, Judgement.HOLDS)):
        event = Event(0, "liquidator", 1, "account.liquidated", data | {"vault_e8": vault_e8})
        history = History((event,), {"cross": 1}, feed=load())
        assert conservation.check(history).judgement is judgement


def test_fewer_than_none_is_refused() -> None:
    with pytest.raises(racewindow.UsageError, match="the parameter 'cross' cannot be -1"):
        racewindow.explore(paradex, params={"cross": -1}, schedules=1)


def test_a_window_opens_them_the_other_way_round_by_turns() -> None:
    window = prepare(load(), {"cross": 2})
    signs = [[position.size_e8 > 0 for position in each.positions] for each in window.cross_accounts]
    assert signs == [[True, False], [False, True]]
    assert open_cross_accounts(window.truth.markets, 2, window.settings.round_ns(2)) == window.cross_accounts
