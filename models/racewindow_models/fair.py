"""The documented formulas of fair prices and bands, in integers: pure functions.

* mark price = spot * (1 + fair basis). In the older documented form, the one modelled here, the fair basis is the
  median of three votes (the venue's last trade, the venue's mid, the external median), sampled every tick and smoothed
  as an EWMA with a weight of 20%. So two of three votes come from the venue's own book. Which form was live on
  2026-01-19 is not known.
* external fair price = spot * (1 + the median of four other venues and the venue's own slow EMA). Nearly independent of
  the book; its spot oracle is that of the mark.
"""

from __future__ import annotations

from collections.abc import Sequence

from racewindow_models.units import BASIS_POINT_E8, E8, FairBasisE8, PriceE8

EWMA_PERCENT = 20
"""The weight of the newest sample."""
POST_ONLY_BAND_E8 = 5 * BASIS_POINT_E8
"""5 bps: how far an aggressive order in a post-only market may be from the external fair price."""
GENERAL_BAND_E8 = E8 * 30 // 100
"""How far any aggressive order may be from the mark price; illustrative."""
SPREAD_MAX_E8 = E8 // 100
"""A book whose spread is wider than 1% is thin."""
VENUE_OFFSETS_BPS = (-2, 0, 1, 2)
"""How far the bases of the four other venues are from the fair one; illustrative."""


def basis_e8(price_e8: PriceE8, spot_e8: PriceE8) -> FairBasisE8:
    """How far a price is from spot, as a fraction of spot; 0 where spot is 0."""
    return FairBasisE8((price_e8 - spot_e8) * E8 // spot_e8) if spot_e8 else FairBasisE8(0)


def median(votes: Sequence[FairBasisE8]) -> FairBasisE8:
    """The middle one of an odd number of votes."""
    assert len(votes) % 2 == 1
    return sorted(votes)[len(votes) // 2]


def fair_basis_vote_e8(
    last_e8: FairBasisE8 | None, mid_e8: FairBasisE8 | None, external_e8: FairBasisE8
) -> FairBasisE8:
    """One sample of the older form. A vote that is not there (no trade yet, one side of the book empty) is external."""
    return median([external_e8 if vote is None else vote for vote in (last_e8, mid_e8, external_e8)])


def ewma_e8(smoothed_e8: FairBasisE8, sample_e8: FairBasisE8) -> FairBasisE8:
    """The smoothed basis after one more sample."""
    return FairBasisE8((smoothed_e8 * (100 - EWMA_PERCENT) + sample_e8 * EWMA_PERCENT) // 100)


def external_basis_e8(fair_e8: FairBasisE8, own_e8: FairBasisE8) -> FairBasisE8:
    """The median of the other venues, which are around the fair basis, and of the venue's own slow average."""
    return median([*(FairBasisE8(fair_e8 + bps * BASIS_POINT_E8) for bps in VENUE_OFFSETS_BPS), own_e8])


def mid_e8(bid_e8: PriceE8 | None, ask_e8: PriceE8 | None) -> PriceE8 | None:
    """The mean of best bid and best ask, or None if there is not one of each."""
    return None if bid_e8 is None or ask_e8 is None else PriceE8((bid_e8 + ask_e8) // 2)


def is_thin(bid_e8: PriceE8 | None, ask_e8: PriceE8 | None) -> bool:
    """Whether a side is missing, or the spread is wider than 1% of the mid."""
    middle_e8 = mid_e8(bid_e8, ask_e8)
    if middle_e8 is None or bid_e8 is None or ask_e8 is None:
        return True
    return (ask_e8 - bid_e8) * E8 > abs(middle_e8) * SPREAD_MAX_E8


def worst_in_band_e8(reference_e8: PriceE8, width_e8: int, *, buying: bool) -> PriceE8:
    """The highest price to buy at, or the lowest to sell at: a band restricts the aggressive side only."""
    distance_e8 = abs(reference_e8) * width_e8 // E8
    return PriceE8(reference_e8 + distance_e8 if buying else reference_e8 - distance_e8)
