"""The liquidator: closes accounts that the chain says are below their maintenance margin.

It looks at the head of the chain in each round, and acts in the same step. The liquidator vault takes over closed
positions as they are; the account keeps what it is worth, but not less than nothing, and the vault pays the shortfall.
So every liquidation is a transfer, and the sum of all collateral never changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import trio

from racewindow import Instance, TrackedDict
from racewindow_models.chain import Block, Chain
from racewindow_models.clocks import ServiceClock, load_config
from racewindow_models.cross import AnyAccount, closed, is_covered, positions_of, quoted, value_e8
from racewindow_models.guards import too_old
from racewindow_models.safeguards import Safeguards
from racewindow_models.settings import Settings
from racewindow_models.units import AccountName, UsdtE8, to_trio_seconds
from racewindow_models.values import Batch
from racewindow_models.witness import Witness


class Liquidator:
    """The liquidator, the accounts that it watches, and the vault that takes over what it closes."""

    def __init__(
        self,
        accounts: Iterable[AnyAccount],
        *,
        chain: Chain,
        safeguards: Safeguards,
        witness: Witness,
        settings: Settings,
    ) -> None:
        self._accounts: TrackedDict[AccountName, AnyAccount] = TrackedDict(
            {each.name: each for each in accounts}, name="accounts"
        )
        self._open = list(self._accounts)
        self._vault_e8 = UsdtE8(0)
        self._chain = chain
        self._safeguards = safeguards
        self._witness = witness
        self._settings = settings
        self._clock = ServiceClock()

    async def run(self, instance: Instance, first_round: int = 0) -> None:
        """Look at the newest block in each round."""
        self._clock, self._safeguards = ServiceClock(), load_config(self._safeguards)
        instance.ready()
        for number in range(first_round, first_round + self._settings.batches):
            if number > 0:
                await trio.sleep_until(to_trio_seconds(self._settings.round_ns(number)))
            await trio.lowlevel.checkpoint()
            self._judge(self._chain.head)

    def _judge(self, block: Block) -> None:
        """Liquidate every open account that is below its maintenance margin by the values of a block."""
        by_market = {values.market: values for values in self._usable(block)}
        for account in self._watched():
            used = [by_market.get(each.market) for each in positions_of(account)]
            batch = tuple(values for values in used if values is not None)
            # An account of which one position cannot be valued cannot be judged.
            if len(batch) == len(used) and not is_covered(account, quoted(batch)):
                self._liquidate(account, block, batch)

    def _watched(self) -> Iterator[AnyAccount]:
        """The accounts with positions."""
        for name in self._open[:]:
            yield self._accounts[name]

    def _usable(self, block: Block) -> Batch:
        """The values of a block that may be acted on."""
        if not self._safeguards.age_guard:
            return block.batch
        now_ns = self._clock.shown_ns(self._witness.now_ns)
        reasons = [too_old(values, now_ns, self._settings.max_age_ns) for values in block.batch]
        if any(reasons):
            self._witness.refused("liquidator", "; ".join(filter(None, reasons)))
        return tuple(values for values, reason in zip(block.batch, reasons, strict=True) if not reason)

    def _liquidate(self, account: AnyAccount, block: Block, used: Batch) -> None:
        """Close an account by the values of its markets in a block."""
        left_e8 = UsdtE8(max(value_e8(account, quoted(used)), 0))
        self._vault_e8 = UsdtE8(self._vault_e8 + account.collateral_e8 - left_e8)
        self._accounts[account.name] = closed(account, left_e8)
        self._open.remove(account.name)
        self._witness.account_liquidated(account, block, used, left_e8, self._vault_e8)
