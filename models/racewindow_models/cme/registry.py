"""The registry: which site the market belongs to, with a fencing token that grows each time it goes to another."""

from __future__ import annotations

from dataclasses import dataclass

import racewindow
from racewindow import Cell

SITE_A, SITE_B = "site-a", "site-b"


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds the market, and the fencing token that goes with it."""

    holder: str
    token: int


class Registry:
    """A small service at a third place; the market belongs to site A at first."""

    def __init__(self, sim: racewindow.Simulation) -> None:
        self._sim = sim
        self._lease = Cell(Lease(SITE_A, 1), name="registry.lease")

    async def lease(self) -> Lease:
        """Who holds the market now."""
        return self._lease.get()

    async def take(self, site: str) -> Lease:
        """Give the market to a site."""
        lease = Lease(site, self._lease.get().token + 1)
        self._lease.set(lease)
        self._sim.log.warning("the market goes to", site=site, token=lease.token)
        self._sim.emit("market.taken", lease=lease)
        return lease
