"""A wrong spot oracle passes mark price and external fair price: to the dollar, and moves that are true."""

from __future__ import annotations

import pytest

from racewindow import Event
from racewindow_models.scenarios.paradex_wrong_oracle import paradex_wrong_oracle
from tests.models.incidents import happens, said, searched, violated

GUARD = "independent_reference"


def is_liquidated(event: Event) -> bool:
    return event.kind == "account.liquidated"


def is_refused(event: Event) -> bool:
    return event.kind == "price.refused"


def test_the_account_is_liquidated_at_a_price_that_both_formulas_have_from_one_oracle() -> None:
    """9,260 of collateral, one coin bought at 92,600: 77,784 times 1.002 for 92,600 times 1.002."""
    assert said(searched(paradex_wrong_oracle), "no_false_liquidation") == (
        "account-1 is liquidated at 6 s at a value of -5,400.43 dollars; true is 9,445.20 dollars, "
        "needed 4,630.00 dollars"
    )


def test_the_check_against_the_external_fair_price_refuses_nothing() -> None:
    assert not happens(paradex_wrong_oracle, is_refused)
    assert happens(paradex_wrong_oracle, is_refused, GUARD)


def test_which_sources_the_oracle_has_heard_of_is_a_race() -> None:
    """The median of three is right, and in some orders it comes to that; with fewer the wrong one may be it."""

    def is_true(event: Event) -> bool:
        return event.kind == "price.admitted" and event.data["price"] == "92785.2"

    assert happens(paradex_wrong_oracle, is_true)
    assert happens(paradex_wrong_oracle, is_liquidated)


def test_an_oracle_that_waits_for_its_sources_is_right_and_still_held_against_itself() -> None:
    assert not happens(paradex_wrong_oracle, is_liquidated, "min_sources")
    assert violated(searched(paradex_wrong_oracle, "min_sources")) == {"independent_band"}


@pytest.mark.parametrize(("move_percent", "liquidates"), [(0, False), (-16, True)])
def test_an_oracle_that_is_right_is_silent_also_when_the_market_falls(move_percent: int, *, liquidates: bool) -> None:
    assert searched(paradex_wrong_oracle, GUARD, wrong_percent=0, move_percent=move_percent).verdict == "complete"
    liquidated = happens(paradex_wrong_oracle, is_liquidated, GUARD, wrong_percent=0, move_percent=move_percent)
    assert liquidated == liquidates
