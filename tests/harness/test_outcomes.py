"""Every way in which an execution can end: the full text of its message, and that its schedule repeats it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

import racewindow
from racewindow import Result, failure_file
from racewindow.errors import ExplorationFailed
from tests.harness import outcome_programs as programs

MESSAGES: dict[str, tuple[Callable[..., Any], dict[str, Any], str]] = {
    "deadlock": (
        programs.stuck,
        {},
        """\
deadlock: no task can run, and no deadline is pending.
  stuck waits in the end of a nursery, for its children at outcome_programs.py:24 stuck
      async with trio.open_nursery() as nursery:
  transfer waits in trio.Lock.acquire at outcome_programs.py:21 stuck.transfer
      async with other:
  transfer#2 waits in trio.Lock.acquire at outcome_programs.py:21 stuck.transfer
      async with other:""",
    ),
    "deadlock, every kind of wait": (
        programs.stuck_everywhere,
        {},
        """\
deadlock: no task can run, and no deadline is pending.
  stuck_everywhere waits in the end of a nursery, for its children at outcome_programs.py:37 stuck_everywhere
      async with trio.open_nursery() as nursery:
  sleep_forever waits in trio.sleep_forever
  gate waits in racewindow.until
  receive waits in trio.MemoryReceiveChannel.receive
  wait waits in trio.Event.wait
  acquire waits in trio.Semaphore.acquire
  in_condition waits in trio.Condition.wait at outcome_programs.py:35 stuck_everywhere.in_condition
      await condition.wait()
  in_condition#2 waits in trio.Condition.wait at outcome_programs.py:35 stuck_everywhere.in_condition
      await condition.wait()""",
    ),
    "livelock": (
        programs.spinning,
        {"step_limit": 1_234},
        """\
livelock: the limit of 1,234 steps was reached, and tasks can still run.
  Of the last 1,000 steps:
   1,000 × poll at outcome_programs.py:51 spinning.poll
  Meanwhile spinning is in the end of a nursery, for its children at outcome_programs.py:56 spinning
  A task that polls without sleeping does this; wait with racewindow.until or an event instead,
  or raise the limit (--step-limit) if the scenario is that long.""",
    ),
    "hang": (
        programs.hanging,
        {"step_timeout": 0.3},
        """\
hang: a step of service ran for more than 0.3 s without a checkpoint.
  in outcome_programs.py:62 hanging.service
  While it does, no other task can run. Add a checkpoint to the loop, or raise step_timeout.""",
    ),
    "exception": (programs.raising, {}, "KeyError: 'BTC-USD'\n  at outcome_programs.py:78 raising"),
    "exception, two of them": (
        programs.raising_twice,
        {},
        """\
OSError: [Errno 5] disk
  at outcome_programs.py:85 raising_twice.fail
ValueError: no price in <object object at 0x…>
  at outcome_programs.py:85 raising_twice.fail""",
    ),
    "violation": (
        programs.asserting,
        {},
        """\
assertion failed: assert balance.get() == 3, f"balance is {balance.get()}"
  balance is 1
  at outcome_programs.py:103 asserting""",
    ),
    "violation of a checker": (programs.selling, {}, "ticket 1 was sold after ticket 2"),
}


@pytest.mark.parametrize("outcome", MESSAGES)
def test_every_outcome_has_its_message_and_happens_again_from_its_schedule(outcome: str) -> None:
    """Found, told, and replayed to the identical trace: from the schedule, and from its token."""
    program, options, message = MESSAGES[outcome]
    result = racewindow.explore(program, seed=1, **options, strategy="random")

    assert result.verdict == "failure"
    (failure,) = result.failures
    assert failure.message == message
    assert outcome.startswith(failure.kind)
    assert result.untrusted == ""
    again = racewindow.replay(program, failure.schedule)
    assert again.outcome == failure.kind
    assert again.digest == failure.digest != ""
    assert [f.message for f in again.failures] == [message]
    if failure.kind != "hang":  # each takes its time
        token = racewindow.Schedule.from_token(failure.schedule.token())
        assert racewindow.replay(program, token).digest == failure.digest


@pytest.mark.parametrize("outcome", MESSAGES)
def test_every_outcome_is_kept_in_a_file_from_which_it_happens_again(outcome: str, tmp_path: Path) -> None:
    """The file alone is enough."""
    program, options, message = MESSAGES[outcome]
    result = racewindow.explore(program, seed=1, out=tmp_path, **options, strategy="random")

    (path,) = result.files
    assert path is not None
    stored = failure_file.load(path)
    again = racewindow.replay(program, stored.schedule)
    assert (stored.kind, stored.message, stored.digest) == (again.outcome, message, again.digest)


def test_the_same_failure_is_told_the_same_whichever_order_it_was_found_in() -> None:
    """Nothing in a message depends on what was explored before."""
    messages = {
        racewindow.explore(programs.stuck, seed=seed, strategy="random").failures[0].message for seed in range(5)
    }

    assert len(messages) == 1


def test_a_violation_of_a_checker_has_its_class_subject_and_evidence() -> None:
    """And the other checker, which crashed, could not tell: that is said, and is neither a pass nor a failure."""
    result = racewindow.explore(programs.selling, seed=1, schedules=50, all_failures=True, strategy="random")
    (failure,) = result.failures

    assert (failure.kind, failure.checker, failure.class_, failure.subject) == (
        "violation",
        "in_order",
        "late",
        "ticket 1",
    )
    assert (failure.time_ns, failure.evidence) == (7, {"sold": [2, 1]})
    assert result.notes == (
        "crashing could not tell in at least one execution: the checker crashed: IndexError: list index out of range",
    )


# --- what is wrong with the result instead of with the program -------------------------------------------------------


def test_a_program_that_differs_from_run_to_run_is_nondeterminism() -> None:
    """The verdict is not a failure but that the result cannot be trusted; the first differing step is shown."""
    result = racewindow.explore(programs.differing(), seed=1, strategy="random")

    assert (result.verdict, result.failures) == ("untrusted", ())
    assert result.untrusted == (
        "nondeterminism: one schedule gave two different executions; step 2 differs:\n"
        "  first:  unsteady step 1, until outcome_programs.py:148 differing.unsteady; read outside:CancelScope\n"
        "  second: unsteady step 1, until outcome_programs.py:148 differing.unsteady; "
        "read outside:CancelScope, read shared"
    )
    with pytest.raises(ExplorationFailed, match="nondeterminism: one schedule gave two different executions"):
        result.check()


def test_a_failure_that_does_not_happen_again_is_never_reported() -> None:
    """It may have been the program's module state; nobody could look into it."""
    result = racewindow.explore(programs.failing_in(0, 1), seed=1, strategy="random")

    assert (result.verdict, result.failures, result.failing) == ("untrusted", (), 0)
    assert result.untrusted == "nondeterminism: one schedule gave two verdicts; first violation, then no failure."


def test_a_pass_that_does_not_happen_again_is_not_one() -> None:
    """The first of two runs on the record passed, the second did not."""
    result = racewindow.explore(programs.failing_in(2), seed=1, strategy="random")

    assert (result.verdict, result.failures, result.failing) == ("untrusted", (), 0)
    assert result.untrusted == "nondeterminism: one schedule gave two verdicts; first no failure, then violation."


def test_a_failure_that_happens_on_the_record_only_is_not_a_pass() -> None:
    """The run before it passed, so one of the two is wrong."""
    result = racewindow.explore(programs.failing_in(1, 2, 3), strategy="random")

    assert result.verdict == "untrusted"
    assert result.untrusted == (
        "the same execution was run twice and did not fail in the same way: first no failure, then violation."
    )


def test_a_failure_that_comes_and_goes_is_not_reported() -> None:
    """It failed, and did not when it was run again."""
    result = racewindow.explore(programs.failing_in(0), strategy="random")

    assert (result.verdict, result.failures) == ("untrusted", ())
    assert result.untrusted == (
        "the same execution was run twice and did not fail in the same way: first violation, then no failure."
    )


# --- hangs and interrupts --------------------------------------------------------------------------------------------


def test_a_blocking_call_is_a_hang() -> None:
    """Also one that never returns to Python."""
    read_end, write_end = os.pipe()

    async def blocking() -> None:
        await trio.lowlevel.checkpoint()
        os.read(read_end, 1)

    try:
        result = racewindow.explore(blocking, step_timeout=0.3, strategy="random")
    finally:
        os.close(read_end)
        os.close(write_end)

    assert [failure.kind for failure in result.failures] == ["hang"]


def test_a_slow_step_is_not_a_hang() -> None:
    """Only one that takes longer than the limit."""

    async def slow() -> None:
        end = racewindow.virtual.real.perf_counter() + 0.3
        while racewindow.virtual.real.perf_counter() < end:
            pass

    assert racewindow.explore(slow, schedules=1, step_timeout=5, strategy="random").verdict == "nothing found"


def test_a_hang_is_found_on_another_thread_too() -> None:
    """The watchdog does not need the main thread for a loop in Python."""
    results: list[Result] = []
    thread = threading.Thread(
        target=lambda: results.append(racewindow.explore(programs.hanging, step_timeout=0.3, strategy="random")),
        daemon=True,
    )
    thread.start()
    thread.join(20)

    assert [failure.kind for failure in results[0].failures] == ["hang"]


INTERRUPTED = """
import sys, time, trio, racewindow

async def program():
    cell = racewindow.Cell(0, name="x")
    async def add():
        seen = cell.get()
        await trio.lowlevel.checkpoint()
        cell.set(seen + 1)
        {extra}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(add)
        nursery.start_soon(add)
    assert cell.get() == 2

explore = racewindow.explore  # imported when it is first asked for, which takes long on a busy machine
print("ready", flush=True)
result = explore(program, strategy="random", seconds=60, all_failures=True, step_timeout=30)
print(result.interrupted, result.verdict, len(result.failures), result.executions > 0)
"""


@pytest.mark.parametrize(
    ("extra", "printed"),
    [("pass", "True failure 1 True\n"), ("while True: pass", "True nothing found 0 False\n")],
)
def test_ctrl_c_ends_an_exploration_within_a_second_with_what_was_found(extra: str, printed: str) -> None:
    """Between executions, and in the middle of a step that does not come back."""
    command = [sys.executable, "-c", INTERRUPTED.format(extra=extra)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        out = process.stdout.read()
        process.wait()
        took = time.monotonic() - start

    assert out == printed
    assert process.returncode == 0
    assert took < 2, "a second, on a machine that is not busy"


def test_the_program_s_own_exit_and_interrupt_are_findings() -> None:
    """A `SystemExit` or `KeyboardInterrupt` that the program raises ends the execution, not the exploration."""

    async def exits() -> None:
        sys.exit(3)

    async def interrupts() -> None:
        raise KeyboardInterrupt

    messages = [
        racewindow.explore(program, schedules=2, strategy="random").failures[0].message
        for program in (exits, interrupts)
    ]

    assert [message.split("\n")[0] for message in messages] == ["SystemExit: 3", "KeyboardInterrupt"]


def test_an_exploration_can_be_interrupted_from_its_own_progress() -> None:
    """What a caller raises in `on_progress` leaves `explore` with everything put back."""

    class Enough(Exception):  # noqa: N818
        pass

    def on_progress(_: racewindow.Progress) -> None:
        raise Enough

    with pytest.raises(Enough):
        racewindow.explore(programs.selling, seconds=10, all_failures=True, on_progress=on_progress, strategy="random")
    assert racewindow.explore(programs.selling, seed=1, strategy="random").verdict == "failure"


def test_documentation_shows_these_messages() -> None:
    """`docs/outcomes.md` has each message as it is."""
    page = (Path(__file__).parents[2] / "docs" / "outcomes.md").read_text(encoding="utf-8")

    missing = [name for name, (_, _, message) in MESSAGES.items() if textwrap.indent(message, "    ") not in page]
    assert missing == []
