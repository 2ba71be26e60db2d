"""The settler: updates the subaccounts after a match, and moves the collateral of an empty market to the main pool.

It cannot leave a match half settled. If the pool does not hold what has to leave it, it calls the failsafe.
"""

from __future__ import annotations

import racewindow
from racewindow import CallError, Cell, Instance, Network
from racewindow_models.dydx.bank import ISOLATED, MAIN, Bank, InsufficientBalanceError
from racewindow_models.dydx.matcher import Match, Matcher


class Settler:
    """The update of the subaccounts. `insurance_first`: only after the insurance fund has paid."""

    def __init__(
        self,
        sim: racewindow.Simulation,
        network: Network,
        bank: Bank,
        matcher: Matcher,
        paid: Cell[bool],
        *,
        insurance_first: bool,
    ) -> None:
        self._sim, self._network, self._bank = sim, network, bank
        self._matcher, self._paid, self._insurance_first = matcher, paid, insurance_first

    async def run(self, instance: Instance) -> None:
        """Settle the match."""
        instance.ready()
        await racewindow.until(lambda: self._matcher.matched.get() is not None)
        match = self._matcher.matched.get()
        assert match is not None
        if self._insurance_first and match.shortfall_e8:
            await racewindow.until(self._paid.get)
        try:
            await self._network.call("bank", self._update_subaccounts, match)
        except InsufficientBalanceError as error:
            await self._bank.halt(match.leaving_e8, str(error))
        except CallError as error:
            self._sim.emit("call.failed", service="settler", why=str(error))

    async def _update_subaccounts(self, match: Match) -> None:
        """In one step: with the last position closed, what is left in the pool leaves it."""
        if match.leaving_e8:
            await self._bank.transfer(ISOLATED, MAIN, match.leaving_e8)
        self._sim.log.info("subaccounts updated")
        self._sim.emit("subaccounts.updated", match=match)
