"""Where a task stands: the first line of the suspended statement in the user's own code.

The same text on every supported Python and every machine: the path is relative to the folder of the scenario, and the
line is that on which the statement begins (Pythons differ in which line of a long call they report). Frames of trio,
of the standard library, of installed packages and of racewindow's harness are left out.
"""

from __future__ import annotations

import ast
import linecache
import os
import re
import sysconfig
from bisect import bisect_right
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any

import trio

_HARNESS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  # hot enough
_TRIO = os.path.dirname(os.path.abspath(trio.__file__))  # noqa: PTH100, PTH120
_LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_OURS = ("racewindow_models", "racewindow_faults")
_INLINED = re.compile(r"\.<(?:list|set|dict)comp>")
"""What Python has no function for since 3.12: https://peps.python.org/pep-0709"""


class Locator:
    """Turns frames into locations; remembers code objects, which live as long as the program.

    `base`: folder of the scenario's source file; paths are relative to it.
    """

    def __init__(self, base: str = "") -> None:
        self.base = base
        self._texts: dict[tuple[CodeType, int], str | None] = {}
        self._starts: dict[str, list[int]] = {}

    def text(self, code: CodeType, line: int) -> str | None:
        """`file.py:12 qualname`, or None for code that is not the user's."""
        key = (code, line)
        if key not in self._texts:
            self._texts[key] = self._compute(code, line)
        return self._texts[key]

    def _compute(self, code: CodeType, line: int) -> str | None:
        if not is_user_code(code.co_filename):
            return None
        qualname = _INLINED.sub("", code.co_qualname.replace(".<locals>", ""))
        return f"{self._shown(code.co_filename)}:{self._statement(code.co_filename, line)} {qualname}"

    def _shown(self, filename: str) -> str:
        for package in _OURS:
            _, found, rest = filename.replace(os.sep, "/").rpartition(f"/{package}/")
            if found:
                return f"{package}/{rest}"
        if self.base and not filename.startswith("<"):
            relative = os.path.relpath(filename, self.base)
            if not relative.startswith(".."):
                return relative.replace(os.sep, "/")
        return os.path.basename(filename)  # noqa: PTH119  # outside the scenario's folder: no machine path

    def _statement(self, filename: str, line: int) -> int:
        """First line of the innermost statement that begins at or before `line`."""
        starts = self._starts.get(filename)
        if starts is None:
            starts = self._starts[filename] = _statement_starts("".join(linecache.getlines(filename)))
        index = bisect_right(starts, line)
        return starts[index - 1] if index else line


def is_user_code(filename: str) -> bool:
    """Whether a source file is the user's: not trio, the standard library, an installed package, or the harness."""
    if filename.startswith(("<frozen", "<attrs", _HARNESS + os.sep, _TRIO + os.sep)):
        return False
    if any(f"{os.sep}{package}{os.sep}" in filename for package in _OURS):
        return True
    return not filename.startswith(_LIBRARIES)


@lru_cache(maxsize=64)  # in a short exploration, parsing is what takes longest
def _statement_starts(source: str) -> list[int]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    return sorted({node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt)})


def await_frames(coro: Any) -> list[FrameType]:  # any awaitable
    """The chain of frames on which a coroutine waits, outermost first."""
    frames: list[FrameType] = []
    while coro is not None:
        frame = getattr(coro, "cr_frame", None) or getattr(coro, "gi_frame", None) or getattr(coro, "ag_frame", None)
        if frame is not None:
            frames.append(frame)
        if hasattr(coro, "cr_await"):
            coro = coro.cr_await
        elif hasattr(coro, "gi_yieldfrom"):
            coro = coro.gi_yieldfrom
        elif hasattr(coro, "ag_await"):
            coro = coro.ag_await
        elif type(coro).__name__ in ("async_generator_asend", "async_generator_athrow"):
            coro = _generator_behind(coro)
        else:
            break
    return frames


def _generator_behind(awaitable: object) -> object | None:
    import gc  # the only way: https://github.com/python/cpython/issues/76991

    return next((each for each in gc.get_referents(awaitable) if hasattr(each, "ag_frame")), None)


def suspended_at(coro: Any, locator: Locator) -> str:
    """Location of the innermost frame of the user's own code, "" if there is none."""
    innermost = ""
    while coro is not None:
        frame = getattr(coro, "cr_frame", None)
        if frame is not None:
            text = locator.text(frame.f_code, frame.f_lineno)
            if text is not None:
                innermost = text
            coro = coro.cr_await
            continue
        frames = await_frames(coro)
        for inner in frames:
            text = locator.text(inner.f_code, inner.f_lineno)
            if text is not None:
                innermost = text
        break
    return innermost
