"""What became of each failure of the past and each target, and what that means for all of them: the exit status."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from racewindow.failure import Failure
from racewindow.result import Result

Status = Literal["ok", "unexpected", "unsure", "broken"]
"""`unsure`: stale, untrusted or not run, so that nothing is known. `broken`: it could not be run as asked."""

WORDS = {"ok": "ok", "unexpected": "FAILED", "unsure": "UNSURE", "broken": "BROKEN"}
OK, UNEXPECTED, BROKEN, UNSURE = 0, 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    `kind`: a failure of the past, or a target. `target`: what is typed to get the scenario. `found`: what was found, in
    few words. `why`: what a person needs to know besides, in sentences. `seconds`: wall time. `file` and `line`: where
    it stands, relative to the project. `failure`: what was found and not expected. `failure_file`: its file, from the
    current folder.
    """

    kind: Literal["past", "target"]
    name: str
    target: str
    expected: str
    found: str
    status: Status
    why: tuple[str, ...] = ()
    seconds: float = 0.0
    file: str = ""
    line: int = 1
    result: Result | None = None
    failure: Failure | None = None
    failure_file: str = ""
    source: tuple[str, int] = ("", 1)
    """The scenario's file, absolute, and the line on which it begins; "" if nothing is known of it."""


def exit_status(rows: Iterable[Row]) -> int:
    """2 if one could not be run as asked, else 1 if one is not as expected, else 3 if one is unknown, else 0."""
    found = {row.status for row in rows}
    for status, code in (("broken", BROKEN), ("unexpected", UNEXPECTED), ("unsure", UNSURE)):
        if status in found:
            return code
    return OK


def count_of(rows: Iterable[Row], status: Status) -> int:
    """How many rows have that status."""
    return sum(row.status == status for row in rows)
