"""Ground truth: what mark price and funding index really are at any virtual time. Only a simulator has it.

The checkers judge against it and the report quotes it; no service sees it. It is computed from the recorded feed and
the state at virtual time 0 by the documented formulas:

* mark price = spot * (1 + fair basis). The fair basis is smoothed from the venue's own quotes, of which there are none
  while trading is halted, so it stays what it was when the window began.
* funding index = opening index + integral of the funding premium (rate * spot price, per eight hours).
"""

from __future__ import annotations

from dataclasses import dataclass

from racewindow_models.oracle import SpotSeries
from racewindow_models.units import E8, FairBasisE8, FundingIndexE8, MarketName, PriceE8, TimeNs


def mark_price_e8(spot_price_e8: PriceE8, fair_basis_e8: FairBasisE8) -> PriceE8:
    """The documented formula, rounded down to the scale of prices."""
    return PriceE8(spot_price_e8 * (E8 + fair_basis_e8) // E8)


@dataclass(frozen=True, slots=True)
class MarketTruth:
    """The truth about one market.

    `opening_index_e8`: the funding accrued from launch to virtual time 0.
    """

    series: SpotSeries
    fair_basis_e8: FairBasisE8
    opening_index_e8: FundingIndexE8

    @property
    def market(self) -> MarketName:
        """The market's name."""
        return self.series.market

    def mark_price_e8(self, time_ns: TimeNs) -> PriceE8:
        """The true mark price at a time."""
        return mark_price_e8(self.series.price_e8(time_ns), self.fair_basis_e8)

    def funding_index_e8(self, time_ns: TimeNs) -> FundingIndexE8:
        """The true funding index at a time."""
        return FundingIndexE8(self.opening_index_e8 + self.series.funding_e8(time_ns))


class GroundTruth:
    """The truth about every market."""

    __slots__ = ("_markets",)

    def __init__(self, markets: tuple[MarketTruth, ...]) -> None:
        self._markets = {each.market: each for each in markets}

    def __repr__(self) -> str:
        return f"GroundTruth({', '.join(self._markets)})"

    def __getitem__(self, market: MarketName) -> MarketTruth:
        return self._markets[market]

    @property
    def markets(self) -> tuple[MarketTruth, ...]:
        """All markets in order."""
        return tuple(self._markets.values())
