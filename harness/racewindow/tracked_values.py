"""What tracked objects hold, looked at without leaving a trace: for a person who steps through an execution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from racewindow.tracked_parts import Attributes
from racewindow.tracking import Cell, TrackedDict, TrackedList


def parts_of(thing: Any) -> Iterator[tuple[str, object]]:
    """The parts of a tracked object with their values, each called as in a footprint behind the object's name."""
    if isinstance(thing, Cell):
        yield "", thing._value
    elif isinstance(thing, TrackedDict):
        for key, value in thing._data.items():
            yield thing._word(key), value
    elif isinstance(thing, TrackedList):
        for index, value in enumerate(thing._data):
            yield thing._word(index), value
    else:
        yield from _attributes(thing)


def _attributes(instance: Any) -> Iterator[tuple[str, object]]:
    """Of an instance of a tracked class: those in its dictionary, then those in slots."""
    held: dict[str, object] = {}
    slots = [name for base in type(instance).__mro__ for name in _slots_of(base)]
    if "__dict__" in dir(type(instance)):
        held |= object.__getattribute__(instance, "__dict__")
    for name in slots:
        try:
            held[name] = object.__getattribute__(instance, name)
        except AttributeError:  # not set
            continue
    for name, value in held.items():
        if not isinstance(value, Attributes):
            yield f".{name}", value


def _slots_of(cls: type) -> tuple[str, ...]:
    slots = vars(cls).get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(name for name in names if name not in ("__dict__", "__weakref__") and not name.startswith("__"))
