"""The other order of a racing pair: it is run, it passes, and it is the program's own wherever the program has it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio

import racewindow
from racewindow import Cell
from racewindow.failure import Failure
from racewindow.picture import places_without
from racewindow.reversing import Reversal, reversal_of
from racewindow.schedule import Schedule
from racewindow.walking import walk_of

Program = Callable[[], Awaitable[None]]


async def too_early() -> None:
    """A reader may look before the writer has written."""
    ready = Cell(0, name="ready")

    async def write() -> None:
        await trio.sleep(1)
        ready.set(1)

    async def read() -> None:
        await trio.sleep(1)
        assert ready.get(), "too early"

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        nursery.start_soon(read)


async def drawn() -> None:
    """Likewise, and only if a value is drawn that is not the first one."""
    ready = Cell(0, name="ready")

    async def write() -> None:
        await trio.lowlevel.checkpoint()
        ready.set(1)

    async def read() -> None:
        wanted = racewindow.choose([0, 1, 2])
        await trio.lowlevel.checkpoint()
        assert ready.get() or wanted != 2, "too early"

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        nursery.start_soon(read)


async def sooner() -> None:
    """The reader does not wait at all, so it is first unless it is made to wait for time to pass."""
    ready = Cell(0, name="ready")

    async def write() -> None:
        await trio.sleep(1)
        ready.set(1)

    async def read() -> None:
        assert ready.get(), "too early"

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        nursery.start_soon(read)


async def hopeless() -> None:
    """Whatever the order, it fails."""
    x = Cell(0, name="x")

    async def add() -> None:
        x.set(x.get() + 1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(add)
        nursery.start_soon(add)
    raise ValueError("always")


def explained(program: Program, **options: str) -> Failure:
    result = racewindow.explore(program, schedules=200, explain=True, **options)  # type: ignore[arg-type]  # of a few names
    return result.failures[0]


def values_of(schedule: Schedule) -> list[tuple[str, str]]:
    return [(each.task, each.option) for each in schedule.deviations if each.kind == "value"]


def reversal(program: Program, failure: Failure) -> Reversal | None:
    assert failure.explanation is not None
    return reversal_of(program, failure.schedule, failure.explanation.pairs[0], failure.identity)


@pytest.mark.parametrize(
    ("program", "options"),
    [
        (too_early, {}),
        (too_early, {"semantics": "trio"}),
        (too_early, {"clock": "racing"}),
        (drawn, {}),
        (sooner, {"clock": "racing"}),
    ],
)
def test_an_order_that_the_program_has_is_run_without_a_wait(program: Program, options: dict[str, str]) -> None:
    failure = explained(program, **options)
    found = reversal(program, failure)
    assert failure.explanation is not None
    assert found is not None
    walk, execution = walk_of(program, found.schedule)
    sides = failure.explanation.pairs[0]
    places = [(moment.step.task, moment.step.number) for moment in walk.moments]

    assert (found.wait, found.held, found.schedule.constraints) == (None, frozenset(), ())
    assert execution.outcome == "ok"
    assert values_of(found.schedule) == values_of(failure.schedule)
    second, first = (places.index((side.path, side.number)) for side in (sides.second, sides.first))
    assert second < first


def test_an_order_that_takes_a_wait_says_so_and_leaves_out_the_steps_of_it() -> None:
    failure = explained(sooner)
    found = reversal(sooner, failure)
    assert found is not None
    walk, execution = walk_of(sooner, found.schedule)
    places = list(places_without([moment.step for moment in walk.moments], found.held))

    assert execution.outcome == "ok"
    assert found.schedule.constraints == (str(found.wait),)
    assert len(found.held) == 1
    assert [place for place in places if place is not None] == [
        *(("main", 0), ("main/0", 0), ("main/0", 1)),
        *(("main/1", 0), ("main", 1)),
    ]


def test_there_is_none_where_every_order_fails() -> None:
    failure = explained(hopeless)
    pair = explained(sooner).explanation
    assert pair is not None

    assert reversal_of(hopeless, failure.schedule, pair.pairs[0], failure.identity) is None
