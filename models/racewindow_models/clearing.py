"""The clearing of accounts: trades, liquidations, the insurance fund (the Liquidator Vault), ADL and refunds.

Every change is a transfer, so the value of all accounts and the vault together stays the same, whatever the prices:
what one gets another gives. A liquidated position is taken over by the vault as it is; the account keeps what it is
worth. If that is less than nothing, the vault pays the shortfall out of its capital. If it cannot, the position is
auto-deleveraged (ADL): opposite positions, the most profitable first, are closed against it at its bankruptcy
price; what nobody holds against it stays with the vault.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from racewindow import TrackedDict
from racewindow_models.margin import Account, account_value_e8
from racewindow_models.units import E8, AccountName, FundingIndexE8, MarketName, PriceE8, SizeE8, UsdtE8

VAULT = "vault"


@dataclass(frozen=True, slots=True)
class Change:
    """What one transfer has changed: the accounts concerned before and after it, the vault's among them.

    `deleveraged`: whose positions were closed by ADL.
    """

    before: Mapping[AccountName, Account]
    after: Mapping[AccountName, Account]
    deleveraged: tuple[AccountName, ...] = ()

    def moved_e16(self) -> int:
        """By how much the sum of what all are worth has changed, times 10^16; the prices make no difference."""
        return sum(map(_worth_e16, self.after.values())) - sum(map(_worth_e16, self.before.values()))


def _worth_e16(account: Account) -> int:
    """What an account is worth at a price and an index of 0, without rounding."""
    return account.collateral_e8 * E8 + account.size_e8 * (account.cached_index_e8 - account.entry_price_e8)


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


class Clearing:
    """The accounts by name, and for each market the vault's. `vault_e8`: its capital in each, None for unlimited."""

    def __init__(self, accounts: Iterable[Account], vault_e8: UsdtE8 | None) -> None:
        given = {each.name: each for each in accounts}
        markets = dict.fromkeys(each.market for each in given.values())
        vaults = {vault_of(market): flat(vault_of(market), market, vault_e8 or UsdtE8(0)) for market in markets}
        self.names = tuple(given)
        """Of all accounts but the vault's."""
        self._limited = vault_e8 is not None
        self._accounts: TrackedDict[AccountName, Account] = TrackedDict(given | vaults, name="accounts")

    def __getitem__(self, name: AccountName) -> Account:
        return self._accounts[name]

    def everything(self) -> dict[AccountName, Account]:
        """All accounts as they are now, the vault's included."""
        return dict(self._accounts.items())

    def restore(self, accounts: Mapping[AccountName, Account]) -> None:
        """Put accounts back to what they were."""
        for name, account in accounts.items():
            self._accounts[name] = account

    def trade(
        self, buyer: AccountName, seller: AccountName, size_e8: SizeE8, price_e8: PriceE8, index_e8: FundingIndexE8
    ) -> Change:
        """Two accounts trade."""
        bought = traded(self[buyer], size_e8, price_e8, index_e8)
        sold = traded(self[seller], SizeE8(-size_e8), price_e8, index_e8)
        return self._changed((bought, sold))

    def liquidate(self, name: AccountName, mark_price_e8: PriceE8, index_e8: FundingIndexE8) -> Change:
        """Close an account: the vault takes its position over, or if it cannot pay, others are closed against it."""
        account = self[name]
        value_e8 = account_value_e8(account, mark_price_e8, index_e8)
        left_e8 = UsdtE8(max(value_e8, 0))
        vault = self[vault_of(account.market)]
        if self._limited and value_e8 < 0 and account_value_e8(vault, mark_price_e8, index_e8) < -value_e8:
            return self._deleverage(account, mark_price_e8, index_e8)
        # As if it had sold to the vault at the mark, but for the shortfall, which the vault pays.
        taken = traded(vault, account.size_e8, mark_price_e8, index_e8)
        paid = replace(taken, collateral_e8=UsdtE8(taken.collateral_e8 + value_e8 - left_e8))
        return self._changed((flat(name, account.market, left_e8), paid))

    def pay(self, name: AccountName, amount_e8: UsdtE8) -> Change:
        """The vault refunds an account."""
        account = self[name]
        vault = self[vault_of(account.market)]
        return self._changed(
            (
                replace(account, collateral_e8=UsdtE8(account.collateral_e8 + amount_e8)),
                replace(vault, collateral_e8=UsdtE8(vault.collateral_e8 - amount_e8)),
            )
        )

    def _deleverage(self, account: Account, mark_price_e8: PriceE8, index_e8: FundingIndexE8) -> Change:
        """Close opposite positions against an account at its bankruptcy price; what is left goes to the vault."""
        price_e8 = bankruptcy_price_e8(account, index_e8)
        changed, size_e8 = dict[AccountName, Account](), account.size_e8
        for other in self._most_profitable_first(account, mark_price_e8, index_e8):
            if not size_e8:
                break
            bought_e8 = SizeE8(size_e8 if abs(size_e8) <= abs(other.size_e8) else -other.size_e8)
            changed[other.name] = traded(other, bought_e8, price_e8, index_e8)
            size_e8 = SizeE8(size_e8 - bought_e8)
        vault = self[vault_of(account.market)]
        dust_e8 = account_value_e8(account, price_e8, index_e8)
        taken = traded(vault, size_e8, price_e8, index_e8) if size_e8 else vault
        changed[vault.name] = replace(taken, collateral_e8=UsdtE8(taken.collateral_e8 + dust_e8))
        everybody = (flat(account.name, account.market, UsdtE8(0)), *changed.values())
        return self._changed(everybody, tuple(name for name in changed if name != vault.name))

    def _most_profitable_first(
        self, account: Account, mark_price_e8: PriceE8, index_e8: FundingIndexE8
    ) -> list[Account]:
        others = [self[name] for name in self.names]
        opposite = [o for o in others if o.market == account.market and o.size_e8 * account.size_e8 < 0]
        profit_e8 = {o.name: account_value_e8(o, mark_price_e8, index_e8) - o.collateral_e8 for o in opposite}
        return sorted(opposite, key=lambda each: -profit_e8[each.name])

    def _changed(self, after: Iterable[Account], deleveraged: tuple[AccountName, ...] = ()) -> Change:
        becomes = {each.name: each for each in after}
        change = Change({name: self[name] for name in becomes}, becomes, deleveraged)
        self.restore(becomes)
        return change


def vault_of(market: MarketName) -> AccountName:
    """The name of the Liquidator Vault's account in a market."""
    return AccountName(f"{VAULT}-{market}")
