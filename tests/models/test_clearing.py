"""The clearing: every change is a transfer, the vault pays what it can, and ADL what it cannot. And the fair price."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from racewindow_models.clearing import Change, Clearing, bankruptcy_price_e8, flat, shared_out, vault_of
from racewindow_models.cross import CrossAccount, CrossPosition, Quotes, positions_of, value_e8
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


def at(price: int, index: int = 0) -> Quotes:
    """The same in every market."""
    return lambda _: (PriceE8(price * E8), FundingIndexE8(index * E8))


def value(clearing: Clearing, name: str, price: int, index: int = 0) -> int:
    return account_value_e8(clearing.isolated(AccountName(name)), PriceE8(price * E8), FundingIndexE8(index * E8)) // E8


@inside
def test_a_reset_funding_index_makes_a_short_insolvent_at_an_unchanged_price_and_the_sum_does_not_show_it() -> None:
    """BTC at 92,600, index 12,000, ten times short of 1 BTC: what the short loses the long has won."""
    clearing = Clearing([account("long", 1, 92_600, 9_260, 12_000), account("short", -1, 92_600, 9_260, 12_000)], None)
    before = value(clearing, "long", 92_600, 12_000) + value(clearing, "short", 92_600, 12_000)
    assert value(clearing, "short", 92_600) == 9_260 - 12_000
    assert value(clearing, "long", 92_600) + value(clearing, "short", 92_600) == before
    change = clearing.liquidate(AccountName("short"), at(92_600))
    assert change.moved_e16() == 0
    assert value(clearing, "short", 92_600) == 0


@inside
def test_the_vault_takes_the_position_over_and_the_account_keeps_what_it_is_worth() -> None:
    clearing = Clearing([account("long", 2, 100, 50)], UsdtE8(1_000 * E8))
    clearing.liquidate(AccountName("long"), at(80))
    assert clearing[AccountName("long")] == flat(AccountName("long"), BTC, UsdtE8(10 * E8))
    assert (clearing.isolated(vault_of(BTC)).size_e8, value(clearing, vault_of(BTC), 80)) == (2 * E8, 1_000)


@inside
def test_the_vault_pays_a_shortfall() -> None:
    clearing = Clearing([account("long", 2, 100, 50)], UsdtE8(1_000 * E8))
    change = clearing.liquidate(AccountName("long"), at(60))
    assert (value(clearing, "long", 60), value(clearing, vault_of(BTC), 60)) == (0, 970)
    assert change.deleveraged == ()


@inside
def test_a_vault_that_cannot_pay_closes_the_most_profitable_others_at_the_bankruptcy_price() -> None:
    accounts = [account("long", 2, 100, 50), account("poor", -1, 70, 10), account("rich", -2, 110, 10)]
    clearing = Clearing(accounts, UsdtE8(29 * E8))
    change = clearing.liquidate(AccountName("long"), at(60))
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
    before = worth(clearing, price, index)
    for name in clearing.names:
        if clearing.isolated(name).size_e8:
            change = clearing.liquidate(name, at(price, index))
            assert 0 <= -change.moved_e16() < len(change.after) * E8
            assert clearing.isolated(name).size_e8 == 0
    assert 0 <= before - worth(clearing, price, index) < Fraction(len(accounts) ** 2 + 1, 10**7)


def worth(clearing: Clearing, price: int, index: int) -> Fraction:
    """What all are worth together, without rounding."""
    total = Fraction(0)
    for account in clearing.everything().values():
        total += Fraction(account.collateral_e8, E8)
        for each in positions_of(account):
            gain = price - Fraction(each.entry_price_e8, E8) - index + Fraction(each.cached_index_e8, E8)
            total += Fraction(each.size_e8, E8) * gain
    return total


@given(sizes, prices, st.integers(0, 500), st.integers(-50, 50))
def test_at_the_bankruptcy_price_an_account_is_worth_nothing_to_the_last_digit(
    size: int, entry: int, collateral: int, index: int
) -> None:
    each = account("a", size, entry, collateral)
    index_e8 = FundingIndexE8(index * E8)
    assert 0 <= account_value_e8(each, bankruptcy_price_e8(each, index_e8), index_e8) <= abs(size)


# --- cross margin


ETH = MarketName("ETH")


def cross(name: str, collateral: int, *positions: tuple[MarketName, int, int]) -> CrossAccount:
    """An account in whole units: market, size and entry price of each position."""
    opened = [
        CrossPosition(market, SizeE8(size * E8), PriceE8(entry * E8), FundingIndexE8(0))
        for market, size, entry in positions
    ]
    return CrossAccount(AccountName(name), UsdtE8(collateral * E8), tuple(opened))


def prices_of(btc: int, eth: int) -> Quotes:
    by_market = {BTC: PriceE8(btc * E8), ETH: PriceE8(eth * E8)}
    return lambda market: (by_market[market], FundingIndexE8(0))


@inside
def test_what_one_position_has_gained_pays_for_what_another_one_has_lost() -> None:
    """Long BTC loses 40, short ETH gains 30, and of 20 there are 10 left; the vault has both positions at the marks."""
    account = cross("both", 20, (BTC, 2, 100), (ETH, -3, 50))
    clearing = Clearing([account], UsdtE8(1_000 * E8))
    change = clearing.liquidate(account.name, prices_of(80, 40))
    assert (clearing[account.name], change.moved_e16()) == (cross("both", 10), 0)
    assert [clearing.isolated(vault_of(market)).size_e8 // E8 for market in (BTC, ETH)] == [2, -3]
    assert [value(clearing, vault_of(market), price) for market, price in ((BTC, 80), (ETH, 40))] == [1_000, 1_000]


@inside
def test_the_vaults_of_its_markets_pay_what_it_comes_short_of_by_the_notionals() -> None:
    """It loses 40 and 30 and has 40: 30 are missing, of 2 * 80 in BTC and 3 * 60 in ETH."""
    account = cross("both", 40, (BTC, 2, 100), (ETH, -3, 50))
    clearing = Clearing([account], UsdtE8(1_700 * E8))
    clearing.liquidate(account.name, prices_of(80, 60))
    vaults = {each: clearing.isolated(vault_of(each)) for each in (BTC, ETH)}
    left = {each: Fraction(vault.collateral_e8, E8) for each, vault in vaults.items()}
    assert clearing[account.name] == cross("both", 0)
    assert sum(left.values()) == 3_400 - 30
    assert abs(left[BTC] - (1_700 - Fraction(30 * 160, 340))) < Fraction(1, 10**7)


@inside
def test_at_prices_of_zero_the_vault_of_the_first_market_pays_all_that_is_missing() -> None:
    """A corrupt block may say so: 190 are missing, and there are no notionals to share them by."""
    account = cross("both", 10, (BTC, 1, 100), (ETH, 1, 100))
    clearing = Clearing([account], None)
    change = clearing.liquidate(account.name, prices_of(0, 0))
    assert (clearing[account.name], change.moved_e16()) == (cross("both", 0), 0)
    assert [clearing.isolated(vault_of(each)).collateral_e8 // E8 for each in (BTC, ETH)] == [-190, 0]


@inside
def test_where_a_vault_cannot_pay_an_isolated_position_is_closed_against_it() -> None:
    """10 are missing for two BTC at a mark of 60, so that they are sold at 65 to whoever is short."""
    long, short = cross("long", 70, (BTC, 2, 100)), account("short", -2, 110, 10)
    clearing = Clearing([long, short], UsdtE8(9 * E8))
    change = clearing.liquidate(long.name, prices_of(60, 1))
    assert change.deleveraged == (short.name,)
    assert clearing[short.name] == account("short", 0, 65, 10 + 2 * 45)
    assert (clearing[long.name], value(clearing, vault_of(BTC), 60)) == (cross("long", 0), 9)


positions = st.tuples(sizes, prices)


@given(
    st.lists(st.tuples(st.integers(0, 500), positions, positions), min_size=1, max_size=3),
    st.lists(st.tuples(sizes, prices, st.integers(0, 500)), max_size=3),
    prices,
    prices,
    st.integers(0, 300) | st.none(),
)
@inside
def test_liquidating_accounts_of_both_kinds_makes_and_destroys_nothing(
    both: list[tuple[int, tuple[int, int], tuple[int, int]]],
    one: list[tuple[int, int, int]],
    btc: int,
    eth: int,
    vault: int | None,
) -> None:
    quotes = prices_of(btc, eth)
    accounts = [cross(f"c{n}", money, (BTC, *first), (ETH, *second)) for n, (money, first, second) in enumerate(both)]
    isolated = [account(f"a{n}", *each) for n, each in enumerate(one)]
    for each in accounts:
        parts = shared_out(each, quotes)
        assert sum(part.collateral_e8 for part in parts) == each.collateral_e8
        worth_e8 = [account_value_e8(part, *quotes(part.market)) for part in parts]
        assert sum(worth_e8) == value_e8(each, quotes)
        assert all(part <= 0 for part in worth_e8[1:]) and (worth_e8[0] <= 0 or not any(worth_e8[1:]))
    clearing = Clearing([*accounts, *isolated], None if vault is None else UsdtE8(vault * E8))
    for name in clearing.names:
        if positions_of(clearing[name]):
            change = clearing.liquidate(name, quotes)
            assert 0 <= -change.moved_e16() < len(change.after) * E8
            assert not positions_of(clearing[name])
            assert clearing[name].collateral_e8 >= 0


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
