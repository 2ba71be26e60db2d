"""Threads and the outside world: what runs inline, and what is refused by name."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable

import pytest
import trio

import racewindow
from racewindow.errors import RealIOError, RealThreadError
from tests.harness.executions import session, walk

# --- inline threads --------------------------------------------------------------------------------------------------


def test_a_function_given_to_a_thread_runs_inline_as_one_step() -> None:
    """It runs on the same thread, and what it returns or raises comes back as from a thread."""

    async def main() -> None:
        here = threading.get_ident()
        assert await trio.to_thread.run_sync(threading.get_ident) == here
        with pytest.raises(ZeroDivisionError):
            await trio.to_thread.run_sync(lambda: 1 // 0)

    for _ in range(2):
        result = racewindow.explore(main, schedules=5, strategy="random")
        assert result.verdict == "nothing found", result.failures


def test_there_is_a_scheduling_point_before_and_after_a_thread() -> None:
    """Another task may come in before the function runs, and between its end and the task that waits for it."""
    orders = set()

    async def main() -> None:
        order = []

        async def caller() -> None:
            order.append("call")
            await trio.to_thread.run_sync(order.append, "function")
            order.append("returned")

        async def other() -> None:
            for _ in range(3):
                await trio.lowlevel.checkpoint()
                order.append("-")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(caller)
            nursery.start_soon(other)
        orders.add(" ".join(order))

    with session(main, footprints=False) as running:
        for seed in range(300):
            assert running.run(walk(seed)).judged.findings == ()

    assert "call - function returned - -" in orders
    assert "call function - returned - -" in orders
    assert "call - function - returned -" in orders


def test_two_threads_race_as_their_tasks_do() -> None:
    """A lost update between two threads is a lost update between two tasks, and replays."""

    async def main() -> None:
        balance = racewindow.Cell(0, name="balance")

        async def deposit() -> None:
            seen = await trio.to_thread.run_sync(balance.get)
            await trio.to_thread.run_sync(balance.set, seen + 1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(deposit)
            nursery.start_soon(deposit)
        assert balance.get() == 2

    result = racewindow.explore(main, schedules=200, strategy="random")

    assert result.verdict == "failure", result
    assert racewindow.replay(main, result.failures[0].schedule).digest == result.failures[0].digest


def test_a_thread_can_call_back_into_its_task() -> None:
    """`trio.from_thread.run_sync` runs at once, in the same step."""

    async def main() -> None:
        event = trio.Event()
        await trio.to_thread.run_sync(trio.from_thread.run_sync, event.set)
        assert event.is_set()

    assert racewindow.explore(main, schedules=3, strategy="random").verdict == "nothing found"


def test_a_thread_cannot_wait_for_another_step() -> None:
    """`trio.from_thread.run` would have to let tasks step in the middle of a step."""

    async def main() -> None:
        with pytest.raises(RealThreadError, match=re.escape(_NO_CALL_BACK)):
            await trio.to_thread.run_sync(trio.from_thread.run, trio.sleep, 1)

    assert racewindow.explore(main, schedules=3, strategy="random").verdict == "nothing found"


_NO_CALL_BACK = """\
trio.from_thread.run asks for a real thread inside an execution.
Why: the operating system would choose the order of events, and no schedule could repeat it.
Do:  call trio.from_thread.run_sync, or do the asynchronous part in the task, before or after the thread: \
a thread is run inline, in one step, and cannot wait for another step."""


# --- the outside world -----------------------------------------------------------------------------------------------


async def _connect() -> None:
    await trio.open_tcp_stream("127.0.0.1", 9)


async def _listen() -> None:
    await trio.open_tcp_listeners(0)


async def _process() -> None:
    await trio.run_process([sys.executable, "-c", ""])


async def _plain_process() -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)


async def _plain_socket() -> None:
    socket.create_connection(("127.0.0.1", 9))


async def _wait_readable() -> None:
    await trio.lowlevel.wait_readable(0)


async def _thread() -> None:
    threading.Thread(target=print).start()


@pytest.mark.parametrize("program", [_connect, _listen, _process, _plain_process, _plain_socket, _wait_readable])
def test_real_io_is_refused_by_name(program: Callable[[], Awaitable[None]]) -> None:
    """The finding names the call and what to use instead, and the result is a failure like any other."""
    result = racewindow.explore(program, schedules=3, seed=1, strategy="random")

    assert result.verdict == "failure"
    assert result.failures[0].kind == "exception"
    first, why, do, where = result.failures[0].message.split("\n")
    assert first.startswith("racewindow.errors.RealIOError: ")
    assert first.endswith(" asks for real I/O inside an execution.")
    assert why.startswith("Why: ")
    assert do.startswith("Do:  ")
    assert where.startswith("  at test_threads.py:")
    assert racewindow.replay(program, result.failures[0].schedule).digest == result.failures[0].digest


def test_a_real_thread_is_refused_by_name() -> None:
    """A thread that the program starts itself would run beside the schedule."""
    result = racewindow.explore(_thread, schedules=3, strategy="random")

    assert result.failures[0].kind == "exception"
    assert result.failures[0].message.startswith("racewindow.errors.RealThreadError: ")


def test_run_raises_the_named_error() -> None:
    """`racewindow.run` raises it, as it does whatever else the program raises."""
    with pytest.raises(RealIOError):
        racewindow.run(_wait_readable)
