"""Explanations: the pair that a program was built around is the pair that is named, and what is claimed holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import racewindow
from racewindow import Cell, Explanation, Failure, explainer
from racewindow.report_explanation import checked_text
from racewindow.report_failure import failure_text
from racewindow.runtime.execution import Environment
from racewindow.schedule import Deviation
from racewindow.session import Session
from racewindow.settings import Target, make_settings
from racewindow.strategies.tolerant import TolerantPicker
from racewindow.survey import LOOK_AROUND, survey
from racewindow.target import resolve
from tests.harness.explained_programs import (
    PROGRAMS,
    Known,
    guarded,
    lost_update,
    read_before_ready,
    slow_overlap,
    torn,
)
from tests.harness.small_programs import SHARED, small_programs
from tests.strategies import Program, Run, as_function

pytestmark = pytest.mark.slow


def explained(main: Target, seed: int = 0) -> tuple[Failure, Explanation]:
    """A failure of a program and why it happens."""
    failure = racewindow.explore(main, strategy="random", seed=seed).failures[0]
    return failure, racewindow.explain(main, failure)


def fails_with(main: Target, failure: Failure, deviations: Sequence[Deviation]) -> bool:
    """Whether the same failure is there under these deviations."""
    with Environment(footprints=True):
        ran = Session(make_settings(main)).run(TolerantPicker(deviations))
    return failure.identity in {finding.identity for finding in ran.judged.findings}


# --- the pair --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("known", PROGRAMS, ids=lambda known: known.name)
def test_the_pair_is_the_one_that_the_program_was_built_around(known: Known, seed: int) -> None:
    _, explanation = explained(known.main, seed)

    known.assert_is_decided_by(explanation.pairs[0])


def test_the_only_program_of_the_benchmarks_that_fails_is_explained_likewise() -> None:
    """It is the lost update, with a step before the reads."""
    scenario, _ = resolve(f"{Path(__file__).parents[2] / 'benchmarks' / 'programs.py'}:lost_update")
    _, explanation = explained(scenario)
    pair, fix = explanation.pairs[0], explanation.fixes[0]

    assert (pair.key, pair.first.mode, pair.second.mode) == ("balance", "read", "write")
    assert (pair.kept, pair.reversed) == ((20, 20), (0, 20))
    assert str(fix.constraints[0]).startswith(f"{pair.second.task} ends before {pair.first.task} at programs.py:")


@pytest.mark.parametrize("known", PROGRAMS, ids=lambda known: known.name)
def test_the_fix_is_proved_and_leaves_no_failure(known: Known) -> None:
    _, explanation = explained(known.main)
    fix = explanation.fixes[0]
    again = racewindow.explore(known.main, strategy="dpor", constraints=fix.constraints)

    assert known.fix in str(fix.constraints[0])
    assert fix.checked.proved
    assert (again.complete, again.failing, again.executions) == (True, 0, fix.checked.orders)


def test_both_sides_are_told_with_line_and_value() -> None:
    failure, explanation = explained(lost_update, seed=1)
    pair = explanation.pairs[0]
    first = lost_update.__code__.co_firstlineno

    assert (pair.first.value, pair.second.value) == ("0", "1")
    assert pair.first.location == f"explained_programs.py:{first + 5} lost_update.deposit"
    assert pair.second.location == f"explained_programs.py:{first + 7} lost_update.deposit"
    assert failure.explanation is None


def test_what_is_missing_is_read_as_nothing() -> None:
    _, explanation = explained(read_before_ready)

    assert (explanation.pairs[0].first.value, explanation.pairs[0].second.value) == ("nothing", "7")


def test_the_likelier_guess_is_named_as_not_the_cause() -> None:
    """That one write comes before the other is what one sees; turned round it fails as well."""
    _, explanation = explained(lost_update, seed=1)
    suspect = explanation.not_the_cause

    assert suspect is not None
    assert (suspect.first.mode, suspect.second.mode) == ("write", "write")
    assert suspect.reversed.failing == suspect.reversed.runs > 0


# --- what is needed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("known", PROGRAMS, ids=lambda known: known.name)
def test_without_what_is_needed_it_does_not_fail_and_with_it_it_does(known: Known, seed: int) -> None:
    failure, explanation = explained(known.main, seed)
    deviations = failure.schedule.deviations

    assert fails_with(known.main, failure, deviations)
    assert len(explanation.needed) + explanation.not_needed == len(deviations)
    for each in deviations:
        others = [other for other in deviations if other is not each]
        assert fails_with(known.main, failure, others) != (each.key in explanation.needed_keys)


@pytest.mark.parametrize("seed", range(5))
def test_events_that_the_failure_does_not_depend_on_are_left_out(seed: int) -> None:
    """What a task has said that has nothing to do with it, before or after."""
    failure, explanation = explained(guarded, seed)

    assert explanation.left_out == sum("gossip" in line for line in failure.story)
    assert not any("gossip" in line for line in explanation.story)
    assert any("published" in line for line in explanation.story)


def test_the_story_in_a_report_begins_with_the_pair() -> None:
    _, explanation = explained(guarded)

    assert "publish: published index=0" in explanation.chain[0]
    assert set(explanation.chain) <= set(explanation.story)


# --- what closes it --------------------------------------------------------------------------------------------------


def test_the_safeguard_that_closes_it_is_named_and_no_other() -> None:
    _, explanation = explained(guarded)

    assert [(each.name, each.checked.proved) for each in explanation.safeguards] == [("wait", True)]


@pytest.mark.parametrize("seed", range(6))
def test_two_causes_need_two_orders(seed: int) -> None:
    """Each of two values may be read before it is there, or both."""

    async def main() -> None:
        wanted = {name: Cell(0, name=name) for name in ("east", "west")}
        seen: list[int] = []

        async def load(name: str) -> None:
            await trio.lowlevel.checkpoint()
            wanted[name].set(1)

        async def use(name: str) -> None:
            await trio.lowlevel.checkpoint()
            seen.append(wanted[name].get())

        async with trio.open_nursery() as nursery:
            for name in wanted:
                nursery.start_soon(load, name, name=f"load-{name}")
                nursery.start_soon(use, name, name=f"use-{name}")
        assert sum(seen) == 2

    _, explanation = explained(main, seed)
    fix = explanation.fixes[0]
    again = racewindow.explore(main, strategy="dpor", constraints=fix.constraints, all_failures=True)

    assert len(fix.constraints) == 2
    assert {each.first.task for each in fix.constraints} == {"load-east", "load-west"}
    assert fix.checked.proved
    assert (again.complete, again.failing) == (True, 0)


def test_an_order_that_deadlocks_closes_nothing() -> None:
    """The load begins only when the publisher has asked for it, so the publisher cannot wait for its end."""

    async def main() -> None:
        index, asked = Cell(0, name="index"), trio.Event()

        async def load() -> None:
            await asked.wait()
            index.set(7)

        async def publish() -> None:
            seen = index.get()
            asked.set()
            await trio.lowlevel.checkpoint()
            assert seen == 7

        async with trio.open_nursery() as nursery:
            nursery.start_soon(load)
            nursery.start_soon(publish)

    failure, explanation = explained(main)

    assert not (explanation.fixes or explanation.pairs)
    text = failure_text(replace(failure, explanation=explanation), scenario="main", file=None)
    assert "No two of its steps decide it by their order" in text
    assert "No order of two of its steps" in text
    assert "What made it happen" in text


def test_a_deadlock_that_is_there_anyway_stays_open() -> None:
    """The order closes what it is about, and is not said to leave no deadlock."""

    async def main() -> None:
        index, one, other = Cell(0, name="index"), trio.Lock(), trio.Lock()

        async def load() -> None:
            await trio.lowlevel.checkpoint()
            index.set(7)

        async def publish() -> None:
            assert index.get() == 7

        async def transfer(first: trio.Lock, second: trio.Lock) -> None:
            async with first:
                await trio.lowlevel.checkpoint()
                async with second:
                    pass

        async with trio.open_nursery() as nursery:
            nursery.start_soon(load)
            nursery.start_soon(publish)
            nursery.start_soon(transfer, one, other)
            nursery.start_soon(transfer, other, one)

    result = racewindow.explore(main, strategy="dpor", all_failures=True)
    failure = next(each for each in result.failures if each.kind == "violation")

    assert {each.kind for each in result.failures} == {"violation", "deadlock"}
    fix = racewindow.explain(main, failure).fixes[0]
    assert (fix.constraints[0].first.task, str(fix.constraints[0].then)) == ("load", "publish starts")
    assert fix.checked.remaining == (("deadlock", None, None),)
    assert "none fails in this way" in checked_text(fix.checked)
    assert "none deadlocks" not in checked_text(fix.checked)


def test_an_order_that_brings_another_failure_closes_nothing() -> None:
    """The publisher that waits for the load is too late for the one who waits for it."""

    async def main() -> None:
        index, published = Cell(0, name="index"), trio.Event()

        async def load() -> None:
            await trio.sleep(10)
            index.set(7)

        async def publish() -> None:
            assert index.get() == 7
            published.set()

        async def wait() -> None:
            with trio.fail_after(5):
                await published.wait()

        async with trio.open_nursery() as nursery:
            for task in (load, publish, wait):
                nursery.start_soon(task)

    _, explanation = explained(main)
    held = racewindow.explore(main, constraints=["load ends before publish starts"])

    assert held.failures[0].kind == "exception"
    assert explanation.fixes == ()


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], max_examples=15)
@given(data=st.data())
def test_a_fix_that_is_called_verified_is_never_refuted_by_a_longer_search(data: st.DataObject) -> None:
    """The program fails in one outcome of its many; under the fix every interleaving is run, and none comes to it."""
    program = data.draw(small_programs(SHARED["all"], 30))
    main = failing_in(program, data.draw(st.integers(0, 9)))
    result = racewindow.explore(main, strategy="random", schedules=100)
    if not result.failures:
        return
    explanation = racewindow.explain(main, result.failures[0], schedules=1_000)
    for fix in explanation.fixes:
        options: dict[str, Any] = {"constraints": fix.constraints, "all_failures": True}
        for again in (
            racewindow.explore(main, strategy="dfs", schedules=800, **options),
            racewindow.explore(main, strategy="random", schedules=300, seed=77, **options),
        ):
            assert result.failures[0].identity not in {failure.identity for failure in again.failures}
            if fix.checked.proved:
                assert {failure.group for failure in again.failures} <= set(fix.checked.remaining)


def failing_in(program: Program, seed: int) -> Target:
    """The program with an assertion at its end that one of its outcomes does not pass: that of a random order."""
    outcomes: list[object] = []
    forbidden: list[object] = []

    async def main() -> None:
        runs: list[Run] = []
        await as_function(program, runs)()
        outcomes.append(runs[-1].result())
        assert outcomes[-1] not in forbidden

    racewindow.explore(main, strategy="random", schedules=2, seed=seed)
    forbidden += outcomes[-1:]
    return main


# --- the report ------------------------------------------------------------------------------------------------------


def test_an_explanation_changes_nothing_else_of_a_result() -> None:
    plain = racewindow.explore(torn, all_failures=True).as_dict()
    told = racewindow.explore(torn, all_failures=True, explain=True).as_dict()
    explanation = told["failures"][0].pop("explanation")

    assert explanation["pairs"][0]["object"] == "high"
    assert plain | {"seconds": 0} == told | {"seconds": 0}


def test_an_execution_too_long_to_try_things_out_is_reported_as_it_is() -> None:
    async def spin() -> None:
        while True:
            await trio.lowlevel.checkpoint()

    result = racewindow.explore(spin, strategy="random", schedules=1, step_limit=5_000, explain=True)

    assert result.failures[0].kind == "livelock"
    assert result.failures[0].explanation is None
    assert "Not explained: 5,000 steps are too many" in failure_text(result.failures[0], scenario="spin", file=None)


def test_a_budget_that_is_too_small_is_said_to_be() -> None:
    failure = racewindow.explore(lost_update, strategy="random").failures[0]
    explanation = racewindow.explain(lost_update, failure, schedules=10)

    assert explanation.out_of_budget
    assert explanation.executions <= 10
    assert not any(fix.checked.proved and fix.checked.orders == 0 for fix in explanation.fixes)


def test_what_does_not_fail_cannot_be_explained() -> None:
    failure = racewindow.explore(lost_update, strategy="random").failures[0]
    harmless = replace(failure, schedule=replace(failure.schedule, deviations=()))

    with pytest.raises(racewindow.UsageError, match="nothing to explain"):
        racewindow.explain(lost_update, harmless)


def test_a_hang_is_not_explained() -> None:
    """Each try would take as long as the hang."""

    async def hangs() -> None:
        while True:
            pass

    result = racewindow.explore(hangs, strategy="random", schedules=1, step_timeout=0.3, explain=True)

    assert result.failures[0].explanation is None
    assert "Not explained: a hang cannot be" in failure_text(result.failures[0], scenario="hangs", file=None)
    with pytest.raises(racewindow.UsageError, match="a hang cannot be explained"):
        racewindow.explain(hangs, result.failures[0])


@pytest.mark.parametrize(("semantics", "clock"), [("trio", "idle"), ("trio", "racing"), ("processes", "racing")])
def test_a_failure_is_explained_under_its_own_rules(semantics: str, clock: str) -> None:
    failure = racewindow.explore(slow_overlap, strategy="random", semantics=semantics, clock=clock).failures[0]
    explanation = racewindow.explain(slow_overlap, failure)

    assert explanation.pairs[0].key == "balance"
    assert explanation.fixes[0].checked.proved


# --- surveys ---------------------------------------------------------------------------------------------------------


def test_a_survey_is_complete_exactly_when_every_order_has_been_run() -> None:
    with Environment(footprints=True):
        for limit in range(1, 40):
            cut = survey(Session(make_settings(lost_update)), limit)
            assert cut.executions <= limit
            assert cut.complete == (cut.orders == 4)
        done = survey(Session(make_settings(lost_update)), 40)
        assert done.complete
        assert (done.walks, done.found["violation", None, None, None] > 2) == (LOOK_AROUND, True)


def test_a_survey_ends_as_soon_as_it_is_refuted() -> None:
    with Environment(footprints=True):
        done = survey(Session(make_settings(lost_update)), 1_000, ("violation", None, None, None))

    assert (done.refuted, done.complete, done.failing) == (True, False, 1)


def test_the_limit_of_wall_time_is_one_for_the_smaller_schedule_and_the_original(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failure = racewindow.explore(lost_update, strategy="random").failures[0]
    started: list[float] = []

    def nothing_closes_it(*_: object, started_at: list[float] = started, **given: float) -> Explanation:
        started_at.append(given["started"])
        return Explanation(out_of_budget=len(started_at) == 2)

    monkeypatch.setattr(explainer, "_explain_under", nothing_closes_it)
    monkeypatch.setattr(explainer, "original_of", lambda _: replace(failure.schedule, deviations=()))
    explanation = racewindow.explain(lost_update, failure, seconds=60.0)

    assert len(started) == 2
    assert started[0] == started[1]
    assert explanation.out_of_budget
