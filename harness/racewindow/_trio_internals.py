"""Every private name of trio that racewindow uses, and the error for a trio whose private parts it does not know.

Supported: 0.31 (the first with `CancelReason` and `CancelScope._cancel(reason)`) up to the newest release that the
suite has passed on; `pyproject.toml` holds the same range. No other file imports from `trio._...`.
"""

from __future__ import annotations

from typing import Any

import trio

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
    "sniffio_library",
]
