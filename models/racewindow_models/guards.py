"""What the consumers' guards check, as pure functions: each answers why a value must not be used, or ""."""

from __future__ import annotations

from racewindow_models.units import (
    E8,
    FUNDING_PERIOD_NS,
    FundingIndexE8,
    FundingRateE8,
    PriceE8,
    TimeNs,
    text_e8,
    text_seconds,
)
from racewindow_models.values import MarketValues

FUNDING_RATE_MAX_E8 = FundingRateE8(5_000_000)
"""The largest funding rate per eight hours, 5%."""
SPOT_DISTANCE_PERCENT_MAX = 5
"""How far a mark price may be from the spot price of the same moment; illustrative."""


def index_change_e8_max(price_e8: PriceE8, elapsed_ns: int) -> FundingIndexE8:
    """The most by which a funding index can change in some time at some price, at any rate; rounded up."""
    return FundingIndexE8(abs(price_e8) * FUNDING_RATE_MAX_E8 * abs(elapsed_ns) // (FUNDING_PERIOD_NS * E8) + 1)


def too_old(values: MarketValues, now_ns: TimeNs, max_age_ns: TimeNs) -> str:
    """A value is too old if its age is unknown or above the maximum (an age of exactly the maximum is fine)."""
    if values.source_ts_ns is None:
        return f"the age of {values.market} is unknown"
    age_ns = now_ns - values.source_ts_ns
    if age_ns > max_age_ns:
        return f"{values.market} is {text_seconds(age_ns)} old, more than {text_seconds(max_age_ns)}"
    return ""


def implausible(values: MarketValues, last: MarketValues, spot_price_e8: PriceE8) -> str:
    """Whether a market's values cannot follow the last ones on the chain.

    The index is held against the time that passed between the two sources. The mark price is held against the present
    spot price, which comes from elsewhere: a true fall, however large, moves both.
    """
    if values.source_ts_ns is None or last.source_ts_ns is None:
        return f"the age of {values.market} is unknown"
    change_e8 = values.funding_index_e8 - last.funding_index_e8
    most_e8 = index_change_e8_max(spot_price_e8, values.source_ts_ns - last.source_ts_ns)
    if abs(change_e8) > most_e8:
        return (
            f"the funding index of {values.market} changed by {text_e8(change_e8)}, "
            f"while no rate changes it by more than {text_e8(most_e8)}"
        )
    distance_e8 = abs(values.mark_price_e8 - spot_price_e8)
    if distance_e8 * 100 > abs(spot_price_e8) * SPOT_DISTANCE_PERCENT_MAX:
        return f"the mark price of {values.market} is {text_e8(distance_e8)} off spot"
    return ""


def regressed(values: MarketValues, last: MarketValues) -> str:
    """Whether a market's values are of an older generation than the last ones on the chain."""
    if values.generation < last.generation:
        return f"{values.market} is of generation {values.generation}, older than {last.generation}"
    return ""
