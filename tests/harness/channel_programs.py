"""Small random programs on one memory channel, as values: what its footprints are tested with.

Two ends of each side are there from the start; a task may clone one and then use its own. Nothing else is shared, so
that whatever two orders of events show differently, the channel has shown it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Any

import trio
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies import Run

ENDS, OWN = 2, 2
"""How many ends of each side there are from the start, and the number by which a task calls its own clone."""


class Do(Enum):
    """What can be done with an end. `send` and `receive` may wait, all others begin with a checkpoint."""

    SEND = "send"
    SEND_NOW = "send now"
    RECEIVE = "receive"
    RECEIVE_NOW = "receive now"
    CLONE_SENDER = "clone sender"
    CLONE_RECEIVER = "clone receiver"
    CLOSE_SENDER = "close sender"
    CLOSE_RECEIVER = "close receiver"
    ASK = "ask"
    CANCEL = "cancel"
    """Cancel the task with the number of the end."""

    def __repr__(self) -> str:
        return f"Do.{self.name}"


Op = tuple[Do, int]
Body = tuple[Op, ...]
_RECEIVING = {Do.RECEIVE, Do.RECEIVE_NOW, Do.CLONE_RECEIVER, Do.CLOSE_RECEIVER}


@dataclass(frozen=True)
class ChannelProgram:
    """A capacity, and what each task does."""

    capacity: float
    tasks: tuple[Body, ...]


class ChannelRun(Run):
    """One run: what every task saw, and what is left."""

    def __init__(self, program: ChannelProgram) -> None:
        self.seen: dict[str, list[object]] = {}
        self.order = []
        self.on_note = lambda _: None
        send, receive = trio.open_memory_channel[object](program.capacity)
        self.senders = [send, *(send.clone() for _ in range(ENDS - 1))]
        self.receivers = [receive, *(receive.clone() for _ in range(ENDS - 1))]
        self.scopes = [trio.CancelScope() for _ in program.tasks]

    def result(self) -> tuple[object, ...]:
        """All but the order, and the highest number of items that were there at once."""
        return tuple(sorted((label, tuple(seen)) for label, seen in self.seen.items())), self.state()

    def state(self) -> tuple[object, ...]:
        """What `statistics` says, but for the peak."""
        now = self.senders[0].statistics()
        waiting = now.tasks_waiting_send, now.tasks_waiting_receive
        return now.current_buffer_used, now.open_send_channels, now.open_receive_channels, *waiting


def as_function(program: ChannelProgram, runs: list[Run] | None = None) -> Callable[[], Awaitable[None]]:
    """The program as an async function; each run of it appends its `Run` to `runs`."""

    async def generated() -> None:
        run = ChannelRun(program)
        if runs is not None:
            runs.append(run)
        async with trio.open_nursery() as nursery:
            for index, body in enumerate(program.tasks):
                nursery.start_soon(_task, run, index, body, name=f"t{index}")

    return generated


async def _task(run: ChannelRun, index: int, body: Body) -> None:
    own: dict[bool, Any] = {}
    with run.scopes[index] as scope:
        for number, (do, end) in enumerate(body):
            receiving = do in _RECEIVING
            ends: list[Any] = [*(run.receivers if receiving else run.senders)]
            chosen = own.get(receiving, ends[0]) if end == OWN else ends[end % ENDS]
            try:
                seen = await _perform(run, do, end, chosen, f"{index}.{number}")
            except (trio.WouldBlock, trio.EndOfChannel, trio.ClosedResourceError, trio.BrokenResourceError) as error:
                seen = type(error).__name__
            if do in {Do.CLONE_SENDER, Do.CLONE_RECEIVER} and not isinstance(seen, str):
                own[receiving], seen = seen, "cloned"
            run.note(f"t{index}", seen)
    run.note(f"t{index}", "cut off" if scope.cancelled_caught else "done")


async def _perform(run: ChannelRun, do: Do, number: int, end: Any, value: str) -> object:
    if do is Do.SEND:
        return await end.send(value)
    if do is Do.RECEIVE:
        return await end.receive()
    await trio.lowlevel.checkpoint()
    match do:
        case Do.SEND_NOW:
            return end.send_nowait(value)
        case Do.RECEIVE_NOW:
            return end.receive_nowait()
        case Do.CLONE_SENDER | Do.CLONE_RECEIVER:
            return end.clone()
        case Do.CLOSE_SENDER | Do.CLOSE_RECEIVER:
            return end.close()
        case Do.ASK:
            return run.state()
        case Do.CANCEL:
            return run.scopes[number % len(run.scopes)].cancel()
    raise AssertionError(do)


# --- generating them -------------------------------------------------------------------------------------------------

_SENDING = {Do.SEND, Do.SEND_NOW, Do.CLONE_SENDER, Do.CLOSE_SENDER}
FAMILIES: dict[str, frozenset[Do]] = {
    "everything": frozenset(Do),
    "waiting": frozenset({Do.SEND, Do.RECEIVE}),
    "trying": frozenset({Do.SEND, Do.RECEIVE, Do.SEND_NOW, Do.RECEIVE_NOW}),
    "closing": frozenset({Do.SEND, Do.RECEIVE, Do.CLOSE_SENDER, Do.CLOSE_RECEIVER}),
    "cloning": frozenset({Do.SEND, Do.RECEIVE, Do.ASK} | {do for do in Do if do.value.startswith("cl")}),
    "cancelling": frozenset({Do.SEND, Do.RECEIVE, Do.CANCEL, Do.ASK}),
    "last ends": frozenset({Do.RECEIVE, Do.SEND, Do.CLOSE_SENDER, Do.CLOSE_RECEIVER, Do.CANCEL, Do.RECEIVE_NOW}),
}
"""Which operations to make programs of: what is wrong with one shows soonest in programs that aim at it."""


def channel_programs(
    operations: frozenset[Do] = FAMILIES["everything"], *, tasks_max: int = 4, length_max: int = 4
) -> SearchStrategy[ChannelProgram]:
    """Programs of 2 to `tasks_max` tasks; half of them only send or only receive, so that queues grow long."""
    either = st.sampled_from(sorted(operations, key=lambda do: do.value))
    sending = st.sampled_from(sorted(operations - _RECEIVING, key=lambda do: do.value))
    receiving = st.sampled_from(sorted(operations - _SENDING, key=lambda do: do.value))
    end = st.sampled_from([0, 0, 1, OWN])
    bodies = [
        st.lists(st.tuples(do, end), min_size=1, max_size=length_max).map(tuple)
        for do in (either, either, sending, receiving)
    ]
    tasks = st.lists(st.one_of(bodies), min_size=2, max_size=tasks_max).map(tuple)
    return st.builds(ChannelProgram, st.sampled_from([0, 1, 2, inf]), tasks)
