"""What tracked state and value decisions need of the execution in progress in this thread."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

from racewindow._trio_internals import GLOBAL_RUN_CONTEXT, async_yield
from racewindow.errors import UsageError
from racewindow.faults import Fault, FaultPoint, Process
from racewindow.runtime.patches import Until
from racewindow.runtime.recorder import Recorder
from racewindow.runtime.runner import SimRunner, current_runner
from racewindow.runtime.vanishing import go, is_going

T = TypeVar("T")


class Plain:
    """Stands for the runner under plain `trio.run`: nothing is recorded."""

    recording = naming = False
    version = 0
    recorder: Recorder

    def key_of_new(self, name: str | None, kind: str, thing: object) -> int:
        """Never asked for: nothing is recorded."""
        raise AssertionError(name, kind, thing)

    def name_of_new(self, name: str | None, kind: str, thing: object) -> str:
        """Never asked for: nothing is recorded."""
        raise AssertionError(name, kind, thing)


PLAIN = Plain()
Owner = Any
"""A SimRunner or PLAIN: has `recording`, `naming`, `version`, `recorder`, `key_of_new`, `name_of_new`."""


def owner() -> Owner | None:
    """The runner of the execution in this thread, PLAIN under plain trio, None outside of both."""
    runner = getattr(GLOBAL_RUN_CONTEXT, "runner", None)
    if runner is None:
        return None
    return runner if type(runner) is SimRunner else PLAIN


async def pause_until(predicate: Callable[[], object]) -> None:
    """Yield to the loop; resumed in a state in which the predicate holds."""
    runner = current_runner()
    if runner is None:
        msg = "racewindow.until must be called from async context"
        raise RuntimeError(msg)
    runner.until_predicate = predicate
    (await async_yield(Until)).unwrap()


def choose(options: Sequence[T]) -> T:
    """One of `options`: a value decision of the step in progress, of which the first option is the default.

    Outside an execution of racewindow it is the first one. Raises UsageError if there are no options.
    """
    if not len(options):
        raise UsageError("racewindow.choose was given no options.", do="give it at least one.")
    runner = current_runner()
    if runner is None or runner.world is None:
        return options[0]
    index: int = runner.world.choose(len(options))
    return options[index]


SERVICE: ContextVar[str] = ContextVar("racewindow service", default="")
"""Which service a task belongs to, as fault points see it; its children inherit it."""
PROCESS: ContextVar[Process | None] = ContextVar("racewindow process", default=None)
"""The instance of that service, where it has a life cycle."""


def offer_fault(name: str, *, kinds: Collection[str] | None = None, service: str | None = None) -> Fault | None:
    """A fault point in a function that cannot wait: which fault strikes here, or None; see `fault_point`.

    What strikes is left to the caller; `Fault.strike` is not called. So faults that act by themselves, such as a stall,
    are not offered here, unless `kinds` names them.
    """
    return _struck(name, kinds, service, None, waits=False)[0]


async def fault_point(
    name: str, *, kinds: Collection[str] | None = None, service: str | None = None, process: Process | None = None
) -> Fault | None:
    """A place at which faults may strike: the fault that did, or None, which is the default and costs nothing.

    `name`: dotted, such as `db.read`; kinds of fault say by patterns of such names where they apply, unless `kinds`
    lists those that the caller can act on. `service`, `process`: the victim, if it is not the caller's own. What
    the fault does by itself (a stall, a crash) is over when this returns; the caller acts on the rest. It is not a
    scheduling point by itself. Outside an exploration with faults nothing ever strikes.
    """
    fault, where = _struck(name, kinds, service, process, waits=True)
    if fault is not None:
        await fault.strike(where)
        if is_going():  # the fault has ended the very process that came here
            await go()
    return fault


_NOWHERE = FaultPoint("", "")


def _struck(
    name: str, kinds: Collection[str] | None, service: str | None, process: Process | None, *, waits: bool
) -> tuple[Fault | None, FaultPoint]:
    """The fault that strikes at a point, if any does, and the point as the step in progress has reached it."""
    runner = current_runner()
    if runner is None or runner.world is None or runner.world.faulting is None:
        return None, _NOWHERE
    if runner.current is None or runner.ending:
        return None, _NOWHERE
    here, own = service_here(), PROCESS.get()
    if process is None and (service is None or service == here or (own is not None and service == own.name)):
        process = own  # else the victim is somebody else
    where = FaultPoint(name, service or here, process)
    return runner.world.fault_at(where, kinds, waits=waits), where


def service_here() -> str:
    """The service that the step in progress belongs to, or else the name of its task; "" outside an execution."""
    runner = current_runner()
    return SERVICE.get() or ("" if runner is None or runner.current is None else runner.current.display)


def may_strike() -> bool:
    """Whether faults may strike in the execution in progress, which then has to pay for what makes them possible."""
    runner = current_runner()
    return runner is not None and runner.world is not None and runner.world.faulting is not None
