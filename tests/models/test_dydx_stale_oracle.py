"""A restart in two quorums: what closes it, what only seems to, and the controls in every order."""

from __future__ import annotations

from typing import Any

import pytest

import racewindow
from racewindow import History
from racewindow_faults.process import Stall
from racewindow_models.dydx.checkers_restart import (
    eventually_reopens,
    liquidation_last,
    no_false_liquidation,
    no_unknown_age,
)
from racewindow_models.dydx.consumers import is_solvent
from racewindow_models.dydx.positions import Subaccount, dollars
from racewindow_models.dydx.prices import OraclePrice, TruePrice, is_quorum
from racewindow_models.scenarios.dydx_stale_oracle import EXPECTED, dydx_stale_oracle
from racewindow_models.units import E8, AccountName, PriceE8, SizeE8, TimeNs, nanoseconds
from tests.models.seen import histories, kinds, only, searched, violated, watched_search, written

CHECKS = (no_unknown_age, liquidation_last, no_false_liquidation)
CLOSING = [name for (name,) in EXPECTED.closed_by]
SLOW_SIDECAR = Stall(target="sidecar-2", seconds=300)
PARAMS = {"max_age_seconds": 30, "grace_seconds": 600}


def liquidated(history: History) -> dict[str, int]:
    """Who was liquidated, at what price in whole dollars."""
    found = [event.data for event in history.events if event.kind == "account.liquidated"]
    return {each["account"].owner: each["price"].price_e8 // E8 for each in found}


@pytest.mark.parametrize("params", [{"ttl_seconds": 0}, {"fresh_sidecars": 3}, {"fresh_sidecars": 2}], ids=str)
def test_neither_a_stricter_producer_nor_fewer_sidecars_make_a_difference(params: dict[str, int]) -> None:
    """The producer's silence is what leaves the old value in place."""
    assert violated(searched(dydx_stale_oracle, params=params)) == set(EXPECTED.violates)


@pytest.mark.parametrize("safeguard", CLOSING)
def test_three_fresh_sidecars_and_a_stale_one_are_enough_for_a_price(safeguard: str) -> None:
    assert searched(dydx_stale_oracle, safeguard, params={"fresh_sidecars": 3}).verdict == "complete"


@pytest.mark.parametrize("safeguard", CLOSING)
def test_prices_that_never_reach_their_quorum_keep_a_guarded_exchange_shut(safeguard: str) -> None:
    """Which is what the guard is for; that it never ends is for people to see."""
    result = searched(dydx_stale_oracle, safeguard, params={"fresh_sidecars": 2})
    assert violated(result) == {"eventually_reopens"}


def test_a_guard_without_a_time_on_the_chain_refuses_everything() -> None:
    result = searched(dydx_stale_oracle, "age_guard", params={"source_ts_on_chain": False})
    assert violated(result) == {"eventually_reopens"}
    assert result.failures[0].message.endswith("the last refusal: the age of the price is unknown")


@pytest.mark.parametrize(
    ("grace_seconds", "open_"),
    [(600, {"no_unknown_age"}), (200, set(EXPECTED.violates))],
)
def test_a_grace_period_holds_only_while_no_sidecar_is_later(grace_seconds: int, open_: set[str]) -> None:
    """And while it does, orders are filled at the old price all the same."""
    params = {"grace_seconds": grace_seconds}
    result = searched(dydx_stale_oracle, "liquidation_grace", params=params, faults=SLOW_SIDECAR)
    assert violated(result) == open_


@pytest.mark.slow
def test_a_slow_sidecar_does_not_open_it_again() -> None:
    assert searched(dydx_stale_oracle, "age_guard", faults=SLOW_SIDECAR).verdict == "complete"


@pytest.mark.parametrize("safeguard", CLOSING)
@pytest.mark.parametrize(
    ("params", "rightly"),
    [
        ({"outage_seconds": 28_800, "trading_seconds": 30_000}, {"bob": 115}),
        ({"move_percent": -16}, {"alice": 84}),
        ({"move_percent": -140}, {"alice": -40}),
    ],
    ids=["a halt of 8 h", "a true fall of 16%", "a true negative price"],
)
def test_who_is_insolvent_at_the_true_price_is_liquidated_and_nobody_else(
    params: dict[str, int], rightly: dict[str, int], safeguard: str
) -> None:
    """Silent in every order; the right accounts go, at the right price, and none before the prices are fresh."""
    result, seen = watched_search(dydx_stale_oracle, safeguard, params=params)
    assert result.verdict == "complete"
    assert [liquidated(each) for each in seen] == [rightly] * len(seen)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"fresh_sidecars": 5}, "'fresh_sidecars' cannot be 5"),
        ({"trading_seconds": 23_400}, "'trading_seconds' cannot be 23400"),
        ({"outage_seconds": 0}, "'outage_seconds' cannot be 0"),
        ({"ttl_seconds": -1}, "'ttl_seconds' cannot be -1"),
    ],
)
def test_a_restart_that_cannot_be_is_refused(params: dict[str, int], problem: str) -> None:
    with pytest.raises(racewindow.UsageError, match=problem):
        racewindow.explore(dydx_stale_oracle, params=params)


def test_a_quorum_is_two_thirds_of_the_stake() -> None:
    assert [is_quorum(votes) for votes in range(5)] == [False, False, False, True, True]


def test_a_price_moves_at_the_halt() -> None:
    truth = TruePrice.moved(100, -140)
    assert [truth.at(TimeNs(0)), truth.at(TimeNs(1))] == [100 * E8, -40 * E8]


def test_solvency_is_judged_at_any_price() -> None:
    """Worth at least 5% of the notional: 10 units bought with 960 of debt are worth nothing at $96."""
    long = Subaccount(AccountName("long"), SizeE8(10 * E8), dollars(-960))
    solvent = {usd: is_solvent(long, PriceE8(usd * E8)) for usd in (-40, 96, 101, 102)}
    assert solvent == {-40: False, 96: False, 101: False, 102: True}


# --- the checkers, on histories written by hand -----------------------------------------------------------------------


def use(kind: str, *, age_seconds: int, price_usd: int = 100, true_usd: int = 100) -> tuple[str, dict[str, Any]]:
    """A use of a price, at time 0, by a long that is solvent above $101."""
    price = OraclePrice(PriceE8(price_usd * E8), None, TimeNs(-nanoseconds(age_seconds)))
    account = Subaccount(AccountName("long"), SizeE8(10 * E8), dollars(-960))
    who: dict[str, Any] = {"order": "an order"} if kind == "order.filled" else {"account": account}
    return kind, {"price": price, "true_price_e8": PriceE8(true_usd * E8)} | who


@pytest.mark.parametrize("kind", ["order.filled", "account.liquidated"])
def test_a_price_may_be_as_old_as_max_age_and_no_older(kind: str) -> None:
    assert not no_unknown_age.check(written(use(kind, age_seconds=30), params=PARAMS)).violations
    (violation,) = no_unknown_age.check(written(use(kind, age_seconds=31), params=PARAMS)).violations
    assert "31 s old" in violation.message


def test_a_grace_period_counts_from_the_first_block() -> None:
    """At time 0 of a history in which the chain came back at -599 s, or at -600 s; and only where there is one."""

    def judged(resumed: int, *safeguards: str) -> bool:
        first = ("chain.resumed", {"at_ns": nanoseconds(resumed)})
        history = written(
            first, use("account.liquidated", age_seconds=0), params=PARAMS, safeguards=frozenset(safeguards)
        )
        return bool(liquidation_last.check(history).violations)

    assert judged(-599, "liquidation_grace")
    assert not judged(-600, "liquidation_grace")
    assert not judged(-599)


def test_a_false_liquidation_is_judged_by_the_true_price_alone() -> None:
    """Insolvent at the old price and solvent at the true one, and the other way round."""
    wrong = written(use("account.liquidated", age_seconds=9_000, price_usd=96, true_usd=120), params=PARAMS)
    right = written(use("account.liquidated", age_seconds=9_000, price_usd=120, true_usd=96), params=PARAMS)
    (violation,) = no_false_liquidation.check(wrong).violations
    assert violation.message == (
        "long is worth $240, but is liquidated by a price of $96 that is 2 h 30 min old (true is $120)"
    )
    assert not no_false_liquidation.check(right).violations


def test_whether_trading_comes_back_cannot_be_told_of_half_an_execution() -> None:
    assert eventually_reopens.check(written(finished=False)).reason
    assert eventually_reopens.check(written()).violations
    assert not eventually_reopens.check(written(use("order.filled", age_seconds=0), finished=False)).violations


def test_the_chain_comes_back_before_the_price_in_some_order() -> None:
    orders = [kinds(each) for each in histories(dydx_stale_oracle, "halt_until_fresh")]
    assert all("order.filled" in each[each.index("price.accepted") :] for each in orders)
    assert any("guard.refused" in each[: each.index("price.accepted")] for each in orders)
    assert only(histories(dydx_stale_oracle)[0], "chain.resumed").data["at_ns"] == nanoseconds(23_400)
