"""The portfolio: a proof if there can be one, else as many ways of looking as the budget allows, and who did what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import racewindow
from racewindow.report import result_text
from racewindow.result import Part, Result
from racewindow.statistics import INDEPENDENT_FROM
from racewindow.strategies import auto
from tests.harness.command_line import CommandLine
from tests.harness.command_line import racewindow as command_line
from tests.harness.lost_updates import Plain, deposits

__all__ = ["command_line"]

OTHERS = ("pct", "surw", "fuzz")


def explore(program: Any, **options: Any) -> tuple[Result, dict[str, Part], str]:
    """The result, its parts by strategy, and its text on one line."""
    result = racewindow.explore(program, strategy="auto", **options)
    return result, {part.strategy: part for part in result.parts}, " ".join(result_text(result).split())


# --- a proof ---------------------------------------------------------------------------------------------------------


def test_it_proves_a_small_program_and_says_that_the_search_did() -> None:
    result, parts, told = explore(deposits(3))

    assert (result.verdict, result.executions, result.incomplete) == ("complete", 56, ())
    assert [(part.strategy, part.executions, part.complete) for part in result.parts] == [
        ("dpor", 36, True),
        ("random", 20, False),
    ]
    assert result.distinct_traces == parts["dpor"].executions, "walks show no order that the search does not"
    assert "complete: 36 orders of events, all of them explored, none fails" in told
    assert "by dpor: 36 executions, none failed; complete" in told
    assert "by random: 20 executions, none failed; a look around at the start" in told


def test_it_finds_all_failures_of_a_small_program_and_counts_those_of_the_search_in_the_claim() -> None:
    result, parts, told = explore(deposits(3, asserts=True), all_failures=True)

    assert (result.verdict, result.complete) == ("failure", True)
    assert (parts["dpor"].executions, parts["dpor"].failing) == (36, 30)
    assert result.failing == parts["dpor"].failing + parts["random"].failing
    assert "complete: 36 orders of events, all of them explored, 30 of them fail" in told


def test_under_the_semantics_of_trio_it_searches_by_dfs() -> None:
    result, parts, told = explore(deposits(3), semantics="trio")

    assert (result.verdict, list(parts)) == ("complete", ["dfs", "random"])
    assert (parts["dfs"].executions, parts["dfs"].complete, parts["random"].complete) == (216, True, False)
    assert "complete: 216 interleavings, all of them explored, none fails" in told
    assert result.distinct_traces == 6, "those that batches allow"


@pytest.mark.parametrize(("schedules", "verdict"), [(111, "complete"), (110, "nothing found")])
def test_the_search_has_half_of_the_budget_and_one_that_ends_with_it_has_ended(schedules: int, verdict: str) -> None:
    """It takes 56 executions, of which the last begins when 55 have been spent."""
    result, _, _ = explore(deposits(3), schedules=schedules)

    assert result.verdict == verdict
    assert result.executions == (56 if verdict == "complete" else schedules)


# --- too large -------------------------------------------------------------------------------------------------------


def test_a_program_too_large_for_its_half_of_the_budget_is_shared_by_the_others() -> None:
    result, parts, told = explore(deposits(4, 3), schedules=400)
    half = "had its half of the budget, and there was more to run"

    assert (result.verdict, result.complete) == ("nothing found", False)
    assert {name: part.executions for name, part in parts.items()} == {
        "dpor": 180, "random": 20, "pct": 67, "surw": 67, "fuzz": 66,
    }  # fmt: skip
    assert parts["dpor"].note == half
    assert result.incomplete == ("the search that could have run every order was given up before its end",)
    assert f"not complete: {result.incomplete[0]}" in told
    assert f"by dpor: 180 executions, none failed; {half}" in told
    assert all(f"by {name}: {parts[name].executions} executions, none failed" in told for name in OTHERS)
    assert "orders of events in all" in told, "the leaves of dpor's tree"


def test_a_program_far_too_large_is_given_up_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "_HOPELESS", 1)
    monkeypatch.setattr(auto, "_ENOUGH", 50)
    result, parts, told = explore(deposits(4, 3), schedules=400)

    assert parts["dpor"].executions == 30
    assert parts["dpor"].note == "gave up: there are far more orders than the budget allows"
    assert parts["dpor"].note in told
    assert (result.executions, sum(parts[name].executions for name in OTHERS)) == (400, 350)


def test_what_each_strategy_found_is_told_and_in_the_json() -> None:
    result, parts, told = explore(deposits(4, 3, asserts=True), schedules=400, all_failures=True)
    data = {part["strategy"]: part for part in json.loads(json.dumps(result.as_dict()))["parts"]}

    assert list(data) == ["dpor", "random", *OTHERS]
    assert all(part.failing > 0 for part in parts.values())
    assert sum(part.failing for part in parts.values()) == result.failing
    for name, part in parts.items():
        first = part.statistics["executions_to_first_failure"]
        assert data[name]["failing"] == part.failing
        assert data[name]["statistics"]["executions_to_first_failure"] == first
        assert f"by {name}: {part.executions} executions, {part.failing} failed, {first} execution" in told


@pytest.mark.parametrize("budget", [{"seconds": 0.3}, {"schedules": 90}, {"seconds": 60.0, "schedules": 90}, {}])
def test_any_budget_will_do(budget: dict[str, Any]) -> None:
    result, parts, _ = explore(deposits(4, 3), **budget)

    assert set(parts) == {"dpor", "random", *OTHERS}
    assert parts["dpor"].executions > 5
    assert set(result.bounds) == {"step_limit", "step_timeout", *(budget or {"schedules": 2_000})}
    assert result.executions == budget.get("schedules", result.executions if budget else 2_000)
    assert max(parts[name].executions for name in OTHERS) - min(parts[name].executions for name in OTHERS) <= 1


# --- chance ----------------------------------------------------------------------------------------------------------


def test_nothing_is_said_about_the_chances_of_a_mixture_and_something_about_those_of_its_parts() -> None:
    result, parts, told = explore(deposits(4, 3), schedules=400)
    chance = ("seen_once", "independent_executions", "new_trace_chance", "failure_chance_at_most")

    assert [result.statistics[name] for name in chance] == [None] * 4
    for name, part in parts.items():
        start = INDEPENDENT_FROM.get(name)
        samples = None if start is None else part.executions - start
        assert part.statistics["independent_executions"] == samples
        assert (part.statistics["failure_chance_at_most"] is None) == (samples is None)
        assert (part.statistics["distinct_traces"] is None) == (samples is None), "they take memory, and say no more"
    assert set(parts) & set(INDEPENDENT_FROM) == {"random", "pct"}
    assert (
        "by random: 20 executions, none failed; a look around at the start; at 95% confidence, fewer than 3 in" in told
    )
    assert "by pct: 67 executions, none failed; at 95% confidence, fewer than 3 in 66 such executions fail" in told


@pytest.mark.parametrize("strategy", ["random", "pct"])
def test_a_part_has_the_figures_that_its_executions_would_have_alone(strategy: str) -> None:
    """They are the same executions."""
    _, parts, _ = explore(deposits(4, 3), schedules=400, seed=3)
    part = parts[strategy]
    options: dict[str, Any] = {"schedules": part.executions, "seed": 3, "footprints": True}
    alone = racewindow.explore(deposits(4, 3), strategy=strategy, **options)
    tree = {"tree_size": None, "tree_size_spread": None, "tree_size_log10": None}

    assert part.statistics == {**alone.statistics, **tree}


# --- what is not tracked ---------------------------------------------------------------------------------------------


def test_without_a_proof_it_still_finds_the_failure_and_the_failure_is_believed() -> None:
    result, parts, told = explore(deposits(2, asserts=True, cell=Plain), all_failures=True)

    assert (result.verdict, result.complete) == ("failure", False)
    assert parts["dpor"].note == "ended: the program shares state that is not tracked"
    assert sum(parts[name].failing for name in OTHERS) > 100
    assert result.incomplete == (
        "two steps that count as independent were swapped, and something changed: untracked shared state",
        "the search that could have run every order was given up before its end",
    )
    assert "Beyond this failure, the result" in told
    (failure,) = result.failures
    assert racewindow.replay(deposits(2, asserts=True, cell=Plain), failure.schedule).failures


def test_without_a_failure_it_cannot_be_trusted_and_has_gone_on() -> None:
    """What it returns shows the difference, and nothing is asserted."""

    async def main() -> int:
        cell = Plain(0)
        await deposits(2, cell=lambda _: cell)()
        return cell.get()

    result, parts, told = explore(main, schedules=300)

    assert (result.verdict, result.complete, result.executions) == ("untrusted", False, 300)
    assert set(parts) >= {"dpor", *OTHERS}
    assert "untracked shared state" in told


@pytest.mark.parametrize(("asserts", "status"), [("True", 1), ("False", 3)])
def test_the_status_is_3_only_without_a_failure(command_line: CommandLine, asserts: str, status: int) -> None:
    Path("untracked.py").write_text(
        "from tests.harness.lost_updates import Plain, deposits\n"
        "async def program() -> int:\n"
        "    cell = Plain(0)\n"
        f"    await deposits(2, asserts={asserts}, cell=lambda _: cell)()\n"
        "    return cell.get()\n",
        encoding="utf-8",
    )

    assert command_line("explore", "untracked.py:program", "--schedules", "100").status == status
