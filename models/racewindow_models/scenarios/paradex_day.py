"""Paradex, 2026-01-19: the whole day, from the last trade before the window to the refunds.

What happened [C, confirmed by the operator or a primary document; P, press only]
    Trading was halted for a planned 30-minute window [C]. About 04:30 UTC: last good block 1604710 [C, time P]. A race
    in a service restart let corrupt data reach the cloud store and the chain; funding indices of some markets went to
    zero; accounts were liquidated [C], most of them about 05:02 [P]. Access was disabled, open orders were cancelled
    except TP/SL, the chain was rolled back [C], from about 07:00 [P]. Markets reopened by cancel-only and post-only,
    where aggressive trades caused more liquidations [C]; full service at 12:10 [P]. $650,000 were refunded to 200
    accounts [C], mostly for the second wave [I, inferred: the rollback had undone the first]. Portfolio pages went on
    showing inconsistent history [C].

What is not known [?]
    Which services raced, in which order and in which markets; how many accounts were hit in the first wave; the exact
    times of the reopening; by which rules the refunds were computed.

What is modelled here [H, hypotheses to explore and not the cause]
    H1, H4, H6 and H5 one after the other. None is scripted: how far the day gets depends on the order of events.

        operator:        trade ; halt ; snapshot ; stop(writer-1) ; copy ; switch ; start(writer-2, committer, ...)
        | writer-2.ticks:  r(state) -> missing, read as 0 ; w(published, index 0)               # ready_before_write
        committer:       w(chain, index 0) ; w(cloud, index 0)
        validator:       r(chain) == r(cloud) -> passed ; operator: mode = OPEN                 # validate_before_exit
        liquidator:      liquidate(XRP-short-1)                                                 # no_false_liquidation
        operator:        sees it ; mode = HALTED ; rollback(chain and accounts, epoch + 1)
        | committer:       w(chain, the batch that it had taken before)                         # rollback_complete
        operator:        cancel orders ; stop services ; portfolio page shows index 0           # sinks_agree
        operator:        start(writer-3) from the snapshot ; validate ; cancel-only ; post-only
        | trader, tp-sl, seller, writer-3, liquidator: the second wave                          # liquidation_last
        operator:        open ; audit and refund

    Where the loader is done before the first tick, the window is a clean upgrade and nothing of the rest happens.
    The operator turns back if the validator rejects the block, if there is no block in time, or if an account has been
    liquidated and the values are implausible to whoever compares them with the state before and with other venues.

The audit
    It replays ground truth: an account that was solvent by it is owed the difference between what it would be worth
    had nobody touched it and what it has; a triggered order what it lost beyond 5 bps from the external fair price;
    what the rollback has undone, nothing. Each is an event `refund.decided`, and a line of the log.

Safeguards [C, announced afterwards]: restart procedures (`require_ready`, `full_downtime`), data validation
(`delta_guard`, `presence_required`, `independent_validation`), full-downtime windows, the band of 5 bps
(`post_only_band`); the others are those of H5 and H6.

What closes what (expected verdicts, held by the tests)
    `require_ready`; or `presence_required` with `independent_validation`; or `delta_guard` with `keep_last_good` and
    `independent_validation`: each proved on the recordings that come with the package. The last two let old values
    pass, and no wrong ones; where the market has moved by 5% meanwhile, the operator turns back.
    `delta_guard` keeps the 0 off the chain, but then there is no block, and the way back has dangers of its own: it
    takes `outbox`, one of `fencing` and `full_downtime`, and one of the three that close the second wave besides
    (proved, each of the six).
    Of the announced ones `full_downtime` and `post_only_band` close nothing of it alone. With a fault that holds the
    old writer up while it saves its state, `require_ready` needs `full_downtime`.

Controls: a clean upgrade, a market that truly falls by 16% in the window, a new market whose index is 0, a true
negative price, a halt of 8 h, a rollback that is complete, a 0 that is only displayed.

Illustrative numbers: those of `paradex` and `paradex-second-wave`; the markets reopen after 120 s of virtual time.
"""

from __future__ import annotations

from dataclasses import replace

import racewindow
from racewindow_faults.network import Delay
from racewindow_faults.process import Pause, Stall
from racewindow_models.checkers_accounts import no_false_liquidation
from racewindow_models.checkers_chain import ready_before_write
from racewindow_models.checkers_reopening import (
    conservation_of_transfers,
    eventually_reopens,
    liquidation_last,
    validate_before_exit,
)
from racewindow_models.checkers_sinks import rollback_complete, sinks_agree_when_read
from racewindow_models.day import Day
from racewindow_models.expected import Expected
from racewindow_models.feed import load
from racewindow_models.narrate_market import narrate_reopening
from racewindow_models.reopening import Timing
from racewindow_models.runbook import carry_out
from racewindow_models.safeguards import Safeguards, declared
from racewindow_models.showing import WINDOW
from racewindow_models.window import prepare

DAY = declared(
    "require_ready",
    "presence_required",
    "full_downtime",
    "delta_guard",
    "keep_last_good",
    "independent_validation",
    "fencing",
    "outbox",
    "external_mark_at_reopen",
    "liquidation_grace",
    "liquidation_after_fresh",
    "post_only_band",
)


"""Those that were announced, and those of the hypotheses that the day is made of."""

TICK_SECONDS = 5

EXPECTED = Expected(
    ident="S-PDX-DAY",
    violates=(
        "no_false_liquidation",
        "liquidation_last",
        "validate_before_exit",
        "ready_before_write",
        "rollback_complete",
        "sinks_agree",
    ),
    closed_by=(
        ("require_ready",),
        ("presence_required", "independent_validation"),
        ("delta_guard", "keep_last_good", "independent_validation"),
    ),
    not_closed_by=(
        ("full_downtime",),
        ("post_only_band",),
        ("presence_required",),
        ("independent_validation",),
        ("delta_guard", "keep_last_good"),
        ("fencing", "outbox"),
        ("external_mark_at_reopen", "liquidation_grace", "liquidation_after_fresh"),
    ),
    closes_only={
        ("fencing", "outbox"): ("rollback_complete", "sinks_agree"),
        ("external_mark_at_reopen",): ("liquidation_last",),
        ("independent_validation",): ("validate_before_exit",),
    },
    constraints=2,
)


@racewindow.scenario(
    safeguards=DAY,
    checks=(
        no_false_liquidation,
        liquidation_last,
        validate_before_exit,
        ready_before_write,
        rollback_complete,
        sinks_agree_when_read,
        eventually_reopens,
        conservation_of_transfers,
    ),
    faults=(Stall(target="writer-1*"), Delay(target="committer", seconds=10), Pause(target="liquidator")),
    feed=load,
    narrate=narrate_reopening,
    display=WINDOW,
    incident="2026-01-19, Paradex",
)
async def paradex_day(
    sim: racewindow.Simulation,
    *,
    markets: int = 1,
    accounts: int = 2,
    rounds: int = 2,
    window_seconds: int = 60,
    reopening_seconds: int = 120,
    depth_percent: int = 20,
    maker_seconds: int = 13,
    grace_seconds: int = 30,
    opening_index_percent: int = 10,
    basis_bps: int = 20,
    cross: int = 0,
    page: bool = False,
) -> None:
    """The whole day: a window, corrupt values, liquidations, rollback, reopening, second wave, and refunds.

    markets: number of markets, of which the first has the thin book. accounts: accounts in each market, by turns long
    and short. rounds: rounds of liquidator and TP/SL after the reopening. window_seconds: from the halt to the restart
    of the services. reopening_seconds: virtual time at which the markets reopen after a rollback. depth_percent: how
    far below the fair price the bid in the thin book rests, 0 to 29. maker_seconds: how long after that reopening
    market makers are back. grace_seconds: of liquidation_grace. opening_index_percent: funding accrued before the
    recording, in percent of the first price. basis_bps: the fair basis. cross: accounts with cross margin,
    which have a position in every market. page: a web page is served from the new
    database before its rows are there, and shows what it does not find as 0.
    """
    timing = Timing(
        at=reopening_seconds, maker=maker_seconds, post_only=45, grace=grace_seconds, depth_percent=depth_percent
    )
    if reopening_seconds < window_seconds + 30 or reopening_seconds % TICK_SECONDS:
        raise racewindow.UsageError(
            f"the parameter 'reopening_seconds' cannot be {reopening_seconds}.",
            why=f"it has to be a multiple of {TICK_SECONDS}, and 30 s or more after the window.",
        )
    sizes = {
        "markets": markets,
        "accounts": accounts,
        "window_seconds": window_seconds,
        "opening_index_percent": opening_index_percent,
        "basis_bps": basis_bps,
        "cross": cross,
    }
    # The accounts are to stay solvent until the liquidator's last round after the reopening.
    whole = prepare(sim.feed, sizes | {"ticks": (reopening_seconds - window_seconds) // TICK_SECONDS + rounds})
    window = replace(whole, settings=replace(whole.settings, ticks=2))
    day = Day(sim, window, Safeguards.of(sim, DAY, atomic_batch=True), timing, rounds=rounds)
    sim.spawn(carry_out, day.runbook(page=page), name="operator")
