"""Where the committer's guards stand: on the chain path only, or before the fan-out to both sinks."""

from __future__ import annotations

import pytest

import racewindow
from racewindow import History, Scenario
from racewindow_models.exchange import Exchange
from racewindow_models.feed import load
from racewindow_models.scenarios.paradex import CHECKS, PARADEX, paradex, run_window
from tests.models.seen import violated, watched_search

GUARDS = ("age_guard", "delta_guard")
SMALL = {"markets": 1, "ticks": 1, "batches": 1}


class GuardedChain(Exchange):
    """An exchange whose cloud store gets what the committer takes, past the guards."""

    guards_cloud = False


@racewindow.scenario(safeguards=PARADEX, checks=CHECKS, feed=load)
async def guarded_chain(sim: racewindow.Simulation, *, markets: int = 1, ticks: int = 1, batches: int = 1) -> None:
    """The window of `paradex`, with guards on the chain path only."""
    run_window(sim, {"markets": markets, "ticks": ticks, "batches": batches}, make_exchange=GuardedChain)


def zero_reaches(history: History) -> set[str]:
    """The sinks that a funding index of 0 reaches."""
    reached = set()
    for event in history.events:
        if event.kind in ("chain.block", "cloud.batch"):
            batch = event.data["block"].batch if event.kind == "chain.block" else event.data["batch"]
            reached |= {event.kind for values in batch if values.funding_index_e8 == 0}
    return reached


def search(scenario: Scenario, *safeguards: str) -> tuple[set[str | None], set[str]]:
    """The checkers that fail in some order, and the sinks that a 0 reaches in some order."""
    result, seen = watched_search(scenario, *safeguards, params=SMALL)
    return violated(result), set().union(*map(zero_reaches, seen))


@pytest.mark.parametrize("kept", [(), ("keep_last_good",)], ids=["refused", "kept"])
def test_behind_guards_on_the_chain_path_only_the_cloud_store_still_gets_the_zero(kept: tuple[str, ...]) -> None:
    assert search(guarded_chain, *GUARDS, *kept) == ({"sinks_agree"}, {"cloud.batch"})


def test_before_the_fan_out_the_same_guards_close_it() -> None:
    assert search(paradex, *GUARDS) == (set(), set())


def test_without_guards_it_makes_no_difference_where_they_would_stand() -> None:
    assert search(guarded_chain) == search(paradex)
    assert search(paradex)[1] == {"chain.block", "cloud.batch"}
