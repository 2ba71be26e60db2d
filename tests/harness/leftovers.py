"""Prints what an exploration has left changed in the process; run in a fresh one by `test_explorer.py`."""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import trio
import trio.testing

import racewindow
from racewindow import UsageError
from tests.harness import outcome_programs as programs


async def kept_busy() -> None:
    """Uses most of what is replaced."""
    event = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(event.wait)
        nursery.start_soon(trio.sleep, 2)
        with trio.move_on_after(1):
            await trio.sleep_forever()
        await trio.to_thread.run_sync(event.set)
        trio.lowlevel.current_trio_token()


TARGETS: list[Callable[[], Awaitable[None]]] = [
    kept_busy,
    programs.asserting,
    programs.stuck_everywhere,
    programs.differing(),
    programs.raising_twice,
]


def state() -> dict[str, Any]:
    """All names of all modules, and of their classes where something is replaced; and what else is global."""
    modules = {name: dict(vars(module)) for name, module in list(sys.modules.items()) if type(module) is ModuleType}
    classes = {
        f"{name}.{key}": dict(vars(value))
        for name, names in modules.items()
        if name.split(".")[0] in ("trio", "random", "threading", "socket", "queue", "_thread", "concurrent")
        for key, value in names.items()
        if isinstance(value, type)
    }
    return {
        "owners": modules | classes,
        "gc": gc.isenabled(),
        "hooks": sys.get_asyncgen_hooks(),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGALRM)],
        "threads": threading.active_count(),
        "run": trio.lowlevel.in_trio_run(),
    }


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The names whose value is another one."""
    found = [name for name in before if name != "owners" and before[name] != after[name]]
    for owner, names in before["owners"].items():
        there = after["owners"].get(owner, {})
        found += [f"{owner}.{name}" for name, value in names.items() if there.get(name, names) is not value]
    return [name for name in found if not name.startswith(("linecache.", "__main__."))]


def explore() -> None:
    """Every target; the first of them needs the full form."""
    for target in TARGETS:
        racewindow.explore(target, schedules=20, all_failures=True, strategy="random")


def replay() -> None:
    """Every target."""
    for target in TARGETS:
        racewindow.replay(target, racewindow.Schedule())


def run() -> None:
    """Every target."""
    for target in TARGETS:
        with contextlib.suppress(Exception):  # a deadlock or failure is what some of them are for
            racewindow.run(target)


def misuse() -> None:
    """Errors that leave `explore` by themselves."""

    async def choose_from_nothing() -> None:
        racewindow.choose([])

    def refuse(_: racewindow.Progress) -> None:
        raise ZeroDivisionError

    with contextlib.suppress(UsageError):
        racewindow.explore(choose_from_nothing, strategy="random")
    with contextlib.suppress(ZeroDivisionError):
        racewindow.explore(kept_busy, seconds=5, on_progress=refuse, strategy="random")


def threads() -> None:
    """Two explorations at the same time."""
    both = [threading.Thread(target=explore) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()


HOW = {"explore": explore, "replay": replay, "run": run, "misuse": misuse, "threads": threads}

if __name__ == "__main__":
    before = state()
    HOW[sys.argv[1]]()
    sys.stdout.write(f"{differences(before, state())}\n")
