"""Tracked state: cells, dictionaries, lists and attributes whose reads and writes belong to a step's footprint.

Access is never a scheduling point, and making an object is not an access. Objects belong to the execution that made
them; one made outside of any execution would be shared by all of them and is refused. Under plain `trio.run` they work
as ordinary containers, so that the same code runs in production.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSequence
from typing import Any, Generic, TypeVar, overload

import trio

from racewindow.errors import UsageError
from racewindow.footprint import READ_CODE, WRITE_CODE
from racewindow.runtime.access import PLAIN, Owner, owner, pause_until
from racewindow.runtime.runner import current_runner

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
C = TypeVar("C", bound=type)


def _owner(what: str) -> Owner:
    found = owner()
    if found is None:
        caller = sys._getframe(2)
        raise UsageError(
            f"{what} was made outside an execution, at {caller.f_code.co_filename}:{caller.f_lineno}.",
            why="it would be shared by all executions, and each would start from what the last one left.",
            do="make it inside the scenario function, or in a function called from there.",
        )
    return found


class Cell(Generic[T]):
    """One shared value.

    `name` is how reports call it; by default it is named by the task that makes it and that task's count of objects.
    Raises UsageError when made outside an execution.
    """

    __slots__ = ("_key", "_owner", "_value")

    def __init__(self, value: T, *, name: str | None = None) -> None:
        self._owner = current_runner() or _owner("a Cell")
        self._value = value
        self._key = self._owner.key_of_new(name, "Cell") if self._owner.recording else 0

    def get(self) -> T:
        """The value."""
        if self._owner.recording:
            self._owner.recorder.footprint[self._key * 3 + READ_CODE] = None
        return self._value

    def set(self, value: T) -> None:
        """Replace the value."""
        owner_ = self._owner
        owner_.version += 1
        if owner_.recording:
            owner_.recorder.footprint[self._key * 3 + WRITE_CODE] = None
        self._value = value

    def update(self, function: Callable[[T], T]) -> T:
        """Replace the value by `function(value)`, as part of one step; returns the new one."""
        self.set(function(self.get()))
        return self._value

    def __repr__(self) -> str:
        return f"Cell({self._value!r})"


class _Keyed:
    """Footprints per part of a container: one key number for each part, and one for its shape."""

    __slots__ = ("_name", "_numbers", "_owner")

    def __init__(self, name: str | None, kind: str) -> None:
        self._owner = _owner(f"a {kind}")
        self._numbers: dict[Any, int] = {}
        self._name = self._owner.name_of_new(name, kind) if self._owner.recording else ""

    def _touch(self, part: object, code: int) -> None:
        if self._owner.recording:
            number = self._numbers.get(part)
            if number is None:
                number = self._numbers[part] = self._owner.recorder.table.number(f"{self._name}[{part!r}]")
            self._owner.recorder.footprint[number * 3 + code] = None

    def _wrote(self, part: object) -> None:
        self._owner.version += 1
        self._touch(part, WRITE_CODE)


_SHAPE = "*"
"""The part that stands for which keys or how many items there are."""


class TrackedDict(_Keyed, MutableMapping[K, V]):
    """A dictionary with a footprint per key; iteration and `len` read its shape, adding and removing keys write it."""

    __slots__ = ("_data",)

    def __init__(
        self, initial: Mapping[K, V] | Iterable[tuple[K, V]] | None = None, *, name: str | None = None
    ) -> None:
        super().__init__(name, "TrackedDict")
        self._data: dict[K, V] = dict(initial or ())

    def __getitem__(self, key: K) -> V:
        self._touch(key, READ_CODE)
        return self._data[key]

    def __contains__(self, key: object) -> bool:
        self._touch(key, READ_CODE)
        return key in self._data

    def __setitem__(self, key: K, value: V) -> None:
        if key not in self._data:
            self._wrote(_SHAPE)
        self._wrote(key)
        self._data[key] = value

    def __delitem__(self, key: K) -> None:
        self._touch(key, READ_CODE)
        if key in self._data:
            self._wrote(_SHAPE)
            self._wrote(key)
        del self._data[key]

    def __iter__(self) -> Iterator[K]:
        self._touch(_SHAPE, READ_CODE)
        return iter(tuple(self._data))

    def __len__(self) -> int:
        self._touch(_SHAPE, READ_CODE)
        return len(self._data)

    def __repr__(self) -> str:
        return f"TrackedDict({self._data!r})"


class TrackedList(_Keyed, MutableSequence[V]):
    """A list with a footprint per index; `len`, slices and iteration read its shape, `insert` and `del` write it."""

    __slots__ = ("_data",)

    def __init__(self, initial: Iterable[V] = (), *, name: str | None = None) -> None:
        super().__init__(name, "TrackedList")
        self._data: list[V] = list(initial)

    @overload
    def __getitem__(self, index: int) -> V: ...
    @overload
    def __getitem__(self, index: slice) -> list[V]: ...
    def __getitem__(self, index: int | slice) -> V | list[V]:
        self._touch_index(index, READ_CODE)
        return self._data[index]

    @overload
    def __setitem__(self, index: int, value: V) -> None: ...
    @overload
    def __setitem__(self, index: slice, value: Iterable[V]) -> None: ...
    def __setitem__(self, index: Any, value: Any) -> None:
        self._owner.version += 1
        if isinstance(index, slice):
            self._wrote(_SHAPE)
            for position in range(max(len(self._data), 1)):
                self._touch(position, WRITE_CODE)
        else:
            self._touch_index(index, WRITE_CODE)
        self._data[index] = value

    def __delitem__(self, index: int | slice) -> None:
        self._shifted(0)
        del self._data[index]

    def insert(self, index: int, value: V) -> None:
        """Insert before `index`; everything from there on moves."""
        at = max(0, index + len(self._data)) if index < 0 else min(index, len(self._data))
        self._shifted(at)
        self._data.insert(index, value)

    def __len__(self) -> int:
        self._touch(_SHAPE, READ_CODE)
        return len(self._data)

    def __repr__(self) -> str:
        return f"TrackedList({self._data!r})"

    def _touch_index(self, index: int | slice, code: int) -> None:
        if not isinstance(index, slice):
            self._touch(index + len(self._data) if index < 0 else index, code)
            if index < 0 or index >= len(self._data):
                self._touch(_SHAPE, READ_CODE)  # where it points, or that it points nowhere, depends on the length
            return
        self._touch(_SHAPE, READ_CODE)
        for position in range(*index.indices(len(self._data))):
            self._touch(position, code)

    def _shifted(self, start: int) -> None:
        self._wrote(_SHAPE)
        for position in range(start, len(self._data) + 1):
            self._touch(position, WRITE_CODE)


def tracked(cls: C) -> C:
    """Class decorator: reads and writes of instance attributes become tracked, each attribute on its own.

    Methods and class attributes are not tracked. The instance is named by its class and the task that makes it.
    Raises UsageError on construction outside an execution, and for a class that already has `__getattribute__`.
    """
    if cls.__getattribute__ is not object.__getattribute__:
        raise UsageError(f"{cls.__name__} has a __getattribute__ of its own and cannot be tracked.")
    set_original, del_original, init_original = cls.__setattr__, cls.__delattr__, cls.__init__
    states: dict[int, _Keyed] = {}

    def state(self: object) -> _Keyed:
        return object.__getattribute__(self, "_racewindow_keyed")  # type: ignore[no-any-return]

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401, N807
        if not hasattr(self, "_racewindow_keyed"):
            object.__setattr__(self, "_racewindow_keyed", _Keyed(None, cls.__name__))
        init_original(self, *args, **kwargs)

    def __getattribute__(self: Any, name: str) -> Any:  # noqa: ANN401, N807
        value = object.__getattribute__(self, name)
        if not name.startswith("__") and name != "_racewindow_keyed" and name not in _class_names(type(self)):
            state(self)._touch(name, READ_CODE)
        return value

    def __setattr__(self: Any, name: str, value: Any) -> None:  # noqa: ANN401, N807
        state(self)._wrote(name)
        set_original(self, name, value)

    def __delattr__(self: Any, name: str) -> None:  # noqa: ANN401, N807
        state(self)._wrote(name)
        del_original(self, name)

    del states
    for method in (__init__, __getattribute__, __setattr__, __delattr__):
        method.__qualname__ = f"{cls.__qualname__}.{method.__name__}"
        setattr(cls, method.__name__, method)
    return cls


def _class_names(cls: type) -> set[str]:
    """Names found on the class that are not slots: methods, properties and constants."""
    found = _CLASS_NAMES.get(cls)
    if found is None:
        found = {
            name
            for base in cls.__mro__
            for name, value in vars(base).items()
            if type(value).__name__ != "member_descriptor"
        }
        _CLASS_NAMES[cls] = found
    return found


_CLASS_NAMES: dict[type, set[str]] = {}


async def until(predicate: Callable[[], object]) -> None:
    """Wait until `predicate()` is true; the waiting task is enabled exactly while it is.

    The predicate reads tracked state (cells, tracked containers, tracked attributes) and changes nothing. The step that
    resumes the task begins by evaluating it again, so "wait until free, then take" is one atomic step. An exception
    raised by the predicate is raised here. Under plain `trio.run` it polls at every checkpoint.
    """
    if owner() is PLAIN:
        await trio.lowlevel.checkpoint()
        while not predicate():
            await trio.lowlevel.checkpoint()
        return
    await pause_until(predicate)
    predicate()
