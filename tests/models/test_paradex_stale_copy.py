"""A variant of hypothesis H3: a row is copied and then updated in the old database, so that the new one's is stale."""

from __future__ import annotations

import pytest
import trio

import racewindow
from racewindow import History
from racewindow_models.exchange import Exchange
from racewindow_models.feed import load
from racewindow_models.runbook import Step, carry_out
from racewindow_models.safeguards import Safeguards, declared
from racewindow_models.scenarios.paradex import CHECKS
from racewindow_models.units import TimeNs, to_trio_seconds
from racewindow_models.window import OLD_WRITER, prepare
from tests.models.seen import histories, searched, violated

STALE_COPY = declared("full_downtime", "copy_complete", "presence_required", "generation_check", "age_guard")
STALE = ("no_unknown_age", "stale")


@racewindow.scenario(safeguards=STALE_COPY, checks=CHECKS, feed=load)
async def stale_copy(sim: racewindow.Simulation, *, markets: int = 1, ticks: int = 1, batches: int = 1) -> None:
    """The old writer is in its last round, one tick before the services start, while the rows are copied."""
    sizes = {"markets": markets, "ticks": ticks, "batches": batches}
    safeguards = Safeguards.of(sim, STALE_COPY, require_ready=True, atomic_batch=True)
    exchange = Exchange(sim, prepare(sim.feed, sizes), safeguards, with_states=True)
    settings = exchange.settings

    async def wait_for_the_last_round() -> None:
        await trio.sleep_until(to_trio_seconds(TimeNs(settings.window_ns - settings.tick_ns)))

    async def see_the_writer_off() -> None:
        await racewindow.until(lambda: not exchange.supervisor[OLD_WRITER].is_up)

    async def compare_the_rows() -> None:
        await racewindow.until(lambda: exchange.target.holds(exchange.markets))

    async def run_the_last_round(process: racewindow.Instance) -> None:
        process.ready()
        await wait_for_the_last_round()
        writer = exchange.writer(OLD_WRITER, 1, exchange.window.states)
        await writer.run_ticks(exchange.routing, settings)

    exchange.supervisor.start(run_the_last_round, OLD_WRITER)
    steps = [
        Step("wait for the last round", wait_for_the_last_round),
        *([Step("see the old writer off", see_the_writer_off)] if safeguards.full_downtime else []),
        Step("copy the rows", exchange.copy_rows),
        *([Step("compare the rows", compare_the_rows)] if safeguards.copy_complete else []),
        Step("let the window pass", exchange.let_the_window_pass),
        Step("switch routing", exchange.switch_routing),
        Step("start the services", exchange.start_services),
    ]
    sim.spawn(carry_out, steps, name="operator")


def ages_committed(seen: list[History]) -> set[int]:
    """How old the values of the blocks are when they are committed, in seconds."""
    blocks = [event.data["block"] for history in seen for event in history.events if event.kind == "chain.block"]
    return {(block.time_ns - values.source_ts_ns) // 10**9 for block in blocks for values in block.batch}


def test_a_row_that_is_updated_after_it_was_copied_is_stale() -> None:
    """As old as the whole window, though the old database holds one of 5 s; only some orders do it."""
    failures = searched(stale_copy).failures

    assert {(each.checker, each.class_) for each in failures} == {STALE}
    assert ages_committed(histories(stale_copy)) == {0, 5, 60}


@pytest.mark.parametrize("on", [("copy_complete",), ("presence_required",), ("generation_check",)], ids="+".join)
def test_a_row_count_does_not_see_it(on: tuple[str, ...]) -> None:
    """The row is there, and of a generation that is newer than none."""
    assert violated(searched(stale_copy, *on)) == {"no_unknown_age"}


def test_a_writer_that_has_stopped_before_the_copy_closes_it() -> None:
    assert violated(searched(stale_copy, "full_downtime")) == set()
    assert ages_committed(histories(stale_copy, "full_downtime")) == {0, 5}


def test_what_judges_the_age_at_its_use_closes_it() -> None:
    assert violated(searched(stale_copy, "age_guard")) == set()
