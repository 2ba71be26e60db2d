"""What GitHub Actions shows of a run: annotations at lines of the diff, and a summary of the step.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Sequence

from racewindow.ci.places import Place, shown_place
from racewindow.ci.rows import Row
from racewindow.ci.table import again, cause

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
"""Names the file that the summary is appended to."""


def annotations_of(rows: Sequence[Row]) -> list[str]:
    """A line for each row that is not as expected."""
    return [_annotation(row) for row in rows if row.status != "ok"]


def _annotation(row: Row) -> str:
    place = shown_place(row.failure, row.source, Place(row.file, row.line))
    lines = [f"expected {row.expected}, found {row.found}", *row.why, *cause(row)]
    if row.failure_file:
        lines.append(again(row))
    level = "warning" if row.status == "unsure" else "error"
    where = f"file={_property(place.path)},line={place.line},title={_property(f'racewindow: {row.name}')}"
    return f"::{level} {where}::{_data(chr(10).join(lines))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
