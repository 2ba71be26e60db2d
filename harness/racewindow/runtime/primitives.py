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

from racewindow._trio_internals import CancelStatus, MemoryChannelState, ParkingLot, Task, _channel, _sync
from racewindow.footprint import READ_CODE
from racewindow.runtime import primitives_channels as channels
from racewindow.runtime.recording import RECORDING

if TYPE_CHECKING:
    from racewindow.runtime.recorder import Recorder

_Note = Callable[["Recorder", Any], None]
PEAK = "untracked:peak_buffer_used"
"""The key of a look at the highest number of items that were in a channel at once."""


def recorder() -> Recorder | None:
    """The recorder of the execution in this thread, if it is recording a step."""
    now = RECORDING.recorder
    return now if now is not None and now.current is not None else None


def _hook(original: Callable[..., Any], note: _Note) -> Callable[..., Any]:
    """Notes an access first."""

    @wraps(original)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        now = RECORDING.accesses
        if now is not None and now.current is not None:
            note(now, self)
        return original(self, *args, **kwargs)

    return hooked


def _hook_lot(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Notes a look at a parking lot first, with nothing called: every look at who waits is one."""

    @wraps(original)
    def hooked(self: Any) -> Any:
        now = RECORDING.accesses
        if now is not None and now.current is not None:
            entry = now.names.get(id(self))
            now.footprint[(now.key(self) if entry is None else entry[1]) * 3 + READ_CODE] = None
        return original(self)

    return hooked


def _hook_state(original: Callable[..., Any], note: _Note) -> Callable[..., Any]:
    """The same where something is kept from step to step, which a repeated one has to keep as well."""

    @wraps(original)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        now = recorder()
        if now is not None:
            note(now, self)
        return original(self, *args, **kwargs)

    return hooked


def _hook_async(original: Callable[..., Any], note: _Note) -> Callable[..., Any]:
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


def _reads(now: Recorder, thing: Any) -> None:
    now.read(thing)


def _writes(now: Recorder, thing: Any) -> None:
    now.write(thing)


def _reads_lot(now: Recorder, thing: Any) -> None:
    now.read(thing._lot)


def _writes_lot(now: Recorder, thing: Any) -> None:
    now.write(thing._lot)


def _writes_queue(now: Recorder, thing: Any) -> None:
    now.writes_queue(thing)


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

_METHODS: tuple[tuple[type, str, _Note], ...] = (
    *((_LOCK, name, _reads_lot) for name in ("locked", "statistics")),
    *((_SEM, name, _writes_queue) for name in ("acquire_nowait", "release")),
    (_SEM, "statistics", _reads_lot),
    *((_LIMITER, name, _writes_lot) for name in ("acquire_on_behalf_of_nowait", "release_on_behalf_of")),
    (_LIMITER, "statistics", _reads_lot),
    *((ParkingLot, name, _writes) for name in ("unpark", "break_lot")),
    (ParkingLot, "statistics", _reads),
    (_EVENT, "set", _sets_event),
    *((_EVENT, name, _reads) for name in ("is_set", "statistics")),
    (MemoryChannelState, "statistics", channels.looks),
    (_SCOPE, "__enter__", _reads),  # a scope that is left in the same step is not seen around the task
    (_SCOPE, "_cancel", _cancels),
    (Task, "_attempt_abort", _aborts),
    (_NURSERY, "_child_finished", _child_ends),
    (_NURSERY, "start_soon", _may_be_late),
    (_NURSERY, "_add_exc", _writes),
)
_LOTS = tuple((ParkingLot, name) for name in ("__len__", "__bool__"))
_CHANNELS: tuple[tuple[type, str, _Note], ...] = (
    (_SEND, "send_nowait", channels.sends),
    (_RECEIVE, "receive_nowait", channels.receives),
    *((end, "clone", channels.clones) for end in (_SEND, _RECEIVE)),
    (_SEND, "close", channels.closes_sender),
    (_RECEIVE, "close", channels.closes_receiver),
)
_COROUTINES: tuple[tuple[type, str, _Note], ...] = (
    (_EVENT, "wait", _waits_for_event),
    (_NURSERY, "_nested_child_finished", _child_ends),
    (_NURSERY, "start", _may_be_late),
)
_PROPERTIES: tuple[tuple[type, str, _Note, _Note], ...] = (
    (_SEM, "value", _reads_lot, _writes_lot),
    (_LIMITER, "total_tokens", _reads_lot, _writes_lot),
    (_LIMITER, "borrowed_tokens", _reads_lot, _writes_lot),
    (_LIMITER, "available_tokens", _reads_lot, _writes_lot),
    (_SCOPE, "cancel_called", _reads, _writes),
    (_SCOPE, "deadline", _reads, _writes),
    (_SCOPE, "shield", _reads, _writes),
    (_NURSERY, "child_tasks", _reads, _writes),
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


def _property(original: property, reads: _Note, writes: _Note) -> property:
    assert original.fget is not None
    return property(
        _hook(original.fget, reads),
        None if original.fset is None else _hook(original.fset, writes),
        doc=original.__doc__,
    )


def _moving(original: property) -> property:
    """The parent of a scope, which changes where `nursery.start` hands a task over, or scopes are left in disorder."""

    def move(self: Any, parent: Any) -> None:
        now = RECORDING.recorder
        if now is not None and (self._tasks or self._children):
            now.around.clear()
        original.__set__(self, parent)

    return property(original.fget, move, doc=original.__doc__)


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
        for owner, name, reads, writes in _PROPERTIES:
            self._replace(owner, name, _property(owner.__dict__[name], reads, writes))
        for owner, name in _LOTS:
            self._replace(owner, name, _hook_lot(getattr(owner, name)))
        for owner, name, note in _CHANNELS:
            self._replace(owner, name, _hook_state(getattr(owner, name), note))
        for owner, kind, inner in _CLASSES:
            self._replace(owner, "__init__", _naming(owner.__init__, kind, inner))  # type: ignore[misc]

        self._replace(CancelStatus, "parent", _moving(CancelStatus.__dict__["parent"]))
        peak = trio.MemoryChannelStatistics.__dict__.get("peak_buffer_used")
        if peak is not None:  # trio 0.31 does not count it
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
