"""The light installation, for a single run: the functions of `time`, `random`, `os` and `uuid` where they live.

Responsible for what costs microseconds. It looks for no copies of the names in other modules (`from time import time`
stays real), leaves `datetime` and the local time zone alone, and refuses nothing; `install` does all that and costs
milliseconds, which an exploration pays once and a drop-in for `trio.run` would pay every time.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import NamedTuple

from racewindow.virtual.installing import VIRTUAL_FUNCTIONS, is_installed
from racewindow.virtual.patching import Replacement
from racewindow.virtual.world import WorldOf


class _Name(NamedTuple):
    namespace: MutableMapping[str, object]
    name: str
    original: object
    replacement: Replacement


class LightInstallation:
    """Context manager; made once, entered for every run. Nests, and does nothing inside a full installation."""

    def __init__(self, world_of: WorldOf) -> None:
        self._names = [
            _Name(vars(module), name, original, Replacement(original, inside, world_of, module.__name__))
            for module, name, original, inside in VIRTUAL_FUNCTIONS
            if callable(original)
        ]
        self._depth = 0

    def __enter__(self) -> None:
        self._depth += 1
        if self._depth == 1 and not is_installed():
            for namespace, name, original, replacement in self._names:
                if namespace[name] is original:  # else somebody has mocked it, and means the mock
                    namespace[name] = replacement

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            for namespace, name, original, replacement in self._names:
                if namespace[name] is replacement:
                    namespace[name] = original
