"""The page of an exploration: what was run by which strategy, what that says, and the failures with their own pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from racewindow.failure import Failure
from racewindow.markup import Html, Part, tag
from racewindow.page_layout import folded, page, section, table
from racewindow.report import claim_text, explored_facts, part_words
from racewindow.report_failure import name_of, untrusted_text
from racewindow.report_layout import counted
from racewindow.result import Part as Share
from racewindow.result import Result

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 220, 64, 30, 12
_NAME_MAX = 24
_POINTS_LEAST, _LATELY = 2, 0.8
"""Of a curve; and the share of its executions after which it is late."""
_VERDICTS: Mapping[str, str] = {
    "failure": "FAILURE in {name}",
    "complete": "Nothing found in {name}, and nothing is left to run",
    "nothing found": "Nothing found in {name}",
    "untrusted": "The result for {name} cannot be trusted",
}


class Linked(NamedTuple):
    """The page of a failure, relative to this one; or why there is none."""

    page: str | None
    why: str = ""


def exploration_page(result: Result, links: Sequence[Linked], feed: str | None = None) -> str:
    """The whole page. `links`: one for each failure of the result; `feed`: the user's own, if there is one."""
    title = _VERDICTS[result.verdict].format(name=result.scenario)
    claim = untrusted_text(result) if result.untrusted else claim_text(result)
    return page(
        title,
        tag(
            "header",
            tag("h1", title),
            tag("p", f"{counted(result.executions, 'execution')}, {result.failing:,} failed.", class_="result"),
            [tag("p", each) for each in _paragraphs(claim) if each.rstrip(".") != title],
        ),
        section("What was found", _groups(result, links), name="found") if result.failures else None,
        section("What was explored", *_explored(result, feed), name="explored"),
        section("How new orders were discovered", *_discovery(result), name="discovery"),
    )


def _paragraphs(text: str) -> list[str]:
    """Of a text that is wrapped for a terminal."""
    return [" ".join(each.split()) for each in text.split("\n\n") if each.strip()]


def _groups(result: Result, links: Sequence[Linked]) -> Html:
    rows = tag("tbody", [_group(each, link) for each, link in zip(result.failures, links, strict=True)])
    heads = ("executions", "first in execution", "what is wrong", "about")
    told = "One row for each kind, checker and class, with a link to its page; the gravest first"
    several = ". One execution can fail in several ways" if len(result.failures) > 1 else ""
    return tag("div", table(f"{told}{several}", heads, rows), class_="groups")


def _group(failure: Failure, link: Linked) -> Html:
    about = ", ".join(filter(None, (failure.class_, failure.subject)))
    name: Part = name_of(failure)
    if link.page:  # in the name, so that it is seen on a phone without scrolling the table
        name = tag("a", name, href=link.page, aria_label=f"{name}: {about}" if about else None)
    none = None if link.page else f" (no page: {link.why})"
    return tag(
        "tr",
        tag("td", f"{failure.count:,}", class_="num", data_of="executions"),
        tag("td", f"{failure.execution + 1:,}", class_="num", data_of="first in execution"),
        tag("td", tag("b", name), none, tag("br"), failure.message),
        tag("td", about, data_of="about") if about else tag("td"),
    )


def _explored(result: Result, feed: str | None) -> list[Part]:
    headline, *facts = explored_facts(result, feed)
    parts: list[Part] = [tag("p", headline.removeprefix("Explored: "))]
    if result.parts:
        rows = [_part(part, result) for part in result.parts]
        heads = ("strategy", "executions", "failed", "ran every order", "why it began or ended, and what it says")
        parts.append(table("Who did what", heads, tag("tbody", rows)))
        names = tuple(f"by {part.strategy}: " for part in result.parts)
        facts = [fact for fact in facts if not fact.startswith(names)]
    return [*parts, tag("ul", [_fact(fact) for fact in facts], class_="facts")]


def _part(part: Share, result: Result) -> Html:
    return tag(
        "tr",
        tag("th", part.strategy, scope="row"),
        tag("td", f"{part.executions:,}", class_="num"),
        tag("td", f"{part.failing:,}", class_="num"),
        tag("td", "yes" if part.complete else "no"),
        tag("td", "; ".join(part_words(part, result))),
    )


def _fact(fact: str) -> Html:
    name, colon, rest = fact.partition(": ")
    if not colon or len(name) > _NAME_MAX:
        return tag("li", fact)
    return tag("li", tag("b", name), f" {rest}")


# --- the curve -------------------------------------------------------------------------------------------------------


def _discovery(result: Result) -> list[Part]:
    """Distinct traces over executions, as far as these are known."""
    if result.distinct_traces is None:
        return [tag("p", "Not known: orders can only be told apart with --footprints.")]
    said = f"{counted(result.distinct_traces, 'distinct order')} in {counted(result.executions, 'execution')}"
    points = result.curve
    if len(points) < _POINTS_LEAST:
        return [tag("p", f"{said}.")]
    return [tag("p", f"{said}; {_lately(points)}."), _curve(points), folded("Its values", _values(points))]


def _lately(points: Sequence[tuple[int, int]]) -> str:
    """Whether there still is something new."""
    end, seen = points[-1]
    at, before = max((each for each in points if each[0] <= end * _LATELY), default=(0, 0))
    new = seen - before
    said = f"{new:,} were" if new > 1 else "1 was" if new else "none was"
    return f"in the last {counted(end - at, 'execution')} {said} new"


def _values(points: Sequence[tuple[int, int]]) -> Html:
    rows = [tag("tr", tag("td", f"{x:,}", class_="num"), tag("td", f"{y:,}", class_="num")) for x, y in points]
    return table("Distinct orders after so many executions", ("executions", "distinct orders"), tag("tbody", rows))


def _curve(points: Sequence[tuple[int, int]]) -> Html:
    """Both axes begin at 0; the numbers are at the ends, and in the table of who does not see it."""
    most_x, most_y = points[-1][0], max(y for _, y in points)
    wide, high = _WIDTH - _LEFT - 12, _HEIGHT - _TOP - _BOTTOM

    def place(x: float, y: float) -> str:
        return f"{_LEFT + wide * x / most_x:.1f},{_TOP + high * (1 - y / most_y):.1f}"

    line = " ".join([place(0, 0), *(place(x, y) for x, y in points)])
    bottom = _TOP + high
    ticks: list[Part] = []
    for share in (0, 0.5, 1):
        x, y = _LEFT + wide * share, _TOP + high * (1 - share)
        ticks += [
            tag("text", f"{math.floor(most_x * share):,}", x=x, y=bottom + 16, text_anchor="middle"),
            tag("text", f"{math.floor(most_y * share):,}", x=_LEFT - 6, y=y + 4, text_anchor="end"),
            tag("line", class_="rail", x1=_LEFT, x2=_LEFT + wide, y1=y, y2=y),
        ]
    drawing = tag(
        "svg",
        ticks,
        tag("polyline", points=line),
        class_="curve",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        width=_WIDTH,
        role="img",
        aria_label=f"Distinct orders over executions, from 0 to {most_y:,} in {most_x:,}",
    )
    return tag("figure", drawing, tag("figcaption", "distinct orders (up) over executions (across)", class_="soft"))
