"""Shrinking: never larger, always the same failure, deterministic, at rest where it ends; and what may end it early."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

import racewindow
from racewindow import Cell, Failure, History, ShrinkProgress, Simulation, Size, UsageError, Verdict, Violation
from racewindow.budget import ShrinkLimits
from racewindow.schedule import Deviation, Schedule
from racewindow.shrink_passes import PASSES
from tests.harness.lost_updates import deposits
from tests.harness.shrinkable import (
    Program,
    failure_of,
    fewest_preemptions,
    go,
    letters,
    order,
    run_leniently,
    shrink_by,
    shrunk,
)

ORDERS = sorted({order(*case, tasks=3, steps=2) for case in (
    [], [go("", "b")], [go("a1", "b")], [go("a1", "c"), go("c1", "b")], [go("", "c"), go("c1", "a")],
    [go("b1", "c")], [go("a1", "b"), go("b1", "c")], [go("a1", "b"), go("b1", "c"), go("c1", "a")],
)})  # fmt: skip
"""Of two steps of three tasks each, some."""


def found(target: Program | racewindow.Scenario, seed: int = 0, **options: Any) -> Failure:
    """What a random walk finds, as it was found."""
    result = racewindow.explore(target, strategy="random", seed=seed, shrink=False, **options)
    assert not result.untrusted
    return result.failures[0]


# --- laws ------------------------------------------------------------------------------------------------------------


@settings(max_examples=max(5, settings().max_examples // 2))
@given(st.sets(st.sampled_from(ORDERS), min_size=1), st.integers(0, 1 << 16))
def test_shrinking_keeps_its_laws(bad: set[str], seed: int) -> None:
    """Whichever orders fail, and whichever of them was met first."""
    target = letters(bad, steps=2)
    first = found(target, seed)
    small = shrunk(target, first)

    assert small.shrunk is not None
    assert small.identity == first.identity
    assert small.shrunk.after <= small.shrunk.before
    assert small.shrunk.original is first
    assert small.shrunk.ended == ""
    again = shrunk(target, first)
    assert (again.schedule, again.digest) == (small.schedule, small.digest), "deterministic"
    once_more = shrunk(target, small)
    assert (once_more.schedule, once_more.digest) == (small.schedule, small.digest), "idempotent"
    assert once_more.shrunk is not None and not once_more.shrunk.smaller
    replayed = racewindow.replay(target, small.schedule)
    assert replayed.digest == small.digest
    assert [each.identity for each in replayed.failures] == [small.identity]
    assert small.shrunk.after.preemptions == fewest_preemptions(target, small.shrunk.after.preemptions)


def test_what_a_schedule_really_takes_is_all_that_counts() -> None:
    """A deviation that cannot be applied, or names what would have happened anyway, is ignored."""
    program = letters(())
    dead = [go("", "a"), Deviation("main/7", 3, "task", 0, "main/0"), go("a1", "h"), go("a2", "c"), go("b9", "c")]

    assert run_leniently(program, dead)[0] == [go("a2", "c")]


def test_a_preemption_leaves_a_task_that_could_have_gone_on() -> None:
    """To choose who begins, or who follows one that has ended, is a deviation and none."""
    for deviations, preemptions in (([go("", "b")], 0), ([go("a1", "b")], 1), ([go("a3", "c")], 0)):
        target = letters({order(*deviations)})
        small = shrunk(target, failure_of(target, *deviations))
        assert small.shrunk is not None
        assert small.shrunk.before[1:3] == (preemptions, 1)


# --- the same failure ------------------------------------------------------------------------------------------------


@racewindow.checker("tickets")
def tickets(history: History) -> Verdict:
    """Every event is a violation, of the class and subject that it names."""
    return Verdict.violated([Violation(each.kind, each.data["to"], "sold") for each in history.events])


@racewindow.scenario(checks=[tickets])
async def sells(sim: Simulation) -> None:
    """A late sale takes one value, a lost one takes two; to b it takes another one than to a."""
    late, lost, to = (sim.choose(range(3)) for _ in range(3))
    if late:
        sim.emit("late", to="ab"[to == 2])
    if late and lost:
        sim.emit("lost", to="ab"[to == 2])


@pytest.mark.parametrize("class_", ["late", "lost"])
@pytest.mark.parametrize("subject", ["a", "b"])
def test_shrinking_does_not_slide_to_another_failure(class_: str, subject: str) -> None:
    """Of another class, or about somebody else, though a smaller schedule shows that one."""
    values = [
        Deviation("main", 0, "value", i, value) for i, value in enumerate("22" + ("2" if subject == "b" else "1"))
    ]
    execution = racewindow.replay(sells, Schedule(tuple(values)))
    (failure,) = (each for each in execution.failures if (each.class_, each.subject) == (class_, subject))
    small = shrunk(sells, failure)

    assert small.identity == failure.identity
    assert [each.option for each in small.schedule.deviations] == ["1"] * (1 + (class_ == "lost")) + ["2"] * (
        subject == "b"
    )


async def two_assertions() -> None:
    """The default order fails in one place, and a rare one in another."""
    value = racewindow.choose(range(5))
    assert value
    assert value < 3


async def two_exceptions() -> None:
    """Likewise."""
    if not (value := racewindow.choose(range(5))):
        raise KeyError(value)
    if value > 2:
        raise ValueError(value)


@pytest.mark.parametrize(("program", "words"), [(two_assertions, "value < 3"), (two_exceptions, "ValueError: 3")])
def test_an_exception_is_the_same_only_from_the_same_line(program: Program, words: str) -> None:
    """The default order fails too, with fewer deviations and the same kind."""
    small = shrunk(program, failure_of(program, Deviation("main", 0, "value", 0, "4")))

    assert words in small.message
    assert [each.option for each in small.schedule.deviations] == ["3"]


def polling(helps: int) -> Program:
    """A task polls a flag that another one sets, unless it takes another value than `helps`."""

    async def program() -> None:
        flag = Cell(False, name="flag")

        async def poll() -> None:
            while not flag.get():
                await trio.lowlevel.checkpoint()

        async def help_it() -> None:
            await trio.lowlevel.checkpoint()
            if racewindow.choose(range(3)) == helps:
                flag.set(True)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(poll)
            nursery.start_soon(help_it)

    return program


def test_a_livelock_does_not_become_a_task_that_gets_no_turn() -> None:
    """In the default order the poller goes on for ever too, but only because nobody else steps."""
    first = found(polling(0), step_limit=200)
    assert first.schedule.deviations
    small = racewindow.shrink(polling(0), first)

    assert "Meanwhile help_it" not in small.message
    assert any(each.kind == "value" for each in small.schedule.deviations)


def test_tasks_that_poll_in_turns_are_left_as_they_are() -> None:
    """Each turn is a deviation."""

    async def program() -> None:
        async def poll() -> None:
            while True:
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(poll)
            nursery.start_soon(poll)

    first = found(program, step_limit=100)
    small = racewindow.shrink(program, first)

    assert small.schedule == first.schedule
    assert small.shrunk is not None
    assert small.shrunk.ended == "tasks step in turns for ever, and each turn is a deviation"


# --- what ends it ----------------------------------------------------------------------------------------------------

DEPOSITS = deposits(4, 3, asserts=True)


def test_a_limit_of_tries_keeps_the_best_so_far_and_says_so() -> None:
    first = found(DEPOSITS)
    sizes = []
    for tries in (1, 3, 10, 2_000):
        small = racewindow.shrink(DEPOSITS, first, tries=tries)
        assert small.shrunk is not None
        assert small.shrunk.tries <= tries
        assert (small.shrunk.ended == f"the limit of {tries} tries was reached") == (tries < 2_000)
        sizes.append(small.shrunk.after)
        assert racewindow.replay(DEPOSITS, small.schedule).digest == small.digest

    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1][:3] == (0, 1, 1)


def test_a_limit_of_seconds_says_so() -> None:
    small = racewindow.shrink(DEPOSITS, found(DEPOSITS), seconds=1e-9)

    assert small.shrunk is not None
    assert (small.shrunk.tries, small.shrunk.ended) == (0, "the limit of 1e-09 s was reached")
    assert not small.shrunk.smaller


def test_ctrl_c_keeps_the_best_so_far_and_says_so() -> None:
    """And what was found is confirmed all the same."""
    runs = 0

    async def program() -> None:
        nonlocal runs
        runs += 1
        await DEPOSITS()

    first = found(program)

    def stop(progress: ShrinkProgress) -> None:
        signal.raise_signal(signal.SIGINT)

    slow = slowed(program)
    small = racewindow.shrink(slow, replace(first), on_progress=stop)

    assert small.shrunk is not None
    assert small.shrunk.ended == "interrupted"
    assert small.shrunk.after < small.shrunk.before
    assert racewindow.replay(slow, small.schedule).digest == small.digest


def slowed(program: Program) -> Program:
    """The same, so slow that there is progress to be told before its end."""
    from racewindow.virtual import real

    async def main() -> None:
        until = real.monotonic() + 0.02
        while real.monotonic() < until:
            pass
        await program()

    return main


def test_progress_is_told_with_sizes_that_only_fall() -> None:
    seen: list[ShrinkProgress] = []
    racewindow.shrink(slowed(DEPOSITS), found(DEPOSITS), tries=60, on_progress=seen.append)

    assert seen
    assert [each.size for each in seen] == sorted((each.size for each in seen), reverse=True)
    assert [each.tries for each in seen] == sorted(each.tries for each in seen)
    assert seen[0].limits == ShrinkLimits(60, 10.0)


def test_what_cannot_be_confirmed_is_not_kept() -> None:
    """A program that fails by chance, as it keeps state from one execution to the next."""
    runs = 0

    async def moody() -> None:
        nonlocal runs
        runs += 1
        value = racewindow.choose(range(3))
        await trio.lowlevel.checkpoint()
        if runs % 2:
            await trio.sleep(1)
        assert not value

    first = failure_of(moody, Deviation("main", 0, "value", 0, "2"))
    small = shrink_by(PASSES, moody, first)

    assert small.schedule == first.schedule
    assert small.shrunk is not None
    assert small.shrunk.ended == "the smaller schedule did not fail twice in the same way, so the first one stands"


# --- misuse ----------------------------------------------------------------------------------------------------------


def test_a_failure_that_does_not_happen_any_more_cannot_be_shrunk() -> None:
    with pytest.raises(UsageError, match="there is nothing to shrink") as error:
        racewindow.shrink(letters(()), found(letters({order()})))

    assert "recorded was violation; now its schedule gives no failure." in str(error.value)


def test_a_schedule_that_does_not_fit_is_a_divergence() -> None:
    first = failure_of(letters({order(go("a1", "c"))}), go("a1", "c"))
    with pytest.raises(racewindow.DivergenceError):
        racewindow.shrink(letters((), tasks=2), first)


@pytest.mark.parametrize("limit", [{"tries": 0}, {"seconds": -1.0}, {"seconds": float("nan")}])
def test_a_limit_that_is_not_above_0_is_refused(limit: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(limit))} cannot be"):
        racewindow.shrink(letters(()), found(letters({order()})), **limit)


# --- in an exploration -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["random", "pct", "pos", "surw", "fuzz", "dfs", "dpor", "auto"])
def test_an_exploration_shrinks_what_it_finds_and_counts_as_before(strategy: str, tmp_path: Path) -> None:
    """Every figure and the verdict are what they were; the file holds both schedules."""
    plain = racewindow.explore(DEPOSITS, strategy=strategy, shrink=False)
    result = racewindow.explore(DEPOSITS, strategy=strategy, out=tmp_path)
    small, first = result.failures[0], plain.failures[0]

    timeless: dict[str, Any] = {"seconds": 0.0, "failures": [], "files": ()}
    assert replace(result, **timeless).as_dict() == replace(plain, **timeless).as_dict()
    assert (small.identity, small.execution, small.count) == (first.identity, first.execution, first.count)
    assert small.shrunk is not None
    assert small.shrunk.original.schedule == first.schedule
    assert small.shrunk.after[:3] == (0, 1, 1)
    (file,) = result.files
    assert file is not None
    content = json.loads(Path(file).read_text(encoding="utf-8"))
    assert Schedule.from_dict(content["schedule"]) == small.schedule
    if small.shrunk.smaller:
        assert Schedule.from_dict(content["original"]["schedule"]) == first.schedule
        assert content["shrunk"] == small.shrunk.as_dict() == result.as_dict()["failures"][0]["shrunk"]


def test_every_group_is_shrunk() -> None:
    """As far as the time for all of them goes; a hang is not tried, as each try takes as long as the limit."""
    result = racewindow.explore(sells, strategy="random", all_failures=True, schedules=200)

    assert {failure.class_ for failure in result.failures} == {"late", "lost"}
    for failure in result.failures:
        assert failure.shrunk is not None
        assert failure.shrunk.ended == ""
        assert failure.count > 50
        assert failure.shrunk.after.deviations <= 3
        assert racewindow.replay(sells, failure.schedule).digest == failure.digest


def test_a_program_that_hangs_is_not_shrunk() -> None:
    async def hangs() -> None:
        racewindow.choose([1, 2])
        while True:
            pass

    result = racewindow.explore(hangs, strategy="random", step_timeout=0.3)

    assert [failure.kind for failure in result.failures] == ["hang"]
    assert result.failures[0].shrunk is None


def test_ctrl_c_while_shrinking_does_not_hide_the_failure(tmp_path: Path) -> None:
    """It is told and its file is there; the search itself had come to its end."""
    stopped = False

    def stop(progress: racewindow.Progress) -> None:
        nonlocal stopped
        if progress.shrinking is not None and not stopped:
            stopped = True
            signal.raise_signal(signal.SIGINT)

    slow = slowed(DEPOSITS)
    result = racewindow.explore(slow, strategy="random", out=tmp_path, on_progress=stop)

    assert stopped
    assert result.interrupted
    assert result.verdict == "failure"
    (failure,) = result.failures
    assert failure.shrunk is not None
    assert failure.shrunk.ended == "interrupted"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_failure_in_a_smaller_scenario_replays_from_its_file(tmp_path: Path) -> None:
    """Its parameters are its own, and those of the exploration stay what was asked for."""

    @racewindow.scenario
    async def writers(sim: Simulation, *, tasks: int = 4) -> None:
        await deposits(tasks, asserts=True)()

    result = racewindow.explore(writers, strategy="random", out=tmp_path, log=tmp_path / "log")
    (failure,) = result.failures

    assert failure.schedule.params == {"tasks": 2}
    assert result.params == {"tasks": 4}
    assert racewindow.replay(writers, failure.schedule).digest == failure.digest
    assert failure.shrunk is not None
    assert failure.shrunk.after == Size(0, 1, 1, failure.shrunk.after.steps)
