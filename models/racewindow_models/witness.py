"""The witness: what the services report, turned into log lines and events.

A log line holds what the service knows. An event holds, beside that, what only a simulator knows: the ground truth and
the provenance of values. Services tell the witness what they have done and learn nothing from it, so they cannot act on
the truth. Checkers judge its events, and `narrate` tells them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from racewindow import Simulation
from racewindow_models.chain import Block
from racewindow_models.cross import AnyAccount
from racewindow_models.ground_truth import GroundTruth
from racewindow_models.settings import Settings
from racewindow_models.units import BlockHeight, MarketName, PriceE8, TimeNs, UsdtE8
from racewindow_models.values import Batch, MarketValues


class Witness:
    """Reports of one execution."""

    __slots__ = ("_emit", "_log", "_max_age_ns", "_sim", "_truth")

    def __init__(self, sim: Simulation, truth: GroundTruth, settings: Settings) -> None:
        self._sim = sim
        self._emit = sim.emit
        self._log = sim.log
        self._truth = truth
        self._max_age_ns = settings.max_age_ns

    @property
    def now_ns(self) -> TimeNs:
        """Virtual time."""
        return TimeNs(self._sim.now_ns)

    # --- operator -----------------------------------------------------------------------------------------------------

    def maintenance_started(self, instance: str) -> None:
        """The operator tells the writer to stop."""
        self._log.info("maintenance started", instance=instance)
        self._emit("maintenance.started", instance=instance)

    def rows_copied(self, markets: tuple[MarketName, ...], source: str, target: str) -> None:
        """All rows have been copied."""
        self._log.info("rows copied", markets=markets, source=source, target=target)
        self._emit("database.copied", markets=markets, source=source, target=target)

    def services_restarted(self, database: str, services: tuple[str, ...]) -> None:
        """Routing points to the new database, and the services run again."""
        self._log.info("services restarted", database=database, services=services)
        self._emit("services.restarted", database=database, services=services)

    # --- writer -------------------------------------------------------------------------------------------------------

    def writer_stopped(self, instance: str, markets: tuple[MarketName, ...]) -> None:
        """A writer has saved its state and is gone."""
        self._log.info("state saved", instance=instance, markets=markets)
        self._emit("writer.stopped", instance=instance, markets=markets)

    def instances_overlap(self, instance: str, other: str) -> None:
        """A writer starts, and another instance of it has not ended."""
        self._log.warning("two instances are up", instance=instance, other=other)
        self._emit("writer.overlap", instance=instance, other=other)

    def state_loaded(self, instance: str) -> None:
        """A writer's loader is done."""
        self._log.info("state loaded", instance=instance)
        self._emit("writer.loaded", instance=instance)

    def state_missing(self, instance: str, markets: tuple[MarketName, ...], *, refused: bool) -> None:
        """A writer begins a round without the state of some markets, and goes on with them or (`refused`) without."""
        if refused:  # a writer that counts what is missing as 0 does not notice, so it logs nothing
            self._log.warning("state missing", instance=instance, markets=markets)
        self._emit("writer.state_missing", instance=instance, markets=markets, refused=refused)

    def published(self, batch: Batch) -> None:
        """A writer has published values of one or more markets."""
        self._log.info("values published", values=_known(batch))
        self._emit("writer.published", batch=batch, truth=self._truth, max_age_ns=self._max_age_ns)

    def call_failed(self, service: str, why: str) -> None:
        """A call of a service got no reply, and it goes on with its next round."""
        self._log.warning("call failed", service=service, why=why)
        self._emit("call.failed", service=service, why=why)

    def price_displayed(self, market: MarketName, price_e8: PriceE8) -> None:
        """A web page shows a price, which nobody acts on."""
        self._emit("display.shown", market=market, price_e8=price_e8)

    # --- consumers ----------------------------------------------------------------------------------------------------

    def block_appended(self, block: Block) -> None:
        """The committer has appended a block to the chain."""
        self._log.info("block appended", height=block.height, values=_known(block.batch))
        self._emit("chain.block", block=block, truth=self._truth, max_age_ns=self._max_age_ns, **self._more(block))

    def _more(self, _block: Block) -> dict[str, Any]:
        """What else there is to say of a block."""
        return {}

    def batch_stored(self, height: BlockHeight, batch: Batch) -> None:
        """The committer has stored a block's batch in the cloud."""
        self._log.info("batch stored", height=height)
        self._emit("cloud.batch", height=height, batch=batch)

    def refused(self, service: str, reason: str) -> None:
        """A guard has refused what a service was about to use."""
        self._log.warning("refused", reason=reason)
        self._emit("guard.refused", service=service, reason=reason)

    def last_good_kept(self, kept: MarketValues, reason: str) -> None:
        """A guard has replaced a market's values by the last good ones: an alarm."""
        self._log.error("last good value kept", market=kept.market, reason=reason)
        self._emit("guard.kept", kept=kept, reason=reason)

    def account_liquidated(
        self, account: AnyAccount, block: Block, used: Batch, left_e8: UsdtE8, vault_e8: UsdtE8
    ) -> None:
        """The liquidator has closed an account by what a block says of its markets.

        The account is left with `left_e8`, and the vault's collateral is now `vault_e8`.
        """
        self._log.warning("account liquidated", account=account.name, height=block.height, left_e8=left_e8)
        self._emit(
            "account.liquidated",
            account=account,
            height=block.height,
            used=used,
            left_e8=left_e8,
            vault_e8=vault_e8,
            truth=self._truth,
        )


def _known(batch: Iterable[MarketValues]) -> list[dict[str, Any]]:
    """What a service knows of values."""
    return [
        {
            "market": values.market,
            "mark_price_e8": values.mark_price_e8,
            "funding_index_e8": values.funding_index_e8,
            "source_ts_ns": values.source_ts_ns,
            "generation": values.generation,
        }
        for values in batch
    ]
