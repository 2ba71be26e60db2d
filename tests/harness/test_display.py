"""What a scenario has reports show: values over virtual time and consequences, drawn, listed and said in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racewindow import Chart, Consequence, Display, Event, Mark, Point, Scenario, Schedule, Series, replay
from racewindow.display import consequence_text, losses, shown_of, wrong_values
from racewindow.page_axis import time_axis, value_axis
from racewindow.page_chart import chart_figure
from tests.harness.test_cli_report import Page

SECOND = 10**9
TRUE = Series("ground truth", (Point(0, 12143128),), truth=True)
SAID = Series("the chain", (Point(0, 12143128, "block 6"), Point(60 * SECOND, 0, "block 7", wrong=True)))
INDEX = Chart("XRP funding index", "USDT per XRP", (TRUE, SAID), decimals=8, marks=(Mark(60 * SECOND, "restart"),))


def paths(figure: str, kind: str) -> list[str]:
    return re.findall(rf'<path class="{kind}" d="([^"]*)"', figure)


def test_a_wrong_value_is_said_beside_the_true_one() -> None:
    assert list(wrong_values(INDEX)) == ["T+01:00.000 block 7: 0; ground truth: 0.12143128."]


def test_a_value_holds_until_it_is_changed_so_lines_have_steps() -> None:
    figure = str(chart_figure(INDEX, 1, 60 * SECOND))
    (true,), (said,), (off,) = paths(figure, "truth"), paths(figure, "said0"), paths(figure, "off")

    assert re.fullmatch(r"M[\d.]+ [\d.]+H[\d.]+", true)
    assert re.fullmatch(r"M[\d.]+ [\d.]+H[\d.]+V[\d.]+H[\d.]+", said)
    assert said.split("H")[1].split("V")[0] == off.split()[0][1:], "it is wrong from where it changes"


def test_a_chart_is_to_be_read_without_seeing_it() -> None:
    figure = str(chart_figure(INDEX, 1, None))
    page = Page(figure)
    described = dict(page.attributes)["aria-describedby"]

    assert page.problems == []
    assert f'<desc id="{described}">' in figure
    assert "the chain: 0.12143128 at first, 0 at last, from 0 to 0.12143128." in figure
    assert figure.count("<tr") == 4, "the head, the truth, and two blocks"
    assert "✗ wrong: block 7" in figure
    assert "USDT per XRP" in figure


def test_what_happens_at_one_instant_is_drawn_in_its_order() -> None:
    points = (Point(5, 1), Point(5, 2, wrong=True), Point(5, 1))
    figure = str(chart_figure(Chart("x", "", [Series("it", points)], marks=[Mark(5, "a mark")]), 1, 5))
    (line,) = paths(figure, "said0")

    assert "in this order" in figure
    assert "a mark" not in figure
    assert len(set(re.findall(r"H([\d.]+)", line))) == 3


def test_a_gap_in_what_is_known_is_a_gap_in_the_line() -> None:
    figure = str(chart_figure(Chart("x", "", [Series("it", (Point(0, 1), Point(1, None), Point(2, 3)))]), 1, None))

    assert paths(figure, "said0")[0].count("M") == 2
    assert ">unknown<" in figure


def test_of_very_many_changes_those_around_what_is_wrong_are_listed() -> None:
    points = [Point(n, n % 7, wrong=n == 700) for n in range(1_000)]
    figure = str(chart_figure(Chart("x", "", [Series("it", points)]), 1, None))

    assert figure.count("<tr") == 61
    assert "940 more changes" in figure
    assert "✗ wrong" in figure


def test_a_chart_of_very_many_points_is_as_large_as_what_can_be_seen_of_it() -> None:
    points = [Point(n, n % 97, wrong=n % 2 == 0) for n in range(20_000)]
    points[12_000] = Point(12_000, 500)
    figure = str(chart_figure(Chart("x", "", [Series("it", points)]), 1, None))
    heights = [float(each) for each in re.findall(r"V([\d.]+)", paths(figure, "said0")[0])]

    assert len(figure) < 200_000
    assert heights.count(min(heights)) == 1, "the one that stands out is there"


@pytest.mark.parametrize(
    ("charts", "why"),
    [
        (lambda _: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda _: ["a chart"], "is no racewindow.Chart"),
        (lambda _: [Chart("t", "", [Series("s", [Point(2, 1), Point(1, 1)])])], "not in the order of time"),
        (lambda _: [Chart("t", "", [Series("s", [Point(2, float("nan"))])])], "no finite number"),
        (lambda _: [Chart("t", "", [Series("s", [Point(2, 1, note=7)])])], "7 has to be a text"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_shown_is_said_and_hides_nothing_else(charts: Any, why: str) -> None:
    shown = shown_of(Display(charts=charts, consequences=lambda _: [Consequence(0, "a", "b")]), ())

    assert shown.charts == ()
    assert len(shown.consequences) == 1
    assert why in shown.problems[0]


def test_consequences_are_added_up_by_unit_and_exactly() -> None:
    def found(_: Sequence[Event]) -> Iterable[Consequence]:
        yield Consequence(0, "account-1", "is liquidated", 97_850, "USDT", wrong=True)
        yield Consequence(1, "account-2", "is liquidated", 10, "USDT")
        yield Consequence(1, "account-2", "waits", 3, "hours", decimals=0)
        yield Consequence(1, "account-3", "looks on")

    shown = shown_of(Display(consequences=found), ())

    assert losses(shown.consequences) == ["978.60 USDT", "3 hours"]
    assert consequence_text(shown.consequences[0]) == (
        "account-1 is liquidated; loses 978.50 USDT (should not have been)"
    )
    assert shown_of(Display(consequences=lambda _: [Consequence(0, "a", "b", 1.5)]), ()).problems  # type: ignore[arg-type]


numbers = st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, places=8)


@given(numbers, numbers)
def test_an_axis_has_round_numbers_around_what_it_shows(one: Decimal, other: Decimal) -> None:
    low, high = sorted((one, other))
    axis = value_axis(low, high)
    values = [value for value, _ in axis.ticks]

    assert axis.low < low <= high < axis.high
    assert all(axis.low <= value <= axis.high for value in values)
    assert 1 <= len(values) <= 7
    assert len({label for _, label in axis.ticks}) == len(values)


@given(st.integers(0, 10**16), st.integers(0, 10**16))
def test_time_is_counted_in_what_people_count_in(start_ns: int, span_ns: int) -> None:
    axis = time_axis(start_ns, start_ns + span_ns)

    assert axis.high > start_ns + span_ns
    assert all(axis.low <= value <= start_ns + span_ns for value, _ in axis.ticks)
    assert len(axis.ticks) <= 6


def test_the_example_of_the_page_is_shown(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "report.md"
    (block,) = re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"__name__": "example"}
    (file := tmp_path / "shop.py").write_text(block, encoding="utf-8")  # its source is looked at as well
    exec(compile(block, str(file), "exec"), names)  # noqa: S102  # our own page
    shop: Scenario = names["shop"]
    shown = shown_of(shop.display, replay(shop, Schedule()).events)

    assert shown.problems == ()
    assert list(wrong_values(shown.charts[0])) == ["T+00:00.000 order-1: 10.99; list price: 9.99."]
    assert losses(shown.consequences) == ["1.00 euros"]


@pytest.mark.parametrize(
    "shown",
    [
        Chart("x", "", [Series("it", [Point(0, 1, wrong=True)])], decimals=10**20),
        Chart("x", "", [Series("it", [Point(0.5, 1), Point(1.5, 2)])]),  # type: ignore[arg-type]
        Chart("x", "", [Series("it", [Point(0, 1), Point(1, 2)])], marks=[Mark("soon", "it")]),  # type: ignore[arg-type]
        Consequence(1, "who", "lost", 5, decimals="2"),  # type: ignore[arg-type]
        Consequence("soon", "who", "lost"),  # type: ignore[arg-type]
    ],
    ids=["decimals", "time of a point", "time of a mark", "decimals of a loss", "time of a loss"],
)
def test_what_could_not_be_written_down_is_a_problem_and_no_crash_of_the_report(shown: Chart | Consequence) -> None:
    charts = (lambda _: [shown]) if isinstance(shown, Chart) else None
    consequences = (lambda _: [shown]) if isinstance(shown, Consequence) else None
    found = shown_of(Display(charts=charts, consequences=consequences), ())

    assert not (found.charts or found.consequences)
    assert "has to be an integer" in found.problems[0]


def test_a_series_without_points_is_drawn_as_nothing() -> None:
    assert paths(str(chart_figure(Chart("x", "", [Series("it", ())]), 1, None)), "said0") == [""]
