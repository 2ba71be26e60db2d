"""Every private name of trio that racewindow uses, and the error for a trio whose private parts it does not know.

Supported: 0.31 (the first with `CancelReason` and `CancelScope._cancel(reason)`) up to the newest release that the
suite has passed on; `pyproject.toml` holds the same range. No other file imports from `trio._...`.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import trio
import trio.testing

from racewindow.errors import UnsupportedTrioError

OLDEST, NEWEST = (0, 31), (0, 35)


def _require_known_trio() -> None:
    version = tuple(int(part) for part in trio.__version__.split(".")[:2] if part.isdecimal())
    if not OLDEST <= version <= NEWEST:
        oldest, newest = (".".join(map(str, v)) for v in (OLDEST, NEWEST))
        raise UnsupportedTrioError(
            f"racewindow cannot drive trio {trio.__version__}.",
            why=f"it replaces trio's private run loop, and knows that of {oldest} to {newest}.",
            do=f"install a trio in that range (pip install 'trio>={oldest},<={newest}.*'), or a newer racewindow.",
        )


_require_known_trio()

from trio import _channel, _core, _sync, _threads, _timeouts  # noqa: E402  # after the check, which explains itself
from trio._core import _parking_lot, _run, _traps  # noqa: E402
from trio._core._asyncgens import AsyncGenerators  # noqa: E402
from trio._core._entry_queue import EntryQueue  # noqa: E402
from trio._core._instrumentation import Instruments  # noqa: E402
from trio._core._ki import enable_ki_protection  # noqa: E402
from trio._util import coroutine_or_error  # noqa: E402

# The parts below are handled as Any: our subclasses narrow their attributes (a SimTask where trio says Task, a list
# where it says deque), which no checker would allow, and the suite of trio's own tests is what holds them right.
GLOBAL_RUN_CONTEXT: Any = _run.GLOBAL_RUN_CONTEXT
GLOBAL_PARKING_LOT_BREAKER: Any = _parking_lot.GLOBAL_PARKING_LOT_BREAKER
NO_SEND: Any = _run._NO_SEND
CONTEXT_RUN_TB_FRAMES: int = _run.CONTEXT_RUN_TB_FRAMES
Runner: Any = _run.Runner
Task: Any = _run.Task
Deadlines: Any = _run.Deadlines
CancelStatus: Any = _run.CancelStatus
CancelReason: Any = _run.CancelReason
MemoryChannelState: Any = _channel.MemoryChannelState
ParkingLot: Any = _parking_lot.ParkingLot
CancelShieldedCheckpoint: Any = _traps.CancelShieldedCheckpoint
WaitTaskRescheduled: Any = _traps.WaitTaskRescheduled
PermanentlyDetachCoroutineObject: Any = _traps.PermanentlyDetachCoroutineObject
async_yield: Any = _traps._async_yield
sniffio_library: Any = vars(_run)["sniffio_library"]
CancelScope: Any = trio.CancelScope


class RunAskedFor(BaseException):  # no error: `trio.run` is left before anything is run
    """Somebody has called `trio.run`, and is told of it in place of a result."""

    def __init__(self, main: Callable[[], Any], clock: Any, instruments: Sequence[Any]) -> None:
        super().__init__()
        self.main, self.clock, self.instruments = main, clock, instruments


@contextlib.contextmanager
def runs_asked_for() -> Iterator[None]:
    """While it lasts, whoever calls `trio.run`, however they came by it, meets a `RunAskedFor` instead."""

    def setup_runner(clock: Any, instruments: Sequence[Any], *_: object) -> tuple[Any, Sequence[Any]]:
        return clock, instruments

    def unrolled_run(runner: tuple[Any, Sequence[Any]], function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        raise RunAskedFor(functools.partial(function, *args), *runner)

    with _patched(setup_runner=setup_runner, unrolled_run=unrolled_run):
        yield


def keep_real_time(clock: Any, now: Callable[[], float]) -> None:
    """Have a MockClock that was made for an execution ask `now()`, not the virtual time that would ask it again."""
    if isinstance(clock, trio.testing.MockClock):
        clock._real_clock = now


@contextlib.contextmanager
def runs_counted() -> Iterator[list[Any]]:
    """While it lasts, each run of trio's own adds to the list what it was asked to run."""
    runs: list[Any] = []
    original = vars(_run)["unrolled_run"]

    def unrolled_run(runner: Any, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        runs.append(function)
        return original(runner, function, *args, **options)

    with _patched(unrolled_run=unrolled_run):
        yield runs


@contextlib.contextmanager
def _patched(**replacements: Callable[..., Any]) -> Iterator[None]:
    names = vars(_run)
    saved = {name: names[name] for name in replacements}
    names.update(replacements)
    try:
        yield
    finally:
        names.update(saved)


def cancelled(source: str) -> BaseException:
    """A `trio.Cancelled` as trio's own machinery makes them."""
    error: BaseException = trio.Cancelled._create(source=source)  # type: ignore[arg-type]  # one of trio's literals
    return error


__all__ = [
    "CONTEXT_RUN_TB_FRAMES",
    "GLOBAL_PARKING_LOT_BREAKER",
    "GLOBAL_RUN_CONTEXT",
    "NO_SEND",
    "AsyncGenerators",
    "CancelReason",
    "CancelScope",
    "CancelShieldedCheckpoint",
    "CancelStatus",
    "Deadlines",
    "EntryQueue",
    "Instruments",
    "MemoryChannelState",
    "ParkingLot",
    "PermanentlyDetachCoroutineObject",
    "RunAskedFor",
    "Runner",
    "Task",
    "WaitTaskRescheduled",
    "_channel",
    "_core",
    "_sync",
    "_threads",
    "_timeouts",
    "async_yield",
    "cancelled",
    "coroutine_or_error",
    "enable_ki_protection",
    "keep_real_time",
    "runs_asked_for",
    "runs_counted",
    "sniffio_library",
]
