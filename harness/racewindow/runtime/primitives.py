"""Footprints of trio's own primitives: hooks on their synchronous inner methods, installed while footprints are on.

Each hook asks whether this thread is recording and then calls the original. `docs/tracking.md` has the table with the
reason for each rule. Two methods are hooked as coroutines, because `nursery.start_soon(event.wait)` *calls* them in the
spawner's step and runs them in the child's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import trio

from racewindow._trio_internals import GLOBAL_RUN_CONTEXT, MemoryChannelState, ParkingLot, Task, _channel, _sync
from racewindow.runtime.runner import SimRunner

if TYPE_CHECKING:
    from racewindow.runtime.recorder import Recorder

_Where = Callable[[Any], Any]


def recorder() -> Recorder | None:
    """The recorder of the execution in this thread, if it is recording a step."""
    runner = getattr(GLOBAL_RUN_CONTEXT, "runner", None)
    if type(runner) is SimRunner and runner.recording and runner.recorder.current is not None:
        now: Recorder = runner.recorder
        return now
    return None


def _hook(original: Callable[..., Any], note: Callable[[Recorder, Any], None]) -> Callable[..., Any]:
    @wraps(original)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        now = recorder()
        if now is not None:
            note(now, self)
        return original(self, *args, **kwargs)

    return hooked


def _hook_async(original: Callable[..., Any], note: Callable[[Recorder, Any], None]) -> Callable[..., Any]:
    @wraps(original)  # a task that runs it keeps its name
    async def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        now = recorder()
        if now is not None:
            note(now, self)
        return await original(self, *args, **kwargs)

    return hooked


def _naming(original: Callable[..., None], kind: str, inner: str | None = None) -> Callable[..., None]:
    """Name the object when it has been made; `inner`: the attribute that stands for it, made by its own hook."""

    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        now = recorder()
        if now is not None and inner is None:
            now.name(self, kind)
        elif now is not None:
            now.rename(getattr(self, inner), type(self).__name__)  # type: ignore[arg-type]

    return made


def _hooked_repark(original: Callable[..., None]) -> Callable[..., None]:
    """Moving waiters changes both lots."""

    def repark(self: Any, new_lot: Any, **kwargs: Any) -> None:
        now = recorder()
        if now is not None:
            now.write(self)
            now.write(new_lot)
        original(self, new_lot, **kwargs)

    return repark


# --- what is noted ---------------------------------------------------------------------------------------------------


def _self(thing: Any) -> Any:
    return thing


def _lot(thing: Any) -> Any:
    return thing._lot


def _state(thing: Any) -> Any:
    return thing._state


def _reads(where: _Where) -> Callable[[Recorder, Any], None]:
    return lambda now, thing: now.read(where(thing))


def _writes(where: _Where) -> Callable[[Recorder, Any], None]:
    return lambda now, thing: now.write(where(thing))


def _parks(now: Recorder, lot: Any) -> None:
    now.write(lot)
    now.current.waits_on = lot  # type: ignore[union-attr]


def _waits_for_event(now: Recorder, event: trio.Event) -> None:
    """Waiters do not see each other: joining them commutes. A wait that finds the flag set only looks at it."""
    if event._flag:
        now.read(event)
    else:
        now.add(event)
        now.current.waits_on = event  # type: ignore[union-attr]


def _sets_event(now: Recorder, event: trio.Event) -> None:
    if event._flag:
        now.read(event)
    else:
        now.write(event)


def _cancels(now: Recorder, scope: trio.CancelScope) -> None:
    if scope._cancel_called:
        now.read(scope)
    else:
        now.write(scope)


def _aborts(now: Recorder, task: Any) -> None:
    now.aborted(task)


def _child_ends(now: Recorder, nursery: Any) -> None:
    """Both orders of two siblings' exits leave the parent one more step, so they commute."""
    now.add(nursery)


def _adds_exception(now: Recorder, nursery: Any) -> None:
    now.write(nursery)


_LOCK, _SEM, _LIMITER = _sync._LockImpl, trio.Semaphore, trio.CapacityLimiter
_SEND, _RECEIVE = _channel.MemorySendChannel, _channel.MemoryReceiveChannel
_SCOPE, _EVENT, _NURSERY = trio.CancelScope, trio.Event, trio.Nursery

_METHODS: tuple[tuple[type, str, Callable[[Recorder, Any], None]], ...] = (
    *((_LOCK, name, _writes(_lot)) for name in ("acquire_nowait", "release")),
    *((_LOCK, name, _reads(_lot)) for name in ("locked", "statistics")),
    *((_SEM, name, _writes(_lot)) for name in ("acquire_nowait", "release")),
    (_SEM, "statistics", _reads(_lot)),
    *((_LIMITER, name, _writes(_lot)) for name in ("acquire_on_behalf_of_nowait", "release_on_behalf_of")),
    (_LIMITER, "statistics", _reads(_lot)),
    *((ParkingLot, name, _writes(_self)) for name in ("unpark", "break_lot")),
    *((ParkingLot, name, _reads(_self)) for name in ("__len__", "__bool__", "statistics")),
    (_EVENT, "set", _sets_event),
    *((_EVENT, name, _reads(_self)) for name in ("is_set", "statistics")),
    *((_SEND, name, _writes(_state)) for name in ("send_nowait", "close", "clone")),
    *((_RECEIVE, name, _writes(_state)) for name in ("receive_nowait", "close", "clone")),
    (MemoryChannelState, "statistics", _reads(_self)),
    (_SCOPE, "__enter__", _reads(_self)),  # a scope that is left in the same step is not seen around the task
    (_SCOPE, "_cancel", _cancels),
    (Task, "_attempt_abort", _aborts),
    (_NURSERY, "_child_finished", _child_ends),
    (_NURSERY, "_add_exc", _adds_exception),
)
_COROUTINES: tuple[tuple[type, str, Callable[[Recorder, Any], None]], ...] = (
    (ParkingLot, "park", _parks),
    (_EVENT, "wait", _waits_for_event),
    (_NURSERY, "_nested_child_finished", _child_ends),
)
_PROPERTIES: tuple[tuple[type, str, _Where], ...] = (
    (_SEM, "value", _lot),
    (_LIMITER, "total_tokens", _lot),
    (_LIMITER, "borrowed_tokens", _lot),
    (_LIMITER, "available_tokens", _lot),
    (_SCOPE, "cancel_called", _self),
    (_SCOPE, "deadline", _self),
    (_SCOPE, "shield", _self),
    (_NURSERY, "child_tasks", _self),
)
_CLASSES: tuple[tuple[type, str, str | None], ...] = (
    (ParkingLot, "ParkingLot", None),
    (_EVENT, "Event", None),
    (MemoryChannelState, "Channel", None),
    (_SCOPE, "CancelScope", None),
    (_NURSERY, "Nursery", None),
    (trio.Lock, "Lock", "_lot"),
    (trio.StrictFIFOLock, "Lock", "_lot"),
    (_SEM, "Semaphore", "_lot"),
    (_LIMITER, "CapacityLimiter", "_lot"),
    (trio.Condition, "Condition", "_lot"),
)


def _property(original: property, where: _Where) -> property:
    assert original.fget is not None
    return property(
        _hook(original.fget, _reads(where)),
        None if original.fset is None else _hook(original.fset, _writes(where)),
        doc=original.__doc__,
    )


class Hooks:
    """Installs the hooks on entry and takes them off on exit; nests."""

    _depth = 0
    _originals: list[tuple[type, str, Any]]

    def __enter__(self) -> None:
        Hooks._depth += 1
        if Hooks._depth > 1:
            return
        Hooks._originals = []
        for owner, name, note in _METHODS:
            self._replace(owner, name, _hook(getattr(owner, name), note))
        for owner, name, note in _COROUTINES:
            self._replace(owner, name, _hook_async(getattr(owner, name), note))
        for owner, name, where in _PROPERTIES:
            self._replace(owner, name, _property(owner.__dict__[name], where))
        for owner, kind, inner in _CLASSES:
            self._replace(owner, "__init__", _naming(owner.__init__, kind, inner))  # type: ignore[misc]

        self._replace(ParkingLot, "repark", _hooked_repark(ParkingLot.repark))

    def _replace(self, owner: type, name: str, replacement: object) -> None:
        Hooks._originals.append((owner, name, owner.__dict__.get(name, _INHERITED)))
        setattr(owner, name, replacement)

    def __exit__(self, *_: object) -> None:
        Hooks._depth -= 1
        if Hooks._depth:
            return
        for owner, name, original in reversed(Hooks._originals):
            if original is _INHERITED:
                delattr(owner, name)
            else:
                setattr(owner, name, original)
        Hooks._originals = []


_INHERITED = object()
