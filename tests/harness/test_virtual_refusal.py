"""What cannot be repeated is refused inside a step, by name and with advice, and works as ever outside."""

from __future__ import annotations

import _thread
import asyncio
import concurrent.futures
import importlib
import multiprocessing
import os
import queue
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from racewindow.errors import RacewindowError, RealIOError, RealThreadError
from racewindow.virtual import install, refusal
from tests.harness.virtual_stage import STAGE, WORLD_OF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


async def _nothing() -> None:
    pass


def _an_epoll() -> None:
    (getattr(select, "epoll", None) or select.poll)()


IO_CALLS: dict[str, Callable[[Any], object]] = {
    "socket.socket()": lambda _: socket.socket(),
    "socket.socketpair()": lambda _: socket.socketpair(),
    "socket.create_connection()": lambda _: socket.create_connection(("localhost", 1)),
    "socket.getaddrinfo()": lambda _: socket.getaddrinfo("localhost", 1),
    "socket.gethostbyname()": lambda _: socket.gethostbyname("localhost"),
    "socket.socket.connect()": lambda spare: spare.sock.connect(("localhost", 1)),
    "socket.socket.bind()": lambda spare: spare.sock.bind(("localhost", 0)),
    "socket.socket.accept()": lambda spare: spare.sock.accept(),
    "socket.socket.send()": lambda spare: spare.sock.send(b"x"),
    "socket.socket.sendto()": lambda spare: spare.sock.sendto(b"x", ("localhost", 1)),
    "socket.socket.recv()": lambda spare: spare.sock.recv(1),
    "socket.socket.recv_into()": lambda spare: spare.sock.makefile("rb").read(1),
    "select.select()": lambda _: select.select([], [], [], 0),
    "select.poll()": lambda _: select.poll(),
    "selectors.": lambda spare: spare.selector.select(0),
    "subprocess.Popen()": lambda _: subprocess.run(["true"], check=True),
    "os.system()": lambda _: os.system("true"),  # noqa: S605
    "os.popen()": lambda _: os.popen("true"),  # noqa: S605
    "os.fork()": lambda _: os.fork(),
    "os.posix_spawn()": lambda _: os.posix_spawn("/bin/true", ["true"], {}),
    "os.execv()": lambda _: os.execl("/bin/true", "true"),  # noqa: S606
    "multiprocessing.process.BaseProcess.start()": lambda _: multiprocessing.Process(target=print).start(),
    "signal.setitimer()": lambda _: signal.setitimer(signal.ITIMER_REAL, 0),
    "signal.pause()": lambda _: signal.pause(),
    "signal.raise_signal()": lambda _: signal.raise_signal(signal.SIGINT),
    "signal.pthread_kill()": lambda _: signal.pthread_kill(threading.get_ident(), signal.SIGINT),
    "os.kill()": lambda _: os.kill(os.getpid(), signal.SIGINT),
    "os.killpg()": lambda _: os.killpg(os.getpgrp(), signal.SIGINT),
    "asyncio.runners.Runner()": lambda spare: asyncio.run(spare.coroutine),
    "asyncio.base_events.BaseEventLoop.run_forever()": lambda spare: spare.loop.run_until_complete(spare.future),
    "time.clock_settime()": lambda _: time.clock_settime(time.CLOCK_REALTIME, 0),
}
THREAD_CALLS: dict[str, Callable[[Any], object]] = {
    "threading.Thread.start()": lambda _: threading.Thread(target=print).start(),
    "threading.Thread.start() ": lambda _: threading.Timer(0, print).start(),
    "_thread.start_new_thread()": lambda _: _thread.start_new_thread(print, ()),
    "threading.Thread.join()": lambda spare: spare.thread.join(),
    "concurrent.futures.thread.ThreadPoolExecutor.submit()": lambda spare: spare.pool.submit(print),
    "threading.Condition.wait()": lambda _: threading.Event().wait(0.1),
    "threading.Condition.wait() ": lambda _: queue.Queue[int]().get(timeout=0.1),
    "threading.Condition.wait()  ": lambda _: concurrent.futures.Future[int]().result(0.1),
}


class Spare:
    """Things made outside a step, as a program might keep them at module level."""

    def __init__(self) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.selector = selectors.DefaultSelector()
        self.pool = ThreadPoolExecutor(1)
        self.pool.submit(int).result()  # leaves an idle thread, which would take work without being started
        self.thread = threading.Thread(target=int)
        self.thread.start()
        self.coroutine = _nothing()
        self.loop = asyncio.new_event_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()

    def close(self) -> None:
        self.coroutine.close()
        self.loop.close()
        self.thread.join()
        self.pool.shutdown()
        self.selector.close()
        self.sock.close()


@pytest.fixture
def spare() -> Iterator[Spare]:
    """Made and closed outside."""
    things = Spare()
    yield things
    things.close()


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("call", [*IO_CALLS, *THREAD_CALLS])
def test_refused_calls_raise_at_the_call_and_name_it(call: str, spare: Spare) -> None:
    """With the reason, and what to use instead."""
    action, kind = (IO_CALLS[call], RealIOError) if call in IO_CALLS else (THREAD_CALLS[call], RealThreadError)
    with STAGE.step(), pytest.raises(kind) as caught:
        action(spare)
    assert isinstance(caught.value, RealIOError | RealThreadError)
    assert caught.value.call.startswith(call.strip())
    assert caught.value.instead in str(caught.value)


@pytest.mark.usefixtures("installed")
def test_asking_without_waiting_is_let_through() -> None:
    """It returns at once, and the same every time."""
    with STAGE.step():
        assert not threading.Event().wait(0)
        assert not threading.Event().wait(timeout=-1)
        assert not threading.Semaphore(0).acquire(timeout=0)
        with pytest.raises(queue.Empty):
            queue.Queue[int]().get(block=False)


@pytest.mark.usefixtures("installed")
def test_every_refusal_is_about_something_that_exists() -> None:
    """On one of the platforms: a misspelt name would refuse nothing."""
    elsewhere = {"devpoll", "kqueue", "startfile", "DevpollSelector", "KqueueSelector", "start_joinable_thread"}
    for row in refusal.REFUSALS:
        module_name, _, class_name = row.owner.partition(":")
        owner: Any = importlib.import_module(module_name)
        if class_name in elsewhere:
            continue
        if class_name:
            owner = getattr(owner, class_name)
        assert [name for name in row.names if name not in elsewhere and not hasattr(owner, name)] == []


@pytest.mark.usefixtures("installed")
def test_names_imported_before_are_refused_too(program: Any) -> None:
    for refused in (
        program.socket,
        program.socketpair,
        lambda: program.getaddrinfo("localhost", 1),
        lambda: program.Popen(["true"]),
    ):
        with STAGE.step(), pytest.raises(RealIOError):
            refused()


@pytest.mark.usefixtures("installed")
def test_outside_a_step_io_and_threads_are_real(spare: Spare) -> None:
    """The harness, its watchdog and other threads go on as ever."""
    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"x")
        assert select.select([right], [], [], 5)[0] == [right]
        assert right.recv(1) == b"x"
    with ThreadPoolExecutor() as pool:
        assert pool.submit(lambda: 3).result() == 3
    assert subprocess.run([sys.executable, "-c", ""], check=False).returncode == 0
    assert asyncio.run(asyncio.sleep(0, 3)) == 3
    assert spare.selector.select(0) == []


@pytest.mark.usefixtures("installed")
@pytest.mark.skipif(not hasattr(select, "epoll"), reason="Linux has it")
def test_epoll_is_guarded_and_still_a_type() -> None:
    """It cannot be subclassed, so it is replaced by something that is not a class."""
    with select.epoll() as made, select.epoll.fromfd(made.fileno()):
        assert isinstance(made, select.epoll)
        assert not isinstance(3, select.epoll)
        assert issubclass(type(made), select.epoll)
    with STAGE.step(), pytest.raises(RealIOError, match=r"select\.epoll\(\)"):
        select.epoll()


def test_what_a_platform_lacks_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules, functions and methods alike."""
    rows = (
        refusal.Refusal("no_such_module", ("call",), RealIOError, "-"),
        refusal.Refusal("os", ("no_such_call",), RealIOError, "-"),
        refusal.Refusal("threading:Thread", ("no_such_method",), RealIOError, "-"),
    )
    monkeypatch.setattr(refusal, "REFUSALS", rows)
    with install(WORLD_OF):
        assert not hasattr(os, "no_such_call")
        assert not hasattr(threading.Thread, "no_such_method")


def test_refusals_are_errors_of_ours() -> None:
    """So that one `except` catches them, and `except OSError` does not."""
    assert issubclass(RealIOError, RacewindowError) and issubclass(RealThreadError, RacewindowError)
    assert not issubclass(RealIOError, OSError)
