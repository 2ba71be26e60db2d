"""Integers with a unit: what the type checker tells apart, and the only conversions between them.

Money and time are integers everywhere; the scale stands last in the name (`price_e8` is a price times 10^8). The market
is quoted in USDT, so a price, a funding index (USDT per unit of the asset) and a collateral have the same scale and
still are three things that must not be mixed up.
"""

from __future__ import annotations

from typing import NewType

TimeNs = NewType("TimeNs", int)
"""A point in virtual time or a span of it, in nanoseconds."""
PriceE8 = NewType("PriceE8", int)
FundingIndexE8 = NewType("FundingIndexE8", int)
"""Funding accrued since launch, in USDT per unit of the asset."""
FundingRateE8 = NewType("FundingRateE8", int)
"""A fraction of the price, paid per eight hours."""
FairBasisE8 = NewType("FairBasisE8", int)
"""A fraction of the spot price by which the contract's fair price lies above it."""
SizeE8 = NewType("SizeE8", int)
"""Units of the asset; negative for a short position."""
UsdtE8 = NewType("UsdtE8", int)
"""Collateral, account value, margin."""
Generation = NewType("Generation", int)
"""The number of the oracle's round that a value was computed for; it grows across restarts."""
BlockHeight = NewType("BlockHeight", int)
MarketName = NewType("MarketName", str)
AccountName = NewType("AccountName", str)

E8 = 100_000_000
SECOND_NS = 1_000_000_000
FUNDING_PERIOD_NS = 8 * 3600 * SECOND_NS
"""A funding rate is paid per eight hours."""
BASIS_POINT_E8 = 10_000


def nanoseconds(seconds: int) -> TimeNs:
    """A span of whole seconds in nanoseconds."""
    return TimeNs(seconds * SECOND_NS)


def to_trio_seconds(time_ns: TimeNs) -> float:
    """A point in virtual time as trio's clock tells it; exact to the microsecond for a century."""
    return time_ns / SECOND_NS


def text_e8(amount_e8: int) -> str:
    """A scaled integer as people write it: `0.121431`, `-12`."""
    sign = "-" if amount_e8 < 0 else ""
    whole, part = divmod(abs(amount_e8), E8)
    return f"{sign}{whole}.{part:08d}".rstrip("0").rstrip(".")


def text_usdt(amount_e8: int) -> str:
    """An amount of money in whole cents, cut towards zero: `-1,012.45 USDT`."""
    return f"{_text_cents(amount_e8)} USDT"


def text_dollars(amount_e8: int) -> str:
    """An amount of money in whole cents, cut towards zero: `-1,012.45 dollars`."""
    return f"{_text_cents(amount_e8)} dollars"


def _text_cents(amount_e8: int) -> str:
    sign = "-" if amount_e8 < 0 else ""
    cents = abs(amount_e8) * 100 // E8
    return f"{sign}{cents // 100:,}.{cents % 100:02d}"


def text_seconds(time_ns: int) -> str:
    """A time or span in seconds: `60 s`, `0.5 s`."""
    whole, part = divmod(time_ns, SECOND_NS)
    return f"{whole}.{part:09d}".rstrip("0").rstrip(".") + " s"


def text_duration(time_ns: int) -> str:
    """A span of whole seconds in hours, minutes and seconds, without those that are 0: `6 h 30 min`, `10 s`, `0 s`."""
    seconds = time_ns // SECOND_NS
    parts = ((seconds // 3_600, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"
