"""The settlement of an isolated market: the counterexample to the dollar, and the controls in every order."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow import History
from racewindow_models.dydx.bank import FUND, ISOLATED, MAIN
from racewindow_models.dydx.checkers_settlement import conservation, settlement_completes
from racewindow_models.dydx.matcher import settled
from racewindow_models.dydx.positions import Subaccount, dollars
from racewindow_models.scenarios.dydx_settlement import EXPECTED, dydx_settlement
from racewindow_models.units import E8, AccountName, PriceE8, SizeE8
from tests.models.seen import histories, judgements, kinds, only, searched, violated, watched, watched_search, written


def in_dollars(history: History) -> list[tuple[str, str, int, bool]]:
    """The transfers of an execution."""
    transfers = [event.data for event in history.events if event.kind == "bank.transfer"]
    return [(each["source"], each["target"], each["amount_e8"] // E8, each["accepted"]) for each in transfers]


def is_counterexample(history: History) -> bool:
    """Whether the search has chosen to close everything past bankruptcy."""
    match = only(history, "liquidation.matched").data["match"]
    return bool(match.closes_the_market and match.shortfall_e8)


def test_the_counterexample_is_the_one_of_the_record_to_the_dollar() -> None:
    """The pool holds 149, 200 are needed, 51 are owed by a fund that has them; nobody gets anything."""
    failures = {each.checker: each for each in searched(dydx_settlement).failures}
    assert set(failures) == set(EXPECTED.violates)
    said = {name: each.message for name, each in failures.items()}
    assert said["pool_not_negative"] == "the isolated pool holds $149 and is asked for $200, which would leave -$51"
    assert said["settlement_completes"] == (
        "the subaccounts are never updated and the $51 of the insurance fund are never paid, "
        "though the fund holds $1,000"
    )
    assert said["failsafe_only_if_needed"] == (
        "the chain halts because the isolated pool holds $149 of $200, though the insurance fund holds $1,000"
    )


def test_of_four_inputs_one_fails_and_that_in_one_of_two_orders() -> None:
    """The whole open interest in one trade, past bankruptcy: nothing else makes the order matter."""
    seen = histories(dydx_settlement)
    assert [in_dollars(each) for each in seen if "chain.halted" in kinds(each)] == [[(ISOLATED, MAIN, 200, False)]]
    assert sum(map(is_counterexample, seen)) == 2
    assert len(seen) == 5


def test_with_the_insurance_first_everybody_is_paid_to_the_dollar() -> None:
    (seen,) = filter(is_counterexample, histories(dydx_settlement, "insurance_first"))
    assert in_dollars(seen) == [(FUND, ISOLATED, 51, True), (ISOLATED, MAIN, 200, True)]
    after = only(seen, "subaccounts.updated").data["match"].after
    assert {each.owner: each.quote_e8 // E8 for each in after} == {"carl": 0, "alice": 200}
    held_e8 = [event.data["balances_e8"] for event in seen.events if event.kind == "bank.transfer"][-1]
    assert held_e8 == {ISOLATED: dollars(0), MAIN: dollars(200), FUND: dollars(949)}


def test_a_late_call_does_not_open_it_again() -> None:
    assert searched(dydx_settlement, "insurance_first", faults=2).verdict == "complete"


@pytest.mark.parametrize("fund", [0, 50])
def test_a_fund_that_cannot_pay_means_deleveraging_and_no_halt(fund: int) -> None:
    """Alice is closed at Carl's bankruptcy price of $49, and 149 are enough for everybody."""
    params = {"fund_usd": fund}
    result, seen = watched_search(dydx_settlement, params=params)
    assert result.verdict == "complete"
    deleveraged = [
        only(each, "subaccounts.updated").data["match"] for each in seen if "chain.halted" not in kinds(each)
    ]
    assert len(deleveraged) == len(seen)
    whole = [each for each in deleveraged if each.is_adl and each.closes_the_market]
    assert [[each.quote_e8 // E8 for each in match.after] for match in whole] == [[0, 149]]


def test_the_smallest_fund_that_can_pay_is_the_one_that_halts() -> None:
    assert violated(searched(dydx_settlement, params={"fund_usd": 51})) == set(EXPECTED.violates)


def test_with_a_second_pair_left_open_the_wrong_order_halts_nothing() -> None:
    """The subaccounts are updated before the insurance has paid, as they must not be, and nothing has to leave."""
    params = {"pairs": 2}
    assert searched(dydx_settlement, params=params).verdict == "complete"
    watching, seen = watched(dydx_settlement)
    racewindow.explore(watching, strategy="random", params=params, schedules=200)
    orders = [kinds(each) for each in seen]
    assert any("bank.transfer" in each[each.index("subaccounts.updated") :] for each in orders)


@pytest.mark.parametrize("params", [{"price_usd": 49}, {"price_usd": 20}, {"price_usd": -30}, {"short_quote_usd": 100}])
def test_a_price_that_is_not_past_bankruptcy_is_settled_in_every_order(params: dict[str, int]) -> None:
    assert searched(dydx_settlement, params=params).verdict == "complete"


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"pairs": 0}, "the parameter 'pairs' cannot be 0"),
        ({"fund_usd": -1}, "the parameter 'fund_usd' cannot be -1"),
        ({"long_quote_usd": -60}, "the parameter 'long_quote_usd' cannot be -60"),
    ],
)
def test_a_market_that_cannot_be_is_refused(params: dict[str, int], problem: str) -> None:
    with pytest.raises(racewindow.UsageError, match=problem):
        racewindow.explore(dydx_settlement, params=params)


whole_dollars = st.integers(min_value=-1_000, max_value=1_000)


@given(
    quotes=st.lists(whole_dollars, min_size=2, max_size=4),
    size=st.sampled_from([-4, -2, 2, 4]),
    part=st.sampled_from([Fraction(1, 2), Fraction(1)]),
    price=whole_dollars,
    fund=st.integers(min_value=0, max_value=2_000),
)
def test_a_match_makes_no_money_and_leaves_nobody_closed_below_zero(
    quotes: list[int], size: int, part: Fraction, price: int, fund: int
) -> None:
    """Recomputed in fractions of a dollar: what one side loses the other gets, and the fund pays only what it has."""
    sizes = [size, -size, *([0] * (len(quotes) - 2))]
    before = [
        Subaccount(AccountName(str(number)), SizeE8(each * E8), dollars(quote))
        for number, (each, quote) in enumerate(zip(sizes, quotes, strict=True))
    ]
    match = settled(before, SizeE8(int(size * part * E8)), PriceE8(price * E8), fund_e8=dollars(fund))
    missing = max(Fraction(0), -(quotes[0] + size * price) * part)
    paid = missing if missing <= fund else Fraction(0)

    assert Fraction(match.shortfall_e8, E8) == paid
    assert match.is_adl == (missing > fund)
    assert Fraction(sum(each.quote_e8 for each in match.after), E8) == sum(quotes) + paid
    assert Fraction(match.after[0].quote_e8, E8) == quotes[0] + size * part * price + missing
    assert Fraction(match.after[1].quote_e8, E8) == quotes[1] - size * part * price - (missing - paid)
    assert [Fraction(each.size_e8, E8) for each in match.after[:2]] == [size - size * part, size * part - size]
    assert match.closes_the_market == (part == 1)
    if match.closes_the_market:
        assert match.after[0].quote_e8 >= 0
        assert match.leaving_e8 == sum(each.quote_e8 for each in match.after)


def test_the_checkers_cannot_tell_what_the_history_does_not_say() -> None:
    checks = (settlement_completes, conservation)
    assert judgements(checks, written(finished=False)) == dict.fromkeys(
        ["settlement_completes", "conservation"], "unknown"
    )
    cut_off = {"match": _match(), "fund_e8": dollars(60)}
    assert settlement_completes.check(written(("liquidation.matched", cut_off), finished=False)).reason
    assert judgements(checks, written(("liquidation.matched", cut_off)))["settlement_completes"] == "violated"


def _match() -> Any:
    pair = [
        Subaccount(AccountName("short"), SizeE8(-E8), dollars(49)),
        Subaccount(AccountName("long"), SizeE8(E8), dollars(100)),
    ]
    return settled(pair, SizeE8(-E8), PriceE8(100 * E8), fund_e8=dollars(60))


def test_money_from_nowhere_is_seen_by_conservation() -> None:
    opened = ("bank.opened", {"balances_e8": {ISOLATED: 1, MAIN: 0}})
    assert (
        conservation.check(written(opened, ("bank.transfer", {"balances_e8": {ISOLATED: 0, MAIN: 1}}))).violations == ()
    )
    (violation,) = conservation.check(
        written(opened, ("bank.transfer", {"balances_e8": {ISOLATED: 1, MAIN: 1}}))
    ).violations
    assert violation.evidence == {"before_e8": 1, "after_e8": 2}
