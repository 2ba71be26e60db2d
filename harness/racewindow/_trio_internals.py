"""Every private name of trio that racewindow uses, and the error for a trio whose private parts it does not know.

Supported: 0.31 (the first with `CancelReason` and `CancelScope._cancel(reason)`) up to the newest release that the
suite has passed on; `pyproject.toml` holds the same range. No other file imports from `trio._...`.
"""

from __future__ import annotations

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

from trio import _channel, _sync, _threads, _timeouts  # noqa: E402  # after the check, which explains itself
from trio._core import _parking_lot, _run, _thread_cache, _traps  # noqa: E402
from trio._core._asyncgens import AsyncGenerators  # noqa: E402
from trio._core._entry_queue import EntryQueue, TrioToken  # noqa: E402
from trio._core._instrumentation import Instruments  # noqa: E402
from trio._core._ki import KIManager, enable_ki_protection  # noqa: E402
from trio._core._run import (  # noqa: E402
    _NO_SEND as NO_SEND,
)
from trio._core._run import (  # noqa: E402
    CONTEXT_RUN_TB_FRAMES,
    GLOBAL_RUN_CONTEXT,
    CancelReason,
    CancelStatus,
    Deadlines,
    NurseryManager,
    Runner,
    Task,
)
from trio._core._traps import (  # noqa: E402
    CancelShieldedCheckpoint,
    PermanentlyDetachCoroutineObject,
    WaitTaskRescheduled,
    _async_yield as async_yield,
)
from trio._util import coroutine_or_error  # noqa: E402

try:
    from sniffio import thread_local as sniffio_library  # noqa: E402
except ImportError:  # pragma: no cover  # trio itself depends on sniffio
    from trio._core._run import sniffio_library  # type: ignore[no-redef]

GLOBAL_PARKING_LOT_BREAKER = _parking_lot.GLOBAL_PARKING_LOT_BREAKER
RELATIVE_SLEEP = _timeouts.sleep
MemoryChannelState = _channel.MemoryChannelState

__all__ = [
    "CONTEXT_RUN_TB_FRAMES",
    "GLOBAL_PARKING_LOT_BREAKER",
    "GLOBAL_RUN_CONTEXT",
    "NO_SEND",
    "AsyncGenerators",
    "CancelReason",
    "CancelShieldedCheckpoint",
    "CancelStatus",
    "Deadlines",
    "EntryQueue",
    "Instruments",
    "KIManager",
    "MemoryChannelState",
    "NurseryManager",
    "PermanentlyDetachCoroutineObject",
    "Runner",
    "Task",
    "TrioToken",
    "WaitTaskRescheduled",
    "_channel",
    "_parking_lot",
    "_run",
    "_sync",
    "_thread_cache",
    "_threads",
    "_timeouts",
    "_traps",
    "async_yield",
    "coroutine_or_error",
    "enable_ki_protection",
    "sniffio_library",
]
