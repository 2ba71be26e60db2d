"""The market store: for each market a row with the writer's saved state and a row with the published values.

A request is answered in one step of its own: the scheduling point stands before the access, as a message to a database
does. Only a transaction touches several rows in one step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import trio

from racewindow import Cell, TrackedDict
from racewindow_models.units import MarketName
from racewindow_models.values import Batch, MarketState, MarketValues, missing_state, missing_values


class Database:
    """One version of the market store."""

    def __init__(self, name: str, states: Iterable[MarketState] = (), values: Iterable[MarketValues] = ()) -> None:
        self.name = name
        self._states = TrackedDict({each.market: each for each in states}, name=f"{name}.states")
        self._values = TrackedDict({each.market: each for each in values}, name=f"{name}.values")

    async def read_state(self, market: MarketName) -> MarketState:
        """The saved state of one market; a missing row reads as zeros that are not present."""
        await trio.lowlevel.checkpoint()
        return self._states.get(market) or missing_state(market)

    async def save_states(self, states: Sequence[MarketState]) -> None:
        """Write the states of several markets, in one transaction."""
        await trio.lowlevel.checkpoint()
        for state in states:
            self._states[state.market] = state

    async def read_values(self, market: MarketName) -> MarketValues:
        """The published values of one market; a missing row reads as zeros that are not present."""
        await trio.lowlevel.checkpoint()
        return self._values.get(market) or missing_values(market)

    async def read_batch(self, markets: Sequence[MarketName]) -> Batch:
        """The published values of several markets, in one transaction."""
        await trio.lowlevel.checkpoint()
        return tuple(self._values.get(market) or missing_values(market) for market in markets)

    async def publish(self, batch: Batch) -> None:
        """Write the published values of one or several markets, in one transaction."""
        await trio.lowlevel.checkpoint()
        for values in batch:
            self._values[values.market] = values

    async def copy_row(self, market: MarketName, target: Database) -> None:
        """Copy all that is known about one market to another version of the store."""
        await trio.lowlevel.checkpoint()
        state, values = self._states.get(market), self._values.get(market)
        if state is not None:
            target._states[market] = state  # another object of this class
        if values is not None:
            target._values[market] = values


class Routing:
    """Which version of the market store a service is connected to when it starts."""

    def __init__(self, active: Database) -> None:
        self._active = Cell(active, name="routing")

    def connect(self) -> Database:
        """The active database."""
        return self._active.get()

    def switch(self, target: Database) -> None:
        """Send every service that starts from now on to another database."""
        self._active.set(target)
