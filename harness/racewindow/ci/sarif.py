"""The run as a SARIF 2.1.0 log, which code hosts show at the lines that it names: the racing pair of what was found.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from racewindow.ci.places import Place, places_of, shown_place
from racewindow.ci.rows import Row, exit_status
from racewindow.ci.table import again, cause
from racewindow.failure import KINDS
from racewindow.failure_file import own_version

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_WITHOUT_FAILURE = {
    "unexpected": ("racewindow/verdict", "The verdict is not the expected one, though nothing failed."),
    "unsure": ("racewindow/unknown", "Nothing is known: stale, untrusted or not run."),
    "broken": ("racewindow/broken", "It could not be run as it was asked for."),
}


def sarif_text(rows: Sequence[Row]) -> str:
    """The log, one result for each row that is not as expected."""
    results = [_result(row) for row in rows if row.status != "ok"]
    rules = {result["ruleId"]: _rule(result["ruleId"]) for result in results}
    run = {
        "tool": {
            "driver": {"name": "racewindow", "semanticVersion": _semantic(own_version()), "rules": [*rules.values()]}
        },
        "invocations": [
            {"executionSuccessful": not any(row.status == "broken" for row in rows), "exitCode": exit_status(rows)}
        ],
        "results": [{**each, "ruleIndex": list(rules).index(each["ruleId"])} for each in results],
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _semantic(version: str) -> str:
    return version if version[:1].isdigit() else "0.0.0"


def _rule(name: str) -> dict[str, Any]:
    told = dict(_WITHOUT_FAILURE.values())
    text = told.get(name, f"An order of events ends in {'an' if name[0] in 'aeiou' else 'a'} {name}.")
    if name not in told and name not in KINDS:
        text = f"An order of events breaks {name}."
    return {"id": name, "shortDescription": {"text": text}, "defaultConfiguration": {"level": "error"}}


def _result(row: Row) -> dict[str, Any]:
    failure = row.failure
    places = [] if failure is None else places_of(failure, row.source)
    first = shown_place(failure, row.source, Place(row.file, row.line))
    others = [each for each in places if each != first]
    rule = _WITHOUT_FAILURE[row.status][0] if failure is None else failure.checker or failure.kind
    result: dict[str, Any] = {
        "ruleId": rule,
        "level": "error" if row.status in ("unexpected", "broken") else "warning",
        "message": {"text": _message(row)},
        "locations": [_location(first)],
        "partialFingerprints": {"racewindow/v1": _fingerprint(row, rule)},
        "properties": {"target": row.target, "expected": row.expected, "found": row.found},
    }
    if others:
        result["relatedLocations"] = [{"id": n, **_location(each)} for n, each in enumerate(others, start=1)]
    if len(places) > 1:
        steps = [{"location": _location(each)} for each in places]
        result["codeFlows"] = [{"message": {"text": "The racing pair."}, "threadFlows": [{"locations": steps}]}]
    return result


def _location(place: Place) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(place.path)},
            "region": {"startLine": place.line},
        }
    }
    return {**location, "message": {"text": place.says}} if place.says else location


def _uri(path: str) -> str:
    """Relative to the project, or absolute with a scheme."""
    return f"file://{quote(path)}" if path.startswith("/") else quote(path)


def _message(row: Row) -> str:
    lines = [f"{row.name}: expected {row.expected}, found {row.found}.", *row.why, *cause(row)]
    if row.failure is not None:
        lines += row.failure.story or row.failure.deviations
    if row.failure_file:
        lines.append(f"Again: {again(row)}")
    return "\n".join(lines)


def _fingerprint(row: Row, rule: str) -> str:
    """The same for the same trouble as long as it lasts, wherever lines move."""
    subject = "" if row.failure is None else f"{row.failure.class_}|{row.failure.subject}"
    return hashlib.blake2b(f"{row.name}|{rule}|{subject}".encode("utf-8", "replace"), digest_size=16).hexdigest()
