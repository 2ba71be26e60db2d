"""Selectively uniform random walk: interleavings of what is interesting are equally likely, whatever else happens.

Chances per execution for the programs of SCTBench, with one interesting variable, were estimated outside this project
from 2,000 executions each.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from math import comb, sqrt
from pathlib import Path

import pytest
import trio

import racewindow
from racewindow import Cell
from racewindow.footprint import ADD_CODE, READ_CODE, WRITE_CODE, Footprint, footprint_of
from racewindow.strategies.dice import Dice
from racewindow.strategies.pct import PriorityWalk
from racewindow.strategies.random_walk import RandomWalk
from racewindow.strategies.surw import HoldingWalk, SelectiveWalk, Weights, profile_of, raced_keys, shared_keys
from racewindow.strategy import Strategy
from racewindow.trail import Trail
from tests.harness.simulated import BLANK, Body, Program, Simulator, Store, failing, reorder, take, twostage, wronglock

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from corpus import PROGRAMS

SCHEDULES = 2_000


# --- uniformity -------------------------------------------------------------------------------------------------------


def noted(events: Sequence[int], noise: int) -> tuple[Program, list[str]]:
    """Tasks that write a shared key so many times each, with steps of their own between; the orders of the writes."""
    orders: list[str] = []

    def task(store: Store, name: int, count: int) -> Body:
        for _ in range(count):
            for number in range(noise * (name + 1)):
                yield None
                store[f"own {name} {number}"] = 1
            yield None
            store["x"] = name
            orders[-1] += str(name)

    def program(store: Store) -> Sequence[Body]:
        orders.append("")
        return [task(store, name, count) for name, count in enumerate(events)]

    return program, orders


def orders_under(strategy: Strategy, events: Sequence[int], noise: int, executions: int) -> Counter[str]:
    """How often the writes came in each order."""
    program, orders = noted(events, noise)
    failing(program, strategy, executions)
    return Counter(orders[1:])


def chi_square(counts: Counter[str], classes: int) -> float:
    """How far counts are from even, in units of which as many as there are other classes are expected."""
    expected = counts.total() / classes
    return sum((count - expected) ** 2 / expected for count in counts.values()) + (classes - len(counts)) * expected


@pytest.mark.parametrize("noise", [0, 3])
def test_every_interleaving_of_the_interesting_events_is_as_likely_as_any_other(noise: int) -> None:
    """35 of them: chi-square is 34 on average with a spread of 8.2; a random walk is far beyond 6 times that."""
    classes = comb(7, 3)
    limit = classes - 1 + 6 * sqrt(2 * (classes - 1))

    assert chi_square(orders_under(SelectiveWalk(1), (3, 4), noise, SCHEDULES), classes) < limit
    assert chi_square(orders_under(RandomWalk(1), (3, 4), noise, SCHEDULES), classes) > 2 * limit


def test_events_of_tasks_that_are_still_to_be_spawned_count_for_their_parent() -> None:
    """On trio: one task spawns another between its two events, a third one has one event; 15 orders, as likely each."""
    orders: list[str] = []

    async def program() -> None:
        x = Cell(0)
        order: list[str] = []

        def event(name: str) -> None:
            x.set(x.get() + 1)
            order.append(name)

        async def child() -> None:
            event("b")
            await trio.lowlevel.checkpoint()
            event("B")

        async def parent() -> None:
            event("a")
            nursery.start_soon(child)
            await trio.lowlevel.checkpoint()
            event("A")

        async def other() -> None:
            event("c")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(parent)
            nursery.start_soon(other)
        orders.append("".join(order))

    racewindow.explore(program, strategy="surw", schedules=1_000)
    possible = {
        "".join(order)
        for order in permutations("abABc")
        if order.index("a") < order.index("A") and order.index("a") < order.index("b") < order.index("B")
    }

    counts = Counter(orders[1:])
    assert set(counts) == possible
    assert len(possible) == 15
    assert chi_square(counts, len(possible)) < 14 + 6 * sqrt(2 * 14)


# --- bugs -------------------------------------------------------------------------------------------------------------

CHANCES = {
    "reorder(1,1)": (reorder(1), 0.1540),
    "reorder(3,1)": (reorder(3), 0.0970),
    "reorder(4,1)": (reorder(4), 0.0865),
    "wronglock(1,1)": (wronglock(1), 0.1925),
    "wronglock(1,3)": (wronglock(3), 0.3275),
}


@pytest.mark.parametrize("name", CHANCES)
def test_it_finds_bugs_as_often_as_another_implementation(name: str) -> None:
    """Two estimates from 2,000 executions each differ by no more than 4 sigma."""
    program, chance = CHANCES[name]

    share = failing(program, SelectiveWalk(1), SCHEDULES)

    assert share == pytest.approx(chance, abs=4 * sqrt(2 * chance * (1 - chance) / SCHEDULES))


def test_it_beats_pct_where_two_writes_hide_among_many() -> None:
    """About 0.043 and 0.009 in four seeds of 2,000 executions; this one is fixed, as chance could close the gap."""
    program = reorder(9)

    share = failing(program, SelectiveWalk(1), SCHEDULES)

    assert share > 3 * failing(program, PriorityWalk(1, 3), SCHEDULES)


@pytest.mark.slow
def test_it_beats_pct_on_trio_as_well() -> None:
    """The same program with real tasks, where guesses are learned; 42 to 47 failures against 5 to 13 in four seeds."""
    program = PROGRAMS["reorder(9,1)"].function

    def share(strategy: str) -> float:
        result = racewindow.explore(program, strategy=strategy, schedules=1_000, all_failures=True)
        return result.failing / result.executions

    assert share("surw") > 3 * share("pct")


def test_it_does_not_draw_a_key_that_a_lock_orders() -> None:
    """Of the four shared keys of twostage only the locks race: 0.135 with these two, 0.073 with all."""
    assert failing(twostage, SelectiveWalk(1), SCHEDULES) > 0.1


# --- its parts --------------------------------------------------------------------------------------------------------


def trail_of(*steps: tuple[str, list[int], int, int]) -> Trail:
    """A trail of steps: path, access codes, the steps without which it could not be taken, those that it races with."""
    paths = list(dict.fromkeys(["clock", *(path for path, *_ in steps)]))
    strides = [
        replace(
            BLANK,
            task=paths.index(path),
            codes=tuple(codes),
            footprint=footprint_of(codes),
            enablers=enablers,
            races=races,
        )
        for path, codes, enablers, races in steps
    ]
    return Trail._make([()] * len(Trail._fields))._replace(strides=strides, paths=paths)


def access(key: int, mode: int) -> list[int]:
    """The codes of a step that does one thing."""
    return [key * 3 + mode]


def test_a_profile_counts_what_is_left_with_all_that_is_still_to_be_spawned() -> None:
    x, y = access(0, WRITE_CODE), access(1, WRITE_CODE)
    profile = profile_of(
        trail_of(
            ("main", x, 0b0, 0),  # 0
            ("main", y, 0b1, 0),  # 1: spawns main/0
            ("main/0", x, 0b11, 0),  # 2: spawns main/0/0
            ("main", x, 0b11, 0),  # 3
            ("clock", x, 0b1111, 0),  # 4
            ("main/0/0", x, 0b111, 0),  # 5
            ("main/0/0", x, 0b100111, 0),  # 6
            ("main/0", y, 0b111, 0),  # 7
        )
    )

    assert profile.weights(0b01) == {"main": [5, 4, 1], "main/0": [3, 0], "main/0/0": [2, 1]}
    assert profile.weights(0b10) == {"main": [2, 2, 0], "main/0": [1, 1], "main/0/0": [0, 0]}


@pytest.mark.parametrize(
    ("one", "two", "shared"),
    [
        (WRITE_CODE, WRITE_CODE, True),
        (WRITE_CODE, READ_CODE, True),
        (WRITE_CODE, ADD_CODE, True),
        (READ_CODE, ADD_CODE, True),
        (READ_CODE, READ_CODE, False),
        (ADD_CODE, ADD_CODE, False),
    ],
)
def test_a_key_is_shared_if_its_accesses_depend_on_each_other(one: int, two: int, *, shared: bool) -> None:
    for first, second in ((one, two), (two, one)):
        trail = trail_of(("a", access(5, first), 0, 0), ("b", access(5, second) + access(6, WRITE_CODE), 0, 0b1))

        assert shared_keys(trail) == raced_keys(trail, shared_keys(trail)) == (1 << 5 if shared else 0)


def test_a_key_is_raced_only_if_nothing_else_orders_its_accesses() -> None:
    """Written before a task is spawned, or under a lock."""

    def locked(store: Store) -> Body:
        yield from take(store, "lock")
        yield None
        store["x"] = store["x"] + 1
        yield None
        store["lock"] = 0

    simulator = Simulator(lambda store: [locked(store), locked(store)])
    simulator.run(RandomWalk(0).start(0))
    trail = simulator.trail()
    both = simulator.numbers["lock"], simulator.numbers["x"]

    assert shared_keys(trail) == 1 << both[0] | 1 << both[1]
    assert raced_keys(trail, shared_keys(trail)) == 1 << both[0]


class Fake:
    """A task as a picker sees it."""

    def __init__(self, path: str, pending: Footprint | None) -> None:
        self.path, self.pending, self.touched = path, pending, footprint_of(())
        self.order, self.number = (0,), 0


def first_picks(weights: Weights, *tasks: Fake, may_advance: bool = False) -> Counter[int]:
    """What 1,000 walks take first, with key 0 interesting."""
    return Counter(
        HoldingWalk(Dice(b"%d" % n), 1, weights).pick_task(list(tasks), may_advance=may_advance, last=None, advances=0)
        for n in range(1_000)
    )


def test_an_interesting_event_is_taken_by_the_number_of_those_that_are_left() -> None:
    """The spread of 1,000 draws is 14; the clock is one more task."""
    event = footprint_of(access(0, READ_CODE))
    one, two, calm = Fake("a", event), Fake("b", event), Fake("c", None)

    assert 700 < first_picks({"a": [3], "b": [1]}, one, two)[0] < 800
    assert first_picks({"a": [3], "b": [1]}, one, calm)[1] > 450  # what is not interesting is held by nobody
    assert first_picks({"a": [3], "b": [1]}, one, two, may_advance=True)[2] > 250


def test_no_event_is_starved_because_the_profile_knows_nothing_of_it() -> None:
    """The task counts for one event as long as it is about to come to one."""
    event = footprint_of(access(0, WRITE_CODE))

    assert 450 < first_picks({}, Fake("a", event), Fake("b", event))[0] < 550
    assert first_picks({"a": [9]}, Fake("a", event), Fake("b", event))[1] > 50


def test_a_task_that_was_to_run_its_event_next_hands_that_on_to_its_children_in_proportion() -> None:
    """Three of the four events that it stood for are in its new child: that is drawn half the time, and runs 3/4."""
    parent, child = Fake("a", None), Fake("a/0", footprint_of(access(0, WRITE_CODE)))
    picks: Counter[int] = Counter()
    for n in range(1_000):
        walk = HoldingWalk(Dice(b"%d" % n), 1, {"a": [1], "a/0": [3]})
        walk._intended = "a"
        picks[walk.pick_task([parent, child], may_advance=False, last=None, advances=0)] += 1

    assert 375 - 75 < picks[1] < 375 + 75


def test_children_spawned_in_one_step_share_what_their_parent_was_to_run() -> None:
    """Not the first of them alone: of two children with one and three events left, the second runs 3/4 of the time."""
    event = footprint_of(access(0, WRITE_CODE))
    picks: Counter[int] = Counter()
    for n in range(1_000):
        walk = HoldingWalk(Dice(b"%d" % n), 1, {"a": [0], "a/0": [1], "a/1": [3]})
        walk._intended = "a"
        picks[walk.pick_task([Fake("a/0", event), Fake("a/1", event)], may_advance=False, last=None, advances=0)] += 1

    assert 700 < picks[1] < 800


def test_those_who_wait_for_a_task_that_cannot_step_do_not_wait_for_ever() -> None:
    """When all are held, another one is intended."""
    event = footprint_of(access(0, WRITE_CODE))
    walk = HoldingWalk(Dice(b"key"), 1, {"a": [9], "b": [1], "c": [1]})
    walk._intended = "gone"

    assert walk.pick_task([Fake("b", event), Fake("c", event)], may_advance=False, last=None, advances=0) in (0, 1)


def test_where_no_key_is_shared_it_is_a_random_walk() -> None:
    """Three steps against one, at each decision either: the lone step comes last with a chance of 1/8."""
    orders: list[str] = []

    def task(name: str, count: int) -> Body:
        for _ in range(count):
            yield None
            orders[-1] += name

    def program(store: Store) -> Sequence[Body]:
        del store
        orders.append("")
        return [task("a", 1), task("b", 3)]

    failing(program, SelectiveWalk(1), SCHEDULES)

    assert Counter(orders[1:])["bbba"] / SCHEDULES == pytest.approx(1 / 8, abs=4 * sqrt(7 / 64 / SCHEDULES))


def test_the_same_seed_gives_the_same_executions_and_another_seed_others() -> None:
    """An execution is a function of the seed, its number, and what was seen before."""

    def found(seed: int) -> list[int]:
        result = racewindow.explore(
            PROGRAMS["bluetooth"].function, strategy="surw", seed=seed, schedules=100, all_failures=True
        )
        return [result.failing, *(failure.execution for failure in result.failures)]

    assert found(1) == found(1)
    assert len({tuple(found(seed)) for seed in range(4)}) > 1
