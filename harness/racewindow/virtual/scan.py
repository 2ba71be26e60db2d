"""Finding the names under which other modules hold a patched function.

Responsible for `from time import monotonic` and its kin in modules imported before the installation, and for the same
with our stand-ins in modules imported while it lasted. Looks at globals, at classes and functions of the module for
attributes, parameter defaults and closed-over variables (`def __init__(self, clock=time.monotonic)`, which is how
testable code is written, and `field(default_factory=uuid1)`), and at nothing else: an object that was given the
function before the exploration keeps it, as does a list or dict.

Objects are compared by identity and never asked for attributes of their own, since a module may hold proxies that load
or connect something when touched.
"""

from __future__ import annotations

import sys
from types import CellType, FunctionType, ModuleType
from typing import TYPE_CHECKING, TypeGuard

from racewindow.virtual.patching import class_namespace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from racewindow.virtual.patching import Ledger

_LEFT_ALONE = sys.stdlib_module_names | {
    # Trio and what it is made of: the runtime gives them a virtual clock of their own.
    *("trio", "outcome", "sniffio", "sortedcontainers"),
    # Ourselves: the harness means the real clock when it asks.
    "racewindow",
    # Test runners measure wall time, partly from within a step.
    *("pytest", "_pytest", "pluggy", "xdist", "pytest_trio", "hypothesis", "coverage"),
}
"""Top-level packages whose own use of the clock is not the program's."""


def program_modules() -> list[ModuleType]:
    """Return the modules that may belong to the program or to a library that it uses."""
    return [module for name, module in _modules() if not left_alone(name)]


def left_alone(name: str) -> bool:
    """Whether a module belongs to a package whose own use of the clock is not the program's."""
    return name.partition(".")[0] in _LEFT_ALONE


def all_modules() -> list[tuple[str, ModuleType]]:
    """Return every loaded module, with its name in `sys.modules`."""
    return list(_modules())


def _modules() -> Iterator[tuple[str, ModuleType]]:
    for name, module in list(sys.modules.items()):
        if _is_module(module):
            yield name, module


def _is_module(candidate: object) -> TypeGuard[ModuleType]:
    # Not isinstance, which asks for __class__.
    return issubclass(type(candidate), ModuleType)


def _is_class(candidate: object) -> TypeGuard[type]:
    return issubclass(type(candidate), type)


def _globals(module: ModuleType) -> dict[str, object]:
    # Past __getattribute__, which would execute a module that is loaded lazily.
    namespace: dict[str, object] = ModuleType.__getattribute__(module, "__dict__")
    return namespace


class Exchange:
    """Exchanges objects for others wherever a module refers to them, comparing by identity."""

    def __init__(self, pairs: Iterable[tuple[object, object]], ledger: Ledger) -> None:
        self._pairs = tuple(pairs)  # keeps the old objects alive, and so their ids taken
        self._new_of = {id(old): new for old, new in self._pairs}
        self._ledger = ledger
        self._seen: set[int] = set()

    def globals_of(self, module: ModuleType) -> None:
        """Exchange the globals of a module."""
        self._namespace(_globals(module))

    def everything_in(self, module: ModuleType) -> None:
        """Exchange globals, and what the functions and classes made in this module hold."""
        namespace = _globals(module)
        self._namespace(namespace)
        name = namespace.get("__name__")
        for value in list(namespace.values()):
            if type(value) is FunctionType:
                if value.__module__ == name:
                    self._function(value, namespace)
            elif _is_class(value) and class_namespace(value).get("__module__") == name:
                self._class(value, namespace)

    def _namespace(self, namespace: dict[str, object]) -> None:
        new_of = self._new_of
        # One pass in C finds that there is nothing to do, which is what most modules end in.
        if new_of.keys().isdisjoint(map(id, list(namespace.values()))):
            return
        for name, value in list(namespace.items()):
            if id(value) in new_of:
                self._ledger.set_item(namespace, name, new_of[id(value)])

    def _class(self, owner: type, namespace: dict[str, object]) -> None:
        if id(owner) in self._seen:
            return
        self._seen.add(id(owner))
        for name, value in list(class_namespace(owner).items()):
            if id(value) in self._new_of:
                self._ledger.set_class_attribute(owner, name, self._new_of[id(value)])
            elif type(value) is FunctionType:
                self._function(value, namespace)
            elif type(value) in (staticmethod, classmethod):
                wrapped = value.__func__  # type: ignore[attr-defined]  # one of the two
                if id(wrapped) in self._new_of:
                    self._ledger.set_class_attribute(owner, name, type(value)(self._new_of[id(wrapped)]))  # type: ignore[call-arg]
                elif type(wrapped) is FunctionType:
                    self._function(wrapped, namespace)
            elif type(value) is property and type(value.fget) is FunctionType:
                self._function(value.fget, namespace)

    def _function(self, function: FunctionType, namespace: dict[str, object]) -> None:
        new_of = self._new_of
        if function.__defaults__ and not new_of.keys().isdisjoint(map(id, function.__defaults__)):
            self._ledger.set_defaults(function, tuple(new_of.get(id(value), value) for value in function.__defaults__))
        if function.__kwdefaults__:
            self._namespace(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            self._cell(cell)
        if function.__globals__ is not namespace:
            self._globals_apart(function.__globals__)

    def _globals_apart(self, namespace: dict[str, object]) -> None:
        """Exchange globals that are not those of a module: methods made by attrs have a copy, with defaults added."""
        if id(namespace) in self._seen:
            return
        self._seen.add(id(namespace))
        home = sys.modules.get(str(namespace.get("__name__")))
        if not _is_module(home) or _globals(home) is not namespace:
            self._namespace(namespace)

    def _cell(self, cell: CellType) -> None:
        try:
            value = cell.cell_contents
        except ValueError:  # a variable that has not been assigned yet
            return
        if id(value) in self._new_of:
            self._ledger.set_cell(cell, self._new_of[id(value)])
