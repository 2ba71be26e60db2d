"""Each pass alone: from a given schedule to a given smaller one, and not beyond what it is for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
import trio

import racewindow
from racewindow.budget import ShrinkLimits
from racewindow.schedule import Deviation
from racewindow.shrink_passes import (
    PASSES,
    drop_and_move,
    drop_deviations,
    drop_faults,
    drop_pairs,
    lower_values,
    merge_preemptions,
    move_blocks,
    move_deviations,
    search,
    search_sizes,
    shrink_sizes,
    swap_tasks,
    weaken_faults,
)
from racewindow.shrinking import Attempt, Params, Pass, Run, shrink_schedule
from racewindow.strategies.lenient import Decision
from tests.harness.shrinkable import failure_of, go, letters, order, shrink_by

SCHEDULES: dict[Pass, tuple[list[Deviation], list[Deviation]]] = {
    drop_deviations: (
        [go("a2", "c"), go("c1", "b")],
        [go("a2", "c")],
    ),
    drop_pairs: (
        [go("a1", "b"), go("b1", "a"), go("a2", "c")],
        [go("a2", "c")],
    ),
    merge_preemptions: (
        [go("a1", "b"), go("b1", "c")],
        [go("a1", "c")],
    ),
    swap_tasks: (
        [go("", "b"), go("b1", "c")],
        [go("a1", "c")],
    ),
    move_deviations: (
        [go("a2", "c")],
        [go("", "c")],
    ),
    move_blocks: (
        [go("a1", "b"), go("b3", "c"), go("c1", "a")],
        [go("", "b"), go("b3", "c"), go("c1", "a")],
    ),
    drop_and_move: (
        [go("a1", "b"), go("a2", "c")],
        [go("b1", "c")],
    ),
    search: (
        [go("", "c"), go("c1", "b"), go("b2", "a"), go("a1", "c")],
        [go("a2", "b")],
    ),
}
"""Pass -> where it begins, and where it ends if nothing but the two fails."""


@pytest.mark.parametrize("one", SCHEDULES, ids=lambda one: one.__name__)
def test_a_pass_comes_from_its_start_to_its_minimum(one: Pass) -> None:
    start, end = SCHEDULES[one]
    target = letters({order(*start), order(*end)})
    small = shrink_by([one], target, failure_of(target, *start))

    assert list(small.schedule.deviations) == end
    assert small.shrunk is not None
    assert small.shrunk.after < small.shrunk.before or one is move_deviations


@pytest.mark.parametrize("one", PASSES, ids=lambda one: one.__name__)
def test_a_pass_leaves_alone_what_nothing_smaller_fails_like(one: Pass) -> None:
    start = [go("a1", "b"), go("b2", "c"), go("c1", "a")]
    target = letters({order(*start)})
    small = shrink_by([one], target, failure_of(target, *start))

    assert list(small.schedule.deviations) == start
    assert small.shrunk is not None
    assert (small.shrunk.before, small.shrunk.ended) == (small.shrunk.after, "")


def test_many_deviations_that_do_not_matter_are_left_out_by_halves() -> None:
    """Not one by one: of 24, one matters."""
    start = [each for i in range(1, 9) for each in (go(f"a{i}", "b"), go(f"b{i}", "c"), go(f"c{i}", "a"))]
    target = letters(Bad("abc"), steps=10)
    small = shrink_by([drop_deviations], target, failure_of(target, *start))

    assert len(small.schedule.deviations) <= 2
    assert small.shrunk is not None
    assert small.shrunk.tries < 24


class Bad:
    """Every order that begins like this."""

    def __init__(self, beginning: str) -> None:
        self._beginning = beginning

    def __contains__(self, written: object) -> bool:
        return str(written).startswith(self._beginning)


def test_values_are_lowered_to_the_lowest_that_fails() -> None:
    async def program() -> None:
        assert racewindow.choose(range(100)) + racewindow.choose(range(3)) < 40

    at = [Deviation("main", 0, "value", 0, "90"), Deviation("main", 0, "value", 1, "2")]
    small = shrink_by([lower_values], program, failure_of(program, *at))

    assert sum(int(each.option) for each in small.schedule.deviations) == 40
    assert len(small.schedule.deviations) == 2, "leaving out is for others"


# --- sizes -----------------------------------------------------------------------------------------------------------


@racewindow.scenario
async def rounds(
    sim: racewindow.Simulation, *, ticks: int = 5, wait_seconds: int = 3, price: int = 7, loud: bool = False
) -> None:
    """Fails with two ticks or more whatever happens, and never with one; `wait_seconds` and `price` count nothing."""
    for _ in range(ticks):
        await trio.sleep(wait_seconds)
    assert ticks < 2 or price < 1 or loud


def test_a_scenario_is_shrunk_to_the_smallest_size_that_fails() -> None:
    """And what counts nothing stays, since another price is another scenario and no smaller one."""
    small = shrink_by([shrink_sizes], rounds, failure_of(rounds))

    assert small.schedule.params == {"ticks": 2, "wait_seconds": 3, "price": 7, "loud": False}
    assert racewindow.replay(rounds, small.schedule).digest == small.digest


@racewindow.scenario
async def always(sim: racewindow.Simulation, *, ticks: int = 5, none: int = 0) -> None:
    """Fails at every size."""
    for _ in range(ticks + none):
        await trio.sleep(1)
    raise AssertionError


def test_no_size_goes_below_one() -> None:
    assert shrink_by([shrink_sizes], always, failure_of(always)).schedule.params == {"ticks": 1, "none": 0}


@racewindow.scenario
async def refuses(sim: racewindow.Simulation, *, ticks: int = 5) -> None:
    """Does not want to be small."""
    if ticks < 3:
        raise racewindow.UsageError("ticks has to be at least 3.")
    for _ in range(ticks):
        await trio.sleep(1)
    raise AssertionError


def test_a_size_that_the_scenario_refuses_is_none() -> None:
    assert shrink_by([shrink_sizes], refuses, failure_of(refuses)).schedule.params == {"ticks": 3}


@racewindow.scenario
async def last_one_first(sim: racewindow.Simulation, *, tasks: int = 3) -> None:
    """Fails if the last task is the first to step, whichever number it has."""
    written: list[int] = []

    async def write(number: int) -> None:
        written.append(number)
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        for number in range(tasks):
            nursery.start_soon(write, number)
    assert tasks < 2 or written[0] != tasks - 1


def test_a_smaller_scenario_may_need_other_deviations() -> None:
    """Its last task is another one, so a schedule for it has to be looked for."""
    start = failure_of(last_one_first, Deviation("main", 0, "task", 0, "main/3"), tasks=4)

    assert shrink_by([shrink_sizes], last_one_first, start).schedule.params == {"tasks": 4}
    assert shrink_by([search_sizes, shrink_sizes], last_one_first, start).schedule.params == {"tasks": 2}


@racewindow.scenario
async def too_dear(sim: racewindow.Simulation, *, price: int = 7) -> None:
    """With a price below 3 it would fail in the default order, in as many steps."""
    await trio.lowlevel.checkpoint()
    assert price > 2 and not sim.choose(range(10))


def test_a_number_that_saves_no_step_is_no_size() -> None:
    start = failure_of(too_dear, Deviation("main", 1, "value", 0, "9"))
    small = shrink_by(PASSES, too_dear, start)

    assert small.schedule.params == {"price": 7}
    assert [each.option for each in small.schedule.deviations] == ["1"]


# --- faults ----------------------------------------------------------------------------------------------------------

NAMES = ("none", "delay(seconds=8)", "delay(seconds=4)", "delay(seconds=2)", "delay(seconds=1)", "crash")


def weaker(option: str) -> Iterable[str]:
    """Half of a delay."""
    name, _, seconds = option.partition("=")
    if name == "delay(seconds" and seconds != "1)":
        yield f"{name}={int(seconds[:-1]) // 2})"


def faults(*options: str) -> list[Deviation]:
    return [Deviation("main", step, "fault", 0, option) for step, option in enumerate(options) if option]


def struck(needed: dict[int, set[str]]) -> Run:
    """Runs four steps, each with a point at which a fault may strike; it fails if each of `needed` is among them."""

    def run(deviations: Sequence[Deviation], params: Params) -> Attempt:
        wanted = {each.key: each.option for each in deviations}
        decisions = []
        for step in range(4):
            place = Deviation("main", step, "fault", 0, "").key
            decisions.append(Decision(place, NAMES, len(NAMES), NAMES.index(wanted.get(place, "none"))))
        same = all(decisions[step].name(decisions[step].taken) in options for step, options in needed.items())
        return Attempt(same, tuple(decisions), 4, params)

    return run


def test_faults_that_are_not_needed_are_left_out() -> None:
    run = struck({2: {"crash"}})
    start = run(faults("crash", "delay(seconds=8)", "crash", "crash"), {})
    best = shrink_schedule(start, run, [drop_faults], ShrinkLimits()).best

    assert best.deviations == tuple(faults("", "", "crash"))
    assert best.size == (1, 0, 1, 4)


def test_faults_are_weakened_as_far_as_it_still_fails() -> None:
    run = struck({1: {"delay(seconds=8)", "delay(seconds=4)", "delay(seconds=2)"}, 3: {"crash"}})
    start = run(faults("", "delay(seconds=8)", "", "crash"), {})
    best = shrink_schedule(start, run, [weaken_faults], ShrinkLimits(), weaken=weaker).best

    assert best.deviations == tuple(faults("", "delay(seconds=2)", "", "crash"))
