"""How values of a user's program are written down: as JSON, as virtual time, and never with an address in them.

Logs, failure files and reports have to come out the same, byte for byte, in every process: no memory address, no order
that a salted hash chose, no number that JSON does not know. Pure functions of values.
"""

from __future__ import annotations

import dataclasses
import enum
import itertools
import json
import math
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{6,16}\b")
_TEXT_MAX = 2_000
_ITEMS_MAX = 200
_DEPTH_MAX = 12
_NS = 1_000_000_000


def scrub(text: str) -> str:
    """`text` without memory addresses: `<Cell object at 0x7f31c5a0>` becomes `<Cell object>`."""
    return _ADDRESS.sub("", text)


def plain(value: Any) -> Any:
    """`value` in the words of JSON.

    Objects that JSON has no word for become their `repr` without addresses; sets are sorted; NaN and the infinities
    become text. Limits, each visible where it strikes: text of 2,000 characters, 200 items of a collection, 12 levels.
    """
    return _plain(value, 0)


def one_line(value: Any) -> str:
    """A value that came out of `plain`, as JSON on one line, keys in their order."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(", ", ": "))


def clock_text(time_ns: int) -> str:
    """Virtual time for a person: `T+02:00.500` is two minutes and half a second after the start; cut, not rounded."""
    sign, rest = ("-", -time_ns) if time_ns < 0 else ("+", time_ns)
    seconds, ns = divmod(rest, _NS)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:" if hours else ""
    return f"T{sign}{head}{minutes:02}:{seconds:02}.{ns // 1_000_000:03}"


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, str):
        return _short(value)
    if isinstance(value, bytes | bytearray):
        return _short(value.hex())
    if depth >= _DEPTH_MAX:
        return _described(value)
    try:
        return _collection(value, depth + 1)
    except Exception:  # noqa: BLE001  # a broken collection of the user's must not hide the failure that it is part of
        return _described(value)


def _collection(value: Any, depth: int) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _mapping({f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.repr}, depth)
    if isinstance(value, Mapping):
        return _mapping(value, depth)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return _mapping(dict(zip(value._fields, value, strict=True)), depth)
    if isinstance(value, AbstractSet):
        return _sequence(sorted((_plain(each, depth) for each in value), key=one_line), depth)
    if isinstance(value, Sequence):
        return _sequence(value, depth)
    return _described(value)


def _mapping(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    out = {
        key if isinstance(key, str) else str(_plain(key, depth)): _plain(each, depth)
        for key, each in itertools.islice(value.items(), _ITEMS_MAX)
    }
    if len(value) > _ITEMS_MAX:
        out["…"] = f"{len(value) - _ITEMS_MAX} more"
    return out


def _sequence(value: Sequence[Any], depth: int) -> list[Any]:
    out = [_plain(each, depth) for each in itertools.islice(value, _ITEMS_MAX)]
    if len(value) > _ITEMS_MAX:
        out.append(f"… {len(value) - _ITEMS_MAX} more")
    return out


def _short(text: str) -> str:
    """`text` that UTF-8 can carry, cut to the limit."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= _TEXT_MAX else f"{text[:_TEXT_MAX]}… {len(text) - _TEXT_MAX} more characters"


def _described(value: Any) -> str:
    try:
        return _short(scrub(repr(value)))
    except Exception:  # noqa: BLE001  # likewise
        return f"<{type(value).__name__}>"
