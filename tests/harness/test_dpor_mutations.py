"""Deliberate mistakes in the reduction, and what notices them: without this, the laws of the reduction might be empty.

The judgement is the one that `test_strategy_dpor_programs` passes on random programs. Most mistakes lose traces, some
lose outcomes; one in an edge that is no race makes the search ask for a step that cannot be taken, and it says so; and
a search that forgets what it has covered does not end.
"""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st

from racewindow.errors import DivergenceError
from racewindow.runtime.execution import Environment
from tests.harness.dpor_mutations import FOOTPRINTS, SEARCH
from tests.harness.dpor_oracle import TooManyOrdersError, faults
from tests.harness.small_programs import FAMILIES, SHARED, WAITS, aimed, small_programs
from tests.strategies import (
    AskChannel,
    Cancel,
    Checkpoint,
    Locked,
    MoveDeadline,
    Program,
    Read,
    Receive,
    SetEvent,
    TakeFlag,
    UntilAtLeast,
    WaitEvent,
    Write,
)

MISTAKES = {**SEARCH, **FOOTPRINTS}
_HANDOVER = Program(((Locked(0, (Checkpoint(),)),), (Cancel(2),), (Locked(0, ()),)))
_SELF_CANCELLED_HANDOVER = Program(((Locked(0, (Checkpoint(),)),), (Cancel(3),), (Locked(0, ()),)))
_SIGNAL = Program(((Cancel(1),), (WaitEvent(0),), (SetEvent(0),)))
_UNTIL = Program(((UntilAtLeast(0, 1),), (Cancel(0),), (Write(0, 1),)))
WITNESSES: dict[str, tuple[Program, str]] = {
    "blocked tasks have no races": (Program(((TakeFlag(0),), (Write(0, 1),), (TakeFlag(0),))), "outcome lost"),
    "the reversal ends where its second step was": (_SELF_CANCELLED_HANDOVER, "traces lost"),
    "races inside the shared prefix are skipped": (_SELF_CANCELLED_HANDOVER, "traces lost"),
    "races of until are immediate": (_UNTIL, "outcome lost"),
    "sleeping tasks cover nothing": (Program(((Write(0, 1),), (Write(0, 2),))), "does not end"),
    "a cancel writes no scope": (_HANDOVER, "outcome lost"),
    "a step does not read its scopes at its start": (_HANDOVER, "traces lost"),
    "a step does not read its scopes at its end": (_HANDOVER, "traces lost"),
    "an aborted wait is not written": (_SIGNAL, "traces lost"),
    "the scopes of a woken task are not read": (_HANDOVER, "traces lost"),
    "a woken step needs nobody": (_SIGNAL, "cannot be taken"),
    "a deadline moved into the past does nothing": (
        Program(((MoveDeadline(2, -1),), (Read(0),), (WaitEvent(0),))),
        "cannot be taken",
    ),
    "a deadline moved into the past aborts no wait": (
        Program(((MoveDeadline(1, -1),), (Receive(),), (AskChannel(),))),
        "two outcomes",
    ),
    "a nursery closes with its last exit": (_HANDOVER, "cannot be taken"),
    "an until that is cancelled is a woken step": (_UNTIL, "outcome lost"),
}
"""For each mistake a program that shows it, and the words in which."""


def what_is_wrong(program: Program, clock: str) -> list[str]:
    """As the judgement says it, also where the search gives up."""
    try:
        return faults(program, clock=clock)
    except (DivergenceError, AssertionError) as error:
        return [str(error)]
    except TooManyOrdersError:
        return []


def test_every_mistake_has_a_witness() -> None:
    """Or it would not be known to be one."""
    assert WITNESSES.keys() == MISTAKES.keys()


@pytest.mark.parametrize("clock", ["idle", "racing"])
@pytest.mark.parametrize("name", WITNESSES)
def test_a_mistake_shows_in_its_witness(name: str, clock: str) -> None:
    """And only with the mistake."""
    program, words = WITNESSES[name]

    assert what_is_wrong(program, clock) == []
    with MISTAKES[name](), Environment(footprints=True):
        assert any(words in each for each in what_is_wrong(program, clock))


ALL_KINDS = st.one_of(
    *(aimed(kind, 120) for kind in WAITS),
    *(small_programs(operations, 120) for operations in [*FAMILIES.values(), *SHARED.values()]),
)
KINDS = {
    "blocked tasks have no races": small_programs(SHARED["leaking"], 120),
    "races inside the shared prefix are skipped": aimed("lock", 120),
    "an until that is cancelled is a woken step": aimed("until", 120),
}
"""For mistakes that are found in one kind of programs only, that kind."""


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_random_programs_notice_a_mistake(name: str) -> None:
    """Those of the laws, the same ones every time: it takes from 1 program to 200, by the mistake."""
    examples = settings(
        max_examples=800, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck)
    )

    def is_wrong(program: Program) -> bool:
        return bool(what_is_wrong(program, "idle"))

    with MISTAKES[name](), Environment(footprints=True):
        find(KINDS.get(name, ALL_KINDS), is_wrong, settings=examples, random=Random(5))
