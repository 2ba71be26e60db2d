"""What cannot be repeated is refused: real I/O, real threads, other processes, blocking waits, foreign event loops.

Responsible for the list of calls that raise inside a step, and for the advice that each gives instead. A refusal is
raised at the call, before anything has happened.

Methods are guarded in their class, so that it does not matter where the class was imported; functions are replaced by
name. Each call is refused as high up as it can be named well and once more where everything ends (`os.fork`,
`_thread.start_new_thread`), so that a way around the first is still caught. Modules that take long to import
(`asyncio`, `concurrent.futures`, `multiprocessing`) are guarded if they are loaded; if not, their ends are.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from racewindow.errors import RacewindowError, RealIOError, RealThreadError
from racewindow.virtual.patching import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from racewindow.virtual.patching import Ledger
    from racewindow.virtual.world import Inside, World, WorldOf


def _never(*_args: object, **_kwargs: object) -> bool:
    return False


def _asks_without_waiting(_condition: object, timeout: float | None = None) -> bool:
    return timeout is not None and timeout <= 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Calls that are refused for one reason with one piece of advice."""

    owner: str
    """A module, or `module:Class` for methods."""
    names: tuple[str, ...]
    error: Callable[[str, str], RacewindowError]
    instead: str
    unless: Callable[..., bool] = _never
    """Given the arguments of a call of a method, whether it is let through after all."""

    def raise_for(self, name: str) -> NoReturn:
        """Refuse one of the calls."""
        owner = self.owner.replace(":", ".")
        call = f"{owner}()" if name == "__init__" else f"{owner}.{name}()"
        raise self.error(call, self.instead)


_SOCKET = (
    "connect the two sides with trio.testing.memory_stream_pair(), "
    "or stand in for the peer with a task and a memory channel."
)
_NAMES = "give the peer's address as a constant; inside an execution the peer is a task, reached by a memory channel."
_WAIT = "let the task wait for a trio.Event or a memory channel that the task standing for the peer sets or fills."
_PROCESS = "stand in for the program with a task; run the real one before or after the exploration."
_LOOP = "call the async function from a trio task; code that needs asyncio cannot be explored."
_SIGNAL = "wait with trio.move_on_after() or trio.sleep(); a task that sets a trio.Event can stand for the sender."
_THREAD = (
    "use nursery.start_soon() for an async function, "
    "or await trio.to_thread.run_sync() for one that blocks: it is run inline, as one step."
)
_BLOCK = (
    "wait with what trio has for the same purpose (Event, Condition, Semaphore, a memory channel): "
    "nobody else can run while a step blocks."
)

REFUSALS: tuple[Refusal, ...] = (
    # A socket is refused when it is made: `sendto` of an unconnected one would already reach the network. The rest is
    # for sockets made outside.
    Refusal(
        "socket:socket",
        (
            *("__init__", "accept", "bind", "connect", "connect_ex", "listen", "sendfile"),
            *("recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into"),
            *("send", "sendall", "sendto", "sendmsg", "sendmsg_afalg"),
        ),
        RealIOError,
        _SOCKET,
    ),
    Refusal("socket", ("socketpair", "create_connection", "create_server"), RealIOError, _SOCKET),
    Refusal(
        "socket",
        ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo", "getfqdn"),
        RealIOError,
        _NAMES,
    ),
    Refusal("select", ("select", "poll", "epoll", "devpoll", "kqueue"), RealIOError, _WAIT),
    *(
        Refusal(f"selectors:{name}", ("select",), RealIOError, _WAIT)
        for name in ("SelectSelector", "PollSelector", "EpollSelector", "DevpollSelector", "KqueueSelector")
    ),
    Refusal("subprocess:Popen", ("__init__",), RealIOError, _PROCESS),
    Refusal("_posixsubprocess", ("fork_exec",), RealIOError, _PROCESS),
    Refusal(
        "os",
        (
            *("system", "popen", "startfile", "fork", "forkpty"),
            *("posix_spawn", "posix_spawnp", "execv", "execve", "spawnv", "spawnve"),
        ),
        RealIOError,
        _PROCESS,
    ),
    Refusal("multiprocessing.process:BaseProcess", ("start",), RealIOError, _PROCESS),
    Refusal("concurrent.futures.process:ProcessPoolExecutor", ("submit",), RealIOError, _PROCESS),
    Refusal(
        "signal",
        (
            *("alarm", "setitimer", "pause", "sigwait", "sigwaitinfo", "sigtimedwait"),
            *("raise_signal", "pthread_kill", "pidfd_send_signal"),
        ),
        RealIOError,
        _SIGNAL,
    ),
    Refusal("os", ("kill", "killpg"), RealIOError, _SIGNAL),
    Refusal("asyncio.runners:Runner", ("__init__",), RealIOError, _LOOP),
    Refusal("asyncio.base_events:BaseEventLoop", ("run_forever",), RealIOError, _LOOP),
    Refusal("threading:Thread", ("start",), RealThreadError, _THREAD),
    Refusal("_thread", ("start_new_thread", "start_new", "start_joinable_thread"), RealThreadError, _THREAD),
    # Also where a pool made outside has idle threads that would take the work.
    Refusal("concurrent.futures.thread:ThreadPoolExecutor", ("submit",), RealThreadError, _THREAD),
    # Under threading.Event, Semaphore and Barrier, queue.Queue and concurrent.futures.Future: waiting for what only
    # another thread could do, or for real time to pass.
    Refusal("threading:Condition", ("wait",), RealThreadError, _BLOCK, unless=_asks_without_waiting),
    Refusal("threading:Thread", ("join",), RealThreadError, _BLOCK),
)


def refused_functions() -> Iterator[tuple[str, str, Inside]]:
    """Yield module, name and what happens inside a step, for each function of a module that is refused."""
    for refusal in REFUSALS:
        if ":" not in refusal.owner:
            for name in refusal.names:
                yield refusal.owner, name, _refuse(refusal, name)


def _refuse(refusal: Refusal, name: str) -> Inside:
    def inside(_world: World, *_args: object, **_kwargs: object) -> NoReturn:
        refusal.raise_for(name)

    return inside


def patch_methods(ledger: Ledger, world_of: WorldOf, error: type[RacewindowError] = RacewindowError) -> None:
    """Guard the methods that are refused (with `error`), in the classes of modules that are loaded."""
    for refusal in REFUSALS:
        if not (isinstance(refusal.error, type) and issubclass(refusal.error, error)):
            continue
        module_name, _, class_name = refusal.owner.partition(":")
        owner = getattr(sys.modules.get(module_name), class_name, None) if class_name else None
        if not isinstance(owner, type):
            continue
        for name in refusal.names:
            original = getattr(owner, name, None)
            if original is not None:
                ledger.set_class_attribute(owner, name, guard(original, _check(refusal, name, world_of)))


def _check(refusal: Refusal, name: str, world_of: WorldOf) -> Callable[..., None]:
    def check(*args: object, **kwargs: object) -> None:
        if world_of() is not None and not refusal.unless(*args, **kwargs):
            refusal.raise_for(name)

    return check
