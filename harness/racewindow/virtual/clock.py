"""`time`, read from the virtual clock.

Responsible for what each function of `time` answers inside a step. All clocks are the one virtual clock at a fixed
offset; they differ from the real ones in that time stands still within a step unless it sleeps, so two reads in a row
are equal, and in that CPU time passes as wall time does.
"""

from __future__ import annotations

import errno
import math
import operator
import os
import time
from typing import TYPE_CHECKING, SupportsIndex

from racewindow.errors import RealIOError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from racewindow.virtual.world import Inside, World

_NS = 1_000_000_000

EPOCH_NS = 1_768_797_000 * _NS
"""Wall-clock time at the start of every execution: 2026-01-19T04:30:00Z, when the window opened."""

MONOTONIC_START_NS = 1_000_000 * _NS
"""`time.monotonic()` at the start: a machine that has been up for 11 days.

Not 0, because programs write `last = 0.0; if monotonic() - last > interval`, which goes another way on a machine that
has just been started.
"""


def wall_ns(world: World) -> int:
    """Nanoseconds since 1970-01-01T00:00:00Z."""
    return EPOCH_NS + world.now_ns()


def monotonic_ns(world: World) -> int:
    """Nanoseconds of the clock that cannot be set."""
    return MONOTONIC_START_NS + world.now_ns()


def cpu_ns(world: World) -> int:
    """Nanoseconds of CPU time: all that has passed, as nothing else would be the same on every machine."""
    return world.now_ns()


def _seconds(clock_ns: Callable[[World], int]) -> Inside:
    return lambda world: clock_ns(world) / _NS


_CLOCKS: dict[int, Callable[[World], int]] = {
    getattr(time, name): clock
    for name, clock in {
        "CLOCK_REALTIME": wall_ns,
        "CLOCK_TAI": wall_ns,
        "CLOCK_MONOTONIC": monotonic_ns,
        "CLOCK_MONOTONIC_RAW": monotonic_ns,
        "CLOCK_BOOTTIME": monotonic_ns,
        "CLOCK_UPTIME_RAW": monotonic_ns,
        "CLOCK_UPTIME": monotonic_ns,
        "CLOCK_HIGHRES": monotonic_ns,
        "CLOCK_PROCESS_CPUTIME_ID": cpu_ns,
        "CLOCK_PROF": cpu_ns,
        "CLOCK_THREAD_CPUTIME_ID": cpu_ns,
    }.items()
    if hasattr(time, name)
}


def _clock_gettime_ns(world: World, clk_id: SupportsIndex, /) -> int:
    clock = _CLOCKS.get(operator.index(clk_id))
    if clock is None:  # also the clocks of other processes and threads, which no execution can have
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return clock(world)


def _clock_gettime(world: World, clk_id: SupportsIndex, /) -> float:
    return _clock_gettime_ns(world, clk_id) / _NS


def _clock_settime(_world: World, *_args: object) -> None:
    call, instead = (
        "time.clock_settime()",
        "let time pass with trio.sleep(), or let a fault of the clock family set it.",
    )
    raise RealIOError(call, instead)


def sleep_ns(seconds: object) -> int:
    """Convert an argument of `time.sleep` to nanoseconds, refusing what the original refuses.

    Rounded up, as the original does: sleeping for a moment never means not sleeping at all.
    """
    if isinstance(seconds, float):
        if math.isnan(seconds):
            message = "Invalid value NaN (not a number)"
            raise ValueError(message)
        if math.isinf(seconds) and seconds > 0:
            message = "timestamp out of range for platform time_t"
            raise OverflowError(message)
        negative = seconds < 0
        # Split first: one product of seconds and 10**9 would round large values before they are rounded up.
        fraction, whole = (0.0, 0.0) if negative else math.modf(seconds)
        ns = int(whole) * _NS + math.ceil(fraction * _NS)
    else:
        ns = operator.index(seconds) * _NS  # type: ignore[arg-type]  # raises the TypeError that the original raises
        negative = ns < 0
    if negative:
        message = "sleep length must be non-negative"
        raise ValueError(message)
    return ns


def _sleep(world: World, seconds: object, /) -> None:
    world.advance_ns(sleep_ns(seconds))


def _whole_seconds(world: World) -> int:
    return wall_ns(world) // _NS


def _broken_down(original: Callable[..., object]) -> Inside:
    """For `gmtime`, `localtime` and `ctime`, which take the seconds since 1970 and mean *now* without them."""

    def inside(world: World, seconds: float | None = None, /) -> object:
        return original(_whole_seconds(world) if seconds is None else seconds)

    return inside


_localtime, _asctime, _strftime_original = time.localtime, time.asctime, time.strftime


def _asctime_inside(world: World, /, *when: time.struct_time) -> str:
    return _asctime(*(when or (_localtime(_whole_seconds(world)),)))


def _strftime(world: World, format: str, /, *when: time.struct_time) -> str:  # noqa: A002  # the original's name for it
    return _strftime_original(format, *(when or (_localtime(_whole_seconds(world)),)))


INSIDE: Mapping[str, Inside] = {
    "time": _seconds(wall_ns),
    "time_ns": wall_ns,
    "monotonic": _seconds(monotonic_ns),
    "monotonic_ns": monotonic_ns,
    "perf_counter": _seconds(monotonic_ns),
    "perf_counter_ns": monotonic_ns,
    "process_time": _seconds(cpu_ns),
    "process_time_ns": cpu_ns,
    "thread_time": _seconds(cpu_ns),
    "thread_time_ns": cpu_ns,
    "clock_gettime": _clock_gettime,
    "clock_gettime_ns": _clock_gettime_ns,
    "clock_settime": _clock_settime,
    "clock_settime_ns": _clock_settime,
    "sleep": _sleep,
    "gmtime": _broken_down(time.gmtime),
    "localtime": _broken_down(time.localtime),
    "ctime": _broken_down(time.ctime),
    "asctime": _asctime_inside,
    "strftime": _strftime,
}
"""What each function of `time` does inside a step; names that this platform lacks are passed over."""
