"""`random`, `uuid`, `os.urandom` and what rests on them, drawn from the current task's own stream.

Responsible for what each function that draws answers inside a step. `uuid4`, `secrets` and `random.SystemRandom` need
nothing of their own: they ask `os.urandom`, directly or through `random._urandom`.

Two sources, as in reality: what stands for the operating system's randomness (`os.urandom`, `uuid`, seeding of an
unseeded generator) is the task's stream itself, and the functions of the `random` module draw from the same stream
until the task touches their state (`random.seed`, `getstate`, `setstate`). From then on that task has a generator of
its own for them. So `random.seed(7)` makes the following draws of *this task* repeatable and can neither reach another
task or execution nor make two tasks draw the same `uuid4`.
"""

from __future__ import annotations

import operator
import random
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, SupportsIndex

from racewindow.virtual.clock import wall_ns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from racewindow.virtual.world import Inside, World, WorldOf

_TASK_STATE = "_racewindow_task_state"

_GREGORIAN_START_TICKS = 0x01B21DD213814000
"""100 ns ticks from 1582-10-15, where the time of versions 1 and 6 starts, to 1970-01-01 (RFC 9562, section 5.1)."""

NODE = 0x03_00_00_00_00_01
"""`uuid.getnode()`: the same on every machine, marked as not being a hardware address (RFC 9562, section 6.10)."""


@dataclass(slots=True)
class _TaskState:
    """What one task did to state that is otherwise one per process; lives and dies with the task's stream."""

    module_generator: random.Random | None = None
    node: int = 0
    last_ticks: int = 0
    last_ms: int = 0
    counter: int = 0


def _task_state(stream: random.Random) -> _TaskState:
    state = vars(stream).get(_TASK_STATE)
    if state is None:
        state = vars(stream)[_TASK_STATE] = _TaskState()
    assert isinstance(state, _TaskState)
    return state


def _module_generator(world: World) -> random.Random:
    """Return what the functions of `random` draw from."""
    stream = world.entropy()
    state: _TaskState | None = vars(stream).get(_TASK_STATE)
    if state is None or state.module_generator is None:
        return stream
    return state.module_generator


def _own_module_generator(world: World) -> random.Random:
    """Return the same, split off from the task's stream so that its state may be read and set."""
    stream = world.entropy()
    state = _task_state(stream)
    if state.module_generator is None:
        state.module_generator = random.Random(0)  # this is what `random` itself uses
        state.module_generator.setstate(stream.getstate())
    return state.module_generator


def _random_function(name: str) -> Inside:
    touches_state = name in {"seed", "getstate", "setstate"}
    pick = _own_module_generator if touches_state else _module_generator

    def inside(world: World, *args: object, **kwargs: object) -> object:
        return getattr(pick(world), name)(*args, **kwargs)

    return inside


RANDOM_FUNCTIONS: Mapping[str, Inside] = {name: _random_function(name) for name in random.__all__ if name[0].islower()}
"""All functions of `random`; the names in capitals are its classes."""


def seeding_method(world_of: WorldOf) -> Inside:
    """Return what takes the place of `random.Random.seed`: unseeded generators are seeded from the task's stream.

    Patched in the class, so that it holds wherever `Random` was imported and for classes derived from it.
    """
    original = random.Random.seed

    def seed(self: random.Random, a: object = None, version: int = 2) -> None:
        if a is None:
            world = world_of()
            if world is not None:
                a = world.entropy().getrandbits(256)
        original(self, a, version)  # type: ignore[arg-type]  # the original judges the type

    seed.__doc__, seed.__qualname__, seed.__module__ = original.__doc__, original.__qualname__, original.__module__
    return seed


def urandom(world: World, size: SupportsIndex, /) -> bytes:
    """Stand for `os.urandom`."""
    count = operator.index(size)
    if count < 0:
        message = "negative argument not allowed"
        raise ValueError(message)
    return world.entropy().randbytes(count)


def _getrandom(world: World, size: SupportsIndex, flags: int = 0) -> bytes:  # noqa: ARG001  # the original's signature
    return urandom(world, size)


OS_FUNCTIONS: Mapping[str, Inside] = {"urandom": urandom, "getrandom": _getrandom}


def _ticks(world: World, state: _TaskState) -> int:
    """Return the time of a UUID, later than that of the task's last one though the clock may have stood still."""
    state.last_ticks = max(_GREGORIAN_START_TICKS + wall_ns(world) // 100, state.last_ticks + 1)
    return state.last_ticks


def _node_and_sequence(stream: random.Random, node: int | None, clock_seq: int | None) -> tuple[int, int]:
    """Fill in what was not given.

    The node is one per task rather than `getnode()`: the real functions never give the same UUID twice in a process,
    and the times of two tasks may be the same.
    """
    state = _task_state(stream)
    if node is None:
        if not state.node:
            state.node = stream.getrandbits(48) | 1 << 40  # the multicast bit: not a hardware address
        node = state.node
    return node, stream.getrandbits(14) if clock_seq is None else clock_seq & 0x3FFF


def uuid1(world: World, node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:
    """Time-based, fields in the old order (RFC 9562, section 5.1)."""
    stream = world.entropy()
    ticks = _ticks(world, _task_state(stream))
    node, sequence = _node_and_sequence(stream, node, clock_seq)
    fields = (ticks & 0xFFFFFFFF, ticks >> 32 & 0xFFFF, ticks >> 48 & 0x0FFF, sequence >> 8, sequence & 0xFF, node)
    return uuid.UUID(fields=fields, version=1)


def uuid6(world: World, node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:
    """Time-based, fields in the order in which they sort (RFC 9562, section 5.6)."""
    stream = world.entropy()
    ticks = _ticks(world, _task_state(stream))
    node, sequence = _node_and_sequence(stream, node, clock_seq)
    high, low = ticks >> 12 & 0xFFFF_FFFF_FFFF, ticks & 0xFFF
    return uuid.UUID(int=high << 80 | 6 << 76 | low << 64 | 2 << 62 | sequence << 48 | node & 0xFFFF_FFFF_FFFF)


def uuid7(world: World) -> uuid.UUID:
    """Milliseconds, then a counter of 42 bits, then 32 random bits (RFC 9562, sections 5.7 and 6.2, method 1).

    Later ones of a task sort after earlier ones, also within a millisecond. Between tasks the order within a
    millisecond is arbitrary, where the real function would keep it for the whole process.
    """
    stream = world.entropy()
    state = _task_state(stream)
    ms = wall_ns(world) // 1_000_000
    # A new millisecond starts in the lower half of the counter, so that counting up has room.
    state.counter = state.counter + 1 if ms == state.last_ms else stream.getrandbits(41)
    state.last_ms = ms
    high, low = state.counter >> 30, state.counter & 0x3FFF_FFFF
    return uuid.UUID(int=ms << 80 | 7 << 76 | high << 64 | 2 << 62 | low << 32 | stream.getrandbits(32))


def _getnode(_world: World) -> int:
    return NODE


UUID_FUNCTIONS: Mapping[str, Inside] = {"uuid1": uuid1, "uuid6": uuid6, "uuid7": uuid7, "getnode": _getnode}
"""`uuid4` and `uuid8` draw from `os.urandom` and `random`; `uuid3` and `uuid5` draw nothing."""
