"""Quantities with their units, as a plan writes them: `"5 s"`, `"30 min"`, `"10 %"`, `"20 bps"`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from racewindow_models.units import SECOND_NS, TimeNs

_NUMBER = re.compile(r"^(-?\d+(?:\.\d+)?)\s*([a-z%]*)$")
_TIMES = {"ms": 10**6, "s": 10**9, "min": 60 * 10**9, "h": 3_600 * 10**9}
MOST_NS = 7 * 24 * _TIMES["h"]
"""A window is not longer than a week."""
_SHARES = {"%": 1}
_BASIS = {"bps": 1, "%": 100}
_SHARE_MOST = 1_000
"""Percent."""


def _read(value: Any, units: Mapping[str, int], example: str, *, least: int | None) -> int:
    """A quantity as a whole number of the smallest unit."""
    expected = f'a number and its unit ({", ".join(units)}) in quotes, such as "{example}"'
    found = _NUMBER.match(value.strip()) if isinstance(value, str) else None
    if found is None:
        lacks = isinstance(value, int | float) and not isinstance(value, bool)
        raise _mistake(f"{value!r} lacks its unit" if lacks else f"{value!r} is no such quantity", expected,
                       f"{value} {next(iter(units)) if len(units) == 1 else 's'}" if lacks else "")  # fmt: skip
    number, unit = found.groups()
    if unit not in units:
        raise _mistake(f"{value!r} lacks its unit" if not unit else f"there is no unit {unit!r} here", expected)
    amount = float(number) * units[unit]
    most = MOST_NS if units is _TIMES else _SHARE_MOST * max(units.values())
    if abs(amount) > most:
        raise _mistake(f"{value!r} is too much", f"{expected}, at most {'a week' if units is _TIMES else '1000 %'}")
    if not amount.is_integer():
        raise _mistake(f"{value!r} is too fine", expected)
    if least is not None and amount < least:
        raise _mistake(f"{value!r} is below 0" if amount < 0 else f"{value!r} is not above 0", f"{expected}, above 0"
                       if least > 0 else f"{expected}, at least 0")  # fmt: skip
    return int(amount)


def _mistake(wrong: str, expected: str, nearest: str = "") -> PydanticCustomError:
    return PydanticCustomError("plan", "{wrong}", {"wrong": wrong, "expected": expected, "nearest": nearest})


def _duration(value: Any) -> TimeNs:
    return TimeNs(_read(value, _TIMES, "30 s", least=0))


def _positive_duration(value: Any) -> TimeNs:
    return TimeNs(_read(value, _TIMES, "5 s", least=1))


def _whole_seconds(value: Any) -> int:
    time_ns = _positive_duration(value)
    if time_ns % SECOND_NS:
        raise _mistake(f"{value!r} is too fine", 'whole seconds, such as "5 s"')
    return time_ns // SECOND_NS


def _durations(value: Any) -> tuple[TimeNs, ...]:
    """One time, or those of a list that is not empty."""
    if value == []:
        raise _mistake("it is empty", 'one time or several, such as ["5 s", "40 min"]')
    return tuple(_duration(each) for each in (value if isinstance(value, list) else [value]))


Duration = Annotated[int, BeforeValidator(_duration)]
"""Virtual time of at least 0, in nanoseconds."""
Durations = Annotated[tuple[int, ...], BeforeValidator(_durations)]
"""One of them or several."""
PositiveDuration = Annotated[int, BeforeValidator(_positive_duration)]
"""Virtual time above 0, in nanoseconds."""
Seconds = Annotated[int, BeforeValidator(_whole_seconds)]
"""The same in whole seconds."""
Percent = Annotated[int, BeforeValidator(lambda value: _read(value, _SHARES, "10 %", least=None))]
"""A share in percent, which may be negative."""
BasisPoints = Annotated[int, BeforeValidator(lambda value: _read(value, _BASIS, "20 bps", least=None))]
"""A share in basis points, which may be negative."""


def text_time(time_ns: int) -> str:
    """A time as a plan writes it: `90 s`, `5 min`, `1500 ms`."""
    for unit in ("h", "min", "s", "ms"):
        size = _TIMES[unit]
        if time_ns and time_ns % size == 0 and (unit not in ("h", "min") or time_ns >= 2 * size):
            return f"{time_ns // size} {unit}"
    return f"{time_ns / 10**9:g} s"
