"""The services of the exchange as a plan has them: the same ones as in the scenarios, with the plan's instances.

A writer's start-up work and what its readiness means are what a plan can vary; what services do with values, and what
safeguards change in that, is theirs. A service that has done its rounds stays up until it is stopped or the window is
over, so that whoever looks at the end sees who is left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import trio

from racewindow import Cell, Instance, Simulation, until
from racewindow_models.chain import Accounts
from racewindow_models.cross import AnyAccount
from racewindow_models.epochs import EpochChain, EpochCommitter, PortfolioStore
from racewindow_models.exchange import Exchange
from racewindow_models.plan.instances import EagerWriter, PlannedLiquidator, PlannedWriter
from racewindow_models.plan.restoring import Restoring
from racewindow_models.plan.schema import ExchangePlan, Mode, goes_back
from racewindow_models.plan.stores import PlannedDatabase, PlannedRouting
from racewindow_models.plan.trading import NAMES, PATIENT, PlannedTrading, book_mode
from racewindow_models.plan.validating import Validating
from racewindow_models.plan.witnessing import PlannedWitness, made_in
from racewindow_models.safeguards import Safeguards
from racewindow_models.units import TimeNs, to_trio_seconds
from racewindow_models.values import MarketState, Provenance
from racewindow_models.window import Window
from racewindow_models.writer import MarketDataWriter

FIRST_TOKEN = 1
"""The fencing token of what runs when the window begins; every instance that is started has a higher one."""
_Life = Callable[[Instance], Awaitable[None]]


class PlannedExchange(Exchange):
    """The services of one execution of a plan."""

    source: PlannedDatabase
    target: PlannedDatabase
    routing: PlannedRouting
    witness: PlannedWitness

    def __init__(self, sim: Simulation, window: Window, safeguards: Safeguards, plan: ExchangePlan) -> None:
        self.service, self.plan = plan.services.writer, plan
        make_writer = EagerWriter if self.service.ready == "started" else PlannedWriter
        witness, sinks = PlannedWitness(sim, window.truth, window.settings), None
        if goes_back(plan):
            chain = EpochChain(window.block, self._accounts)
            sinks = chain, PortfolioStore(chain if safeguards.outbox else None, made_in)
            self.make_committer = EpochCommitter  # its batches belong to the epoch in which it was started
        super().__init__(sim, window, safeguards, make_writer, sinks=sinks, witness=witness)
        guards = {"fencing": safeguards.fencing, "cas_write": safeguards.cas_write}
        at_start = self.service.instances
        self._first = next((name for name in at_start if at_start[name] != "down"), next(iter(at_start)))
        """Who knows the states of the markets, or knew them last."""
        is_saved = self.service.saves == "all along" or at_start[self._first] == "down"
        values = tuple(replace(each, provenance=self._saved_by(self._first)) for each in window.values)
        old, new = plan.database.versions
        self.source = PlannedDatabase(old, self._states_of(self._first) if is_saved else (), values, **guards)
        self.target = PlannedDatabase(new, **guards)
        self.routing = PlannedRouting(self.source, self.target, self.witness)
        self.mode: Cell[Mode | None] = Cell(plan.mode_at_start, name="mode")
        self._over = Cell(False, name="window.over")  # noqa: FBT003
        names = dict.fromkeys((*at_start, "committer", "liquidator", *(NAMES if plan.book is not None else ())))
        self._at_rest = {name: Cell(False, name=f"{name}.at_rest") for name in names}  # noqa: FBT003
        """Whether an instance has done its rounds, or has none to do."""
        self._up_at_start: list[Instance] = []
        self._token = Cell(FIRST_TOKEN, name="newest_token")
        self._tokens = dict.fromkeys(at_start, FIRST_TOKEN)
        everybody: tuple[AnyAccount, ...] = (*window.accounts, *window.cross_accounts)
        self._liquidator = PlannedLiquidator(
            everybody, chain=self.chain, safeguards=safeguards, witness=self.witness, settings=self.settings
        )
        self._liquidator.mode = self.mode
        closer = plan.services.liquidator
        self._liquidator.grace_ns = TimeNs(closer.grace if closer is not None else 0)
        self.validating = Validating(self)
        self.trading = PlannedTrading(self, plan.book, plan.mode_at_start) if plan.book is not None else None
        self.restoring = self._make_restoring()

    def _accounts(self) -> Accounts:
        """The accounts on the chain: those that trade, where there is a book."""
        return self._liquidator.everything() if self.trading is None else self.trading.clearing.everything()

    def _make_restoring(self) -> Restoring | None:
        if not isinstance(self.chain, EpochChain) or not isinstance(self.cloud, PortfolioStore):
            return None
        return Restoring(
            self.sim,
            self.window,
            chain=self.chain,
            cloud=self.cloud,
            routing=self.routing,
            liquidator=self._liquidator,
            clearing=self.trading.clearing if self.trading is not None else None,
        )

    # --- starting and stopping --------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Have every instance do what it does when the window begins."""
        services = self.plan.services
        for name, at_start in self.service.instances.items():
            if at_start != "down":
                self._run(name, self._writer_that_runs(name, works=at_start == "working"))
        if services.committer is not None and services.committer.at_start == "working":
            self._run("committer", self._committer_life(waits=True))
        if services.liquidator is not None and services.liquidator.at_start == "working":
            self._run("liquidator", self._liquidator_life(waits=True))
        self._up_at_start = [each for name in self._at_rest if (each := self.instance(name)) is not None]

    @property
    def has_begun(self) -> bool:
        """Whether all that is up when the window begins has come that far: nobody stops a service before it lives."""
        return all(each.is_ready or not each.is_up for each in self._up_at_start)

    def start(self, name: str) -> None:
        """Start an instance, unless it is up: with nothing in memory but what its service is warm with."""
        if self.is_up(name):
            return
        if name == "committer":
            self._run(name, self._committer_life(waits=False))
        elif name == "liquidator":
            self._liquidator.enabled_ns = TimeNs(self.sim.now_ns)
            self._run(name, self._liquidator_life(waits=False))
        else:
            token = self._token.get() + 1
            self._token.set(token)
            self.routing.grant_lease(token)
            self._run(name, self._writer_that_starts(name, token))

    async def stop(self, name: str) -> None:
        """Stop an instance and wait until it has gone; nothing happens if it is down."""
        if self.is_up(name):
            await self.supervisor.stop(self.supervisor[name])

    def is_up(self, name: str) -> bool:
        """Whether an instance lives."""
        instance = self.instance(name)
        return instance is not None and instance.is_up

    def is_ready(self, name: str) -> bool:
        """Whether an instance lives and has said that it is ready."""
        instance = self.instance(name)
        return instance is not None and instance.is_ready

    def instance(self, name: str) -> Instance | None:
        """The latest life of an instance; None if it has never been started."""
        try:
            return self.supervisor[name]
        except KeyError:
            return None

    def _run(self, name: str, life: _Life) -> None:
        async def whole(process: Instance) -> None:
            if self._over.get():
                return  # started anew by a fault when the window was over
            self._at_rest[name].set(False)
            await life(process)

        self.supervisor.start(whole, name)

    # --- lives ------------------------------------------------------------------------------------------------------

    def _writer_that_runs(self, name: str, *, works: bool) -> _Life:
        """A writer that is up when the window begins; if it crashes and is started again, it starts as any other."""

        async def life(process: Instance) -> None:
            if process.number:
                await self._writer_that_starts(name, FIRST_TOKEN)(process)
                return
            self._tell_up(name)
            writer = self.writer(name, FIRST_TOKEN, self._states_of(name))
            if works:
                process.spawn(self._work, name, writer, name="ticks")
            else:
                self._at_rest[name].set(True)
            if self.service.saves == "when stopped":
                await writer.save_at_the_end(process, self.routing)
            else:
                process.ready()
                await trio.sleep_forever()

        return life

    async def _work(self, name: str, writer: MarketDataWriter) -> None:
        await self.let_the_window_pass()
        await writer.run_ticks(self.routing, self.settings, write_ns=TimeNs(self.service.write_time))
        self._at_rest[name].set(True)

    def _writer_that_starts(self, name: str, token: int) -> _Life:
        async def life(process: Instance) -> None:
            self._tell_up(name)
            self._tokens[name] = token
            first = self._round_due
            if self.service.start_up == "load":
                writer = self.writer(name, token)
                process.spawn(writer.load, process, self.routing, name="loader")
            else:
                writer = self.writer(name, token, self._states_of(name))
                process.ready()
            process.spawn(self._publish, name, writer, first, name="ticks")
            await trio.sleep_forever()

        return life

    async def _publish(self, name: str, writer: MarketDataWriter, first_round: int) -> None:
        await writer.run_ticks(self.routing, self.settings, first_round)
        self._at_rest[name].set(True)

    def _committer_life(self, *, waits: bool) -> _Life:
        async def life(process: Instance) -> None:
            first = self._round_due
            if waits and not process.number:
                process.ready()
                await self.let_the_window_pass()
                first = 0
            await self.committer().run(process, self.routing, first)
            self._at_rest["committer"].set(True)
            await trio.sleep_forever()

        return life

    def _liquidator_life(self, *, waits: bool) -> _Life:
        async def life(process: Instance) -> None:
            process.ready()
            if waits and not process.number:
                await self.let_the_window_pass()
            if self.mode.get() not in (None, "open"):
                self._at_rest["liquidator"].set(True)
                await until(lambda: self.mode.get() == "open" or self._over.get())
            if not self._over.get():
                await self._let_feeds_and_grace_come()
                await self._liquidator.run(process, self._round_due)
            self._at_rest["liquidator"].set(True)
            await until(self._over.get)

        return life

    async def _let_feeds_and_grace_come(self) -> None:
        """Wait for what has to be before liquidation begins, with the safeguards that look at it."""
        self._at_rest["liquidator"].set(False)
        if self.safeguards.liquidation_grace:
            await trio.sleep_until(to_trio_seconds(TimeNs(self._liquidator.enabled_ns + self._liquidator.grace_ns)))
        if self.safeguards.liquidation_after_fresh:
            self._at_rest["liquidator"].set(True)
            await until(lambda: self._over.get() or self._liquidator.is_fresh(self.chain.head, TimeNs(self.sim.now_ns)))
            self._at_rest["liquidator"].set(False)

    def set_mode(self, mode: Mode | None) -> None:
        """Set what the markets admit."""
        self.mode.set(mode)
        if self.trading is not None:
            self.trading.book.change_mode(book_mode(mode))
        if mode == "open":
            self._liquidator.enabled_ns = TimeNs(self.sim.now_ns)
        self.sim.emit("mode.changed", mode=mode)

    def bring_back(self) -> None:
        """Let in who trades."""
        assert self.trading is not None, "the plan has a book"
        epoch = self.restoring.epoch if self.restoring is not None else 0
        for name, life in self.trading.lives(epoch).items():
            if not self.is_up(name):
                self._run(name, life)

    def switch(self, version: PlannedDatabase) -> None:
        """Send every service that connects from now on to a version of the database."""
        self.routing.switch(version)
        if self.plan.checks.get("config_valid_before_activate"):  # to look is an access, which makes orders differ
            missing = tuple(market for market in self.markets if not version.holds([market]))
            self.witness.version_activated(version.name, self.markets, missing)

    def writer(self, instance: str, token: int, states: Sequence[MarketState] = ()) -> MarketDataWriter:
        """A writer, which belongs to the epoch of now if the chain can be rolled back."""
        made = super().writer(instance, token, states)
        if self.restoring is not None and isinstance(made, PlannedWriter):
            made.began_in, made.snapshot_ns = self.restoring.epoch, self.restoring.taken.time_ns
        return made

    # --- what they know and tell ------------------------------------------------------------------------------------

    def _states_of(self, name: str) -> Sequence[MarketState]:
        """What an instance knows that has been running since before the window."""
        saved = self._saved_by(name)
        return tuple(replace(each, provenance=saved) for each in self.window.states)

    @staticmethod
    def _saved_by(name: str) -> Provenance:
        return Provenance(producer=name, state_by=name, from_saved_state=True)

    def _tell_up(self, name: str) -> None:
        others = [each for each in self.service.instances if each != name and self.is_up(each)]
        self.sim.emit("writer.up", instance=name, others=others)

    @property
    def _round_due(self) -> int:
        """The round that is due now: what is started late begins with it, and not with those that it has missed."""
        since_ns = self.sim.now_ns - self.settings.window_ns
        return max(0, since_ns // self.settings.tick_ns)

    # --- the end ----------------------------------------------------------------------------------------------------

    @property
    def is_settled(self) -> bool:
        """Whether every instance that lives has done its rounds, or waits for markets in which it could."""
        waits = PATIENT if self.trading is not None and not self.trading.is_on else ()
        return all(rests.get() or name in waits for name, rests in self._at_rest.items() if self.is_up(name))

    def tell_what_is_left(self, cut_after: str) -> None:
        """Say in what state the window leaves the exchange. `cut_after`: the last step that was done, or "" for all."""
        routed = self.source if self.routing.connect() is self.source else self.target
        at_start = self.service.instances
        keeper_lives = any(at_start[name] != "down" and self._is_first_life(name) for name in at_start)
        in_memory = keeper_lives and routed is self.source
        missing = [] if in_memory else [market for market in self.markets if not routed.holds([market])]
        liquidates = self.is_up("liquidator") and self.mode.get() in (None, "open") and not self.safeguards.age_guard
        self.sim.emit(
            "window.left",
            after=cut_after,
            routed=routed.name,
            dropped=routed.is_dropped,
            missing=missing,
            writers=self._who_may_write(),
            liquidates=liquidates,
        )

        if self.restoring is not None and self.restoring.epoch:
            self.restoring.tell_what_is_there()

    def _is_first_life(self, name: str) -> bool:
        instance = self.instance(name)
        return instance is not None and instance.is_up and instance.number == 0

    def _who_may_write(self) -> list[str]:
        """The writers that live and do not merely stand by; with fencing, the one whose writes are accepted."""
        idle = [name for name, at_start in self.service.instances.items() if at_start == "idle"]
        live = [n for n in self._tokens if self.is_up(n) and not (n in idle and self._is_first_life(n))]
        if not self.safeguards.fencing or not live:
            return live
        newest = max(self._tokens[name] for name in live)
        return [name for name in live if self._tokens[name] == newest]

    def end(self) -> None:
        """The window is over: take down what is left, where it stands.

        Not the liquidator, which ends by itself: it may still wait for the markets to open.
        """
        self._over.set(True)
        for name in (each for each in self._at_rest if each != "liquidator" or self.trading is not None):
            instance = self.instance(name)
            if instance is not None:
                instance.crash()
