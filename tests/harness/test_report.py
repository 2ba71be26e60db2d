"""Results and failures in words: the full text of each, 80 columns wide, and nothing in it that changes by itself."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racewindow.errors import ExplorationFailed
from racewindow.failure import Failure
from racewindow.failure_file import StoredFailure
from racewindow.report import execution_text, failure_text, replay_text, result_text, untrusted_text
from racewindow.report_layout import WIDTH, command, message, numbered, wrap
from racewindow.result import Bound, Part, Result, why_incomplete
from racewindow.schedule import Deviation
from racewindow.statistics import Discovery, TreeSize, summary
from tests.harness.told import (
    ALL,
    ASSERTED,
    DEADLOCK,
    FOUND,
    LIQUIDATED,
    NOTHING,
    STALE,
    UNTRUSTED,
    execution,
)
from tests.snapshots.compare import assert_snapshot

SAMPLED = {
    **dict.fromkeys(summary(Discovery())),
    "distinct_traces": 1_234,
    "seen_once": 90,
    "independent_executions": 2_000,
    "new_trace_chance": 0.045,
    "new_trace_chance_at_most": 0.0671,
    "failure_chance_at_most": 0.00149675,
    "tree_size": 3.21e15,
    "tree_size_spread": 1.1e15,
    "tree_size_log10": 15.5065,
}
CUT = {"schedules": Bound(2_000, reached=True), "step_limit": Bound(500, reached=True), "seconds": Bound(9.5, False)}

RESULTS = {
    "found": FOUND,
    "all_failures": ALL,
    "nothing": NOTHING,
    "untrusted": UNTRUSTED,
    "interrupted_found": replace(ALL, interrupted=True),
    "interrupted_nothing": replace(NOTHING, executions=31, interrupted=True),
    "nothing_run": replace(NOTHING, executions=0, steps=0, seconds=0.0, bounds={}),
    "complete": replace(
        NOTHING, strategy="dpor", executions=4, redundant=1, probes=3, distinct_traces=4, complete=True, seconds=0.001
    ),
    "found_and_untrusted": replace(UNTRUSTED, failing=1, failures=(DEADLOCK,)),
    "other_strategy": replace(NOTHING, strategy="pct", statistics={"new_trace_rate": 0.25}),
    "sampled": replace(NOTHING, distinct_traces=1_234, statistics=SAMPLED),
    "sampled_by_pct": replace(NOTHING, strategy="pct", statistics=SAMPLED | {"independent_executions": 1_999}),
    "cut": replace(
        NOTHING,
        strategy="dpor",
        redundant=1,
        probes=1,
        distinct_traces=2_000,
        incomplete=why_incomplete(CUT, "choices", "steps of writer touch what is not tracked: config"),
        statistics=summary(Discovery(), TreeSize(math.log(12_345), None)),
        bounds=CUT,
    ),
    "bounded": replace(
        NOTHING,
        strategy="dfs",
        executions=42,
        bounds={"preemptions": Bound(2, reached=True)},
        incomplete=why_incomplete({"preemptions": Bound(2, reached=True)}, exhausted=True),
    ),
    "complete_dfs": replace(NOTHING, strategy="dfs", executions=10, complete=True),
    "complete_and_failing": replace(
        ALL, strategy="dpor", executions=4_000, distinct_traces=4_000, complete=True, bounds={}
    ),
    "auto": replace(
        NOTHING,
        strategy="auto",
        incomplete=("dpor had explored a third of the tree when its share of the budget ended",),
        parts=(
            Part("dpor", 1_000, 0, note="its share of the budget ended"),
            Part("pct", 999, 0, note="depth 3"),
            Part("fuzz", 1, 0),
        ),
    ),
    "auto_complete": replace(
        NOTHING, strategy="auto", executions=31, complete=True, parts=(Part("dpor", 31, 0, complete=True),)
    ),
}

STORED = StoredFailure(
    path=Path("found/x.json"),
    target="paradex",
    scenario="paradex",
    kind="violation",
    message=LIQUIDATED.message,
    schedule=LIQUIDATED.schedule,
    digest=LIQUIDATED.digest,
    checker=LIQUIDATED.checker,
    class_=LIQUIDATED.class_,
    subject=LIQUIDATED.subject,
)

REPLAYS = {
    "same": (execution(LIQUIDATED), False),
    "same_second_of_two": (execution(replace(STALE, digest=LIQUIDATED.digest), LIQUIDATED), False),
    "same_but_for_steps": (execution(LIQUIDATED, digest="1" * 32), True),
    "another": (execution(STALE, digest="2" * 32), False),
    "none": (execution(), True),
    "none_and_unknown": (execution(unknown=(("conservation", "the checker crashed: KeyError: 'XRP'"),)), False),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_told(name: str) -> None:
    assert_snapshot(f"result_{name}.txt", result_text(RESULTS[name]) + "\n")


@pytest.mark.parametrize("name", REPLAYS)
def test_a_replay_is_told(name: str) -> None:
    ran, changed = REPLAYS[name]

    assert_snapshot(f"replay_{name}.txt", replay_text(ran, STORED, changed=changed) + "\n")


@pytest.mark.parametrize(
    ("name", "failure"),
    [("checker", LIQUIDATED), ("assertion", ASSERTED), ("deadlock", DEADLOCK)],
)
def test_a_failure_is_told(name: str, failure: Failure) -> None:
    text = failure_text(failure, scenario="paradex", file=None)

    assert_snapshot(f"failure_{name}.txt", text + "\n")


def test_an_execution_without_a_file_is_told() -> None:
    assert_snapshot("execution_failed.txt", execution_text(execution(ASSERTED), "two-writers") + "\n")
    assert_snapshot("execution_ok.txt", execution_text(execution(), "two-writers") + "\n")


def test_what_was_held_fixed_names_the_feed() -> None:
    told = " ".join(result_text(NOTHING, feed="prices.csv").split())

    assert "held fixed: no safeguard on; markets=2, accounts=2, note=as recorded; feed prices.csv; no faults" in told


def test_nothing_found_is_never_called_safe() -> None:
    for name in RESULTS.keys() - {"found", "all_failures", "interrupted_found", "complete_and_failing"}:
        words = result_text(RESULTS[name]).lower().split()

        assert not {"safe", "correct", "proved", "proven", "success", "passed"} & set(words)


def explored(result: Result) -> str:
    """What is said about the exploration, on one line."""
    return " ".join(result_text(result).partition("Explored:")[2].split())


def test_a_complete_search_says_of_what_on_a_line_of_its_own() -> None:
    lines = {name: result_text(RESULTS[name]).splitlines() for name in ("complete", "complete_dfs", "auto_complete")}

    assert "complete: 4 orders of events, all of them explored, none fails" in lines["complete"]
    assert "complete: 10 interleavings, all of them explored, none fails" in lines["complete_dfs"]
    assert "complete: 31 orders of events, all of them explored, none fails" in lines["auto_complete"]


@pytest.mark.parametrize("failing", [0, 1])
def test_a_program_with_one_order_has_no_plural(failing: int) -> None:
    failures = (DEADLOCK,) * failing
    one = replace(NOTHING, strategy="dpor", executions=1, failing=failing, complete=True, failures=failures)
    fails = "it fails" if failing else "it does not fail"

    assert f"complete: 1 order of events, explored, and {fails}" in result_text(one)


def test_only_a_complete_result_says_complete() -> None:
    for name, result in RESULTS.items():
        assert result.complete == ("complete: " in result_text(result).replace("not complete: ", "")), name


@pytest.mark.parametrize(
    ("statistics", "words"),
    [
        ({"distinct_traces": 1}, "orders: 1 distinct order of events (trace) seen"),
        (
            SAMPLED | {"seen_once": 0, "new_trace_chance": 0.0, "new_trace_chance_at_most": 0.0048},
            "just once: the chance that the next execution shows a new one is at 95% confidence below 0.48%",
        ),
        (
            SAMPLED | {"new_trace_chance": 1.0, "new_trace_chance_at_most": 1.0},
            "about 100%, at 95% confidence below 100%",
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


@pytest.mark.parametrize(
    ("count", "few"),
    [
        (1, "1 random execution supports: at 95% confidence, fewer than 95% of"),
        (9, "fewer than 29% of"),
        (10, "3 in 10"),
    ],
)
def test_a_short_clean_run_supports_little(count: int, few: str) -> None:
    told = result_text(replace(NOTHING, executions=count, statistics=SAMPLED | {"independent_executions": count}))

    assert f"{few} such executions fail." in " ".join(told.split())


@pytest.mark.parametrize("statistics", [{}, SAMPLED | {"independent_executions": None}])
def test_executions_that_are_no_samples_support_no_figure(statistics: dict[str, Any]) -> None:
    assert "confidence" not in result_text(replace(NOTHING, strategy="fuzz", statistics=statistics))


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
    assert data["parts"][1] == {
        "strategy": "pct", "executions": 999, "failing": 0, "complete": False, "note": "depth 3",
    }  # fmt: skip


def test_the_text_of_a_failure_is_the_same_whenever_and_however_fast_it_was_found() -> None:
    slow = replace(FOUND, seconds=400.0, failures=(replace(LIQUIDATED, count=9),))
    told = [result_text(result).partition("Explored")[0] for result in (FOUND, slow)]

    assert told[0].partition("All that")[0] == told[1].partition("All that")[0]


def test_a_long_list_of_deviations_is_cut_and_says_so() -> None:
    many = replace(
        LIQUIDATED,
        deviations=tuple(f"after step {n} of writer: committer goes first" for n in range(60)),
        schedule=replace(
            LIQUIDATED.schedule, deviations=tuple(Deviation("main/0", n, "task", 0, "main/1") for n in range(60))
        ),
    )

    text = failure_text(many, scenario="paradex", file="x.json")

    assert "60 deviations from the default order:" in text
    assert "  12. after step 11" in text
    assert "  … 48 more, all of them in the failure's file" in text
    assert "racewindow replay x.json" in text
    assert "--schedule" not in text, "a token of hundreds of characters is for the file"
    assert "--schedule" in failure_text(many, scenario="paradex", file=None)


def test_a_command_can_be_pasted_whatever_the_names_are() -> None:
    assert command(["racewindow", "replay"], ["my file.json"]) == ["racewindow replay 'my file.json'"]
    assert command(["racewindow", "replay"], ["x" * 80]) == ["racewindow replay \\", "  " + "x" * 80]


@given(st.text(), st.integers(0, 20), st.integers(0, 10))
def test_wrapped_text_loses_nothing_and_is_wide_only_for_a_long_word(text: str, indent: int, hang: int) -> None:
    lines = wrap(text, indent, hang)

    assert "".join(text.split()) == "".join("".join(lines).split())
    assert all(len(line) <= WIDTH or len(line.split()) <= 1 or indent + hang > 20 for line in lines)


def test_commands_in_a_message_stay_on_one_line() -> None:
    long = "racewindow replay " + "word " * 20
    text = message(f"what {'happened ' * 12}\nWhy: {'reason ' * 15}\nDo:  {long}")

    assert long.strip() in text
    assert all(line.startswith("     ") for line in text.splitlines()[3:4])


def test_numbers_line_up() -> None:
    assert numbered(["a"] * 11, 12, "")[8:10] == [" 9. a", "10. a"]


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (FOUND, failure_text(LIQUIDATED, scenario="paradex", file=FOUND.files[0])),
        (replace(FOUND, files=()), failure_text(LIQUIDATED, scenario="paradex", file=None)),
        (UNTRUSTED, untrusted_text(UNTRUSTED)),
    ],
)
def test_check_raises_the_report(result: Result, text: str) -> None:
    with pytest.raises(ExplorationFailed) as caught:
        result.check()

    assert text == str(caught.value)


def test_check_lets_a_clean_result_pass() -> None:
    NOTHING.check()
