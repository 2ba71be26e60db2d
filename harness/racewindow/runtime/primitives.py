"""Footprints of trio's own primitives: hooks on their synchronous inner methods, installed while footprints are on.

Each hook asks whether this thread is recording and then calls the original. `docs/tracking.md` has the table with the
reason for each rule; `primitives_channels` has what is noted of memory channels. Some methods are hooked as coroutines,
because `nursery.start_soon(event.wait)` *calls* them in the spawner's step and runs them in the child's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import trio

from racewindow._trio_internals import GLOBAL_RUN_CONTEXT, MemoryChannelState, ParkingLot, Task, _channel, _sync
from racewindow.footprint import READ_CODE
from racewindow.runtime import primitives_channels as channels
from racewindow.runtime.runner import SimRunner

if TYPE_CHECKING:
    from racewindow.runtime.recorder import Recorder

_Where = Callable[[Any], Any]
PEAK = "untracked:peak_buffer_used"
"""The key of a look at the highest number of items that were in a channel at once."""


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


def _may_be_late(now: Recorder, nursery: Any) -> None:
    """A spawn into a nursery that is closed fails: it has seen that the last child has ended."""
    if nursery._closed:
        now.read(nursery)


def _adds_exception(now: Recorder, nursery: Any) -> None:
    now.write(nursery)


def _hooked_closing(original: Callable[..., None]) -> Callable[..., None]:
    """A nursery that closes lets its parent go on, after all exits and not after the last one only."""

    def check_nursery_closed(self: Any) -> None:
        now = recorder()
        if now is None:
            original(self)
            return
        now.closing = True
        original(self)
        now.closing = False
        if self._closed:
            now.closed(self)

    return check_nursery_closed


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
    (_SEND, "send_nowait", channels.sends),
    (_RECEIVE, "receive_nowait", channels.receives),
    *((end, "clone", channels.clones) for end in (_SEND, _RECEIVE)),
    (_SEND, "close", channels.closes_sender),
    (_RECEIVE, "close", channels.closes_receiver),
    (MemoryChannelState, "statistics", channels.looks),
    (_SCOPE, "__enter__", _reads(_self)),  # a scope that is left in the same step is not seen around the task
    (_SCOPE, "_cancel", _cancels),
    (Task, "_attempt_abort", _aborts),
    (_NURSERY, "_child_finished", _child_ends),
    (_NURSERY, "start_soon", _may_be_late),
    (_NURSERY, "_add_exc", _adds_exception),
)
_COROUTINES: tuple[tuple[type, str, Callable[[Recorder, Any], None]], ...] = (
    (ParkingLot, "park", _parks),
    (_EVENT, "wait", _waits_for_event),
    (_NURSERY, "_nested_child_finished", _child_ends),
    (_NURSERY, "start", _may_be_late),
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


def _peak(original: Any) -> property:
    """`peak_buffer_used`, which tells orders of sends and receives apart that nothing else does: a look leaves a key.

    Nothing conflicts with it. It is there so that whoever takes those orders for one can see that the program does not.
    """

    def look(statistics: Any) -> Any:
        now = recorder()
        if now is not None:
            now.footprint[now.table.number(PEAK) * 3 + READ_CODE] = None
        return original.__get__(statistics)

    return property(look, original.__set__)


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

        peak = trio.MemoryChannelStatistics.__dict__["peak_buffer_used"]
        self._replace(trio.MemoryChannelStatistics, "peak_buffer_used", _peak(peak))
        self._replace(MemoryChannelState, "__init__", channels.takes_apart(MemoryChannelState.__init__, recorder))
        for owner, side in ((_SEND, "sender"), (_RECEIVE, "receiver")):
            self._replace(owner, "__init__", channels.names_end(owner.__init__, side, recorder))
        self._replace(ParkingLot, "repark", _hooked_repark(ParkingLot.repark))
        self._replace(_NURSERY, "_check_nursery_closed", _hooked_closing(_NURSERY._check_nursery_closed))

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
