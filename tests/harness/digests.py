"""Prints the digests of many executions, one line each: run in fresh processes by `test_determinism.py`."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator

import racewindow
from racewindow_models.scenarios.paradex import paradex
from tests.harness import outcome_programs
from tests.harness.executions import WAYS, session, taken, walk
from tests.strategies import (
    Append,
    AskEvent,
    AskLock,
    At,
    AwaitNotice,
    Block,
    Cancel,
    Checkpoint,
    Children,
    Choose,
    Fail,
    Keys,
    Limited,
    Locked,
    MoveDeadline,
    MoveOn,
    Notify,
    Permitted,
    Pop,
    Program,
    Put,
    Receive,
    Send,
    SetEvent,
    Shielded,
    Sleep,
    Spawn,
    Take,
    UntilLocked,
    Update,
    WaitEvent,
    as_function,
)

PROGRAMS = [
    Program(((WaitEvent(0),), (WaitEvent(0),), (WaitEvent(0),), (Checkpoint(), SetEvent(0)))),  # a set of waiters
    Program(((Cancel(1),), (Children(((Receive(),), (WaitEvent(0),), (Sleep(3),))),), (Send(1), Send(2), Send(3)))),
    Program(((Locked(0, (Sleep(1),)),), (MoveOn(1, (Locked(0, (Update(0),)),)),), (Sleep(1), AskLock(0), Cancel(0)))),
    Program(((Children(((Fail(),), (Shielded((Sleep(2),)),), (Receive(),))),), (Choose(3), Choose(2), Send(1)))),
    Program(((Put("a", 1), Take("b"), Keys()), (Put("b", 2), Append(3), At(-1)), (Pop(0), Keys(), Choose(3)))),
    Program(((UntilLocked(0, (Checkpoint(),)),), (UntilLocked(0, (Update(1), Block(2))),), (Sleep(1), Cancel(0)))),
    Program(((Permitted((Limited((Checkpoint(),)),)),), (Permitted((Spawn((Update(0), Fail())),)),), (Sleep(1),))),
    Program(((AwaitNotice(),), (AwaitNotice(), AskEvent(0)), (Notify(), MoveDeadline(1, 0), Notify(), SetEvent(0)))),
]


def lines(seeds: int) -> Iterator[str]:
    """One line per execution: what it is, its outcome, its digest, and a digest of its schedule and messages."""
    for index, program in enumerate(PROGRAMS):
        for way in WAYS:
            with session(as_function(program), **way) as running:
                for seed in range(seeds):
                    execution, schedule = taken(running, walk(seed))
                    told = "".join(f.message for f in execution.failures) + schedule.token()
                    yield f"{index} {way} {seed} {execution.outcome} {execution.digest} {_short(told)}"
    for program_ in (outcome_programs.stuck_everywhere, outcome_programs.raising_twice, outcome_programs.selling):
        result = racewindow.explore(program_, seed=3, schedules=50, strategy="random")
        for failure in result.failures:
            yield f"{result.scenario} {failure.execution} {failure.digest} {_short(failure.message)}"
    with session(paradex) as running:
        for seed in range(2):
            execution, schedule = taken(running, walk(seed))
            told = "\n".join(line for f in execution.failures for line in (f.message, *f.deviations, *f.story))
            yield f"paradex {seed} {execution.outcome} {execution.digest} {_short(told + schedule.token())}"


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines(int(sys.argv[1])))
