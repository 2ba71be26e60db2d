"""The failures of a folder on one page, from what their files say; nothing is run."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import NamedTuple

from racewindow.failure_file import StoredFailure
from racewindow.markup import Html, tag
from racewindow.page_layout import folded, page, section, story, table
from racewindow.report_failure import name_of
from racewindow.report_layout import counted


class Unread(NamedTuple):
    """A file that holds no failure, and why."""

    name: str
    why: str


class Found(NamedTuple):
    """Something else that is there: a page, or what a command has said as JSON. `href`: relative to the index."""

    name: str
    what: str
    href: str


def index_page(
    folder: str, failures: Sequence[StoredFailure], unread: Sequence[Unread], found: Sequence[Found] = ()
) -> str:
    """The whole page. `folder`: as it was typed."""
    there = counted(len(failures), "failure") if failures or not found else counted(len(found), "report")
    title = f"{there} in {folder}"
    passed_over = None
    if unread:
        items = [tag("li", tag("code", each.name), f": {each.why}") for each in unread]
        passed_over = section("Passed over", tag("ul", items), name="unread")
    rows = tag("tbody", [_row(each) for each in failures])
    return page(
        title,
        tag("header", tag("h1", title)),
        table("By name of the file", ("scenario", "what is wrong", "about", "file"), rows) if failures else None,
        section("Reports", tag("ul", [_found(each) for each in found]), name="reports") if found else None,
        section("Each of them", *(_card(each) for each in failures), name="each") if failures else None,
        passed_over,
    )


def _found(found: Found) -> Html:
    return tag("li", tag("a", found.name, href=found.href), f": {found.what}")


def _row(stored: StoredFailure) -> Html:
    return tag(
        "tr",
        tag("td", stored.scenario),
        tag("td", tag("b", name_of(stored)), tag("br"), stored.message),
        tag("td", ", ".join(filter(None, (stored.class_, stored.subject)))),
        tag("td", tag("a", stored.path.name, href=f"#{stored.path.name}")),
    )


def _card(stored: StoredFailure) -> Html:
    title = f"{stored.scenario}: {name_of(stored)}"
    deviations = tag("ol", [tag("li", each) for each in stored.deviations])
    parts = [
        tag("h3", title, id=stored.path.name),
        tag("p", stored.message, class_="wrong"),
        story(stored.story),
        folded(f"{counted(len(stored.deviations), 'deviation')} from the default order", deviations),
        tag("pre", shlex.join(["racewindow", "replay", str(stored.path)])),
    ]
    return tag("article", parts, class_="card")
