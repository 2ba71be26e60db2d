"""The services of the exchange as one execution has them: made once, started and stopped by the operator.

A scenario makes an `Exchange` of its window, and gives the operator a runbook. What is in here is the same in every
scenario of the exchange: which services there are, how they are put together, and the steps that runbooks are made of.
"""

from __future__ import annotations

from collections.abc import Sequence

import trio

from racewindow import Instance, Network, Simulation, Supervisor, until
from racewindow_models.chain import Chain
from racewindow_models.cloud import CloudStore
from racewindow_models.committer import Committer
from racewindow_models.database import Database, Routing
from racewindow_models.liquidator import Liquidator
from racewindow_models.oracle import SpotOracle
from racewindow_models.replica import follow
from racewindow_models.runbook import Step
from racewindow_models.safeguards import Safeguards
from racewindow_models.units import TimeNs, to_trio_seconds
from racewindow_models.upgrade import copy_rows
from racewindow_models.values import MarketState
from racewindow_models.window import NEW_WRITER, OLD_WRITER, Window
from racewindow_models.witness import Witness
from racewindow_models.writer import MarketDataWriter


class Exchange:
    """The services of one execution of a window.

    `make_writer` makes every instance of the writer; `with_states`: the old database holds the saved states already.
    `sinks`, `witness`: chain and cloud store, and who is told of everything, if they are not the plain ones.
    """

    make_committer: type[Committer] = Committer
    guards_cloud = True
    """Whether the committer's guards stand before the fan-out, and not on the chain path only."""

    def __init__(
        self,
        sim: Simulation,
        window: Window,
        safeguards: Safeguards,
        make_writer: type[MarketDataWriter] = MarketDataWriter,
        *,
        with_states: bool = False,
        sinks: tuple[Chain, CloudStore] | None = None,
        witness: Witness | None = None,
    ) -> None:
        self.sim, self.window, self.safeguards = sim, window, safeguards
        self.settings, self.markets = window.settings, window.markets
        self.witness = witness or Witness(sim, window.truth, window.settings)
        self.supervisor, self.network = Supervisor(sim.spawn), Network(sim.spawn)
        self.oracle = SpotOracle(window.series, sim)
        self.chain, self.cloud = sinks or (Chain(window.block), CloudStore())
        fencing, cas_write = safeguards.fencing, safeguards.cas_write
        states = window.states if with_states else ()
        self.source = Database("db-old", states, window.values, fencing=fencing, cas_write=cas_write)
        self.target = Database("db-new", fencing=fencing, cas_write=cas_write)
        self.routing = Routing(self.source, self.witness)
        self._make_writer = make_writer

    # --- services ---------------------------------------------------------------------------------------------------

    def writer(self, instance: str, token: int, states: Sequence[MarketState] = ()) -> MarketDataWriter:
        """A market-data writer; one without `states` has nothing in memory yet."""
        return self._make_writer(
            instance,
            markets=self.markets,
            oracle=self.oracle,
            safeguards=self.safeguards,
            witness=self.witness,
            network=self.network,
            token=token,
            states=states,
        )

    def start_old_writer(self) -> Instance:
        """The old writer, which has been running, and saves its state when it is stopped."""

        async def life(process: Instance) -> None:
            await self.writer(OLD_WRITER, 1, self.window.states).save_at_the_end(process, self.routing)

        return self.supervisor.start(life, OLD_WRITER)

    def start_running_writer(self) -> Instance:
        """The old writer, which goes on publishing until it is stopped; being overloaded it is slow.

        It begins its last round one tick before the window.
        """

        async def life(process: Instance) -> None:
            process.ready()
            await trio.sleep_until(to_trio_seconds(TimeNs(self.settings.window_ns - self.settings.tick_ns)))
            writer = self.writer(OLD_WRITER, 1, self.window.states)
            await writer.run_ticks(self.routing, self.settings, write_ns=self.settings.tick_ns)

        return self.supervisor.start(life, OLD_WRITER)

    def start_new_writer(self, first_round: int = 0, *, name: str = NEW_WRITER, token: int = 2) -> Instance:
        """The new writer, with nothing in memory: loader and tick loop begin at once."""

        async def life(process: Instance) -> None:
            # Looked at where it is promised only: to look is an access, and makes the order of the two matter.
            if self.safeguards.full_downtime and self.supervisor[OLD_WRITER].is_up:
                self.witness.instances_overlap(name, OLD_WRITER)
            await self.writer(name, token).serve(process, self.routing, self.settings, first_round)

        self.routing.grant_lease(token)

        return self.supervisor.start(life, name)

    def committer(self) -> Committer:
        """A committer, with the exchange's two sinks."""
        return self.make_committer(
            markets=self.markets,
            chain=self.chain,
            cloud=self.cloud,
            oracle=self.oracle,
            safeguards=self.safeguards,
            witness=self.witness,
            settings=self.settings,
            network=self.network,
            guards_cloud=self.guards_cloud,
        )

    def start_committer(self, first_round: int = 0, *, waits: bool = False) -> Instance:
        """The committer. `waits`: it has been running, and makes its next block when the window begins."""

        async def life(process: Instance) -> None:
            if waits:
                await self.let_the_window_pass()
            await self.committer().run(process, self.routing, first_round)

        return self.supervisor.start(life, "committer")

    def start_liquidator(self, first_round: int = 0) -> Instance:
        """The liquidator."""
        liquidator = Liquidator(
            (*self.window.accounts, *self.window.cross_accounts),
            chain=self.chain,
            safeguards=self.safeguards,
            witness=self.witness,
            settings=self.settings,
        )

        async def life(process: Instance) -> None:
            await liquidator.run(process, first_round)

        return self.supervisor.start(life, "liquidator")

    def start_replica(self) -> Database:
        """A replica of the new database, from which services then read what they start from."""
        replica = Database("db-replica")
        self.routing.read_from(replica)
        self.sim.spawn(follow, self.network, self.target, replica, self.markets, name=replica.name)
        return replica

    def start_page(self) -> Instance:
        """A web page that is already served from the new database; what it does not find it shows as 0."""

        async def life(process: Instance) -> None:
            process.ready()
            market = self.markets[-1]
            values = await self.network.call(self.target.name, self.target.read_values, market)
            self.witness.price_displayed(market, values.mark_price_e8)

        return self.supervisor.start(life, "page")

    # --- steps of runbooks ------------------------------------------------------------------------------------------

    async def stop_old_writer(self) -> None:
        """Stop the old writer and wait until it has gone."""
        self.witness.maintenance_started(OLD_WRITER)
        await self.supervisor.stop(self.supervisor[OLD_WRITER])

    def page_steps(self, *, page: bool) -> list[Step]:
        """The step that opens a page to visitors before there is anything to be shown, if there is a `page`."""

        async def open_the_page() -> None:
            self.start_page()

        return [Step("open a page", open_the_page)] if page else []

    async def drain_writes(self) -> None:
        """Wait until no write is in flight."""
        await until(lambda: self.network.in_flight == 0)

    async def copy_rows(self) -> None:
        """Copy the rows of all markets to the new database."""
        await copy_rows(self.network, self.source, self.target, self.markets, self.witness)

    async def copy_rows_at_once(self) -> None:
        """The same in one transaction."""
        args = self.network, self.source, self.target, self.markets, self.witness
        await copy_rows(*args, in_one_transaction=True)

    async def let_the_window_pass(self) -> None:
        """Wait until the time at which the services are to start again."""
        await trio.sleep_until(to_trio_seconds(self.settings.window_ns))

    async def switch_routing(self) -> None:
        """Send every service that connects from now on to the new database."""
        self.routing.switch(self.target)

    async def start_services(self, first_block: int = 0) -> None:
        """Start writer, committer and liquidator at once; with the last of them trading reopens.

        `first_block`: the round in which the committer makes its first one.
        """
        self.witness.services_restarted(self.target.name, (NEW_WRITER, "committer", "liquidator"))
        self.start_new_writer()
        self.start_committer(first_block)
        self.start_liquidator(first_block)
