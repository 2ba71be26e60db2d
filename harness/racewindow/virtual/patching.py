"""Replacing a name so that it can be put back, and what is put in its place.

Responsible for the two halves of a patch: `Ledger` remembers every change and undoes it, `Replacement` and `guard`
stand in for a function and for a method. Which names are patched is said elsewhere.

Invariant: undoing restores the identical object, or removes the name if there was none. A name that somebody else has
patched on top of ours in the meantime is left alone: it is theirs to put back.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from types import CellType, FunctionType

    from racewindow.virtual.world import Inside, WorldOf

_ABSENT = object()


class Ledger:
    """The changes made by one installation, in order."""

    def __init__(self) -> None:
        self._undos: list[Callable[[], None]] = []

    def __len__(self) -> int:
        return len(self._undos)

    def add(self, undo: Callable[[], None]) -> None:
        """Remember how to take back a change that the caller made."""
        self._undos.append(undo)

    def set_item(self, namespace: MutableMapping[str, object], name: str, new: object) -> None:
        """Set a global of a module, or a keyword default of a function."""
        old = namespace.get(name, _ABSENT)
        namespace[name] = new

        def undo() -> None:
            if namespace.get(name, _ABSENT) is not new:
                return
            if old is _ABSENT:
                del namespace[name]
            else:
                namespace[name] = old

        self.add(undo)

    def set_class_attribute(self, owner: type, name: str, new: object) -> bool:
        """Set an attribute in the class itself; False if the class is immutable, as classes written in C are.

        Goes past the metaclass: a framework's `__setattr__` must not notice.
        """
        namespace = class_namespace(owner)
        old = namespace.get(name, _ABSENT)
        try:
            type.__setattr__(owner, name, new)
        except TypeError:
            return False

        def undo() -> None:
            if namespace.get(name, _ABSENT) is not new:
                return
            if old is _ABSENT:
                type.__delattr__(owner, name)
            else:
                type.__setattr__(owner, name, old)

        self.add(undo)
        return True

    def set_defaults(self, function: FunctionType, new: tuple[object, ...]) -> None:
        """Set the defaults of a function's positional parameters."""
        old = function.__defaults__
        function.__defaults__ = new

        def undo() -> None:
            if function.__defaults__ is new:
                function.__defaults__ = old

        self.add(undo)

    def set_cell(self, cell: CellType, new: object) -> None:
        """Set a variable that a function has closed over."""
        old = cell.cell_contents
        cell.cell_contents = new

        def undo() -> None:
            if cell.cell_contents is new:
                cell.cell_contents = old

        self.add(undo)

    def undo(self) -> None:
        """Take back everything, last change first; a second call does nothing."""
        while self._undos:
            self._undos.pop()()


def class_namespace(owner: type) -> MutableMapping[str, object]:
    """Return the live namespace of a class, past a metaclass that computes attributes."""
    namespace: MutableMapping[str, object] = type.__getattribute__(owner, "__dict__")
    return namespace


class Replacement:
    """Stands for a function of a module: `inside` within a step, the original elsewhere.

    Deliberately not a Python function: functions written in C do not bind to instances, and programs rely on it
    (`class Lease: clock = time.monotonic`). A Python function in that place would be handed `self`.
    """

    def __init__(self, original: Callable[..., object], inside: Inside, world_of: WorldOf, module: str) -> None:
        functools.update_wrapper(self, original, updated=())
        # Pickles by name, like a function. The original's own name of its module may be None: `random.random` is a
        # method of a hidden instance.
        self.__module__ = module
        self._original, self._inside, self._world_of = original, inside, world_of

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Do what the function does for the calling thread."""
        world = self._world_of()
        if world is None:
            return self._original(*args, **kwargs)
        return self._inside(world, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<{self._original!r}, virtual inside an execution>"

    def __reduce__(self) -> str:
        name: str = self.__name__  # type: ignore[attr-defined]  # set by update_wrapper
        return name


class TypeReplacement(Replacement):
    """Stands for a class that cannot be subclassed, such as `select.epoll`: guards making one, and nothing else."""

    _original: type

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self._original)

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(subclass, self._original)

    def __getattr__(self, name: str) -> object:
        return getattr(self._original, name)


def guard(original: Callable[..., object], before: Callable[..., None]) -> Callable[..., object]:
    """Return a method that first calls `before`, which may refuse, then does what the original does."""

    @functools.wraps(original)
    def guarded(*args: object, **kwargs: object) -> object:
        before(*args, **kwargs)
        return original(*args, **kwargs)

    return guarded
