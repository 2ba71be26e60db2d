"""The clearing of accounts: trades, liquidations, the insurance fund (the Liquidator Vault), ADL and refunds.

Every change is a transfer, so the value of all accounts and the vault together stays the same, whatever the prices:
what one gets another gives. A liquidated position is taken over by the vault as it is; the account keeps what it is
worth. If that is less than nothing, the vault pays the shortfall out of its capital. If it cannot, the position is
auto-deleveraged (ADL): opposite positions, the most profitable first, are closed against it at its bankruptcy
price; what nobody holds against it stays with the vault.

An account with cross margin is closed as a whole: its collateral is shared out over its positions, so that what one has
gained pays for what another one has lost, and each is then liquidated as an isolated one. What it comes short of is
shared out by the notionals. ADL closes isolated positions only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from racewindow import TrackedDict
from racewindow_models.cross import AnyAccount, CrossAccount, Quotes, closed, positions_of
from racewindow_models.margin import Account, account_value_e8, gain_e16, notional_e16
from racewindow_models.units import E8, AccountName, FundingIndexE8, MarketName, PriceE8, SizeE8, UsdtE8

VAULT = "vault"


@dataclass(frozen=True, slots=True)
class Change:
    """What one transfer has changed: the accounts concerned before and after it, the vault's among them.

    `deleveraged`: whose positions were closed by ADL.
    """

    before: Mapping[AccountName, AnyAccount]
    after: Mapping[AccountName, AnyAccount]
    deleveraged: tuple[AccountName, ...] = ()

    def moved_e16(self) -> int:
        """By how much the sum of what all are worth has changed, times 10^16; the prices make no difference."""
        return sum(map(_worth_e16, self.after.values())) - sum(map(_worth_e16, self.before.values()))


def _worth_e16(account: AnyAccount) -> int:
    """What an account is worth at a price and an index of 0, without rounding."""
    gains_e16 = (gain_e16(each, PriceE8(0), FundingIndexE8(0)) for each in positions_of(account))
    return account.collateral_e8 * E8 + sum(gains_e16)


def flat(name: AccountName, market: MarketName, collateral_e8: UsdtE8) -> Account:
    """An account without a position."""
    return Account(name, market, SizeE8(0), PriceE8(0), collateral_e8, FundingIndexE8(0))


def traded(account: Account, bought_e8: SizeE8, price_e8: PriceE8, index_e8: FundingIndexE8) -> Account:
    """The account after it bought (negative: sold) at a price: profit and funding so far are settled."""
    return Account(
        account.name,
        account.market,
        SizeE8(account.size_e8 + bought_e8),
        price_e8,
        account_value_e8(account, price_e8, index_e8),
        index_e8,
    )


def bankruptcy_price_e8(account: Account, index_e8: FundingIndexE8) -> PriceE8:
    """The price at which an account with a position is worth nothing, rounded so that it is worth no less."""
    size_e8 = account.size_e8
    owned_e16 = account.collateral_e8 * E8 - size_e8 * (index_e8 - account.cached_index_e8)
    # size * (price - entry) + owned = 0; a long has to sell no lower, a short has to buy no higher.
    gain_e8 = -(owned_e16 // size_e8) if size_e8 > 0 else owned_e16 // -size_e8
    return PriceE8(account.entry_price_e8 + gain_e8)


def shared_out(account: CrossAccount, quotes: Quotes) -> tuple[Account, ...]:
    """The account as isolated ones, one for each position, with the same collateral in all.

    Each is worth nothing at the prices given, but for the first, which is worth what the account is; if that is less
    than nothing, each comes short of a part of it, by the notionals.
    """
    gains_e8 = [gain_e16(each, *quotes(each.market)) // E8 for each in account.positions]
    notionals_e16 = [notional_e16(each.size_e8, quotes(each.market)[0]) for each in account.positions]
    total_e8 = account.collateral_e8 + sum(gains_e8)
    whole_e16 = sum(notionals_e16) or 1  # prices of zero: the first comes short of all of it
    rest_e8 = [total_e8 * each // whole_e16 if total_e8 < 0 else 0 for each in notionals_e16[1:]]
    worth_e8 = [total_e8 - sum(rest_e8), *rest_e8]
    return tuple(
        Account(
            account.name,
            each.market,
            each.size_e8,
            each.entry_price_e8,
            UsdtE8(worth - gain),
            each.cached_index_e8,
        )
        for each, gain, worth in zip(account.positions, gains_e8, worth_e8, strict=True)
    )


class Clearing:
    """The accounts by name, and for each market the vault's. `vault_e8`: its capital in each, None for unlimited."""

    def __init__(self, accounts: Iterable[AnyAccount], vault_e8: UsdtE8 | None) -> None:
        given = {each.name: each for each in accounts}
        markets = dict.fromkeys(market for each in given.values() for market in _markets_of(each))
        vaults = {vault_of(market): flat(vault_of(market), market, vault_e8 or UsdtE8(0)) for market in markets}
        self.names = tuple(given)
        """Of all accounts but the vault's."""
        self._limited, self._markets = vault_e8 is not None, tuple(markets)
        self._accounts: TrackedDict[AccountName, AnyAccount] = TrackedDict({**given, **vaults}, name="accounts")

    def __getitem__(self, name: AccountName) -> AnyAccount:
        return self._accounts[name]

    def isolated(self, name: AccountName) -> Account:
        """An account with isolated margin, as the vault's are and those of whoever trades."""
        account = self[name]
        assert isinstance(account, Account), f"{name} has cross margin"
        return account

    def everything(self) -> dict[AccountName, AnyAccount]:
        """All accounts as they are now, the vault's included."""
        return dict(self._accounts.items())

    def restore(self, accounts: Mapping[AccountName, AnyAccount]) -> None:
        """Put accounts back to what they were."""
        for name, account in accounts.items():
            self._accounts[name] = account

    def trade(
        self, buyer: AccountName, seller: AccountName, size_e8: SizeE8, price_e8: PriceE8, index_e8: FundingIndexE8
    ) -> Change:
        """Two accounts trade."""
        bought = traded(self.isolated(buyer), size_e8, price_e8, index_e8)
        sold = traded(self.isolated(seller), SizeE8(-size_e8), price_e8, index_e8)
        return self._changed((bought, sold))

    def liquidate(self, name: AccountName, quotes: Quotes) -> Change:
        """Close an account: the vault takes its positions over, or if it cannot pay, others are closed against them."""
        account, left_e8 = self[name], 0
        changed, deleveraged = list[Account](), list[AccountName]()
        for each in shared_out(account, quotes) if isinstance(account, CrossAccount) else (account,):
            left, others, names = self._taken_over(each, *quotes(each.market))
            left_e8 += left
            changed += others
            deleveraged += names
        left_with = UsdtE8(left_e8)
        after = flat(name, account.market, left_with) if isinstance(account, Account) else closed(account, left_with)
        return self._changed((after, *changed), tuple(deleveraged))

    def _taken_over(
        self, account: Account, mark_price_e8: PriceE8, index_e8: FundingIndexE8
    ) -> tuple[int, list[Account], list[AccountName]]:
        """What is left of an account, what others have then, the vault last, and who of them is deleveraged."""
        value_e8 = account_value_e8(account, mark_price_e8, index_e8)
        vault = self.isolated(vault_of(account.market))
        if self._limited and value_e8 < 0 and account_value_e8(vault, mark_price_e8, index_e8) < -value_e8:
            return self._deleveraged(account, mark_price_e8, index_e8)
        left_e8 = max(value_e8, 0)
        # As if it had sold to the vault at the mark, but for the shortfall, which the vault pays.
        taken = traded(vault, account.size_e8, mark_price_e8, index_e8)
        return left_e8, [replace(taken, collateral_e8=UsdtE8(taken.collateral_e8 + value_e8 - left_e8))], []

    def pay(self, name: AccountName, amount_e8: UsdtE8) -> Change:
        """The vault refunds an account; one with cross margin that of the first market."""
        account = self[name]
        market = account.market if isinstance(account, Account) else self._markets[0]
        vault = self.isolated(vault_of(market))
        return self._changed(
            (
                replace(account, collateral_e8=UsdtE8(account.collateral_e8 + amount_e8)),
                replace(vault, collateral_e8=UsdtE8(vault.collateral_e8 - amount_e8)),
            )
        )

    def _deleveraged(
        self, account: Account, mark_price_e8: PriceE8, index_e8: FundingIndexE8
    ) -> tuple[int, list[Account], list[AccountName]]:
        """Opposite positions closed against an account at its bankruptcy price; what is left goes to the vault."""
        price_e8 = bankruptcy_price_e8(account, index_e8)
        changed, size_e8 = list[Account](), account.size_e8
        for other in self._most_profitable_first(account, mark_price_e8, index_e8):
            if not size_e8:
                break
            bought_e8 = SizeE8(size_e8 if abs(size_e8) <= abs(other.size_e8) else -other.size_e8)
            changed.append(traded(other, bought_e8, price_e8, index_e8))
            size_e8 = SizeE8(size_e8 - bought_e8)
        vault = self.isolated(vault_of(account.market))
        dust_e8 = account_value_e8(account, price_e8, index_e8)
        taken = traded(vault, size_e8, price_e8, index_e8) if size_e8 else vault
        paid = replace(taken, collateral_e8=UsdtE8(taken.collateral_e8 + dust_e8))
        return 0, [*changed, paid], [each.name for each in changed]

    def _most_profitable_first(
        self, account: Account, mark_price_e8: PriceE8, index_e8: FundingIndexE8
    ) -> list[Account]:
        others = [each for name in self.names if isinstance(each := self[name], Account)]
        opposite = [o for o in others if o.market == account.market and o.size_e8 * account.size_e8 < 0]
        profit_e8 = {o.name: account_value_e8(o, mark_price_e8, index_e8) - o.collateral_e8 for o in opposite}
        return sorted(opposite, key=lambda each: -profit_e8[each.name])

    def _changed(self, after: Iterable[AnyAccount], deleveraged: tuple[AccountName, ...] = ()) -> Change:
        becomes = {each.name: each for each in after}
        change = Change({name: self[name] for name in becomes}, becomes, deleveraged)
        self.restore(becomes)
        return change


def _markets_of(account: AnyAccount) -> Iterable[MarketName]:
    return [account.market] if isinstance(account, Account) else [each.market for each in account.positions]


def vault_of(market: MarketName) -> AccountName:
    """The name of the Liquidator Vault's account in a market."""
    return AccountName(f"{VAULT}-{market}")
