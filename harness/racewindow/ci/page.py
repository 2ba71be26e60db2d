"""The run as a page: a table, then what has to be looked at, with links to the pages of failures."""

from __future__ import annotations

from collections.abc import Sequence

from racewindow.ci.config import Config
from racewindow.ci.rows import WORDS, Row, count_of
from racewindow.ci.table import again, cause, summary
from racewindow.markup import Html, Part, tag
from racewindow.page_exploration import Linked
from racewindow.page_layout import page, section, story, table

_SIGNS = {"ok": "✓", "unexpected": "✗", "unsure": "?", "broken": "!"}
_CLASSES = {"ok": "good", "unexpected": "wrong", "unsure": "doubt", "broken": "wrong"}


def ci_page(
    config: Config, seed: int, rows: Sequence[Row], notes: Sequence[str], links: Sequence[Linked | None]
) -> str:
    """The whole page. `links`: the page of each row's failure, None where it has none."""
    left = len(rows) - count_of(rows, "ok")
    title = f"racewindow ci: {f'{left} to look at' if left else 'all as expected'}"
    held = f"Seed {seed}{'' if config.budget is None else f', budget {config.budget:g} s'}."
    bad = [(row, link) for row, link in zip(rows, links, strict=True) if row.status != "ok"]
    return page(
        title,
        tag("header", tag("h1", title), tag("p", summary(rows), class_="wrong" if left else "good"), tag("p", held)),
        _table(rows, links),
        section("What to look at", *(_row(row, link) for row, link in bad), name="look") if bad else None,
        section("Notes", tag("ul", [tag("li", note) for note in notes]), name="notes") if notes else None,
    )


def _table(rows: Sequence[Row], links: Sequence[Linked | None]) -> Html:
    lines = [
        tag(
            "tr",
            tag("td", tag("b", f"{_SIGNS[row.status]} {WORDS[row.status]}", class_=_CLASSES[row.status])),
            tag("th", f"past: {row.name}" if row.kind == "past" else row.name, scope="row"),
            tag("td", row.expected),
            tag("td", row.found),
            tag("td", f"{row.seconds:.1f} s", class_="num"),
            tag("td", _link(row, link)),
        )
        for row, link in zip(rows, links, strict=True)
    ]
    heads = ("verdict", "target", "expected", "found", "time", "page")
    return table("Failures of the past first, then the targets", heads, tag("tbody", lines))


def _link(row: Row, link: Linked | None) -> Part:
    if link is None:
        return ""
    return (
        tag("a", "its failure", href=link.page, aria_label=f"its failure, of {row.name}")
        if link.page
        else f"none: {link.why}"
    )


def _row(row: Row, link: Linked | None) -> Html:
    failure = row.failure
    where = f"{row.file}{f':{row.line}' if row.kind == 'target' else ''}" if row.file else ""
    told = () if failure is None else failure.story or failure.deviations
    return tag(
        "article",
        tag("h3", f"{_SIGNS[row.status]} {row.name} ", tag("span", where, class_="soft"), class_=_CLASSES[row.status]),
        [tag("p", each) for each in row.why],
        story(tuple(told)) if told else None,
        [tag("p", each) for each in cause(row)],
        tag("pre", again(row)) if row.failure_file else None,
        tag("p", _link(row, link)) if link is not None and link.page else None,
        class_="card",
    )
