"""Paradex, 2026-01-19: funding indices of some markets went to zero in a maintenance window.

What happened [C, confirmed by the operator or a primary document]
    A planned 30-minute window to upgrade the database. "A race condition during a service restart" let corrupt market
    data reach two sinks, cloud storage and the chain. Funding indices of some markets were reset to zero, which caused
    abnormal funding profit and loss, and liquidations in several markets. The chain was rolled back to block 1604710,
    the last one before the maintenance; $650,000 were refunded to 200 accounts.

What is not known [?]
    Which services raced, in which order, what exactly was read too early, and in which markets.

What is modelled here [H, a hypothesis to explore and not the cause]
    H1, read before ready: a restarted market-data writer runs two tasks, a loader and a tick loop, and the tick loop
    publishes before the loader is done. The window is a real one: the old writer stops and saves its state, rows are
    copied to the new database one by one, routing switches, the services start again. No step says "fail"; whether it
    does depends on the order in which the services run.

        operator:        told(writer-1) ; copy ; switch ; start(writer-2, committer, liquidator)
        | writer-2.ticks:  r(state[XRP]) -> missing, read as 0 ; w(published[XRP], index 0)     # class default
        committer:       r(published) ; w(chain, index 0) ; w(cloud, index 0)                   # ready_before_write
        liquidator:      r(chain) ; liquidate(XRP-short-1)                                      # no_false_liquidation
        writer-2.loader:   r(database[XRP]) ; ready                                             # too late

What else goes wrong, each in its class
    A mark price without its fair basis is `corrupt`, and so is an index that is integrated on from a wrong 0 (the tick
    loop read the missing state, then the loader stored the right one, then the tick loop stored its own over it). The
    copied values are published as they were copied: committed before the first round they are `stale`. A committer
    that reads between the writer's two writes commits a `torn` batch.

What closes what (expected verdicts, held by the tests)
    `require_ready` or `presence_required`: no `default` and no `corrupt` value on chain, no false liquidation.
    `age_guard`: nothing `stale`. `atomic_batch`: nothing `torn`. All three together: nothing at all.
    `delta_guard` with `keep_last_good`: no false liquidation; the kept values grow old.
    Not: `age_guard` alone (the wrong index has a fresh time), or `ready` set when the process starts.

Controls, silent: a clean upgrade, a market that truly falls by 16%, a new market whose index is 0, a true negative
price, a halt of 8 h with fresh values after it, a 0 that is only displayed.

Illustrative numbers: the funding accrued before the recording (10% of the price), the fair basis (20 bps), the
accounts (10 times leverage, 5% maintenance margin), the XRP funding rates in the other markets, and a window of 60 s,
because the recording has 100 rows and a row is a tick of 5 s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import racewindow
from racewindow_faults.network import Delay, Reset
from racewindow_faults.process import Crash, Pause, Restart, Stall
from racewindow_faults.storage import StaleRead
from racewindow_models.checkers_accounts import conservation, no_false_liquidation
from racewindow_models.checkers_chain import (
    bounded_delta,
    no_mixed_generations,
    no_unknown_age,
    ready_before_write,
    sinks_agree,
)
from racewindow_models.exchange import Exchange
from racewindow_models.expected import Expected
from racewindow_models.feed import load
from racewindow_models.narrate import narrate
from racewindow_models.runbook import Step, carry_out
from racewindow_models.safeguards import Safeguards, declared
from racewindow_models.showing import WINDOW
from racewindow_models.window import prepare
from racewindow_models.writer import MarketDataWriter

EXPECTED = Expected(
    ident="S-PDX-1",
    violates=(
        "no_false_liquidation",
        "ready_before_write",
        "no_unknown_age",
        "bounded_delta",
        "no_mixed_generations",
    ),
    closed_by=(
        ("require_ready", "age_guard", "atomic_batch"),
        ("presence_required", "age_guard", "atomic_batch"),
        ("age_guard", "atomic_batch", "delta_guard"),
    ),
    not_closed_by=(("age_guard", "atomic_batch", "keep_last_good"),),
    closes_only={
        ("require_ready",): ("no_false_liquidation", "ready_before_write", "bounded_delta"),
        ("presence_required",): ("no_false_liquidation", "ready_before_write", "bounded_delta"),
        ("delta_guard", "keep_last_good"): ("no_false_liquidation", "ready_before_write", "bounded_delta"),
        ("age_guard",): ("no_unknown_age",),
        ("atomic_batch",): ("no_mixed_generations",),
    },
    constraints=2,
)
PARADEX = declared("require_ready", "presence_required", "age_guard", "atomic_batch", "delta_guard", "keep_last_good")
"""The safeguards that can make a difference here."""
CHECKS = (
    no_false_liquidation,
    ready_before_write,
    no_unknown_age,
    bounded_delta,
    no_mixed_generations,
    sinks_agree,
    conservation,
)
"""The gravest first."""


@racewindow.scenario(
    safeguards=PARADEX,
    checks=CHECKS,
    faults=(
        Crash(target="committer"),
        Restart(target="writer-2*"),
        Pause(target="writer-2*"),
        Stall(target="committer"),
        Delay(),
        Reset(),
        StaleRead(),
    ),
    feed=load,
    narrate=narrate,
    display=WINDOW,
    incident="2026-01-19, Paradex",
)
async def paradex(
    sim: racewindow.Simulation,
    *,
    markets: int = 2,
    accounts: int = 2,
    ticks: int = 2,
    batches: int = 2,
    tick_seconds: int = 5,
    window_seconds: int = 60,
    max_age_seconds: int = 15,
    opening_index_percent: int = 10,
    basis_bps: int = 20,
    cross: int = 0,
    page: bool = False,
) -> None:
    """A restarted market-data writer publishes before its state is loaded, in a maintenance window.

    markets: number of markets. accounts: accounts in each market, by turns long and short. ticks: rounds of the writer
    after its restart. batches: rounds of the committer and the liquidator after theirs. tick_seconds: time between two
    rounds, one row of the feed each. window_seconds: from the stop of the services to their restart. max_age_seconds:
    the oldest that a value may be when it is used. opening_index_percent: funding accrued before the recording, in
    percent of the first price. basis_bps: the fair basis. cross: accounts with cross margin, which
    are long in one market and short in the next behind one collateral. page: a web page is served from the new database
    before its rows are there, and shows what it does not find as 0.
    """
    run_window(
        sim,
        {
            "markets": markets,
            "accounts": accounts,
            "ticks": ticks,
            "batches": batches,
            "tick_seconds": tick_seconds,
            "window_seconds": window_seconds,
            "max_age_seconds": max_age_seconds,
            "opening_index_percent": opening_index_percent,
            "basis_bps": basis_bps,
            "cross": cross,
        },
        page=page,
    )


def run_window(
    sim: racewindow.Simulation,
    params: Mapping[str, Any],
    make_writer: type[MarketDataWriter] = MarketDataWriter,
    make_exchange: type[Exchange] = Exchange,
    *,
    page: bool = False,
) -> None:
    """Put the services together and begin the window; `make_writer` makes both instances of the writer.

    Stop the writer and wait until it has gone, copy the rows, let the window pass, switch routing, start the services
    again, reopen. Nothing in this runbook waits for a service to be ready. Committer and liquidator were down as well:
    the exchange makes no blocks during the window.
    """
    exchange = make_exchange(sim, prepare(sim.feed, params), Safeguards.of(sim, PARADEX), make_writer)
    exchange.start_old_writer()
    steps = (
        Step("stop the writer", exchange.stop_old_writer),
        *exchange.page_steps(page=page),
        Step("copy the rows", exchange.copy_rows),
        Step("let the window pass", exchange.let_the_window_pass),
        Step("switch routing", exchange.switch_routing),
        Step("start the services", exchange.start_services),
    )
    sim.spawn(carry_out, steps, name="operator")
