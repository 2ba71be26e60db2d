"""The cooling plant of site A: out of order, and repaired in attempts of which nobody knows whether they work."""

from __future__ import annotations

from dataclasses import dataclass

import trio

import racewindow
from racewindow import Cell, Instance
from racewindow_models.units import TimeNs, to_trio_seconds

ATTEMPTS = 2
"""Before the long way: whatever there is at hand, tried one after the other."""


@dataclass(frozen=True, slots=True)
class Cooling:
    """How it stands: after so many attempts, whether it works; one more than `ATTEMPTS` is the long way."""

    attempts: int
    works: bool


DOWN = Cooling(0, works=False)
"""At virtual time 0."""


class Plant:
    """The plant, down from virtual time 0.

    `attempt_ns`: how long an attempt takes. `outage_ns`: when it works again at the latest.
    """

    def __init__(self, sim: racewindow.Simulation, *, attempt_ns: TimeNs, outage_ns: TimeNs) -> None:
        self._sim, self.attempt_ns, self.outage_ns = sim, attempt_ns, outage_ns
        self._cooling = Cell(DOWN, name="plant.cooling")

    @property
    def cooling(self) -> Cooling:
        """How it stands."""
        return self._cooling.get()

    async def run(self, instance: Instance) -> None:
        """Repair it; whether an attempt works is for the search to choose."""
        instance.ready()
        for attempt in range(1, ATTEMPTS + 1):
            await trio.sleep(to_trio_seconds(self.attempt_ns))
            works = self._sim.choose((False, True))
            self._is(Cooling(attempt, works))
            if works:
                return
        await trio.sleep_until(to_trio_seconds(self.outage_ns))
        self._is(Cooling(ATTEMPTS + 1, works=True))

    def _is(self, cooling: Cooling) -> None:
        self._cooling.set(cooling)
        self._sim.log.info("attempt", number=cooling.attempts, works=cooling.works)
        self._sim.emit("plant.changed", cooling=cooling)
