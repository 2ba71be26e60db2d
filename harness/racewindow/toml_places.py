"""Where in a TOML text each key and each element of an array is, which `tomllib` does not tell.

For text that `tomllib` has read: nothing is checked here again. Keys may be dotted or quoted, tables may be inline,
arrays may hold tables, and strings may run over lines.
"""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

KeyPath = tuple[str | int, ...]
"""`("runbook", 2, "by")`: the key `by` of the third table `[[runbook]]`."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"[ \t]*")
_SCALAR = re.compile(r"[^,\]}\n#]*")


class Place(NamedTuple):
    """A line and a column, both from 1."""

    line: int
    column: int


def find_places(text: str) -> dict[KeyPath, Place]:
    """The place of every key and every element of an array; of a table that is spread over the text, its first."""
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._found: dict[KeyPath, Place] = {}
        self._counts: dict[KeyPath, int] = {}
        """Of arrays of tables, how many tables there have been."""

    def run(self) -> dict[KeyPath, Place]:
        table: KeyPath = ()
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                return self._found
            if self._starts("["):
                table = self._header()
            else:
                self._assignment(table)

    def _header(self) -> KeyPath:
        is_array, start = self._starts("[["), self._at
        self._at += 2 if is_array else 1
        path: KeyPath = ()
        keys = self._keys()
        for position, (name, at) in enumerate(keys):
            path += (name,)
            self._note(path, at)
            last = position == len(keys) - 1
            if is_array and last:
                self._counts[path] = self._counts.get(path, 0) + 1
            if path in self._counts:
                path += (self._counts[path] - 1,)
                self._note(path, start)
        self._at = self._text.index("]]" if is_array else "]", self._at) + (2 if is_array else 1)
        return path

    def _assignment(self, table: KeyPath) -> None:
        path = table
        for name, at in self._keys():
            path += (name,)
            self._note(path, at)
        self._at = self._text.index("=", self._at) + 1
        self._value(path)

    def _keys(self) -> list[tuple[str, int]]:
        """The parts of a dotted key, each with where it begins."""
        found = []
        while True:
            self._skip(_SPACE)
            at = self._at
            if self._starts('"') or self._starts("'"):
                self._string()
                found.append((str(tomllib.loads(f"key = {self._text[at : self._at]}")["key"]), at))
            else:
                self._skip(_BARE)
                found.append((self._text[at : self._at], at))
            self._skip(_SPACE)
            if not self._starts("."):
                return found
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        self._skip(_SPACE)
        if self._starts('"') or self._starts("'"):
            self._string()
        elif self._starts("["):
            self._array(path)
        elif self._starts("{"):
            self._inline_table(path)
        else:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        number = 0
        while True:
            self._skip(_BLANK)
            if self._starts("]"):
                self._at += 1
                return
            self._note((*path, number), self._at)
            self._value((*path, number))
            number += 1
            self._skip(_BLANK)
            if self._starts(","):
                self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while True:
            self._skip(_BLANK)
            if self._starts("}"):
                self._at += 1
                return
            self._assignment(path)
            self._skip(_BLANK)
            if self._starts(","):
                self._at += 1

    def _string(self) -> None:
        quote = self._text[self._at]
        fence = quote * 3 if self._starts(quote * 3) else quote
        self._at += len(fence)
        while not self._starts(fence):
            self._at += 2 if quote == '"' and self._starts("\\") else 1
        self._at += len(fence)
        if len(fence) > 1:  # it may end with one or two quotes of its own
            for _ in range(2):
                self._at += self._starts(quote)

    def _note(self, path: KeyPath, at: int) -> None:
        line_start = self._text.rfind("\n", 0, at) + 1
        self._found.setdefault(path, Place(self._text.count("\n", 0, at) + 1, at - line_start + 1))

    def _starts(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        self._at = self._at if found is None else found.end()
