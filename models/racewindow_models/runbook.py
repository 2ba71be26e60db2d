"""The runbook of the maintenance window, as the operator carries it out.

Stop the writer and wait until it has gone, copy the rows, let the window pass, switch routing, start the services
again, reopen. Trading reopens with the start of the liquidator. Committer and liquidator were down as well: the
exchange makes no blocks during the window.
"""

from __future__ import annotations

from dataclasses import dataclass

import trio

from racewindow import Simulation
from racewindow_models.committer import Committer
from racewindow_models.database import Database, Routing
from racewindow_models.liquidator import Liquidator
from racewindow_models.settings import Settings
from racewindow_models.units import MarketName, to_trio_seconds
from racewindow_models.upgrade import copy_rows
from racewindow_models.witness import Witness
from racewindow_models.writer import MarketDataWriter


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that the operator stops and starts."""

    old_writer: MarketDataWriter
    new_writer: MarketDataWriter
    committer: Committer
    liquidator: Liquidator


@dataclass(frozen=True, slots=True)
class Runbook:
    """The maintenance window of one execution."""

    services: Services
    source: Database
    target: Database
    routing: Routing
    markets: tuple[MarketName, ...]
    settings: Settings
    witness: Witness

    def begin(self, sim: Simulation) -> None:
        """The old writer is running, and the operator sets to work."""
        told, gone = trio.Event(), trio.Event()
        old_writer = self.services.old_writer
        sim.spawn(old_writer.save_when_told, told, gone, self.source, name=old_writer.instance)
        sim.spawn(self._operate, sim, told, gone, name="operator")

    async def _operate(self, sim: Simulation, told: trio.Event, gone: trio.Event) -> None:
        """Carry out the runbook."""
        self.witness.maintenance_started(self.services.old_writer.instance)
        told.set()
        await gone.wait()
        await copy_rows(self.source, self.target, self.markets, self.witness)
        await trio.sleep_until(to_trio_seconds(self.settings.window_ns))
        self.routing.switch(self.target)
        self._start_services(sim)

    def _start_services(self, sim: Simulation) -> None:
        """Start everything at once: nothing in this runbook waits for a service to be ready."""
        services, writer = self.services, self.services.new_writer
        self.witness.services_restarted(self.target.name, (writer.instance, "committer", "liquidator"))
        sim.spawn(writer.load, self.routing, name=f"{writer.instance}.loader")
        sim.spawn(writer.run_ticks, self.routing, self.settings, name=f"{writer.instance}.ticks")
        sim.spawn(services.committer.run, self.routing, name="committer")
        sim.spawn(services.liquidator.run, name="liquidator")
