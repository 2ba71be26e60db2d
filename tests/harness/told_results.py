"""Results by hand, one for each way in which an exploration can end, with the figures of some."""

from __future__ import annotations

import math
from dataclasses import replace

from racewindow.report import result_text
from racewindow.result import Bound, Part, Result, why_incomplete
from racewindow.statistics import Discovery, TreeSize, summary
from tests.harness.told import ALL, DEADLOCK, FOUND, NOTHING, UNTRUSTED

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
WITHIN_2 = {"preemptions": Bound(2, reached=True)}
FEW = {"independent_executions": 20, "new_trace_chance": 0.95, "new_trace_chance_at_most": 1.0}
CUT = {"schedules": Bound(2_000, reached=True), "step_limit": Bound(500, reached=True), "seconds": Bound(9.5, False)}

RESULTS = {
    "found": FOUND,
    "all_failures": ALL,
    "nothing": NOTHING,
    "untrusted": UNTRUSTED,
    "interrupted_found": replace(ALL, interrupted=True),
    "interrupted_nothing": replace(
        NOTHING,
        executions=31,
        interrupted=True,
        statistics={"independent_executions": 31, "failure_chance_at_most": 0.092121},
    ),
    "nothing_run": replace(NOTHING, executions=0, steps=0, seconds=0.0, bounds={}),
    "complete": replace(
        NOTHING, strategy="dpor", executions=4, redundant=1, probes=3, distinct_traces=4, complete=True, seconds=0.001
    ),
    "reached": replace(NOTHING, sometimes={"queue full": 12, "standby leads": 0}),
    "missed": replace(NOTHING, sometimes={"queue full": 12, "standby leads": 0}, missed=("standby leads",)),
    "missed_and_complete": replace(
        NOTHING,
        strategy="dpor",
        executions=4,
        complete=True,
        statistics={},
        sometimes={"queue full": 0, "standby leads": 0},
        missed=("queue full", "standby leads"),
    ),
    "missed_and_failing": replace(ALL, sometimes={"queue full": 0}, missed=("queue full",)),
    "found_and_untrusted": replace(UNTRUSTED, failing=1, failures=(DEADLOCK,)),
    "other_strategy": replace(NOTHING, strategy="pct", statistics={"new_trace_rate": 0.25}),
    "nothing_by_search": replace(NOTHING, strategy="dpor", statistics={}),
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
        statistics={},
        bounds=WITHIN_2,
        incomplete=why_incomplete(WITHIN_2, exhausted=True),
    ),
    "bounded_and_failing": replace(
        ALL,
        strategy="dfs",
        statistics={"executions_to_first_failure": 13},
        bounds=WITHIN_2,
        incomplete=why_incomplete(WITHIN_2, exhausted=True),
    ),
    "complete_dfs": replace(NOTHING, strategy="dfs", executions=10, complete=True),
    "complete_and_failing": replace(
        ALL, strategy="dpor", executions=4_000, distinct_traces=4_000, complete=True, bounds={}
    ),
    "auto": replace(
        NOTHING,
        strategy="auto",
        incomplete=why_incomplete({}, "gave up"),
        statistics={"tree_size_log10": 5.2, "tree_size": 158_489.0, "tree_size_spread": None},
        distinct_traces=1_800,
        parts=(
            Part("dpor", 980, 0, note="had its half of the budget, and there was more to run"),
            Part("random", 20, 0, statistics=SAMPLED | FEW),
            Part("pct", 999, 0, statistics=SAMPLED | {"independent_executions": 998}),
            Part("fuzz", 1, 0),
        ),
    ),
    "auto_found": replace(
        FOUND,
        strategy="auto",
        incomplete=why_incomplete({}, "first failure"),
        statistics={"executions_to_first_failure": 13},
        parts=(Part("dpor", 1, 0), Part("random", 12, 1, statistics={"executions_to_first_failure": 12})),
    ),
    "auto_complete": replace(
        NOTHING,
        strategy="auto",
        executions=51,
        complete=True,
        parts=(Part("dpor", 31, 0, complete=True), Part("random", 20, 0, statistics=SAMPLED | FEW)),
    ),
}


def explored(result: Result) -> str:
    """What is said about the exploration, on one line."""
    return " ".join(result_text(result).partition("Explored:")[2].split())
