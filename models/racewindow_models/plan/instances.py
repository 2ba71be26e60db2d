"""Where services of a plan differ from those of the scenarios: what a writer belongs to, when liquidation is on."""

from __future__ import annotations

from dataclasses import replace

from racewindow import Cell, Instance
from racewindow_models.chain import Accounts, Block
from racewindow_models.cross import positions_of
from racewindow_models.database import Routing
from racewindow_models.guards import too_old
from racewindow_models.liquidator import Liquidator
from racewindow_models.oracle import OracleRound
from racewindow_models.plan.schema import Mode
from racewindow_models.plan.witnessing import PlannedWitness
from racewindow_models.units import TimeNs, UsdtE8
from racewindow_models.values import Batch, MarketState, MarketValues
from racewindow_models.writer import MarketDataWriter


class PlannedWriter(MarketDataWriter):
    """A writer that belongs to the epoch of the chain in which it began.

    `began_in`: that epoch. `snapshot_ns`: from when the state is that it was restored to; what it starts from and is
    newer, and of an older epoch, was made before the rollback, and so is all that it makes of that.
    """

    began_in = 0
    snapshot_ns = TimeNs(0)

    def _advance(self, state: MarketState, answer: OracleRound) -> MarketValues:
        values = super()._advance(state, answer)
        if not self.began_in:
            return values
        is_newer = state.source_ts_ns is not None and state.source_ts_ns > self.snapshot_ns
        made_in = state.provenance.made_in if is_newer else self.began_in
        provenance = replace(values.provenance, made_in=made_in)
        self._states[values.market] = replace(self._states[values.market], provenance=provenance)
        return replace(values, provenance=provenance)


class EagerWriter(PlannedWriter):
    """A writer that calls itself ready when it has been started, whatever it has loaded."""

    async def load(self, process: Instance, routing: Routing) -> None:
        """The loader; being ready comes first."""
        self.ready.set(True)
        process.ready()
        await super().load(process, routing)


class PlannedLiquidator(Liquidator):
    """A liquidator that acts only while the markets are open.

    `mode`: of the markets. `enabled_ns`: since when it may act. `grace_ns`: how long it should wait from then on.
    """

    _witness: PlannedWitness
    mode: Cell[Mode | None]
    enabled_ns = TimeNs(0)
    grace_ns = TimeNs(0)

    def _judge(self, block: Block) -> None:
        if self.mode.get() not in (None, "open"):
            return
        now_ns = self._clock.shown_ns(self._witness.now_ns)
        if self._safeguards.liquidation_after_fresh and not self.is_fresh(block, now_ns):
            self._witness.refused("liquidator", "not all feeds are fresh again")
            return
        super()._judge(block)

    def is_fresh(self, block: Block, now_ns: TimeNs) -> bool:
        """Whether no value of a block is of unknown age, or too old."""
        return not any(too_old(values, now_ns, self._settings.max_age_ns) for values in block.batch)

    def _usable(self, block: Block) -> Batch:
        usable = super()._usable(block)
        self._witness.accounts_judged(usable, block.height, self.enabled_ns, self.grace_ns)
        return usable

    def everything(self) -> Accounts:
        """All accounts as they are now."""
        return dict(self._accounts.items())

    @property
    def vault_e8(self) -> UsdtE8:
        """The vault's collateral."""
        return self._vault_e8

    def restore(self, accounts: Accounts, vault_e8: UsdtE8) -> None:
        """Put all accounts and the vault back to what they were."""
        for name, account in accounts.items():
            self._accounts[name] = account
        self._open = [name for name, account in accounts.items() if positions_of(account)]
        self._vault_e8 = vault_e8
