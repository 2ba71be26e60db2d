"""The chain as validators agree on it: blocks as soon as three nodes of four are up, a price with three votes on one.

These are two quorums, and nothing makes them come together. A block first takes the votes, and with them the price if
enough have one; else the old price stays. Then it runs its transaction, in the same step. Blocks without a transaction
change nothing that matters here, so they are not made one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median_low

import trio

import racewindow
from racewindow import CallError, Cell, Instance, Network
from racewindow_models.dydx.prices import OraclePrice, Quote, TruePrice, is_quorum
from racewindow_models.dydx.validator import Validator
from racewindow_models.units import PriceE8, TimeNs

Transaction = Callable[[OraclePrice], bool]
"""What is done in a block, given the price on the chain; answers whether it was."""


class Consensus:
    """The chain after a halt at virtual time 0, with the price of then.

    `halt_until_fresh`: what blocks carry is refused until a price has been accepted. `with_source_ts`: the chain keeps
    the time that a price is of.
    """

    def __init__(
        self,
        sim: racewindow.Simulation,
        network: Network,
        validators: Sequence[Validator],
        truth: TruePrice,
        *,
        halt_until_fresh: bool,
        with_source_ts: bool,
    ) -> None:
        self._sim, self._network, self._validators = sim, network, validators
        self._with_source_ts = with_source_ts
        old = OraclePrice(truth.before_e8, TimeNs(0) if with_source_ts else None, TimeNs(0))
        self._price = Cell(old, name="chain.price")
        self._live = Cell(value=False, name="chain.live")
        self._halted = Cell(value=halt_until_fresh, name="trading.halted")
        self._one_block_at_a_time = trio.Lock()

    @property
    def is_live(self) -> bool:
        """Whether blocks are made."""
        return self._live.get()

    async def run(self, instance: Instance) -> None:
        """Make blocks once there is a quorum for blocks."""
        await racewindow.until(lambda: is_quorum(sum(each.node.is_up for each in self._validators)))
        instance.ready()
        self._live.set(True)
        self._sim.log.info("blocks are made")
        self._sim.emit("chain.resumed", at_ns=self._sim.now_ns)

    async def block(self, who: str, transaction: Transaction) -> bool:
        """Make a block that carries a transaction; whether it was done."""
        async with self._one_block_at_a_time:
            try:
                votes = await self._network.call("validators", self._votes)
            except CallError:
                votes = []
            if is_quorum(len(votes)):
                self._accept(votes)
            if self._halted.get():
                self._sim.emit("guard.refused", service=who, reason="no price has been accepted yet")
                return False
            return transaction(self._price.get())

    async def _votes(self) -> list[Quote]:
        """The prices that came with the votes on a block, which are of one moment."""
        votes = [each.vote() for each in self._validators if each.node.is_up]
        return [quote for quote in votes if quote is not None]

    def _accept(self, votes: Sequence[Quote]) -> None:
        """The median is the price."""
        price_e8 = PriceE8(median_low(each.price_e8 for each in votes))
        source_ts_ns = min(each.source_ts_ns for each in votes)
        price = OraclePrice(price_e8, source_ts_ns if self._with_source_ts else None, source_ts_ns)
        self._price.set(price)
        self._halted.set(False)
        self._sim.log.info("price accepted", price_e8=price_e8, votes=len(votes))
        self._sim.emit("price.accepted", price=price, votes=len(votes))
