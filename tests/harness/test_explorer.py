"""`explore`: its counts, its bounds, what it refuses, and that it leaves no trace."""

from __future__ import annotations

import gc
import re
import resource
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

import racewindow
from racewindow import History, Progress, Result, Simulation, UsageError, Verdict, Violation
from racewindow.errors import InputError
from racewindow.result import Bound
from tests.harness import outcome_programs as programs
from tests.harness.explained_programs import lost_update


async def sleepy() -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(trio.sleep, 1)


# --- counts and bounds -----------------------------------------------------------------------------------------------


def test_it_stops_at_the_first_failure() -> None:
    """And says which execution it was."""
    result = racewindow.explore(lost_update, seed=3, strategy="random")
    (failure,) = result.failures

    assert (result.verdict, result.failing, failure.count) == ("failure", 1, 1)
    assert result.executions == failure.execution + 1
    assert result.bounds == {
        "step_limit": Bound(50_000, False),
        "step_timeout": Bound(10.0, False),
        "schedules": Bound(2_000, False),
    }


def test_all_failures_are_counted_on_request() -> None:
    """Every execution of the budget is run."""
    result = racewindow.explore(lost_update, seed=3, schedules=400, all_failures=True, strategy="random")
    (failure,) = result.failures

    assert result.executions == 400
    assert failure.count == result.failing
    assert 100 < result.failing < 300
    assert result.bounds["schedules"] == Bound(400, True)


def test_failures_are_grouped_by_kind_checker_and_class() -> None:
    """One of each group is shown, the endings first, with how many executions had it."""

    @racewindow.checker("tickets")
    def tickets(history: History) -> Verdict:
        return Verdict.violated([Violation(each.data["what"], "x", each.data["what"]) for each in history.events])

    @racewindow.scenario(checks=[tickets])
    async def program(sim: Simulation) -> None:
        what = sim.choose(["", "late", "lost", "both", "assertion", "deadlock"])
        for each in ("late", "lost"):
            if what in (each, "both"):
                sim.emit("sold", what=each)
                sim.emit("sold", what=each)
        assert what != "assertion"
        if what == "deadlock":
            await trio.sleep_forever()

    result = racewindow.explore(program, schedules=600, all_failures=True, strategy="random")
    counts = {(f.kind, f.checker, f.class_): f.count for f in result.failures}

    assert set(counts) == {
        ("violation", None, None),
        ("deadlock", None, None),
        ("violation", "tickets", "late"),
        ("violation", "tickets", "lost"),
    }
    assert [f.checker for f in result.failures] == [None, None, "tickets", "tickets"]
    assert [f.count for f in result.failures[2:]] == sorted((f.count for f in result.failures[2:]), reverse=True)
    assert all(60 < count < 300 for count in counts.values())
    assert 350 < result.failing < 600, "an execution with two failures is one that failed"
    assert sum(counts.values()) > result.failing
    for failure in result.failures:
        assert racewindow.replay(program, failure.schedule).digest == failure.digest


def test_a_clean_exploration_says_nothing_found_and_not_complete() -> None:
    """A random walk is never finished."""
    result = racewindow.explore(sleepy, schedules=7, strategy="random")

    assert (result.verdict, result.executions, result.failing, result.complete) == ("nothing found", 7, 0, False)
    assert result.steps == 7 * 8
    assert result.distinct_traces is None
    result.check()


def test_seconds_are_a_bound_too() -> None:
    """Without a number of schedules, time alone decides."""
    result = racewindow.explore(sleepy, seconds=0.2, strategy="random")

    assert result.executions > 5
    assert "schedules" not in result.bounds
    assert result.bounds["seconds"] == Bound(0.2, True)
    assert 0.2 <= result.seconds < 5


def test_whichever_bound_comes_first_ends_it() -> None:
    """And only that one was reached."""
    result = racewindow.explore(sleepy, seconds=60, schedules=5, strategy="random")

    assert result.executions == 5
    assert result.bounds["seconds"] == Bound(60, False)
    assert result.bounds["schedules"] == Bound(5, True)


def test_a_step_limit_that_cut_executions_is_said() -> None:
    """It is a bound that was reached."""
    result = racewindow.explore(programs.spinning, schedules=3, step_limit=50, strategy="random")

    assert result.bounds["step_limit"] == Bound(50, True)
    assert [f.kind for f in result.failures] == ["livelock"]


def test_progress_is_told_about_ten_times_a_second() -> None:
    """With what has been done so far."""
    seen: list[Progress] = []
    result = racewindow.explore(sleepy, seconds=0.5, on_progress=seen.append, strategy="random")

    assert 1 <= len(seen) <= 6
    assert [each.executions for each in seen] == sorted(each.executions for each in seen)
    assert seen[-1].executions <= result.executions
    assert (seen[0].schedules, seen[0].seconds_limit, seen[0].failing) == (None, 0.5, 0)


# --- misuse ----------------------------------------------------------------------------------------------------------


async def never_run() -> None:
    pytest.fail("was run")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schedules": 0}, "schedules cannot be 0.\nWhy: nothing can be explored in 0 executions.\nDo:  give a number"),
        ({"schedules": -1}, "schedules cannot be -1."),
        ({"seconds": 0}, "seconds cannot be 0.\nWhy: nothing can be explored in 0 seconds."),
        ({"seconds": float("nan")}, "seconds cannot be nan."),
        ({"step_limit": 0}, "step_limit cannot be 0."),
        ({"step_timeout": -2.5}, "step_timeout cannot be -2.5."),
        ({"strategy": "rnd"}, "there is no strategy called 'rnd'."),
        ({"semantics": "process"}, "there is no semantics called 'process'.\nDo:  use one of: processes, trio."),
        ({"clock": "real"}, "there is no clock called 'real'.\nDo:  use one of: idle, racing."),
        ({"seed": 1.5}, "the seed cannot be 1.5.\nWhy: it is an integer."),
        ({"seed": True}, "the seed cannot be True."),
        ({"feed": "x.csv"}, "never-run takes no feed.\nDo:  leave the feed out."),
        ({"params": {"size": 3}}, "there is no parameter of never-run called 'size'."),
        ({"safeguards": "careful"}, "there is no safeguard of never-run called 'careful'."),
    ],
)
def test_misuse_is_refused_before_anything_is_run(options: dict[str, Any], message: str) -> None:
    """One message that says what, why and what to do."""
    with pytest.raises(UsageError, match="^" + re.escape(message)):
        racewindow.explore(never_run, **options)


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_run(tmp_path: Path) -> None:
    """Neither failures nor the log may be lost in the end."""
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(InputError, match="failures cannot be written to"):
        racewindow.explore(never_run, out=file / "found", strategy="random")
    with pytest.raises(InputError, match=r"the log .* cannot be written"):
        racewindow.explore(never_run, log=tmp_path / "missing" / "log.jsonl", strategy="random")


def synchronous() -> int:
    return 3


async def generator() -> Any:
    yield 1


@pytest.mark.parametrize("target", [synchronous, generator, 3])
def test_what_is_no_async_function_is_refused(target: Any) -> None:
    """It is the caller's mistake and not a finding."""
    with pytest.raises(UsageError, match="is not an async function"):
        racewindow.explore(target, schedules=2, strategy="random")


def test_a_usage_error_inside_the_scenario_ends_the_exploration() -> None:
    """It is the scenario's mistake, in whichever task it comes up, and not a finding."""

    async def child() -> None:
        await trio.lowlevel.checkpoint()
        racewindow.choose([])

    async def program() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)

    with pytest.raises(UsageError, match=r"racewindow\.choose was given no options"):
        racewindow.explore(program, strategy="random")


@pytest.mark.parametrize("start", [racewindow.explore, lambda target: racewindow.replay(target, racewindow.Schedule())])
def test_an_exploration_inside_an_execution_is_refused(start: Callable[[Any], object]) -> None:
    """Runs do not nest, under plain trio neither."""

    async def program() -> None:
        start(lost_update)

    message = "an exploration cannot be started inside a running trio program"
    with pytest.raises(UsageError, match=message):
        racewindow.explore(program, strategy="random")
    with pytest.raises(UsageError, match=message):
        trio.run(program)


def test_a_run_inside_an_execution_is_the_error_that_it_is_under_trio() -> None:
    """`racewindow.run` is `trio.run`."""

    async def program() -> None:
        with pytest.raises(RuntimeError, match=re.escape("Attempted to call run() from inside a run()")):
            racewindow.run(trio.sleep, 1)
        with pytest.raises(RuntimeError, match=re.escape("Attempted to call run() from inside a run()")):
            trio.run(trio.sleep, 1)

    result = racewindow.explore(program, schedules=2, strategy="random")

    assert result.verdict == "nothing found", result.failures


# --- it leaves no trace ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["explore", "replay", "run", "misuse", "threads"])
def test_everything_is_put_back(how: str) -> None:
    """Whatever it ended in: names in modules, methods, hooks, signals, threads, the garbage collector."""
    command = [sys.executable, "-m", "tests.harness.leftovers", how]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_collector_that_was_off_stays_off() -> None:
    """It is put back as it was."""
    gc.disable()
    try:
        racewindow.explore(lost_update, schedules=3, strategy="random")
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("strategy", ["random"])
def test_exploring_works_on_another_thread(strategy: str) -> None:
    """Without the signals of the main thread."""
    results: list[Result] = []

    def target() -> None:
        results.append(racewindow.explore(lost_update, strategy=strategy, seed=3))

    thread = threading.Thread(target=target)
    thread.start()
    thread.join(30)

    here = racewindow.explore(lost_update, strategy=strategy, seed=3)
    assert [f.digest for f in results[0].failures] == [f.digest for f in here.failures]


def test_two_threads_can_explore_at_the_same_time() -> None:
    """Each has its own executions."""
    results: dict[int, Result] = {}

    def explore(seed: int) -> None:
        results[seed] = racewindow.explore(lost_update, seed=seed, schedules=300, all_failures=True, strategy="random")

    threads = [threading.Thread(target=explore, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    for seed, result in results.items():
        alone = racewindow.explore(lost_update, seed=seed, schedules=300, all_failures=True, strategy="random")
        assert (result.failing, result.steps) == (alone.failing, alone.steps)


@pytest.mark.slow
def test_memory_stays_flat_over_twenty_thousand_executions() -> None:
    """Nothing is kept of an execution that passed, nor of a failure that is known."""

    def grown_bytes(executions: int) -> int:
        racewindow.explore(lost_update, schedules=500, all_failures=True, strategy="random")
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        racewindow.explore(lost_update, schedules=executions, all_failures=True, strategy="random")
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        return grown

    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    racewindow.explore(sleepy, schedules=20_000, strategy="random")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident < 20_000  # kilobytes
    assert abs(grown_bytes(2_000) - grown_bytes(200)) < 20_000


# --- notes -----------------------------------------------------------------------------------------------------------


def test_a_checker_that_cannot_tell_is_noted_once() -> None:
    """`unknown` is not a pass; why is said for the first one."""

    @racewindow.checker("strict")
    def strict(history: History) -> Verdict:
        return Verdict.unknown(f"saw {len(history.events)} events")

    @racewindow.scenario(checks=[strict])
    async def program(sim: Simulation) -> None:
        sim.emit("x")

    result = racewindow.explore(program, schedules=10, strategy="random")

    assert result.verdict == "nothing found"
    assert result.notes == ("strict could not tell in at least one execution: saw 1 events",)
    assert result.unknown == {"strict": result.executions}


@pytest.mark.parametrize("clock", ["idle", "racing"])
def test_relative_deadlines_are_noted_under_a_racing_clock(clock: str) -> None:
    """What is computed from an instant between two deadlines is not covered, and a reader should know."""

    async def program() -> None:
        with trio.fail_at(trio.current_time() + 5):
            await trio.sleep(1)

    notes = racewindow.explore(program, schedules=5, clock=clock, strategy="random").notes

    assert [note.startswith("the program sets deadlines relative to the time it reads") for note in notes] == (
        [True] if clock == "racing" else []
    )


def test_the_log_of_the_default_order_is_written_when_nothing_fails(tmp_path: Path) -> None:
    """And of the first failure when there is one."""

    @racewindow.scenario
    async def program(sim: Simulation) -> None:
        chosen = sim.choose(["fine", "broken"])
        sim.log.info("chosen", value=chosen)
        assert chosen == "fine"

    log = tmp_path / "log.jsonl"
    result = racewindow.explore(program, schedules=50, log=log, strategy="random")
    assert result.verdict == "failure"
    assert '"value": "broken"' in log.read_text()

    @racewindow.scenario
    async def quiet(sim: Simulation) -> None:
        sim.log.info("chosen", value=sim.choose(["fine", "also fine"]))

    racewindow.explore(quiet, schedules=50, log=log, strategy="random")
    assert '"value": "fine"' in log.read_text()


@pytest.mark.parametrize("semantics", ["processes", "trio"])
@pytest.mark.parametrize("clock", ["idle", "racing"])
def test_every_combination_of_semantics_and_clock_finds_a_lost_update(semantics: str, clock: str) -> None:
    """And says with what it was found."""
    result = racewindow.explore(lost_update, semantics=semantics, clock=clock, seed=2, strategy="random")

    assert (result.verdict, result.semantics, result.clock) == ("failure", semantics, clock)
