"""What pytest prints of a test that was explored, and of a session: pure functions of values."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from racewindow.failure import Failure
from racewindow.pytest_exploring import EXPLORED, NOT_EXPLORED, REPLAYED, Done
from racewindow.report_failure import headline, told
from racewindow.report_layout import counted, message, wrap

AGAIN = "To see it again"


def replay_command(file: str, test: str) -> str:
    """What to type to see a failure again."""
    return shlex.join(["pytest", "--racewindow-replay", file, test])


def failure_sections(failure: Failure, test: str, file: str | None) -> tuple[str, list[tuple[str, str]]]:
    """The text of a failure, and the sections below it, the command that replays it last."""
    message_lines = wrap(failure.message, hang=2)
    if failure.checker is not None:
        about = headline(failure, test).removeprefix(f"FAILURE in {test}: ")
        message_lines = [*wrap(about, hang=2), *(f"  {line}" for line in message_lines)]
    sections: list[tuple[str, list[str]]] = []
    lines = told(failure, test)
    for previous, line in zip(["", *lines], lines, strict=False):
        if line.endswith(":") and not line.startswith(" ") and not previous:
            sections.append((line[:-1], []))
        elif sections:
            sections[-1][1].append(line)
    titled = [(title, "\n".join(body).rstrip("\n")) for title, body in sections]
    again = [] if file is None else [(AGAIN, f"  {replay_command(file, test)}")]
    return "\n".join(message_lines), [*titled, *again]


def as_data(done: Done, test: str) -> dict[str, Any]:
    """What a report carries to whoever prints the summary, perhaps in another process: JSON."""
    failed = done.failure is not None and done.file is not None
    return {
        "test": test,
        "how": done.how,
        "why": done.why,
        "executions": done.executions,
        "complete": done.complete,
        "failed": bool(done.wrong),
        "replay": replay_command(done.file or "", test) if failed else "",
        "corpus": [list(each) for each in done.corpus],
    }


def summary(tests: Sequence[Mapping[str, Any]], gone: Iterable[tuple[str, str, str]] = ()) -> list[str]:
    """The lines at the end of a session. `gone`: entries of the corpus that no test has tried."""
    explored = [each for each in tests if each["how"] == EXPLORED]
    lines = _explored(explored)
    lines += [f"replayed {each['test']}: {each['why']}" for each in tests if each["how"] == REPLAYED and each["why"]]
    left_out = [each for each in tests if each["how"] == NOT_EXPLORED]
    if left_out:
        lines.append(f"not explored, run once plainly: {counted(len(left_out), 'test')}")
        lines += _by_reason(left_out)
    doubted = [each for each in explored if each["why"]]
    if doubted:
        lines.append(f"explored, but not to be trusted: {counted(len(doubted), 'test')}")
        lines += _by_reason(doubted)
    failed = [each["replay"] for each in tests if each["replay"] and each["how"] == EXPLORED]
    if failed:
        lines += ["to see what failed again:", *(f"  {each}" for each in failed)]
    return lines + _corpus([*(entry for each in tests for entry in each["corpus"]), *map(list, gone)])


def _explored(tests: Sequence[Mapping[str, Any]]) -> list[str]:
    if not tests:
        return []
    executions = counted(sum(each["executions"] for each in tests), "execution")
    complete, failed = (sum(bool(each[name]) for each in tests) for name in ("complete", "failed"))
    more = [f"{complete} in every order of events"] if complete else []
    more += [f"{failed} failed"] if failed else []
    return [f"explored {counted(len(tests), 'test')} in {executions}{': ' if more else ''}{', '.join(more)}"]


_KEPT = {
    "fixed": "fixed, and kept as a regression test",
    "stale": "stale: does not fit the code any more",
    "broken": "cannot be tried",
    "fails": "fails still",
    "fails otherwise": "fails in another way now",
}


def _corpus(entries: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"failures of the past: {counted(len(entries), 'file')}"] if entries else []
    for file, verdict, why in entries:
        lines.append(f"  {file}: {_KEPT[verdict]}")
        if verdict != "fixed" and why:
            lines += [f"    {line}" for line in message(why).splitlines()]
    return lines


def _by_reason(tests: Sequence[Mapping[str, Any]]) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for each in tests:
        reasons.setdefault(each["why"], []).append(each["test"])
    lines: list[str] = []
    for why, names in reasons.items():
        lines += wrap(f"{why.rstrip('.')}:", 2, 2)
        lines += [f"    {name}" for name in names]
    return lines
