"""The whole day: how it goes wrong one step after the other, what the audit says, what a fault adds, what is silent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import racewindow
from racewindow import Execution, Failure, FaultPlan, Result, Schedule
from racewindow_faults.process import Stall
from racewindow_models.refunds import refund_report
from racewindow_models.scenarios.paradex_day import EXPECTED, paradex_day


def explored(*safeguards: str, **options: Any) -> Result:
    given = {"shrink": False, "explain": False, "all_failures": True, **options}
    return racewindow.explore(paradex_day, safeguards=safeguards, **given)


def default_order(*safeguards: str, **options: Any) -> Execution:
    schedule = Schedule(fingerprint=paradex_day.fingerprint, safeguards=safeguards, **options)
    return racewindow.replay(paradex_day, schedule)


@pytest.fixture(scope="module")
def found() -> list[Failure]:
    """All that 300 executions without safeguards find."""
    return list(explored(schedules=300).failures)


def test_every_checker_of_the_catalogue_fails_and_no_money_is_made(found: list[Failure]) -> None:
    assert {failure.checker for failure in found} == set(EXPECTED.violates), "conservation is not among them"


def test_one_execution_goes_all_the_way_to_the_refunds(found: list[Failure]) -> None:
    second_wave = next(each for each in found if each.checker == "liquidation_last")
    execution = racewindow.replay(paradex_day, second_wave.schedule)
    told = [event for event in execution.events if event.kind in DAY_OF]
    assert [event.kind for event in told] == list(DAY_OF)
    first, second = (event.data["account"] for event in told if event.kind == "account.liquidated")
    assert (first.name, second.name) == ("XRP-short-1", "XRP-long-1")
    assert next(event for event in told if event.kind == "book.cancelled").data["count"] == 2

    lines = refund_report(execution.events).splitlines()
    assert lines[0] == "XRP-short-1: liquidated at 1.18138 at 70 s; owed 0.00 USDT: the rollback has undone it"
    assert lines[1].startswith("holder: stop-loss sold at 0.90123087 at 120 s; owed 184.51 USDT: ")
    assert lines[2].startswith("XRP-long-1: liquidated at ")
    assert lines[3].endswith("to 2 of 3 accounts")


DAY_OF = (
    "account.liquidated",
    "chain.rolled_back",
    "book.cancelled",
    "cloud.read",
    "account.liquidated",
    "refund.decided",
    "refund.decided",
    "refund.decided",
)
"""What a day with a second wave consists of."""


@pytest.mark.slow
def test_fencing_and_outbox_make_the_rollback_complete() -> None:
    failing = {failure.checker for failure in explored("fencing", "outbox", schedules=200).failures}
    assert failing == set(EXPECTED.violates) - {"rollback_complete", "sinks_agree"}


@pytest.mark.slow
def test_with_the_zero_kept_out_the_way_back_still_needs_what_closes_it() -> None:
    first = {"all_failures": False}
    assert explored("delta_guard", "outbox", "fencing", "liquidation_grace", schedules=150).verdict == "nothing found"
    assert explored("delta_guard", "outbox", "fencing", **first).failures
    assert explored("delta_guard", "fencing", "liquidation_grace", **first).failures


def test_a_writer_that_is_held_up_while_it_saves_needs_full_downtime() -> None:
    stall = FaultPlan((Stall(target="writer-1*"),), budget=1)
    assert explored("require_ready", faults=stall, strategy="dpor", schedules=40).failures
    waited = explored("require_ready", "full_downtime", faults=stall, strategy="dpor")
    assert (waited.verdict, waited.complete) == ("complete", True)


# --- controls ---------------------------------------------------------------------------------------------------------


def test_a_clean_upgrade_is_silent_and_needs_no_way_back() -> None:
    execution = default_order()
    kinds = {event.kind for event in execution.events}
    assert (execution.outcome, execution.failures, execution.unknown) == ("ok", (), ())
    assert not kinds & {"chain.rolled_back", "refund.decided", "account.liquidated"}
    assert [e.data["mode"].value for e in execution.events if e.kind == "mode.changed"] == ["halted", "open"]


@pytest.fixture
def fall(tmp_path: Path) -> str:
    """A market that truly falls by 16% in the window."""
    file = tmp_path / "BTC.csv"
    prices = [100.0] * 6 + [84.0] * 40
    file.write_text("time,close\n" + "".join(f"{n * 3600},{price}\n" for n, price in enumerate(prices)))
    return str(file)


@pytest.mark.parametrize("safeguards", [(), *EXPECTED.closed_by])
def test_a_true_fall_and_a_new_market_are_silent_where_the_upgrade_is_clean(
    safeguards: tuple[str, ...], fall: str
) -> None:
    assert default_order(*safeguards, feed=fall).failures == ()
    assert default_order(*safeguards, params={"opening_index_percent": 0}).failures == ()


@pytest.mark.parametrize("safeguards", [("require_ready",), tuple(paradex_day.safeguards)])
def test_with_a_clean_restart_they_are_silent_in_every_order(safeguards: tuple[str, ...], fall: str) -> None:
    assert explored(*safeguards, strategy="dpor", feed=fall).verdict == "complete"
    new = explored(*safeguards, strategy="dpor", params={"opening_index_percent": 0})
    assert new.verdict == "complete"


def test_values_that_a_fall_has_made_old_are_rejected_and_the_way_back_has_its_own_dangers(fall: str) -> None:
    result = explored("presence_required", "independent_validation", feed=fall, schedules=60)
    assert {"rollback_complete", "sinks_agree"} <= {failure.checker for failure in result.failures}
    assert not {"validate_before_exit", "ready_before_write"} & {failure.checker for failure in result.failures}


@pytest.mark.parametrize("seconds", [60, 121])
def test_the_markets_cannot_reopen_before_the_day_has_gone_wrong(seconds: int) -> None:
    with pytest.raises(racewindow.UsageError, match="reopening_seconds"):
        explored(schedules=1, params={"reopening_seconds": seconds})
