"""Time and randomness inside an execution: the execution's own, and each task's own."""

from __future__ import annotations

import random
import secrets
import time
import uuid
from collections.abc import Callable

import pytest
import trio

import racewindow
from racewindow.virtual import real
from tests.harness.executions import session, walk

DRAWS: dict[str, Callable[[], object]] = {
    "random": lambda: random.random(),  # noqa: PLW0108  # looked up when it is called
    "uuid4": lambda: uuid.uuid4(),  # noqa: PLW0108
    "token": lambda: secrets.token_hex(8),
    "Random()": lambda: random.Random().getrandbits(64),
}


async def _two_that_draw(draw: Callable[[], object], drawn: dict[str, list[object]]) -> None:
    async def drawer(name: str) -> None:
        for _ in range(3):
            drawn.setdefault(name, []).append(draw())
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(drawer, "a")
        nursery.start_soon(drawer, "b")


@pytest.mark.parametrize("kind", DRAWS)
def test_each_task_draws_from_a_stream_of_its_own(kind: str) -> None:
    """So tasks do not race for numbers: a task draws the same in every order of events."""
    seen: list[dict[str, list[object]]] = []

    async def main() -> None:
        seen.append({})
        await _two_that_draw(DRAWS[kind], seen[-1])

    with session(main) as running:
        orders = {running.record(walk(seed)).digest for seed in range(20)}

    assert len(orders) > 5
    assert all(each == seen[0] for each in seen)
    assert len({*seen[0]["a"], *seen[0]["b"]}) == 6, "and two tasks do not draw the same"


def test_the_seed_chooses_the_streams() -> None:
    """Another seed of the exploration, other numbers; the same one, the same, whatever the process drew before."""
    drawn: dict[int, set[float]] = {0: set(), 1: set()}

    async def main(seed: int) -> None:
        drawn[seed].add(random.random())

    for _ in range(2):
        random.random()
        for seed in (0, 1):
            racewindow.explore(lambda seed=seed: main(seed), seed=seed, schedules=3, strategy="random")

    assert [len(each) for each in drawn.values()] == [1, 1]
    assert drawn[0] != drawn[1]


def test_drawing_is_no_decision_and_no_access() -> None:
    """It is a function of the task and of how often it drew."""

    async def main() -> None:
        await trio.lowlevel.checkpoint()
        random.random()
        uuid.uuid4()

    with session(main) as running:
        execution = running.record(walk(0))

    assert {access.key for access in execution.trace.steps[1].accesses} == {"outside:CancelScope"}


def test_time_is_virtual_during_an_exploration_and_real_around_it() -> None:
    """An hour passes in an execution, and none outside."""
    elapsed: list[float] = []

    async def main() -> None:
        start = time.monotonic(), time.time(), trio.current_time()
        await trio.sleep(3600)
        now = time.monotonic(), time.time(), trio.current_time()
        elapsed.extend(b - a for a, b in zip(start, now, strict=True))

    before = real.monotonic()
    result = racewindow.explore(main, schedules=10, strategy="random")

    assert result.verdict == "nothing found"
    assert set(elapsed) == {3600.0}
    assert real.monotonic() - before < 30
    assert abs(time.time() - real.time()) < 5


def test_every_execution_starts_at_the_same_time() -> None:
    """Whatever the one before it did to the clock."""
    starts: set[float] = set()

    async def main() -> None:
        starts.add(time.time())
        time.sleep(5)
        await trio.sleep(7)

    racewindow.explore(main, schedules=10, strategy="random")

    assert len(starts) == 1
