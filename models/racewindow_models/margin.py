"""Accounts, positions, funding and margin, in integers.

An account holds one position with collateral of its own (isolated margin); those with several are in `cross.py`. Its
funding is not paid as it accrues: it is `-size * (index now - index cached)`, counts in the account's value at once and
is settled when the position changes. That is why a funding index that goes back to zero charges the whole lifetime's
funding in one instant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from racewindow_models.ground_truth import MarketTruth
from racewindow_models.units import (
    E8,
    AccountName,
    FundingIndexE8,
    MarketName,
    PriceE8,
    SizeE8,
    TimeNs,
    UsdtE8,
)

NOTIONAL_E8 = 10_000 * E8
"""About how large each position is, in USDT; illustrative."""
LEVERAGE_MAX = 10
"""Notional over account value when the position was opened; the initial margin is 1/10. Illustrative."""
MAINTENANCE_PERCENT = 5
"""Maintenance margin in percent of the notional: half of the initial margin. Illustrative."""
CUSHION_PERCENT = 6
"""What every account is worth at the worst true price, in percent of the notional there: above maintenance."""


class Position(Protocol):
    """A position in a market, whatever stands behind it."""

    @property
    def market(self) -> MarketName:
        """In which market."""

    @property
    def size_e8(self) -> SizeE8:
        """Negative for a short one."""

    @property
    def entry_price_e8(self) -> PriceE8:
        """The price at its last change."""

    @property
    def cached_index_e8(self) -> FundingIndexE8:
        """The funding index at its last change."""


def gain_e16(position: Position, mark_price_e8: PriceE8, funding_index_e8: FundingIndexE8) -> int:
    """Unrealized profit and accrued funding, without rounding."""
    gain_per_unit_e8 = (mark_price_e8 - position.entry_price_e8) - (funding_index_e8 - position.cached_index_e8)
    return position.size_e8 * gain_per_unit_e8


def notional_e16(size_e8: SizeE8, price_e8: PriceE8) -> int:
    """What a position is about, without rounding; at a negative price too it is positive."""
    return abs(size_e8 * price_e8)


def has_margin(collateral_e8: int, gains_e16: int, notionals_e16: int) -> bool:
    """Whether collateral and gains come to at least the maintenance margin of the notionals, without rounding."""
    return (collateral_e8 * E8 + gains_e16) * 100 >= notionals_e16 * MAINTENANCE_PERCENT


@dataclass(frozen=True, slots=True)
class Account:
    """An account with one open position. `cached_index_e8`: the index at its last change."""

    name: AccountName
    market: MarketName
    size_e8: SizeE8
    entry_price_e8: PriceE8
    collateral_e8: UsdtE8
    cached_index_e8: FundingIndexE8


def account_value_e8(account: Account, mark_price_e8: PriceE8, funding_index_e8: FundingIndexE8) -> UsdtE8:
    """Collateral, unrealized profit and accrued funding; rounded down once, at the end."""
    return UsdtE8(account.collateral_e8 + gain_e16(account, mark_price_e8, funding_index_e8) // E8)


def maintenance_margin_e8(account: Account, mark_price_e8: PriceE8) -> UsdtE8:
    """The least that the account may be worth; a negative price has a positive margin."""
    return UsdtE8(notional_e16(account.size_e8, mark_price_e8) * MAINTENANCE_PERCENT // (E8 * 100))


def is_solvent(account: Account, mark_price_e8: PriceE8, funding_index_e8: FundingIndexE8) -> bool:
    """Whether the account is worth at least its maintenance margin."""
    gains_e16 = gain_e16(account, mark_price_e8, funding_index_e8)
    return has_margin(account.collateral_e8, gains_e16, notional_e16(account.size_e8, mark_price_e8))


def instants(truth: MarketTruth, start_ns: TimeNs, end_ns: TimeNs) -> Iterator[TimeNs]:
    """The times from start to end at which the truth can turn: both ends and every tick in between.

    Between ticks the price stands still and the index moves in one direction, so the ends decide.
    """
    tick_ns = truth.series.tick_ns
    yield start_ns
    yield from map(TimeNs, range(start_ns - start_ns % tick_ns + tick_ns, end_ns, tick_ns))
    yield end_ns


def open_accounts(truth: MarketTruth, count: int, end_ns: TimeNs) -> tuple[Account, ...]:
    """`count` accounts, by turns long and short, opened at virtual time 0 with the highest leverage.

    Where the true prices from then until `end_ns` would bring an account close to its maintenance margin, it is given
    as much more collateral as it takes to stay clear of it: under ground truth nobody is ever liquidated.
    """
    entry_price_e8, index_e8 = truth.mark_price_e8(TimeNs(0)), truth.funding_index_e8(TimeNs(0))
    accounts = []
    for number in range(count):
        side, sign = ("long", 1) if number % 2 == 0 else ("short", -1)
        name = AccountName(f"{truth.market}-{side}-{number // 2 + 1}")
        size_e8 = SizeE8(sign * usual_size_e8(entry_price_e8))
        bare = Account(name, truth.market, size_e8, entry_price_e8, UsdtE8(0), index_e8)
        accounts.append(_funded(bare, truth, end_ns))
    return tuple(accounts)


def usual_size_e8(price_e8: PriceE8) -> SizeE8:
    """The whole units that come closest to the usual notional from below, at least one."""
    return SizeE8((max(1, NOTIONAL_E8 // abs(price_e8)) if price_e8 else 1) * E8)


def _funded(bare: Account, truth: MarketTruth, end_ns: TimeNs) -> Account:
    """The account with the collateral that `open_accounts` promises."""
    needed_e8 = abs(bare.size_e8 * bare.entry_price_e8) // (E8 * LEVERAGE_MAX)
    tick_ns = truth.series.tick_ns
    for time_ns in map(TimeNs, range(0, end_ns + 1, tick_ns)):
        mark_e8 = truth.mark_price_e8(time_ns)
        cushion_e8 = abs(bare.size_e8 * mark_e8) * CUSHION_PERCENT // (E8 * 100)
        needed_e8 = max(needed_e8, cushion_e8 - account_value_e8(bare, mark_e8, truth.funding_index_e8(time_ns)))
    return Account(bare.name, bare.market, bare.size_e8, bare.entry_price_e8, UsdtE8(needed_e8), bare.cached_index_e8)
