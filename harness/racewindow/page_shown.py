"""What a scenario has shown of an execution, on its page: who was hit, and values over virtual time."""

from __future__ import annotations

from racewindow.display import Chart, Consequence, losses, money
from racewindow.markup import Html, Part, tag
from racewindow.page_chart import chart_figure
from racewindow.page_layout import folded, section, table
from racewindow.picture import Picture
from racewindow.plain import clock_text
from racewindow.report_layout import counted

_OPEN = 6
"""Charts that are drawn openly; of more, those in which nothing is wrong are folded away."""


def shown_sections(picture: Picture) -> list[Part]:
    """The sections, those for which there is anything."""
    shown = picture.shown
    problems = [tag("p", problem, class_="wrong") for problem in shown.problems]
    parts: list[Part] = []
    if shown.consequences:
        parts.append(section("Who was hit", _consequences(shown.consequences), name="consequences"))
    if shown.charts or problems:
        wrong_ns = next((act.time_ns for act in picture.failing.acts if act.wrong), None)
        parts.append(section("Values over virtual time", problems, _charts(shown.charts, wrong_ns), name="charts"))
    return parts


def _consequences(consequences: tuple[Consequence, ...]) -> Html:
    lost = any(each.loss is not None for each in consequences)
    rows = [
        tag(
            "tr",
            tag("td", clock_text(each.time_ns), class_="num"),
            tag("th", each.who, scope="row"),
            tag("td", tag("b", "✗ ", class_="wrong") if each.wrong else None, each.what),
            tag("td", _loss(each), class_="num amount") if lost else None,
        )
        for each in consequences
    ]
    wrong = [each for each in consequences if each.wrong]
    cost = " and ".join(losses(wrong))
    said = f"; ✗ {len(wrong):,} should not have been{f', and cost {cost}' if cost else ''}" if wrong else ""
    caption = f"{counted(len(consequences), 'consequence')} of this execution{said}"
    heads = ("virtual time", "who", "what happened", *(["lost"] if lost else []))
    return table(caption, heads, tag("tbody", rows))


def _loss(consequence: Consequence) -> str:
    return "" if consequence.loss is None else money(consequence.loss, consequence.unit, consequence.decimals)


def _charts(charts: tuple[Chart, ...], wrong_ns: int | None) -> list[Part]:
    """Those in which something is wrong come first."""
    ordered = sorted(charts, key=lambda chart: not chart.is_wrong)
    count = max(sum(chart.is_wrong for chart in ordered), _OPEN) if len(ordered) > _OPEN else len(ordered)
    figures = [chart_figure(chart, number, wrong_ns) for number, chart in enumerate(ordered, 1)]
    more = figures[count:]
    return [
        tag("div", figures[:count], class_="charts"),
        folded(f"{counted(len(more), 'more chart')}, in which nothing is wrong", tag("div", more, class_="charts"))
        if more
        else None,
    ]
