"""The estimator: says how long the outage will last, and says it anew when the plant changes."""

from __future__ import annotations

from dataclasses import dataclass

import racewindow
from racewindow import Cell, Instance
from racewindow_models.cme.plant import DOWN, Cooling, Plant
from racewindow_models.units import TimeNs


@dataclass(frozen=True, slots=True)
class Estimate:
    """How much longer it will take, as far as anyone knows; nothing if it is over. `version` grows."""

    version: int
    left_ns: TimeNs

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self.left_ns == 0


class Estimator:
    """Keeps the current estimate, from the first one on: that the attempt under way will do."""

    def __init__(self, sim: racewindow.Simulation, plant: Plant) -> None:
        self._sim, self._plant = sim, plant
        self._estimate = Cell(Estimate(1, plant.attempt_ns), name="estimate")

    async def read(self) -> Estimate:
        """What is estimated now."""
        return self._estimate.get()

    async def run(self, instance: Instance) -> None:
        """Follow the plant until it works, also if that was before anyone looked."""
        instance.ready()
        seen = DOWN
        while not seen.works:
            seen = await self._change_from(seen)
            now_ns = self._sim.now_ns
            left_ns = TimeNs(0 if seen.works else self._plant.outage_ns - now_ns)
            estimate = Estimate(self._estimate.get().version + 1, left_ns)
            self._estimate.set(estimate)
            self._sim.emit("estimate.changed", estimate=estimate, at_ns=now_ns)

    async def _change_from(self, seen: Cooling) -> Cooling:
        await racewindow.until(lambda: self._plant.cooling != seen)
        return self._plant.cooling
