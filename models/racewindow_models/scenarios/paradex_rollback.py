"""Paradex, 2026-01-19, hypothesis H6: the rollback of the chain is incomplete.

What happened [C, confirmed by the operator or a primary document]
    The chain was rolled back to block 1604710, the last state before the maintenance. Portfolio pages kept showing
    inconsistent history; a correction was announced for 2026-01-26.

What is modelled here [H, a hypothesis to explore and not the cause]
    H6, incomplete rollback: the chain is restored to the snapshot, the cloud store and the queue of the committer are
    not. The execution begins after the bad batch has reached both sinks and accounts have been liquidated by it, with
    another one queued, which is how H1 and H3 end. The operator sees by the *state root*, a hash over all values and
    accounts, that the state is that of the snapshot; a batch that is committed after that brings another root.

        operator:    rollback(chain, snapshot)
        | committer: pop(queue) -> the bad batch ; w(chain)           # re-applied: rollback_complete
        reader:      r(cloud) -> index 0 while the chain is restored  # rollback_complete, sinks_agree

What closes what (expected verdicts, held by the tests)
    `outbox` and `fencing` together: the cloud store is fed from the chain's log, and the chain refuses what was made
    in an older epoch. Neither alone.
"""

from __future__ import annotations

from dataclasses import replace

import racewindow
from racewindow import Supervisor
from racewindow_faults.process import Crash, Restart
from racewindow_models.checkers_sinks import rollback_complete, sinks_agree_when_read
from racewindow_models.expected import Expected
from racewindow_models.feed import load
from racewindow_models.narrate import narrate
from racewindow_models.rollback import Sinks
from racewindow_models.runbook import Step, carry_out
from racewindow_models.safeguards import Safeguards, declared
from racewindow_models.showing import WINDOW
from racewindow_models.units import FundingIndexE8
from racewindow_models.values import UNWRITTEN, Batch
from racewindow_models.window import prepare

EXPECTED = Expected(
    ident="S-PDX-6",
    violates=("rollback_complete", "sinks_agree"),
    closed_by=(("outbox", "fencing"),),
    not_closed_by=(("fencing",),),
    closes_only={("outbox",): ("sinks_agree",)},
    constraints=1,
)
ROLLBACK = declared("outbox", "fencing")


@racewindow.scenario(
    safeguards=ROLLBACK,
    checks=(rollback_complete, sinks_agree_when_read),
    faults=(Crash(target="committer"), Restart(target="committer")),
    feed=load,
    narrate=narrate,
    display=WINDOW,
    incident="2026-01-19, Paradex",
)
async def paradex_rollback(
    sim: racewindow.Simulation, *, markets: int = 2, queued: int = 1, opening_index_percent: int = 10
) -> None:
    """The chain is rolled back while a bad batch is still queued, and the cloud store keeps what it holds.

    markets: number of markets. queued: bad batches on their way when the rollback begins.
    opening_index_percent: funding accrued before the recording, in percent of the first price.
    """
    if queued < 1:
        raise racewindow.UsageError(f"the parameter 'queued' cannot be {queued}.", why="it has to be at least 1.")
    window = prepare(sim.feed, {"markets": markets, "opening_index_percent": opening_index_percent})
    sinks = Sinks(
        sim,
        good=window.block,
        bad=[_zeroed(window.block.batch)] * (1 + queued),
        accounts=window.accounts,
        truth=window.truth,
        max_age_ns=window.settings.max_age_ns,
        safeguards=Safeguards.of(sim, ROLLBACK),
    )
    Supervisor(sim.spawn).start(sinks.commit_queued, "committer")
    steps = [
        Step("roll the chain back", sinks.roll_back),
        Step("see that it is complete", sinks.read_after_the_rollback),
    ]
    sim.spawn(carry_out, steps, name="operator")


def _zeroed(batch: Batch) -> Batch:
    """The values as H1 leaves them: funding indices that were never written."""
    return tuple(replace(each, funding_index_e8=FundingIndexE8(0), provenance=UNWRITTEN) for each in batch)
