"""The clearing: every change is a transfer, the vault pays what it can, and ADL what it cannot. And the fair price."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from racewindow_models.clearing import Change, Clearing, bankruptcy_price_e8, flat, vault_of
from racewindow_models.fair import ewma_e8, external_basis_e8, fair_basis_vote_e8, is_thin
from racewindow_models.margin import Account, account_value_e8
from racewindow_models.units import (
    BASIS_POINT_E8,
    E8,
    AccountName,
    FairBasisE8,
    FundingIndexE8,
    MarketName,
    PriceE8,
    SizeE8,
    UsdtE8,
)
from tests.models.inside import inside

BTC = MarketName("BTC")
NO_FUNDING = FundingIndexE8(0)


def account(name: str, size: int, entry: int, collateral: int, cached: int = 0) -> Account:
    """An account in whole units."""
    return Account(
        AccountName(name),
        BTC,
        SizeE8(size * E8),
        PriceE8(entry * E8),
        UsdtE8(collateral * E8),
        FundingIndexE8(cached * E8),
    )


def value(clearing: Clearing, name: str, price: int, index: int = 0) -> int:
    return account_value_e8(clearing[AccountName(name)], PriceE8(price * E8), FundingIndexE8(index * E8)) // E8


@inside
def test_a_reset_funding_index_makes_a_short_insolvent_at_an_unchanged_price_and_the_sum_does_not_show_it() -> None:
    """BTC at 92,600, index 12,000, ten times short of 1 BTC: what the short loses the long has won."""
    clearing = Clearing([account("long", 1, 92_600, 9_260, 12_000), account("short", -1, 92_600, 9_260, 12_000)], None)
    before = value(clearing, "long", 92_600, 12_000) + value(clearing, "short", 92_600, 12_000)
    assert value(clearing, "short", 92_600) == 9_260 - 12_000
    assert value(clearing, "long", 92_600) + value(clearing, "short", 92_600) == before
    change = clearing.liquidate(AccountName("short"), PriceE8(92_600 * E8), NO_FUNDING)
    assert change.moved_e16() == 0
    assert value(clearing, "short", 92_600) == 0


@inside
def test_the_vault_takes_the_position_over_and_the_account_keeps_what_it_is_worth() -> None:
    clearing = Clearing([account("long", 2, 100, 50)], UsdtE8(1_000 * E8))
    clearing.liquidate(AccountName("long"), PriceE8(80 * E8), NO_FUNDING)
    assert clearing[AccountName("long")] == flat(AccountName("long"), BTC, UsdtE8(10 * E8))
    assert (clearing[vault_of(BTC)].size_e8, value(clearing, vault_of(BTC), 80)) == (2 * E8, 1_000)


@inside
def test_the_vault_pays_a_shortfall() -> None:
    clearing = Clearing([account("long", 2, 100, 50)], UsdtE8(1_000 * E8))
    change = clearing.liquidate(AccountName("long"), PriceE8(60 * E8), NO_FUNDING)
    assert (value(clearing, "long", 60), value(clearing, vault_of(BTC), 60)) == (0, 970)
    assert change.deleveraged == ()


@inside
def test_a_vault_that_cannot_pay_closes_the_most_profitable_others_at_the_bankruptcy_price() -> None:
    accounts = [account("long", 2, 100, 50), account("poor", -1, 70, 10), account("rich", -2, 110, 10)]
    clearing = Clearing(accounts, UsdtE8(29 * E8))
    change = clearing.liquidate(AccountName("long"), PriceE8(60 * E8), NO_FUNDING)
    assert change.deleveraged == ("rich",)
    # It is closed at 75, where the long is worth nothing, and keeps 2 * (110 - 75) and its collateral.
    assert clearing[AccountName("rich")] == account("rich", 0, 75, 80)
    assert clearing[AccountName("poor")] == accounts[1]
    assert value(clearing, vault_of(BTC), 60) == 29


sizes = st.integers(-5, 5).filter(bool)
prices = st.integers(1, 200)


@given(
    st.lists(st.tuples(sizes, prices, st.integers(0, 500), st.integers(-50, 50)), min_size=1, max_size=5),
    prices,
    st.integers(-50, 50),
    st.integers(0, 300) | st.none(),
)
@inside
def test_liquidating_all_that_there_is_makes_and_destroys_nothing(
    given_accounts: list[tuple[int, int, int, int]], price: int, index: int, vault: int | None
) -> None:
    accounts = [account(f"a{number}", *each) for number, each in enumerate(given_accounts)]
    clearing = Clearing(accounts, None if vault is None else UsdtE8(vault * E8))
    mark_e8, index_e8 = PriceE8(price * E8), FundingIndexE8(index * E8)
    before = worth(clearing, price, index)
    for name in clearing.names:
        if clearing[name].size_e8:
            change = clearing.liquidate(name, mark_e8, index_e8)
            assert 0 <= -change.moved_e16() < len(change.after) * E8
            assert clearing[name].size_e8 == 0
    assert 0 <= before - worth(clearing, price, index) < Fraction(len(accounts) ** 2 + 1, 10**7)


def worth(clearing: Clearing, price: int, index: int) -> Fraction:
    """What all are worth together, without rounding."""
    return sum(
        (
            Fraction(each.collateral_e8, E8)
            + Fraction(each.size_e8, E8)
            * (price - Fraction(each.entry_price_e8, E8) - index + Fraction(each.cached_index_e8, E8))
            for each in clearing.everything().values()
        ),
        Fraction(0),
    )


@given(sizes, prices, st.integers(0, 500), st.integers(-50, 50))
def test_at_the_bankruptcy_price_an_account_is_worth_nothing_to_the_last_digit(
    size: int, entry: int, collateral: int, index: int
) -> None:
    each = account("a", size, entry, collateral)
    index_e8 = FundingIndexE8(index * E8)
    assert 0 <= account_value_e8(each, bankruptcy_price_e8(each, index_e8), index_e8) <= abs(size)


def test_a_transfer_that_loses_something_is_seen() -> None:
    before = account("a", 1, 100, 10)
    assert Change({before.name: before}, {before.name: account("a", 1, 100, 9)}).moved_e16() == -E8 * E8


def bps(*amounts: int | None) -> list[FairBasisE8 | None]:
    return [None if each is None else FairBasisE8(each * BASIS_POINT_E8) for each in amounts]


def test_two_of_three_votes_come_from_the_venues_own_book() -> None:
    last, middle, external = FairBasisE8(-2_000), FairBasisE8(-1_000), FairBasisE8(0)
    assert fair_basis_vote_e8(last, middle, external) == middle
    assert fair_basis_vote_e8(last, None, external) == external, "one side of the book is empty"
    assert ewma_e8(FairBasisE8(0), middle) == -200
    own_far_off = FairBasisE8(-E8 // 5)
    assert external_basis_e8(external, own_far_off) == 0, "its own average is one vote of five"


def test_a_book_is_thin_without_a_side_or_with_a_spread_above_one_percent() -> None:
    def thin(bid: int | None, ask: int | None) -> bool:
        return is_thin(None if bid is None else PriceE8(bid * E8), None if ask is None else PriceE8(ask * E8))

    assert [thin(None, 100), thin(100, None), thin(None, None), thin(995, 1_006)] == [True] * 4
    assert not thin(995, 1_005)
