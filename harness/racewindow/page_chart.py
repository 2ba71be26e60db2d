"""Charts of a failure: values over virtual time as drawings that need no script, each with its values in a table.

The lines are steps, because a value holds until it is changed. What is wrong is drawn in the colour of what goes wrong,
has a cross, and is said in a sentence, so that nobody depends on colours, or on seeing the drawing at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from string import ascii_lowercase
from typing import NamedTuple

from racewindow.display import Chart, Point, Series, first_wrong_values
from racewindow.markup import Html, Part, tag
from racewindow.page_axis import Axis, time_axis, value_axis
from racewindow.page_layout import folded, table
from racewindow.plain import clock_text

_WIDTH, _HEIGHT, _TOP, _BOTTOM, _RIGHT = 460, 230, 34, 38, 10
_LETTER = 6.7
"""How wide a letter of the labels is, about."""
_ROWS = 60
_COLUMN_MAX = 6
"""Points that are drawn in one column, a pixel wide."""
_KINDS = 3
"""Kinds of line for what is held against the truth; further series begin again."""


def chart_figure(chart: Chart, number: int, wrong_ns: int | None) -> Html:
    """A chart with its legend, what is wrong in it in words, and its values.

    `number`: that no other chart of the page has. `wrong_ns`: when the execution goes wrong, None if that is not known.
    """
    said = [f"✗ {each}" for each in first_wrong_values(chart)]
    marks = [
        tag("li", tag("b", f"{letter} "), f"{clock_text(time_ns)} {text}") for letter, time_ns, text in _marks(chart)
    ]
    return tag(
        "figure",
        tag("figcaption", tag("h3", chart.title), _legend(chart)),
        _drawing(chart, f"chart-{number}", wrong_ns),
        tag("p", " ".join(said), class_="wrong") if said else None,
        tag("ul", marks, class_="marks") if marks else None,
        folded("Its values", _values(chart)),
        class_="chart",
    )


def _kinds(chart: Chart) -> list[tuple[Series, str]]:
    """The series with the class of each line, the truth first, so that it lies below."""
    said = [series for series in chart.series if not series.truth]
    kinds = [(series, f"said{at % _KINDS}") for at, series in enumerate(said)]
    return [*((series, "truth") for series in chart.series if series.truth), *kinds]


def _legend(chart: Chart) -> Html:
    items: list[Html] = []
    for series, kind in _kinds(chart):
        swatch = tag("line", class_=kind, x1=0, x2=26, y1=6, y2=6)
        items.append(tag("li", tag("svg", swatch, width=26, height=12, aria_hidden="true"), f" {series.name}"))
    if chart.is_wrong:
        line = tag("line", class_="off", x1=0, x2=26, y1=6, y2=6)
        items.append(tag("li", tag("svg", line, _cross(13, 6), width=26, height=12, aria_hidden="true"), " wrong"))
    return tag("ul", items, class_="legend")


def _instants(chart: Chart) -> set[int]:
    return {point.time_ns for series in chart.series for point in series.points}


def _marks(chart: Chart) -> Iterator[tuple[str, int, str]]:
    """What happened besides, with a letter for each moment."""
    by_time: dict[int, list[str]] = {}
    for mark in chart.marks if len(_instants(chart)) > 1 else ():
        by_time.setdefault(mark.time_ns, []).append(mark.text)
    for at, time_ns in enumerate(sorted(by_time)):
        letter = ascii_lowercase[at % 26] * (at // 26 + 1)
        yield letter, time_ns, "; ".join(dict.fromkeys(by_time[time_ns]))


# --- the drawing -----------------------------------------------------------------------------------------------------


class _Frame(NamedTuple):
    """Where things are drawn."""

    across: Axis
    up: Axis
    left: float

    def x(self, time_ns: int) -> float:
        return round(self.left + (_WIDTH - self.left - _RIGHT) * self.across.share(time_ns), 1)

    def y(self, value: Decimal) -> float:
        return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * self.up.share(value), 1)


def _drawing(chart: Chart, name: str, wrong_ns: int | None) -> Html:
    """Over virtual time, or if all of it is at one instant, in its order."""
    described, instants = _described(chart), _instants(chart)
    if len(instants) == 1:
        chart, wrong_ns = _in_order(chart), None
    known = [chart.exact(p.value) for series in chart.series for p in series.points if p.value is not None]
    times = [p.time_ns for series in chart.series for p in series.points] or [0]
    up = value_axis(min(known, default=Decimal(0)), max(known, default=Decimal(0)))
    left = max((len(label) for _, label in up.ticks), default=1) * _LETTER + 8
    frame = _Frame(time_axis(min(times), max(*times, wrong_ns or 0)), up, left)
    parts: list[Part] = [
        tag("title", f"{chart.title}, in {chart.unit}, over virtual time", id=f"{name}-title"),
        tag("desc", described, id=f"{name}-desc"),
        _axes(frame, chart.unit),
        _times(frame) if len(instants) > 1 else _at_once(min(instants, default=0)),
        _moments(frame, chart, wrong_ns),
        [_line(frame, chart, series, kind) for series, kind in _kinds(chart)],
    ]
    return tag(
        "svg",
        parts,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_labelledby=f"{name}-title",
        aria_describedby=f"{name}-desc",
    )


def _axes(frame: _Frame, unit: str) -> list[Part]:
    parts: list[Part] = [tag("text", unit, x=0, y=12)]
    for value, label in frame.up.ticks:
        y = frame.y(value)
        parts.append(tag("line", class_="rail", x1=frame.left, x2=_WIDTH - _RIGHT, y1=y, y2=y))
        parts.append(tag("text", label, x=frame.left - 6, y=y + 4, text_anchor="end"))
    return parts


def _times(frame: _Frame) -> list[Part]:
    bottom = _HEIGHT - _BOTTOM
    parts: list[Part] = []
    for time_ns, label in frame.across.ticks:
        x = frame.x(int(time_ns))
        parts.append(tag("line", class_="rail", x1=x, x2=x, y1=bottom, y2=bottom + 5))
        parts.append(tag("text", label, x=x, y=bottom + 17, text_anchor="middle"))
    return [*parts, tag("text", "virtual time", x=_WIDTH - _RIGHT, y=_HEIGHT - 5, text_anchor="end")]


def _in_order(chart: Chart) -> Chart:
    """One point after another instead of all at their one time; what has only one holds all the time."""
    series = [
        replace(each, points=[point._replace(time_ns=at) for at, point in enumerate(each.points)])
        for each in chart.series
    ]
    return replace(chart, series=series, marks=())


def _at_once(time_ns: int) -> Html:
    words = f"all of it at {clock_text(time_ns)}, in this order"
    return tag("text", words, x=_WIDTH - _RIGHT, y=_HEIGHT - 18, text_anchor="end")


def _moments(frame: _Frame, chart: Chart, wrong_ns: int | None) -> list[Part]:
    """What happened at which time, as lines across."""
    parts: list[Part] = []
    for letter, time_ns, _ in _marks(chart):
        x = frame.x(time_ns)
        parts.append(tag("line", class_="moment", x1=x, x2=x, y1=_TOP, y2=_HEIGHT - _BOTTOM))
        parts.append(tag("text", letter, class_="letter", x=x, y=_TOP - 3, text_anchor="middle"))
    if wrong_ns is not None:
        x = frame.x(wrong_ns)
        parts.append(tag("line", class_="moment bad", x1=x, x2=x, y1=_TOP, y2=_HEIGHT - _BOTTOM))
        side = ("end", -5) if x > _WIDTH / 2 else ("start", 5)
        middle = (_TOP + _HEIGHT - _BOTTOM) / 2
        parts.append(tag("text", "✗ wrong here", class_="bad", x=x + side[1], y=middle, text_anchor=side[0]))
    return parts


def _line(frame: _Frame, chart: Chart, series: Series, kind: str) -> list[Part]:
    """The line, with steps, and over it the spans in which it was wrong."""
    end = _WIDTH - _RIGHT
    path: list[str] = []
    spans: list[str] = []
    crosses: list[Html] = []
    pen: float | None = None
    points = _visible(frame, series.points)
    following = [*(frame.x(point.time_ns) for point in points[1:]), end][: len(points)]
    for point, until in zip(points, following, strict=True):
        x = frame.x(point.time_ns)
        if point.value is None:
            path += [] if pen is None else [f"H{x}"]
            pen = None
            continue
        y = frame.y(chart.exact(point.value))
        if y != pen:
            path.append(f"M{x} {y}" if pen is None else f"H{x}V{y}")
        if point.wrong:
            spans.append(f"M{x} {y}H{until}")
            crosses.append(_cross(x, y))
        pen = y
    path += [] if pen is None else [f"H{end}"]
    return [
        tag("path", class_=kind, d="".join(path)),
        tag("path", class_="off", d="".join(spans)) if spans else None,
        crosses,
    ]


def _visible(frame: _Frame, points: Sequence[Point]) -> list[Point]:
    """Of many points in one column of the drawing, those that show: both ends, the extremes, a gap, a wrong one."""
    columns: dict[int, list[Point]] = {}
    for point in points:
        columns.setdefault(int(frame.x(point.time_ns)), []).append(point)
    found: list[Point] = []
    for column in columns.values():
        if len(column) <= _COLUMN_MAX:
            found += column
            continue
        by_value = sorted(range(len(column)), key=lambda at: (column[at].value is None, column[at].value or 0))
        wrong = [at for at, point in enumerate(column) if point.wrong]
        gaps = [at for at, point in enumerate(column) if point.value is None]
        kept = {0, len(column) - 1, by_value[0], by_value[len(column) - len(gaps) - 1], *wrong[:1], *gaps[:1]}
        found += [column[at] for at in sorted(kept)]
    return found


def _cross(x: float, y: float) -> Html:
    return tag("path", class_="cross", d=f"M{x - 4} {y - 4}l8 8m0-8l-8 8")


# --- in words --------------------------------------------------------------------------------------------------------


def _described(chart: Chart) -> str:
    """What the drawing shows, for who does not see it."""
    parts = []
    for series, _ in _kinds(chart):
        values = [point.value for point in series.points if point.value is not None]
        if values:
            ends = f"{chart.text(values[0])} at first, {chart.text(values[-1])} at last"
            parts.append(f"{series.name}: {ends}, from {chart.text(min(values))} to {chart.text(max(values))}.")
    return " ".join([*parts, *first_wrong_values(chart)])


def _values(chart: Chart) -> list[Part]:
    """Every change of every series, or those nearest to what is wrong."""
    kinds = [series for series, _ in _kinds(chart)]
    changes = sorted(
        ((point.time_ns, order, point) for order, series in enumerate(kinds) for point in _changes(series)),
        key=lambda each: each[:2],
    )
    wrong = [at for at, (_, _, point) in enumerate(changes) if point.wrong] or [len(changes) - 1]
    near = sorted(range(len(changes)), key=lambda at: (min(abs(at - each) for each in wrong[:_ROWS]), at))
    kept = sorted(near[:_ROWS])
    rows = [
        tag(
            "tr",
            tag("td", clock_text(time_ns), class_="num"),
            tag("td", kinds[order].name),
            tag("td", chart.text(point.value), class_="num"),
            tag("td", f"{'✗ wrong: ' if point.wrong and point.note else '✗ wrong' if point.wrong else ''}{point.note}"),
            class_="bad" if point.wrong else None,
        )
        for time_ns, order, point in (changes[at] for at in kept)
    ]
    left_out = len(changes) - len(kept)
    more = tag("p", f"{left_out:,} more changes, further from what matters.", class_="soft") if left_out else None
    return [table("Each value from the time on at which it holds", _HEADS, tag("tbody", rows)), more]


_HEADS = ("virtual time", "series", "value", "from")


def _changes(series: Series) -> Iterator[Point]:
    """The points that change something or say something."""
    before: object = _changes
    for point in series.points:
        if point.value != before or point.wrong or point.note:
            yield point
        before = point.value
