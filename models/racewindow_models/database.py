"""The market store: for each market a row with the writer's saved state and a row with the published values.

Its methods answer calls of other services, each in one step; only a transaction touches several rows in one step.
Isolation: transactions are serializable, being one step each, and see only what is committed. Two calls are two
transactions, between which others may commit; a service that reads market by market may read two generations. What
faults of storage can do to an answer or to a transaction, they do at its fault points `db.read` and `db.commit`.

The store may guard its writes: a *fencing token* older than the newest one seen is refused, and with compare-and-set a
generation that is not newer than the one in the row. Check and write are one step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import racewindow
from racewindow import Cell, TrackedDict, ValueFault, WriteFault
from racewindow_models.units import MarketName
from racewindow_models.values import Batch, MarketState, MarketValues, missing_state, missing_values
from racewindow_models.witness import Witness

T = TypeVar("T")


class Database:
    """One version of the market store. `fencing`, `cas_write`: how it guards the published values."""

    def __init__(
        self,
        name: str,
        states: Iterable[MarketState] = (),
        values: Iterable[MarketValues] = (),
        *,
        fencing: bool = False,
        cas_write: bool = False,
    ) -> None:
        self.name = name
        self._states = TrackedDict({each.market: each for each in states}, name=f"{name}.states")
        self._values = TrackedDict({each.market: each for each in values}, name=f"{name}.values")
        self._fencing, self._cas_write = fencing, cas_write
        self._token = Cell(0, name=f"{name}.token")

    def __repr__(self) -> str:
        return f"<{self.name}>"  # read by people, wherever the routing is

    async def read_state(self, market: MarketName) -> MarketState:
        """The saved state of one market; a missing row reads as zeros that are not present."""
        return self._read(self._states.get(market)) or missing_state(market)

    async def save_states(self, states: Sequence[MarketState]) -> None:
        """Write the states of several markets, in one transaction."""
        kept, fault = self._written(states)
        for state in kept:
            self._states[state.market] = state
        _acknowledge(fault)

    async def read_values(self, market: MarketName) -> MarketValues:
        """The published values of one market; a missing row reads as zeros that are not present."""
        return self._read(self._values.get(market)) or missing_values(market)

    async def read_batch(self, markets: Sequence[MarketName]) -> Batch:
        """The published values of several markets, in one transaction."""
        return tuple(self._read(self._values.get(market)) or missing_values(market) for market in markets)

    async def publish(self, batch: Batch, token: int) -> Batch:
        """Write the published values of one or several markets, in one transaction; returns those that were accepted.

        `token`: the fencing token of the instance that writes.
        """
        if self._fencing:
            if token < self._token.get():
                return ()
            if token > self._token.get():
                self._token.set(token)
        accepted = tuple(each for each in batch if not self._cas_write or self._is_newer(each))
        kept, fault = self._written(accepted)
        for values in kept:
            self._values[values.market] = values
        _acknowledge(fault)
        return tuple(kept)

    async def copy_row(self, market: MarketName, target: Database) -> None:
        """Copy all that is known about one market to another version of the store."""
        state, values = self._states.get(market), self._values.get(market)
        if state is not None:
            target._states[market] = state  # another object of this class
        if values is not None:
            target._values[market] = values

    async def copy_rows(self, markets: Sequence[MarketName], target: Database) -> None:
        """Copy several markets in one transaction."""
        for market in markets:
            await self.copy_row(market, target)

    def holds(self, markets: Sequence[MarketName]) -> bool:
        """Whether there is a state of every market: what comparing row counts tells."""
        return all(market in self._states for market in markets)

    def _is_newer(self, values: MarketValues) -> bool:
        stored = self._values.get(values.market)
        return stored is None or values.generation > stored.generation

    def _read(self, row: T | None) -> T | None:
        """A row as the reader gets it."""
        fault = racewindow.offer_fault("db.read", service=self.name)
        if not isinstance(fault, ValueFault):
            return row
        found: Any = fault.read(() if row is None else (row,))
        return found if row is None or isinstance(found, type(row)) else None

    def _written(self, rows: Sequence[T]) -> tuple[Sequence[T], racewindow.Fault | None]:
        """Those of the rows that take effect, and what kept the others from it."""
        fault = racewindow.offer_fault("db.commit", service=self.name)
        return (fault.written(rows) if isinstance(fault, WriteFault) else rows), fault


def _acknowledge(fault: racewindow.Fault | None) -> None:
    if isinstance(fault, WriteFault):
        fault.acknowledge()


class Routing:
    """The way to the market store: which version of it answers, and which writer may write."""

    name = "store"

    def __init__(self, active: Database, witness: Witness) -> None:
        self._witness = witness
        self._replica: Database | None = None
        self._active = Cell(active, name="routing")
        self._lease = Cell(0, name="lease")

    def connect(self) -> Database:
        """The active database."""
        return self._active.get()

    def read_from(self, replica: Database) -> None:
        """Have services read from a replica what they start from; it is set up so, and not switched."""
        self._replica = replica

    def connect_to_read(self) -> Database:
        """Where a service reads what it starts from: a replica, if there is one, else the active database."""
        return self.connect() if self._replica is None else self._replica

    async def publish(self, batch: Batch, token: int) -> Batch:
        """Write published values to the version that is active when the message arrives; see `Database.publish`.

        That may be after the writer has gone, so what is reported is what the store has accepted.
        """
        accepted = await self.connect().publish(batch, token)
        if accepted:
            self._witness.published(accepted)
        return accepted

    def grant_lease(self, token: int) -> None:
        """From now on only the writer with this fencing token may write."""
        self._lease.set(token)

    def holds_lease(self, token: int) -> bool:
        """Whether the writer with this token may write, at this moment."""
        return token >= self._lease.get()

    def switch(self, target: Database) -> None:
        """Send every service that connects from now on to another database."""
        self._active.set(target)
