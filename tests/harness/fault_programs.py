"""Small programs that faults may strike, and the faults: what the reduction has to get right beyond orders and values.

The operations come to fault points: always, or only if a cell holds something, so that what a step decides depends on
the order. The faults leave an effect out, double it, take time, or begin a task; those of the processes strike any
step of a service, which crashes, starts anew, stands still or is cancelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import trio
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import racewindow
from racewindow import Fault, FaultPlan, FaultPoint
from racewindow.services.supervisor import Instance, Supervisor
from racewindow_faults import process
from tests.harness.small_programs import trimmed
from tests.strategies import (
    CELLS,
    Body,
    Cancel,
    Children,
    DropFlag,
    MoveOn,
    Op,
    Own,
    Program,
    Read,
    Run,
    Sleep,
    Spawn,
    TakeFlag,
    TryFlag,
    UntilAtLeast,
    UntilLocked,
    Update,
    Write,
    _sequence,
    programs,
)

# --- faults ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfAnOperation(Fault):
    points: ClassVar[tuple[str, ...]] = ("operation",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lose(_OfAnOperation):
    """The effect does not happen."""

    kind: ClassVar[str] = "lose"


@dataclass(frozen=True, slots=True, kw_only=True)
class Double(_OfAnOperation):
    """The effect happens twice."""

    kind: ClassVar[str] = "double"


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo(_OfAnOperation):
    """The effect happens once more, in a task of its own."""

    kind: ClassVar[str] = "echo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nap(_OfAnOperation):
    """The effect happens later."""

    kind: ClassVar[str] = "nap"

    async def strike(self, point: FaultPoint) -> None:
        """Sleep."""
        await trio.sleep(1)


KINDS: tuple[Fault, ...] = (
    *(Lose(), Double(), Echo(), Nap()),
    *(process.Crash(), process.Restart(down_seconds=1), process.Pause(seconds=1), process.Cancel()),
)


@st.composite
def plans(draw: st.DrawFn, budget_max: int = 2) -> FaultPlan:
    """Of one to three kinds, with a budget of up to so many for all together, and perhaps one for a kind."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True))
    kind = draw(st.sampled_from(kinds)).kind
    budgets = draw(st.sampled_from([{}, {}, {kind: 0}, {kind: 1}]))
    return FaultPlan(tuple(kinds), draw(st.integers(0, budget_max)), budgets)


# --- operations ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Exposed(Own):
    """Come to a fault point, and count a cell up as often as the fault says: once without any."""

    cell: int

    async def act(self, run: Run, label: str) -> None:
        """See the class."""
        await run.pause(label)
        fault = await racewindow.fault_point("operation")
        if isinstance(fault, Echo):
            assert run.nursery is not None
            run.nursery.start_soon(self._echo, run, run.label_of_new(label))
        for _ in range(0 if isinstance(fault, Lose) else 2 if isinstance(fault, Double) else 1):
            self._count(run, label)

    async def _echo(self, run: Run, label: str) -> None:
        self._count(run, label)

    def _count(self, run: Run, label: str) -> None:
        run.note(label, run.cells[self.cell].update(lambda value: value + 1))


@dataclass(frozen=True, repr=False)
class Idle(Own):
    """Come to a fault point and do nothing; a fault counts a cell up."""

    cell: int

    async def act(self, run: Run, label: str) -> None:
        """See the class."""
        await run.pause(label)
        if await racewindow.fault_point("operation") is not None:
            run.cells[self.cell].update(lambda value: value + 1)


@dataclass(frozen=True, repr=False)
class ExposedIf(Own):
    """If a cell holds something, come to a fault point; a fault counts the next cell up."""

    cell: int

    async def act(self, run: Run, label: str) -> None:
        """See the class."""
        await run.pause(label)
        if run.cells[self.cell].get() and await racewindow.fault_point("operation") is not None:
            run.cells[(self.cell + 1) % CELLS].update(lambda value: value + 1)


@dataclass(frozen=True, repr=False)
class ChooseIf(Own):
    """A value decision, if a cell holds something."""

    cell: int

    async def act(self, run: Run, label: str) -> None:
        """See the class."""
        await run.pause(label)
        if run.cells[self.cell].get():
            run.note(label, racewindow.choose(range(2)))


@dataclass(frozen=True, repr=False)
class Serve(Own):
    """Start a service with this body, which a supervisor looks after."""

    body: Body

    @property
    def begun(self) -> tuple[Body, ...]:  # type: ignore[override]
        """The body."""
        return (self.body,)

    async def act(self, run: Run, label: str) -> None:
        """See the class."""
        await run.pause(label)
        name = run.label_of_new(label)

        async def served(instance: Instance) -> None:
            own = f"{name}#{instance.number}"
            run.rest(own)
            await _sequence(run, own, self.body)
            run.note(own, "done")

        assert run.nursery is not None
        Supervisor(run.nursery.start_soon).start(served, name)


_CELL = st.integers(0, CELLS - 1)
_POINTS = (st.builds(Exposed, _CELL), st.builds(Idle, _CELL), st.builds(ExposedIf, _CELL))
_INSIDE: SearchStrategy[Op] = st.one_of(
    *_POINTS, st.builds(Update, _CELL), st.builds(Write, _CELL, st.integers(0, 2)), st.builds(Read, _CELL)
)
_SERVE = st.builds(Serve, st.lists(_INSIDE, max_size=2).map(tuple))
_PLAIN = frozenset({Read, Write, Update})
FAMILIES: dict[str, tuple[frozenset[type[Op]], tuple[SearchStrategy[Op], ...]]] = {
    "plain": (_PLAIN, (*_POINTS, *_POINTS)),
    "waiting": (_PLAIN | {UntilAtLeast, UntilLocked, TakeFlag, DropFlag, TryFlag}, (*_POINTS, *_POINTS)),
    "choosing": (_PLAIN, (*_POINTS, st.builds(ChooseIf, _CELL))),
    "time": (_PLAIN | {Sleep, MoveOn}, _POINTS),
    "tasks": (_PLAIN | {Spawn, Children, Cancel}, _POINTS),
    "services": (_PLAIN, (*_POINTS, _SERVE, _SERVE)),
    "cancelled services": (_PLAIN | {UntilAtLeast, Cancel}, (_SERVE, _SERVE, *_POINTS)),
}
"""Operations, and those that come to fault points."""


def exposed_programs(family: str, orders_max: int, *, racing: bool = False) -> SearchStrategy[Program]:
    """Programs with fault points: 2 or 3 tasks of up to 3 steps, with at most about so many orders of events."""
    operations, own = FAMILIES[family]
    drawn = programs(operations, tasks_max=3, length_max=3, own=own)
    return drawn.map(lambda program: trimmed(program, orders_max, racing=racing))
