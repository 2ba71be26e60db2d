"""One execution: set up a runner, drive it to an end, take it down, and say what came of it.

`run_once` knows nothing of scenarios, strategies or failures. It is handed a program to start, a driver (one of the two
loops, bound to its decisions) and a way to decide values, and answers with a `Raw`: how it ended, what main returned or
raised, and who was still waiting.
"""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from math import inf
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

import outcome
import trio

from racewindow import virtual
from racewindow._trio_internals import (
    GLOBAL_PARKING_LOT_BREAKER,
    GLOBAL_RUN_CONTEXT,
    CancelStatus,
    sniffio_library,
)
from racewindow.errors import RacewindowError, UsageError
from racewindow.footprint import KeyTable
from racewindow.runtime.location import await_frames
from racewindow.runtime.loop import BLOCKED, FINISHED, LIMIT
from racewindow.runtime.patches import Patches
from racewindow.runtime.primitives import Hooks
from racewindow.runtime.recording import RECORDING
from racewindow.runtime.runner import NeedsFullRunner, SimRunner
from racewindow.runtime.step import StopExecution, take_step
from racewindow.runtime.task import OrderedSet, SimTask
from racewindow.runtime.world import DecideValue, World, world_of_this_thread

if TYPE_CHECKING:
    from trio.abc import Clock, Instrument

    from racewindow.runtime.faulting import Faulting
    from racewindow.runtime.recorder import Recorder

Main = Callable[..., Awaitable[object]]
Driver = Callable[[SimRunner], str]
STOPPED = "stopped"
"""An end besides those of the loops: `StopExecution` was raised into a step."""


Stack = tuple[tuple[CodeType, int], ...]
"""Code and line of the frames on which a task waits, outermost first."""


class Raw(NamedTuple):
    """What one execution left: how it ended, main's result or error, the tasks left over and where they stood."""

    end: str
    result: outcome.Outcome[object] | None
    left: tuple[SimTask, ...]
    stacks: tuple[Stack, ...]
    steps: int
    now_ns: int
    recorder: Recorder | None
    last: SimTask | None
    relative_deadlines: bool = False
    """Under the racing clock: the program read the time and set a deadline."""

    @property
    def error(self) -> BaseException | None:
        """What main raised, or None."""
        return self.result.error if isinstance(self.result, outcome.Error) else None


class Environment:
    """Everything that is installed once around many executions and put back afterwards. Nests.

    trio's lean parts, virtual time and randomness, the hooks of footprints (if `footprints`), async-generator hooks;
    the garbage collector is off, so that finalizers run at the same place in every repetition. `light`: for a single
    run, only what costs microseconds (see `racewindow.virtual.light`).
    """

    def __init__(self, *, footprints: bool = False, light: bool = False) -> None:
        self._stack = ExitStack()
        self._light = light
        self._parts: tuple[AbstractContextManager[object], ...] = (
            Patches(),
            _LIGHT if light else _Virtual(),
            *((Hooks(),) if footprints else ()),
        )

    def __enter__(self) -> None:
        for part in self._parts:
            self._stack.enter_context(part)
        if not self._light:  # a single run is a full one, which installs trio's own
            self._stack.callback(sys.set_asyncgen_hooks, *sys.get_asyncgen_hooks())
            sys.set_asyncgen_hooks(firstiter=_generator_started, finalizer=_generator_abandoned)
        if gc.isenabled():
            gc.disable()
            self._stack.callback(gc.enable)

    def __exit__(self, *error: object) -> None:
        self._stack.close()


class _Virtual:
    """`virtual.install` made on entry instead of on construction."""

    def __enter__(self) -> None:
        self._installation = virtual.install(_world)

    def __exit__(self, *_: object) -> None:
        self._installation.undo()


def _world() -> World | None:
    return world_of_this_thread(GLOBAL_RUN_CONTEXT)


_LIGHT = virtual.LightInstallation(_world)


def _generator_started(generator: Any) -> None:
    runner = getattr(GLOBAL_RUN_CONTEXT, "runner", None)
    if type(runner) is SimRunner:
        runner.generators.append(weakref.ref(generator))


def _generator_abandoned(_generator: Any) -> None:
    """Closing an abandoned generator is the work of a system task; raising here would be lost."""
    runner = getattr(GLOBAL_RUN_CONTEXT, "runner", None)
    if type(runner) is SimRunner and not runner.full:  # a full one closes its own, and forwards what is not
        runner.wants_full = True


class _LeanRoot:
    """Stands for main's nursery and for the scope around it: main needs both to be valid."""

    def __init__(self) -> None:
        scope = trio.CancelScope()
        status = CancelStatus(scope=scope, parent=None)
        scope._cancel_status = status
        scope._has_been_entered = True
        self.cancel_scope, self._cancel_status = scope, status
        self._children = OrderedSet()
        self._closed = False
        self._nested_child_running = True  # so that it never closes

    def is_as_new(self) -> bool:
        """Whether the next execution can use it: nobody has touched the scope, and nobody is inside."""
        scope, status = self.cancel_scope, self._cancel_status
        touched = scope._cancel_called or scope._shield or scope._deadline != inf or scope._cancel_reason is not None
        return not (touched or status._tasks or status._children or self._children or status.effectively_cancelled)

    def _child_finished(self, task: SimTask, _result: object) -> None:
        self._children.remove(task)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__"):
            GLOBAL_RUN_CONTEXT.runner.ask_for_full()
        raise AttributeError(name)


class _Ended:
    """The recorder of an execution that is over: a tracked object of it must not be used in another one.

    It would be shared by executions, and nothing that happens to it would be in their footprints.
    """

    @property
    def footprint(self) -> dict[int, None]:
        """A place for accesses that nobody looks at, such as those of a checker."""
        if getattr(GLOBAL_RUN_CONTEXT, "runner", None) is not None:
            raise UsageError(
                "a tracked object of an earlier execution was used.",
                why="the program keeps it where executions share it, in a module or a closure around them.",
                do="make it inside the scenario function, in every execution.",
            )
        return {}

    @property
    def table(self) -> KeyTable:
        """As `footprint`."""
        self.footprint  # noqa: B018  # for its error
        return KeyTable()


_ENDED = _Ended()
_SPARE_ROOTS: list[_LeanRoot] = []
"""Roots that are as new: making one is a tenth of an empty execution. As many as there are threads that explore."""


def run_once(  # one execution is defined by all of these
    main: Main,
    args: Sequence[object],
    drive: Driver,
    values: DecideValue,
    *,
    seed: int = 0,
    full: bool = False,
    faulting: Faulting | None = None,
    recorder: Recorder | None = None,
    clock: Clock | None = None,
    instruments: Sequence[Instrument] = (),
    strict_exception_groups: bool = True,
    on_start: Callable[[SimRunner], None] | None = None,
) -> Raw | None:
    """Run `main(*args)` once, inside an `Environment`.

    Returns None if the lean form turned out not to do: the caller runs it again with `full=True`, under the same
    decisions. Raises RuntimeError inside another run.
    """
    if trio.lowlevel.in_trio_run():
        msg = "Attempted to call run() from inside a run()"
        raise RuntimeError(msg)
    runner = SimRunner(clock=clock, full=full, strict_exception_groups=strict_exception_groups, instruments=instruments)
    runner.world = World(runner, seed, values)
    runner.world.faulting = faulting
    if recorder is not None:
        runner.record_by(recorder)
        RECORDING.start(recorder)
    GLOBAL_RUN_CONTEXT.runner = runner
    library, sniffio_library.name = sniffio_library.name, "trio"
    end, root = STOPPED, None
    try:
        if on_start is not None:
            on_start(runner)
        root = None if full else _SPARE_ROOTS.pop() if _SPARE_ROOTS else _LeanRoot()
        end = _drive(runner, main, args, root, drive)
        if not full and end == FINISHED and runner.generators and any(_is_open(ref()) for ref in runner.generators):
            runner.wants_full = True
        return None if runner.wants_full else _describe(runner, end)
    except NeedsFullRunner:
        return None
    except StopExecution:
        return _describe(runner, end)
    except (RacewindowError, KeyboardInterrupt):
        raise  # a schedule that does not fit, Ctrl-C: not of the program's doing
    except BaseException as error:  # noqa: BLE001  # as trio does, whatever crashed outside of the program's tasks
        runner.main_task_outcome = outcome.Error(_internal_error(error))
        return None if runner.wants_full else _describe(runner, FINISHED)
    finally:
        if recorder is not None:
            runner.record_by(None)
            RECORDING.stop()
        if runner.tasks or runner.vanished:
            tear_down(runner)
        if full:
            runner.entry_queue.done = True  # if its task could not say so: a thread may still be calling
            runner.close()
        if root is not None and root.is_as_new():
            _SPARE_ROOTS.append(root)
        runner.record_by(_ENDED)
        # No cycles, so that nothing is left for the garbage collector, which costs more than a step.
        runner.world = runner.current = runner.main_task = runner.main_task_outcome = None
        sniffio_library.name = library
        GLOBAL_RUN_CONTEXT.__dict__.clear()


def _drive(runner: SimRunner, main: Main, args: Sequence[object], root: _LeanRoot | None, drive: Driver) -> str:
    """From the first task to the end; only in here may a watchdog interrupt."""
    runner.driven = True
    try:
        if root is None:
            _start_full(runner, main, args)
        else:
            runner.main_task = _spawn_main(runner, main, args, root)
        return drive(runner)
    finally:
        runner.driven = False


def _spawn_main(runner: SimRunner, main: Main, args: Sequence[object], root: _LeanRoot) -> SimTask:
    try:
        return runner.spawn_impl(main, tuple(args), root, None)
    except TypeError as error:
        name = getattr(main, "__qualname__", repr(main))
        raise UsageError(
            f"{name} is not an async function.", why=str(error), do="give an `async def` function."
        ) from None


def _internal_error(cause: BaseException) -> trio.TrioInternalError:
    """What trio makes of a crash of a system task, of a `run_sync_soon` callback, or of an abort function."""
    if isinstance(cause, trio.TrioInternalError):
        return cause
    error = trio.TrioInternalError(f"a system task, a callback or an abort function crashed: {cause!r}")
    error.__cause__ = cause
    return error


def _is_open(generator: Any) -> bool:
    return generator is not None and generator.ag_frame is not None


def _start_full(runner: SimRunner, main: Main, args: Sequence[object]) -> None:
    """trio's own start: init, which spawns main and the entry-queue task. Both take their first step undecided."""
    runner.asyncgens.install_hooks(runner)
    if "before_run" in runner.instruments.data:
        runner.instruments.call("before_run")
    runner.current_clock().start_clock()
    runner.current = None
    runner.init_task = runner.spawn_impl(runner.init, (main, tuple(args)), None, "<init>", system_task=True)
    while runner.runq and (len(runner.runq) > 1 or runner.runq[0] is not runner.main_task):
        task = next(each for each in runner.runq if each is not runner.main_task)
        runner.runq.remove(task)
        _step_undecided(runner, task)


def _step_undecided(runner: SimRunner, task: SimTask) -> None:
    """A step that is not part of the program under test: trio's init, and its entry-queue task at the start."""
    instruments = runner.instruments
    GLOBAL_RUN_CONTEXT.task = task  # instruments may ask for it
    if "before_task_step" in instruments.data:
        instruments.call("before_task_step", task)
    take_step(runner, task)
    if "after_task_step" in instruments.data:
        instruments.call("after_task_step", task)


def _describe(runner: SimRunner, end: str) -> Raw:
    left = tuple(task for task in runner.tasks if task.path.startswith("main")) if runner.tasks else ()
    stacks: tuple[Stack, ...] = ()
    if end in (BLOCKED, LIMIT):  # before the tasks are taken down, which empties their frames
        stacks = tuple(tuple((f.f_code, f.f_lineno) for f in await_frames(task.coro)) for task in left)
    return Raw(
        end=end,
        result=runner.main_task_outcome,
        left=left,
        stacks=stacks,
        steps=runner.step_serial,
        now_ns=runner.now_ns(),
        recorder=runner.recorder,
        last=runner.current,
        relative_deadlines=runner.racing and runner.time_was_read and runner.deadlines.serial > 0,
    )


class _Teardown(BaseException):
    """Thrown into the tasks of an execution that did not end by itself, until they give up."""


_THROWS_MAX = 50
"""A `finally` block may await; it is thrown at again. More often than this it is left to the collector."""


def tear_down(runner: SimRunner) -> None:
    """End every task that is left, children first.

    `coro.close()` would not do: it fails as soon as a `finally` or a nursery awaits. User code in `finally` blocks runs
    here; nothing that it does is recorded or counts.
    """
    runner.ending = True
    left = [*runner.tasks, *(task for task, _ in runner.vanished)]
    tasks = sorted(left, key=lambda task: task._counter, reverse=True)
    for task in tasks:
        runner.current = GLOBAL_RUN_CONTEXT.task = task
        for _ in range(_THROWS_MAX):
            try:
                runner.driven = True  # what the program does in there may hang as well
                task.context.run(task.coro.throw, _Teardown())
            except BaseException:  # noqa: BLE001  # however it ends, it has ended
                break
            finally:
                runner.driven = False
        nursery = task._parent_nursery
        if nursery is not None:
            nursery._children.discard(task)
        GLOBAL_PARKING_LOT_BREAKER.pop(task, None)
        for child_nursery in task._child_nurseries:
            child_nursery._children.clear()
    runner.tasks.clear()
    runner.vanished.clear()
