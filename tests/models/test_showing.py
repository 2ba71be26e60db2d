"""What reports show of the models: values against ground truth, and what it cost whom, as the checkers see it."""

from __future__ import annotations

import pytest

import racewindow
from racewindow.display import Shown, shown_of
from racewindow.target import resolve
from racewindow_models.scenarios.paradex import paradex

E8 = 10**8
SHOWN = {
    "paradex": True,
    "paradex-common-mode": True,
    "paradex-day": True,
    "paradex-overlap": True,
    "paradex-partial-copy": True,
    "paradex-rollback": True,
    "paradex-second-wave": True,
    "paradex-wrong-oracle": True,
    "binance-own-book": True,
    "cme-failover": False,
    "compound-anchor": True,
    "dydx-settlement": True,
    "dydx-stale-oracle": True,
    "synthetix-min-sources": True,
    "venus-paused-feed": True,
}
"""Scenario -> whether some value is wrong in a failure of it; else what is decided by it is."""


@pytest.mark.parametrize("name", SHOWN)
def test_what_goes_wrong_shows_in_a_chart(name: str) -> None:
    scenario, _ = resolve(name)
    found = racewindow.explore(
        scenario, strategy="random", schedules=40, all_failures=True, shrink=False, explain=False
    ).failures
    shown = [shown_of(scenario.display, failure.events) for failure in found]

    assert [each.problems for each in shown] == [()] * len(shown)
    assert shown
    assert all(each.charts for each in shown)
    assert any(chart.is_wrong for each in shown for chart in each.charts) is SHOWN[name]


@pytest.fixture(scope="module")
def liquidation() -> tuple[racewindow.Failure, Shown]:
    found = racewindow.explore(
        paradex, strategy="random", schedules=20, all_failures=True, shrink=False, explain=False
    ).failures
    failure = next(each for each in found if each.group == ("violation", "no_false_liquidation", "default"))
    return failure, shown_of(paradex.display, failure.events)


def test_the_chart_has_the_block_that_went_wrong(liquidation: tuple[racewindow.Failure, Shown]) -> None:
    failure, shown = liquidation
    market = str(failure.subject).partition("-")[0]
    chart = next(each for each in shown.charts if each.title == f"{market} funding index")
    truth, chain = chart.series
    wrong = next(point for point in chain.points if point.wrong)

    assert (truth.truth, chain.truth) == (True, False)
    assert (wrong.value, wrong.note) == (0, f"block {failure.evidence['block']} (default)")
    assert chart.exact(truth.points[-1].value or 0) > 0
    assert {mark.text for mark in chart.marks} == {"maintenance starts", "the services start"}


def test_what_a_liquidation_cost_is_what_the_checker_says(liquidation: tuple[racewindow.Failure, Shown]) -> None:
    failure, shown = liquidation
    hit = next(each for each in shown.consequences if each.who == failure.subject)
    evidence = failure.evidence

    assert hit.wrong
    assert hit.loss == (evidence["true_value_e8"] - max(evidence["judged_value_e8"], 0)) * 100 // E8
    assert (hit.unit, hit.decimals) == ("USDT", 2)


def test_where_nothing_fails_nothing_is_shown_as_wrong() -> None:
    closed = ("require_ready", "age_guard", "atomic_batch")
    execution = racewindow.replay(paradex, racewindow.Schedule(safeguards=closed))
    shown = shown_of(paradex.display, execution.events)

    assert execution.outcome == "ok"
    assert shown.charts
    assert not any(chart.is_wrong for chart in shown.charts)
    assert shown.consequences == ()
