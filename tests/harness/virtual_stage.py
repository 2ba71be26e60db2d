"""A stand-in for the runtime, and a program to be made virtual: shared by the tests of `racewindow.virtual`."""

from __future__ import annotations

import random
import sys
import threading
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from racewindow.virtual import World

NS = 1_000_000_000


class FakeWorld:
    """An execution with a settable clock and one stream per task."""

    def __init__(self, seed: int = 7, at_ns: int = 0) -> None:
        self.seed, self.at_ns, self.task = seed, at_ns, "main"
        self.streams: dict[str, random.Random] = {}

    def now_ns(self) -> int:
        return self.at_ns

    def advance_ns(self, ns: int) -> None:
        self.at_ns += ns

    def entropy(self) -> random.Random:
        if self.task not in self.streams:
            self.streams[self.task] = random.Random(f"{self.seed} {self.task}")
        return self.streams[self.task]


class Stage(threading.local):
    """Which world the calling thread is in."""

    world: World | None = None

    def world_of(self) -> World | None:
        return self.world

    @contextmanager
    def step(self, world: FakeWorld | None = None, task: str = "main") -> Iterator[FakeWorld]:
        world = world or FakeWorld()
        world.task, self.world = task, world
        try:
            yield world
        finally:
            self.world = None


STAGE = Stage()
WORLD_OF = STAGE.world_of

PROGRAM = """
from __future__ import annotations
import dataclasses, functools
import attrs
from datetime import date, datetime
from os import urandom
from random import *
from random import Random
from secrets import randbelow, token_hex
from socket import getaddrinfo, socket, socketpair
from subprocess import Popen
from time import *
from time import monotonic as renamed
from uuid import uuid1, uuid4

class Derived(datetime):
    pass

def default(clock=monotonic): return clock()
def keyword(*, clock=time): return clock()
def closure(clock):
    return lambda: clock()
closed = closure(time_ns)

class Lease:
    clock = monotonic
    fixed = staticmethod(time)
    def __init__(self, now=time_ns): self.now = now
    @classmethod
    def made(cls, now=time_ns): return now()
    @property
    def at(self, now=time_ns): return now()

@dataclasses.dataclass
class Record:
    at: float = dataclasses.field(default_factory=time)
    id: object = dataclasses.field(default_factory=uuid1)

@attrs.define
class Entry:
    at: float = attrs.field(factory=time)
"""


@contextmanager
def loaded(name: str) -> Iterator[Any]:
    """Import a program that takes everything by name."""
    module = ModuleType(name)
    sys.modules[name] = module
    try:
        exec(PROGRAM, vars(module))  # noqa: S102  # a module made of text
        yield module
    finally:
        del sys.modules[name]
