"""Whether a step has left its task as it was: how a bare spin loop is told from one that gets on.

The state of a suspended task is all that its own code can reach from where it stands: the values on its stack and in
its variables, what these hold, and where in the code each frame is. Tracked objects and trio's stand for themselves:
what happens to them is in footprints. Where something is met into which one cannot look, such as an iterator or an
object of an extension module, the state is unknown, and the task counts as getting on.
"""

from __future__ import annotations

import dis
import gc
from collections.abc import Callable, Sequence
from functools import cache
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CellType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from racewindow.runtime.task import SimTask

Stance = list[Any]
_VALUES = frozenset({type(None), bool, int, float, complex, str, bytes, range, type(...), CodeType})
"""Types whose values never change."""
_HOLDERS = frozenset({tuple, list, set, frozenset})
_ITERATORS: tuple[type, ...] = (type(iter(())), type(iter([])), type(iter(range(0))), type(iter({})), enumerate, zip)
"""Those that tell how far they have come."""
_TRACKED = frozenset({"trio", "racewindow"})
"""Packages whose objects and functions keep their state in footprints."""
_MOST = 1_000
"""Objects looked at; a task that can reach more counts as getting on."""


def is_in_a_loop(task: SimTask) -> bool:
    """Whether a suspended task may come back to where it stands without a new value to go on with.

    A `for` does not count, whose iterator moves on. It is the cheap question to ask before the state.
    """
    coro: Any = task.coro
    while type(coro) is CoroutineType:
        code = coro.cr_code
        known = _loops.get(id(code))
        if known is None:
            known = _loops[id(code)] = (code, _loops_in(code))
        if known[1] and _is_within(known[1], coro.cr_frame):
            return True
        coro = coro.cr_await
    return False


def _is_within(loops: list[tuple[int, int]], frame: FrameType | None) -> bool:
    return frame is not None and any(first <= frame.f_lasti < last for first, last in loops)


_loops: dict[int, tuple[CodeType, list[tuple[int, int]]]] = {}
"""By the address of a code, which is kept along with it: its hash takes long."""


def _loops_in(code: CodeType) -> list[tuple[int, int]]:
    """First and last instruction of each loop."""
    instructions = list(dis.get_instructions(code))
    starts = {each.offset: each.opname for each in instructions}
    return [
        (each.argval, each.offset)
        for each in instructions
        if "JUMP_BACKWARD" in each.opname
        and each.opname != "JUMP_BACKWARD_NO_INTERRUPT"  # of an `await`
        and starts.get(each.argval) != "FOR_ITER"
    ]


def stance_of(task: SimTask) -> Stance | None:
    """The state of a suspended task, None if it is unknown; compare by `same`, as long as both are at hand."""
    state: Stance = [task.objects_count]
    for item in task.context.items():
        state += item
    queue: list[Any] = [task.coro]
    seen: dict[int, int] = {}
    for each in queue:  # which grows
        kind = type(each)
        if kind in _VALUES or id(each) in seen:
            state.append(each if kind in _VALUES else seen[id(each)])
            continue
        seen[id(each)] = len(seen)
        held = _held_by(each, kind) if len(seen) <= _MOST else None
        if held is None:
            return None
        state += (each if _is_unique(each, kind) else kind, len(held))
        queue += held
    return state


def same(one: Stance | None, other: Stance | None) -> bool:
    """Whether two states are known and equal."""
    if one is None or other is None or len(one) != len(other):
        return False
    pairs = zip(one, other, strict=True)
    return all(a is b or (type(a) is type(b) and type(a) in _VALUES and a == b) for a, b in pairs)


def _held_by(thing: Any, kind: type) -> Sequence[Any] | None:
    """What a thing holds, in an order of its own; None if one cannot know."""
    if kind in _HOLDERS:
        return list(thing)
    if kind in _LOOKS:
        found: Sequence[Any] = _LOOKS[kind](thing)
        return found
    if isinstance(thing, type):
        return _values_of_class(thing)
    if _is_tracked(kind):
        return ()
    return gc.get_referents(thing) if _is_plain(kind) else None


def _is_unique(thing: Any, kind: type) -> bool:
    """Whether another one would not be as good, even if it held the same."""
    return kind is ModuleType or isinstance(thing, type) or _is_tracked(kind)


def _is_tracked(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).partition(".")[0] in _TRACKED


@cache
def _is_plain(kind: type) -> bool:
    """Whether a class is written in Python, and its bases are: then its instances hide nothing."""
    return not any(
        type(value) in (MethodDescriptorType, WrapperDescriptorType)
        for each in kind.__mro__[:-1]
        for value in vars(each).values()
    )


def _values_of_class(kind: type) -> Sequence[Any]:
    if _is_tracked(kind):
        return ()
    return [value for value in vars(kind).values() if type(value) in _VALUES or type(value) in _HOLDERS]


def _globals_of(code: CodeType, names: dict[str, Any]) -> list[Any]:
    return [names[name] for name in code.co_names if name in names]


def _suspended(thing: Any, frame: FrameType | None) -> Sequence[Any]:
    """Where a coroutine stands, its variables, and its stack, on which there are the loops that it is in."""
    if frame is None:
        return ()
    held = [each for each in gc.get_referents(thing) if type(each) is not FrameType]
    known = () if _is_library(frame) else _globals_of(frame.f_code, frame.f_globals)
    return [frame.f_lasti, *held, *known]


def _is_library(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in _TRACKED


def _held_by_function(thing: FunctionType) -> Sequence[Any]:
    if _is_tracked(thing):
        return [thing.__code__]
    held = [*(thing.__closure__ or ()), *(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()]
    return [thing.__code__, *held, *_globals_of(thing.__code__, thing.__globals__)]


_LOOKS: dict[type, Callable[[Any], Sequence[Any]]] = {
    dict: lambda thing: [*thing, *thing.values()],
    CoroutineType: lambda thing: _suspended(thing, thing.cr_frame),
    GeneratorType: lambda thing: _suspended(thing, thing.gi_frame),
    AsyncGeneratorType: lambda thing: _suspended(thing, thing.ag_frame),
    FunctionType: _held_by_function,
    MethodType: lambda thing: [thing.__func__, thing.__self__],
    BuiltinFunctionType: lambda thing: [thing.__name__, thing.__self__],
    CellType: gc.get_referents,
    ModuleType: lambda _: (),
    **dict.fromkeys(_ITERATORS, lambda thing: thing.__reduce__()),
}
"""Type -> what one of it holds."""
