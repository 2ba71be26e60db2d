"""Who uses the price on the chain: the matching engine and the liquidator. Either may ask how old it is, or not.

Both begin when blocks are made again, and look once more when trading is to be back; a price that they refuse the first
time is refused until then.
"""

from __future__ import annotations

from collections.abc import Sequence

import trio

import racewindow
from racewindow import CallError, Instance, Network
from racewindow_models.dydx.consensus import Consensus, Transaction
from racewindow_models.dydx.positions import Subaccount
from racewindow_models.dydx.prices import OraclePrice, TruePrice
from racewindow_models.margin import has_margin, notional_e16
from racewindow_models.units import PriceE8, TimeNs, text_duration, to_trio_seconds


def is_solvent(subaccount: Subaccount, price_e8: PriceE8) -> bool:
    """Whether a subaccount is worth its maintenance margin at a price, which may be negative."""
    size_e8 = subaccount.size_e8
    return has_margin(subaccount.quote_e8, size_e8 * price_e8, notional_e16(size_e8, price_e8))


class Consumer:
    """What both have in common: their blocks, and the guard. `max_age_ns`: None for no guard."""

    def __init__(
        self,
        sim: racewindow.Simulation,
        network: Network,
        chain: Consensus,
        truth: TruePrice,
        *,
        again_ns: TimeNs,
        max_age_ns: TimeNs | None,
    ) -> None:
        self._sim, self._network, self._chain, self._truth = sim, network, chain, truth
        self._again_ns, self._max_age_ns = again_ns, max_age_ns

    async def _in_a_block(self, who: str, transaction: Transaction) -> bool:
        """Have it done in a block; whether it was."""

        def guarded(price: OraclePrice) -> bool:
            reason = self._objection(price)
            if reason:
                self._sim.emit("guard.refused", service=who, reason=reason)
                return False
            return transaction(price)

        try:
            return await self._network.call("chain", self._chain.block, who, guarded)
        except CallError as error:
            self._sim.emit("call.failed", service=who, why=str(error))
            return False

    def _objection(self, price: OraclePrice) -> str:
        """Why a price must not be used, or ""."""
        if self._max_age_ns is None:
            return ""
        if price.source_ts_ns is None:
            return "the age of the price is unknown"
        age_ns = self._sim.now_ns - price.source_ts_ns
        return f"the price is {text_duration(age_ns)} old" if age_ns > self._max_age_ns else ""

    def _told(self, price: OraclePrice) -> dict[str, object]:
        """The price in an event, beside the true one."""
        return {"price": price, "true_price_e8": self._truth.at(TimeNs(self._sim.now_ns))}

    async def _wait_for_blocks(self) -> None:
        await racewindow.until(lambda: self._chain.is_live)

    async def _wait_for_the_second_look(self) -> None:
        await trio.sleep_until(to_trio_seconds(self._again_ns))


class Engine(Consumer):
    """The matching engine, and a conditional order that it triggers and fills at the price on the chain."""

    async def run(self, instance: Instance) -> None:
        """Fill the order, the second time if not the first."""
        instance.ready()
        await self._wait_for_blocks()
        if not await self._in_a_block("engine", self._fill):
            await self._wait_for_the_second_look()
            await self._in_a_block("engine", self._fill)

    def _fill(self, price: OraclePrice) -> bool:
        self._sim.log.info("order filled", price_e8=price.price_e8)
        self._sim.emit("order.filled", order="carol's order", **self._told(price))
        return True


class Liquidator(Consumer):
    """The liquidator. `grace_ns`: how long it waits after the first block."""

    def watch(self, subaccounts: Sequence[Subaccount], grace_ns: TimeNs) -> None:
        """What it watches, and from when on."""
        self._open, self._grace_ns = list(subaccounts), grace_ns

    async def run(self, instance: Instance) -> None:
        """Look twice at what is open."""
        instance.ready()
        await self._wait_for_blocks()
        if self._grace_ns:
            await trio.sleep(to_trio_seconds(self._grace_ns))
        await self._in_a_block("liquidator", self._look)
        await self._wait_for_the_second_look()
        await self._in_a_block("liquidator", self._look)

    def _look(self, price: OraclePrice) -> bool:
        for subaccount in self._open[:]:
            if not is_solvent(subaccount, price.price_e8):
                self._open.remove(subaccount)
                self._sim.log.warning("liquidated", owner=subaccount.owner, price_e8=price.price_e8)
                self._sim.emit("account.liquidated", account=subaccount, **self._told(price))
        return True
