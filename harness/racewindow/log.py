"""`--log FILE`: what the services log during an execution, as JSON lines that a schedule fixes byte for byte.

Each line has virtual time, task and step of the event before anything else, so that lines of different services can be
put side by side. Nothing here reads a clock or configures structlog for the process: a logger is made for the one
execution that it belongs to, and handed to it. Logs are for people; nothing reads them back.

Whether an execution is logged must make no difference to it. So both kinds of logger take the same arguments, neither
raises for what is inside them, and a disk that is full is reported when the file is closed.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger

from racewindow.errors import InputError
from racewindow.plain import clock_text, one_line, plain, scrub

Context = Callable[[], tuple[int, str, int]]
"""Virtual time in nanoseconds, display name of the running task, number of its step."""


class LogFile:
    """A file of JSON lines, written from its beginning.

    Raises InputError if `path` cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._failed: OSError | None = None
        self._used = False
        try:
            self._file: TextIO = self.path.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise _cannot_write(path, error) from None

    def logger(self, context: Context) -> FilteringBoundLogger:
        """A logger for one execution; `context` is asked once per line.

        It begins the file anew: an execution that has to start again, in the full form, is logged once.
        """
        if self._used:
            self._begin_anew()
        self._used = True
        return cast("FilteringBoundLogger", _Speaking(_Lines(self._write, context), (), {}))

    def close(self) -> None:
        """Write what is buffered; the loggers must not be used any more.

        Raises InputError if any of it could not be written.
        """
        try:
            self._file.close()
        except OSError as error:
            self._failed = self._failed or error
        if self._failed is not None:
            raise _cannot_write(self.path, self._failed)

    def _begin_anew(self) -> None:
        try:
            if self._file.seekable():
                self._file.seek(0)
                self._file.truncate()
        except OSError as error:
            self._failed = self._failed or error

    def _write(self, line: str) -> None:
        try:
            self._file.write(line + "\n")
        except OSError as error:  # not the program's fault: it must go on as if it were not logged
            self._failed = self._failed or error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def null_logger() -> FilteringBoundLogger:
    """A logger whose methods do nothing at all, for every execution but the one that is logged."""
    return cast("FilteringBoundLogger", _Silent(None, (), {}))


def check_log(path: str | Path) -> None:
    """Raise InputError if a log could not be written to `path`; leaves an existing file as it is, and no new one."""
    path = Path(path)
    existed = path.exists()
    try:
        with path.open("a", encoding="utf-8"):
            pass
        if not existed:
            path.unlink()
    except OSError as error:
        raise _cannot_write(path, error) from None


def _cannot_write(path: str | Path, error: OSError) -> InputError:
    path = Path(path)
    do = "give --log a file in a folder that exists and that you may write to."
    if isinstance(error, FileNotFoundError):
        do = f"create the folder {path.parent} first, or give --log another file."
    elif isinstance(error, IsADirectoryError):
        do = f"give --log a file, for example {path / 'events.jsonl'}"
    return InputError(f"the log {path} cannot be written.", why=f"{error.strerror or error}.", do=do)


# --- loggers ---------------------------------------------------------------------------------------------------------


class _Lines:
    """What structlog calls the wrapped logger: it makes a line of an event and passes it on."""

    def __init__(self, write: Callable[[str], None], context: Context) -> None:
        self._write, self._context = write, context

    def say(self, level: str, fields: Mapping[str, Any]) -> None:
        self._write(render_line(*self._context(), level, fields))


class _Speaking(structlog.BoundLoggerBase):
    """A bound logger whose methods write lines; those for `await` neither wait nor pass on control."""

    def log(self, level: int, event: str, *args: Any, **fields: Any) -> None:
        self._say(logging.getLevelName(level).lower(), event, args, fields)

    async def alog(self, level: int, event: str, *args: Any, **fields: Any) -> None:
        self._say(logging.getLevelName(level).lower(), event, args, fields)

    def is_enabled_for(self, level: int) -> bool:
        del level
        return True

    def get_effective_level(self) -> int:
        return logging.NOTSET

    def _say(self, level: str, event: str, args: tuple[Any, ...], fields: dict[str, Any]) -> None:
        self._logger.say(level, {**self._context, **fields, "event": _interpolated(event, args)})


class _Silent(structlog.BoundLoggerBase):
    """A bound logger that does nothing, and therefore is its own successor whatever is bound to it."""

    def bind(self, **new_values: Any) -> Self:
        del new_values
        return self

    new = bind

    def unbind(self, *keys: str) -> Self:
        del keys
        return self

    try_unbind = unbind

    def log(self, level: int, event: str, *args: Any, **fields: Any) -> None:
        pass

    async def alog(self, level: int, event: str, *args: Any, **fields: Any) -> None:
        pass

    def is_enabled_for(self, level: int) -> bool:
        del level
        return False

    def get_effective_level(self) -> int:
        return logging.CRITICAL + 1


_LEVELS = {
    **{level: level for level in ("debug", "info", "warning", "error", "critical")},
    "warn": "warning",
    "err": "error",
    "fatal": "critical",
    "msg": "info",
    "exception": "error",
}
"""Method -> the level that its lines have."""


def _add_methods() -> None:
    def add(method: str, level: str, more: Mapping[str, Any]) -> None:
        def speak(self: _Speaking, event: str, *args: Any, **fields: Any) -> None:
            self._say(level, event, args, {**more, **fields})

        async def aspeak(self: _Speaking, event: str, *args: Any, **fields: Any) -> None:
            self._say(level, event, args, {**more, **fields})

        def nothing(self: _Silent, event: str, *args: Any, **fields: Any) -> None:
            pass

        async def anothing(self: _Silent, event: str, *args: Any, **fields: Any) -> None:
            pass

        for owner, name, function in (
            (_Speaking, method, speak),
            (_Speaking, f"a{method}", aspeak),
            (_Silent, method, nothing),
            (_Silent, f"a{method}", anothing),
        ):
            setattr(owner, name, function)

    for method, level in _LEVELS.items():
        add(method, level, {"exc_info": True} if method == "exception" else {})


_add_methods()


def _interpolated(event: Any, args: tuple[Any, ...]) -> Any:
    if not args:
        return event
    try:
        return event % (args[0] if len(args) == 1 and isinstance(args[0], Mapping) and args[0] else args)
    except Exception:  # noqa: BLE001  # the program must not fail because it is logged
        return f"{event} {plain(args)}"


def render_line(time_ns: int, task: str, step: int, level: str, fields: Mapping[str, Any]) -> str:
    """One line: virtual time in nanoseconds and for people, task, step, level, event, then the fields by name.

    A field called like one of those gets an underscore behind its name. An exception (`exc_info`) is given as its type
    and message: a traceback would name folders of this machine and differ between Pythons.
    """
    rest = {name: value for name, value in fields.items() if name not in {"event", "exc_info", "stack_info"}}
    error = _exception(fields.get("exc_info"))
    if error is not None:
        rest["exception"] = f"{type(error).__name__}: {scrub(_told(error))}"
    out: dict[str, Any] = {
        "time_ns": time_ns,
        "time": clock_text(time_ns),
        "task": task,
        "step": step,
        "level": level,
        "event": plain(fields.get("event")),
    }
    for name in sorted(rest):
        own = name
        while own in out:
            own += "_"
        out[own] = plain(rest[name])
    return one_line(out)


def _told(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # likewise
        return ""


def _exception(info: object) -> BaseException | None:
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple):
        return next((each for each in info if isinstance(each, BaseException)), None)
    return sys.exc_info()[1] if info else None
