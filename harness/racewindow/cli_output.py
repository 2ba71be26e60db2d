"""What the commands share on their way out: printing, complaining, and keeping the program's own output apart."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from racewindow.errors import RacewindowError, UsageError
from racewindow.report_layout import message

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

DEBUG_VARIABLE = "RACEWINDOW_DEBUG"
INTERNAL_ERROR = 70
"""Exit status of a bug of ours: EX_SOFTWARE of sysexits.h, apart from all that DESIGN gives a meaning."""


def emit(text: str) -> None:
    """Print a result on stdout; whoever has stopped reading (`| head`) is no error."""
    _print(text, sys.stdout)


def emit_json(value: Any) -> None:
    """Print one JSON object on stdout."""
    from racewindow.plain import plain

    emit(json.dumps(_no_limits(value, plain), indent=2))


def complain(error: RacewindowError) -> None:
    """Print the message of an error, and nothing else, on stderr."""
    _print(message(f"racewindow: {error}"), sys.stderr)


def complain_of_a_bug(error: BaseException, *, debug: bool) -> None:
    """Say that it is our fault, and what a report needs; with the traceback only if it was asked for."""
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" at {Path(frame[0].filename).name}, line {frame[0].lineno}" if frame else ""
    lines = [f"racewindow: internal error{where}: {type(error).__name__}: {error}"]
    lines.append("Why: this is a bug in racewindow, or in a scenario's own feed loader; not in what was explored.")
    if debug:
        lines += ["", "".join(traceback.format_exception(error)).rstrip()]
    else:
        lines.append(f"Do:  run the same command with {DEBUG_VARIABLE}=1, and attach to a report what it then prints,")
        lines.append("     the scenario, and the output of `racewindow --version`.")
    _print("\n".join(lines), sys.stderr)


def usage_error(error: Exception) -> UsageError | None:
    """What typer has to say about the arguments, in our words; None if the error is not one of its own."""
    tell = getattr(error, "format_message", None)
    if tell is None or not hasattr(error, "exit_code"):
        return None
    context = getattr(error, "ctx", None)
    command = "racewindow" if context is None else context.command_path
    said = str(tell()).strip().rstrip(".")
    return UsageError(f"{said[:1].lower()}{said[1:]}{'' if said.endswith('?') else '.'}", do=f"{command} --help")


def debugging(*, asked: bool) -> bool:
    """Whether a traceback is wanted: by the option or by the environment."""
    return asked or os.environ.get(DEBUG_VARIABLE, "") not in ("", "0")


def shown_path(path: str | None) -> str | None:
    """A path as a person here would type it: relative to the current folder if it is in there."""
    if path is None:
        return None
    try:
        return Path(path).relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return path


class _Elsewhere(io.RawIOBase):
    """What the explored program writes to; `stream`: where it goes now, None for nowhere.

    One object for as long as the process lives: a logger that was set up while the program was loaded has kept it.
    """

    stream: TextIO | None = None

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self.stream is not None and self.stream.isatty()

    def fileno(self) -> int:
        if self.stream is None:
            raise io.UnsupportedOperation("fileno")
        return self.stream.fileno()

    def write(self, data: ReadableBuffer) -> int:
        written = bytes(data)
        if self.stream is not None:
            self.stream.write(written.decode("utf-8", "replace"))
        return len(written)

    def flush(self) -> None:
        if self.stream is not None:
            self.stream.flush()

    def close(self) -> None:
        """Nothing: the next execution may want to print."""


_elsewhere = _Elsewhere()
_program_output = io.TextIOWrapper(_elsewhere, "utf-8", "replace", write_through=True)  # type: ignore[type-var]


@contextlib.contextmanager
def program_output_to(stream: TextIO | None) -> Iterator[None]:
    """While it lasts, what the explored program prints on stdout or stderr goes to `stream`, or nowhere.

    stdout is the result's: with --json it holds one object and nothing else. While exploring, the same lines would come
    thousands of times, and tear a panel that is drawn on the same terminal; a replay shows them, on stderr.
    """
    before = _elsewhere.stream
    _elsewhere.stream = before if stream is _program_output else stream
    try:
        with contextlib.redirect_stdout(_program_output), contextlib.redirect_stderr(_program_output):
            yield
    finally:
        _elsewhere.stream = before


def _print(text: str, stream: TextIO) -> None:
    try:
        stream.write(text + "\n")
        stream.flush()
    except BrokenPipeError:
        # What is left in the buffer has nowhere to go; without this, Python complains about it when it exits.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _no_limits(value: Any, simplify: Any) -> Any:
    """Like `plain`, but what is JSON already stays whole: a list of failures is not cut at 200."""
    if isinstance(value, dict):
        return {str(key): _no_limits(each, simplify) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_no_limits(each, simplify) for each in value]
    return value if isinstance(value, str) else simplify(value)
