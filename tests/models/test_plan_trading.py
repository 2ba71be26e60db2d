"""A plan can have an order book: who comes back to it makes the prices, as in the scenario of the second wave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from racewindow import History, Verdict, checker, explore
from racewindow.plans import load_plan
from racewindow_models.scenarios.paradex_second_wave import paradex_second_wave
from tests.models.planned import SAFE, explored, scenario_of, step

PLAN = Path(__file__).resolve().parents[2] / "examples" / "plans" / "paradex_second_wave.toml"
HALTED = 'mode_at_start = "halted"'
BOOK = '[book]\nrounds = 1\nmakers_back = "6 s"\n'
LET_IN = step("let in", 'do = "bring back"', 'not_before = "10 s"')
OPEN = step("open", 'do = "mode"\nmode = "open"', 'not_before = "11 s"')
DEFAULT = frozenset({"no_false_liquidation", "liquidation_last"})


@pytest.mark.slow
def test_with_the_announced_band_as_many_orders_of_the_plan_fail_as_of_the_scenario() -> None:
    options = {"strategy": "dpor", "all_failures": True, "shrink": False, "safeguards": "post_only_band"}
    plan = explore(load_plan(str(PLAN)).scenario, **options)  # type: ignore[arg-type]
    scenario = explore(paradex_second_wave, params={"markets": 1}, **options)  # type: ignore[arg-type]

    counts = [{each.checker: each.count for each in result.failures} for result in (plan, scenario)]
    assert plan.complete and scenario.complete
    assert {name: counts[0][name] for name in DEFAULT} == counts[1]


def test_whoever_waits_for_markets_that_never_open_does_not_keep_the_window_from_its_end(tmp_path: Path) -> None:
    seen = explored(scenario_of(tmp_path, [LET_IN], SAFE + BOOK, top=HALTED))

    assert seen.groups == set()
    assert not any(e.data["answer"].trades for events in seen.executions for e in events if e.kind == "book.answered")


def test_whoever_was_let_in_is_sent_away_when_the_runbook_is_rolled_back(tmp_path: Path) -> None:
    """Market makers would be back six seconds later."""
    tables = f'{SAFE}{BOOK}[cut_off]\nthen = "roll back"\n'
    steps = [LET_IN, step("look", 'do = "wait"')]
    scenario = scenario_of(tmp_path, steps, tables, top='mode_at_start = "open"')
    quoted: dict[bool, set[str]] = {True: set(), False: set()}

    @checker("seen")
    def seen(history: History) -> Verdict:
        was_cut = any(event.kind == "runbook.cut" for event in history.events)
        quoted[was_cut] |= {e.data["order"].owner for e in history.events if e.kind == "book.answered"}
        return Verdict.holds()

    explore(replace(scenario, checks=(seen,)), strategy="random", schedules=20)
    assert "maker-XRP" in quoted[False]
    assert "maker-XRP" not in quoted[True]


def test_a_book_in_which_nobody_bids_far_below_harms_nobody(tmp_path: Path) -> None:
    tables = BOOK + 'depth = "1 %"\n[checks]\nno_false_liquidation = true\nsinks_agree = true\nconservation = true\n'
    seen = explored(scenario_of(tmp_path, [LET_IN, OPEN], tables, top=HALTED))

    assert seen.groups == set()
    assert seen.all("book.answered", "market") == {"XRP"}


def test_whoever_has_traded_is_as_before_when_the_chain_goes_back(tmp_path: Path) -> None:
    """By the state root, of which accounts are a part."""
    back = step("back", 'do = "restore"\nparts = ["chain", "cloud"]', 'not_before = "60 s"')
    tables = BOOK + "[checks]\nrollback_complete = true\nsinks_agree = true\nconservation = true\n"
    seen = explored(scenario_of(tmp_path, [LET_IN, OPEN, back], tables, top=HALTED))

    assert seen.groups == set()
    assert any(e.data["answer"].trades for events in seen.executions for e in events if e.kind == "book.answered")


def test_marks_of_a_writer_that_is_let_in_after_a_rollback_belong_to_what_comes_after_it(tmp_path: Path) -> None:
    """The committer of before has made a block; it is gone, and so is its row in the cloud."""
    stop = step("stop", 'do = "stop"\ninstances = ["writer-1", "committer"]', 'not_before = "12 s"')
    back = step("back", 'do = "restore"\nparts = ["chain", "cloud"]')
    tables = BOOK + "[checks]\nrollback_complete = true\nsinks_agree = true\n"
    services = 'committer.at_start = "working"\nwriter.saves = "all along"'
    let_in = LET_IN.replace("10 s", "15 s")
    scenario = scenario_of(tmp_path, [stop, back, let_in], tables, top=HALTED, services=services, writer="working")
    seen = explored(scenario)

    assert seen.groups == set()
    assert seen.all("chain.block", "made_in") == {0, 1}
