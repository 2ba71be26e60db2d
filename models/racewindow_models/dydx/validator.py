"""A validator: a node that votes on blocks, and a sidecar beside it that knows prices. They start separately.

A node that is up votes, whether or not its sidecar is. It adds a price to its vote if the sidecar has one that is not
too old: that is where freshness is checked, and the only place.
"""

from __future__ import annotations

import trio

import racewindow
from racewindow import Cell, Instance
from racewindow_models.dydx.prices import Quote, TruePrice
from racewindow_models.units import TimeNs, to_trio_seconds


class Process:
    """A process that is up a moment after its start, and stays up until the end."""

    def __init__(self, sim: racewindow.Simulation, name: str, lacks: str, end_ns: TimeNs) -> None:
        self.name, self._sim, self._lacks, self._end_ns = name, sim, lacks, end_ns
        self._up = Cell(value=False, name=f"{name}.up")

    @property
    def is_up(self) -> bool:
        """Whether it answers."""
        return self._up.get()

    async def run(self, instance: Instance) -> None:
        """Start up, then be there."""
        instance.spawn(self._start_up, instance, name="start-up")
        await trio.sleep_until(to_trio_seconds(self._end_ns))

    async def _start_up(self, instance: Instance) -> None:
        await trio.lowlevel.checkpoint()
        instance.ready()
        self._up.set(True)
        self._sim.log.info("up")
        self._sim.emit("process.up", name=self.name, lacks=self._lacks)


class Validator:
    """Node and sidecar number `number`, from 1. `stale`: the sidecar has lost its source and knows an old price."""

    def __init__(
        self,
        sim: racewindow.Simulation,
        number: int,
        truth: TruePrice,
        *,
        stale: bool,
        ttl_ns: TimeNs,
        end_ns: TimeNs,
    ) -> None:
        self._sim, self._truth, self._stale, self._ttl_ns = sim, truth, stale, ttl_ns
        self.node = Process(sim, f"node-{number}", "", end_ns)
        self.sidecar = Process(sim, f"sidecar-{number}", "without a source for prices" if stale else "", end_ns)

    def vote(self) -> Quote | None:
        """The node's vote on the next block: a price, or none."""
        if not self.sidecar.is_up:
            return None
        quote = self._quote()
        return quote if self._sim.now_ns - quote.source_ts_ns <= self._ttl_ns else None

    def _quote(self) -> Quote:
        """What the sidecar knows: the price of this moment, or with its source lost that of the halt."""
        source_ts_ns = TimeNs(0) if self._stale else TimeNs(self._sim.now_ns)
        return Quote(self._truth.at(source_ts_ns), source_ts_ns)
