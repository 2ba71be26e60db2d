"""What every page has around it: one file, no request, and one script that the page itself names."""

from __future__ import annotations

import base64
import hashlib

from racewindow.markup import Html, Part, join, tag
from racewindow.page_script import SCRIPT
from racewindow.page_style import STYLE

GENERATOR = "racewindow"
"""What every page says that it was made by."""


def page(title: str, *parts: Part) -> str:
    """A whole document. Its policy lets a browser load nothing and run nothing but the `page_script`."""
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=f"{policy}; form-action 'none'"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="generator", content=GENERATOR),
        tag("title", title),
        tag("style", Html(STYLE)),
    )
    skip = tag("a", "To the content", class_="skip", href="#content")
    body = tag("body", skip, tag("main", *parts, id="content"), tag("script", Html(SCRIPT)))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}"


def section(title: str, *parts: Part, name: str) -> Html:
    """A part of the page with its heading; `name`: for a link to it."""
    return tag("section", tag("h2", title, id=name), *parts, aria_labelledby=name)


def table(caption: str, heads: tuple[str, ...], rows: Part) -> Html:
    """A table that scrolls by itself where the window is too narrow."""
    head = tag("thead", tag("tr", [tag("th", each, scope="col") for each in heads]))
    return tag("div", tag("table", tag("caption", caption), head, rows), class_="wide")


def pairs_table(caption: str, rows: dict[str, str]) -> Html:
    """Names and what they are."""
    lines = [tag("tr", tag("th", name, scope="row"), tag("td", text)) for name, text in rows.items()]
    return tag("div", tag("table", tag("caption", caption), tag("tbody", lines)), class_="wide")


def story(lines: tuple[str, ...]) -> Html:
    """Lines `T+01:00.000  what happened`; those without a time say what was left out."""
    items = []
    for line in lines:
        time, gap, rest = line.partition("  ")
        timed = bool(gap) and time.startswith("T")
        items.append(tag("li", tag("time", time), rest) if timed else tag("li", line.strip(), class_="soft"))
    return tag("ol", items, class_="story")


def folded(summary: str, *parts: Part, class_: str | None = None) -> Html:
    """What is there for who opens it."""
    return join(tag("details", tag("summary", summary), *parts, class_=class_))
