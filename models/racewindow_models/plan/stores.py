"""The market store as a plan has it: two versions of it, which can be copied by rows, written both, and dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import trio

from racewindow import Cell, ConnectionLostError, TrackedDict
from racewindow_models.database import Database, Routing
from racewindow_models.plan.witnessing import PlannedWitness
from racewindow_models.units import MarketName
from racewindow_models.values import Batch, MarketState, MarketValues


@dataclass(frozen=True, slots=True)
class Rows:
    """What one version of the database holds of some markets."""

    states: tuple[MarketState, ...]
    values: tuple[MarketValues, ...]


class PlannedDatabase(Database):
    """A version of the market store that can be read and written by rows, and dropped."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]  # what Database takes
        self._dropped = Cell(False, name=f"{self.name}.dropped")  # noqa: FBT003

    async def read_rows(self, markets: Sequence[MarketName]) -> Rows:
        """All that is known about some markets, in one transaction."""
        self._answer()
        states = [self._states[market] for market in markets if market in self._states]
        return Rows(tuple(states), tuple(self._values[market] for market in markets if market in self._values))

    async def write_rows(self, rows: Rows) -> None:
        """Write what was read elsewhere, in one transaction; with compare-and-set nothing newer is overwritten."""
        self._answer()
        for state in rows.states:
            self._states[state.market] = state
        for values in rows.values:
            if not self._cas_write or self._is_newer(values):
                self._values[values.market] = values

    def restore(self, rows: Rows) -> None:
        """Put back what it held once, whatever it holds now."""
        for state in rows.states:
            self._states[state.market] = state
        for values in rows.values:
            self._values[values.market] = values

    async def copy_rows(self, markets: Sequence[MarketName], target: Database) -> None:
        """Copy several markets to another version in one transaction."""
        self._answer()
        await super().copy_rows(markets, target)

    async def save_states(self, states: Sequence[MarketState]) -> None:
        """Write the states of several markets."""
        self._answer()
        await super().save_states(states)

    def drop(self) -> None:
        """Nobody gets an answer any more."""
        self._dropped.set(True)

    @property
    def is_dropped(self) -> bool:
        """Whether it is gone."""
        return self._dropped.get()

    async def read_state(self, market: MarketName) -> MarketState:
        """The saved state of one market."""
        self._answer()
        return await super().read_state(market)

    async def read_values(self, market: MarketName) -> MarketValues:
        """The published values of one market."""
        self._answer()
        return await super().read_values(market)

    async def read_batch(self, markets: Sequence[MarketName]) -> Batch:
        """The published values of several markets."""
        self._answer()
        return await super().read_batch(markets)

    async def publish(self, batch: Batch, token: int) -> Batch:
        """Write published values."""
        self._answer()
        return await super().publish(batch, token)

    def _answer(self) -> None:
        if self._dropped.get():
            raise ConnectionLostError(f"{self.name} has been dropped")


class PlannedRouting(Routing):
    """The way to the store; while the plan has it so, what is published goes to both versions."""

    def __init__(self, source: PlannedDatabase, target: PlannedDatabase, witness: PlannedWitness) -> None:
        super().__init__(source, witness)
        self._told = witness
        self._writers: TrackedDict[MarketName, tuple[int, tuple[str, ...]]] = TrackedDict(name="store.writers")
        """The newest fencing token that was accepted of a market, and who wrote with it."""
        self._versions = source, target
        self._writes_both = Cell(False, name="routing.writes_both")  # noqa: FBT003

    async def publish(self, batch: Batch, token: int) -> Batch:
        """Write to the version in use, then in a step of its own to the other one."""
        first = self.connect()
        second = next(each for each in self._versions if each is not first) if self._writes_both.get() else None
        accepted = await super().publish(batch, token)
        for values in accepted:
            self._note(values, token)
        if second is not None:
            await trio.lowlevel.checkpoint()
            await second.publish(batch, token)
        return accepted

    def _note(self, values: MarketValues, token: int) -> None:
        writer, market = values.provenance.producer, values.market
        newest, writers = self._writers.get(market, (token, ()))
        others = tuple(each for each in writers if each != writer) if token == newest else ()
        self._told.write_accepted(market, writer, token, newest=newest, others=others)
        if token >= newest:
            self._writers[market] = (token, (*others, writer))

    def restore(self, rows: Rows) -> None:
        """Put rows back into the version in use."""
        next(each for each in self._versions if each is self.connect()).restore(rows)

    def write_both(self, *, both: bool) -> None:
        """From now on publish to both versions, or to the one in use only."""
        self._writes_both.set(both)
