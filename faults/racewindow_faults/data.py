"""Faults of data: a row or a number that was never true, read by somebody who takes it for true.

What such a fault does to a structured value is in `structured.py`: a number is hit itself, of a row one field, of a
table, which is a list of rows, one row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar

from racewindow import UsageError, ValueFault, fault_parameter
from racewindow_faults.structured import newest, version_back, with_number


@dataclass(frozen=True, slots=True, kw_only=True)
class _DataFault(ValueFault):
    family: ClassVar[str] = "data"
    points: ClassVar[tuple[str, ...]] = ("data.*", "feed.read", "db.read")


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRow(_DataFault):
    """The row is not there: the reader gets none, or of a table all others."""

    kind: ClassVar[str] = "missing-row"

    row: int = fault_parameter(0, "which row of a table, 0 being the first; beyond its end, the last", least=0)

    def read(self, values: Sequence[Any]) -> Any:
        """None, or the table without the row."""
        value = newest(values)
        if not isinstance(value, list):
            return None
        position = min(self.row, len(value) - 1)
        return [each for other, each in enumerate(value) if other != position]


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatedRow(_DataFault):
    """A row of a table comes twice; what is no table stays as it is."""

    kind: ClassVar[str] = "duplicated-row"

    row: int = fault_parameter(0, "which row of a table, 0 being the first; beyond its end, the last", least=0)

    def read(self, values: Sequence[Any]) -> Any:
        """The table with one row more."""
        value = newest(values)
        if not isinstance(value, list) or not value:
            return value
        position = min(self.row, len(value) - 1)
        return [*value[: position + 1], *value[position:]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OldVersion(_DataFault):
    """The value is one of an older version of the data, as after a restore from the wrong backup."""

    kind: ClassVar[str] = "old-version"

    versions_back: int = fault_parameter(1, "how old it is", unit="versions", least=1, mildest=1)

    def read(self, values: Sequence[Any]) -> Any:
        """An older one, the oldest if there are not so many."""
        return version_back(values, self.versions_back)


@dataclass(frozen=True, slots=True, kw_only=True)
class _NumberFault(_DataFault):
    field: str = fault_parameter("", "which field of a row; the first with a number if none is named")

    def read(self, values: Sequence[Any]) -> Any:
        """With one number changed."""
        return with_number(newest(values), self.field, self._changed, self.kind)

    def _changed(self, number: Any) -> Any:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Zero(_NumberFault):
    """The number is 0, as of a default that nobody has replaced."""

    kind: ClassVar[str] = "zero"

    def _changed(self, number: Any) -> Any:
        return type(number)(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecimalShift(_NumberFault):
    """The decimal point is in the wrong place; whole numbers stay whole."""

    kind: ClassVar[str] = "decimal-shift"

    places: int = fault_parameter(
        2, "how far it is too far right, so the number too large; below 0 left", unit="places", least=-30, most=30,
        mildest=1,
    )  # fmt: skip

    def __post_init__(self) -> None:
        _NumberFault.__post_init__(self)
        if self.places == 0:
            raise UsageError(
                f"{self.kind}: places cannot be 0.",
                why="that would change nothing.",
                do="give 1 for ten times as much.",
            )

    def _changed(self, number: Any) -> Any:
        if isinstance(number, int):
            power = 10 ** abs(self.places)
            return number * power if self.places > 0 else int(math.copysign(1, number)) * (abs(number) // power)
        if isinstance(number, Decimal):
            return number.scaleb(self.places)
        return number * (Fraction(10) ** self.places if isinstance(number, Fraction) else 10.0**self.places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign(_NumberFault):
    """The number has the wrong sign."""

    kind: ClassVar[str] = "sign"

    def _changed(self, number: Any) -> Any:
        return -number


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongUnit(_NumberFault):
    """The number is in another unit than its reader believes; whole numbers stay whole."""

    kind: ClassVar[str] = "wrong-unit"

    factor: float = fault_parameter(1000.0, "how many times too large it is", least=1e-12, most=1e12)

    def _changed(self, number: Any) -> Any:
        if isinstance(number, float):
            return number * self.factor
        exact = Fraction(repr(float(self.factor)))
        if isinstance(number, Decimal):
            return number * Decimal(exact.numerator) / Decimal(exact.denominator)
        return round(number * exact) if isinstance(number, int) else number * exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Nan(_NumberFault):
    """The number is not a number (NaN), which compares as false with everything, and is a float even where none was."""

    kind: ClassVar[str] = "nan"

    def _changed(self, number: Any) -> Any:
        return Decimal("NaN") if isinstance(number, Decimal) else math.nan
