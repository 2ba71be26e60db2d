"""The day of 2026-01-19 from the operator's side: a window, and if it goes wrong, the way back.

The runbook is one list of steps. Whether the second half of it is taken depends on what the operator sees: that the
validation rejects what is on the chain, or that accounts have been liquidated by values that nobody else has.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import trio

from racewindow import Instance, Simulation, until
from racewindow_models.book import Mode, Order
from racewindow_models.clearing import Change
from racewindow_models.epochs import EpochChain, EpochCommitter, EpochWitness, PortfolioStore
from racewindow_models.exchange import Exchange
from racewindow_models.gate import Gate
from racewindow_models.guards import implausible
from racewindow_models.mark_writer import OTHER_VENUES
from racewindow_models.refunds import What, audit
from racewindow_models.reopening import TRADER, Reopening, Timing
from racewindow_models.runbook import Step
from racewindow_models.safeguards import Safeguards
from racewindow_models.units import E8, MarketName, PriceE8, SizeE8, TimeNs, to_trio_seconds
from racewindow_models.validator import Reference, Validator
from racewindow_models.window import NEW_WRITER, OLD_WRITER, Window


class DayExchange(Exchange):
    """The services of the window, whose chain can be rolled back."""

    make_committer = EpochCommitter  # its batches belong to the epoch in which it was started


class Day:
    """The exchange, its accounts and markets, and what the operator does to them."""

    def __init__(self, sim: Simulation, window: Window, safeguards: Safeguards, timing: Timing, *, rounds: int) -> None:
        self._sim, self._window, self._safeguards, self._rounds = sim, window, safeguards, rounds
        self._settings = window.settings
        self._chain = EpochChain(window.block, lambda: self._reopening.clearing.everything())  # noqa: PLW0108  # there is no clearing yet
        self._cloud = PortfolioStore(self._chain if safeguards.outbox else None)
        self._witness = EpochWitness(sim, window.truth, window.settings)
        self._exchange = exchange = DayExchange(
            sim, window, safeguards, sinks=(self._chain, self._cloud), witness=self._witness
        )
        self._reopening = Reopening(
            sim,
            window,
            safeguards,
            timing,
            chain=self._chain,
            network=exchange.network,
            oracle=exchange.oracle,
            witness=self._witness,
            mode=Mode.OPEN,
            cloud=self._cloud,
            epoch=lambda: self._chain.epoch,
        )
        self._markets = self._reopening.market_witness
        self._at_ns = TimeNs(timing.at * 10**9)
        self._gate = self._make_gate()
        self._snapshot = self._chain.snapshot()
        self._services: list[Instance] = []
        self._is_incident = False

    def _make_gate(self) -> Gate:
        validator = Validator(
            before=self._window.block,
            chain=self._chain,
            cloud=self._cloud,
            reference=Reference(self._elsewhere_e8, frozenset({OTHER_VENUES})),
            safeguards=self._safeguards,
        )
        return Gate(
            validator, chain=self._chain, cloud=self._cloud, network=self._exchange.network, witness=self._markets
        )

    def _elsewhere_e8(self, market: MarketName) -> PriceE8:
        """The price on other venues at this moment."""
        return self._exchange.oracle.price_e8(market, self._witness.now_ns)

    def runbook(self, *, page: bool = False) -> list[Step]:
        """All that the operator does, in order."""
        self._exchange.start_old_writer()
        return [
            Step("let them trade", self._trade),
            Step("halt", self._halt),
            Step("take a snapshot", self._take_a_snapshot),
            Step("stop the writer", self._stop_the_writer),
            *self._exchange.page_steps(page=page),
            Step("copy the rows", self._exchange.copy_rows_at_once),
            Step("let the window pass", self._exchange.let_the_window_pass),
            Step("switch routing", self._exchange.switch_routing),
            Step("start the services", self._start_the_services),
            Step("validate and reopen", self._validate_and_reopen),
            Step("watch", self._watch),
            *(Step(name, self._in_an_incident(act)) for name, act in self._way_back()),
        ]

    def _way_back(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        stop, reopening = ("stop the services", self._stop_the_services), self._reopening
        is_first = self._safeguards.full_downtime
        return [
            ("disable access", self._halt),
            *([stop] if is_first else []),
            ("roll back", self._roll_back),
            ("cancel all orders but TP/SL", self._cancel_orders),
            *([] if is_first else [stop]),
            ("look at a portfolio page", self._look_at_a_portfolio_page),
            ("start from the snapshot", self._start_from_the_snapshot),
            ("let the time come", reopening.let_the_time_come),
            ("cancel-only", reopening.cancel_only),
            ("validate, then post-only", self._validate_then_post_only),
            ("open", reopening.open_fully),
            ("audit and refund", self._audit_and_refund),
        ]

    def _in_an_incident(self, act: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """The step, taken only on the way back."""

        async def taken() -> None:
            if self._is_incident:
                await act()

        return taken

    # --- the window -------------------------------------------------------------------------------------------------

    async def _trade(self) -> None:
        """The writer is up, market makers quote, and the trader buys a unit."""
        writer = self._exchange.supervisor[OLD_WRITER]
        await until(lambda: writer.state.get().value == "ready")
        await self._reopening.quote()
        market = self._reopening.thin_market
        await self._reopening.place(market, Order(TRADER, True, SizeE8(E8)))  # noqa: FBT003

    async def _halt(self) -> None:
        await self._reopening.change_mode(Mode.HALTED)

    async def _take_a_snapshot(self) -> None:
        self._snapshot = self._chain.snapshot()

    async def _stop_the_writer(self) -> None:
        """Stop the old writer. With `full_downtime` the operator waits until it has gone; without, for one tick."""
        if self._safeguards.full_downtime:
            await self._exchange.stop_old_writer()
        else:
            self._witness.maintenance_started(OLD_WRITER)
            self._exchange.supervisor[OLD_WRITER].cancel()
            await trio.sleep(self._settings.tick_seconds)

    async def _start_the_services(self) -> None:
        exchange = self._exchange
        self._witness.services_restarted(exchange.target.name, (NEW_WRITER, "committer", "liquidator"))
        self._services += [exchange.start_new_writer(), exchange.start_committer(1)]
        safeguards = replace(self._safeguards, liquidation_grace=False, liquidation_after_fresh=False)

        async def liquidate(process: Instance) -> None:
            await self._reopening.liquidator(safeguards).run_at_reopening(
                process, lambda: True, rounds=1, grace_seconds=0, end_seconds=0
            )

        self._services.append(exchange.supervisor.start(liquidate, "liquidator"))

    async def _validate_and_reopen(self) -> None:
        """Wait for a block in both sinks; the halt is left only if there is one, and the validator passes it."""
        due_ns = self._settings.round_ns(1)
        with trio.move_on_at(to_trio_seconds(self._settings.round_ns(2))):
            await until(lambda: self._gate.is_in_both_sinks(due_ns))
        if self._gate.is_in_both_sinks(due_ns) and await self._gate.passed():
            await self._gate.leave_the_halt(self._reopening.change_mode, Mode.OPEN)
        else:
            self._is_incident = True

    async def _watch(self) -> None:
        """See whether accounts are liquidated, and whether people find that the values are wrong."""
        if self._is_incident:
            return
        with trio.move_on_at(to_trio_seconds(self._settings.round_ns(3))):
            await until(self._is_anybody_liquidated)
        if self._is_anybody_liquidated():
            pairs = zip(self._chain.head.batch, self._snapshot.block.batch, strict=True)
            self._is_incident = any(implausible(now, then, self._elsewhere_e8(now.market)) for now, then in pairs)

    def _is_anybody_liquidated(self) -> bool:
        assert self._reopening.ledger is not None
        return any(harm.what is What.LIQUIDATED for harm in self._reopening.ledger.entries())

    # --- the way back -----------------------------------------------------------------------------------------------

    async def _cancel_orders(self) -> None:
        count = await self._exchange.network.call(self._reopening.book.name, self._reopening.book.cancel_all)
        self._markets.orders_cancelled(count)

    async def _roll_back(self) -> None:
        """Restore chain and accounts to the snapshot, and see by the state root that all of it came back."""
        await trio.lowlevel.checkpoint()
        done = self._chain.roll_back(self._snapshot, self._reopening.clearing.restore)
        self._markets.rolled_back(done)
        self._snapshot.check(done.root)

    async def _stop_the_services(self) -> None:
        for service in self._services:
            await self._exchange.supervisor.stop(service)

    async def _look_at_a_portfolio_page(self) -> None:
        await trio.lowlevel.checkpoint()
        height = self._snapshot.block.height
        self._markets.page_shown(self._chain.above(height), self._cloud.shown_above(height))

    async def _start_from_the_snapshot(self) -> None:
        """A writer, TP/SL and a liquidator; and people come back when they like."""
        self._reopening.start(self._exchange.supervisor, rounds=self._rounds)
        self._sim.spawn(self._reopening.trade_in_the_thin_book, name="trader")
        self._sim.spawn(self._reopening.sell_aggressively, name="seller")
        self._sim.spawn(self._reopening.make_markets, name="maker")

    async def _validate_then_post_only(self) -> None:
        """Ask the validator until it passes: the cloud store may still hold what was rolled back at this height."""
        await until(lambda: self._gate.is_in_both_sinks(self._at_ns))
        while not await self._gate.passed():  # noqa: ASYNC110  # the answer is another service's
            await trio.sleep(self._settings.tick_seconds)
        await self._gate.leave_the_halt(self._reopening.change_mode, Mode.POST_ONLY)

    async def _audit_and_refund(self) -> None:
        """Find out who was harmed by replaying the truth, and pay them from the vault."""
        assert self._reopening.ledger is not None
        entries, now_ns = self._reopening.ledger.entries(), self._witness.now_ns
        refunds = audit(entries, self._window.truth, now_ns, self._chain.epoch, self._settings.max_age_ns)
        for refund in refunds:
            self._markets.refunded(refund)
            if refund.owed_e8:
                change: Change = self._reopening.clearing.pay(refund.account, refund.owed_e8)
                self._markets.changed(change)
