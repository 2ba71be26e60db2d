"""A price of 0 that is only displayed harms nobody: no checker of the window counts it."""

from __future__ import annotations

import pytest

import racewindow
from racewindow import History, Instance
from racewindow_models.exchange import Exchange
from racewindow_models.feed import load
from racewindow_models.runbook import Step, carry_out
from racewindow_models.safeguards import Safeguards
from racewindow_models.scenarios.paradex import CHECKS, EXPECTED, PARADEX
from racewindow_models.window import prepare
from tests.models.seen import judgements, watched_search

SHOWN = "display.shown"


@racewindow.scenario(safeguards=PARADEX, checks=CHECKS, feed=load)
async def displayed(sim: racewindow.Simulation, *, markets: int = 1, ticks: int = 1, batches: int = 1) -> None:
    """The window of `paradex`, with a web page that is already served from the new database while rows are copied.

    What it does not find it shows as 0, as code does that turns a missing number into 0.
    """
    params = {"markets": markets, "ticks": ticks, "batches": batches}
    exchange = Exchange(sim, prepare(sim.feed, params), Safeguards.of(sim, PARADEX))

    async def page(_process: Instance) -> None:
        (market,) = exchange.markets
        values = await exchange.network.call("db-new", exchange.target.read_values, market)
        sim.emit(SHOWN, market=market, price_e8=values.mark_price_e8)

    async def open_the_page() -> None:
        exchange.supervisor.start(page, "page")

    exchange.start_old_writer()
    steps = (
        Step("stop the writer", exchange.stop_old_writer),
        Step("open the page", open_the_page),
        Step("copy the rows", exchange.copy_rows),
        Step("let the window pass", exchange.let_the_window_pass),
        Step("switch routing", exchange.switch_routing),
        Step("start the services", exchange.start_services),
    )
    sim.spawn(carry_out, steps, name="operator")


def shows_zero(history: History) -> bool:
    return any(event.kind == SHOWN and event.data["price_e8"] == 0 for event in history.events)


@pytest.mark.parametrize("safeguards", EXPECTED.closed_by, ids="+".join)
def test_a_zero_on_the_display_alone_is_no_failure(safeguards: tuple[str, ...]) -> None:
    """It is shown in some orders and not in others, and nothing is wrong in any of them."""
    result, seen = watched_search(displayed, *safeguards)

    assert result.verdict == "complete"
    assert {shows_zero(history) for history in seen} == {True, False}


def test_without_safeguards_what_is_wrong_does_not_turn_on_what_is_displayed() -> None:
    """There are orders with a 0 on the display and without, and in both kinds some fail and some do not."""
    _, seen = watched_search(displayed)

    assert len({(shows_zero(each), "violated" in judgements(CHECKS, each).values()) for each in seen}) == 4
