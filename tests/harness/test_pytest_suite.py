"""`pytest --racewindow`: a suite that nobody has written for racewindow."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.harness.suites import ORDERS, run_suite

pytest_plugins = ["pytester"]

SUITE = (
    ORDERS
    + """
import logging
import random
import socket
import threading
import time


@pytest.fixture
async def box():
    yield []


@pytest.fixture
def doubled(box):
    yield box
    assert box


async def test_right(doubled, nursery, autojump_clock):
    await trio.sleep(3)
    nursery.start_soon(trio.sleep, 5)
    doubled.append(1)
    assert sorted(await order_of(3)) == [0, 1, 2]
    assert doubled == [1]


async def test_relies_on_an_order():
    trio._core._run._r.seed(0)  # so that the plain run has always the same order, and not this one
    if await order_of(3) == [1, 0, 2]:
        assert not RACES


RACES = False


async def test_fairness():
    lock, turns = trio.Lock(), []

    async def take(name):
        for _ in range(2):
            async with lock:
                turns.append(name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take, "a")
        nursery.start_soon(take, "b")
    assert turns in (["a", "b"] * 2, ["b", "a"] * 2)


async def test_looks_at_its_log(caplog, capsys, monkeypatch):
    monkeypatch.setattr(time, "sleep", print)
    time.sleep("slept")
    logging.getLogger("mine").warning("once")
    assert [each.message for each in caplog.records] == ["once"]
    assert capsys.readouterr().out == "slept\\n"


async def test_socket():
    one, other = trio.socket.socketpair()
    one.close()
    other.close()


async def test_thread():
    thread = threading.Thread(target=len, args=([],))
    thread.start()
    thread.join()


async def test_real_time():
    before = trio.current_time()
    sum(range(10**5))
    assert trio.current_time() > before


runs = []


async def test_state():
    runs.append(1)
    assert len(runs) == 1


async def test_state_after_a_while():
    runs.append(1)
    assert len(await order_of(3)) == 3
    assert len(runs) < 12


async def test_fails():
    assert await order_of(1) == []


async def test_skipped():
    pytest.skip("not here")


@pytest.mark.xfail(strict=True)
async def test_known():
    assert await order_of(1) == []
"""
)

OTHERS = """
import unittest

import anyio
import hypothesis
import pytest
import racewindow
import trio


@pytest.fixture
async def box():
    await anyio.sleep(0)
    yield []


class TestOfUnittest(unittest.IsolatedAsyncioTestCase):
    times = 0

    async def test_of_unittest(self):
        type(self).times += 1
        assert self.times == 1


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["trio", "asyncio"])
async def test_of_anyio(box, anyio_backend):
    async with anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(anyio.sleep, 10**4)
            group.cancel_scope.deadline = anyio.current_time() + 0.001
    box.append(1)
    assert box == [1]


def test_plain():
    pass


def test_runs_trio():
    trio.run(trio.sleep, 0)


@hypothesis.settings(max_examples=3, database=None)
@hypothesis.given(hypothesis.strategies.integers())
def test_drawn(number):
    trio.run(trio.sleep, 0)


class TestMarked:
    @pytest.mark.racewindow(schedules=7, strategy="random")
    async def test_marked(self, sim):
        await trio.sleep(1)
"""

WIDE = """
import pytest


@pytest.fixture(scope="module")
def anyio_backend():
    return "trio"


@pytest.fixture(scope="module")
async def wide():
    return 1


@pytest.mark.anyio
async def test_with_a_wide_fixture(wide):
    assert wide == 1


@pytest.mark.racewindow
async def test_marked_beside_it():
    pass
"""


@pytest.mark.slow
def test_a_suite_is_explored_as_it_is(pytester: pytest.Pytester) -> None:
    ran = run_suite(
        pytester,
        *("--racewindow", "--racewindow-schedules=20", "--racewindow-no-shrink"),
        test_mine=SUITE,
        test_others=OTHERS,
        test_wide=WIDE,
    )

    assert ran.of("FAILED") == {"test_fails", "test_marked_beside_it"}, ran.text
    assert "test_marked_beside_it cannot be explored: a fixture that outlives the test keeps a trio" in ran.text
    assert ran.of("XFAIL") == {"test_known"}
    assert len(ran.of("PASSED")) == 9 + 7 + 1
    assert "1 skipped, 1 xfailed" in ran.text
    assert "each async test in at most 20 orders of events or 5 s, strategy auto, seed 0" in ran.text
    assert "not explored, run once plainly: 10 tests" in ran.text
    summary = ran.text.partition("= racewindow =")[2]
    told = " ".join(summary.split())
    for told_once in (
        "socket.socketpair() asks for real I/O inside an execution: test_mine.py::test_socket",
        "threading.Thread.start() asks for a real thread inside an execution: test_mine.py::test_thread",
        "in virtual time: assertion failed: assert trio.current_time() > before: test_mine.py::test_real_time",
        "assert len(runs) == 1: test_mine.py::test_state",
        "fails in the same order: state of one execution reaches the next: test_mine.py::test_state_after_a_while",
        "it does not run on trio: test_others.py::TestOfUnittest::test_of_unittest test_others.py::test_of_anyio[as",
        "a fixture that outlives the test keeps a trio program running: test_wide.py::test_with_a_wide_fixture",
        "not an async test, but calls trio.run itself: test_others.py::test_runs_trio",
        "Hypothesis draws its arguments: test_others.py::test_drawn",
    ):
        assert told_once in told
    assert "explored 6 tests in " in told
    assert not (pytester.path / "tests").exists()
    assert not list(pytester.path.glob(".racewindow/failures/*"))


@pytest.mark.slow
def test_a_race_in_a_suite_is_found_and_replayed(pytester: pytest.Pytester) -> None:
    suite = SUITE.replace("RACES = False", "RACES = True")
    test = "test_mine.py::test_relies_on_an_order"

    options = ("--racewindow", "--racewindow-schedules=60", "--racewindow-no-shrink")
    ran = run_suite(pytester, *options, "-k", "relies or fairness", "-n2", test_mine=suite)

    assert ran.of("FAILED") == {"test_relies_on_an_order"}, ran.text
    assert ran.of("PASSED") == {"test_fairness"}
    assert "racewindow: What made it happen" in ran.text
    (file,) = (pytester.path / ".racewindow" / "failures").iterdir()
    assert f"  pytest --racewindow-replay .racewindow/failures/{file.name} {test}" in ran.text
    assert "explored 2 tests in " in ran.text

    replayed = run_suite(pytester, "--racewindow-replay", str(file), inside=True)

    assert replayed.outcomes == {"test_relies_on_an_order": "FAILED"}
    assert "deselected" in replayed.text


OPTIONS = (
    ORDERS
    + """
@pytest.mark.racewindow
async def test_marked():
    pass


async def test_unmarked():
    await order_of(2)
"""
)
INI = """
[pytest]
racewindow = true
racewindow_schedules = 3
racewindow_strategy = random
racewindow_seed = 5
racewindow_report_dir = found
"""


def test_the_ini_file_sets_what_the_command_line_does(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)

    ran = run_suite(pytester, "--racewindow-seconds=2.5", "--racewindow-seed=6", inside=True, test_mine=OPTIONS)

    assert ran.of("PASSED") == {"test_marked", "test_unmarked"}, ran.text
    assert "each async test in at most 3 orders of events or 2.5 s, strategy random, seed 6" in ran.text
    assert "explored 2 tests in 6 executions" in ran.text


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--racewindow-schedules=0", "--racewindow-schedules cannot be 0."),
        ("--racewindow-seconds=soon", "--racewindow-seconds cannot be 'soon'."),
        ("--racewindow-seed=x", "--racewindow-seed cannot be 'x'."),
        ("--racewindow-strategy=rand", "strategy for --racewindow-strategy called 'rand'"),
        ("--racewindow-faults=crush", "--racewindow-faults:"),
        ("--racewindow-replay=gone.json", "gone.json does not exist."),
    ],
)
def test_an_option_that_makes_no_sense_ends_the_run(pytester: pytest.Pytester, option: str, said: str) -> None:
    pytester.makepyfile(test_mine=OPTIONS)

    found = pytester.runpytest_inprocess(option)

    assert found.ret == pytest.ExitCode.USAGE_ERROR
    assert said in found.stderr.str()
    assert "Traceback" not in found.stderr.str()


WITHOUT_TRIO = """
import sys


def test_nothing_of_it_is_loaded():
    assert "racewindow.pytest_plugin" in sys.modules
    loaded = [name for name in sys.modules if name.startswith("racewindow.")]
    assert loaded == ["racewindow.pytest_plugin"]
    assert "structlog" not in sys.modules and "racewindow_models" not in sys.modules


def test_trio_cannot_be_imported():
    assert sys.modules["trio"] is None
"""
HIDDEN = "import sys; sys.modules['trio'] = None; import pytest; sys.exit(pytest.main(sys.argv[1:]))"


def test_a_suite_without_trio_is_untouched(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_mine=WITHOUT_TRIO)
    plugins = ("-p", "no:trio", "-p", "no:anyio", "-p", "no:hypothesispytest", "-W", "error", "--strict-markers")

    ran = subprocess.run([sys.executable, "-c", HIDDEN, *plugins], capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout
    assert "= racewindow =" not in ran.stdout
