"""The insurer: pays out of the insurance fund what a match has left missing in the pool."""

from __future__ import annotations

import racewindow
from racewindow import CallError, Cell, Instance, Network
from racewindow_models.dydx.bank import FUND, ISOLATED, Bank, ChainHaltedError
from racewindow_models.dydx.matcher import Matcher


class Insurer:
    """The insurance payment; `paid` becomes true with it."""

    def __init__(self, sim: racewindow.Simulation, network: Network, bank: Bank, matcher: Matcher) -> None:
        self._sim, self._network, self._bank, self._matcher = sim, network, bank, matcher
        self.paid = Cell(value=False, name="insurance.paid")

    async def run(self, instance: Instance) -> None:
        """Pay, if there is something to pay; a chain that has halted pays nobody."""
        instance.ready()
        await racewindow.until(lambda: self._matcher.matched.get() is not None)
        match = self._matcher.matched.get()
        assert match is not None
        if not match.shortfall_e8:
            return
        try:
            await self._network.call("bank", self._bank.transfer, FUND, ISOLATED, match.shortfall_e8)
        except (ChainHaltedError, CallError) as error:
            self._sim.emit("call.failed", service="insurer", why=str(error))
        else:
            self.paid.set(True)
