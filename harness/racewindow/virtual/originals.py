"""The machine's own clock and randomness, for the harness itself.

Responsible for keeping the functions as they were before anything was patched. The harness measures wall time, limits
and hangs with these, so that it never reads the virtual clock by mistake, wherever it is called from.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Originals:
    """Functions of `time` and `os`, captured at import."""

    monotonic: Callable[[], float]
    monotonic_ns: Callable[[], int]
    perf_counter: Callable[[], float]
    perf_counter_ns: Callable[[], int]
    time: Callable[[], float]
    time_ns: Callable[[], int]
    sleep: Callable[[float], None]
    urandom: Callable[[int], bytes]


real = Originals(
    monotonic=time.monotonic,
    monotonic_ns=time.monotonic_ns,
    perf_counter=time.perf_counter,
    perf_counter_ns=time.perf_counter_ns,
    time=time.time,
    time_ns=time.time_ns,
    sleep=time.sleep,
    urandom=os.urandom,
)

REAL_DATE = dt.date
REAL_DATETIME = dt.datetime
