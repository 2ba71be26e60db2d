"""Libraries on top of trio work inside `run` and `explore` as they do inside `trio.run`: anyio, pytest-trio."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
import pytest
import sniffio
import trio
from anyio.abc import TaskStatus
from trio.testing import MockClock

import racewindow

ROOT = Path(__file__).resolve().parents[2]

# --- anyio -----------------------------------------------------------------------------------------------------------

Note = Callable[..., None]


async def uses_task_groups(note: Note) -> None:
    async def child(name: str, seconds: float, *, task_status: TaskStatus[str] = anyio.TASK_STATUS_IGNORED) -> None:
        try:
            await anyio.sleep(seconds)
            task_status.started(f"{name} is up")
            await anyio.sleep(seconds)
            note(name, "done", anyio.current_time())
        except anyio.get_cancelled_exc_class():
            note(name, "cancelled", anyio.current_time())
            raise

    async with anyio.create_task_group() as group:
        group.start_soon(child, "a", 1.125)
        note("start", await group.start(child, "b", 2), anyio.current_time())
        await anyio.sleep(0.5)
        group.cancel_scope.cancel()
    note("end", group.cancel_scope.cancel_called, anyio.current_time())


async def uses_timeouts(note: Note) -> None:
    with anyio.move_on_after(1) as scope:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(2)
        note("shielded", anyio.current_time())
        await anyio.sleep(2)
    note("moved on", scope.cancelled_caught, anyio.current_time())
    with pytest.raises(TimeoutError):
        with anyio.fail_after(1):
            await anyio.Event().wait()
    note("failed", anyio.current_time())


async def uses_synchronisation(note: Note) -> None:
    lock, semaphore, limiter = anyio.Lock(), anyio.Semaphore(2), anyio.CapacityLimiter(1)
    event, condition, ready = anyio.Event(), anyio.Condition(), []
    total = 0

    async def work(number: int) -> None:
        nonlocal total
        await event.wait()
        async with lock, semaphore, limiter:
            before = total
            await anyio.lowlevel.checkpoint()
            total = before + number
        async with condition:
            ready.append(number)
            condition.notify_all()

    async with anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(work, number)
        await anyio.wait_all_tasks_blocked()
        note("waiting", event.statistics().tasks_waiting)
        event.set()
        async with condition:
            while len(ready) < 4:
                await condition.wait()
    note("total", total, sorted(ready))


async def uses_streams(note: Note) -> None:
    send, receive = anyio.create_memory_object_stream[int](1)

    async def produce(stream: anyio.abc.ObjectSendStream[int], numbers: range) -> None:
        async with stream:
            for number in numbers:
                await stream.send(number)

    async with anyio.create_task_group() as group, receive:
        group.start_soon(produce, send.clone(), range(3))
        group.start_soon(produce, send, range(10, 13))
        note("received", sorted([number async for number in receive]))


async def uses_threads(note: Note) -> None:
    def work(number: int) -> tuple[int, str]:
        with pytest.raises(sniffio.AsyncLibraryNotFoundError):
            sniffio.current_async_library()
        return number * 2, anyio.from_thread.run_sync(sniffio.current_async_library)

    note("thread", await anyio.to_thread.run_sync(work, 21))
    note("limited", await anyio.to_thread.run_sync(work, 1, limiter=anyio.CapacityLimiter(1)))


async def raises_groups(note: Note) -> None:
    async def fail(error: Exception, seconds: float) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(seconds)
        raise error

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(fail, ValueError("a"), 1)
            group.start_soon(fail, KeyError("b"), 2)
    except* (ValueError, KeyError) as errors:
        note("group", [repr(each) for each in errors.exceptions], anyio.current_time())


PROGRAMS = [uses_task_groups, uses_timeouts, uses_synchronisation, uses_streams, uses_threads, raises_groups]


def notes_of(run: Callable[..., Any], program: Callable[[Note], Awaitable[None]]) -> list[tuple[object, ...]]:
    notes: list[tuple[object, ...]] = []
    run(program, lambda *note: notes.append(note))
    return notes


def explored(program: Callable[[Note], Awaitable[None]], semantics: str) -> list[list[tuple[object, ...]]]:
    """The notes of all executions."""
    seen: list[list[tuple[object, ...]]] = []

    async def main() -> None:
        notes: list[tuple[object, ...]] = []
        await program(lambda *note: notes.append(note))
        seen.append(notes)

    result = racewindow.explore(main, schedules=20, semantics=semantics, strategy="random")
    assert result.verdict == "nothing found", result
    return seen


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_on_anyio_gives_the_same_under_all(program: Callable[[Note], Awaitable[None]]) -> None:
    clock = MockClock() if program is uses_threads else MockClock(autojump_threshold=0)
    expected = notes_of(partial(trio.run, clock=clock), program)

    assert expected
    for semantics in ("trio", "processes"):
        for seed in range(5):
            assert notes_of(partial(racewindow.run, seed=seed, semantics=semantics), program) == expected

        seen = explored(program, semantics)
        assert len(seen) > 20
        assert all(notes == expected for notes in seen)


def test_a_race_of_an_anyio_program_is_found_and_replayed() -> None:
    async def main() -> None:
        balance = racewindow.Cell(0, name="balance")

        async def deposit() -> None:
            before = balance.get()
            await anyio.sleep(1)
            balance.set(before + 1)

        async with anyio.create_task_group() as group:
            group.start_soon(deposit)
            group.start_soon(deposit)
        assert balance.get() == 2

    (failure,) = racewindow.explore(main, schedules=50, strategy="random").failures
    assert "assert balance.get() == 2" in failure.message
    assert racewindow.replay(main, failure.schedule).digest == failure.digest


def test_anyio_run_inside_a_run_is_refused_as_in_trio() -> None:
    async def nothing() -> None:
        pass

    async def main() -> str:
        with pytest.raises(RuntimeError) as info:
            anyio.run(nothing, backend="trio")
        return str(info.value)

    assert racewindow.run(main) == trio.run(main)


# --- pytest-trio -----------------------------------------------------------------------------------------------------

CONFTEST = """
import functools, os
import pytest, racewindow, trio

if os.environ["SEMANTICS"] != "plain":
    trio.run = functools.partial(racewindow.run, semantics=os.environ["SEMANTICS"], seed=int(os.environ["SEED"]))
    # What was handed to the tests when the plugin was loaded, by `trio_mode`.
    import pytest_trio.plugin
    pytest_trio.plugin.automark.__defaults__ = (trio.run,)
"""
SUITE = """
import pytest
import trio
from pytest_trio import trio_fixture
from trio.testing import MockClock, Sequencer, memory_stream_pair, wait_all_tasks_blocked


@pytest.fixture
async def started(nursery):
    send, receive = trio.open_memory_channel(0)

    async def serve(task_status):
        task_status.started("up")
        async for item, answer in receive:
            answer.append(item * 2)

    state = await nursery.start(serve)
    yield state, send
    await send.aclose()


@pytest.fixture
async def late(autojump_clock):
    await trio.sleep(10)
    yield trio.current_time()
    await trio.sleep(10)
    assert trio.current_time() == 120


@trio_fixture
def synchronous_but_inside():
    return trio.current_time()


async def test_fixture_with_a_task(started):
    state, send = started
    answer = []
    await send.send((21, answer))
    await wait_all_tasks_blocked()
    assert state == "up" and answer == [42]


async def test_autojump_clock(late, autojump_clock):
    assert late == 10
    with trio.move_on_after(50) as scope:
        await trio.sleep_forever()
    assert scope.cancelled_caught
    with pytest.raises(trio.TooSlowError):
        with trio.fail_after(50):
            await trio.Event().wait()
    assert trio.current_time() == 110


async def test_mock_clock(mock_clock, nursery):
    woken = []

    async def sleeper():
        await trio.sleep(5)
        woken.append(trio.current_time())

    nursery.start_soon(sleeper)
    await wait_all_tasks_blocked()
    mock_clock.jump(4)
    await wait_all_tasks_blocked()
    assert woken == []
    mock_clock.jump(1)
    await wait_all_tasks_blocked()
    assert woken == [5]


async def test_nursery_is_cancelled_at_the_end(nursery):
    nursery.start_soon(trio.sleep_forever)


async def test_sequencer_and_streams(synchronous_but_inside):
    one, other = memory_stream_pair()
    sequencer, order = Sequencer(), []

    async def turn(number):
        async with sequencer(number):
            order.append(number)

    async with trio.open_nursery() as nursery:
        for number in (2, 0, 1):
            nursery.start_soon(turn, number)
        await one.send_all(b"abc")
        assert await other.receive_some() == b"abc"
    assert order == [0, 1, 2]


async def test_that_fails(nursery):
    nursery.start_soon(fail)
    await trio.sleep_forever()


async def fail():
    raise KeyError("as expected")


@pytest.mark.trio
async def test_on_which_loop():
    print("backend:", trio.lowlevel.current_statistics().io_statistics.backend)


def test_synchronous():
    pass
"""


@pytest.mark.parametrize("semantics", ["plain", "trio", "processes"])
def test_a_suite_on_pytest_trio_gives_the_same(semantics: str, tmp_path: Path) -> None:
    """Its fixtures and clocks included. `plain` holds the test itself: what it expects is what trio does."""
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "test_suite.py").write_text(SUITE, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\ntrio_mode = true\nfilterwarnings = error\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "pytest_trio.plugin", "-rA", "-q"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "SEMANTICS": semantics, "SEED": "5"}

    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    passed = sorted(line.partition("::")[2] for line in ended.stdout.splitlines() if line.startswith("PASSED"))
    assert passed == [
        "test_autojump_clock",
        "test_fixture_with_a_task",
        "test_mock_clock",
        "test_nursery_is_cancelled_at_the_end",
        "test_on_which_loop",
        "test_sequencer_and_streams",
        "test_synchronous",
    ], ended.stdout
    assert "1 failed, 7 passed" in ended.stdout
    assert "KeyError: 'as expected'" in ended.stdout
    assert ("backend: racewindow" in ended.stdout) == (semantics != "plain")
