"""Clearing: where everything ends up that a site does, at neither of them. With `fencing` it looks at the token."""

from __future__ import annotations

import racewindow
from racewindow import Cell
from racewindow_models.cme.registry import Lease


class Clearing:
    """The sink of both sites. `fencing`: what carries an older token than the newest one seen is refused."""

    def __init__(self, sim: racewindow.Simulation, *, fencing: bool) -> None:
        self._sim, self._fencing = sim, fencing
        self._newest = Cell(0, name="clearing.newest")

    async def book(self, lease: Lease, what: str, stage: str) -> bool:
        """Book something of a stage for a site; whether it was accepted. The look and the booking are one step."""
        newest = self._newest.get()
        accepted = not self._fencing or lease.token >= newest
        if accepted:
            self._newest.set(max(newest, lease.token))
        self._sim.emit(
            "clearing.asked",
            lease=lease,
            what=what,
            stage=stage,
            newest=newest,
            accepted=accepted,
            at_ns=self._sim.now_ns,
        )
        return accepted
