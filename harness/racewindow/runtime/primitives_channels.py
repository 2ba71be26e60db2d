"""Footprints of trio's memory channels, fine enough that a sender and a receiver meet only where their order shows.

A channel is taken apart into numbered pieces. The n-th send puts item n, and if the buffer is finite it needs the room
that receive n - capacity has left; the m-th receive takes item m and leaves room m. So send n and receive m conflict if
m is n, or n - capacity, and never else: in every other case neither sees whether the other has happened. The numbers
count what has been let in or waits in a queue; they come from the channel's own state and one counter.

Everything that takes a task out of the middle of a queue shifts the numbers behind it: a cancelled wait, an end that is
closed under a waiting task, the last receiver's leaving. These write the channel itself, which all others read.

The rule that makes the relation the same in both orders, and that a search relies on when it recalls footprints: what
a step touches next is a function of what it has touched so far, as if the channel were made of cells; and what changes
such a piece of state writes it, or adds to it. So each hook looks before it changes, always in the same order.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

from racewindow.footprint import ADD_CODE, READ_CODE, WRITE_CODE

if TYPE_CHECKING:
    from collections.abc import Callable

    from racewindow.footprint import KeyTable
    from racewindow.runtime.recorder import Recorder

Footprint = dict[int, None]


class Parts:
    """The pieces of one channel in one execution.

    `taken`: how many items have reached a receiver. `if_parked`: where the operation in progress notes what it touches
    beyond what it has looked at, if it goes on to wait, and what that is.
    """

    __slots__ = ("clones", "if_parked", "name", "own", "receives", "sends", "table", "taken")

    def __init__(self, table: KeyTable, own: int) -> None:
        self.table, self.own = table, own
        self.name = table.access(own * 3).key
        self.sends, self.receives = self.number("sends"), self.number("receives")
        self.taken = 0
        self.clones: dict[tuple[str, str], int] = {}
        self.if_parked: tuple[Footprint, tuple[int, ...]] | None = None

    def number(self, part: str) -> int:
        """The key number of a piece."""
        return self.table.number(f"{self.name}[{part}]")


class Buffer(deque[Any]):
    """The buffer of a channel, which leads to its pieces: the state of a channel has no room for more."""

    parts: Parts


class Queue(OrderedDict[Any, Any]):
    """The tasks that wait at one side of a channel. Nothing else of trio's says that a task begins to wait."""

    parts: Parts

    def __setitem__(self, task: Any, value: Any) -> None:
        parked, self.parts.if_parked = self.parts.if_parked, None
        if parked is not None:
            footprint, codes = parked
            footprint.update(dict.fromkeys(codes))
        super().__setitem__(task, value)


# --- making them -----------------------------------------------------------------------------------------------------


def takes_apart(original: Callable[..., None], recorder: Callable[[], Recorder | None]) -> Callable[..., None]:
    """Constructor of a channel's state: while recording, what trio makes is replaced by what can be numbered."""

    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        now = recorder()
        if now is not None:
            self.data, self.send_tasks, self.receive_tasks = Buffer(), Queue(), Queue()
            parts = Parts(now.table, now.name(self, "Channel"))
            self.data.parts = self.send_tasks.parts = self.receive_tasks.parts = parts

    return made


def names_end(original: Callable[..., None], side: str, recorder: Callable[[], Recorder | None]) -> Callable[..., None]:
    """Constructor of an end: a clone is named by the task that makes it and how many it has made of this channel."""

    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        now = recorder()
        parts = None if now is None else parts_of(now, self._state)
        if now is None or parts is None:
            return
        name = side
        if (side, "") in parts.clones:
            path = now.current.path  # type: ignore[union-attr]
            count = parts.clones[side, path] = parts.clones.get((side, path), 0) + 1
            name = f"{side} {path}#{count}"
        parts.clones[side, ""] = 1
        self._racewindow_keys = parts.number(name), parts.number(f"users of {name}")

    return made


def parts_of(now: Recorder, state: Any) -> Parts | None:
    """The pieces of a channel; None if it was not made in this execution."""
    data = state.data
    if type(data) is not Buffer or data.parts.table is not now.table or now.key(state) != data.parts.own:
        return None
    return data.parts


def _keys_of(end: Any, parts: Parts) -> tuple[int, int]:
    """(whether an end is closed, who waits at it or was cloned from it); one made unseen is taken for the channel."""
    keys: tuple[int, int] = getattr(end, "_racewindow_keys", (parts.own, parts.own))
    return keys


# --- what is noted ---------------------------------------------------------------------------------------------------


def _wakes(footprint: Footprint, parts: Parts, queue: Any, side: str) -> None:
    """The first task of a queue is let go; the end at which it waits may be closed instead."""
    footprint[_keys_of(next(iter(queue)).custom_sleep_data, parts)[1] * 3 + ADD_CODE] = None
    footprint[parts.number(f"waiting {side}") * 3 + ADD_CODE] = None


def _opened(now: Recorder, end: Any) -> tuple[Parts, int] | None:
    """(the pieces, the key of who uses this end); None if it is closed or was made unseen, which is noted here."""
    parts = parts_of(now, end._state)
    if parts is None:
        now.write(end._state)
        return None
    closed, users = _keys_of(end, parts)
    now.footprint[closed * 3 + READ_CODE] = None
    return None if end._closed else (parts, users)


def sends(now: Recorder, end: Any) -> None:
    """`send_nowait`, with which `send` begins."""
    state, footprint = end._state, now.footprint
    opened = _opened(now, end)
    if opened is None:
        return
    parts, users = opened
    footprint[parts.own * 3 + READ_CODE] = None
    if not state.open_receive_channels:
        return
    used, capacity = len(state.data), state.max_buffer_size
    number = parts.taken + used + len(state.send_tasks)
    order, item = parts.sends * 3, parts.number(f"item {number}") * 3
    footprint[order + READ_CODE] = footprint[item + READ_CODE] = None
    codes = (order + WRITE_CODE, item + WRITE_CODE)
    if state.receive_tasks:
        parts.taken += 1
        _wakes(footprint, parts, state.receive_tasks, "receivers")
    elif 0 < capacity <= number:  # never if the buffer is infinite
        room = parts.number(f"room {number - capacity}") * 3
        footprint[room + READ_CODE] = None
        if used >= capacity:
            waiting = parts.number("waiting senders") * 3
            parts.if_parked = footprint, (*codes, room + WRITE_CODE, users * 3 + ADD_CODE, waiting + ADD_CODE)
            return
    elif used >= capacity:
        waiting = parts.number("waiting senders") * 3
        parts.if_parked = footprint, (*codes, users * 3 + ADD_CODE, waiting + ADD_CODE)
        return
    for code in codes:
        footprint[code] = None


def receives(now: Recorder, end: Any) -> None:
    """`receive_nowait`, with which `receive` begins."""
    state, footprint = end._state, now.footprint
    opened = _opened(now, end)
    if opened is None:
        return
    parts, users = opened
    footprint[parts.own * 3 + READ_CODE] = None
    number = parts.taken + len(state.receive_tasks)
    order, item = parts.receives * 3, parts.number(f"item {number}") * 3
    footprint[order + READ_CODE] = footprint[item + READ_CODE] = None
    if state.data or state.send_tasks:
        parts.taken += 1
        footprint[order + WRITE_CODE] = None
        if 0 < state.max_buffer_size < float("inf"):
            room = parts.number(f"room {number}") * 3
            footprint[room + READ_CODE] = footprint[room + WRITE_CODE] = None
        if state.send_tasks:
            _wakes(footprint, parts, state.send_tasks, "senders")
        return
    footprint[parts.number("no senders") * 3 + READ_CODE] = None
    if state.open_send_channels:
        waiting = parts.number("waiting receivers") * 3
        parked = (order + WRITE_CODE, item + WRITE_CODE, users * 3 + ADD_CODE, waiting + ADD_CODE)
        parts.if_parked = footprint, parked


def clones(now: Recorder, end: Any) -> None:
    """Another end of the same side: how many there are is seen by `statistics`, and by a close of this one."""
    opened = _opened(now, end)
    if opened is not None:
        parts, users = opened
        now.footprint[users * 3 + ADD_CODE] = None
        now.footprint[parts.number("clones") * 3 + ADD_CODE] = None


def closes_sender(now: Recorder, end: Any) -> None:
    """The last one to be closed lets go of all who wait for an item."""
    state = end._state
    parts = parts_of(now, state)
    if parts is None:
        now.write(state)
    elif _closes(now, end, parts, "open senders") and state.open_send_channels == 1:
        now.footprint[parts.number("no senders") * 3 + WRITE_CODE] = None
        now.footprint[parts.number("waiting receivers") * 3 + READ_CODE] = None
        if state.receive_tasks:
            now.footprint[parts.own * 3 + WRITE_CODE] = None


def closes_receiver(now: Recorder, end: Any) -> None:
    """The last one to be closed empties the channel, and no send succeeds from then on."""
    state = end._state
    parts = parts_of(now, state)
    if parts is None:
        now.write(state)
    elif _closes(now, end, parts, "open receivers") and state.open_receive_channels == 1:
        now.footprint[parts.number("waiting senders") * 3 + READ_CODE] = None
        now.footprint[parts.own * 3 + WRITE_CODE] = None


def _closes(now: Recorder, end: Any, parts: Parts, side: str) -> bool:
    """What every close touches; answers whether it does anything."""
    footprint = now.footprint
    closed, users = _keys_of(end, parts)
    footprint[closed * 3 + READ_CODE] = None
    if end._closed:
        return False
    footprint[parts.own * 3 + READ_CODE] = footprint[users * 3 + READ_CODE] = None
    footprint[closed * 3 + WRITE_CODE] = footprint[parts.number(side) * 3 + WRITE_CODE] = None
    if end._tasks:
        footprint[parts.own * 3 + WRITE_CODE] = None
    return True


def looks(now: Recorder, state: Any) -> None:
    """`statistics` of either end: all the numbers there are."""
    now.read(state)
    parts = parts_of(now, state)
    if parts is not None:
        for number in (parts.sends, parts.receives):
            now.footprint[number * 3 + READ_CODE] = None
        for part in ("open senders", "open receivers", "clones"):
            now.footprint[parts.number(part) * 3 + READ_CODE] = None
