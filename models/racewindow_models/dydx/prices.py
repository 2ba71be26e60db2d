"""Oracle prices: what a sidecar quotes, what the chain holds, and what was true.

The price on the chain has no timestamp, unless `age_guard` has put one there. What it is really of, only the simulator
knows (`true_ts_ns`); no service looks at that.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from racewindow_models.units import E8, PriceE8, TimeNs

VALIDATORS = 4
"""Of equal stake each."""


def is_quorum(votes: int) -> bool:
    """Whether that many validators have two thirds of the stake: 3 of 4."""
    return 3 * votes >= 2 * VALIDATORS


@dataclass(frozen=True, slots=True)
class Quote:
    """What a sidecar says a price is, and of when."""

    price_e8: PriceE8
    source_ts_ns: TimeNs


@dataclass(frozen=True, slots=True)
class OraclePrice:
    """The price on the chain. `source_ts_ns`: of when it is, as far as the chain knows."""

    price_e8: PriceE8
    source_ts_ns: TimeNs | None
    true_ts_ns: TimeNs = field(compare=False)


@dataclass(frozen=True, slots=True)
class TruePrice:
    """The price as it was: `before_e8` at virtual time 0, when the chain halted, and `after_e8` ever after."""

    before_e8: PriceE8
    after_e8: PriceE8

    def at(self, time_ns: TimeNs) -> PriceE8:
        """The price at a time."""
        return self.after_e8 if time_ns > 0 else self.before_e8

    @classmethod
    def moved(cls, before_usd: int, percent: int) -> TruePrice:
        """A price that has moved by some percent of itself."""
        return cls(PriceE8(before_usd * E8), PriceE8(before_usd * E8 * (100 + percent) // 100))
