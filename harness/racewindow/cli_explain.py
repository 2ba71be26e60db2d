"""`racewindow explain FILE`: why a recorded failure happens, and what closes it."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from racewindow.cli_options import positive_seconds, whole_number
from racewindow.cli_output import emit, emit_json, program_output_to
from racewindow.cli_recorded import from_file
from racewindow.errors import UsageError

if TYPE_CHECKING:
    from racewindow.explanation import Explanation
    from racewindow.failure_file import StoredFailure

_NOTHING_TO_RUN = "it is the number of executions to find out with, so it has to be at least 1."


def explain(path: str, *, schedules: str | None, seconds: str | None, as_json: bool, quiet: bool) -> int:
    """Explain the failure of a file, print that, and return the exit status.

    Raises UsageError if the file cannot be read, or the program does not fail in that way any more.
    """
    most = whole_number("--schedules", schedules, least=1, why=_NOTHING_TO_RUN)
    wall = positive_seconds("--seconds", seconds)

    from racewindow import explainer
    from racewindow.progress_view import ProgressView

    if not os.path.lexists(path) and not path.endswith(".json"):
        raise UsageError(
            f"{path} is not a file.",
            why="explain takes the file of a recorded failure.",
            do=f"racewindow explore {path}, which explains what it finds and writes such a file.",
        )
    with program_output_to(sys.stderr):
        order = from_file(path, "explain")
    stored = order.stored
    assert stored is not None
    with ProgressView(sys.stderr, wanted=not quiet) as live, program_output_to(None):
        found = explainer.explain(
            order.scenario,
            replace(stored, schedule=order.schedule),
            schedules=most,
            seconds=wall,
            on_progress=live.explaining(stored.scenario),
        )
    if as_json:
        emit_json(_as_dict(stored, found))
    else:
        emit(_text(stored, found))
    return 0


def _text(stored: StoredFailure, found: Explanation) -> str:
    from racewindow.report_explanation import full
    from racewindow.report_failure import headline
    from racewindow.report_layout import wrap

    return "\n".join([*wrap(headline(stored, stored.scenario), hang=2), "", *wrap(stored.message, 2, 2), *full(found)])


def _as_dict(stored: StoredFailure, found: Explanation) -> dict[str, Any]:
    """The JSON object of `racewindow explain --json`, format 1."""
    from racewindow.failure import found_fields

    return {
        "format": 1,
        "scenario": stored.scenario,
        "target": stored.target,
        **found_fields(stored),
        **found.as_dict(),
        "file": str(stored.path.absolute()),
    }
