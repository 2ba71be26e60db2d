"""An independent oracle for reductions: every order of events there is, and which of them are the same trace.

Slow and simple on purpose. It shares no code with what it judges but the recorder of footprints and depth-first search
without a bound, which is counted against published numbers of interleavings.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import cache
from itertools import combinations
from typing import Any

from racewindow.failure import Execution
from racewindow.strategies.dfs import DepthFirst
from racewindow.trace import ADD, READ, Access, Step, Trace
from tests.harness.executions import Target, session

Class = Hashable
"""A Mazurkiewicz trace; see `class_of`."""

_COMMUTES = {(READ, READ), (ADD, ADD)}


def enumerate_orders(function: Target, *, clock: str = "idle", limit: int = 20_000, **settings: Any) -> list[Execution]:
    """Every order of events of a program, each on the record; AssertionError if there are more than `limit`."""
    search = DepthFirst()
    executions: list[Execution] = []
    with session(function, clock=clock, **settings) as running:
        while (picker := search.start(len(executions))) is not None:
            assert len(executions) < limit, f"more than {limit:,} orders"
            executions.append(running.record(picker))
            search.finished(None, executions[-1].steps)
    return executions


def classes_of(function: Target, *, clock: str = "idle", limit: int = 20_000, **settings: Any) -> dict[Class, str]:
    """Every trace of a program, and its outcome."""
    return outcomes(enumerate_orders(function, clock=clock, limit=limit, **settings))


def outcomes(executions: Iterable[Execution]) -> dict[Class, str]:
    """The traces among some executions, and the outcome of each; AssertionError if orders of one trace differ in it."""
    found: dict[Class, str] = {}
    for execution in executions:
        expected = found.setdefault(class_of(execution.trace), execution.outcome)
        assert execution.outcome == expected, "two orders of independent steps end differently"
    return found


def class_of(trace: Trace) -> Class:
    """What all orders of one Mazurkiewicz trace have in common, and no other order has.

    The steps, and for each two of different tasks that conflict which of them came first (Mazurkiewicz, 1977: two
    orders over the same steps are equivalent exactly if they order all dependent pairs alike). What else orders steps
    follows from that, with the clock "idle": a spawn, a wake-up and a join come about by what the steps did, and time
    passes when nothing is left to do. With the clock "racing" time may also pass in between, so the time belongs to
    what a step that looks at the clock has seen.
    """
    steps = [(step.task, _identity(step)) for step in trace.steps]
    assert len({identity for _, identity in steps}) == len(steps)
    ordered = frozenset(
        (earlier, later)
        for (one, earlier), (two, later) in combinations(steps, 2)
        if one != two and conflict(earlier[3], later[3])
    )
    return frozenset(identity for _, identity in steps), ordered


@cache
def conflict(one: frozenset[Access], two: frozenset[Access]) -> bool:
    """Whether the order of two steps can matter: something that both touch, and not both to read or both to add."""
    return any(a.key == b.key and (a.mode, b.mode) not in _COMMUTES for a in one for b in two)


Identity = tuple[str, int, tuple[int, ...], frozenset[Access], int | None]


def _identity(step: Step) -> Identity:
    """A step, whoever else stepped before it: whose, the how-manieth, what it chose, touched, and when if it looked."""
    accesses = frozenset(step.accesses)
    seen = step.time_ns if any(access.key == "clock" for access in accesses) else None
    return step.task, step.number, step.choices, accesses, seen
