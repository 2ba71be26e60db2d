"""Random programs whose result no order of events can change, so that any two ways of running them can be compared.

The programs of `tests/strategies.py` race, on purpose; these do not, and use more of trio. What makes each operation
indifferent to the order is said with it; what makes the program so as a whole is time. Every duration is another power
of two, so no two deadlines ever fall on the same instant: between two instants everything runs until it blocks, and
each instant wakes or cancels one thing, in a state that is the same in every order. Whatever could meet a racing step
(a cancel, a failure, a moved deadline) is therefore done by a task that has just slept, when everyone else is blocked.
Everything that could block for ever has a timeout.
"""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, fields
from functools import partial
from typing import TypeAlias

import trio
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from trio.testing import Sequencer, lockstep_stream_pair, memory_stream_pair, wait_all_tasks_blocked

EVENTS, FLAGS = 2, 2


class Op:
    """Base of the operations: shown as the call that makes it."""

    def __repr__(self) -> str:
        values = ", ".join(repr(getattr(self, each.name)) for each in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({values})"


Body: TypeAlias = tuple[Op, ...]


# --- operations that one task does alone -----------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Nap(Op):
    """Sleep."""


@dataclass(frozen=True, repr=False)
class Checkpoints(Op):
    """So many checkpoints of one kind."""

    count: int
    kind: str


@dataclass(frozen=True, repr=False)
class SetEvent(Op):
    """Setting twice is setting once."""

    event: int


@dataclass(frozen=True, repr=False)
class WaitEvent(Op):
    """Wait for an event, with a timeout that raises."""

    event: int


@dataclass(frozen=True, repr=False)
class SetFlag(Op):
    """Set a flag and notify everybody who waits on the condition."""

    flag: int


@dataclass(frozen=True, repr=False)
class AwaitFlag(Op):
    """Wait on a condition until a flag is set, with a timeout."""

    flag: int


@dataclass(frozen=True, repr=False)
class Guarded(Op):
    """Count under a lock, across checkpoints: sums do not depend on whose turn was first."""

    kind: str
    checkpoints: int


@dataclass(frozen=True, repr=False)
class Generate(Op):
    """Iterate an async generator, all of it or up to `stop`, and close it."""

    count: int
    stop: int


@dataclass(frozen=True, repr=False)
class LeaveOpen(Op):
    """Start an async generator that is closed only when the run ends."""


@dataclass(frozen=True, repr=False)
class CancelTask(Op):
    """Cancel the scope around a task, when everybody is blocked."""

    task: int


@dataclass(frozen=True, repr=False)
class MoveDeadline(Op):
    """Move the deadline of the scope around a task, into the future or into the past, when everybody is blocked."""

    task: int
    past: bool


@dataclass(frozen=True, repr=False)
class Thread(Op):
    """Run a function in a thread, under the limiter or not, answering, raising, or coming back into trio."""

    kind: str
    limited: bool


# --- operations of top-level tasks only ------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Send(Op):
    """Send to the next task: each channel has one sender and one receiver."""


@dataclass(frozen=True, repr=False)
class Receive(Op):
    """Receive from the task before this one."""


@dataclass(frozen=True, repr=False)
class Settle(Op):
    """Wait until all others are blocked and look at everything that is shared; one task of a program does this."""


# --- operations with tasks of their own ------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Stream(Op):
    """Pass chunks through a pair of memory streams, to the end of the stream: how they are cut does not matter."""

    chunks: int
    lockstep: bool
    naps: bool


@dataclass(frozen=True, repr=False)
class Fan(Op):
    """Several producers and consumers on one channel, closed by the last: what arrives is a set."""

    producers: int
    consumers: int
    capacity: int


@dataclass(frozen=True, repr=False)
class InSequence(Op):
    """Tasks that a `Sequencer` puts in order."""

    count: int


@dataclass(frozen=True, repr=False)
class Children(Op):
    """A nursery; some children fail, each after a nap. Who `cancels` is the parent, after a nap."""

    bodies: tuple[Body, ...]
    failing: tuple[bool, ...]
    cancels: bool


@dataclass(frozen=True, repr=False)
class Start(Op):
    """`nursery.start()`: a child that does something, reports, and goes on."""

    before: Body
    after: Body


# --- operations around others ----------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Within(Op):
    """Do the body in a scope: `move_on_after`, `fail_after`, one that shields, one that is cancelled already."""

    kind: str
    body: Body


@dataclass(frozen=True, repr=False)
class Cleanup(Op):
    """Do the body; whatever happens, do something behind a shield afterwards."""

    body: Body


@dataclass(frozen=True)
class Program:
    """The bodies of the tasks; `shuffle` says which timer gets which duration.

    With `ties` durations are from 0 to 3. Then instants coincide, so there must be one task only.
    """

    tasks: tuple[Body, ...]
    shuffle: int = 0
    ties: bool = False

    def __repr__(self) -> str:
        return f"Program({self.tasks!r}, {self.shuffle}, {self.ties})"

    def durations(self) -> dict[str, float]:
        """The duration of each timer by its label; exact, and so are their sums, if there are at most TIMERS_MAX."""
        labels = [label for index, body in enumerate(self.tasks) for label in _timers(f"t{index}", body)]
        order = random.Random(self.shuffle)
        if self.ties:
            return {label: float(order.randrange(4)) for label in labels}
        order.shuffle(labels)
        return {label: float(1 << index) for index, label in enumerate(labels)}


TIMERS_MAX = 52
"""Bits of a float, but for the one below 1 that a deadline in the past takes."""


def _timers(label: str, body: Body) -> list[str]:
    """The labels of the timers in a body: an operation may have one of its own, and others inside."""
    found = []
    for index, op in enumerate(body):
        own = f"{label}.{index}"
        match op:
            case Nap() | WaitEvent() | AwaitFlag() | Send() | Receive() | CancelTask() | Cleanup():
                found.append(own)
            case Within("move_on_after" | "fail_after") | Children(cancels=True):
                found.append(own)
            case MoveDeadline():
                found += [own, f"{own}'"]
            case Stream(chunks, naps=True):
                found += [f"{own}/{number}" for number in range(chunks)]
            case _:
                pass
        if isinstance(op, Children):
            found += [name for (name, _), fails in zip(_inner(own, op), op.failing, strict=True) if fails]
        for name, inner in _inner(own, op):
            found += _timers(name, inner)
    return found


def operations(program: Program) -> list[Op]:
    """All that occur in it, at any depth."""

    def within(body: Body) -> list[Op]:
        return [each for op in body for each in (op, *(deep for _, inner in _inner("", op) for deep in within(inner)))]

    return [op for body in program.tasks for op in within(body)]


def _inner(label: str, op: Op) -> list[tuple[str, Body]]:
    """The bodies inside an operation, each with its label."""
    match op:
        case Children(bodies):
            return [(f"{label}/{index}", body) for index, body in enumerate(bodies)]
        case Start(before, after):
            return [(f"{label}/a", before), (f"{label}/b", after)]
        case Within(_, body) | Cleanup(body):
            return [(label, body)]
        case _:
            return []


class ProgrammedError(Exception):
    """What failing children and threads raise."""


# --- running them ----------------------------------------------------------------------------------------------------


class Run:
    """What the tasks of one run share, and what they leave."""

    def __init__(self, program: Program) -> None:
        self.program, self.duration = program, program.durations()
        self.events = [trio.Event() for _ in range(EVENTS)]
        self.flags = [False] * FLAGS
        self.condition = trio.Condition()
        self.guards: dict[str, AbstractAsyncContextManager[object]] = {
            "Lock": trio.Lock(),
            "StrictFIFOLock": trio.StrictFIFOLock(),
            "Semaphore": trio.Semaphore(2),
            "CapacityLimiter": trio.CapacityLimiter(1),
        }
        self.limiter = trio.CapacityLimiter(1)
        count = len(program.tasks)
        self.scopes = [trio.CancelScope() for _ in range(count)]
        self.channels = [trio.open_memory_channel[str](index % 2) for index in range(count)]
        self.counted = dict.fromkeys(self.guards, 0)
        self.notes: dict[str, list[object]] = {}
        self.open: list[AsyncGenerator[int]] = []

    def note(self, label: str, *values: object) -> None:
        self.notes.setdefault(label, []).append((trio.current_time(), *values))

    def shared(self) -> tuple[object, ...]:
        """All that the tasks share, as a value."""
        return (
            tuple(event.is_set() for event in self.events),
            tuple(self.flags),
            tuple(self.counted.items()),
            tuple(_waiting(send.statistics()) for send, _ in self.channels),
            tuple((scope.cancel_called, scope.deadline) for scope in self.scopes),
            self.condition.statistics(),
        )

    def result(self) -> tuple[object, ...]:
        """What every task noted, in its own order, and what is left."""
        return (tuple(sorted((label, tuple(notes)) for label, notes in self.notes.items())), self.shared())


def _waiting(channel: trio.MemoryChannelStatistics) -> tuple[int, ...]:
    """How full a channel is and who waits; how full it ever was does depend on the order."""
    return channel.current_buffer_used, channel.tasks_waiting_send, channel.tasks_waiting_receive


def as_function(program: Program, results: list[object]) -> Callable[[], Awaitable[None]]:
    """The program as an async function that appends its result."""

    async def generated() -> None:
        run = Run(program)
        async with trio.open_nursery() as nursery:
            for index, body in enumerate(program.tasks):
                nursery.start_soon(_task, run, index, body, name=f"t{index}")
        run.note("main", "ends")
        results.append(run.result())

    return generated


async def _task(run: Run, index: int, body: Body) -> None:
    label = f"t{index}"
    with run.scopes[index] as scope:
        await _sequence(run, label, body)
    run.note(label, "cut off" if scope.cancelled_caught else "done")


async def _sequence(run: Run, label: str, body: Body) -> None:
    for index, op in enumerate(body):
        own = f"{label}.{index}"
        try:
            await _perform(run, own, op)
        except trio.Cancelled:
            run.note(own, "cancelled in", op)
            raise
        run.note(own, "after", type(op).__name__)


async def _perform(run: Run, label: str, op: Op) -> None:
    match op:
        case Nap():
            await trio.sleep(run.duration[label])
        case Checkpoints(count, kind):
            for _ in range(count):
                await _CHECKPOINTS[kind]()
        case SetEvent(event):
            run.events[event].set()
        case WaitEvent(event):
            try:
                with trio.fail_after(run.duration[label]):
                    await run.events[event].wait()
            except trio.TooSlowError as error:
                run.note(label, "too slow", type(error.__context__).__name__, type(error.__cause__).__name__)
        case Guarded(kind, checkpoints):
            async with run.guards[kind]:
                for _ in range(checkpoints):
                    await trio.lowlevel.checkpoint()
                run.counted[kind] += 1
        case SetFlag() | AwaitFlag():
            await _with_condition(run, label, op)
        case Send() | Receive():
            await _communicate(run, label, op)
        case Settle():
            await wait_all_tasks_blocked()
            run.note(label, "sees", run.shared())
        case CancelTask() | MoveDeadline():
            await _interfere(run, label, op)
        case Generate() | LeaveOpen():
            await _iterate(run, label, op)
        case Thread():
            await _in_thread(run, label, op)
        case Within() | Cleanup():
            await _around(run, label, op)
        case _:
            await _with_tasks(run, label, op)


_CHECKPOINTS: dict[str, Callable[[], Awaitable[None]]] = {
    "checkpoint": lambda: trio.lowlevel.checkpoint(),  # noqa: PLW0108  # looked up when it is called: it is patched
    "cancel_shielded_checkpoint": trio.lowlevel.cancel_shielded_checkpoint,
    "checkpoint_if_cancelled": trio.lowlevel.checkpoint_if_cancelled,
    "sleep(0)": lambda: trio.sleep(0),
    "sleep_until past": lambda: trio.sleep_until(trio.current_time() - 1),
}


async def _with_condition(run: Run, label: str, op: Op) -> None:
    if isinstance(op, SetFlag):
        async with run.condition:
            run.flags[op.flag] = True
            run.condition.notify_all()
    elif isinstance(op, AwaitFlag):
        with trio.move_on_after(run.duration[label]) as scope:
            async with run.condition:
                while not run.flags[op.flag]:
                    await run.condition.wait()
        run.note(label, "too late" if scope.cancelled_caught else "in time")


async def _communicate(run: Run, label: str, op: Op) -> None:
    index = int(label[1 : label.index(".")])
    with trio.move_on_after(run.duration[label]) as scope:
        if isinstance(op, Send):
            await run.channels[index][0].send(f"from {label}")
        else:
            run.note(label, await run.channels[index - 1][1].receive())
    run.note(label, "too late" if scope.cancelled_caught else "in time")


async def _interfere(run: Run, label: str, op: Op) -> None:
    await trio.sleep(run.duration[label])
    if isinstance(op, CancelTask):
        run.scopes[op.task % len(run.scopes)].cancel()
    elif isinstance(op, MoveDeadline):
        distance = -0.5 if op.past else run.duration[f"{label}'"]
        run.scopes[op.task % len(run.scopes)].deadline = trio.current_time() + distance
    # What it did strikes before it goes on: under `processes` at once, under `trio` once the batch has ended.
    await trio.lowlevel.cancel_shielded_checkpoint()


async def _iterate(run: Run, label: str, op: Op) -> None:
    async def generator(count: int) -> AsyncGenerator[int]:
        try:
            for index in range(count):
                await trio.lowlevel.checkpoint()
                yield index
        finally:
            task = trio.lowlevel.current_task()
            run.notes.setdefault(f"{label} closed", []).append(task is not trio.lowlevel.current_root_task())

    if isinstance(op, LeaveOpen):
        left = generator(2)
        run.open.append(left)  # else it would be collected, at a time that the garbage collector chooses
        run.note(label, await anext(left))
    elif isinstance(op, Generate):
        async with aclosing(generator(op.count)) as iterator:
            async for value in iterator:
                run.note(label, value)
                if value == op.stop:
                    break


async def _in_thread(run: Run, label: str, op: Thread) -> None:
    def work() -> object:
        assert not trio.lowlevel.in_trio_run()
        if op.kind == "raises":
            raise ProgrammedError(label)
        if op.kind == "comes back":
            return trio.from_thread.run_sync(lambda: trio.lowlevel.current_task().name)
        if op.kind == "checks":
            trio.from_thread.check_cancelled()
        return label

    try:
        run.note(label, await trio.to_thread.run_sync(work, limiter=run.limiter if op.limited else None))
    except ProgrammedError as error:
        run.note(label, "raised", str(error))


async def _around(run: Run, label: str, op: Op) -> None:
    match op:
        case Cleanup(body):
            try:
                await _sequence(run, label, body)
            finally:
                with trio.CancelScope(shield=True):
                    await trio.sleep(run.duration[label])
                run.note(label, "cleaned up")
        case Within("fail_after", body):
            try:
                with trio.fail_after(run.duration[label]):
                    await _sequence(run, label, body)
            except trio.TooSlowError:
                run.note(label, "too slow")
        case Within(kind, body):
            scope = trio.CancelScope() if kind != "move_on_after" else trio.move_on_after(run.duration[label])
            scope.shield = kind == "shield"
            if kind == "cancelled":
                scope.cancel()
            with scope:
                await _sequence(run, label, body)
            run.note(label, scope.cancelled_caught, scope.cancel_called)


async def _with_tasks(run: Run, label: str, op: Op) -> None:
    match op:
        case Children():
            await _children(run, label, op)
        case Start(before, after):
            async with trio.open_nursery() as nursery:
                run.note(label, await nursery.start(_starting, run, label, before, after))
        case Stream():
            await _stream(run, label, op)
        case Fan():
            await _fan(run, label, op)
        case InSequence(count):
            await trio.lowlevel.checkpoint()  # a sequencer breaks if a turn is cancelled
            order: list[int] = []
            sequencer = Sequencer()

            async def take_turn(number: int) -> None:
                async with sequencer(number):
                    order.append(number)

            async with trio.open_nursery() as nursery:
                for number in range(count):
                    nursery.start_soon(take_turn, number)
            run.note(label, tuple(order))
        case _:
            raise AssertionError(op)


async def _children(run: Run, label: str, op: Children) -> None:
    async def child(name: str, body: Body, *, fails: bool) -> None:
        try:
            await _sequence(run, name, body)
            if fails:
                await trio.sleep(run.duration[name])
                raise ProgrammedError(name)
        finally:
            run.note(name, "ends")

    try:
        async with trio.open_nursery() as nursery:
            for (name, body), fails in zip(_inner(label, op), op.failing, strict=True):
                nursery.start_soon(partial(child, name, body, fails=fails))
            if op.cancels:
                await trio.sleep(run.duration[label])
                nursery.cancel_scope.cancel()
    except* ProgrammedError as group:
        run.note(label, "failed", *sorted(str(error) for error in group.exceptions))


async def _starting(run: Run, label: str, before: Body, after: Body, *, task_status: trio.TaskStatus[str]) -> None:
    await _sequence(run, f"{label}/a", before)
    task_status.started(f"started {label}")
    await _sequence(run, f"{label}/b", after)
    run.note(f"{label}/b", "ends")


async def _stream(run: Run, label: str, op: Stream) -> None:
    one, other = lockstep_stream_pair() if op.lockstep else memory_stream_pair()
    received = bytearray()

    async def send() -> None:
        async with one:
            for index in range(op.chunks):
                if op.naps:
                    await trio.sleep(run.duration[f"{label}/{index}"])
                await one.send_all(bytes([index]) * (index + 1))

    async def receive() -> None:
        async with other:
            while chunk := await other.receive_some(2):
                received.extend(chunk)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        nursery.start_soon(receive)
    run.note(label, bytes(received))


async def _fan(run: Run, label: str, op: Fan) -> None:
    send, receive = trio.open_memory_channel[int](op.capacity)
    received: list[int] = []

    async def produce(channel: trio.MemorySendChannel[int], number: int) -> None:
        async with channel:
            for index in range(2):
                await channel.send(10 * number + index)

    async def consume(channel: trio.MemoryReceiveChannel[int]) -> None:
        async with channel:
            received.extend([value async for value in channel])

    async with trio.open_nursery() as nursery, send, receive:
        for number in range(op.producers):
            nursery.start_soon(produce, send.clone(), number)
        for _ in range(op.consumers):
            nursery.start_soon(consume, receive.clone())
    run.note(label, tuple(sorted(received)))


# --- generating them -------------------------------------------------------------------------------------------------

_EVENT, _FLAG, _TASK, _FEW = st.integers(0, EVENTS - 1), st.integers(0, FLAGS - 1), st.integers(0, 2), st.integers(1, 3)

_ALONE: list[SearchStrategy[Op]] = [
    st.builds(Nap),
    st.builds(Checkpoints, _FEW, st.sampled_from(sorted(_CHECKPOINTS))),
    st.builds(SetEvent, _EVENT),
    st.builds(WaitEvent, _EVENT),
    st.builds(SetFlag, _FLAG),
    st.builds(AwaitFlag, _FLAG),
    st.builds(Guarded, st.sampled_from(["Lock", "StrictFIFOLock", "Semaphore", "CapacityLimiter"]), _FEW),
    st.builds(Generate, st.integers(0, 3), st.integers(0, 3)),
    st.builds(LeaveOpen),
    st.builds(CancelTask, _TASK),
    st.builds(MoveDeadline, _TASK, st.booleans()),
    st.builds(Stream, st.integers(0, 3), st.booleans(), st.booleans()),
    st.builds(Fan, _FEW, _FEW, st.integers(0, 2)),
    st.builds(InSequence, _FEW),
]
_LONE: list[SearchStrategy[Op]] = [
    *[st.builds(Nap)] * 3,
    st.builds(Checkpoints, _FEW, st.sampled_from(sorted(_CHECKPOINTS))),
    st.builds(WaitEvent, _EVENT),
    st.builds(SetEvent, _EVENT),
    st.builds(AwaitFlag, _FLAG),
    st.builds(Guarded, st.sampled_from(["Lock", "Semaphore"]), _FEW),
    st.builds(Generate, st.integers(0, 2), st.integers(0, 2)),
    st.builds(CancelTask, st.just(0)),
    st.builds(MoveDeadline, st.just(0), st.booleans()),
]
_TOP_LEVEL = [st.builds(Send), st.builds(Receive)] * 2
_THREADS: list[SearchStrategy[Op]] = [
    st.builds(Thread, st.sampled_from(["answers", "raises", "comes back", "checks"]), st.booleans())
] * 4
_TIMELESS: list[SearchStrategy[Op]] = [
    st.builds(Checkpoints, _FEW, st.sampled_from(sorted(_CHECKPOINTS))),
    st.builds(Guarded, st.sampled_from(["Lock", "Semaphore", "CapacityLimiter"]), _FEW),
    st.builds(Generate, st.integers(0, 3), st.integers(0, 3)),
    st.builds(Fan, _FEW, _FEW, st.integers(0, 2)),
]


def _bodies(ops: list[SearchStrategy[Op]], length_max: int) -> SearchStrategy[Body]:
    return st.lists(st.one_of(ops), max_size=length_max).map(tuple)


def _nesting(alone: list[SearchStrategy[Op]], inner: SearchStrategy[Body]) -> list[SearchStrategy[Op]]:
    """Operations with tasks of their own, whose bodies are done side by side, so without `Send` and `Receive`."""
    bodies = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return [
        bodies.flatmap(
            lambda each: st.builds(
                Children, st.just(each), st.tuples(*[st.sampled_from([False, False, True])] * len(each)), st.booleans()
            )
        ),
        st.builds(Start, inner, inner),
    ]


def _scoping(inner: SearchStrategy[Body]) -> list[SearchStrategy[Op]]:
    kinds = st.sampled_from(["move_on_after", "fail_after", "shield", "cancelled"])
    return [st.builds(Within, kinds, inner), st.builds(Cleanup, inner)]


def programs() -> SearchStrategy[Program]:
    """Programs of 2 or 3 tasks, nested up to three times."""
    parallel = _bodies(_ALONE, 3)
    for _ in range(2):
        parallel = _bodies([*_ALONE, *_nesting(_ALONE, parallel), *_scoping(parallel)], 3)
    sequential = _bodies([*_ALONE, *_TOP_LEVEL], 3)
    for _ in range(2):
        sequential = _bodies([*_ALONE, *_TOP_LEVEL, *_nesting(_ALONE, parallel), *_scoping(sequential)], 4)
    first = st.builds(lambda body, at: (*body[:at], Settle(), *body[at:]), sequential, st.integers(0, 4))
    tasks = st.builds(lambda one, others: (one, *others), first, st.lists(sequential, min_size=1, max_size=2))
    found = st.builds(Program, tasks, st.integers(0, 1 << 16))
    return found.filter(lambda program: len(program.durations()) <= TIMERS_MAX)


def lone_programs() -> SearchStrategy[Program]:
    """Programs of one task, in which scopes and sleeps end at the same instant, also at once."""
    body = _bodies(_LONE, 3)
    for _ in range(3):
        body = _bodies([*_LONE, *_scoping(body) * 3], 3)
    return st.builds(lambda one, shuffle: Program((one,), shuffle, ties=True), body, st.integers(0, 1 << 16))


def thread_programs() -> SearchStrategy[Program]:
    """Programs with threads, and without time: a real thread and a clock that jumps would race."""
    body = _bodies([*_TIMELESS, *_THREADS], 4)
    return st.builds(Program, st.lists(body, min_size=1, max_size=3).map(tuple))
