"""What happens in the markets and to the accounts, turned into log lines and events, as `Witness` does for the rest."""

from __future__ import annotations

from collections.abc import Mapping

from racewindow import Simulation
from racewindow_models.book import Answer, Mode, Order
from racewindow_models.chain import Block, Snapshot
from racewindow_models.clearing import Change
from racewindow_models.epochs import Rollback, Row
from racewindow_models.refunds import Refund
from racewindow_models.units import BlockHeight, FairBasisE8, MarketName, PriceE8
from racewindow_models.validator import Report
from racewindow_models.values import Batch


class MarketWitness:
    """Reports of one execution."""

    __slots__ = ("_emit", "_log")

    def __init__(self, sim: Simulation) -> None:
        self._emit, self._log = sim.emit, sim.log

    def mode_changed(self, before: Mode, mode: Mode) -> None:
        """The operator has changed what the markets admit."""
        self._log.info("mode changed", mode=mode.value)
        self._emit("mode.changed", before=before, mode=mode)

    def answered(
        self, market: MarketName, order: Order, answer: Answer, *, fair_e8: PriceE8, exempt: tuple[str, ...]
    ) -> None:
        """The book has answered an order.

        `fair_e8`: the external fair price at that moment. `exempt`: the rules that do not hold for the order.
        """
        self._log.info("order", market=market, order=str(order), refusal=answer.refusal, trades=len(answer.trades))
        self._emit("book.answered", market=market, order=order, answer=answer, fair_e8=fair_e8, exempt=exempt)

    def validated(self, report: Report) -> None:
        """The validator has answered the operator."""
        self._log.info("validated", height=report.block.height, problems=report.problems)
        self._emit("validation.done", report=report)

    def halt_left(self, block: Block, reports: tuple[Report, ...]) -> None:
        """The operator leaves the halt with the values of a block, which the reports have passed."""
        self._log.info("halt left", height=block.height, reports=len(reports))
        self._emit("halt.left", block=block, reports=reports)

    def went_back(self, database: str) -> None:
        """The operator has given the upgrade up."""
        self._log.warning("went back", database=database)
        self._emit("upgrade.given_up", database=database)

    def rolled_back(self, done: Rollback, **held: object) -> None:
        """The operator has restored chain and accounts to a block. `held`: what accounts and vault hold then."""
        snapshot = done.snapshot
        self._log.warning("chain rolled back", height=snapshot.block.height, state_root=done.root)
        roots = {"root": done.root, "snapshot_root": snapshot.root}
        self._emit("chain.rolled_back", block=snapshot.block, epoch=done.epoch, **roots, **held)

    def verified(self, snapshot: Snapshot, root: str) -> None:
        """The operator has looked again whether the chain has the state that it was rolled back to."""
        log = self._log.info if root == snapshot.root else self._log.error
        log("rollback verified", state_root=root, of_the_snapshot=snapshot.root)
        self._emit("rollback.verified", block=snapshot.block, root=root, snapshot_root=snapshot.root)

    def page_shown(self, chain: Mapping[BlockHeight, Batch], rows: Mapping[BlockHeight, Row]) -> None:
        """A portfolio page shows its rows above the snapshot, beside what is on the chain there."""
        batches = {height: row.batch for height, row in rows.items()}
        self._log.info("portfolio page shown", heights=sorted(batches))
        self._emit("cloud.read", batches=batches, chain=chain, made_in={h: row.epoch for h, row in rows.items()})

    def refunded(self, refund: Refund) -> None:
        """The audit has decided what an account is owed."""
        self._log.info("refund", account=refund.account, what=refund.what, owed_e8=refund.owed_e8, why=refund.why)
        self._emit("refund.decided", refund=refund)

    def orders_cancelled(self, count: int) -> None:
        """The operator has cancelled every resting order."""
        self._log.info("orders cancelled", count=count)
        self._emit("book.cancelled", count=count)

    def mark_skewed(
        self, market: MarketName, votes: Mapping[str, FairBasisE8 | None], basis_e8: FairBasisE8, mark_e8: PriceE8
    ) -> None:
        """The venue's own book has moved the fair basis away from the external one."""
        self._log.info("fair basis moved", market=market, basis_e8=basis_e8)
        self._emit("mark.skewed", market=market, votes=dict(votes), basis_e8=basis_e8, mark_e8=mark_e8)

    def changed(self, change: Change) -> None:
        """The clearing has transferred something."""
        if change.deleveraged:
            self._log.warning("positions deleveraged", accounts=change.deleveraged)
        self._emit("clearing.changed", change=change)
