"""`racewindow report DIR`: what is in a folder, from what its files say; nothing is run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from racewindow.errors import InputError, UsageError
from racewindow.report_layout import counted

if TYPE_CHECKING:
    from racewindow.page_index import Found

_HEAD_MAX = 200_000
"""Characters of a page that are looked at: its head is at its beginning."""


def folder_index(path: str, form: str, out: str) -> str:
    """The page of a folder, which will be written to `out`.

    Raises UsageError for another format, InputError if it holds neither a failure nor a report.
    """
    from racewindow.failure_file import HOW_TO_GET_ONE, StoredFailure, load
    from racewindow.page_index import Unread, index_page

    if form != "html":
        raise UsageError(
            f"{path} is a folder, and {form} is for one failure.",
            why="of a folder an index is made, which is a page.",
            do="give one of its files, or --format html.",
        )
    failures: list[StoredFailure] = []
    unread: list[Unread] = []
    base = "." if out == "-" else os.path.dirname(out) or "."  # noqa: PTH120  # the path as it was typed
    found = list(_pages(path, base, out))
    for file in _files(path, "*.json"):
        result = _result(file)
        if result is not None:
            found.append(_found(file, result, base))
            continue
        try:
            failures.append(load(file, command="report"))
        except InputError as error:
            unread.append(Unread(file.name, " ".join(filter(None, (error.what, error.why)))))
    if not failures and not found:
        why = f"{unread[0].why}" if unread else "there is no file in it whose name ends in .json."
        raise InputError(f"there is no failure in {path}.", why=why, do=HOW_TO_GET_ONE)
    return index_page(path, failures, unread, found)


def _files(path: str, pattern: str) -> list[Path]:
    try:
        return sorted(Path(path).glob(pattern))
    except OSError as error:
        raise InputError(f"{path} cannot be read.", why=f"{error.strerror or error}.") from None


def _found(file: Path, what: str, base: str) -> Found:
    from racewindow.page_index import Found

    return Found(file.name, what, quote(Path(os.path.relpath(file, base)).as_posix()))


# --- pages -----------------------------------------------------------------------------------------------------------


class _Head(HTMLParser):
    """The title of a page, and what it says that it was made by."""

    title = ""
    generator = ""
    _inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._inside = tag == "title"
        if tag == "meta" and given.get("name") == "generator":
            self.generator = given.get("content") or ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.title += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


def _pages(path: str, base: str, out: str) -> Iterator[Found]:
    """The pages that were made by racewindow, but for the one that is about to be written."""
    from racewindow.page_layout import GENERATOR

    for file in _files(path, "*.html"):
        if out != "-" and file.absolute() == Path(out).absolute():
            continue
        try:
            with file.open(encoding="utf-8", errors="replace") as stream:
                text = stream.read(_HEAD_MAX)
        except OSError:
            continue
        head = _Head()
        head.feed(text)
        if head.generator == GENERATOR:
            yield _found(file, head.title, base)


# --- what commands have said -----------------------------------------------------------------------------------------


def _result(file: Path) -> str | None:
    """What a file says that `explore`, `matrix` or `ci` has written with --json; None if it is something else."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    if isinstance(data.get("verdict"), str) and isinstance(data.get("bounds"), dict):
        return f"exploration of {data.get('scenario')}: {data['verdict']}"
    if isinstance(data.get("cells"), list) and isinstance(data.get("minimal"), dict):
        sets = data.get("together")
        closing = [" + ".join(map(str, each)) or "nothing" for each in sets] if isinstance(sets, list) else []
        closed = f"closed by {' or '.join(closing)}" if closing else "closed by nothing that was run"
        return f"matrix of {data.get('target')}: {closed}"
    if isinstance(data.get("rows"), list) and isinstance(data.get("exit_status"), int):
        return f"run of ci: {counted(len(data['rows']), 'row')}, exit status {data['exit_status']}"
    return None
