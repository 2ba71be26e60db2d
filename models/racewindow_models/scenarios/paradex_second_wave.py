"""Paradex, 2026-01-19, hypothesis H5: a second wave of liquidations when the markets reopen.

What happened [C, confirmed by the operator or a primary document]
    After the rollback the markets reopened by way of cancel-only and post-only. All open orders had been cancelled but
    TP/SL. In the short post-only phase aggressive trades skewed prices and caused more liquidations, mostly in PAXG.
    $650,000 were refunded to 200 accounts. Since 2026-02-03 aggressive orders in a post-only market are rejected if
    they are more than 5 bps from the external fair price.

What is not known [?]
    What the aggressive trades were, whether TP/SL and liquidations ran in that phase, and which form of the mark price
    was live. That two of its three votes come from the venue's own book is the older documented form.

What is modelled here [H, a hypothesis to explore and not the cause]
    H5, second wave: the chain holds true values, the books are empty, and liquidation is on at once. Who comes back
    first is not fixed. A trader quotes both sides, the bid far below; a triggered stop-loss and an impatient seller
    take what there is; market makers come back later.

        operator:   mode = POST_ONLY
        | trader:   w(bids, -20%)                        # passive, so the general band accepts it
        tp-sl:      r(bids) ; sell at -20%               # last = -20%; the seller's order does it as well
        writer-3:   median(last -20%, mid -10%, others 0) -> sample -10% ; w(chain, mark)   # smoothed: two rounds
        | liquidator: r(chain) ; liquidate(XRP-long-1)   # no_false_liquidation, liquidation_last
        maker:      w(bids), w(asks)                     # too late

    The seller's gateway admits the order if it would rest in the book as it is (TOCTOU): by the time it gets there, the
    bid may be.

What closes what (expected verdicts, held by the tests)
    `external_mark_at_reopen`, or `liquidation_grace`, or `liquidation_after_fresh`: each closes it alone.
    `post_only_band` does not: it stops the seller, so that fewer orders of events fail (8 of 32 for 10 of 32 at the
    default size), and not the triggered stop-loss, which is exempt. With `banded_triggers` it is not, and the band
    closes it. A grace period that ends before the makers are back closes nothing: it is only a timer.

Controls: with `depth_percent=1` the same trades harm nobody; also after a true fall, of a new market, below zero.
After a true fall accounts have less to spare, and what the thin book has left in the smoothed mark price outlasts both
the default grace period and the bound on its age: there only `external_mark_at_reopen` closes it, or a grace of 60 s.

Illustrative numbers: the bid 20% below, the general band of 30% around the mark, TP/SL 10 bps from the price of the
halt, makers back after 13 s, a grace period of 30 s, and the accounts, funding and fair basis of `paradex`.
"""

from __future__ import annotations

import racewindow
from racewindow import Network, Supervisor
from racewindow_faults.network import Delay
from racewindow_faults.process import Pause, Stall
from racewindow_models.chain import Chain
from racewindow_models.checkers_accounts import no_false_liquidation
from racewindow_models.checkers_reopening import conservation_of_transfers, eventually_reopens, liquidation_last
from racewindow_models.expected import Expected
from racewindow_models.feed import load
from racewindow_models.narrate_market import narrate_reopening
from racewindow_models.oracle import SpotOracle
from racewindow_models.reopening import Reopening, Timing
from racewindow_models.runbook import Step, carry_out
from racewindow_models.safeguards import Safeguards, declared
from racewindow_models.showing import WINDOW
from racewindow_models.window import prepare
from racewindow_models.witness import Witness

SECOND_WAVE = declared("external_mark_at_reopen", "liquidation_grace", "liquidation_after_fresh", "post_only_band")

EXPECTED = Expected(
    ident="S-PDX-5",
    violates=("no_false_liquidation", "liquidation_last"),
    closed_by=(("external_mark_at_reopen",), ("liquidation_grace",), ("liquidation_after_fresh",)),
    not_closed_by=(("post_only_band",),),
    constraints=2,
)


@racewindow.scenario(
    safeguards=SECOND_WAVE,
    checks=(no_false_liquidation, liquidation_last, eventually_reopens, conservation_of_transfers),
    faults=(Delay(target="maker", seconds=30), Stall(target="maker"), Pause(target="liquidator")),
    feed=load,
    narrate=narrate_reopening,
    display=WINDOW,
    incident="2026-01-19, Paradex",
)
async def paradex_second_wave(
    sim: racewindow.Simulation,
    *,
    markets: int = 2,
    accounts: int = 2,
    rounds: int = 2,
    window_seconds: int = 60,
    depth_percent: int = 20,
    maker_seconds: int = 13,
    grace_seconds: int = 30,
    opening_index_percent: int = 10,
    banded_triggers: bool = False,
) -> None:
    """The markets reopen with empty books, and one far bid moves the mark price by which accounts are liquidated.

    markets: number of markets, of which the first has the thin book. accounts: accounts in each market, by turns long
    and short. rounds: rounds of liquidator and TP/SL. window_seconds: virtual time at which the markets reopen.
    depth_percent: how far below the fair price the bid rests, 0 to 29. maker_seconds: how long after the reopening
    market makers are back. grace_seconds: of liquidation_grace. opening_index_percent: funding accrued before the
    recording, in percent of the first price. banded_triggers: whether price bands restrict TP/SL orders too.
    """
    if not 0 <= depth_percent < 30:
        raise racewindow.UsageError(
            f"the parameter 'depth_percent' cannot be {depth_percent}.",
            why="it has to be at least 0, and below the general price band of 30.",
        )
    timing = Timing(
        at=window_seconds, maker=maker_seconds, post_only=45, grace=grace_seconds, depth_percent=depth_percent
    )
    sizes = {
        "markets": markets,
        "accounts": accounts,
        "ticks": rounds,
        "window_seconds": window_seconds,
        "opening_index_percent": opening_index_percent,
    }
    window, safeguards = prepare(sim.feed, sizes), Safeguards.of(sim, SECOND_WAVE)
    reopening = Reopening(
        sim,
        window,
        safeguards,
        timing,
        chain=Chain(window.block),
        network=Network(sim.spawn),
        oracle=SpotOracle(window.series, sim),
        witness=Witness(sim, window.truth, window.settings),
        banded_triggers=banded_triggers,
    )
    reopening.start(Supervisor(sim.spawn), rounds=rounds)
    steps = [
        Step("let the time come", reopening.let_the_time_come),
        Step("cancel-only", reopening.cancel_only),
        Step("post-only", reopening.post_only),
        Step("open", reopening.open_fully),
    ]
    sim.spawn(carry_out, steps, name="operator")
    sim.spawn(reopening.trade_in_the_thin_book, name="trader")
    sim.spawn(reopening.sell_aggressively, name="seller")
    sim.spawn(reopening.make_markets, name="maker")
