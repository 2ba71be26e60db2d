"""The checkers of the accounts, on histories of a few events written by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from racewindow import Event, FunctionChecker, History, Judgement, Violation
from racewindow_models.checkers_accounts import conservation, no_false_liquidation
from racewindow_models.feed import Feed, Recording
from racewindow_models.margin import Account
from racewindow_models.units import E8, FundingIndexE8, PriceE8, UsdtE8
from tests.models.histories import (
    BTC,
    RATE_E8,
    UNLOADED,
    ZERO,
    at,
    history,
    liquidation,
    short,
    true_values,
    window,
)

ACCOUNTS = (no_false_liquidation, conservation)


def only(checker: FunctionChecker, of: History) -> Violation:
    (violation,) = checker.check(of).violations
    return violation


def judged_by(seconds: int, **changed: Any) -> History:
    """The ten times leveraged short, liquidated by values that are true but for what is changed."""
    used = replace(true_values(BTC, seconds), **changed)
    return history(liquidation(short(), used, seconds))


@pytest.mark.parametrize("checker", ACCOUNTS, ids=lambda checker: checker.name)
def test_a_run_without_liquidations_holds(checker: FunctionChecker) -> None:
    assert checker.check(history()).judgement is Judgement.HOLDS


@pytest.mark.parametrize("checker", ACCOUNTS, ids=lambda checker: checker.name)
def test_without_a_feed_the_answer_is_unknown(checker: FunctionChecker) -> None:
    assert checker.check(history(feed=None)).judgement is Judgement.UNKNOWN


def test_a_solvent_account_is_falsely_liquidated_by_a_default_index() -> None:
    violation = only(no_false_liquidation, judged_by(60, funding_index_e8=ZERO, provenance=UNLOADED))

    assert (violation.class_, violation.subject, violation.time_ns) == ("default", "BTC-short-1", at(60))
    assert violation.message == (
        "BTC-short-1 is worth 8,954.57 USDT under ground truth and needs 4,645.27 USDT, but was liquidated at "
        "60 s as worth -305.44 USDT: BTC funding index 0 (default; true is 9260.01930312), computed by writer-2 before "
        "its state was loaded, in block 1604711"
    )
    assert violation.evidence["true_value_e8"] > violation.evidence["maintenance_margin_e8"]
    assert violation.evidence["judged_value_e8"] < 0


@pytest.mark.parametrize(
    ("changed", "class_", "quantity"),
    [
        ({"funding_index_e8": ZERO, "mark_price_e8": PriceE8(92_720 * E8)}, "default", "funding index"),
        ({"funding_index_e8": FundingIndexE8(42)}, "corrupt", "funding index"),
        ({"mark_price_e8": PriceE8(926_000 * E8)}, "corrupt", "mark price"),
        (
            {"mark_price_e8": PriceE8(926_000 * E8), "funding_index_e8": FundingIndexE8(9_260 * E8)},
            "corrupt",
            "mark price",
        ),
        ({"mark_price_e8": PriceE8(926_000 * E8), "funding_index_e8": ZERO}, "corrupt", "mark price"),
    ],
)
def test_the_class_is_that_of_the_number_that_made_the_difference(
    changed: dict[str, Any], class_: str, quantity: str
) -> None:
    violation = only(no_false_liquidation, judged_by(60, provenance=UNLOADED, **changed))

    assert violation.class_ == class_
    assert f"BTC {quantity} " in violation.message


def test_an_insolvent_account_may_be_liquidated_even_by_wrong_values() -> None:
    poor = short(collateral=4_000)
    wrong = replace(true_values(BTC, 60), funding_index_e8=ZERO)

    assert no_false_liquidation.check(history(liquidation(poor, wrong, 60))).judgement is Judgement.HOLDS


def falling(*prices: int) -> Feed:
    return Feed((Recording(BTC, tuple(PriceE8(price * E8) for price in prices)),), (RATE_E8,))


def long_account(feed: Feed, collateral: int) -> Account:
    account = window(feed, markets=1).accounts[0]
    return replace(account, collateral_e8=UsdtE8(collateral * E8))


def test_a_true_fall_by_a_sixth_liquidates_rightly() -> None:
    feed = falling(100, 100, 84)
    account = long_account(feed, 1_000)
    event = liquidation(account, true_values(BTC, 10, feed, markets=1), 10)

    assert no_false_liquidation.check(history(event, feed=feed, markets=1)).judgement is Judgement.HOLDS


@pytest.mark.parametrize(("recovered_for", "judgement"), [(15, Judgement.HOLDS), (16, Judgement.VIOLATED)])
def test_a_value_may_lawfully_be_as_old_as_the_maximum(recovered_for: int, judgement: Judgement) -> None:
    """Insolvent until second 5, solvent again since: judged by the value of then, up to `max_age` later."""
    feed = falling(84, 100)
    account = replace(long_account(feed, 1_000), entry_price_e8=PriceE8(100 * E8))
    used = true_values(BTC, 0, feed, markets=1)
    event = liquidation(account, used, 4 + recovered_for)

    assert no_false_liquidation.check(history(event, feed=feed, markets=1)).judgement is judgement


def sums(*events: Event) -> History:
    """A history whose accounts are those of the window."""
    return history(*events)


def test_a_liquidation_that_moves_collateral_conserves_it() -> None:
    first, *_ = window().accounts
    event = liquidation(first, replace(true_values(BTC, 60), mark_price_e8=PriceE8(E8)), 60)

    assert conservation.check(sums(event)).judgement is Judgement.HOLDS


def test_a_liquidation_that_makes_collateral_is_found() -> None:
    first, *_ = window().accounts
    event = liquidation(first, true_values(BTC, 60), 60, left_e8=UsdtE8(first.collateral_e8 + E8), vault_e8=UsdtE8(0))

    violation = only(conservation, sums(event))

    assert (violation.class_, violation.subject) == ("corrupt", first.name)
    assert violation.message == (
        "the liquidation of BTC-long-1 in block 1604711 at 60 s changes the sum of all collateral from "
        "20,180.28 USDT to 20,181.28 USDT"
    )


@pytest.mark.parametrize("restores", [True, False])
def test_after_a_rollback_collateral_is_counted_from_what_was_restored(restores: bool) -> None:  # noqa: FBT001
    """The first account's liquidation is undone; the second one's takes from the vault what it never had."""
    first, second, *_ = window().accounts
    wrong = replace(true_values(BTC, 60), mark_price_e8=PriceE8(E8))
    held_e8 = {account.name: account.collateral_e8 for account in window().accounts}
    back = Event(2, "operator", 62 * 10**9, "chain.rolled_back", {"held_e8": held_e8, "vault_e8": UsdtE8(0)})
    events = (liquidation(first, wrong, 60), back, liquidation(second, wrong, 65))
    found = conservation.check(sums(*(events if restores else (events[0], events[2]))))

    assert found.judgement is (Judgement.HOLDS if restores else Judgement.VIOLATED)


def test_conservation_does_not_see_a_wrong_index() -> None:
    long, other, *_ = window().accounts
    wrong = replace(true_values(BTC, 60), funding_index_e8=ZERO, provenance=UNLOADED)
    event = liquidation(other, wrong, 60)

    assert long.name == "BTC-long-1"
    assert conservation.check(sums(event)).judgement is Judgement.HOLDS
    assert no_false_liquidation.check(sums(event)).judgement is Judgement.VIOLATED
