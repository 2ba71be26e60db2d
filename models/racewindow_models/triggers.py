"""TP/SL: take-profit and stop-loss orders, which wait off the book until the mark price meets their condition.

They are the only orders that survived when all others were cancelled on 2026-01-19. Triggered, one is a market order:
it takes what there is, or is cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import trio

from racewindow import Instance, Network, until
from racewindow_models.book import Mode, Order, OrderBook
from racewindow_models.chain import Chain
from racewindow_models.units import AccountName, MarketName, PriceE8, SizeE8

TRADING = (Mode.POST_ONLY, Mode.OPEN)
"""The modes in which what is triggered can trade."""


@dataclass(frozen=True, slots=True)
class Conditional:
    """A long position to be sold when the mark price falls to `stop_e8` (stop-loss) or rises to `take_e8`."""

    owner: AccountName
    market: MarketName
    size_e8: SizeE8
    stop_e8: PriceE8
    take_e8: PriceE8

    def is_met(self, mark_e8: PriceE8) -> bool:
        """Whether the mark price has come to either."""
        return mark_e8 <= self.stop_e8 or mark_e8 >= self.take_e8


class Triggers:
    """The service that watches TP/SL orders."""

    def __init__(self, waiting: Sequence[Conditional], *, book: OrderBook, chain: Chain, network: Network) -> None:
        self._waiting, self._book, self._chain, self._network = tuple(waiting), book, chain, network

    async def run(self, process: Instance, *, rounds: int, tick_seconds: int) -> None:
        """Once trading resumes, send in each of so many rounds every order whose condition is met then."""
        process.ready()
        await until(lambda: self._book.mode in TRADING)
        waiting = self._waiting
        for number in range(rounds):
            if number > 0 and waiting:
                await trio.sleep(tick_seconds)
            waiting = tuple([order for order in waiting if not await self._sent(order)])

    async def _sent(self, order: Conditional) -> bool:
        """Send an order if its condition is met by the newest block."""
        await trio.lowlevel.checkpoint()
        mark_e8 = next(each.mark_price_e8 for each in self._chain.head.batch if each.market == order.market)
        if not order.is_met(mark_e8):
            return False
        market_order = Order(order.owner, False, order.size_e8, triggered=True)  # noqa: FBT003
        await self._network.call(self._book.name, self._book.place, order.market, market_order)
        return True
