"""What the panel says: right figures, none that is not known, and never wider than its room."""

from __future__ import annotations

import io
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from racewindow.budget import Progress, ShrinkLimits, ShrinkProgress
from racewindow.ci.progress import CiProgress, ci_line, ci_panel, expected_seconds
from racewindow.ci.rows import Row as CiRow
from racewindow.ci.rows import Status
from racewindow.ci.shares import Past
from racewindow.cli_matrix import progress_panel as matrix_panel
from racewindow.failure import Size
from racewindow.matrix_search import MatrixProgress
from racewindow.progress_panel import Panel, Row, explain_panel, exploration_panel, shrink_panel
from racewindow.progress_view import WIDTH, drawn
from racewindow.sparkline import ASCII_BLOCKS, BLOCKS, sparkline
from racewindow.statistics import TreeSize
from tests.harness.test_progress import told


def words(panel: Panel) -> dict[str, str]:
    return {row.label: row.words for row in panel.rows}


def picture(panel: Panel, *, ascii_only: bool = False, width: int = 80) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None, highlight=False).print(drawn(panel, ascii_only=ascii_only))
    return stream.getvalue().splitlines()


RANDOM = told(
    executions=12_345,
    failing=0,
    seconds=1.5,
    schedules=20_000,
    strategy="random",
    distinct_traces=521,
    curve=((1, 1), (1_000, 300), (4_000, 500), (12_345, 521)),
    new_trace_chance=0.054,
    tree=TreeSize(math.log(3.21e15), 0.1),
)


def test_the_panel_of_an_exploration_is_this() -> None:
    assert picture(exploration_panel("lost-update", RANDOM)) == [
        "╭─ lost-update · random ───────────────────────────────────╮",
        "│ executions  12,345 of 20,000 (61%)                       │",
        "│ rate        8,230/s                                      │",
        "│ failures    none so far                                  │",
        "│ orders      521 distinct  ▃▅▆▆▇▇██████████████████       │",
        "│ new order   5.4% chance, estimated                       │",
        "│ in all      ~3.2 × 10^15 interleavings, estimated        │",
        "│ time        0:01 so far, 0:01 left                       │",
        "╰─────────────── Ctrl-C ends it, and shows what was found ─╯",
        " ",
    ]


@pytest.mark.parametrize(
    ("figures", "rows"),
    [
        ({"executions": 0, "seconds": 0.0}, {"executions": "0", "rate": "not known yet"}),
        ({"executions": 1, "seconds": 40.0}, {"rate": "0.025/s", "time": "0:40 so far, no limit"}),
        ({"failing": 1, "groups": 6}, {"failures": "1 execution, in 6 ways"}),
        ({"failing": 4_812, "groups": 1}, {"failures": "4,812 executions"}),
        ({"schedules": 10**40}, {"executions": "500 of 1.0 × 10^40 (0%)"}),
        ({"schedules": 501}, {"executions": "500 of 501 (99%)"}),
        (
            {"shrinking": ShrinkProgress(120, Size(2, 1, 3, 44), 2.5, ShrinkLimits())},
            {"shrinking": "120 tries, 3 deviations, 0:08 left", "time": "explored for 0:00"},
        ),
        ({"explaining": 1}, {"explaining": "1 execution", "time": "explored for 0:00"}),
    ],
)
def test_each_figure_is_told_as_it_is(figures: dict[str, Any], rows: dict[str, str]) -> None:
    assert rows.items() <= words(exploration_panel("x", told(**figures))).items()


HALF = TreeSize(math.log(1_000), None)


@pytest.mark.parametrize(
    ("figures", "rows"),
    [
        ({"strategy": "random"}, {"orders": "not counted (--footprints)"}),
        (
            {"strategy": "random", "new_trace_chance": 0.0},
            {"orders": "9 distinct", "new order": "0.0% chance, estimated"},
        ),
        (
            {"strategy": "random", "new_trace_chance": 1e-9},
            {"orders": "9 distinct", "new order": "<0.1% chance, estimated"},
        ),
        ({"strategy": "pct"}, {"orders": "9 distinct", "new order": "not known yet"}),
        (
            {"strategy": "surw"},
            {"orders": "9 distinct", "new order": "unknown (executions are not independent)"},
        ),
        (
            {"strategy": "auto: pct", "part_chance": 0.5},
            {"orders": "9 distinct", "new order": "50.0% chance, estimated (new to pct)"},
        ),
        ({"strategy": "dpor", "searched": 500}, {"orders": "9 distinct"}),
        (
            {"strategy": "dpor", "searched": 500, "tree": HALF},
            {"orders": "9 distinct", "searched": "50.0% of ~1,000 orders, a guess"},
        ),
        (
            {"strategy": "auto: fuzz", "searched": 500, "tree": HALF},
            {
                "orders": "9 distinct",
                "new order": "unknown (executions are not independent)",
                "searched": "50.0% of ~1,000, a guess",
            },
        ),
    ],
)
def test_the_chance_of_a_new_order_is_told_where_there_is_one(figures: dict[str, Any], rows: dict[str, str]) -> None:
    traces = None if "not counted (--footprints)" in rows.values() else 9
    about = words(exploration_panel("x", told(distinct_traces=traces, **figures)))

    assert {label: about[label] for label in about if label in {"orders", "new order", "searched", "in all"}} == rows


def test_a_matrix_names_its_set_and_an_explanation_promises_no_result() -> None:
    matrix = matrix_panel("bank", MatrixProgress(12, 36, ("lock", "wait"), RANDOM, 30.0, 600.0))
    explanation = explain_panel("bank", told())

    assert words(matrix)["safeguards"] == "set 13 of about 48: lock+wait"
    assert words(matrix)["time"] == "0:30 so far, about 1:30 left"
    assert words(matrix)["executions"] == "12,345 of 20,000 (61%)"
    assert (words(explanation)["failing"], explanation.hint) == ("3", "")


def row(status: Status) -> CiRow:
    return CiRow(kind="target", name="x", target="x", expected="safe", found="", status=status)


def test_a_run_of_all_targets_counts_what_went_wrong_and_shows_the_one_at_work() -> None:
    progress = CiProgress(
        (row("ok"), row("unexpected"), row("ok"), row("broken")), 42, "bank, closed", RANDOM, 61.0, 9.5
    )
    panel = ci_panel(progress)

    assert words(panel) | {"rows": "4 of 42 done, 1 FAILED, 1 BROKEN"} == words(panel)
    assert words(panel) | {"now": "bank, closed · random", "time": "1:01 so far, about 0:10 left"} == words(panel)
    assert [each.alarming for each in panel.rows if each.label == "rows"] == [True]
    assert ci_line(progress) == "4 of 42 done, 1 FAILED, 1 BROKEN  0:10 left  bank, closed  12,345 executions"
    assert words(ci_panel(progress._replace(left=None, current=None)))["time"] == "1:01 so far"


def test_the_time_left_is_that_of_last_time_and_within_the_budget() -> None:
    times = {"a": Past(4.0, enough=True), "b": Past(6.0, enough=False)}

    assert expected_seconds("a", 1.0, ["b"], times, None) == 9.0
    assert expected_seconds("a", 5.0, ["b"], times, None) == 6.0
    assert expected_seconds("a", 1.0, ["b"], times, 2.0) == 2.0
    assert expected_seconds("a", 1.0, ["new"], times, 2.0) == 2.0
    assert expected_seconds("a", 1.0, ["new"], times, None) is None
    assert expected_seconds("a", 1.0, [], times, -1.0) == 0.0


# --- the curve -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("curve", "line"),
    [
        ((), ""),
        (((1, 0),), ""),
        (((1, 1),), "█"),
        (((1, 1), (2, 1), (3, 2)), "▅▅█"),
        (((8, 8),), "▂▃▄▅▆▇██"),
        (((1, 1), (800, 1)), "████████"),
        (((400, 0), (800, 10)), "▁▁▁▁▃▅▇█"),
    ],
)
def test_the_curve_is_drawn_to_scale(curve: tuple[tuple[int, int], ...], line: str) -> None:
    assert sparkline(curve, 8) == line
    assert sparkline(curve, 8, ASCII_BLOCKS) == line.translate(str.maketrans(BLOCKS, ASCII_BLOCKS))


big = st.integers(0, 10**30)
curves = st.lists(st.tuples(st.integers(1, 10**12), big), max_size=9).map(
    lambda points: tuple(zip(sorted({x for x, _ in points}), sorted(y for _, y in points), strict=False))
)


@given(curves, st.integers(1, 100))
def test_a_curve_never_falls_and_keeps_to_its_columns(curve: tuple[tuple[int, int], ...], columns: int) -> None:
    line = sparkline(curve, columns)

    assert len(line) <= columns
    assert list(line) == sorted(line)
    assert not line or line[-1] == BLOCKS[-1]


# --- the frame -------------------------------------------------------------------------------------------------------

seconds = st.floats(0, 1e300)
shrinkings = st.builds(
    ShrinkProgress, big, st.builds(Size, big, big, big, big), seconds, st.builds(ShrinkLimits, big, seconds)
)
counts = st.builds(
    Progress,
    executions=big,
    failing=big,
    steps=big,
    seconds=seconds,
    schedules=st.none() | st.integers(1, 10**300),
    seconds_limit=st.none() | seconds,
    distinct_traces=st.none() | big,
    new_trace_chance=st.none() | st.floats(0, 1),
    part_chance=st.none() | st.floats(0, 1),
    strategy=st.sampled_from(["", "dpor", "auto: random", "surw"]) | st.text(max_size=90),
    tree=st.none() | st.builds(TreeSize, st.floats(0, 1e6), st.none()),
    searched=st.none() | big,
    curve=curves,
    groups=big,
    shrinking=st.none() | shrinkings,
    explaining=st.none() | big,
)
runs = st.builds(CiProgress, st.just(()), big, st.text(), st.none() | counts, seconds, st.none() | seconds)
matrices = st.builds(
    MatrixProgress, big, big, st.lists(st.text()).map(tuple), st.none() | counts, seconds, st.none() | seconds
)
panels = st.one_of(
    st.builds(exploration_panel, st.text(), counts),
    st.builds(explain_panel, st.text(), counts),
    st.builds(shrink_panel, st.text(), shrinkings),
    st.builds(matrix_panel, st.text(), matrices),
    st.builds(ci_panel, runs),
)


@given(panel=panels, ascii_only=st.booleans(), width=st.integers(WIDTH, 200))
def test_no_line_is_wider_than_the_panel_whatever_the_figures(panel: Panel, *, ascii_only: bool, width: int) -> None:
    lines = picture(panel, ascii_only=ascii_only, width=width)

    assert len(lines) == len(panel.rows) + 3, "no line is broken"
    assert {cell_len(line) for line in lines[:-1]} == {WIDTH}
    assert all(each.isprintable() for each in lines)


def test_a_name_controls_no_terminal_and_is_no_markup() -> None:
    top, *_ = picture(Panel("\x1b[31m[bold]rød\x07 · ok", (Row("a", "b"),)))

    assert top.startswith("╭─ ?[31m[bold]rød? · ok ──")


def test_a_terminal_without_more_than_ascii_gets_no_more_than_that() -> None:
    lines = picture(exploration_panel("rød", RANDOM), ascii_only=True)

    assert lines[4].startswith("│ orders      521 distinct  :=++**")
    assert all(line[1:-1].replace("─", "-").isascii() for line in lines)
