"""Cross margin: accounts with one collateral behind positions in several markets, and what holds for both kinds.

What a position gains another one may lose, and the account is liquidated as a whole when what it is worth over all of
them falls below the sum of their maintenance margins. So an account that is long in one market and short in another
needs less collateral, and an index that is wrong in one of them only brings it down.

An isolated account is the same with one position; what is here takes either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from racewindow_models.ground_truth import GroundTruth, MarketTruth
from racewindow_models.margin import (
    CUSHION_PERCENT,
    MAINTENANCE_PERCENT,
    Account,
    Position,
    gain_e16,
    has_margin,
    instants,
    notional_e16,
    usual_size_e8,
)
from racewindow_models.units import E8, AccountName, FundingIndexE8, MarketName, PriceE8, SizeE8, TimeNs, UsdtE8
from racewindow_models.values import Batch


@dataclass(frozen=True, slots=True)
class CrossPosition:
    """One position of an account. `cached_index_e8`: the index at its last change."""

    market: MarketName
    size_e8: SizeE8
    entry_price_e8: PriceE8
    cached_index_e8: FundingIndexE8


@dataclass(frozen=True, slots=True)
class CrossAccount:
    """An account whose positions, in different markets, share a collateral; without positions it is closed."""

    name: AccountName
    collateral_e8: UsdtE8
    positions: tuple[CrossPosition, ...]


AnyAccount = Account | CrossAccount
Quotes = Callable[[MarketName], tuple[PriceE8, FundingIndexE8]]
"""Mark price and funding index of a market, as somebody sees them."""


def positions_of(account: AnyAccount) -> Sequence[Position]:
    """Its open positions."""
    positions: Sequence[Position] = account.positions if isinstance(account, CrossAccount) else (account,)
    return [each for each in positions if each.size_e8]


def quoted(batch: Batch) -> Quotes:
    """What a batch says; asked for a market that it does not have, it raises KeyError."""
    by_market = {each.market: (each.mark_price_e8, each.funding_index_e8) for each in batch}
    return by_market.__getitem__


def true_at(truth: GroundTruth, time_ns: TimeNs) -> Quotes:
    """What is true at a time."""
    return lambda market: (truth[market].mark_price_e8(time_ns), truth[market].funding_index_e8(time_ns))


def value_e8(account: AnyAccount, quotes: Quotes) -> UsdtE8:
    """Collateral, unrealized profit and accrued funding of all positions; rounded down once, at the end."""
    gains_e16 = sum(gain_e16(each, *quotes(each.market)) for each in positions_of(account))
    return UsdtE8(account.collateral_e8 + gains_e16 // E8)


def needed_e8(account: AnyAccount, quotes: Quotes) -> UsdtE8:
    """The sum of the maintenance margins, rounded down once."""
    notionals_e16 = sum(notional_e16(each.size_e8, quotes(each.market)[0]) for each in positions_of(account))
    return UsdtE8(notionals_e16 * MAINTENANCE_PERCENT // (E8 * 100))


def is_covered(account: AnyAccount, quotes: Quotes) -> bool:
    """Whether the account is worth at least the sum of its maintenance margins."""
    positions = [(each, quotes(each.market)) for each in positions_of(account)]
    gains_e16 = sum(gain_e16(each, *quote) for each, quote in positions)
    notionals_e16 = sum(notional_e16(each.size_e8, mark_e8) for each, (mark_e8, _) in positions)
    return has_margin(account.collateral_e8, gains_e16, notionals_e16)


def was_covered(account: AnyAccount, truth: GroundTruth, now_ns: TimeNs, max_age_ns: TimeNs) -> bool:
    """Whether an account was solvent by all values that may lawfully have been used at a time.

    The values of two markets may be of different ages, so each position is taken at its own worst moment.
    """
    start_ns = TimeNs(max(0, now_ns - max_age_ns))
    worst = [_worst(each, truth[each.market], start_ns, now_ns) for each in positions_of(account)]
    return has_margin(account.collateral_e8, sum(gain for gain, _ in worst), sum(notional for _, notional in worst))


def _worst(position: Position, truth: MarketTruth, start_ns: TimeNs, end_ns: TimeNs) -> tuple[int, int]:
    """Gain and notional at the moment at which the position leaves its account with the least beyond its margin."""
    found = []
    for time_ns in instants(truth, start_ns, end_ns):
        mark_e8, index_e8 = truth.mark_price_e8(time_ns), truth.funding_index_e8(time_ns)
        found.append((gain_e16(position, mark_e8, index_e8), notional_e16(position.size_e8, mark_e8)))
    return min(found, key=lambda each: each[0] * 100 - each[1] * MAINTENANCE_PERCENT)


def closed(account: AnyAccount, left_e8: UsdtE8) -> AnyAccount:
    """The account without its positions, and with what is left to it."""
    if isinstance(account, CrossAccount):
        return replace(account, positions=(), collateral_e8=left_e8)
    return replace(account, size_e8=SizeE8(0), collateral_e8=left_e8)


def open_cross_accounts(truths: Sequence[MarketTruth], count: int, end_ns: TimeNs) -> tuple[CrossAccount, ...]:
    """`count` accounts with a position in every market, opened at virtual time 0: long in one, short in the next.

    Every other one is the other way round. Each has the collateral that keeps it clear of its maintenance margin at the
    true prices until `end_ns`, and no more; it is what positions that balance each other are held with.
    """
    return tuple(_opened(truths, number, end_ns) for number in range(count))


def _opened(truths: Sequence[MarketTruth], number: int, end_ns: TimeNs) -> CrossAccount:
    positions = []
    for place, truth in enumerate(truths):
        entry_price_e8, index_e8 = truth.mark_price_e8(TimeNs(0)), truth.funding_index_e8(TimeNs(0))
        sign = 1 if (number + place) % 2 == 0 else -1
        size_e8 = SizeE8(sign * usual_size_e8(entry_price_e8))
        positions.append(CrossPosition(truth.market, size_e8, entry_price_e8, index_e8))
    bare = CrossAccount(AccountName(f"cross-{number + 1}"), UsdtE8(0), tuple(positions))
    ticks = map(TimeNs, range(0, end_ns + 1, truths[0].series.tick_ns))
    everything = GroundTruth(tuple(truths))
    return replace(bare, collateral_e8=UsdtE8(max(_short_of_e8(bare, true_at(everything, time)) for time in ticks)))


def _short_of_e8(bare: CrossAccount, quotes: Quotes) -> int:
    """What an account without collateral needs to be worth the cushion of all its positions."""
    notionals_e16 = sum(notional_e16(each.size_e8, quotes(each.market)[0]) for each in bare.positions)
    return notionals_e16 * CUSHION_PERCENT // (E8 * 100) - value_e8(bare, quotes)
