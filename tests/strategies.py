"""Small random trio programs, as values: the one generator that the property tests share.

A `Program` is a frozen value whose `repr` can be pasted into a test. `as_function` makes it an async function that can
be explored, replayed, or run under plain trio; each run leaves a `Run` that says what every task saw and what was left
in the end. Tasks share cells and trio's own primitives by number. Every operation is one class, one line in a table and
one case of a `match`; an operation that racewindow gains joins here.
"""

from __future__ import annotations

import operator
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, TypeAlias

import trio
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import racewindow

CELLS, FLAGS, LOCKS, EVENTS = 2, 2, 2, 2
PERMITS, CAPACITY = 1, 1


class Op:
    """Base of the operations: shown as the call that makes it."""

    def __repr__(self) -> str:
        values = ", ".join(repr(getattr(self, each.name)) for each in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({values})"


Body: TypeAlias = tuple[Op, ...]


class Own(Op):
    """An operation that says itself what it does, for a family of programs that only some tests are about.

    `begun`: the bodies of the tasks that it starts.
    """

    begun: ClassVar[tuple[Body, ...]] = ()

    async def act(self, run: Run, label: str) -> None:
        """Do it, as the task of that label."""
        raise NotImplementedError


# --- operations on tracked state: one step each, begun by a checkpoint -----------------------------------------------


@dataclass(frozen=True, repr=False)
class Read(Op):
    """Look at a cell."""

    cell: int


@dataclass(frozen=True, repr=False)
class Write(Op):
    """Set a cell, looking at nothing."""

    cell: int
    value: int


@dataclass(frozen=True, repr=False)
class Bump(Op):
    """Set a cell to what this task saw last, plus 1: after a `Read` of it, one half of a lost update."""

    cell: int


@dataclass(frozen=True, repr=False)
class Update(Op):
    """Read and write a cell in one step."""

    cell: int


@dataclass(frozen=True, repr=False)
class Swap(Op):
    """Compare and set: write `value` if the cell holds `expected`."""

    cell: int
    expected: int
    value: int


@dataclass(frozen=True, repr=False)
class Put(Op):
    """Set an item of the tracked dictionary."""

    key: str
    value: int


@dataclass(frozen=True, repr=False)
class Take(Op):
    """Remove an item of the tracked dictionary, if it is there."""

    key: str


@dataclass(frozen=True, repr=False)
class Keys(Op):
    """Look which keys the tracked dictionary has, in their order."""


@dataclass(frozen=True, repr=False)
class Append(Op):
    """Put a value at the end of the tracked list."""

    value: int


@dataclass(frozen=True, repr=False)
class At(Op):
    """Look at an item of the tracked list, if it is there; -1 is the last one."""

    index: int


@dataclass(frozen=True, repr=False)
class Pop(Op):
    """Remove an item of the tracked list, if it is there."""

    index: int


@dataclass(frozen=True, repr=False)
class Choose(Op):
    """A value decision."""

    count: int


@dataclass(frozen=True, repr=False)
class UntilAtLeast(Op):
    """Wait until a cell holds `value` or more; for ever, if it never does."""

    cell: int
    value: int


@dataclass(frozen=True, repr=False)
class UntilLocked(Op):
    """A lock made of a cell: wait until the flag is down, put it up in the same step, do the body, put it down."""

    flag: int
    body: Body


@dataclass(frozen=True, repr=False)
class TryFlag(Op):
    """The same without waiting: nothing if the flag is up."""

    flag: int
    body: Body


@dataclass(frozen=True, repr=False)
class TakeFlag(Op):
    """Wait until the flag is down and put it up, as `UntilLocked` does, but leave it up."""

    flag: int


@dataclass(frozen=True, repr=False)
class DropFlag(Op):
    """Put the flag down, whoever has put it up."""

    flag: int


# --- operations on trio's primitives ---------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Checkpoint(Op):
    """Do nothing for a step."""


@dataclass(frozen=True, repr=False)
class Locked(Op):
    """Do the body while holding a `trio.Lock`; an error if this task holds it already."""

    lock: int
    body: Body


@dataclass(frozen=True, repr=False)
class TryLocked(Op):
    """The same, if the lock is free right now; otherwise nothing."""

    lock: int
    body: Body


@dataclass(frozen=True, repr=False)
class AskLock(Op):
    """Look whether a `trio.Lock` is held, and how many wait for it."""

    lock: int


@dataclass(frozen=True, repr=False)
class AwaitNotice(Op):
    """Wait for a notice of the `trio.Condition`; for ever, if none comes."""


@dataclass(frozen=True, repr=False)
class Notify(Op):
    """Wake one of those who wait for the `trio.Condition`."""


@dataclass(frozen=True, repr=False)
class Permitted(Op):
    """Do the body while holding a permit of the `trio.Semaphore`."""

    body: Body


@dataclass(frozen=True, repr=False)
class Limited(Op):
    """Do the body while holding a token of the `trio.CapacityLimiter`; an error if this task holds one already."""

    body: Body


@dataclass(frozen=True, repr=False)
class AskTokens(Op):
    """Look how many permits and tokens are there, and who waits for one."""


@dataclass(frozen=True, repr=False)
class SetEvent(Op):
    """Set a `trio.Event`."""

    event: int


@dataclass(frozen=True, repr=False)
class WaitEvent(Op):
    """Wait for a `trio.Event`; for ever, if nobody sets it."""

    event: int


@dataclass(frozen=True, repr=False)
class AskEvent(Op):
    """Look whether a `trio.Event` is set."""

    event: int


@dataclass(frozen=True, repr=False)
class Send(Op):
    """Send a value into the memory channel."""

    value: int


@dataclass(frozen=True, repr=False)
class Receive(Op):
    """Take a value out of the memory channel; for ever, if none comes."""


@dataclass(frozen=True, repr=False)
class AskChannel(Op):
    """Look how full the memory channel is, and how many wait at its ends."""


@dataclass(frozen=True, repr=False)
class CloseSend(Op):
    """Close the sending end of the memory channel."""


# --- operations on time, cancellation and structure ------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Sleep(Op):
    """Sleep for so many virtual seconds."""

    seconds: int


@dataclass(frozen=True, repr=False)
class Block(Op):
    """Sleep for so many virtual seconds without letting anyone else run: `time.sleep`."""

    seconds: int


@dataclass(frozen=True, repr=False)
class AskTime(Op):
    """Look at the clock."""


@dataclass(frozen=True, repr=False)
class MoveOn(Op):
    """Give the body so many virtual seconds."""

    seconds: int
    body: Body


@dataclass(frozen=True, repr=False)
class Shielded(Op):
    """Do the body where no cancellation from outside reaches it."""

    body: Body


@dataclass(frozen=True, repr=False)
class Cancel(Op):
    """Cancel the scope around one of the program's tasks, perhaps this one."""

    task: int


@dataclass(frozen=True, repr=False)
class MoveDeadline(Op):
    """Set the deadline of the scope around one of the tasks to so many virtual seconds from now, perhaps negative."""

    task: int
    seconds: int


@dataclass(frozen=True, repr=False)
class Children(Op):
    """Run bodies as tasks in a nursery of this task's own, catching what `Fail` raises in them."""

    bodies: tuple[Body, ...]


@dataclass(frozen=True, repr=False)
class Spawn(Op):
    """Start the body as a task in the program's nursery, beside the tasks of the program."""

    body: Body


@dataclass(frozen=True, repr=False)
class SpawnInto(Op):
    """Start the body as a task in the nursery that the given task opened last, if it has one and that is still open."""

    task: int
    body: Body


@dataclass(frozen=True, repr=False)
class Fail(Op):
    """Raise an error: it cancels the siblings, and the program unless a `Children` is around."""


class ProgrammedError(Exception):
    """What `Fail` raises."""


@dataclass(frozen=True)
class Program:
    """The bodies of the tasks that run side by side, each inside a cancel scope of its own."""

    tasks: tuple[Body, ...]

    def __repr__(self) -> str:
        return f"Program({self.tasks!r})"

    @property
    def operations(self) -> frozenset[type[Op]]:
        """The operations that occur in it, at any depth."""
        return frozenset(type(op) for body in self.tasks for op in _all(body))


def _all(body: Body) -> list[Op]:
    found = []
    for op in body:
        found.append(op)
        bodies: tuple[Body, ...] = getattr(op, "bodies", ()) or (getattr(op, "body", ()),)
        for each in bodies:
            found += _all(each)
    return found


# --- running them ----------------------------------------------------------------------------------------------------


class Run:
    """What one run of a program shares, and what it leaves.

    `seen`: for each task by its label, what it saw or what became of its operations, in its own order. `order`: the
    same in one list, in the order of the steps, which depends on the schedule even where nothing else does.
    """

    def __init__(self, tasks_count: int) -> None:
        self.cells = [racewindow.Cell(0, name=f"c{index}") for index in range(CELLS)]
        self.flags = [racewindow.Cell(0, name=f"f{index}") for index in range(FLAGS)]
        self.locks = [trio.Lock() for _ in range(LOCKS)]
        self.events = [trio.Event() for _ in range(EVENTS)]
        self.dictionary: racewindow.TrackedDict[str, int] = racewindow.TrackedDict({"a": 0}, name="d")
        self.list: racewindow.TrackedList[int] = racewindow.TrackedList([5, 6], name="l")
        self.semaphore = trio.Semaphore(PERMITS)
        self.limiter = trio.CapacityLimiter(PERMITS)
        self.condition = trio.Condition()
        self.send, self.receive = trio.open_memory_channel[int](CAPACITY)
        self.scopes = [trio.CancelScope() for _ in range(tasks_count)]
        self.nursery: trio.Nursery | None = None
        self.nurseries: racewindow.TrackedDict[str, trio.Nursery] = racewindow.TrackedDict(name="n")
        self.brisk = False
        self.rested: set[str] = set()
        self.spawned: Counter[str] = Counter()
        self.seen: dict[str, list[object]] = {}
        self.order: list[tuple[str, object]] = []
        self.on_note: Callable[[str], object] = _nobody

    def note(self, label: str, value: object) -> None:
        """`label` saw `value`."""
        self.seen.setdefault(label, []).append(value)
        self.order.append((label, value))
        self.on_note(label)

    async def pause(self, label: str) -> None:
        """The checkpoint before an operation of `label` that has none of its own.

        In a brisk run it is left out in a step that has done nothing yet: such steps make more orders and no more to
        see in them.
        """
        if label not in self.rested:
            await trio.lowlevel.checkpoint()
        self.rested.discard(label)

    def rest(self, label: str) -> None:
        """The step of `label` in progress has done nothing yet."""
        if self.brisk:
            self.rested.add(label)

    def label_of_new(self, label: str) -> str:
        """The label of the task that `label` is about to start: its own, and the count of those that it has started."""
        self.spawned[label] += 1
        return f"{label}.{self.spawned[label] - 1}"

    def result(self) -> tuple[object, ...]:
        """What every task saw, and the state that is left: all that a program's outcome consists of, but the order."""
        lots = [(lock.locked(), lock.statistics().tasks_waiting) for lock in self.locks]
        return (
            tuple(sorted((label, tuple(values)) for label, values in self.seen.items())),
            tuple(cell._value for cell in (*self.cells, *self.flags)),
            tuple(self.dictionary._data.items()),
            tuple(self.list._data),
            tuple(lots),
            tuple(event.is_set() for event in self.events),
            self.semaphore.value,
            self.limiter.available_tokens,
            self.send.statistics().current_buffer_used,
            tuple(scope.cancel_called for scope in self.scopes),
        )


def _nobody(_label: str) -> None:
    """Nobody wants to be told."""


def as_function(
    program: Program,
    runs: list[Run] | None = None,
    on_note: Callable[[str], object] = _nobody,
    *,
    brisk: bool = False,
) -> Callable[[], Awaitable[None]]:
    """The program as an async function; each run of it appends its `Run` to `runs`, at its start.

    `brisk`: without the steps in which a task does nothing but begin, or go on after a wait.
    """

    async def generated() -> None:
        run = Run(len(program.tasks))
        run.on_note, run.brisk = on_note, brisk
        if runs is not None:
            runs.append(run)
        async with trio.open_nursery() as run.nursery:
            nursery = run.nursery
            for index, body in enumerate(program.tasks):
                nursery.start_soon(_task, run, index, body, name=f"t{index}")

    return generated


async def _task(run: Run, index: int, body: Body) -> None:
    label = f"t{index}"
    run.rest(label)
    with run.scopes[index] as scope:
        await _sequence(run, label, body)
    run.note(label, "cut off" if scope.cancelled_caught else "done")


async def _sequence(run: Run, label: str, body: Body) -> None:
    for op in body:
        try:
            await _perform(run, label, op)
        except trio.Cancelled:
            run.note(label, f"{op}: cancelled")
            raise


async def _child(run: Run, label: str, body: Body) -> None:
    run.rest(label)
    await _sequence(run, label, body)
    run.note(label, "done")


async def _perform(run: Run, label: str, op: Op) -> None:
    if isinstance(op, Own):
        await op.act(run, label)
    elif type(op) in _NESTS:
        await _nest(run, label, op)
    elif not await _wait(run, label, op):
        await run.pause(label)
        if not (_touch(run, label, op) or _touch_container(run, label, op) or _ask(run, label, op)):
            raise AssertionError(op)


async def _wait(run: Run, label: str, op: Op) -> bool:
    """The operations that have a checkpoint of their own. Answers whether `op` is one."""
    match op:
        case Checkpoint():
            await trio.lowlevel.checkpoint()
        case UntilAtLeast(cell, value):
            await racewindow.until(lambda: run.cells[cell].get() >= value)
            run.note(label, run.cells[cell].get())
        case TakeFlag(flag):
            await racewindow.until(lambda: not run.flags[flag].get())
            run.flags[flag].set(1)
            run.rested.discard(label)
            return True
        case WaitEvent(event):
            await run.events[event].wait()
            run.note(label, f"event {event}")
        case AwaitNotice():
            async with run.condition:
                await run.condition.wait()
            run.note(label, "notified")
        case Notify():
            async with run.condition:
                run.condition.notify()
        case Send() | Receive():
            await _communicate(run, label, op)
        case Sleep(seconds):
            await trio.sleep(seconds)
            run.note(label, f"slept {seconds}")
        case _:
            return False
    run.rest(label)
    return True


def _touch(run: Run, label: str, op: Op) -> bool:
    """The operations that do not wait: on cells, and those that change something. Answers whether `op` is one."""
    match op:
        case Read(cell):
            run.note(label, run.cells[cell].get())
        case Write(cell, value):
            run.cells[cell].set(value)
        case Bump(cell):
            numbers = [value for value in run.seen.get(label, []) if isinstance(value, int)]
            run.cells[cell].set((numbers[-1] if numbers else 0) + 1)
        case Update(cell):
            run.note(label, run.cells[cell].update(lambda value: value + 1))
        case Swap(cell, expected, value):
            if run.cells[cell].get() == expected:
                run.cells[cell].set(value)
                run.note(label, f"swapped {cell}")
        case Choose(count):
            run.note(label, racewindow.choose(range(count)))
        case Block(seconds):
            time.sleep(seconds)
        case Cancel(task):
            run.scopes[task % len(run.scopes)].cancel()
        case SetEvent(event):
            run.events[event].set()
        case MoveDeadline(task, seconds):
            run.scopes[task % len(run.scopes)].deadline = trio.current_time() + seconds
        case CloseSend():
            run.send.close()
        case DropFlag(flag):
            run.flags[flag].set(0)
        case Fail():
            raise ProgrammedError(label)
        case _:
            return False
    return True


def _touch_container(run: Run, label: str, op: Op) -> bool:
    """The same for tracked containers."""
    match op:
        case Put(key, value):
            run.dictionary[key] = value
        case Take(key):
            run.note(label, f"took {run.dictionary.pop(key, None)}")
        case Keys():
            run.note(label, "".join(run.dictionary))
        case Append(value):
            run.list.append(value)
        case At(index):
            try:
                run.note(label, run.list[index])
            except IndexError:
                run.note(label, f"nothing at {index}")
        case Pop(index):
            try:
                run.note(label, run.list.pop(index))
            except IndexError:
                run.note(label, f"nothing at {index}")
        case _:
            return False
    return True


def _ask(run: Run, label: str, op: Op) -> bool:
    """The operations that look at trio's primitives and at the clock."""
    match op:
        case AskEvent(event):
            run.note(label, run.events[event].is_set())
        case AskLock(lock):
            held = run.locks[lock].statistics()
            run.note(label, f"lock {lock}: {held.locked}, {held.tasks_waiting} waiting")
        case AskTokens():
            limited = run.limiter.statistics()
            numbers = (run.semaphore.value, run.semaphore.statistics().tasks_waiting)
            run.note(label, f"tokens: {numbers}, {(limited.borrowed_tokens, limited.tasks_waiting)}")
        case AskChannel():
            full = run.receive.statistics()
            waiting = (full.tasks_waiting_send, full.tasks_waiting_receive)
            run.note(label, f"channel: {full.current_buffer_used}, {waiting}")
        case AskTime():
            run.note(label, f"time {trio.current_time()}")
        case _:
            return False
    return True


async def _communicate(run: Run, label: str, op: Op) -> None:
    try:
        if isinstance(op, Send):
            await run.send.send(op.value)
            run.note(label, f"sent {op.value}")
        else:
            run.note(label, await run.receive.receive())
    except (trio.EndOfChannel, trio.ClosedResourceError) as error:
        run.note(label, type(error).__name__)


async def _nest(run: Run, label: str, op: Op) -> None:
    """The operations with a body."""
    match op:
        case UntilLocked(flag, body):
            await racewindow.until(lambda: not run.flags[flag].get())
            await _while_up(run, label, flag, body)
        case TryFlag(flag, body):
            await run.pause(label)
            if run.flags[flag].get():
                run.note(label, "held by another")
            else:
                await _while_up(run, label, flag, body)
        case TryLocked(lock, body):
            await run.pause(label)
            await _try(run, label, run.locks[lock], body)
        case Locked(_, body) | Permitted(body) | Limited(body):
            async with _held(run, op):
                run.rest(label)
                await _sequence(run, label, body)
        case MoveOn(seconds, body):
            with trio.move_on_after(seconds) as scope:
                await _sequence(run, label, body)
            run.note(label, "too late" if scope.cancelled_caught else "in time")
        case Shielded(body):
            with trio.CancelScope(shield=True):
                await _sequence(run, label, body)
        case _:
            await _start(run, label, op)


def _held(run: Run, op: Op) -> trio.Lock | trio.Semaphore | trio.CapacityLimiter:
    match op:
        case Locked(lock, _):
            return run.locks[lock]
        case Permitted():
            return run.semaphore
        case _:
            return run.limiter


async def _start(run: Run, label: str, op: Op) -> None:
    """The operations that start tasks."""
    match op:
        case Spawn(body):
            await run.pause(label)
            assert run.nursery is not None
            run.nursery.start_soon(_child, run, run.label_of_new(label), body)
        case SpawnInto(task, body):
            await run.pause(label)
            nursery = run.nurseries.get(f"t{task % len(run.scopes)}")
            try:
                if nursery is not None:
                    nursery.start_soon(_child, run, run.label_of_new(label), body)
            except RuntimeError:
                run.note(label, "too late to start")
        case Children(bodies):
            try:
                async with trio.open_nursery() as nursery:
                    run.nurseries[label] = nursery
                    for body in bodies:
                        nursery.start_soon(_child, run, run.label_of_new(label), body)
            except* ProgrammedError as group:
                run.note(label, f"failed: {', '.join(map(str, _leaves(group)))}")
            run.rest(label)
        case _:
            raise AssertionError(op)


async def _try(run: Run, label: str, lock: trio.Lock, body: Body) -> None:
    try:
        lock.acquire_nowait()
    except trio.WouldBlock:
        run.note(label, "held by another")
        return
    try:
        await _sequence(run, label, body)
    finally:
        lock.release()


async def _while_up(run: Run, label: str, flag: int, body: Body) -> None:
    run.flags[flag].set(1)
    run.rested.discard(label)
    try:
        await _sequence(run, label, body)
    finally:
        run.flags[flag].set(0)


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [error]


# --- generating them -------------------------------------------------------------------------------------------------

_CELL, _FLAG, _LOCK, _EVENT = (st.integers(0, count - 1) for count in (CELLS, FLAGS, LOCKS, EVENTS))
_KEY = st.sampled_from("ab")
_VALUE, _SECONDS, _TASK = st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)

_CELL_LEAVES: dict[type[Op], SearchStrategy[Op]] = {
    Read: st.builds(Read, _CELL),
    Write: st.builds(Write, _CELL, _VALUE),
    Bump: st.builds(Bump, _CELL),
    Update: st.builds(Update, _CELL),
    Swap: st.builds(Swap, _CELL, _VALUE, _VALUE),
    Put: st.builds(Put, _KEY, _VALUE),
    Take: st.builds(Take, _KEY),
    Keys: st.builds(Keys),
    Append: st.builds(Append, _VALUE),
    At: st.builds(At, st.integers(-1, 1)),
    Pop: st.builds(Pop, st.integers(-1, 1)),
    UntilAtLeast: st.builds(UntilAtLeast, _CELL, st.integers(0, 1)),
    TakeFlag: st.builds(TakeFlag, _FLAG),
    DropFlag: st.builds(DropFlag, _FLAG),
}
_LEAVES: dict[type[Op], SearchStrategy[Op]] = {
    **_CELL_LEAVES,
    Choose: st.builds(Choose, st.integers(1, 3)),
    Checkpoint: st.builds(Checkpoint),
    SetEvent: st.builds(SetEvent, _EVENT),
    WaitEvent: st.builds(WaitEvent, _EVENT),
    AskEvent: st.builds(AskEvent, _EVENT),
    AskLock: st.builds(AskLock, _LOCK),
    AskTokens: st.builds(AskTokens),
    AwaitNotice: st.builds(AwaitNotice),
    Notify: st.builds(Notify),
    Send: st.builds(Send, _VALUE),
    Receive: st.builds(Receive),
    AskChannel: st.builds(AskChannel),
    CloseSend: st.builds(CloseSend),
    Sleep: st.builds(Sleep, _SECONDS),
    Block: st.builds(Block, _SECONDS),
    AskTime: st.builds(AskTime),
    Cancel: st.builds(Cancel, _TASK),
    MoveDeadline: st.builds(MoveDeadline, _TASK, st.integers(-1, 2)),
}
_NESTS: dict[type[Op], Callable[[SearchStrategy[Body]], SearchStrategy[Op]]] = {
    UntilLocked: lambda body: st.builds(UntilLocked, _FLAG, body),
    TryFlag: lambda body: st.builds(TryFlag, _FLAG, body),
    Locked: lambda body: st.builds(Locked, _LOCK, body),
    TryLocked: lambda body: st.builds(TryLocked, _LOCK, body),
    Permitted: lambda body: st.builds(Permitted, body),
    Limited: lambda body: st.builds(Limited, body),
    Spawn: lambda body: st.builds(Spawn, body),
    SpawnInto: lambda body: st.builds(SpawnInto, _TASK, body),
    MoveOn: lambda body: st.builds(MoveOn, _SECONDS, body),
    Shielded: lambda body: st.builds(Shielded, body),
    Children: lambda body: st.builds(Children, st.lists(body, min_size=1, max_size=2).map(tuple)),
}
_FAILING = st.sampled_from([*[()] * 5, (Fail(),)])
"""What is put behind a body: few fail, or hardly any program would get beyond its first steps."""

EVERYTHING: frozenset[type[Op]] = frozenset([*_LEAVES, *_NESTS, Fail])
"""All operations."""
ON_CELLS: frozenset[type[Op]] = frozenset([*_CELL_LEAVES, UntilLocked, TryFlag])
"""Tracked state and `until` only."""
_QUEUES = frozenset({Locked, TryLocked, AskLock, Send, Receive, AskChannel, Notify, AwaitNotice, Checkpoint})
FAMILIES: dict[str, frozenset[type[Op]]] = {
    "everything": EVERYTHING,
    "cells": ON_CELLS,
    "queues": _QUEUES,
    "cancelled queues": _QUEUES | {Cancel, MoveDeadline},
    "tokens": frozenset({Permitted, Limited, AskTokens, Cancel, Checkpoint}),
    "events": frozenset({WaitEvent, SetEvent, AskEvent, Cancel, Checkpoint}),
    "channels": frozenset({Send, Receive, CloseSend, AskChannel, Cancel}),
    "containers": frozenset({Put, Take, Keys, Append, At, Pop}),
    "scopes": frozenset({Shielded, Cancel, MoveDeadline, Checkpoint, Children, Spawn, SpawnInto}),
    "until": frozenset({UntilLocked, UntilAtLeast, Update, Swap, Cancel, MoveOn, Fail, Children}),
    "time": frozenset({Sleep, MoveOn, AskTime, Checkpoint, Choose}),
    "late": _QUEUES | {Block, Sleep, MoveDeadline},
}
"""Which operations to make programs of: what is wrong with one shows soonest in programs that aim at it."""


def _bodies(op: SearchStrategy[Op], length_min: int, length_max: int, *, failing: bool) -> SearchStrategy[Body]:
    body: SearchStrategy[Body] = st.lists(op, min_size=length_min, max_size=length_max).map(tuple)
    return st.builds(operator.add, body, _FAILING) if failing else body


def programs(
    operations: Collection[type[Op]] | None = None,
    *,
    tasks_max: int = 4,
    length_max: int = 3,
    own: Sequence[SearchStrategy[Op]] = (),
) -> SearchStrategy[Program]:
    """Programs of 2 to `tasks_max` tasks of up to `length_max` of the given operations, nested up to twice.

    Without `operations`: of any one of the families. `own`: operations beside them, as many as them.
    """
    if operations is None:
        return st.one_of([programs(family, tasks_max=tasks_max, length_max=length_max) for family in FAMILIES.values()])
    leaf: SearchStrategy[Op] = st.one_of([strategy for op, strategy in _LEAVES.items() if op in operations])
    leaf = st.one_of([leaf, *own]) if own else leaf
    nests = [nest for op, nest in _NESTS.items() if op in operations]
    op = leaf
    for _ in range(2):
        inner: SearchStrategy[Body] = _bodies(op, 0, 2, failing=Fail in operations)
        op = st.one_of([leaf, leaf, *(nest(inner) for nest in nests)])
    body = _bodies(op, 1, length_max, failing=Fail in operations)
    return st.lists(body, min_size=2, max_size=tasks_max).map(tuple).map(Program)
