"""The run as a page of Markdown: a table, then what has to be looked at."""

from __future__ import annotations

from collections.abc import Sequence

from racewindow.ci.rows import WORDS, Row
from racewindow.ci.table import again, cause, summary

_MARKS = {"ok": "✅", "unexpected": "❌", "unsure": "⚠️", "broken": "🚫"}


def markdown_text(rows: Sequence[Row], seed: int, notes: Sequence[str]) -> str:
    """The page; nothing in it can be taken for markup that it does not mean."""
    lines = ["## racewindow", "", f"{summary(rows)} Seed {seed}.", ""]
    lines += ["| | target | expected | found | s |", "|---|---|---|---|---:|"]
    for row in rows:
        name = f"past: {row.name}" if row.kind == "past" else row.name
        cells = [f"{_MARKS[row.status]} {WORDS[row.status]}", _cell(name), _cell(row.expected), _cell(row.found)]
        lines.append(f"| {' | '.join(cells)} | {row.seconds:.1f} |")
    for row in rows:
        if row.status != "ok":
            lines += ["", *_section(row)]
    for note in notes:
        lines += ["", f"Note: {_cell(note)}"]
    return "\n".join(lines) + "\n"


def _section(row: Row) -> list[str]:
    failure = row.failure
    said = [*row.why, *cause(row)]
    if failure is not None:
        said += failure.story or failure.deviations
    if row.failure_file:
        said += ["", again(row)]
    return [f"### {_cell(row.name)}", "", *_fenced("\n".join(said))] if said else [f"### {_cell(row.name)}"]


def _fenced(text: str) -> list[str]:
    fence = "```"
    while fence in text:
        fence += "`"
    return [f"{fence}text", *text.splitlines(), fence]


def _cell(text: str) -> str:
    """Text in a table or a line: no pipe, no markup, no line break."""
    escaped = "".join(f"\\{c}" if c in "\\`*_[]<>|#~" else c for c in text)
    return " ".join(escaped.split())
