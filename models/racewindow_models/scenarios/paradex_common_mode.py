"""Paradex, 2026-01-19, hypothesis H4: the validation before the reopening reads the values that it should check.

What happened, and what is not known: see `racewindow_models.scenarios.paradex`. In particular [C, confirmed by the
operator or a primary document] corrupt data reached two sinks, the cloud store and the chain; [I, inferred] the risk
check in the cloud and the one on the chain use the same published index, so both agree on a wrong one. Additional data
validation was announced afterwards.

What is modelled here [H, a hypothesis to explore and not the cause]
    H4, common-mode validation. The list of rows to copy was made when the window was planned, and one market has been
    listed since: its row is not in the new database. The restarted writer waits for its loader (H1 is closed), finds
    no row, and counts what is missing as 0. The committer writes the 0 to both sinks, the validator compares the
    sinks with each other, and the operator leaves the halt.

        writer-2:   r(db-new[ETH]) -> missing, read as 0 ; w(published[ETH], index 0)           # class default
        committer:  w(chain, index 0) ; w(cloud, index 0)
        validator:  r(chain) == r(cloud) -> passed                                              # sinks_agree holds
        operator:   mode = OPEN                                                                 # validate_before_exit

    No switch between tasks is needed: every order of events fails. It is an error of design and not a race, and here
    because the tools that look for races have to find it too, and must not blame an order for it.

What closes what (expected verdicts, held by the tests)
    `independent_validation` alone: the validator compares with the last block before the window, which the index
    cannot have left faster than any funding rate allows, and with prices of other venues. It rejects the block; the
    operator gives the upgrade up, goes back to the old database, validates again, and opens.
    Not `age_guard` or `generation_check`: the 0 is fresh, and of the newest generation. `sinks_agree` holds in every
    order: agreement is not correctness.

Controls: `listed_since=0` (a clean upgrade), a market that truly falls by 16% in the window, and a new market whose
index really is 0 stay silent, under either kind of validation.

Illustrative numbers: those of `paradex`.
"""

from __future__ import annotations

import racewindow
from racewindow import Cell, until
from racewindow_faults.network import Delay
from racewindow_faults.process import Pause
from racewindow_models.book import Mode
from racewindow_models.checkers_chain import sinks_agree
from racewindow_models.checkers_reopening import eventually_reopens, validate_before_exit
from racewindow_models.exchange import Exchange
from racewindow_models.expected import Expected
from racewindow_models.feed import load
from racewindow_models.gate import Gate
from racewindow_models.mark_writer import OTHER_VENUES
from racewindow_models.market_witness import MarketWitness
from racewindow_models.narrate_market import narrate_reopening
from racewindow_models.runbook import Step, carry_out
from racewindow_models.safeguards import Safeguards, declared
from racewindow_models.showing import WINDOW
from racewindow_models.units import MarketName, PriceE8
from racewindow_models.upgrade import copy_rows
from racewindow_models.validator import Reference, Validator
from racewindow_models.window import NEW_WRITER, Window, prepare

COMMON_MODE = declared("independent_validation", "age_guard", "generation_check")

EXPECTED = Expected(
    ident="S-PDX-4",
    violates=("validate_before_exit",),
    closed_by=(("independent_validation",),),
    not_closed_by=(("age_guard",), ("generation_check",), ("age_guard", "generation_check")),
    constraints=0,
)


@racewindow.scenario(
    safeguards=COMMON_MODE,
    checks=(validate_before_exit, sinks_agree, eventually_reopens),
    faults=(Delay(target="committer", seconds=10), Pause(target="writer-2*")),
    feed=load,
    narrate=narrate_reopening,
    display=WINDOW,
    incident="2026-01-19, Paradex",
)
async def paradex_common_mode(
    sim: racewindow.Simulation,
    *,
    markets: int = 2,
    listed_since: int = 1,
    window_seconds: int = 60,
    opening_index_percent: int = 10,
    basis_bps: int = 20,
    page: bool = False,
) -> None:
    """A market is missing from the list of rows to copy, and the validation compares two copies of the wrong value.

    markets: number of markets. listed_since: how many of them were listed after the list of rows to copy was made.
    window_seconds: from the stop of the services to their restart. opening_index_percent: funding accrued before the
    recording, in percent of the first price. basis_bps: the fair basis. page: a web page is served from the new
    database before its rows are there, and shows what it does not find as 0.
    """
    if not 0 <= listed_since <= markets:
        raise racewindow.UsageError(
            f"the parameter 'listed_since' cannot be {listed_since}.", why=f"there are {markets} markets."
        )
    sizes = {
        "markets": markets,
        "ticks": 1,
        "batches": 1,
        "window_seconds": window_seconds,
        "opening_index_percent": opening_index_percent,
        "basis_bps": basis_bps,
    }
    window = prepare(sim.feed, sizes)
    safeguards = Safeguards.of(sim, COMMON_MODE, require_ready=True, atomic_batch=True)
    Upgrade(sim, window, safeguards, listed_since).begin(page=page)


class Upgrade:
    """The window with a gate at its end: what the operator does in it."""

    def __init__(self, sim: racewindow.Simulation, window: Window, safeguards: Safeguards, listed_since: int) -> None:
        self._sim = sim
        self._planned = window.markets[: len(window.markets) - listed_since]
        self._exchange = exchange = Exchange(sim, window, safeguards)
        self._witness, self._mode = MarketWitness(sim), Cell(Mode.HALTED, name="mode")

        def elsewhere_e8(market: MarketName) -> PriceE8:
            return exchange.oracle.price_e8(market, exchange.witness.now_ns)

        validator = Validator(
            before=window.block,
            chain=exchange.chain,
            cloud=exchange.cloud,
            reference=Reference(elsewhere_e8, frozenset({OTHER_VENUES})),
            safeguards=safeguards,
        )
        self._gate = Gate(
            validator, chain=exchange.chain, cloud=exchange.cloud, network=exchange.network, witness=self._witness
        )

    def begin(self, *, page: bool) -> None:
        """Start what has been running, and the operator."""
        exchange = self._exchange
        exchange.start_old_writer()
        steps = [
            Step("stop the writer", exchange.stop_old_writer),
            *exchange.page_steps(page=page),
            Step("copy the planned rows", self._copy_planned_rows),
            Step("let the window pass", exchange.let_the_window_pass),
            Step("switch routing", exchange.switch_routing),
            Step("start writer and committer", self._start_services),
            Step("validate and reopen", self._validate_and_reopen),
        ]
        self._sim.spawn(carry_out, steps, name="operator")

    async def _copy_planned_rows(self) -> None:
        exchange = self._exchange
        await copy_rows(exchange.network, exchange.source, exchange.target, self._planned, exchange.witness)

    async def _start_services(self) -> None:
        """The writer at once, and the committer for the second round, when values of the first have been published."""
        self._exchange.witness.services_restarted(self._exchange.target.name, (NEW_WRITER, "committer"))
        self._exchange.start_new_writer()
        self._exchange.start_committer(1)

    async def _validate_and_reopen(self) -> None:
        await self._see_a_block(1)
        if not await self._gate.passed():
            await self._go_back()
            if not await self._gate.passed():
                return
        await self._gate.leave_the_halt(self._change_mode, Mode.OPEN)

    async def _see_a_block(self, number: int) -> None:
        """Wait until both sinks have the block of a round."""
        due_ns = self._exchange.settings.round_ns(number)
        await until(lambda: self._gate.is_in_both_sinks(due_ns))

    async def _go_back(self) -> None:
        """Give the upgrade up: the old database has every row. Another writer starts from there."""
        exchange = self._exchange
        await exchange.supervisor.stop(exchange.supervisor[NEW_WRITER])
        exchange.routing.switch(exchange.source)
        self._witness.went_back(exchange.source.name)
        exchange.start_new_writer(2, name="writer-3", token=3)
        exchange.start_committer(3)
        await self._see_a_block(3)

    async def _change_mode(self, mode: Mode) -> None:
        before = self._mode.get()
        self._mode.set(mode)
        self._witness.mode_changed(before, mode)
