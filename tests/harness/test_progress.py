"""The progress line: right counts, never wider than its room."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow.budget import Progress
from racewindow.progress import duration, passed, progress_line, seconds_left
from racewindow.statistics import TreeSize
from tests.harness.lost_updates import deposits


def told(**figures: Any) -> Progress:
    """How far an exploration has come; the figures that matter here."""
    usual = {"executions": 500, "failing": 3, "steps": 0, "seconds": 0.5, "schedules": None, "seconds_limit": None}
    return Progress(**(usual | figures))


@pytest.mark.parametrize(
    ("counts", "width", "line"),
    [
        (told(schedules=2_000), 80, "500 of 2,000 executions  1,000/s  3 failed  0:02 left"),
        (told(schedules=2_000), 60, "500 executions  1,000/s  3 failed  0:02 left"),
        (told(seconds_limit=60), 80, "500 executions  1,000/s  3 failed  1:00 left"),
        (told(seconds_limit=9_000), 80, "500 executions  1,000/s  3 failed  2:30:00 left"),
        (told(), 80, "500 executions  1,000/s  3 failed"),
        (told(executions=0, failing=0, seconds=0.0, schedules=9), 80, "0 of 9 executions  0/s  0 failed"),
        (told(executions=1, failing=0, seconds=30.0), 80, "1 execution  0.033/s  0 failed"),
        (told(explaining=1_234), 80, "explaining  1,234 executions"),
    ],
)
def test_the_line_says_how_far_how_fast_how_many_and_how_long(counts: Progress, width: int, line: str) -> None:
    assert line == progress_line(counts, width)


@pytest.mark.parametrize(
    ("counts", "left"),
    [
        (told(), None),
        (told(schedules=1_500), 1.0),
        (told(seconds_limit=2.0), 1.5),
        (told(schedules=1_500, seconds_limit=0.6), pytest.approx(0.1)),
        (told(seconds=3.0, seconds_limit=2.0), 0.0),
        (told(schedules=10**400), 1e15),
    ],
)
def test_the_time_left_is_that_to_the_first_limit(counts: Progress, left: float | None) -> None:
    assert left == seconds_left(counts)


def test_what_has_passed_is_rounded_down_and_what_is_left_up() -> None:
    assert (passed(59.9), duration(59.1)) == ("0:59", "1:00")
    assert duration(1e300) == "over 100 days"


ALL = told(
    schedules=2_000,
    distinct_traces=1_234,
    new_trace_chance=0.0449,
    strategy="random",
    tree=TreeSize(math.log(3.21e15), 0.1),
)


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (
            120,
            "random  500 of 2,000 executions  1,000/s  3 failed  0:02 left  1,234 orders  tree ~3.2 × 10^15  4.5% new",
        ),
        (92, "random  500 of 2,000 executions  1,000/s  3 failed  0:02 left  tree ~3.2 × 10^15  4.5% new"),
        (80, "500 of 2,000 executions  1,000/s  3 failed  0:02 left  4.5% new"),
        (72, "500 executions  1,000/s  3 failed  0:02 left  4.5% new"),
        (60, "500 executions  1,000/s  3 failed  0:02 left  4.5% new"),
    ],
)
def test_what_matters_least_gives_way_first(width: int, line: str) -> None:
    assert line == progress_line(ALL, width)


@pytest.mark.parametrize(
    ("executions", "log_leaves", "words"),
    [
        (500, math.log(12_000), "4.2% of ~12,000"),
        (1, math.log(100_000), "<0.1% of ~100,000"),
        (500, math.log(500), "99.9% of ~500"),
        (500, math.log(499.9), "99.9% of ~500"),
        (500, math.log(10) * 400, "<0.1% of ~1.0 × 10^400"),
    ],
)
def test_a_search_shows_its_share_of_what_there_may_be(executions: int, log_leaves: float, words: str) -> None:
    size = TreeSize(log_leaves, None)
    counts = told(executions=executions, failing=0, tree=size, searched=executions, strategy="auto: dpor")

    assert progress_line(counts).endswith(f"  0 failed  {words}")


def test_a_small_chance_is_not_none() -> None:
    assert progress_line(told(new_trace_chance=0.0004)).endswith("  <0.1% new")
    assert progress_line(told(new_trace_chance=0.0)).endswith("  0.0% new")


def test_one_order_is_no_orders() -> None:
    assert progress_line(told(distinct_traces=1)).endswith("  3 failed  1 order")


big = st.integers(0, 10**9)


@given(
    st.builds(
        told,
        executions=big,
        failing=big,
        seconds=st.floats(0, 1e7),
        schedules=big,
        seconds_limit=st.none(),
        distinct_traces=big | st.none(),
        new_trace_chance=st.floats(0, 1) | st.none(),
        strategy=st.sampled_from(["", "dpor", "auto: random"]),
        tree=st.builds(TreeSize, st.floats(0, 1e6), st.none()) | st.none(),
        searched=st.integers(0, 10**9) | st.none(),
    )
)
def test_the_line_fits_into_sixty_columns(counts: Progress) -> None:
    line = progress_line(counts, 60)

    assert len(line) <= 60
    assert f"{counts.executions:,} execution" in line


def test_an_exploration_reports_what_the_line_shows() -> None:
    so_far = Progress(500, 3, 7_000, 0.5, None, None, 12, 0.5, "random")

    assert progress_line(so_far) == "random  500 executions  1,000/s  3 failed  12 orders  50.0% new"


def test_progress_says_who_is_at_work_and_how_large_the_tree_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search also how much of it has been run."""
    monkeypatch.setattr("racewindow.exploration._PROGRESS_SECONDS", 0.0)

    def seen(strategy: str, schedules: int, **options: Any) -> list[Progress]:
        told: list[Progress] = []
        options |= {"strategy": strategy, "schedules": schedules, "on_progress": told.append}
        racewindow.explore(deposits(4, 3), **options)
        return told

    auto, walks, blind = seen("auto", 60), seen("random", 5, footprints=True), seen("random", 5)

    assert [each.strategy for each in auto[::20]] == ["auto: dpor", "auto: random", "auto: surw"]
    assert [(each.searched, each.tree is None) for each in (auto[0], auto[25], auto[-1])] == [
        (1, False),
        (6, False),
        (10, True),
    ]
    assert [(each.searched, each.tree is None) for each in (*walks, *blind)] == [(None, False)] * 5 + [(None, True)] * 5
    assert (walks[-1].new_trace_chance, walks[-1].distinct_traces) == (1.0, 5)
