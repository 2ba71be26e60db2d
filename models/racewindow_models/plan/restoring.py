"""The snapshot of a plan, and going back to it: each part of the exchange is restored by itself, or forgotten.

A snapshot is a block of the chain and the accounts at it; without a step that takes one, it is of the moment at which
the window begins. What is restored from it is what the plan names: the chain, with the accounts, which begins a new
epoch; the cloud store, which forgets what is above the block; the database in use, which gets the states and values
that the block holds. Whatever is not named keeps what it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import trio

from racewindow import Cell, Simulation
from racewindow_models.chain import Accounts, Snapshot
from racewindow_models.clearing import Clearing
from racewindow_models.epochs import EpochChain, PortfolioStore
from racewindow_models.market_witness import MarketWitness
from racewindow_models.plan.instances import PlannedLiquidator
from racewindow_models.plan.schema import Part
from racewindow_models.plan.stores import PlannedRouting, Rows
from racewindow_models.units import TimeNs, UsdtE8
from racewindow_models.values import MarketState
from racewindow_models.window import Window


class Taken(NamedTuple):
    """A snapshot, and the vault's collateral at it."""

    snapshot: Snapshot
    vault_e8: UsdtE8

    @property
    def time_ns(self) -> TimeNs:
        """From when its values are."""
        return TimeNs(max(values.source_ts_ns or 0 for values in self.snapshot.block.batch))


class Restoring:
    """The snapshot of one execution, and the parts that can be restored from it."""

    def __init__(
        self,
        sim: Simulation,
        window: Window,
        *,
        chain: EpochChain,
        cloud: PortfolioStore,
        routing: PlannedRouting,
        liquidator: PlannedLiquidator,
        clearing: Clearing | None,
    ) -> None:
        """`clearing`: who has the accounts where there is a book."""
        self._sim, self._window, self._witness = sim, window, MarketWitness(sim)
        self._chain, self._cloud, self._routing = chain, cloud, routing
        self._liquidator, self._clearing = liquidator, clearing
        self._taken = Cell(Taken(chain.snapshot(), UsdtE8(0)), name="snapshot")

    @property
    def taken(self) -> Taken:
        """The newest snapshot."""
        return self._taken.get()

    @property
    def epoch(self) -> int:
        """How often the chain has been rolled back."""
        return self._chain.epoch

    def take(self) -> None:
        """Keep the newest block, and the accounts at it."""
        snapshot = self._chain.snapshot()
        self._taken.set(Taken(snapshot, self._liquidator.vault_e8))
        self._sim.log.info("snapshot taken", height=snapshot.block.height, root=snapshot.root)
        self._sim.emit("snapshot.taken", height=snapshot.block.height)

    async def restore(self, parts: Sequence[Part]) -> None:
        """Restore parts one after the other, each in one step."""
        for part in parts:
            await trio.lowlevel.checkpoint()
            {"chain": self._restore_chain, "cloud": self._restore_cloud, "database": self._restore_database}[part]()
            self._sim.emit("part.restored", part=part)

    def _restore_chain(self) -> None:
        snapshot, vault_e8 = self.taken

        def restore(accounts: Accounts) -> None:
            if self._clearing is not None:
                self._clearing.restore(accounts)
            else:
                self._liquidator.restore(accounts, vault_e8)

        done = self._chain.roll_back(snapshot, restore)
        held_e8 = {name: account.collateral_e8 for name, account in snapshot.accounts.items()}
        self._witness.rolled_back(done, held_e8=held_e8, vault_e8=vault_e8)

    def _restore_cloud(self) -> None:
        self._cloud.forget_above(self.taken.snapshot.block.height)

    def _restore_database(self) -> None:
        """Put back what the block says of every market; the fair basis is that of the window."""
        states, restored = [], []
        bases = {state.market: state.fair_basis_e8 for state in self._window.states}
        for values in self.taken.snapshot.block.batch:
            provenance = replace(values.provenance, made_in=self.epoch)
            restored.append(replace(values, provenance=provenance))
            states.append(
                MarketState(
                    market=values.market,
                    fair_basis_e8=bases[values.market],
                    funding_index_e8=values.funding_index_e8,
                    present=values.present,
                    source_ts_ns=values.source_ts_ns,
                    generation=values.generation,
                    provenance=provenance,
                )
            )
        self._routing.restore(Rows(tuple(states), tuple(restored)))

    def tell_what_is_there(self) -> None:
        """A portfolio page is looked at: what the cloud store and the chain hold above the snapshot."""
        height = self.taken.snapshot.block.height
        self._witness.page_shown(self._chain.above(height), self._cloud.shown_above(height))
