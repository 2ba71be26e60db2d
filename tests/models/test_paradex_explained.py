"""The explanation of H1, read before ready: the pair that the scenario was built around, the order that closes it."""

from __future__ import annotations

from functools import cache

import pytest

import racewindow
from racewindow import Explanation, Failure
from racewindow.report import result_text
from racewindow.runtime.execution import Environment
from racewindow.session import Session
from racewindow.settings import make_settings
from racewindow.strategies.tolerant import TolerantPicker
from racewindow_models.scenarios.paradex import paradex

WIDTH, SCREEN = 80, 44
LOAD_BEFORE_TICKS = "writer-2.loader ends before writer-2.ticks starts"


def liquidation(seed: int) -> Failure:
    """A false liquidation by a value that was computed before the state was loaded."""
    result = racewindow.explore(paradex, strategy="random", seed=seed, all_failures=True, schedules=20)
    return next(each for each in result.failures if each.group == ("violation", "no_false_liquidation", "default"))


@cache
def told(seed: int) -> tuple[Failure, Explanation]:
    """One, and why it happens."""
    failure = liquidation(seed)
    return failure, racewindow.explain(paradex, failure)


SEEDS = pytest.mark.seeds(sample=1, all=10)


@pytest.mark.slow
@SEEDS
def test_the_pair_is_the_tick_that_reads_what_the_loader_has_not_loaded(seed: int) -> None:
    pair = told(seed)[1].pairs[0]

    assert pair.key.startswith("writer-2.states[")
    assert (pair.first.task, pair.first.mode, pair.first.value) == ("writer-2.ticks", "read", "nothing")
    assert (pair.second.task, pair.second.mode) == ("writer-2.loader", "write")
    assert pair.first.location.endswith("MarketDataWriter._recall")
    assert pair.second.location.endswith("MarketDataWriter.load")
    assert pair.reversed.failing == 0 < pair.kept.failing


@pytest.mark.slow
@SEEDS
def test_the_fix_is_the_end_of_the_load_before_the_first_tick(seed: int) -> None:
    fix = told(seed)[1].fixes[0]

    assert [str(each) for each in fix.constraints] == [LOAD_BEFORE_TICKS]
    assert fix.checked.proved
    assert {class_ for _, _, class_ in fix.checked.remaining} == {"stale", "torn"}


@pytest.mark.slow
@SEEDS
def test_the_safeguards_that_imply_it_are_those_of_the_scenario(seed: int) -> None:
    """`age_guard` and `atomic_batch` do not close it, nor does `keep_last_good` without `delta_guard`."""
    closing = {each.name: each.checked.proved for each in told(seed)[1].safeguards}

    assert closing == {"require_ready": True, "presence_required": True, "delta_guard": True}


@pytest.mark.slow
@SEEDS
def test_without_what_is_needed_it_does_not_fail_and_with_it_it_does(seed: int) -> None:
    failure, explanation = told(seed)
    deviations = failure.schedule.deviations
    with Environment(footprints=True):
        session = Session(make_settings(paradex))
        for dropped in (None, *deviations):
            ran = session.run(TolerantPicker([each for each in deviations if each is not dropped]))
            fails = failure.identity in {finding.identity for finding in ran.judged.findings}
            assert fails == (dropped is None or dropped.key not in explanation.needed_keys)


@pytest.mark.slow
def test_the_report_fits_one_screen_and_says_what_to_change() -> None:
    result = racewindow.explore(paradex, explain=True)
    text = result_text(result, files=[".racewindow/failures/paradex-no_false_liquidation-default-bf729f8a.json"])
    lines = text.splitlines()

    assert 24 <= len(lines) <= SCREEN
    assert max(map(len, lines)) <= WIDTH
    assert "  writer-2.ticks starts only after writer-2.loader has ended." in lines
    assert "  writer-2.ticks reads writer-2.states['XRP']: nothing" in lines
    assert any(line.startswith("    Proved: of all 128 orders with that none fails") for line in lines)
    assert any("require_ready" in line for line in lines)
    assert racewindow.explore(paradex, constraints=[LOAD_BEFORE_TICKS], strategy="dpor", all_failures=True).complete
