"""The signature of a scenario: whether it takes a `Simulation`, and the keyword parameters that are its size."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from racewindow.errors import UsageError


@dataclass(frozen=True, slots=True)
class Parameter:
    """One keyword parameter of a scenario: its size."""

    name: str
    kind: type
    default: Any


def _is_class(kind: object) -> bool:
    """False for an annotation such as `int | None`, which nothing can be checked against."""
    return isinstance(kind, type)


def function_name(target: Any) -> str:
    """The name of a function, however it is wrapped."""
    while hasattr(target, "func"):  # functools.partial
        target = target.func
    return str(getattr(target, "__name__", type(target).__name__)).strip("<>")


def read_signature(target: Callable[..., Awaitable[object]]) -> tuple[bool, tuple[Parameter, ...]]:
    """Whether `target` takes a Simulation, and its keyword parameters. Raises UsageError if it needs anything else."""
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return False, ()
    try:
        hints = typing.get_type_hints(inspect.unwrap(target))
    except Exception:  # noqa: BLE001  # a hint that cannot be evaluated only costs the check of its type
        hints = {}
    positional, parameters = 0, []
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is not parameter.empty:
            kind = hints.get(parameter.name, type(parameter.default))
            parameters.append(Parameter(parameter.name, kind, parameter.default))
        elif parameter.default is parameter.empty:
            positional += 1
            if positional > 1 or parameter.kind is parameter.KEYWORD_ONLY:
                raise UsageError(
                    f"{function_name(target)} needs an argument {parameter.name!r} that nobody can give it.",
                    do="take at most one positional parameter, the Simulation, and give the others defaults.",
                )
    return positional == 1, tuple(parameters)


def convert(parameter: Parameter, value: Any) -> Any:
    """`value` as the parameter's type; only text is converted, so that 1.5 never becomes 1.

    Raises UsageError if it is not of that type.
    """
    kind = parameter.kind
    if kind is bool and isinstance(value, str):
        if value.lower() in ("true", "yes", "on", "1"):
            return True
        if value.lower() in ("false", "no", "off", "0"):
            return False
    elif kind in (int, float, str) and isinstance(value, str):
        try:
            return kind(value)
        except ValueError:
            pass
    elif not _is_class(kind) or (isinstance(value, kind) and (kind is bool or not isinstance(value, bool))):
        return value
    elif kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    raise UsageError(
        f"parameter {parameter.name!r} cannot be {value!r}.",
        why=f"it takes {getattr(kind, '__name__', kind)} values; its default is {parameter.default!r}.",
        do=f"for example: --set {parameter.name}={parameter.default}",
    )
