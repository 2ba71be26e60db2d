"""The run as a JUnit report, which every CI system shows: a test case for each row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from racewindow.ci.rows import Row, count_of
from racewindow.ci.table import again, cause

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML can hold, escaped or not."""
_SUITES = {"past": "racewindow: past failures", "target": "racewindow: targets"}


def junit_text(rows: Sequence[Row], seed: int) -> str:
    """The document: what is not as expected is a failure, what could not be run or known is an error."""
    root = ET.Element("testsuites", {"name": "racewindow ci", **_counts(rows)})
    for kind, name in _SUITES.items():
        own = [row for row in rows if row.kind == kind]
        if own:
            suite = ET.SubElement(root, "testsuite", {"name": name, **_counts(own)})
            properties = ET.SubElement(suite, "properties")
            ET.SubElement(properties, "property", name="seed", value=str(seed))
            for row in own:
                _add(suite, row)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _counts(rows: Sequence[Row]) -> dict[str, str]:
    return {
        "tests": str(len(rows)),
        "failures": str(count_of(rows, "unexpected")),
        "errors": str(count_of(rows, "unsure") + count_of(rows, "broken")),
        "skipped": str(sum(map(_is_left_out, rows))),
        "time": f"{sum(row.seconds for row in rows):.3f}",
    }


def _is_left_out(row: Row) -> bool:
    return row.found == "left to pytest"


def _add(suite: ET.Element, row: Row) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=_clean(row.target or row.file),
        name=_clean(row.name),
        file=_clean(row.file),
        time=f"{row.seconds:.3f}",
    )
    if _is_left_out(row):
        ET.SubElement(case, "skipped", message=_clean(" ".join(row.why)))
    elif row.status != "ok":
        element = ET.SubElement(
            case,
            "failure" if row.status == "unexpected" else "error",
            type=row.status,
            message=_clean(f"expected {row.expected}, found {row.found}"),
        )
        element.text = _clean("\n".join(_details(row)))
    ET.SubElement(case, "system-out").text = _clean(f"expected {row.expected}; found {row.found}")


def _details(row: Row) -> list[str]:
    lines = [*row.why, *cause(row)]
    if row.failure is not None:
        lines += ["", *(row.failure.story or row.failure.deviations)]
    if row.failure_file:
        lines += ["", again(row)]
    return lines


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
