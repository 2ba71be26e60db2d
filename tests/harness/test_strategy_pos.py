"""Partial order sampling: only a race draws priorities anew, so what is independent does not drown what races.

Chances per execution for the programs of SCTBench, under POS and PCT of depth 3, were estimated outside this project
from 2,000 executions each.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import pytest

import racewindow
from racewindow.footprint import NO_FOOTPRINT, READ_CODE, WRITE_CODE, Footprint, footprint_of
from racewindow.strategies.pct import PriorityWalk
from racewindow.strategies.pos import EventPriorities, PartialOrderSampling
from racewindow.strategies.random_walk import RandomWalk
from racewindow.strategy import Task
from tests.harness.simulated import Body, Program, Store, failing, reorder, twostage, wronglock

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from corpus import PROGRAMS

SCHEDULES = 2_000


@dataclass
class Fake:
    """A task as a picker sees it."""

    path: str
    pending: Footprint | None = None
    touched: Footprint = NO_FOOTPRINT
    number: int = 0
    order: tuple[int, ...] = (0,)


def read(key: int) -> Footprint:
    """Of a step that reads a key."""
    return footprint_of([key * 3 + READ_CODE])


def write(key: int) -> Footprint:
    """Of a step that writes it."""
    return footprint_of([key * 3 + WRITE_CODE])


def independent(before: int) -> Program:
    """It fails where the second task's write is first, although it does so much else before, which nobody looks at."""

    def reader(store: Store) -> Body:
        yield None
        assert store["x"] == 0

    def writer(store: Store) -> Body:
        for number in range(before):
            yield None
            store[f"own {number}"] = 1
        yield None
        store["x"] = 1

    return lambda store: [reader(store), writer(store)]


def test_an_event_waits_for_as_many_others_as_chance_has_it() -> None:
    """Its priority is below those of ten others with a chance of 1/11; a random walk gets there with one of 1/1,024."""
    chance, executions = 1 / 11, 3_000

    share = failing(independent(9), PartialOrderSampling(1), executions)

    assert share == pytest.approx(chance, abs=4 * sqrt(chance * (1 - chance) / executions))
    assert failing(independent(9), RandomWalk(1), executions) < chance / 10


CHANCES = {
    "reorder(1,1)": (reorder(1), 0.1240),
    "reorder(2,1)": (reorder(2), 0.0995),
    "reorder(4,1)": (reorder(4), 0.0705),
    "twostage(1,1)": (twostage, 0.0915),
    "wronglock(1,1)": (wronglock(1), 0.2165),
    "wronglock(1,7)": (wronglock(7), 0.4255),
}


@pytest.mark.parametrize("name", CHANCES)
def test_it_finds_bugs_as_often_as_another_implementation(name: str) -> None:
    """Two estimates from 2,000 executions each differ by no more than 4 sigma."""
    program, chance = CHANCES[name]

    share = failing(program, PartialOrderSampling(1), SCHEDULES)

    assert share == pytest.approx(chance, abs=4 * sqrt(2 * chance * (1 - chance) / SCHEDULES))


def test_it_beats_pct_where_two_writes_hide_among_many() -> None:
    """About 0.031 and 0.009 in four seeds of 2,000 executions; this one is fixed, as chance could close the gap."""
    program = reorder(9)

    share = failing(program, PartialOrderSampling(1), SCHEDULES)

    assert share > 2 * failing(program, PriorityWalk(1, 3), SCHEDULES)


@pytest.mark.slow
def test_it_beats_pct_on_trio_as_well() -> None:
    """The same program with real tasks, where guesses are learned; 24 to 39 failures against 5 to 13 in four seeds."""
    program = PROGRAMS["reorder(9,1)"].function

    def share(strategy: str) -> float:
        result = racewindow.explore(program, strategy=strategy, schedules=1_000, all_failures=True)
        return result.failing / result.executions

    assert share("pos") > 3 * share("pct")


def test_an_event_that_races_with_the_last_step_draws_again_and_no_other_does() -> None:
    """Unknown ones and other keys keep theirs; reads do not race with reads."""
    reader, writer, other, unknown = Fake("a", read(1)), Fake("b", write(1)), Fake("c", write(2)), Fake("d")
    picker = EventPriorities(b"key")
    tasks: list[Task] = [reader, writer, other, unknown]

    def redrawn(by: Footprint) -> set[str]:
        before = dict(picker._priorities)
        last = Fake("e", touched=by, number=1)
        picker.pick_task(tasks, may_advance=False, last=last, advances=0)
        return {path for (path, _), priority in picker._priorities.items() if before[path, 0] != priority}

    picker.pick_task(tasks, may_advance=False, last=None, advances=0)

    assert redrawn(by=write(1)) == {"a", "b"}
    assert redrawn(by=read(1)) == {"b"}
    assert redrawn(by=write(2)) == {"c"}
    assert redrawn(by=write(3)) == set()


def test_the_next_event_of_a_task_draws_again() -> None:
    """It is another event."""
    one, two = Fake("a", write(1)), Fake("b", write(2))
    picker = EventPriorities(b"key")
    picker.pick_task([one, two], may_advance=False, last=None, advances=0)
    first = dict(picker._priorities)
    one.number += 1
    picker.pick_task([one, two], may_advance=False, last=one, advances=0)

    assert set(picker._priorities) == {("a", 1), ("b", 0)}
    assert picker._priorities["a", 1] != first["a", 0]
    assert picker._priorities["b", 0] == first["b", 0]


def test_one_step_makes_others_draw_again_once() -> None:
    """Not once more at the decision after the clock has moved."""
    one, two = Fake("a", write(1)), Fake("b", write(1))
    last = Fake("c", touched=write(1), number=1)
    picker = EventPriorities(b"key")
    picker.pick_task([one, two], may_advance=True, last=last, advances=0)
    before = dict(picker._priorities)
    picker.pick_task([one, two], may_advance=False, last=last, advances=1)

    assert picker._priorities == {event: before[event] for event in (("a", 0), ("b", 0))}


def test_letting_time_pass_is_an_event_that_is_new_when_it_has_passed() -> None:
    """Against one other event it is the higher one half of the time."""
    task = Fake("a")
    first = [EventPriorities(b"%d" % n).pick_task([task], may_advance=True, last=None, advances=0) for n in range(400)]
    assert 160 < sum(first) < 240

    picker = EventPriorities(b"key")
    passed = [picker.pick_task([task], may_advance=True, last=None, advances=0) for _ in range(40)]
    assert passed == sorted(passed, reverse=True)  # once the task has the higher one, it keeps it until it steps


def test_the_same_seed_gives_the_same_executions_and_another_seed_others() -> None:
    """An execution is a function of the seed, its number, and what was seen before."""

    def found(seed: int) -> list[int]:
        result = racewindow.explore(
            PROGRAMS["bluetooth"].function, strategy="pos", seed=seed, schedules=100, all_failures=True
        )
        return [result.failing, *(failure.execution for failure in result.failures)]

    assert found(1) == found(1)
    assert len({tuple(found(seed)) for seed in range(4)}) > 1
