"""What a report claims: no more than is known, with as many digits as it is good for, and what is missing with why."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racewindow.report import result_text
from racewindow.report_layout import about_as_many, two_digits
from racewindow.result import Bound, why_incomplete
from racewindow.statistics import Discovery, TreeSize, summary
from tests.harness.told import DEADLOCK, NOTHING, UNTRUSTED
from tests.harness.told_results import CUT, RESULTS, SAMPLED, WITHIN_2, explored

# --- claims ----------------------------------------------------------------------------------------------------------


def test_nothing_found_is_never_called_safe() -> None:
    for name in (name for name, result in RESULTS.items() if not result.failures):
        words = result_text(RESULTS[name]).lower().split()

        assert not {"safe", "correct", "proved", "proven", "success", "passed"} & set(words)


def test_a_complete_search_says_of_what_on_a_line_of_its_own() -> None:
    lines = {name: result_text(RESULTS[name]).splitlines() for name in ("complete", "complete_dfs", "auto_complete")}

    assert "complete: 4 orders of events, all of them explored, none fails" in lines["complete"]
    assert "complete: 10 interleavings, all of them explored, none fails" in lines["complete_dfs"]
    assert "complete: 31 orders of events, all of them explored, none fails" in lines["auto_complete"]


@pytest.mark.parametrize(("failing", "words"), [(1, "1 of them fails"), (1_611, "1,611 of them fail")])
def test_a_complete_search_counts_those_that_fail(failing: int, words: str) -> None:
    result = replace(RESULTS["complete_and_failing"], failing=failing)

    assert f"complete: 4,000 orders of events, all of them explored, {words} " in f"{explored(result)} "


def test_a_bounded_search_that_came_to_its_end_says_for_which_bound_and_no_more() -> None:
    result = RESULTS["bounded"]
    told = " ".join(result_text(result).split())

    assert (
        "exhaustive for bound 2: 42 interleavings with at most 2 preemptions, all of them explored, none fails" in told
    )
    assert "That is no proof" in told
    assert (result.verdict, result.exhaustive_bound, result.as_dict()["exhaustive_bound"]) == ("nothing found", 2, 2)


@pytest.mark.parametrize("doubt", ["interrupted", "first failure", "nondeterminism"])
def test_a_bounded_search_that_was_ended_is_exhaustive_for_nothing(doubt: str) -> None:
    result = replace(RESULTS["bounded"], incomplete=why_incomplete(WITHIN_2, doubt))

    assert result.exhaustive_bound is None
    assert "exhaustive" not in result_text(result)


def test_the_leaves_of_a_portfolio_are_those_of_its_search() -> None:
    assert "tree: very roughly 160,000 orders of events in all" in explored(RESULTS["auto"])


def test_after_a_proof_nothing_is_said_about_chance() -> None:
    assert "confidence" not in result_text(RESULTS["auto_complete"])


def test_a_failure_that_was_not_confirmed_is_not_denied() -> None:
    assert "1 execution, no failure confirmed; 2 steps" in explored(UNTRUSTED)


def test_a_limit_of_one_has_no_plural() -> None:
    one = {"schedules": Bound(1, reached=True), "step_limit": Bound(1, reached=False)}
    told = explored(replace(NOTHING, bounds=one, incomplete=why_incomplete(one)))

    assert "limits: 1 execution (reached), 1 step per execution (not reached)" in told
    assert "not complete: the limit of 1 execution came before the last order" in told


def test_a_hang_is_told_as_a_step_that_took_too_long_and_no_more() -> None:
    (reason,) = why_incomplete({"step_timeout": Bound(10.0, reached=True)})

    assert reason == (
        "a step took more than 10.0 s and was stopped: whether it would have ended is not known, and nothing that "
        "could follow was run"
    )


@pytest.mark.parametrize("failing", [0, 1])
def test_a_program_with_one_order_has_no_plural(failing: int) -> None:
    failures = (DEADLOCK,) * failing
    one = replace(NOTHING, strategy="dpor", executions=1, failing=failing, complete=True, failures=failures)
    fails = "it fails" if failing else "it does not fail"

    assert f"complete: 1 order of events, explored, and {fails}" in result_text(one)


def test_only_a_complete_result_says_complete() -> None:
    for name, result in RESULTS.items():
        assert result.complete == ("complete: " in result_text(result).replace("not complete: ", "")), name


def test_a_budget_that_was_used_up_by_a_search_that_ended_cut_nothing() -> None:
    assert why_incomplete(CUT, exhausted=True) == (
        "an execution was cut off at the limit of 500 steps, and nothing that could follow was run",
    )
    assert why_incomplete({"steps_to_take_ones_own_care": Bound(1, True)}, "audit") == (
        "two steps that count as independent were swapped, and something changed: untracked shared state",
    )


def test_json_has_the_parts_and_what_is_missing() -> None:
    data = json.loads(json.dumps(RESULTS["auto"].as_dict()))

    assert data["incomplete"] == list(RESULTS["auto"].incomplete)
    assert data["parts"][0] == {
        "strategy": "dpor", "executions": 980, "failing": 0, "complete": False, "statistics": {},
        "note": "had its half of the budget, and there was more to run",
    }  # fmt: skip
    assert data["parts"][2]["statistics"]["independent_executions"] == 998


# --- figures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statistics", "words"),
    [
        ({"distinct_traces": 1}, "orders: 1 distinct order of events (trace) seen"),
        (
            SAMPLED | {"seen_once": 0, "new_trace_chance": 0.0, "new_trace_chance_at_most": 0.0048},
            "just once: chance that the next execution shows a new one: at 95% confidence below 0.48%",
        ),
        (
            SAMPLED | {"seen_once": 0, "new_trace_chance": 0.0, "new_trace_chance_at_most": 1.0},
            "orders: 1,234 distinct orders of events (traces) seen, none of them just once tree:",
        ),
        (
            SAMPLED | {"new_trace_chance": 0.5, "new_trace_chance_at_most": 0.9901},
            "90 of them once: chance that the next execution shows a new one: about 50% tree:",
        ),
        (SAMPLED | {"new_trace_chance": 3.04e-7}, "about 0.00003%"),
        (SAMPLED | {"tree_size_spread": 2.9e15}, "tree: very roughly 3.2 × 10^15 interleavings in all"),
        (
            SAMPLED | {"tree_size": 123456.0, "tree_size_spread": 0.0, "tree_size_log10": 5.09151},
            "about 120,000 interl",
        ),
        (SAMPLED | {"tree_size": None, "tree_size_spread": None, "tree_size_log10": 602.06}, "roughly 1.1 × 10^602"),
    ],
)
def test_a_figure_is_told_with_as_many_digits_as_it_is_good_for(statistics: dict[str, Any], words: str) -> None:
    told = explored(replace(NOTHING, distinct_traces=statistics["distinct_traces"], statistics=statistics))

    assert words in told


def test_a_search_says_more_than_it_ran_where_its_estimate_has_too_few_digits_to_be_more() -> None:
    def told(executions: int, leaves: float) -> str:
        size = summary(Discovery(), TreeSize(math.log(leaves), None))
        return explored(replace(NOTHING, strategy="dpor", executions=executions, statistics=size))

    assert "tree: more than 1,234 orders of events in all" in told(1_234, 1_240.0)
    assert "tree: more than 1 order of events in all" in told(1, 1.0)
    assert "tree: very roughly 1,300 orders of events in all" in told(1_234, 1_260.0)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "1"),
        (3.6, "4"),
        (12.4, "12"),
        (994, "990"),
        (999.6, "1,000"),
        (999_499, "1.0 × 10^6"),
        (1e6, "1.0 × 10^6"),
        (9.96e15, "1.0 × 10^16"),
        (10**300, "1.0 × 10^300"),
        (2 * 10**300, "2.0 × 10^300"),
    ],
)
def test_a_large_number_is_told_with_two_digits(number: float, words: str) -> None:
    assert about_as_many(math.log10(number)) == words


@given(st.floats(-0.5, 1000))
def test_two_digits_are_never_ten_and_never_far_off(log10: float) -> None:
    digits, power = two_digits(log10)

    assert 1 <= digits < 10
    assert abs(math.log10(digits) + power - log10) <= math.log10(1.0501)


@given(st.integers(1, 10**6), st.floats(1e-9, 1))
def test_a_bound_is_never_rounded_down(executions: int, share: float) -> None:
    clean = Discovery(0)
    clean.executions = executions
    exact, rounded = clean.failure_chance_at_most, summary(clean)["failure_chance_at_most"]

    assert exact is not None and exact <= rounded <= min(1.0, exact * 1.00001)
    told = explored(replace(NOTHING, distinct_traces=1, statistics=SAMPLED | {"new_trace_chance_at_most": share}))
    shown = re.search(r"confidence below ([\d.]+)%", told)
    assert share <= (1 if shown is None else float(shown[1]) / 100 * (1 + 1e-15))


@pytest.mark.parametrize(
    ("count", "few"),
    [
        (1, "1 random execution supports: at 95% confidence, fewer than 95% of"),
        (2, "2 random executions support: at 95% confidence, fewer than 78% of"),
        (9, "fewer than 29% of"),
        (10, "3 in 10"),
    ],
)
def test_a_short_clean_run_supports_little(count: int, few: str) -> None:
    clean = Discovery(0)
    for _ in range(count):
        clean.executed(None, failed=False)
    told = result_text(replace(NOTHING, executions=count, statistics=summary(clean)))

    assert f"{few} such executions fail." in " ".join(told.split())


@pytest.mark.parametrize("statistics", [{}, SAMPLED | {"independent_executions": None}])
def test_executions_that_are_no_samples_support_no_figure(statistics: dict[str, Any]) -> None:
    assert "confidence" not in result_text(replace(NOTHING, strategy="fuzz", statistics=statistics))
