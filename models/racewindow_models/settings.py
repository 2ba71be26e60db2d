"""The sizes of a maintenance window: how many markets, accounts, ticks and batches, and how long everything takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from racewindow import UsageError
from racewindow_models.units import BASIS_POINT_E8, FairBasisE8, TimeNs, nanoseconds

_AT_LEAST_ONE = ("markets", "accounts", "ticks", "batches", "tick_seconds", "window_seconds", "max_age_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The parameters of a scenario, as the user gives them.

    markets: markets of the exchange. accounts: accounts in each market, by turns long and short. ticks: rounds of the
    market-data writer after its restart. batches: batches that the committer tries to commit after the restart.
    tick_seconds: time between two rows of the feed. window_seconds: from the stop of the services to their restart.
    max_age_seconds: the oldest that a value may be when it is used. opening_index_percent: the funding accrued before
    virtual time 0, in percent of the first price (negative: shorts have paid longs). basis_bps: the fair basis.
    cross: accounts with cross margin, which have a position in every market.
    """

    markets: int = 2
    accounts: int = 2
    ticks: int = 2
    batches: int = 2
    tick_seconds: int = 5
    window_seconds: int = 60
    max_age_seconds: int = 15
    opening_index_percent: int = 10
    basis_bps: int = 20
    cross: int = 0

    def __post_init__(self) -> None:
        for name in _AT_LEAST_ONE:
            value = getattr(self, name)
            if value < 1:
                raise UsageError(f"the parameter {name!r} cannot be {value}.", why="it has to be at least 1.")
        if self.cross < 0:
            raise UsageError(f"the parameter 'cross' cannot be {self.cross}.", why="it has to be at least 0.")

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Settings:
        """The settings among the parameters of a scenario, which may have others of its own."""
        return cls(**{name: params[name] for name in cls.__slots__ if name in params})

    @property
    def tick_ns(self) -> TimeNs:
        """Time between two rounds of the oracle, and between two batches."""
        return nanoseconds(self.tick_seconds)

    @property
    def window_ns(self) -> TimeNs:
        """Virtual time at which the services are started again."""
        return nanoseconds(self.window_seconds)

    @property
    def max_age_ns(self) -> TimeNs:
        """The oldest that a value may be when it is used."""
        return nanoseconds(self.max_age_seconds)

    @property
    def fair_basis_e8(self) -> FairBasisE8:
        """The smoothed distance of the contract from spot when the window begins."""
        return FairBasisE8(self.basis_bps * BASIS_POINT_E8)

    def round_ns(self, number: int) -> TimeNs:
        """Virtual time of round `number` of a service after the restart, the first being 0."""
        return TimeNs(self.window_ns + number * self.tick_ns)
