"""Putting the virtual machine in place, and taking it away.

Responsible for one installation as a whole: what is patched in which order, that all of it is undone, and what happens
when installations nest.

Nesting: installing again with the *same* `world_of` counts, and the last `undo` takes everything away; so an outer tool
may install once around many explorations. With *another* `world_of` it is refused, because only one of the two could
answer. The count is the one piece of process-wide state here; what it counts, the patched modules, is process-wide too.
"""

from __future__ import annotations

import datetime as dt
import importlib
import os
import random
import sys
import sysconfig
import threading
import time
import typing
import uuid
from typing import TYPE_CHECKING

from racewindow.errors import UsageError
from racewindow.virtual import clock, dates, entropy, refusal
from racewindow.virtual.originals import REAL_DATE, REAL_DATETIME
from racewindow.virtual.patching import Ledger, Replacement, TypeReplacement
from racewindow.virtual.scan import Exchange, all_modules, left_alone, program_modules
from racewindow.virtual.zone import pin_local_zone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from racewindow.virtual.world import Inside, WorldOf

VIRTUAL_FUNCTIONS: tuple[tuple[ModuleType, str, object, Inside], ...] = tuple(
    (module, name, vars(module)[name], inside)
    for module, table in (
        (time, clock.INSIDE),
        (random, entropy.RANDOM_FUNCTIONS),
        (os, entropy.OS_FUNCTIONS),
        (uuid, entropy.UUID_FUNCTIONS),
        # The reference that random.SystemRandom, and so all of secrets, draws from.
        (random, {"_urandom": entropy.urandom}),
    )
    for name, inside in table.items()
    if name in vars(module)
)
"""Module, name, original and what happens inside a step."""


class _Shared:
    """What one or several nested installations share."""

    def __init__(self, world_of: WorldOf) -> None:
        self.world_of = world_of
        self.depth = 1
        self._ledger = Ledger()
        self._modules_before = frozenset(sys.modules)
        self._pairs: list[tuple[object, object]] = []
        try:
            self._install()
        except BaseException:
            self.uninstall()
            raise

    def _install(self) -> None:
        pin_local_zone(self._ledger)
        for module, name, replacement in self._replacements():
            namespace = vars(module)
            self._pairs.append((namespace[name], replacement))
            self._ledger.set_item(namespace, name, replacement)
        self._ledger.set_class_attribute(random.Random, "seed", entropy.seeding_method(self.world_of))
        self._replace_dates()
        refusal.patch_methods(self._ledger, self.world_of)
        exchange = Exchange(self._pairs, self._ledger)
        for module in program_modules():
            if not _CURRENT.known_clean(module):
                changes = len(self._ledger)
                exchange.everything_in(module)
                if len(self._ledger) == changes:
                    _CURRENT.remember_clean(module)

    def _replacements(self) -> Iterator[tuple[ModuleType, str, Replacement]]:
        for module, name, original, inside in VIRTUAL_FUNCTIONS:
            # A name that somebody else has replaced stays theirs: a test that mocks the clock means its mock.
            if vars(module).get(name) is original and callable(original):
                yield module, name, Replacement(original, inside, self.world_of, module.__name__)
        for module_name, name, inside in refusal.refused_functions():
            owner = _imported(module_name)
            original = getattr(owner, name, None)
            if owner is not None and callable(original):
                kind = TypeReplacement if isinstance(original, type) else Replacement
                yield owner, name, kind(original, inside, self.world_of, module_name)

    def _replace_dates(self) -> None:
        dates.patch_subclasses(self._ledger, self.world_of)
        namespace = vars(dt)
        for original in (REAL_DATE, REAL_DATETIME):
            if namespace.get(original.__name__) is not original:
                continue
            virtual = dates.stand_in(original, self.world_of)
            self._pairs.append((original, virtual))
            self._ledger.set_item(namespace, original.__name__, virtual)
            dates.patch_pickling(self._ledger, virtual, original)

    def uninstall(self) -> None:
        """Put everything back, also in modules that were imported meanwhile."""
        self._ledger.undo()
        exchange = Exchange([(virtual, original) for original, virtual in self._pairs], Ledger())
        for name, module in all_modules():
            if name in self._modules_before:
                if not left_alone(name) and not _CURRENT.known_clean(module):
                    exchange.globals_of(module)
            else:
                exchange.everything_in(module)
        # `Optional[datetime]` is cached by equality, and the stand-in equals what it stood for.
        for clear in getattr(typing, "_cleanups", ()):
            clear()


def _imported(module_name: str) -> ModuleType | None:
    try:
        return importlib.import_module(module_name)
    except ImportError:  # not on this platform
        return None


_PACKAGES = tuple(
    {
        sysconfig.get_path("purelib") + os.sep,
        sysconfig.get_path("platlib") + os.sep,
        os.path.dirname(os.path.dirname(__file__)) + os.sep,  # ourselves, wherever we are  # noqa: PTH120
    }
)


class _Current:
    """The installation in force, if any."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.shared: _Shared | None = None
        self._clean: dict[ModuleType, int] = {}

    def known_clean(self, module: ModuleType) -> bool:
        """Whether an installed module held none of the names when it was last looked through, and has not grown."""
        return self._clean.get(module) == len(vars(module))

    def remember_clean(self, module: ModuleType) -> None:
        """Spare the next installation an installed package; the program's own modules are looked through every time."""
        if (getattr(module, "__file__", None) or "").startswith(_PACKAGES):
            self._clean[module] = len(vars(module))


_CURRENT = _Current()


def is_installed() -> bool:
    """Whether an installation is in force."""
    return _CURRENT.shared is not None


class Installation:
    """One call of `install`, to be undone once; usable as a context manager."""

    def __init__(self, shared: _Shared) -> None:
        self._shared: _Shared | None = shared

    def undo(self) -> None:
        """Restore every patched attribute, if this is the last of nested installations; a second call does nothing."""
        with _CURRENT.lock:
            shared, self._shared = self._shared, None
            if shared is None:
                return
            shared.depth -= 1
            if shared.depth == 0:
                _CURRENT.shared = None
                shared.uninstall()

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.undo()


def install(world_of: WorldOf) -> Installation:
    """Make the machine virtual for threads that are inside a step, until the returned installation is undone.

    `world_of()` returns the world if the calling thread is inside a step of an execution right now, else None. It is
    called on every patched call. Meant to be done once per exploration, not per execution: it takes milliseconds.
    Give the same function every time: an object made in one exploration may keep `time.monotonic` for the next.

    A program loaded from a file has to be in `sys.modules` by now for its `from time import ...` to be found.
    """
    with _CURRENT.lock:
        shared = _CURRENT.shared
        if shared is None:
            shared = _CURRENT.shared = _Shared(world_of)
        elif shared.world_of == world_of:  # a bound method is a new object each time
            shared.depth += 1
        else:
            what = "Another exploration is already running in this process."
            why = "time, random and the like can be made virtual for one exploration at a time."
            raise UsageError(what, why=why, do="run explorations one after the other, or in processes of their own.")
        return Installation(shared)
