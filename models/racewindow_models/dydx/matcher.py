"""The matcher: closes a position that is liquidated against the opposite one, or deleverages that.

Before a liquidation past the bankruptcy price is matched, the insurance fund is asked whether it can pay what will be
missing. If it cannot, there is no trade: the opposite position is closed at the bankruptcy price instead (ADL), so that
nothing is missing. What follows from the match is somebody else's work: the settler updates the subaccounts, the
insurer pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import racewindow
from racewindow import Cell, Instance, Network
from racewindow_models.dydx.bank import FUND, Bank
from racewindow_models.dydx.positions import Subaccount, UsdcE8, shortfall_e8
from racewindow_models.units import PriceE8, SizeE8


@dataclass(frozen=True, slots=True)
class Match:
    """What has been matched, and what has to follow.

    `after`: all subaccounts once everything is settled. `shortfall_e8`: what the insurance fund has to pay into the
    pool. `leaving_e8`: the collateral of a market in which nothing is open any more; it belongs to the main pool then.
    """

    after: tuple[Subaccount, ...]
    shortfall_e8: UsdcE8
    leaving_e8: UsdcE8
    is_adl: bool

    @property
    def closes_the_market(self) -> bool:
        """Whether no position is open any more."""
        return not any(each.size_e8 for each in self.after)


def settled(subaccounts: Sequence[Subaccount], size_e8: SizeE8, price_e8: PriceE8, *, fund_e8: UsdcE8) -> Match:
    """The first subaccount is liquidated against the second: `size_e8` units of the sign of its position, at a price.

    `fund_e8`: what the insurance fund holds.
    """
    loser, winner = subaccounts[:2]
    missing_e8 = shortfall_e8(loser, size_e8, price_e8)
    is_adl = missing_e8 > fund_e8
    loser = loser.reduced(size_e8, price_e8).credited(missing_e8)
    winner = winner.reduced(SizeE8(-size_e8), price_e8)
    if is_adl:  # the opposite position is closed at the bankruptcy price: it gets as much less as would be missing
        winner, missing_e8 = winner.credited(UsdcE8(-missing_e8)), UsdcE8(0)
    after = (loser, winner, *subaccounts[2:])
    is_empty = not any(each.size_e8 for each in after)
    leaving_e8 = UsdcE8(sum(each.quote_e8 for each in after) if is_empty else 0)
    return Match(after, missing_e8, leaving_e8, is_adl)


class Matcher:
    """The matching engine; `matched` holds its match once there is one."""

    def __init__(
        self,
        sim: racewindow.Simulation,
        network: Network,
        bank: Bank,
        subaccounts: Sequence[Subaccount],
        prices_e8: Sequence[PriceE8],
    ) -> None:
        self._sim, self._network, self._bank = sim, network, bank
        self._subaccounts, self._prices_e8 = subaccounts, prices_e8
        self.matched: Cell[Match | None] = Cell(None, name="matched")

    async def run(self, instance: Instance) -> None:
        """Liquidate the first subaccount against the second: some size, at some price, which the search chooses."""
        instance.ready()
        loser, winner = self._subaccounts[:2]
        fund_e8 = await self._network.call("bank", self._bank.balance, FUND)
        part_percent = self._sim.choose((50, 100))
        price_e8 = self._sim.choose(self._prices_e8)
        size_e8 = SizeE8(loser.size_e8 * part_percent // 100)
        match = settled(self._subaccounts, size_e8, price_e8, fund_e8=fund_e8)
        self._sim.log.info("matched", size_e8=size_e8, price_e8=price_e8, adl=match.is_adl)
        self._sim.emit(
            "liquidation.matched",
            liquidated=loser,
            opposite=winner,
            size_e8=size_e8,
            price_e8=price_e8,
            match=match,
            fund_e8=fund_e8,
        )
        self.matched.set(match)
