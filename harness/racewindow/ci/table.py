"""The table for a terminal: 80 columns, a line for each row as soon as it is done, then what has to be looked at."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from racewindow.ci.config import Config
from racewindow.ci.places import places_of
from racewindow.ci.rows import WORDS, Row, count_of, exit_status
from racewindow.report_layout import WIDTH, counted, wrap

_STATUS, _NAME, _EXPECTED = 6, 28, 8
_FOUND = WIDTH - 2 - _STATUS - 2 - _NAME - 2 - _EXPECTED - 2


def head(config: Config, past: int, seed: int) -> str:
    """What is about to be run, with which seed."""
    said = f"{counted(past, 'past failure')}, {counted(len(config.targets), 'target')}; seed {seed}"
    if config.seed is None:
        said += f" (of today; --seed {seed} repeats it)"
    if config.budget is not None:
        said += f"; budget {config.budget:g} s"
    title = f"  {'':{_STATUS}}  {'target':{_NAME}}  {'expected':{_EXPECTED}}  found"
    return "\n".join([*wrap(f"racewindow ci: {said}."), "", title])


def line_of(row: Row) -> str:
    """A row; what is too long for its column goes on below. By whom it is to fail is told where it does not."""
    name = f"past: {row.name}" if row.kind == "past" else row.name
    cells = [_cut(name, _NAME), _cut(row.expected.partition(":")[0], _EXPECTED), _cut(row.found, _FOUND)]
    lines = []
    for number in range(max(map(len, cells))):
        name, expected, found = (cell[number] if number < len(cell) else "" for cell in cells)
        word = "" if number else WORDS[row.status]
        lines.append(f"  {word:{_STATUS}}  {name:{_NAME}}  {expected:{_EXPECTED}}  {found}".rstrip())
    return "\n".join(lines)


def _cut(text: str, width: int) -> list[str]:
    """`text` in pieces that fit, parted after a space, a dash or the like where there is one."""
    pieces = []
    while len(text) > width:
        at = max(text.rfind(mark, 0, width) for mark in " -_/.:,")
        at = at + 1 if at >= width // 3 else width
        pieces.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*pieces, text]


def tail(rows: Sequence[Row], notes: Sequence[str]) -> str:
    """What is not as expected, row by row, and what it comes to."""
    lines: list[str] = []
    for row in rows:
        if row.status != "ok":
            lines += ["", *_told(row)]
    for note in notes:
        lines += ["", *wrap(f"Note: {note}", hang=2)]
    return "\n".join([*lines, "", *wrap(summary(rows))])


def _told(row: Row) -> list[str]:
    lines = wrap(
        f"{WORDS[row.status]}  {row.name}  ({row.file}{f':{row.line}' if row.kind == 'target' else ''})", hang=2
    )
    for reason in row.why:
        lines += wrap(reason, 2, 5 if reason.startswith(("Why: ", "Do:  ")) else 2)
    story = () if row.failure is None else row.failure.story or row.failure.deviations
    lines += [each for line in story[-_STORY:] for each in wrap(line, 4, 2)]
    lines += [each for line in cause(row) for each in wrap(line, 2, 4)]
    if row.failure_file and (row.kind == "target" or row.status in ("unexpected", "unsure")):
        lines.append(f"  again:  {again(row)}")
    return lines


_STORY = 12
"""Lines of a story, the last ones: a table is no report."""


def cause(row: Row) -> list[str]:
    """The racing pair of what was found, and what closes it, as far as somebody has found out."""
    failure = row.failure
    explanation = None if failure is None else failure.explanation
    if failure is None or explanation is None:
        return []
    sides = [f"{each.says} at {each.name}:{each.line}" for each in places_of(failure, row.source) if each.says]
    closing = [f"the safeguard {each.name}" for each in explanation.safeguards]
    closing += [str(constraint) for fix in explanation.fixes[:1] for constraint in fix.constraints]
    return [
        *([f"race: {', then '.join(sides)}"] if sides else []),
        *([f"closed by: {closing[0]}"] if closing else []),
    ]


def again(row: Row) -> str:
    """The command that shows it."""
    return shlex.join(["racewindow", "replay", row.failure_file])


def summary(rows: Sequence[Row]) -> str:
    """One sentence."""
    parts = [f"{count_of(rows, 'ok')} of {len(rows)} as expected"]
    for status, said in (("unexpected", "not as expected"), ("unsure", "not known"), ("broken", "not run as asked")):
        if number := count_of(rows, status):  # type: ignore[arg-type]
            parts.append(f"{number} {said}")
    return f"{', '.join(parts)}; exit status {exit_status(rows)}."
