"""A site: opens the market in stages, each of which is tested against clearing first, and stands down if refused."""

from __future__ import annotations

from functools import partial

import trio

import racewindow
from racewindow import CallError, Cell, Instance, Network
from racewindow_models.cme.clearing import Clearing
from racewindow_models.cme.plant import Plant
from racewindow_models.cme.registry import Lease, Registry
from racewindow_models.runbook import Step, carry_out
from racewindow_models.units import TimeNs, to_trio_seconds

STAGES = ("BrokerTec EU and EBS", "futures and options")
TEST, OPEN = "a test trade", "the opening"


class Site:
    """One of the two sites. `stage_ns`: how long the first stage is watched before the second is opened."""

    def __init__(
        self,
        sim: racewindow.Simulation,
        network: Network,
        name: str,
        *,
        registry: Registry,
        clearing: Clearing,
        stage_ns: TimeNs,
    ) -> None:
        self._sim, self._network, self.name = sim, network, name
        self._registry, self._clearing, self._stage_ns = registry, clearing, stage_ns
        self._up = Cell(value=False, name=f"{name}.up")
        self._stands_down = False

    @property
    def is_up(self) -> bool:
        """Whether its systems run."""
        return self._up.get()

    async def come_back(self, plant: Plant, instance: Instance) -> None:
        """Once there is cooling again: whose is the market? If it is still this site's, open it."""
        instance.ready()
        await racewindow.until(lambda: plant.cooling.works)
        self._up.set(True)
        lease = await self._network.call_until_answered("registry", self._registry.lease)
        self._sim.emit("site.up", site=self.name, holder=lease.holder)
        if lease.holder == self.name:
            await self.open_the_market(lease)

    async def start_up(self, start_up_ns: TimeNs, instance: Instance) -> None:
        """Start from cold, and wait for what the operator wants."""
        await trio.sleep(to_trio_seconds(start_up_ns))
        self._up.set(True)
        instance.ready()
        self._sim.emit("site.up", site=self.name, holder="")

    async def open_the_market(self, lease: Lease) -> None:
        """Stage by stage: test, open, and wait before the next."""
        steps: list[Step] = []
        for stage in STAGES:
            if steps:
                steps.append(Step("see that all is well", self._wait))
            steps.append(Step(f"test {stage}", partial(self._ask, lease, TEST, stage)))
            steps.append(Step(f"open {stage}", partial(self._ask, lease, OPEN, stage)))
        await carry_out(steps)

    async def _wait(self) -> None:
        if not self._stands_down:
            await trio.sleep(to_trio_seconds(self._stage_ns))

    async def _ask(self, lease: Lease, what: str, stage: str) -> None:
        if self._stands_down:
            return
        try:
            accepted = await self._network.call("clearing", self._clearing.book, lease, what, stage)
        except CallError as error:
            self._sim.emit("call.failed", service=self.name, why=str(error))
            accepted = False
        if not accepted:
            self._stands_down = True
            self._sim.emit("site.stood_down", site=self.name)
