"""The run as one JSON object, format 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from racewindow.ci.config import Config
from racewindow.ci.places import places_of
from racewindow.ci.rows import Row, exit_status


def as_dict(config: Config, seed: int, rows: Sequence[Row], notes: Sequence[str]) -> dict[str, Any]:
    """What `racewindow ci --json` prints. `exit_status`: of the run, if it was not interrupted."""
    return {
        "format": 1,
        "seed": seed,
        "budget": config.budget,
        "exit_status": exit_status(rows),
        "rows": [_row(each) for each in rows],
        "notes": list(notes),
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "name": row.name,
        "target": row.target,
        "expected": row.expected,
        "found": row.found,
        "status": row.status,
        "why": list(row.why),
        "seconds": round(row.seconds, 3),
        "file": row.file,
        "line": row.line,
        "failure_file": row.failure_file or None,
        "places": [each._asdict() for each in ([] if row.failure is None else places_of(row.failure, row.source))],
        "result": None if row.result is None else row.result.as_dict(),
    }
