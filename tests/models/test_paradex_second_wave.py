"""The second wave (H5): found, closed as the catalogue says, by how much the band reduces it, and what stays silent."""

from __future__ import annotations

import pytest

import racewindow
from racewindow import Result
from racewindow_models.narrate_market import narrate_reopening
from racewindow_models.scenarios.paradex_second_wave import EXPECTED, paradex_second_wave
from tests.models import seen


def searched(*safeguards: str, **params: object) -> Result:
    return seen.searched(paradex_second_wave, *safeguards, params=params)


def share_failing(result: Result) -> float:
    return result.failing / result.executions


def test_a_far_bid_in_a_thin_book_gets_solvent_accounts_liquidated() -> None:
    result = searched()
    assert {failure.checker for failure in result.failures} == set(EXPECTED.violates)
    assert {failure.subject for failure in result.failures} == {"XRP-long-1", "XRP"}


def test_the_band_reduces_what_fails_and_closes_it_only_where_it_restricts_what_was_triggered() -> None:
    without, with_band = searched(), searched("post_only_band")
    assert 0 < share_failing(with_band) < share_failing(without)
    assert {failure.checker for failure in with_band.failures} == set(EXPECTED.violates)
    assert searched("post_only_band", banded_triggers=True).verdict == "complete"
    assert searched(banded_triggers=True).failures, "a band of 30% around the mark lets a bid 20% off pass"


def test_the_report_with_the_band_on_says_what_it_does_not_restrict() -> None:
    failure = racewindow.explore(paradex_second_wave, safeguards=["post_only_band"], explain=False).failures[0]
    told = [narrate_reopening(event) for event in failure.events]
    assert any(line and "being exempt from the rule for takers and post_only_band" in line for line in told)


def test_a_grace_period_that_ends_before_the_makers_are_back_closes_nothing() -> None:
    result = racewindow.explore(
        paradex_second_wave,
        shrink=False,
        explain=False,
        safeguards=["liquidation_grace"],
        params={"grace_seconds": 5, "maker_seconds": 60},
    )
    assert result.verdict == "failure"


def test_the_same_trades_near_the_fair_price_harm_nobody() -> None:
    assert searched(depth_percent=1).verdict == "complete"


@pytest.mark.parametrize("percent", [-1, 30])
def test_a_bid_outside_the_general_band_is_refused_as_a_parameter(percent: int) -> None:
    with pytest.raises(racewindow.UsageError, match="depth_percent"):
        racewindow.explore(paradex_second_wave, params={"depth_percent": percent}, schedules=1)
