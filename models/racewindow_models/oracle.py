"""The spot oracle: the recorded feed as a function of virtual time, in numbered rounds.

Round `k` holds over the half-open span [k * tick, (k + 1) * tick); after the last recorded row its price and rate hold
on. The oracle keeps its past rounds, so that a writer that was down can integrate over what it missed. A service asks
it by a call (`latest`), and anything may happen before the answer.

Funding is integrated exactly: the sum of rate * price * time is kept as one integer and divided once, at the point in
time that is asked for. So the funding of two adjoining spans adds up to that of their union, to the last digit,
however the span is cut into ticks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import racewindow
from racewindow_models.units import (
    E8,
    FUNDING_PERIOD_NS,
    FundingIndexE8,
    FundingRateE8,
    Generation,
    MarketName,
    PriceE8,
    TimeNs,
)


@dataclass(frozen=True, slots=True)
class SpotSeries:
    """One market's recorded spot prices and funding rates over virtual time."""

    market: MarketName
    tick_ns: TimeNs
    prices_e8: tuple[PriceE8, ...]
    rates_e8: tuple[FundingRateE8, ...]
    _premium: tuple[int, ...]
    """Entry k: the sum of rate * price * time before round k, in units of 10^-16 USDT nanoseconds."""

    @classmethod
    def of(
        cls, market: MarketName, prices_e8: Sequence[PriceE8], rates_e8: Sequence[FundingRateE8], tick_ns: TimeNs
    ) -> SpotSeries:
        """A series from a recording; the shorter of prices and rates is continued by its last entry."""
        rows = max(len(prices_e8), len(rates_e8))
        prices = (*prices_e8, *[prices_e8[-1]] * (rows - len(prices_e8)))
        rates = (*rates_e8, *[rates_e8[-1]] * (rows - len(rates_e8)))
        flows = (price * rate * tick_ns for price, rate in zip(prices, rates, strict=True))
        return cls(market, tick_ns, prices, rates, tuple(accumulate(flows, initial=0)))

    def round_at(self, time_ns: TimeNs) -> int:
        """The number of the round that holds at a time."""
        return time_ns // self.tick_ns

    def price_e8(self, time_ns: TimeNs) -> PriceE8:
        """The spot price at a time."""
        row = time_ns // self.tick_ns
        return self.prices_e8[row] if row < len(self.prices_e8) else self.prices_e8[-1]

    def prices_between(self, start_ns: TimeNs, end_ns: TimeNs) -> tuple[PriceE8, ...]:
        """All prices that held at some time from start to end, both included."""
        last = len(self.prices_e8) - 1
        first_row = min(start_ns // self.tick_ns, last)
        return self.prices_e8[first_row : end_ns // self.tick_ns + 1]

    def funding_e8(self, time_ns: TimeNs) -> FundingIndexE8:
        """The integral of the funding premium from virtual time 0 up to a time, in USDT per unit of the asset."""
        row = min(time_ns // self.tick_ns, len(self.prices_e8) - 1)
        since_row_ns = time_ns - row * self.tick_ns
        premium = self._premium[row] + self.prices_e8[row] * self.rates_e8[row] * since_row_ns
        return FundingIndexE8(premium // (FUNDING_PERIOD_NS * E8))


@dataclass(frozen=True, slots=True)
class OracleRound:
    """The oracle's answer: which round it is, and when it answered."""

    generation: Generation
    time_ns: TimeNs


class SpotOracle:
    """The service that a market-data writer asks for prices."""

    name = "oracle"

    def __init__(self, series: Sequence[SpotSeries], sim: racewindow.Simulation) -> None:
        self._series = {each.market: each for each in series}
        self._tick_ns = series[0].tick_ns
        self._sim = sim

    async def latest(self) -> OracleRound:
        """The round that holds when the oracle answers."""
        now_ns = TimeNs(self._sim.now_ns)
        return OracleRound(Generation(now_ns // self._tick_ns), now_ns)

    def price_e8(self, market: MarketName, time_ns: TimeNs) -> PriceE8:
        """The spot price of a market in the round of a time; it never changes afterwards."""
        return self._series[market].price_e8(time_ns)

    def funding_between_e8(self, market: MarketName, start_ns: TimeNs, end_ns: TimeNs) -> FundingIndexE8:
        """The funding premium of a market integrated from one time to another."""
        series = self._series[market]
        return FundingIndexE8(series.funding_e8(end_ns) - series.funding_e8(start_ns))
