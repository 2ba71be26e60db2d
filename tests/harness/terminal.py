"""A terminal to run the real command in: a pseudo-terminal, and the screen that a person would see.

The screen knows what the panel is drawn with and nothing else, so that anything new fails. Like most terminals, and
unlike most libraries that stand in for one, it breaks long lines anew when it is made narrower.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from typing import NamedTuple

_CODE = (
    "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);from racewindow.cli import main; sys.exit(main())"
)
_TOKEN = re.compile(r"\x1b\[(\??)([\d;]*)([A-Za-z])|.", re.DOTALL)
_PARTIAL = re.compile(r"\x1b(\[[\d;?]*)?$")


class Screen:
    """`rows`: all lines ever, as they stand now. `wrapped`: how often a line that was too long went on in the next."""

    def __init__(self, columns: int, height: int = 24) -> None:
        self.columns, self.height = columns, height
        self.rows: list[str] = [""]
        self.goes_on: set[int] = set()
        self.row = self.column = self.wrapped = 0
        self.cursor_shown = True
        self.coloured = False
        self._rest = ""

    @property
    def text(self) -> str:
        return "\n".join(row.rstrip() for row in self.rows).rstrip()

    def feed(self, text: str) -> None:
        text = self._rest + text
        partial = _PARTIAL.search(text)
        self._rest = "" if partial is None else partial[0]
        for token in _TOKEN.finditer(text[: len(text) - len(self._rest)]):
            if token[3] is None:
                self._put(token[0])
            else:
                self._control(token[1] + token[3], token[2])

    def _put(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self._down()
        else:
            assert character.isprintable(), repr(character)
            if self.column == self.columns:
                self.wrapped += 1
                self.goes_on.add(self.row)
                self._down()
                self.column = 0
            line = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = line[: self.column] + character + line[self.column + 1 :]
            self.column += 1

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append("")

    def _control(self, command: str, value: str) -> None:
        if command == "A":
            self.row = max(self.row - int(value), len(self.rows) - self.height, 0)
        elif (command, value) == ("K", "2"):
            self.rows[self.row] = ""
            self.goes_on.discard(self.row)
        elif (command, value) in (("?l", "25"), ("?h", "25")):
            self.cursor_shown = command == "?h"
        else:
            assert command == "m", f"an unknown control sequence: {value}{command}"
            self.coloured = True

    def resize(self, columns: int) -> None:
        rows, goes_on = self.rows, self.goes_on
        self.rows, self.goes_on, self.columns = [], set(), columns
        whole, before, at = "", 0, (0, 0)
        for number, row in enumerate(rows):
            if number == self.row:
                at = (len(self.rows), before + self.column)
            whole, before = whole + row, before + len(row)
            if number not in goes_on:
                pieces = [whole[start : start + columns] for start in range(0, max(len(whole), 1), columns)]
                self.goes_on |= set(range(len(self.rows), len(self.rows) + len(pieces) - 1))
                self.rows += pieces
                whole, before = "", 0
        self.row, self.column = at[0] + at[1] // columns, at[1] % columns


class Seen(NamedTuple):
    """What a command left: its exit status, the screen in the end, what it was at each moment, and its other stdout."""

    status: int
    screen: Screen
    moments: list[str]
    raw: str
    out: str


class Terminal:
    """A pseudo-terminal of so many columns; `act`: done once, at the moment at which `when` is first on the screen."""

    def __init__(
        self, columns: int = 80, height: int = 24, *, when: str = "", act: Callable[[Terminal], None] | None = None
    ) -> None:
        self.screen = Screen(columns, height)
        self._when, self._act = when, act
        self._ours, self._theirs = pty.openpty()
        self.resize(columns)

    def resize(self, columns: int) -> None:
        """Make the window narrower or wider."""
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", self.screen.height, columns, 0, 0))
        self.screen.resize(columns)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._ours, keys)

    def run(self, *arguments: str, to_pipe: bool = False, seconds: float = 60.0, **environment: str) -> Seen:
        """Run `racewindow ARGUMENTS` to its end. `to_pipe`: its stdout goes elsewhere."""
        given = {"PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm-256color", **environment}
        kept = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR", "COLUMNS", "LINES")}
        process = subprocess.Popen(
            [sys.executable, "-c", _CODE, *arguments],
            env={**kept, **given},
            stdin=self._theirs,
            stdout=subprocess.PIPE if to_pipe else self._theirs,
            stderr=self._theirs,
            start_new_session=True,
        )
        moments, raw, end = [], "", time.monotonic() + seconds
        with process:
            while process.poll() is None or select.select([self._ours], [], [], 0)[0]:
                if time.monotonic() > end:
                    process.send_signal(signal.SIGKILL)
                    raise TimeoutError(self.screen.text)
                if select.select([self._ours], [], [], 0.02)[0]:
                    read = os.read(self._ours, 65_536).decode()
                    raw += read
                    self.screen.feed(read)
                    moments.append(self.screen.text)
                    if self._act is not None and self._when in self.screen.text:
                        act, self._act = self._act, None
                        act(self)
            out = process.stdout.read().decode() if process.stdout is not None else ""
        os.close(self._ours)
        os.close(self._theirs)
        return Seen(process.returncode, self.screen, moments, raw, out)
