"""Dependence: a symmetric relation, and true: adjacent steps that do not depend on each other can be swapped."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from racewindow.footprint import ADD_CODE, READ_CODE, WRITE_CODE, KeyTable, dependent, modes_conflict
from racewindow.schedule import CLOCK
from racewindow.session import Session
from racewindow.strategy import Task
from racewindow.trace import ADD, READ, WRITE, Access, Step, step_text
from tests.harness.executions import Tap, session, walk
from tests.strategies import (
    FAMILIES,
    Append,
    AskChannel,
    AskEvent,
    AskLock,
    At,
    AwaitNotice,
    Block,
    Cancel,
    Checkpoint,
    Keys,
    Locked,
    MoveDeadline,
    Notify,
    Pop,
    Program,
    Put,
    Receive,
    Run,
    Send,
    SetEvent,
    Shielded,
    Take,
    WaitEvent,
    as_function,
    programs,
)

CODES = st.integers(0, 11)
FOOTPRINTS = st.frozensets(CODES, max_size=4)


# --- the relation ----------------------------------------------------------------------------------------------------


@given(FOOTPRINTS, FOOTPRINTS)
def test_dependence_is_symmetric(one: frozenset[int], two: frozenset[int]) -> None:
    """It does not matter which of two steps is asked about the other."""
    assert dependent(one, two) == dependent(two, one)


@given(FOOTPRINTS, FOOTPRINTS)
def test_dependence_is_a_conflict_on_some_key(one: frozenset[int], two: frozenset[int]) -> None:
    """Two steps depend on each other exactly if two of their accesses do."""
    expected = any(a // 3 == b // 3 and modes_conflict(a % 3, b % 3) for a in one for b in two)

    assert dependent(one, two) == expected


@pytest.mark.parametrize("one", [READ_CODE, WRITE_CODE, ADD_CODE])
@pytest.mark.parametrize("two", [READ_CODE, WRITE_CODE, ADD_CODE])
def test_reads_commute_and_adds_commute_and_nothing_else_does(one: int, two: int) -> None:
    """The whole table."""
    assert modes_conflict(one, two) == ((one, two) not in {(READ_CODE, READ_CODE), (ADD_CODE, ADD_CODE)})


@given(st.lists(st.text(max_size=2), max_size=8))
def test_a_key_keeps_its_number(names: list[str]) -> None:
    """One name, one number; one number, one name."""
    table = KeyTable()
    numbers = {name: table.number(name) for name in names}

    assert {name: table.number(name) for name in names} == numbers
    assert len(set(numbers.values())) == len(numbers)
    for name, number in numbers.items():
        codes = [number * 3 + code for code in (READ_CODE, WRITE_CODE, ADD_CODE)]
        assert table.accesses(codes) == (Access(name, READ), Access(name, WRITE), Access(name, ADD))


# --- independent steps commute ---------------------------------------------------------------------------------------


class Exact:
    """Takes a given option at each number of steps and advances; values likewise, by task and step."""

    words = None

    def __init__(self, taken: dict[tuple[int, int], str], steps: tuple[Step, ...]) -> None:
        self._taken = taken
        self._choices = {(step.task, step.number): step.choices for step in steps}
        self.restart()

    def restart(self) -> None:
        """From the start."""
        self._values = {place: list(choices) for place, choices in self._choices.items()}

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """What was taken there; a KeyError or ValueError is a decision that was not there before."""
        option = self._taken[candidates[0]._runner.step_serial, advances]  # type: ignore[attr-defined]
        return len(candidates) if option == CLOCK else [each.path for each in candidates].index(option)

    def pick_value(self, count: int, *, task: Task) -> int:
        """The next value that was taken in this step."""
        return self._values[task.path, task.number].pop(0)


def _codes(step: Step, table: KeyTable) -> list[int]:
    modes = (READ, WRITE, ADD)
    return [table.number(access.key) * 3 + modes.index(access.mode) for access in step.accesses]


def _swappable(steps: tuple[Step, ...], tap: Tap, table: KeyTable) -> list[int]:
    """Where two adjacent steps of different tasks are independent, and the later one could have come first."""
    found = []
    for index, (first, second) in enumerate(pairwise(steps)):
        clock_between = any(at == index + 1 and option == CLOCK for (at, _), option in tap.taken.items())
        if (
            first.task != second.task
            and first.time_ns == second.time_ns
            and second.task in tap.offered.get(index, ())
            and not clock_between
            and not dependent(_codes(first, table), _codes(second, table))
        ):
            found.append(index)
    return found


def _texts(steps: tuple[Step, ...]) -> list[str]:
    """What the digest runs over, but for the order of the accesses within a step."""
    return [step_text(step._replace(accesses=tuple(sorted(step.accesses)))) for step in steps]


def swaps_that_are_seen(running: Session, runs: list[Run], seed: int) -> int:
    """Swap every swappable pair of one execution, each alone; all else has to stay as it was. How many there were."""
    tap = Tap(walk(seed))
    execution = running.record(tap)
    before, steps = runs[-1], execution.trace.steps
    places = _swappable(steps, tap, running.tables.keys)
    for index in places:
        taken = dict(tap.taken)
        (at,) = (key for key, option in taken.items() if key[0] == index and option != CLOCK)
        taken[at], taken[index + 1, 0] = steps[index + 1].task, steps[index].task
        swapped = running.record(Exact(taken, steps))
        expected = _texts(steps)
        expected[index], expected[index + 1] = expected[index + 1], expected[index]
        shown = "".join(_texts(steps[index : index + 2]))
        assert _texts(swapped.trace.steps) == expected, f"swapped:\n{shown}"
        assert swapped.outcome == execution.outcome, f"swapped:\n{shown}"
        assert runs[-1].seen == before.seen, f"swapped:\n{shown}"
        if execution.outcome != "deadlock":  # whose tasks have been taken down meanwhile, letting go of what they held
            assert runs[-1].result() == before.result(), f"swapped:\n{shown}"
    return len(places)


HALF = settings().max_examples // 2
"""Of what the profile says: there are many families, and each example is many executions."""


@pytest.mark.parametrize("clock", ["idle", "racing"])
@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=HALF)
@given(data=st.data())
def test_adjacent_independent_steps_commute(family: str, clock: str, data: st.DataObject) -> None:
    """Swapped, each does what it did, all other steps stay what they were, and so does what is left in the end.

    This is what makes footprints true: a hook that misses an access lets two steps look independent that are not.
    """
    program = data.draw(programs(FAMILIES[family]))
    seed = data.draw(st.integers(0, 1 << 16))
    runs: list[Run] = []
    with session(as_function(program, runs), clock=clock) as running:
        swaps_that_are_seen(running, runs, seed)


def _lots_of(program: Program) -> int:
    runs: list[Run] = []
    with session(as_function(program, runs)) as running:
        return sum(swaps_that_are_seen(running, runs, seed) for seed in range(10))


def test_there_is_something_to_swap() -> None:
    """The law above is not empty: tasks with nothing in common can all be swapped."""
    assert _lots_of(Program(((Checkpoint(),) * 3, (Checkpoint(),) * 3))) > 10


@pytest.mark.parametrize(
    "program",
    [
        Program(((Checkpoint(),), (MoveDeadline(2, 0),), (Receive(),), (AskChannel(),))),
        Program(((Cancel(1),), (Receive(),), (AskChannel(),), (Send(1),))),
        Program(((Shielded(()),), (MoveDeadline(0, 1),))),
        Program(
            (
                (Locked(0, (Checkpoint(), Checkpoint())),),
                (Locked(0, ()),),
                (Block(2), AskLock(0)),
                (MoveDeadline(1, 1), AskLock(0)),
            )
        ),
        Program(((AwaitNotice(),), (Notify(),), (Cancel(0), AskLock(0)))),
        Program(((WaitEvent(0),), (SetEvent(0),), (AskEvent(0),), (WaitEvent(0),))),
        Program(((Pop(0),), (At(1),), (Append(7),))),
        Program(((Put("b", 1), Take("a")), (Keys(), Keys()))),
    ],
)
def test_programs_that_once_showed_a_missing_rule(program: Program) -> None:
    """An aborted receive is out of its channel's queue; a scope passed through in one step was looked at; and more."""
    _lots_of(program)
