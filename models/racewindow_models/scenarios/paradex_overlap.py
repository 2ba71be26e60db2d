"""Paradex, 2026-01-19, hypothesis H2: the old and the new instance of the writer overlap during the scale-up.

What happened, and what is not known: see `racewindow_models.scenarios.paradex`.

What is modelled here [H, a hypothesis to explore and not the cause]
    H2, old and new instance overlap: the scale-up starts a new market-data writer while the old one still writes. The
    old one is overloaded, which is why there is a scale-up: it has computed a round and written its first market, and
    takes a whole round for the second. When that is about to be written, the rows are copied, routing switches, the
    new instance writes its own round, and then the old write arrives.

        writer-1.ticks:  r(oracle) ; w(published[XRP], g=11) ; the write of ETH takes 5 s
        | operator:      copy ; switch ; start(writer-2) ; only later stop(writer-1)
        writer-2.ticks:  w(published[XRP], g=12) ; w(published[ETH], g=12)
        | writer-1:      w(published[ETH], g=11)                                  # class regressed
        committer:       commit batch(XRP: g=12, ETH: g=11)                       # class torn

    The new instance waits for its state to be loaded, and the rows are copied in one transaction: H1 and H3 are closed
    here, whatever is switched on.

What closes what (expected verdicts, held by the tests)
    The regression: `full_downtime`, or `fencing` checked in the store, or `cas_write`. The torn batch needs
    `atomic_batch` as well, because the committer can also read between the new writer's two writes; and
    `atomic_batch` alone leaves the regression. A `lease` that is checked in a step before the write closes nothing.
    Under a fault that delays the old writer's message, `full_downtime` needs `drain_writes`.

Illustrative numbers: a window of 60 s, a round of 5 s, and 5 s for the second write of an overloaded instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio

import racewindow
from racewindow_faults.network import Delay
from racewindow_faults.process import Overlap
from racewindow_models.checkers_chain import no_mixed_generations, sinks_agree
from racewindow_models.checkers_sinks import generation_monotonic, no_overlap
from racewindow_models.exchange import Exchange
from racewindow_models.expected import Expected
from racewindow_models.feed import load
from racewindow_models.narrate import narrate_writes
from racewindow_models.runbook import Step, carry_out
from racewindow_models.safeguards import Safeguards, declared
from racewindow_models.showing import WINDOW
from racewindow_models.units import to_trio_seconds
from racewindow_models.window import prepare
from racewindow_models.writer import MarketDataWriter

EXPECTED = Expected(
    ident="S-PDX-2",
    violates=("generation_monotonic", "no_mixed_generations"),
    closed_by=(("full_downtime", "atomic_batch"), ("fencing", "atomic_batch"), ("cas_write", "atomic_batch")),
    not_closed_by=(("lease", "drain_writes", "atomic_batch"),),
    closes_only={
        ("full_downtime",): ("generation_monotonic",),
        ("fencing",): ("generation_monotonic",),
        ("cas_write",): ("generation_monotonic",),
        ("atomic_batch",): ("no_mixed_generations",),
    },
    constraints=2,
)
OVERLAP = declared("full_downtime", "drain_writes", "fencing", "lease", "cas_write", "atomic_batch")


@racewindow.scenario(
    safeguards=OVERLAP,
    checks=(generation_monotonic, no_mixed_generations, sinks_agree, no_overlap),
    faults=(Delay(target="writer-1*", seconds=10), Overlap(seconds=10)),
    feed=load,
    narrate=narrate_writes,
    display=WINDOW,
    incident="2026-01-19, Paradex",
)
async def paradex_overlap(
    sim: racewindow.Simulation,
    *,
    markets: int = 2,
    tick_seconds: int = 5,
    window_seconds: int = 60,
    opening_index_percent: int = 10,
    page: bool = False,
) -> None:
    """In a scale-up the new market-data writer starts while the old one still has a write to make.

    markets: number of markets. tick_seconds: time between two rounds, and how long a write takes. window_seconds: when
    the new writer starts. opening_index_percent: funding accrued before the recording, in percent of the first price.
    page: a web page is served from the new database before its rows are there, and shows what it does not find as 0.
    """
    sizes = {
        "markets": markets,
        "tick_seconds": tick_seconds,
        "window_seconds": window_seconds,
        "opening_index_percent": opening_index_percent,
    }
    run_overlap(sim, sizes, page=page)


def run_overlap(
    sim: racewindow.Simulation,
    params: Mapping[str, Any],
    make_writer: type[MarketDataWriter] = MarketDataWriter,
    *,
    page: bool = False,
) -> None:
    """Put the services together and begin the scale-up; `make_writer` makes both instances of the writer."""
    sizes = {**params, "ticks": 1, "batches": 1}
    safeguards = Safeguards.of(sim, OVERLAP, require_ready=True)
    exchange = Exchange(sim, prepare(sim.feed, sizes), safeguards, make_writer, with_states=True)

    async def start_new_writer() -> None:
        exchange.start_new_writer()

    async def wait_for_validation() -> None:
        await trio.sleep_until(to_trio_seconds(exchange.settings.round_ns(1)))

    stop = Step("stop the old writer", exchange.stop_old_writer)
    drain = Step("wait for writes in flight", exchange.drain_writes)
    steps = [
        Step("let the time come", exchange.let_the_window_pass),
        *([stop] if safeguards.full_downtime else []),
        *([drain] if safeguards.drain_writes else []),
        *exchange.page_steps(page=page),
        Step("copy the rows", exchange.copy_rows_at_once),
        Step("switch routing", exchange.switch_routing),
        Step("start the new writer", start_new_writer),
        *([] if safeguards.full_downtime else [Step("see that the new writer works", wait_for_validation), stop]),
    ]
    exchange.start_running_writer()
    exchange.start_committer(waits=True)
    sim.spawn(carry_out, steps, name="operator")
