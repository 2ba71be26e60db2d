"""Tracked state: cells, dictionaries, lists and attributes whose reads and writes belong to a step's footprint.

Access is never a scheduling point, and making an object is not an access. Objects belong to the execution that made
them; one made outside of any execution would be shared by all of them and is refused. Under plain `trio.run` they work
as ordinary containers, so that the same code runs in production.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSequence
from types import MemberDescriptorType
from typing import Any, Generic, Self, TypeVar, overload

import trio

from racewindow.errors import UsageError
from racewindow.footprint import READ_CODE, WRITE_CODE
from racewindow.runtime.access import PLAIN, Owner, owner, pause_until
from racewindow.runtime.runner import current_runner
from racewindow.tracked_parts import SHAPE, Attributes, Keyed, owner_of

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
C = TypeVar("C", bound=type)


class Cell(Generic[T]):
    """One shared value.

    `name` is how reports call it; by default it is named by the task that makes it and that task's count of objects.
    Raises UsageError when made outside an execution.
    """

    __slots__ = ("_key", "_owner", "_value")

    def __init__(self, value: T, *, name: str | None = None) -> None:
        self._owner: Owner = current_runner() or owner_of("a Cell")
        self._value = value
        self._key = self._owner.key_of_new(name, "Cell", self) if self._owner.naming else 0

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
            owner_.recorder.footprint[self._key * 3 + WRITE_CODE] = (value,)
        self._value = value

    def update(self, function: Callable[[T], T]) -> T:
        """Replace the value by `function(value)`, as part of one step; returns the new one."""
        self.set(function(self.get()))
        return self._value

    def __copy__(self) -> Cell[T]:
        return Cell(self.get())

    def __deepcopy__(self, memo: dict[int, Any]) -> Cell[T]:
        return Cell(copy.deepcopy(self.get(), memo))

    def __repr__(self) -> str:
        return f"Cell({self._value!r})"


class TrackedDict(Keyed, MutableMapping[K, V]):
    """A dictionary with a footprint per key; iteration and `len` read its shape, adding and removing keys write it."""

    __slots__ = ("_data",)

    def __init__(
        self, initial: Mapping[K, V] | Iterable[tuple[K, V]] | None = None, *, name: str | None = None
    ) -> None:
        super().__init__(name, "TrackedDict")
        self._data: dict[K, V] = dict(initial or ())

    def __getitem__(self, key: K) -> V:
        self.touch(key, READ_CODE)
        return self._data[key]

    def __contains__(self, key: object) -> bool:
        self.touch(key, READ_CODE)
        return key in self._data

    def __setitem__(self, key: K, value: V) -> None:
        self.wrote(key)  # before the shape: whether that changes as well is seen by looking here
        if key not in self._data:
            self.wrote(SHAPE)
        self._data[key] = value

    def __delitem__(self, key: K) -> None:
        self.touch(key, READ_CODE)
        if key in self._data:
            self.wrote(SHAPE)
            self.wrote(key)
            self.removed(key)
        del self._data[key]

    def __iter__(self) -> Iterator[K]:
        self.touch(SHAPE, READ_CODE)
        return iter(tuple(self._data))

    def __reversed__(self) -> Iterator[K]:
        self.touch(SHAPE, READ_CODE)
        return reversed(tuple(self._data))

    def __len__(self) -> int:
        self.touch(SHAPE, READ_CODE)
        return len(self._data)

    def popitem(self) -> tuple[K, V]:
        """Remove and return the item that was added last; KeyError if there is none."""
        for key in reversed(self):
            return key, self.pop(key)
        msg = "popitem(): dictionary is empty"
        raise KeyError(msg)

    def __or__(self, other: Mapping[K, V]) -> dict[K, V]:
        return dict(self) | dict(other)

    def __ror__(self, other: Mapping[K, V]) -> dict[K, V]:
        return dict(other) | dict(self)

    def __ior__(self, other: Mapping[K, V] | Iterable[tuple[K, V]]) -> Self:
        self.update(other)
        return self

    def copy(self) -> TrackedDict[K, V]:
        """A tracked dictionary of its own with the same items."""
        return TrackedDict(self)

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> TrackedDict[K, V]:
        return TrackedDict(copy.deepcopy(dict(self), memo))

    def __repr__(self) -> str:
        return f"TrackedDict({self._data!r})"


class TrackedList(Keyed, MutableSequence[V]):
    """A list with a footprint per index; `len`, slices and iteration read its shape, `insert` and `del` write it."""

    __slots__ = ("_data",)
    _settable = False

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
            self.wrote(SHAPE)
            for position in range(max(len(self._data), 1)):
                self.touch(position, WRITE_CODE)
        else:
            self._touch_index(index, WRITE_CODE)
        self._data[index] = value

    def __delitem__(self, index: int | slice) -> None:
        size = len(self._data)
        if isinstance(index, slice):
            self._shifted(min(range(*index.indices(size)), default=size))
        elif -size <= index < size:
            self._shifted(index % size)
        else:
            self.touch(SHAPE, READ_CODE)
        del self._data[index]

    def insert(self, index: int, value: V) -> None:
        """Insert before `index`; everything from there on moves."""
        index = operator.index(index)
        at = max(0, index + len(self._data)) if index < 0 else min(index, len(self._data))
        self._shifted(at)
        self._data.insert(index, value)

    def __len__(self) -> int:
        self.touch(SHAPE, READ_CODE)
        return len(self._data)

    def sort(self, *, key: Callable[[V], Any] | None = None, reverse: bool = False) -> None:
        """Sort in place, stable; everything may move."""
        self[:] = sorted(self, key=key, reverse=reverse)  # type: ignore[type-var, arg-type]

    def copy(self) -> TrackedList[V]:
        """A tracked list of its own with the same items."""
        return TrackedList(self)

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> TrackedList[V]:
        return TrackedList(copy.deepcopy(list(self), memo))

    def __add__(self, other: Iterable[V]) -> list[V]:
        return [*self, *other]

    def __radd__(self, other: Iterable[V]) -> list[V]:
        return [*other, *self]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, list | TrackedList):
            return list(self) == list(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as of a list

    def __repr__(self) -> str:
        return f"TrackedList({self._data!r})"

    def _touch_index(self, index: int | slice, code: int) -> None:
        if not isinstance(index, slice):
            index = operator.index(index)
            self.touch(index + len(self._data) if index < 0 else index, code)
            if index < 0 or index >= len(self._data):
                self.touch(SHAPE, READ_CODE)  # where it points, or that it points nowhere, depends on the length
            return
        self.touch(SHAPE, READ_CODE)
        for position in range(*index.indices(len(self._data))):
            self.touch(position, code)

    def _shifted(self, start: int) -> None:
        self.wrote(SHAPE)
        for position in range(start, len(self._data) + 1):
            self.touch(position, WRITE_CODE)


def tracked(cls: C) -> C:
    """Class decorator: reads and writes of instance attributes become tracked, each attribute on its own.

    Methods and properties are not tracked themselves, but what they use is; so is a class attribute that serves as the
    default of an attribute of the instance. An instance is named by its class, the task that makes it and that task's
    count of objects; making it, `__init__` included, is not an access. The result is a subclass of the same name, so
    that it works for classes with slots and for dataclasses; its subclasses are tracked as well. Raises UsageError for
    a class that has a `__getattribute__` of its own, and when an instance is made outside an execution.
    """
    if any(_KEYED in vars(base) for base in cls.__mro__):
        return cls
    if any("__getattribute__" in vars(base) for base in cls.__mro__[:-1]):
        raise UsageError(f"{cls.__name__} has a __getattribute__ of its own and cannot be tracked.")
    base: Any = cls

    def __new__(made: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        instance = base.__new__(made) if base.__new__ is object.__new__ else base.__new__(made, *args, **kwargs)
        object.__setattr__(instance, _KEYED, Attributes(None, made.__name__, instance))
        return instance

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        keyed: Attributes = object.__getattribute__(self, _KEYED)
        keyed.quiet = True
        try:
            base.__init__(self, *args, **kwargs)
        finally:
            keyed.quiet = False

    def __getattribute__(self: Any, name: str) -> Any:  # noqa: N807
        if name != _KEYED and _is_state(type(self), name):
            keyed: Attributes = object.__getattribute__(self, _KEYED)
            keyed.touch(name, READ_CODE)
        return object.__getattribute__(self, name)

    def __setattr__(self: Any, name: str, value: Any) -> None:  # noqa: N807
        if name != _KEYED and _is_state(type(self), name):
            keyed: Attributes = object.__getattribute__(self, _KEYED)
            keyed.wrote(name)
        base.__setattr__(self, name, value)

    def __delattr__(self: Any, name: str) -> None:  # noqa: N807
        keyed: Attributes = object.__getattribute__(self, _KEYED)
        keyed.wrote(name)
        keyed.removed(name)
        base.__delattr__(self, name)

    methods = (__new__, __init__, __getattribute__, __setattr__, __delattr__)
    namespace: dict[str, Any] = {method.__name__: method for method in methods}
    copied = ("__module__", "__qualname__", "__doc__")
    namespace |= {name: getattr(cls, name) for name in copied} | {"__slots__": (_KEYED,)}
    return type(cls)(cls.__name__, (cls,), namespace)


_KEYED = "_racewindow_keyed"


def _is_state(cls: type, name: str) -> bool:
    """Whether the attribute of an instance is a value of its own, be it set or not, and not a method or a property."""
    for base in cls.__mro__:
        found = vars(base).get(name, _MISSING)
        if found is not _MISSING:
            return type(found) is MemberDescriptorType or not hasattr(type(found), "__get__")
    return True


_MISSING = object()


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
