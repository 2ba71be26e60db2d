"""Runs trio's own tests, as they come in its wheel, on racewindow, and knows which of them cannot pass and why.

The tests run in a pytest process of their own: they patch and inspect the process they are in, and our configuration is
not meant for them. `trio_plugin.py` is our side of that process; `docs/fidelity.md` has the two tables for people.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]

SIX = (
    "trio._tests.test_sync",
    "trio._tests.test_channel",
    "trio._tests.test_timeouts",
    "trio._core._tests.test_parking_lot",
    "trio._core._tests.test_unbounded_queue",
    "trio._core._tests.test_local",
)
"""trio's primitives: every test passes under `trio` semantics, without exception."""
FURTHER = (
    "trio._core._tests.test_run",
    "trio._core._tests.test_cancelled",
    "trio._tests.test_testing",
    "trio._core._tests.test_mock_clock",
    "trio._core._tests.test_instrumentation",
    "trio._core._tests.test_asyncgen",
    "trio._tests.test_threads",
    "trio._tests.test_highlevel_generic",
)


class CannotPass(NamedTuple):
    """Why a test cannot pass, and what its failure says: if it says something else, something else is wrong."""

    reason: str
    failure: str


_THREADS = "trio._tests.test_threads"
_IDENTITY = "looks at the thread it is in, and a function given to `to_thread.run_sync` runs in the thread of the loop"
_BLOCKS = "a thread blocks until the loop has gone on, or polls for it, or the loop polls for the thread"
_AWAITS = "`from_thread.run` blocks a thread until a task has run: refused with `RealThreadError`"

CANNOT_PASS: Mapping[str, CannotPass] = {
    "trio._core._tests.test_cancelled::test_reason_delayed_ki": CannotPass(
        "signals: sends itself SIGINT, and inside `racewindow.run` Ctrl-C is Python's own, not trio's",
        "KeyboardInterrupt",
    ),
    "trio._tests.test_testing::test_open_stream_to_socket_listener": CannotPass(
        "real I/O: opens a TCP listener", "RealIOError"
    ),
    "trio._core._tests.test_mock_clock::test_mock_clock_autojump": CannotPass(
        "real time: measures with `time.perf_counter` that virtual time costs no real time", "assert 450.0 < 1"
    ),
    f"{_THREADS}::test_run_in_worker_thread_fail_to_spawn": CannotPass(
        "makes starting a thread fail, and none is started", "DID NOT RAISE"
    ),
    **{
        f"{_THREADS}::{test}": CannotPass(_IDENTITY, failure)
        for test, failure in (
            ("test_named_thread", "assert 'MainThread' == "),
            ("test_named_thread_os", "os_thread_name == name[:15]"),
            ("test_run_in_worker_thread", "_MainThread(MainThread"),
            ("test_trio_to_thread_run_sync_contextvars", "_MainThread(MainThread"),
        )
    },
    **{
        f"{_THREADS}::{test}": CannotPass(_BLOCKS, failure)
        for test, failure in (
            ("test_run_in_worker_thread_cancellation", "threading.Condition.wait() asks for a real thread"),
            ("test_run_in_worker_thread_abandoned", "threading.Condition.wait() asks for a real thread"),
            ("test_run_in_worker_thread_limiter", ""),  # polls for ever or waits, as its parameters have it
            ("test_from_thread_check_cancelled_no_abandon", "threading.Condition.wait() asks for a real thread"),
            ("test_from_thread_check_cancelled_abandon_on_cancel", "threading.Condition.wait() asks for a real thread"),
        )
    },
    # In the `finally` of a generator, where an error is only logged.
    f"{_THREADS}::test_from_thread_run_during_shutdown": CannotPass(_AWAITS, "assert [] == ['finished', 'clean']"),
    **{
        f"{_THREADS}::{test}": CannotPass(_AWAITS, "trio.from_thread.run asks for a real thread")
        for test in (
            "test_trio_from_thread_run",
            "test_trio_from_thread_run_contextvars",
            "test_from_thread_reuses_task",
            "test_recursive_to_thread",
            "test_from_thread_host_cancelled",
            "test_reentry_doesnt_deadlock",
            "test_wait_all_threads_completed",
        )
    },
}
"""Under either semantics, with any seed and any supported trio."""

_TURNS = "every runnable task takes one step before any takes a second"

MAY_FAIL_UNDER_PROCESSES: Mapping[str, str] = {
    "trio._tests.test_sync::test_generic_lock_fifo_fairness": f"fairness of locks: {_TURNS}",
    "trio._core._tests.test_run::test_basic_interleave": f"two loops take turns: {_TURNS}",
    "trio._core._tests.test_instrumentation::test_instruments_interleave": f"two loops take turns: {_TURNS}",
    "trio._core._tests.test_run::test_reschedule": f"one checkpoint lets a new task fall asleep: {_TURNS}",
    "trio._tests.test_testing::test_MemorySendStream": f"two senders meet inside one checkpoint: {_TURNS}",
    "trio._core._tests.test_run::test_asyncexitstack_nursery_misnest_cleanup": (
        f"a task is abandoned before its second step: {_TURNS}"
    ),
    "trio._core._tests.test_run::test_TrioToken_run_sync_soon_starvation_resistance": (
        f"20 checkpoints of main are 20 turns of the callback queue: {_TURNS}"
    ),
    "trio._tests.test_channel::test_as_safe_channel_multi_cancel": "which of two cancelled tasks is told first",
}
"""With some seeds. Each asserts what trio's batches, one turn for everybody, happen to guarantee."""


class Outcome(NamedTuple):
    """What became of one test with one seed and one set of parameters; `why` is the report if it did not pass."""

    test: str
    seed: int
    outcome: str
    why: str


def run_trios_tests(
    tests: Iterable[str], folder: Path, *, seeds: Sequence[int], semantics: str, timeout: float = 300
) -> list[Outcome]:
    """Run modules of trio's tests, single ones (`module::test`) or files, once per seed; `folder` is for scratch."""
    report, config = folder / "report.json", folder / "pytest.ini"
    # What trio's own configuration says, but for sockets that a test left open when it was refused to use them.
    config.write_text(
        "[pytest]\nxfail_strict = true\nfilterwarnings =\n    error\n    ignore:unclosed .socket:ResourceWarning\n",
        encoding="utf-8",
    )
    command = [
        *(sys.executable, "-m", "pytest", "-q", "--no-header", "-c", str(config), "--rootdir", str(folder)),
        *("-p", "no:cacheprovider", "-p", "trio._tests.pytest_plugin", "-p", "tests.fidelity.trio_plugin"),
        *("--run-slow", "--tb", "native", "--pyargs", *tests),
        *("--racewindow-seeds", json.dumps(list(seeds)), "--racewindow-semantics", semantics),
        *("--racewindow-report", str(report)),
    ]
    # Without plugins that happen to be installed: pytest-trio would run trio's tests itself.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    environment.pop("PYTEST_ADDOPTS", None)
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=timeout
    )
    assert report.exists(), ended.stdout + ended.stderr
    return [Outcome(**each) for each in json.loads(report.read_text(encoding="utf-8"))]


def complaints(
    outcomes: Sequence[Outcome], cannot_pass: Mapping[str, CannotPass], may_fail: Iterable[str] = ()
) -> list[str]:
    """What is wrong: a failure that is not listed or says something else, a listed test that passes or is gone."""
    found = []
    tests = {each.test for each in outcomes}
    modules = {each.partition("::")[0] for each in tests}
    for each in outcomes:
        listed = cannot_pass.get(each.test)
        well = each.outcome in {"passed", "xfailed"}
        if listed is not None and well:
            found.append(f"{each.test} is listed as one that cannot pass, but passed with seed {each.seed}")
        elif listed is not None and listed.failure not in each.why:
            found.append(f"{each.test} fails with seed {each.seed}, but not with {listed.failure!r}:\n{each.why}")
        elif listed is None and not well and each.test not in may_fail:
            found.append(f"{each.test} {each.outcome} with seed {each.seed}:\n{each.why}")
    gone = {test for test in [*cannot_pass, *may_fail] if test.partition("::")[0] in modules} - tests
    return found + [f"{test} is listed, but trio has no such test" for test in sorted(gone)]
