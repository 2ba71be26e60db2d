"""Numbers in structured values: which one a fault is about, and the value with another one in its place.

A value is a number, a row with fields (a dataclass, a named tuple, a tuple, a mapping) or a table, which is a list of
rows. A field has a name: its key, or in a plain tuple its position. What is given back is a copy; the value itself is
never changed.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from racewindow import UsageError

Number = int | float | Decimal | Fraction


def is_number(value: Any) -> bool:
    """Whether it is a number; true and false are none."""
    return isinstance(value, Number) and not isinstance(value, bool)


def fields_of(value: Any) -> dict[str, Any]:
    """The fields of a row by name; empty for what has none."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value) if each.init}
    if isinstance(value, Mapping):
        return {str(name): each for name, each in value.items()}
    if isinstance(value, tuple):
        names = getattr(value, "_fields", range(len(value)))
        return {str(name): each for name, each in zip(names, value, strict=True)}
    return {}


def with_fields(value: Any, changes: Mapping[str, Any]) -> Any:
    """A copy of a row with other values in some of its fields; new ones only in a mapping."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(value, **changes)
    if isinstance(value, Mapping):
        known = {str(name): name for name in value}
        return {**value, **{known.get(name, name): each for name, each in changes.items()}}
    if hasattr(value, "_replace"):
        return value._replace(**changes)
    return tuple({**fields_of(value), **changes}.values())


def has_number(value: Any) -> bool:
    """Whether there is a number in it that a fault could be about."""
    if isinstance(value, list):
        return any(map(has_number, value))
    return is_number(value) or any(map(is_number, fields_of(value).values()))


def with_number(value: Any, field: str, change: Callable[[Any], Any], kind: str) -> Any:
    """The value with one number changed: itself, the field `field` of it, or the first that is a number.

    Of a table, in the first row with a number. What has no number in it stays as it is. Raises UsageError if there is
    no number in a field of that name; `kind` is the fault that asks.
    """
    if isinstance(value, list):
        for position, row in enumerate(value):
            if has_number(row):
                return [*value[:position], with_number(row, field, change, kind), *value[position + 1 :]]
        return value
    if is_number(value) and not field:
        return change(value)
    numbers = {name: each for name, each in fields_of(value).items() if is_number(each)}
    if value is None or not (field or numbers):
        return value
    name = field or next(iter(numbers))
    if name not in numbers:
        raise UsageError(
            f"{kind}: what is read has no number in a field {field!r}.",
            why=f"it has numbers in: {', '.join(numbers)}." if numbers else f"it is {value!r:.60}.",
            do="name another field, leave it out for the first number, or give a target.",
        )
    return with_fields(value, {name: change(numbers[name])})


def with_bit_flipped(value: Any, field: str, bit: int, kind: str) -> Any:
    """The value with one bit of one number flipped."""

    def flipped(number: Any) -> Any:
        if isinstance(number, float):
            (word,) = struct.unpack("<Q", struct.pack("<d", number))
            return struct.unpack("<d", struct.pack("<Q", word ^ 1 << bit))[0]
        if isinstance(number, Decimal) and number.is_finite():
            _, digits, exponent = number.as_tuple()
            word = int("".join(map(str, digits))) ^ 1 << bit
            return Decimal(f"{word}E{exponent}").copy_sign(number)
        if isinstance(number, Fraction):
            return Fraction(number.numerator ^ 1 << bit, number.denominator)
        return number ^ 1 << bit if isinstance(number, int) else number

    return with_number(value, field, flipped, kind)


def newest(versions: Sequence[Any]) -> Any:
    """The last version, None if there is none."""
    return version_back(versions, 0)


def version_back(versions: Sequence[Any], back: int) -> Any:
    """A version so many back from the newest; the oldest, if there are not so many, and None if there is none."""
    return None if not versions else versions[max(0, len(versions) - 1 - back)]


def changed_fields(old: Any, new: Any) -> dict[str, Any]:
    """The fields of `new` that differ from those of `old`, or are new, in order."""
    before = fields_of(old)
    return {name: each for name, each in fields_of(new).items() if name not in before or before[name] != each}
