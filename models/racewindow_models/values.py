"""What travels between the services: a market's saved state and its published values.

Each carries, next to its numbers, what a reader needs to tell a good one from a bad one: *presence*, `source_ts_ns`
and `generation`. A missing row is a value too, with zeros for numbers and `present` False, because that is what code
that coalesces nothing to 0 sees; whether a service looks at the presence is its own affair.

Each also carries a *provenance*, which no service may look at: it is the simulator's knowledge of who wrote the value
and from what, and proves to the checkers why a value is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from racewindow_models.units import FairBasisE8, FundingIndexE8, Generation, MarketName, PriceE8, TimeNs

NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who computed a value, and from which state.

    `producer`: the service instance. `state_by`: the instance whose state it started from, `NOBODY` for a state that
    was not there. `from_saved_state`: whether that state goes back, over any number of rounds, to the one that was
    saved before the window. `sources`: what else it was computed from, such as the spot oracle or the venue's own book.
    `last_thin_ns`: when a book that was thin last had a vote in it, None for never. `made_in`: the epoch of the chain
    that it belongs to, where that is kept.
    """

    producer: str
    state_by: str
    from_saved_state: bool
    sources: tuple[str, ...] = ()
    last_thin_ns: TimeNs | None = None
    made_in: int = 0

    def __str__(self) -> str:
        if self.producer == NOBODY:
            return "never written"
        if self.state_by == NOBODY:
            return f"computed by {self.producer} before its state was loaded"
        if not self.from_saved_state:
            return f"computed by {self.producer} from a state that {self.state_by} began before its load was complete"
        if self.sources:
            return f"computed by {self.producer} from {', '.join(self.sources[:-1])} and {self.sources[-1]}"
        if self.state_by == self.producer:
            return f"computed by {self.producer}"
        return f"computed by {self.producer} from the state saved by {self.state_by}"


UNWRITTEN = Provenance(producer=NOBODY, state_by=NOBODY, from_saved_state=False)


@dataclass(frozen=True, slots=True)
class MarketState:
    """What a market-data writer has to know about a market in order to go on.

    `fair_basis_e8` is the smoothed (EWMA) distance of the contract from spot. `source_ts_ns` is the time up to which
    `funding_index_e8` is integrated; None when it is unknown.
    """

    market: MarketName
    fair_basis_e8: FairBasisE8
    funding_index_e8: FundingIndexE8
    present: bool
    source_ts_ns: TimeNs | None
    generation: Generation
    provenance: Provenance = field(compare=False)


@dataclass(frozen=True, slots=True)
class MarketValues:
    """A market's mark price and funding index as published by a writer, stored and committed to the chain."""

    market: MarketName
    mark_price_e8: PriceE8
    funding_index_e8: FundingIndexE8
    present: bool
    source_ts_ns: TimeNs | None
    generation: Generation
    provenance: Provenance = field(compare=False)


Batch = tuple[MarketValues, ...]
"""The values of every market, in the order of the markets."""


def missing_state(market: MarketName) -> MarketState:
    """What reading a state that is not there yields."""
    return MarketState(market, FairBasisE8(0), FundingIndexE8(0), False, None, Generation(0), UNWRITTEN)  # noqa: FBT003


def missing_values(market: MarketName) -> MarketValues:
    """What reading published values that are not there yields."""
    return MarketValues(market, PriceE8(0), FundingIndexE8(0), False, None, Generation(0), UNWRITTEN)  # noqa: FBT003
