"""Axes of a chart: where their ends are, and round numbers between them."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from racewindow.plain import clock_text

_TICKS = 5
_SECOND = 1_000_000_000
_SPANS_NS = tuple(
    n * unit
    for unit, numbers in (
        (1, (1, 2, 5, 10, 20, 50, 100, 200, 500)),
        (1_000, (1, 2, 5, 10, 20, 50, 100, 200, 500)),
        (1_000_000, (1, 2, 5, 10, 20, 50, 100, 200, 500)),
        (_SECOND, (1, 2, 5, 10, 15, 30)),
        (60 * _SECOND, (1, 2, 5, 10, 15, 30)),
        (3_600 * _SECOND, (1, 2, 3, 6, 12)),
    )
    for n in numbers
)
"""What people count time in, in nanoseconds."""
_DAY_NS = 86_400 * _SECOND


class Axis(NamedTuple):
    """From `low` to `high`, with a label at each of some places between."""

    low: Decimal
    high: Decimal
    ticks: tuple[tuple[Decimal, str], ...]

    def share(self, value: Decimal | int) -> float:
        """How far along it a value is, from 0 to 1."""
        return float((value - self.low) / (self.high - self.low))


def value_axis(low: Decimal, high: Decimal) -> Axis:
    """An axis that shows all values from the lowest to the highest, with some room at both ends."""
    room = (high - low) / 12 or abs(low) / 100 or Decimal(1)
    low, high = low - room, high + room
    step = _round_step((high - low) / _TICKS)
    first = -(-low // step) * step if low >= 0 else (low // step + (low % step > 0)) * step
    while first < low:
        first += step
    count = int((high - first) // step) + 1
    ticks = tuple((first + step * n, _number(first + step * n)) for n in range(count))
    return Axis(low, high, ticks)


def _round_step(least: Decimal) -> Decimal:
    """The smallest of 1, 2 and 5 times a power of ten that is at least so large."""
    power = Decimal(1).scaleb(least.adjusted())
    return next(step for n in (1, 2, 5, 10) if (step := n * power) >= least)


def _number(value: Decimal) -> str:
    return f"{value.normalize() if value else Decimal(0):,f}"


def time_axis(start_ns: int, end_ns: int) -> Axis:
    """Virtual time, with room behind the end: what was written last holds on."""
    span_ns = max(end_ns - start_ns, 1)
    least_ns = -(-span_ns // _TICKS)
    days_ns = -(-least_ns // _DAY_NS) * _DAY_NS
    step_ns = next((each for each in _SPANS_NS if each >= least_ns), days_ns)
    first_ns = -(-start_ns // step_ns) * step_ns
    ticks = tuple((Decimal(at), short_time(at)) for at in range(first_ns, end_ns + 1, step_ns))
    return Axis(Decimal(start_ns), end_ns + Decimal(span_ns) * 14 / 100, ticks)


def short_time(time_ns: int) -> str:
    """Virtual time without the fraction of a second, where it has none that shows: `T+01:00`."""
    return clock_text(time_ns).removesuffix(".000")
