"""Programs whose order of events can be read off, and shrinking them by hand: for the tests of shrinking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Sequence

import trio

import racewindow
from racewindow.budget import ShrinkLimits
from racewindow.failure import Failure
from racewindow.runtime.execution import Environment
from racewindow.runtime.watchdog import Watchdog
from racewindow.schedule import Deviation, Schedule
from racewindow.session import Session
from racewindow.settings import make_settings
from racewindow.shrink_passes import PASSES
from racewindow.shrinker import Shrinker
from racewindow.shrinking import Pass

Program = Callable[[], Awaitable[None]]


def letters(bad: Container[str], *, tasks: int = 3, steps: int = 3, seen: list[str] | None = None) -> Program:
    """Tasks a, b, c... that write their letter in each of so many steps; it fails if what they wrote is `bad`."""

    async def program() -> None:
        written: list[str] = []

        async def write(letter: str) -> None:
            for step in range(steps):
                if step:
                    await trio.lowlevel.checkpoint()
                written.append(letter)

        async with trio.open_nursery() as nursery:
            for number in range(tasks):
                nursery.start_soon(write, "abcdefgh"[number])
        if seen is not None:
            seen.append("".join(written))
        assert "".join(written) not in bad

    return program


def go(after: str, to: str) -> Deviation:
    """`go("a1", "b")`: when a has finished its first step, b goes first; `go("", "b")`: b begins."""
    place = ("main", 0) if not after else (path(after[0]), int(after[1:]) - 1)
    return Deviation(*place, "task", 0, path(to))


def path(letter: str) -> str:
    """The path of the task that writes a letter."""
    return f"main/{'abcdefgh'.index(letter)}"


def order(*deviations: Deviation, tasks: int = 3, steps: int = 3) -> str:
    """What is written under these deviations, each of which has to apply."""
    seen: list[str] = []
    racewindow.replay(letters((), tasks=tasks, steps=steps, seen=seen), Schedule(deviations))
    return seen[0]


def failure_of(target: racewindow.Scenario | Program, *deviations: Deviation, **params: int) -> Failure:
    """The failure that a schedule gives."""
    failure = racewindow.replay(target, Schedule(deviations, params=params)).failure
    assert failure is not None
    return failure


def shrink_by(
    passes: Sequence[Pass],
    target: racewindow.Scenario | Program,
    failure: Failure,
    *,
    limits: ShrinkLimits = ShrinkLimits(),  # noqa: B008  # frozen
) -> Failure:
    """Shrink with these passes alone."""
    settings = make_settings(target, params=failure.schedule.params)
    with Watchdog(settings.step_timeout) as watchdog:
        return Shrinker(settings, watchdog, passes=passes).shrink(failure, limits)


def shrunk(target: racewindow.Scenario | Program, failure: Failure) -> Failure:
    """Shrink with all passes."""
    return shrink_by(PASSES, target, failure)


def fewest_preemptions(target: Program, most: int) -> int | None:
    """The smallest number of preemptions with which it fails, by running every order with that many and fewer."""
    for bound in range(most + 1):
        result = racewindow.explore(target, strategy="dfs", preemptions=bound, shrink=False)
        assert not result.untrusted
        if result.failures:
            return bound
    return None


def run_leniently(target: Program, deviations: Sequence[Deviation]) -> tuple[list[Deviation], int]:
    """What is taken of a schedule, and in how many decisions."""
    from racewindow.strategies.lenient import LenientPicker

    picker = LenientPicker(deviations)
    with Environment():
        Session(make_settings(target)).run(picker)
    return [each.deviation(each.name(each.taken)) for each in picker.decisions if each.taken], len(picker.decisions)
