"""Paradex, 2026-01-19, hypothesis H3: routing switches before the copy of the database is complete.

What happened, and what is not known: see `racewindow_models.scenarios.paradex`.

What is modelled here [H, a hypothesis to explore and not the cause]
    H3, partial copy: a job copies the rows one by one, and the operator goes on when it has been started. A restarted
    market-data writer reads the new database, finds no row for some market, and counts what is missing as 0. That
    explains why it was some markets [I].

        copy-job:   copy(XRP)
        | operator: switch ; start(writer-2, committer, liquidator)
        writer-2:   r(db-new[ETH]) -> missing, read as 0 ; w(published[ETH], index 0)           # class default
        committer:  commit {XRP: ok, ETH: 0}                                                    # ready_before_write
        copy-job:   copy(ETH)                                                                   # too late

    The first block after the restart is made in the next round, when the copy has long been complete. The new instance
    waits until its loader has read every row: H1 is closed here, whatever is switched on. It cannot
    help, because the loader has read what there was.

    With `replica` the copy is complete before routing switches, and what is late is the replica that the writer reads.

What closes what (expected verdicts, held by the tests; the same with and without `replica`)
    `presence_required`, or `copy_complete`: each closes it alone. Not `generation_check`: the 0 carries the newest
    generation.
"""

from __future__ import annotations

import racewindow
from racewindow_faults.network import Delay
from racewindow_faults.storage import StaleRead
from racewindow_models.checkers_accounts import conservation, no_false_liquidation
from racewindow_models.checkers_chain import bounded_delta, ready_before_write
from racewindow_models.exchange import Exchange
from racewindow_models.expected import Expected
from racewindow_models.feed import load
from racewindow_models.narrate import narrate
from racewindow_models.runbook import Step, carry_out
from racewindow_models.safeguards import Safeguards, declared
from racewindow_models.showing import WINDOW
from racewindow_models.window import prepare

EXPECTED = Expected(
    ident="S-PDX-3",
    violates=("no_false_liquidation", "ready_before_write", "bounded_delta"),
    closed_by=(("presence_required",), ("copy_complete",)),
    not_closed_by=(("generation_check",),),
    constraints=1,
)
PARTIAL_COPY = declared("presence_required", "copy_complete", "generation_check")


@racewindow.scenario(
    safeguards=PARTIAL_COPY,
    checks=(no_false_liquidation, ready_before_write, bounded_delta, conservation),
    faults=(StaleRead(), Delay(target="copy-job", seconds=10)),
    feed=load,
    narrate=narrate,
    display=WINDOW,
    incident="2026-01-19, Paradex",
)
async def paradex_partial_copy(
    sim: racewindow.Simulation,
    *,
    markets: int = 2,
    accounts: int = 2,
    ticks: int = 1,
    batches: int = 1,
    window_seconds: int = 60,
    opening_index_percent: int = 10,
    replica: bool = False,
    page: bool = False,
) -> None:
    """Routing switches to the new database while its rows are still being copied.

    markets: number of markets. accounts: accounts in each market, by turns long and short. ticks: rounds of the writer
    after its restart. batches: rounds of the committer and the liquidator, from the second round on.
    window_seconds: from the stop of the services to their restart. opening_index_percent: funding accrued before the
    recording, in percent of the first price. replica: the rows are copied at once, and the writer reads them from a
    replica of the new database that may lag. page: a web page is served from the new database before its rows are
    there, and shows what it does not find as 0.
    """
    sizes = {
        "markets": markets,
        "accounts": accounts,
        "ticks": ticks,
        "batches": batches,
        "window_seconds": window_seconds,
        "opening_index_percent": opening_index_percent,
    }
    safeguards = Safeguards.of(sim, PARTIAL_COPY, require_ready=True, atomic_batch=True)
    exchange = Exchange(sim, prepare(sim.feed, sizes), safeguards)

    read_from = exchange.start_replica() if replica else exchange.target

    async def begin_the_copy() -> None:
        if replica:
            await exchange.copy_rows_at_once()
        else:
            sim.spawn(exchange.copy_rows, name="copy-job")

    async def compare_the_rows() -> None:
        await racewindow.until(lambda: read_from.holds(exchange.markets))

    async def start_the_services() -> None:
        await exchange.start_services(first_block=1)

    exchange.start_old_writer()
    steps = [
        Step("stop the writer", exchange.stop_old_writer),
        Step("let the window pass", exchange.let_the_window_pass),
        *exchange.page_steps(page=page),
        Step("begin to copy the rows", begin_the_copy),
        *([Step("compare the rows", compare_the_rows)] if safeguards.copy_complete else []),
        Step("switch routing", exchange.switch_routing),
        Step("start the services", start_the_services),
    ]
    sim.spawn(carry_out, steps, name="operator")
