"""`racewindow.run`: one execution, as a drop-in for `trio.run`."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import trio

from racewindow.errors import RacewindowError, RealThreadError, unknown_name
from racewindow.runtime.diagnosis import deadlock_text
from racewindow.runtime.execution import Environment, run_once
from racewindow.runtime.location import Locator
from racewindow.runtime.loop import BLOCKED, DecidedLoop
from racewindow.runtime.runner import SimRunner
from racewindow.strategies.random_walk import RandomWalk

if TYPE_CHECKING:
    from trio.abc import Clock, Instrument
    from typing_extensions import TypeVarTuple, Unpack

    PosArgT = TypeVarTuple("PosArgT")

T = TypeVar("T")
_STEPS_MAX = 1 << 62


class DeadlockError(RacewindowError):
    """No task can run and no deadline is pending, where `trio.run` would hang for ever."""


def _warn_of_loose_groups() -> None:
    warnings.warn(
        "racewindow.run(..., strict_exception_groups=False) does what trio.run does, which has deprecated it since "
        "trio 0.25.0; use the default and handle exception groups",
        trio.TrioDeprecationWarning,
        stacklevel=3,
    )


def _refuse_to_wait_for(threads: set[threading.Thread]) -> None:
    if threads:
        raise RealThreadError(
            f"waiting for the thread {min(thread.name for thread in threads)!r}",
            "run what it does with trio.to_thread.run_sync(), or stand in for it with a task.",
        )


def run(  # trio's own keywords, and ours
    async_fn: Callable[[Unpack[PosArgT]], Awaitable[T]],
    *args: *PosArgT,
    seed: int = 0,
    semantics: str = "trio",
    clock: Clock | None = None,
    instruments: Sequence[Instrument] = (),
    restrict_keyboard_interrupt_to_checkpoints: bool = False,
    strict_exception_groups: bool = True,
) -> T:
    """Run `async_fn(*args)` once in virtual time, in the order of events that `seed` gives.

    Returns or raises what `trio.run` would. `semantics`: "trio" or "processes", see `explore`. `clock`, `instruments`
    and `strict_exception_groups` as for `trio.run`; a clock that runs in real time is waited for.
    `restrict_keyboard_interrupt_to_checkpoints` is accepted and has no effect: Ctrl-C is Python's own.

    Raises DeadlockError where `trio.run` would hang, RealThreadError where it would wait for a thread that the program
    has started, RuntimeError inside another run.
    """
    del restrict_keyboard_interrupt_to_checkpoints
    if not strict_exception_groups:
        _warn_of_loose_groups()
    if semantics not in {"processes", "trio"}:
        raise unknown_name("semantics", semantics, ("processes", "trio"))
    picker = RandomWalk(seed).start(0)

    def drive(runner: SimRunner) -> str:
        batches = semantics == "trio"
        return DecidedLoop(runner, picker.pick_task, batches=batches, racing=False, steps_max=_STEPS_MAX).run()  # type: ignore[arg-type]

    __tracebackhide__ = True
    threads = set(threading.enumerate())
    with Environment(light=True):
        raw = run_once(
            async_fn,
            args,
            drive,
            picker.pick_value,
            seed=seed,
            full=True,
            clock=clock,
            instruments=instruments,
            strict_exception_groups=strict_exception_groups,
        )
    assert raw is not None
    if raw.end == BLOCKED:
        _refuse_to_wait_for(set(threading.enumerate()) - threads)
        raise DeadlockError(deadlock_text(raw.left, raw.stacks, Locator()))
    error = raw.error
    if error is not None:
        raise error
    result: T = raw.result.value  # type: ignore[union-attr]  # an Error has been raised above
    return result
