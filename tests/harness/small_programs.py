"""Programs that are small by construction, so that every order of their events can be run: what reductions are held to.

Three kinds. `SHARED`: tracked state, `until` and value decisions. `FAMILIES`: trio's own primitives, cancellation and
time. `aimed`: one task waits, one wakes it, one cancels it, for each way of waiting; programs drawn evenly hardly ever
meet the rules that matter there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from math import factorial, prod

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies import (
    EVERYTHING,
    ON_CELLS,
    AskChannel,
    AskEvent,
    AskLock,
    AskTime,
    AskTokens,
    At,
    AwaitNotice,
    Block,
    Body,
    Bump,
    Cancel,
    Checkpoint,
    Children,
    Choose,
    CloseSend,
    DropFlag,
    Fail,
    Limited,
    Locked,
    MoveDeadline,
    MoveOn,
    Notify,
    Op,
    Own,
    Permitted,
    Pop,
    Program,
    Put,
    Read,
    Receive,
    Send,
    SetEvent,
    Shielded,
    Sleep,
    Spawn,
    SpawnInto,
    Swap,
    Take,
    TakeFlag,
    TryFlag,
    TryLocked,
    UntilAtLeast,
    UntilLocked,
    Update,
    WaitEvent,
    Write,
    programs,
)

# --- how large a program is ------------------------------------------------------------------------------------------

_TIMED = (Sleep, MoveOn, MoveDeadline)
_WAITING = (Checkpoint, UntilAtLeast, WaitEvent, AwaitNotice, Notify, Send, Receive, Sleep)


def orders_estimate(program: Program, *, racing: bool = False) -> int:
    """How many orders of events there would be if nothing ever waited; each of these is about one step of one task."""
    counts: list[int] = []
    bodies = list(program.tasks)
    while bodies:
        task = _Steps()
        task.walk(bodies.pop())
        counts.append(task.count)
        bodies += task.started
    deadlines = sum(type(op) in _TIMED for body in program.tasks for op in _flat(body)) if racing else 0
    return factorial(sum(counts) + deadlines) // prod(factorial(count) for count in (*counts, deadlines))


class _Steps:
    """Counts the steps of a brisk task, and collects the bodies of the tasks that it starts."""

    def __init__(self) -> None:
        self.count = 1
        self.rested = True
        self.started: list[Body] = []

    def walk(self, body: Body) -> None:
        """Count one body."""
        for op in body:
            match op:
                case MoveOn(_, inner) | Shielded(inner):
                    self.walk(inner)
                case Children(bodies):
                    self.started += bodies
                    self._wait()
                case Spawn(inner) | SpawnInto(_, inner):
                    self.started.append(inner)
                    self._touch()
                case Locked(_, inner) | Permitted(inner) | Limited(inner):
                    self._wait()
                    self.walk(inner)
                case UntilLocked(_, inner):
                    self._wait()
                    self.rested = False
                    self.walk(inner)
                case TryFlag(_, inner) | TryLocked(_, inner):
                    self._touch()
                    self.walk(inner)
                case TakeFlag():
                    self._wait()
                    self.rested = False
                case Own():
                    self.started += op.begun
                    self._touch()
                case _ if type(op) in _WAITING:
                    self._wait()
                    self.count += isinstance(op, AwaitNotice)
                case _:
                    self._touch()

    def _wait(self) -> None:
        self.count += 1
        self.rested = True

    def _touch(self) -> None:
        self.count += not self.rested
        self.rested = False


def _flat(body: Body) -> list[Op]:
    return [each for op in body for inner in _bodies(op) for each in (op, *_flat(inner))]


def _bodies(op: Op) -> tuple[Body, ...]:
    bodies: tuple[Body, ...] = getattr(op, "bodies", (getattr(op, "body", ()),))
    return bodies


def trimmed(program: Program, orders_max: int, *, racing: bool = False) -> Program:
    """The program without as many of its last operations as it takes to have at most so many orders, as estimated."""
    while orders_estimate(program, racing=racing) > orders_max:
        longest = max(range(len(program.tasks)), key=lambda index: (_size(program.tasks[index]), index))
        if _size(program.tasks[longest]) == 1:
            program = Program(program.tasks[:-1])
            continue
        bodies = [_shorter(body) if index == longest else body for index, body in enumerate(program.tasks)]
        program = Program(tuple(bodies))
    return program


def _size(body: Body) -> int:
    return sum(1 + sum(map(_size, _bodies(op))) for op in body)


def _shorter(body: Body) -> Body:
    """Without its last operation, the innermost one where bodies are nested."""
    *front, last = body
    inner = _bodies(last)
    if not any(inner):
        return tuple(front)
    longest = max(range(len(inner)), key=lambda index: (_size(inner[index]), index))
    bodies = tuple(_shorter(each) if index == longest else each for index, each in enumerate(inner))
    if isinstance(last, Children):
        return (*front, Children(bodies))
    return (*front, replace(last, body=bodies[0]))  # type: ignore[type-var]  # every operation is a dataclass


# --- programs of some operations -------------------------------------------------------------------------------------

_CELLS = frozenset({Read, Write, Bump, Update, Swap})
SHARED: dict[str, frozenset[type[Op]]] = {
    "plain": _CELLS | {Choose},
    "waiting": _CELLS | {UntilAtLeast, UntilLocked},
    "leaking": frozenset({TakeFlag, DropFlag, TryFlag, UntilLocked, Update, Read, Write, UntilAtLeast}),
    "choosing": frozenset({Choose, Update, Read, Swap, UntilAtLeast, TakeFlag, DropFlag}),
    "containers": frozenset({Put, Take, At, Pop, Update}),
    "all": ON_CELLS | {Choose},
}
"""Operations on tracked state."""
FAMILIES: dict[str, frozenset[type[Op]]] = {
    "locks": frozenset({Locked, TryLocked, AskLock, Update, Read, Cancel}),
    "conditions": frozenset({AwaitNotice, Notify, Cancel, AskLock, MoveOn, Update}),
    "tokens": frozenset({Permitted, Limited, AskTokens, Cancel, Update}),
    "events": frozenset({WaitEvent, SetEvent, AskEvent, Cancel, Update, MoveDeadline}),
    "channels": frozenset({Send, Receive, CloseSend, AskChannel, Cancel, Update}),
    "scopes": frozenset({Shielded, Cancel, MoveDeadline, MoveOn, Checkpoint, Update, WaitEvent, SetEvent}),
    "nurseries": frozenset({Children, Fail, Spawn, SpawnInto, Checkpoint, Update, Cancel}),
    "time": frozenset({Sleep, MoveOn, MoveDeadline, AskTime, Block, Update, Checkpoint}),
    "cancelled until": frozenset({UntilAtLeast, UntilLocked, TakeFlag, Update, Cancel, MoveOn, MoveDeadline, Shielded}),
    "everything": EVERYTHING,
}
"""Operations on trio's primitives, with tracked state to see the difference in."""


def small_programs(
    operations: Collection[type[Op]], orders_max: int, *, racing: bool = False
) -> SearchStrategy[Program]:
    """Programs of these operations: 2 to 4 tasks of up to 5 steps, with at most about so many orders of events."""
    drawn = programs(operations, tasks_max=4, length_max=5)
    return drawn.map(lambda program: trimmed(program, orders_max, racing=racing))


# --- programs aimed at a rule ----------------------------------------------------------------------------------------

_LOOKS: tuple[Op, ...] = (Read(0), Update(1), Checkpoint())
WAITS: dict[str, tuple[tuple[Op, ...], tuple[Op, ...], tuple[Op, ...]]] = {
    "lock": ((Locked(0, ()), Locked(0, (Update(1),))), (Locked(0, (Checkpoint(),)), Locked(0, ())), (AskLock(0),)),
    "semaphore": ((Permitted(()), Permitted((Update(1),))), (Permitted((Checkpoint(),)),), (AskTokens(),)),
    "limiter": ((Limited(()), Limited((Update(1),))), (Limited((Checkpoint(),)),), (AskTokens(),)),
    "event": ((WaitEvent(0),), (SetEvent(0),), (AskEvent(0), WaitEvent(0))),
    "condition": ((AwaitNotice(),), (Notify(),), (AskLock(0), AwaitNotice())),
    "send": ((Send(1),), (Receive(), Send(2)), (AskChannel(), CloseSend())),
    "receive": ((Receive(),), (Send(2), CloseSend()), (AskChannel(), Receive())),
    "until": ((UntilAtLeast(0, 1), TakeFlag(0)), (Write(0, 1), DropFlag(0), Update(0)), (Write(0, 0), TakeFlag(0))),
    "sleep": ((Sleep(1), Sleep(0)), (Sleep(1), Block(1)), (AskTime(), Sleep(2))),
    "nursery": (
        (Children(((Checkpoint(),), (Update(0),))), Children(((Update(0),), (Fail(),)))),
        (SpawnInto(0, (Update(0),)), SpawnInto(1, (Update(0),)), Spawn((Update(0),))),
        (Read(0),),
    ),
}
"""Kind of wait -> what waits, what ends the wait (or takes what is waited for), what else has to do with it."""


def _cancels(task: int) -> tuple[Op, ...]:
    """What cancels that task, mostly."""
    return (
        *(Cancel(task), Cancel(task), Cancel(task + 1)),
        *(MoveDeadline(task, -1), MoveDeadline(task, -1), MoveDeadline(task, 0), MoveDeadline(task, 1)),
        Fail(),
    )


def _wrapped(op: Op) -> SearchStrategy[Op]:
    """The wait in a scope of its own, perhaps."""
    wraps = [op, op, op, Shielded((op,)), MoveOn(1, (op,)), MoveOn(0, (op,)), Children(((op,),))]
    return st.sampled_from([*wraps, Children(((op,), (Fail(),)))])


def _one_or_two(*ops: Op) -> SearchStrategy[Body]:
    return st.lists(st.sampled_from(ops), min_size=1, max_size=2).map(tuple)


def aimed(kind: str, orders_max: int, *, racing: bool = False) -> SearchStrategy[Program]:
    """One task waits, one wakes it, one cancels it; perhaps another one waits too, or looks. In any order.

    Which task is the first decides which execution a search runs first, and so which races it sees.
    """
    waits, wakes, others = WAITS[kind]
    wait = st.sampled_from(waits).flatmap(_wrapped)
    waiter = st.builds(lambda op, rest: (op, *rest), wait, st.lists(st.sampled_from(_LOOKS), max_size=1))
    waker = _one_or_two(*wakes, *wakes, *_LOOKS)
    fourth = st.one_of(st.just(()), st.just(()), waiter, _one_or_two(*others, *wakes, *_LOOKS))

    def tasks(order: list[int]) -> SearchStrategy[tuple[Body, ...]]:
        canceller = _one_or_two(*_cancels(order.index(0)), *others)
        roles = (waiter, waker, canceller, fourth)
        return st.tuples(*(roles[role] for role in order))

    drawn = st.permutations(range(3)).map(lambda order: [*order, 3]).flatmap(tasks)
    return drawn.map(lambda each: trimmed(Program(tuple(filter(None, each))), orders_max, racing=racing))
