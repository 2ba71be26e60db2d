"""The parameters of a fault: what each one is, what it may be, how it is written, read and weakened.

A parameter is a field of the fault's dataclass. One that ends in `seconds` is a time; any other is a number or a word,
as its default is. `fault_parameter` says the rest in the place where the field is declared, and that is all there is:
the check of a value, `racewindow faults` and the page about faults go by it.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from racewindow.errors import UsageError

_DURATION = re.compile(r"(-?[0-9.]+(?:e[+-]?[0-9]+)?)\s*(ms|s|min|h)?", re.IGNORECASE)
_SECONDS_IN = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, None: 1.0}
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}
_WHAT, _UNIT, _LEAST, _MOST, _CHOICES, _MILDEST = "what", "unit", "least", "most", "choices", "mildest"
MILDEST_SECONDS = 1.0
"""The shortest time that a fault is weakened to, unless its parameter says otherwise."""


def fault_parameter(
    default: Any,
    what: str,
    *,
    unit: str = "",
    least: float | None = None,
    most: float | None = None,
    choices: tuple[str, ...] = (),
    mildest: float | None = None,
) -> Any:
    """A field of a fault, with what is said of it and what is asked of its values.

    `unit`: if the name does not end in `seconds`. `least`, `most`: of a number; a time is at least 0 unless `least`
    says otherwise. `choices`: all that a word may be, the mildest first. `mildest`: the value that a number is weakened
    to, with its own sign.
    """
    given = {_WHAT: what, _UNIT: unit, _LEAST: least, _MOST: most, _CHOICES: choices, _MILDEST: mildest}
    return dataclasses.field(default=default, metadata=given)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a kind of fault, see `fault_parameter`."""

    kind: str
    name: str
    default: Any
    what: str = ""
    unit: str = ""
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    mildest: float | None = None

    @property
    def is_time(self) -> bool:
        """Whether its values are virtual times, which are typed with a unit."""
        return self.name.endswith("seconds")

    @property
    def values(self) -> str:
        """What it may be, in words: `a time, at least 0`."""
        if self.choices:
            return " or ".join(self.choices)
        if isinstance(self.default, str):
            return "a word without commas"
        if isinstance(self.default, bool):
            return "true or false"
        noun = "a time" if self.is_time else "a whole number" if isinstance(self.default, int) else "a number"
        return f"{noun}, {self.limits}" if self.limits else noun

    @property
    def limits(self) -> str:
        """What a number may be, in words: `at least 0`."""
        least, most = (
            None if limit is None or math.isinf(limit) else shown(limit) for limit in (self.least, self.most)
        )
        if least is not None and most is not None:
            return f"from {least} to {most}"
        return f"at least {least}" if least is not None else f"at most {most}" if most is not None else ""

    @property
    def described(self) -> str:
        """What it is and may be, in words: `how old it is (versions, at least 1)`."""
        limits = " or ".join(self.choices) or ("" if self.is_time else self.limits)
        details = ", ".join(each for each in (self.unit, limits) if each)
        return f"{self.what} ({details})" if details else self.what

    @property
    def typed(self) -> str:
        """The default as it may be typed: `seconds=30s`."""
        unit = "s" if self.is_time and math.isfinite(self.default) else ""
        return f"{self.name}={shown(self.default)}{unit}"

    def check(self, value: Any) -> None:
        """Raises UsageError for a value that it cannot have."""
        if not self._allows(value):
            raise self.refusal(value)

    def _allows(self, value: Any) -> bool:
        if isinstance(self.default, bool) or isinstance(value, bool):
            return isinstance(self.default, bool) and isinstance(value, bool)
        if isinstance(self.default, str):
            if not isinstance(value, str) or value != value.strip() or "," in value or (self.default and not value):
                return False
            return not self.choices or value in self.choices
        if not isinstance(value, int if isinstance(self.default, int) else int | float):
            return False
        above = -math.inf if self.least is None else self.least
        below = math.inf if self.most is None else self.most
        return above <= value <= below

    def refusal(self, value: Any) -> UsageError:
        """The error for a value that it cannot have."""
        return UsageError(
            f"{self.kind}: {self.name} cannot be {value!r}.",
            why=f"it is {self.values}.",
            do=f"for example: --fault {self.kind}:{self.name}={shown(self.default) or '...'}",
        )

    def read(self, text: str) -> Any:
        """The value that was typed; raises UsageError if it cannot be read as one."""
        if self.is_time:
            return self._time(text)
        if isinstance(self.default, str):
            return text
        if isinstance(self.default, bool):
            if text.lower() not in _TRUTH:
                raise self.refusal(text)
            return _TRUTH[text.lower()]
        try:
            return type(self.default)(text)
        except ValueError:
            raise self.refusal(text) from None

    def _time(self, text: str) -> float:
        if text == "inf":
            return math.inf
        matched = _DURATION.fullmatch(text)
        try:
            if matched is not None:
                return float(matched[1]) * _SECONDS_IN[matched[2] and matched[2].lower()]
        except ValueError:
            pass
        raise UsageError(
            f"{self.kind}: {self.name} cannot be {text!r}.",
            why="it is a time: a number of seconds, or one with a unit (ms, s, min, h).",
            do=f"for example: --fault {self.kind}:{self.name}={shown(self.default)}",
        )

    def milder(self, value: Any) -> Iterator[Any]:
        """Milder values, the mildest first."""
        if self.choices:
            yield from self.choices[: self.choices.index(value)]
            return
        mildest = MILDEST_SECONDS if self.mildest is None and self.is_time else self.mildest
        if mildest is None or isinstance(value, str):
            return
        mildest = type(self.default)(math.copysign(mildest, value) if self.least is None or self.least < 0 else mildest)
        halfway = value / 2 if isinstance(self.default, float) else int(value / 2)
        for each in dict.fromkeys((mildest, halfway)):
            if abs(mildest) <= abs(each) < abs(value):
                yield each


_WINDOW = ("after_seconds", "until_seconds")
COMMON = ("target", *_WINDOW)
"""The parameters that every fault has."""


def parameters_of(cls: Any) -> tuple[Parameter, ...]:
    """The parameters of a kind of fault, its own ones first and then those that all faults have."""
    return _parameters_of(cls)


@cache  # asked for at every fault point
def _parameters_of(cls: type[Any]) -> tuple[Parameter, ...]:
    found = []
    for each in dataclasses.fields(cls):
        said = dict(each.metadata)
        default = each.default_factory() if each.default_factory is not dataclasses.MISSING else each.default
        if each.name.endswith("seconds") and said.get(_LEAST) is None:
            said[_LEAST] = 0
        found.append(Parameter(cls.kind, each.name, default, **said))
    common = [each for each in found if each.name in COMMON]
    return (*(each for each in found if each not in common), *common)


def milder_values(parameter: Parameter, value: Any) -> Iterator[Any]:
    """Milder values of a parameter; when a fault may strike is not a matter of degree."""
    if parameter.name not in _WINDOW:
        yield from parameter.milder(value)


def shown(value: Any) -> str:
    """A value as it is typed: `read` gives the same one."""
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value or math.isnan(value) else repr(value)
    return str(value)
