"""The liquidator of a reopening: it waits for what its safeguards say; the Liquidator Vault takes over what it closes.

`liquidation_grace` is a timer that begins when the reopening does. `liquidation_after_fresh` waits until no thin book
has had a vote in the marks for `max_age`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import trio

from racewindow import Instance, until
from racewindow_models.book import OrderBook
from racewindow_models.chain import Block, Chain
from racewindow_models.clearing import Clearing, vault_of
from racewindow_models.cross import AnyAccount, positions_of, quoted
from racewindow_models.ledger import Ledger
from racewindow_models.liquidator import Liquidator
from racewindow_models.market_witness import MarketWitness
from racewindow_models.safeguards import Safeguards
from racewindow_models.settings import Settings
from racewindow_models.triggers import TRADING
from racewindow_models.units import TimeNs, UsdtE8, to_trio_seconds
from racewindow_models.values import Batch
from racewindow_models.witness import Witness


class VaultLiquidator(Liquidator):
    """The liquidator, beginning when the markets trade again."""

    def __init__(
        self,
        clearing: Clearing,
        *,
        chain: Chain,
        book: OrderBook,
        safeguards: Safeguards,
        witness: Witness,
        market_witness: MarketWitness,
        settings: Settings,
        ledger: Ledger | None = None,
    ) -> None:
        super().__init__((), chain=chain, safeguards=safeguards, witness=witness, settings=settings)
        self._clearing, self._book, self._market_witness = clearing, book, market_witness
        self._ledger = ledger

    async def run_at_reopening(
        self, instance: Instance, fresh: Callable[[], bool], *, rounds: int, grace_seconds: int, end_seconds: float
    ) -> None:
        """Look at the newest block in so many rounds, the first one a tick after the markets trade again.

        `fresh`: whether all feeds are. `grace_seconds`: of `liquidation_grace`. `end_seconds`: when it stops waiting.
        """
        instance.ready()
        await until(lambda: self._book.mode in TRADING)
        if self._safeguards.liquidation_grace:
            await trio.sleep(grace_seconds)
        if self._safeguards.liquidation_after_fresh:
            with trio.move_on_at(end_seconds):
                await until(fresh)
            if not fresh():
                self._witness.refused("liquidator", "the feeds have not become fresh again")
                return
        tick_ns = self._settings.tick_ns
        for _ in range(rounds):
            next_ns = (self._witness.now_ns // tick_ns + 1) * tick_ns
            await trio.sleep_until(to_trio_seconds(TimeNs(next_ns)))
            if self._book.mode in TRADING:
                self._judge(self._chain.head)

    def _watched(self) -> Iterator[AnyAccount]:
        for name in self._clearing.names:
            account = self._clearing[name]
            if positions_of(account):
                yield account

    def _liquidate(self, account: AnyAccount, block: Block, used: Batch) -> None:
        change = self._clearing.liquidate(account.name, quoted(used))
        left_e8 = change.after[account.name].collateral_e8
        vault_e8 = UsdtE8(sum(self._clearing[vault_of(values.market)].collateral_e8 for values in used))
        self._witness.account_liquidated(account, block, used, left_e8, vault_e8)
        self._market_witness.changed(change)
        if self._ledger is not None:
            self._ledger.liquidated(account.name, change, used)
