"""The bank module of the chain: collateral pools and an insurance fund, and the failsafe that halts the chain.

An isolated market has a pool and an insurance fund of its own, next to the main pool of all other markets. A transfer
that would leave a balance negative fails. Whoever cannot go on after that calls the failsafe: no block is made any
more, so nothing is paid any more either.
"""

from __future__ import annotations

from collections.abc import Mapping

import racewindow
from racewindow import Cell, TrackedDict
from racewindow_models.dydx.positions import UsdcE8, text_dollars

ISOLATED, MAIN, FUND = "isolated pool", "main pool", "insurance fund"


class InsufficientBalanceError(Exception):
    """A transfer would leave a balance negative."""


class ChainHaltedError(Exception):
    """The chain makes no blocks."""


class Bank:
    """Who holds how much, and whether the chain runs."""

    def __init__(self, sim: racewindow.Simulation, balances_e8: Mapping[str, UsdcE8]) -> None:
        self._sim = sim
        self._balances_e8: TrackedDict[str, UsdcE8] = TrackedDict(dict(balances_e8), name="bank")
        self._halted = Cell(value=False, name="chain.halted")
        sim.emit("bank.opened", balances_e8=dict(balances_e8))

    async def balance(self, holder: str) -> UsdcE8:
        """What a pool or fund holds."""
        return self._balances_e8[holder]

    async def transfer(self, source: str, target: str, amount_e8: UsdcE8) -> None:
        """Move money. Raises InsufficientBalanceError without any effect, or ChainHaltedError."""
        if self._halted.get():
            self._sim.emit("payment.lost", source=source, target=target, amount_e8=amount_e8)
            raise ChainHaltedError(f"{text_dollars(amount_e8)} cannot be paid: the chain has halted")
        before_e8 = self._balances_e8[source]
        after_e8 = UsdcE8(before_e8 - amount_e8)
        accepted = after_e8 >= 0
        if accepted:
            self._balances_e8[source] = after_e8
            self._balances_e8[target] = UsdcE8(self._balances_e8[target] + amount_e8)
        self._sim.log.info("transfer", source=source, target=target, amount_e8=amount_e8, accepted=accepted)
        self._sim.emit(
            "bank.transfer",
            source=source,
            target=target,
            amount_e8=amount_e8,
            before_e8=before_e8,
            after_e8=after_e8,
            accepted=accepted,
            balances_e8=dict(self._balances_e8.items()),
        )
        if not accepted:
            raise InsufficientBalanceError(f"the {source} holds {text_dollars(before_e8)}")

    async def halt(self, owed_e8: UsdcE8, reason: str) -> None:
        """The failsafe. `owed_e8`: what the market's accounts would have had to be paid."""
        self._halted.set(True)
        self._sim.log.error("chain halted", reason=reason)
        self._sim.emit("chain.halted", owed_e8=owed_e8, reason=reason, balances_e8=dict(self._balances_e8.items()))
