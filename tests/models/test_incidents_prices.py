"""Venus, Synthetix, Compound and Binance: what a price is taken for, to the dollar, and moves that are true."""

from __future__ import annotations

import pytest

import racewindow
from racewindow import Event, Simulation
from racewindow_faults import Crash
from racewindow_models.scenarios.binance_own_book import binance_own_book
from racewindow_models.scenarios.compound_anchor import compound_anchor
from racewindow_models.scenarios.synthetix_min_sources import synthetix_min_sources
from racewindow_models.scenarios.venus_paused_feed import Feed, Pool, Price, venus_paused_feed
from tests.models.incidents import happens, said, searched, violated


def test_venus_the_loan_is_more_than_four_times_its_collateral() -> None:
    result = searched(venus_paused_feed)
    assert said(result, "loans_covered") == (
        "borrower-2 borrows 55,000.00 dollars at 480 s against what is truly worth 12,000.00 dollars"
    )
    assert said(result, "no_unknown_age") == (
        "the pool acts on LUNA 0.1 at 480 s, which is 300 s old; 120 s is the bound"
    )


def test_venus_a_feed_that_follows_the_same_fall_is_silent() -> None:
    """The control: the market truly falls by 97%, loans are taken, and each is covered."""
    assert searched(venus_paused_feed, floor_cents=0).verdict == "complete"
    assert happens(venus_paused_feed, lambda event: event.kind == "loan.taken", floor_cents=0)


def test_venus_a_price_of_nothing_fails_closed() -> None:
    """The feed has crashed before it has said anything: nothing is lent, with no safeguard on."""

    def is_refused(event: Event) -> bool:
        return event.kind == "loan.refused" and event.data["why"] == "there is no price"

    assert happens(venus_paused_feed, is_refused, faults=Crash(target="feed", until_seconds=1))
    assert not happens(venus_paused_feed, is_refused)


@racewindow.scenario
async def lends_at_zero(sim: Simulation) -> None:
    """A feed that says 0, and somebody who borrows against it."""
    feed = Feed(sim, 0)
    feed.last.set(Price(0, sim.now_ns))
    await Pool(sim, feed).borrow("borrower-1")


def test_venus_a_price_of_zero_is_no_price() -> None:
    """The same value as at Paradex, and the opposite result."""
    assert happens(lends_at_zero, lambda event: event.kind == "loan.refused")
    assert not happens(lends_at_zero, lambda event: event.kind == "price.used")


def test_synthetix_the_average_of_a_good_and_a_bad_answer() -> None:
    """(0.00086 + 0.86) / 2, 500 times the price, where the median of three would have been the price."""
    assert said(searched(synthetix_min_sources), "bounded_delta") == (
        "the aggregator publishes KRW 0.43043 at 120 s after 0.00086; no source gives about as much"
    )


def test_synthetix_a_source_that_is_down_is_enough() -> None:
    fault = Crash(target="source-3")
    assert "trades_at_true_price" in violated(searched(synthetix_min_sources, faults=fault))
    assert not violated(searched(synthetix_min_sources, "min_sources", faults=fault))


@pytest.mark.parametrize("params", [{"wrong_factor": 1}, {"wrong_factor": 1, "move_percent": -16}])
@pytest.mark.parametrize("safeguards", [(), ("min_sources",)])
def test_synthetix_sources_that_agree_are_silent_also_when_the_market_falls(
    safeguards: tuple[str, ...], params: dict[str, int]
) -> None:
    """The controls: a fall of 16% is further than the bound, and every source gives it."""
    assert searched(synthetix_min_sources, *safeguards, **params).verdict == "complete"


def test_synthetix_the_halt_ends_when_the_sources_are_back() -> None:
    assert happens(synthetix_min_sources, lambda event: event.kind == "market.reopened", "min_sources")


def test_compound_the_account_is_liquidated_at_a_price_of_one_venue() -> None:
    """170 dollars less 100 DAI: 40 at 1.30, 70 at 1.00, and 42.50 are needed."""
    assert said(searched(compound_anchor), "no_false_liquidation") == (
        "account-1 is liquidated at 121 s at a value of 40.00 dollars; true is 70.00 dollars, needed 42.50 dollars"
    )


def test_compound_an_anchor_that_has_not_moved_yet_does_its_work() -> None:
    def is_refused(event: Event) -> bool:
        return event.kind == "price.refused" and event.data["price"] == "1.3"

    assert happens(compound_anchor, is_refused)


def test_compound_a_price_that_is_true_everywhere_liquidates_and_is_silent() -> None:
    """The control: DAI is worth 1.30, and the account truly has less than it needs."""
    guard = "independent_reference"
    assert searched(compound_anchor, guard, true_percent=130).verdict == "complete"
    assert happens(compound_anchor, lambda event: event.kind == "account.liquidated", guard, true_percent=130)
    assert not happens(compound_anchor, lambda event: event.kind == "account.liquidated", guard)


def test_binance_the_account_is_liquidated_at_the_price_of_its_own_book() -> None:
    assert said(searched(binance_own_book), "no_false_liquidation") == (
        "account-1 is liquidated at 61 s at a value of 66.00 dollars; true is 100.00 dollars, needed 75.00 dollars"
    )


def test_binance_what_is_liquidated_pulls_the_next_account_down() -> None:
    """100 USDe more are sold into the same book, and in the next round the second account goes as well."""

    def is_second(event: Event) -> bool:
        return event.kind == "account.liquidated" and event.data["account"] == "account-2"

    assert not happens(binance_own_book, is_second)
    assert happens(binance_own_book, is_second, rounds=2)


def test_binance_a_collateral_that_is_truly_worth_less_is_liquidated_in_silence() -> None:
    """The control: USDe is redeemed for 0.66."""
    guard = "independent_reference"
    assert searched(binance_own_book, guard, worth_percent=66).verdict == "complete"
    assert happens(binance_own_book, lambda event: event.kind == "account.liquidated", guard, worth_percent=66)


def test_binance_a_floor_hides_that_a_collateral_is_worth_less() -> None:
    def is_liquidated(event: Event) -> bool:
        return event.kind == "account.liquidated"

    assert not happens(binance_own_book, is_liquidated, "price_floor", worth_percent=66)


def test_binance_a_zero_on_the_display_is_nobody_s_input() -> None:
    """The control: it is shown in every order, and with the safeguard nothing is violated."""
    guard = "independent_reference"
    assert happens(binance_own_book, lambda event: event.kind == "display.shown" and event.data["price"] == 0, guard)
    assert searched(binance_own_book, guard).verdict == "complete"
