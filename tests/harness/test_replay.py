"""Schedules: what a random execution records replays exactly, and what does not fit is named."""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Awaitable, Callable

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow.errors import DivergenceError, UsageError
from racewindow.schedule import CLOCK, START, Deviation, Schedule
from racewindow.strategies.replay import ReplayPicker
from tests.harness.executions import WAYS, Way, session, taken, walk
from tests.strategies import Program, Run, as_function, programs

SEEDS = st.integers(0, 1 << 16)


@given(programs(), SEEDS, st.sampled_from(WAYS))
def test_the_deviations_of_any_execution_replay_to_the_identical_digest(program: Program, seed: int, way: Way) -> None:
    """Failed or not, with values chosen and time passed: the sparse list is all there is to know."""
    runs: list[Run] = []
    with session(as_function(program, runs), **way) as running:
        execution, schedule = taken(running, walk(seed))
        again = running.replay(schedule)

    assert again.digest == execution.digest
    assert again.outcome == execution.outcome
    assert [f.message for f in again.failures] == [f.message for f in execution.failures]
    assert [f.schedule for f in again.failures] == [f.schedule for f in execution.failures]
    assert runs[0].order == runs[1].order


@given(programs(), SEEDS, st.sampled_from(WAYS))
def test_a_schedule_survives_its_token(program: Program, seed: int, way: Way) -> None:
    """What is pasted from one terminal into another is the same schedule."""
    with session(as_function(program), **way) as running:
        _, schedule = taken(running, walk(seed))

    assert Schedule.from_token(schedule.token()) == schedule
    assert Schedule.from_dict(schedule.as_dict()) == schedule


@given(programs(), SEEDS, st.sampled_from(WAYS))
def test_no_decision_has_two_deviations(program: Program, seed: int, way: Way) -> None:
    """Task, step, kind and index tell all decisions of an execution apart."""
    with session(as_function(program), **way) as running:
        _, schedule = taken(running, walk(seed))

    assert len({deviation.key for deviation in schedule.deviations}) == len(schedule.deviations)


@given(programs(), SEEDS, st.sampled_from(WAYS), st.data())
def test_a_deviation_can_be_left_out_and_the_others_keep_their_meaning(
    program: Program, seed: int, way: Way, data: st.DataObject
) -> None:
    """Those that still apply are followed exactly; if one does not, the replay says where and what."""
    with session(as_function(program), **way) as running:
        _, schedule = taken(running, walk(seed))
        if not schedule.deviations:
            return
        out = data.draw(st.integers(0, len(schedule.deviations) - 1))
        rest = [*schedule.deviations[:out], *schedule.deviations[out + 1 :]]
        try:
            _, followed = taken(running, ReplayPicker(running.settings.schedule(rest)))
            running.replay(running.settings.schedule(rest))
        except DivergenceError as error:
            first, recorded, now, *_ = str(error).split("\n")
            places = {_where(deviation) for deviation in rest}
            assert first.removeprefix("The replay diverged ").removesuffix(".") in places
            assert recorded.startswith("  recorded: the schedule ")
            assert now.startswith("  now:      ")
        else:
            # Of two that name the default (there is one less to deviate from), nothing is recorded.
            assert set(followed.deviations) <= set(rest)


def _where(deviation: Deviation) -> str:
    if deviation.task == START:
        return "at the start"
    return f"{'in' if deviation.kind == 'value' else 'after'} step {deviation.step} of {deviation.task}"


@given(programs(), st.sampled_from(WAYS))
def test_the_default_schedule_has_no_deviations(program: Program, way: Way) -> None:
    """Following nothing deviates nowhere."""
    with session(as_function(program), **way) as running:
        _, schedule = taken(running, ReplayPicker(running.settings.schedule(())))

    assert schedule.deviations == ()


# --- what does not fit -----------------------------------------------------------------------------------------------


async def two_tasks() -> None:
    async def worker() -> None:
        await trio.lowlevel.checkpoint()
        racewindow.choose("ab")
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker)
        nursery.start_soon(worker)


async def swallows() -> None:
    with contextlib.suppress(BaseException):  # as careless programs do
        racewindow.choose("ab")
    await trio.lowlevel.checkpoint()


async def spins() -> None:
    racewindow.choose("ab")
    while True:
        await trio.lowlevel.checkpoint()


MESSAGE = """\
The replay diverged {}.
  recorded: the schedule {}
  now:      {}
Why: the code has changed since the schedule was recorded, or the schedule belongs to another scenario.
Do:  racewindow explore with the same scenario and seed, to record the failure again."""


@pytest.mark.parametrize(
    ("program", "deviations", "where", "recorded", "now"),
    [
        (
            two_tasks,
            [Deviation("main", 0, "task", 0, "main/7")],
            "after step 0 of main",
            "runs task main/7 next",
            "it cannot run; those that can: main/0, main/1",
        ),
        (
            two_tasks,
            [Deviation("main/0", 1, "task", 0, CLOCK)],
            "after step 1 of main/0",
            "lets time pass next",
            "no deadline is pending",
        ),
        (
            two_tasks,
            [Deviation("main/1", 1, "value", 0, "2")],
            "in step 1 of main/1",
            "takes value 2",
            "there are 2 values, from 0",
        ),
        (
            swallows,
            [Deviation("main", 0, "value", 0, "x")],
            "in step 0 of main",
            "takes value x",
            "there are 2 values, from 0",
        ),
        (
            spins,
            [Deviation("main", 0, "value", 0, "2")],
            "in step 0 of main",
            "takes value 2",
            "there are 2 values, from 0",
        ),
        (
            two_tasks,
            [Deviation("main/1", 0, "value", 0, "1")],
            "in step 0 of main/1",
            "takes option 1 there",
            "the execution ended without coming to that decision",
        ),
        (
            two_tasks,
            [Deviation("main/4", 2, "task", 0, "main/0"), Deviation("main", 0, "task", 0, "main/1")],
            "after step 2 of main/4",
            "takes option main/0 there",
            "the execution ended without coming to that decision",
        ),
        (
            two_tasks,
            [Deviation(START, 0, "task", 0, "main/0")],
            "at the start",
            "takes option main/0 there",
            "the execution ended without coming to that decision",
        ),
    ],
)
def test_a_deviation_that_does_not_apply_stops_the_replay(
    program: Callable[[], Awaitable[None]], deviations: list[Deviation], where: str, recorded: str, now: str
) -> None:
    """Strictly: never another order than the one that the schedule names, and where and what differs is said."""
    with pytest.raises(DivergenceError, match=re.escape(MESSAGE.format(where, recorded, now)) + "$"):
        racewindow.replay(program, Schedule(deviations=tuple(deviations)))


def test_a_schedule_brings_what_it_was_recorded_with() -> None:
    """Semantics, clock, seed, parameters, safeguards and limits come from the schedule."""
    seen: list[object] = []

    @racewindow.scenario(safeguards={"careful": "does nothing"})
    async def program(sim: racewindow.Simulation, *, size: int = 1) -> None:
        seen.append((size, sim.safeguard("careful"), random.random()))
        assert size != 3

    result = racewindow.explore(
        program,
        schedules=1,
        seed=5,
        semantics="trio",
        clock="racing",
        params={"size": 3},
        safeguards="all",
        strategy="random",
    )
    (failure,) = result.failures
    seen.clear()
    execution = racewindow.replay(program, failure.schedule)

    assert execution.digest == failure.digest
    assert execution.outcome == "violation"
    assert len(seen) == 1
    assert seen[0][:2] == (3, True)  # type: ignore[index]
    assert (failure.schedule.semantics, failure.schedule.clock, failure.schedule.seed) == ("trio", "racing", 5)


def test_a_failure_replays_in_the_form_in_which_it_was_found() -> None:
    """Other executions of the same exploration may have needed the full form; this one did not, and needs none."""

    async def program() -> None:
        kind = racewindow.choose(range(30))
        await trio.lowlevel.checkpoint()
        if 0 < kind < 29:
            trio.lowlevel.current_trio_token()
        assert kind < 29

    result = racewindow.explore(program, seed=3, strategy="random")
    (failure,) = result.failures

    assert failure.execution > 0
    assert racewindow.replay(program, failure.schedule).digest == failure.digest


def test_a_schedule_of_another_scenario_is_refused_before_anything_runs() -> None:
    """Its parameters and safeguards have to be known."""
    with pytest.raises(UsageError, match="there is no parameter of two-tasks called 'size'"):
        racewindow.replay(two_tasks, Schedule(params={"size": 3}))
    with pytest.raises(UsageError, match="there is no safeguard of two-tasks called 'careful'"):
        racewindow.replay(two_tasks, Schedule(safeguards=("careful",)))


def test_a_deviation_that_names_the_default_is_followed() -> None:
    """Naming option 0 is superfluous but not wrong."""
    schedule = Schedule(deviations=(Deviation("main", 0, "task", 0, "main/0"),))

    assert racewindow.replay(two_tasks, schedule).digest == racewindow.replay(two_tasks, Schedule()).digest
