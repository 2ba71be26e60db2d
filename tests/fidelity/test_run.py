"""`racewindow.run` at its edges: what `trio.run` returns, raises, says and leaves behind, it does as well."""

from __future__ import annotations

import contextvars
import functools
import re
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from typing import Any, NoReturn

import outcome as outcome_of
import pytest
import sniffio
import trio
from trio.testing import MockClock

import racewindow
from racewindow.running import DeadlockError

RUNS: dict[str, Callable[..., Any]] = {
    "trio": trio.run,
    "racewindow, trio semantics": racewindow.run,
    "racewindow, processes semantics": functools.partial(racewindow.run, semantics="processes", seed=3),
}
OURS = [run for name, run in RUNS.items() if name != "trio"]


def described(error: BaseException) -> object:
    """An exception by all that a program can tell it by: type, message without addresses, parts, cause and context."""
    if isinstance(error, BaseExceptionGroup):
        parts: list[object] = sorted((described(each) for each in error.exceptions), key=repr)
        return (type(error), error.message, parts)
    text = re.sub(r"0x[0-9a-f]+", "0x…", str(error))
    links = [None if e is None else described(e) for e in (error.__cause__, error.__context__)]
    return (type(error), text, error.__suppress_context__, links)


def outcome(run: Callable[..., Any], *args: Any, **options: Any) -> object:
    try:
        return ("returned", run(*args, **options))
    except BaseException as error:  # noqa: BLE001  # whatever it is, it is compared
        return ("raised", described(error))


def same_for_all(make: Callable[[], tuple[Any, ...]], **options: Any) -> object:
    """Run what `make` makes under each of the three; returns the outcome that they agree on."""
    outcomes = {name: outcome(run, *make(), **options) for name, run in RUNS.items()}
    assert len({repr(each) for each in outcomes.values()}) == 1, outcomes
    return outcomes["trio"]


# --- what is run -----------------------------------------------------------------------------------------------------


async def returns(*values: object) -> object:
    return values


async def raises(error: BaseException) -> NoReturn:
    raise error


async def fails_in_nursery(*errors: BaseException) -> None:
    async with trio.open_nursery() as nursery:
        for each in errors:
            nursery.start_soon(raises, each)


async def fails_while_handling() -> None:
    try:
        await raises(KeyError("first"))
    except KeyError as error:
        raise ValueError("second") from error


async def is_cancelled_from_within() -> str:
    with trio.CancelScope() as scope:
        scope.cancel()
        await trio.sleep_forever()
    return f"cancelled: {scope.cancelled_caught}"


async def leaks_cancelled() -> None:
    """`Cancelled` outside of its scope: the program keeps it and raises it later."""
    kept: list[trio.Cancelled] = []
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await trio.sleep_forever()
        except trio.Cancelled as error:
            kept.append(error)
            raise
    raise kept[0]


async def presses_ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)
    await trio.sleep(1)


async def has_a_child_that_presses_ctrl_c() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(presses_ctrl_c)
        await trio.sleep_forever()


async def looks_at_itself() -> object:
    task = trio.lowlevel.current_task()
    await trio.lowlevel.checkpoint()
    return (task.name, task.parent_nursery is not None, len(task.child_nurseries))


class Foreign:
    """Awaitable of another framework."""

    def __await__(self) -> Generator[str, None, None]:
        yield "something of asyncio's"


async def awaits_foreign() -> None:
    await Foreign()


@pytest.mark.parametrize(
    "program",
    [
        (returns,),
        (returns, 1, "two"),
        pytest.param((functools.partial(returns, 1), 2), id="partial"),
        (raises, ValueError("mine")),
        (raises, KeyboardInterrupt()),
        (raises, KeyboardInterrupt("with a text")),
        (raises, SystemExit(3)),
        (raises, GeneratorExit()),
        (raises, StopAsyncIteration()),
        (raises, trio.TooSlowError()),
        (fails_in_nursery, ValueError("a")),
        (fails_in_nursery, ValueError("a"), KeyError("b")),
        (fails_in_nursery, KeyboardInterrupt()),
        (fails_in_nursery, SystemExit(1), ValueError("a")),
        (fails_while_handling,),
        (is_cancelled_from_within,),
        (leaks_cancelled,),
        (presses_ctrl_c,),
        (has_a_child_that_presses_ctrl_c,),
        (looks_at_itself,),
        (awaits_foreign,),
    ],
    ids=lambda program: f"{getattr(program[0], '__name__', program[0])}{program[1:]}",
)
def test_outcomes_are_those_of_trio_run(program: tuple[Any, ...]) -> None:
    same_for_all(lambda: _fresh(program))


def _fresh(program: tuple[Any, ...]) -> tuple[Any, ...]:
    """The program with exceptions of its own: raising one changes it."""
    return tuple(type(each)(*each.args) if isinstance(each, BaseException) else each for each in program)


@pytest.mark.filterwarnings("ignore:coroutine 'returns' was never awaited:RuntimeWarning")
@pytest.mark.parametrize(
    "make",
    [
        lambda: (returns(1),),  # called instead of handed over
        lambda: (lambda: 5,),  # not async
        lambda: (len, "abc"),
        lambda: (returns, *[]),
        lambda: (yields, 0),  # an async generator
        lambda: (Foreign,),
        lambda: (3,),
        lambda: (needs_an_argument,),
        lambda: (needs_an_argument, 1, 2),
    ],
)
def test_misuse_is_told_in_trios_words(make: Callable[[], tuple[Any, ...]]) -> None:
    same_for_all(make)


def test_unknown_semantics_are_refused() -> None:
    with pytest.raises(racewindow.UsageError, match="there is no semantics called 'process'") as info:
        racewindow.run(returns, semantics="process")
    assert "did you mean 'processes'?" in str(info.value)


async def needs_an_argument(value: int) -> int:
    return value


async def yields(value: int) -> AsyncGenerator[int]:
    yield value


@pytest.mark.parametrize("outer", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("inner", RUNS.values(), ids=RUNS)
def test_a_run_inside_a_run_is_refused(outer: Callable[..., Any], inner: Callable[..., Any]) -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match=r"^Attempted to call run\(\) from inside a run\(\)$"):
            inner(returns)
        await trio.sleep(0)  # the outer one is unharmed
        assert trio.lowlevel.in_trio_task()

    outer(main)
    assert not trio.lowlevel.in_trio_run()


def test_loose_exception_groups_are_those_of_trio_run() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", trio.TrioDeprecationWarning)
        alone = same_for_all(lambda: (fails_in_nursery, ValueError("a")), strict_exception_groups=False)
        both = same_for_all(lambda: (fails_in_nursery, ValueError("a"), KeyError("b")), strict_exception_groups=False)

    assert "ExceptionGroup" not in repr(alone)
    assert "ExceptionGroup" in repr(both)


def test_loose_exception_groups_are_deprecated_as_in_trio_run() -> None:
    for run in RUNS.values():
        with pytest.warns(trio.TrioDeprecationWarning, match="strict_exception_groups=False") as record:
            run(returns, strict_exception_groups=False)
        assert record[0].filename == __file__


@pytest.mark.parametrize("restrict", [False, True])
def test_restricting_ctrl_c_is_accepted(restrict: bool) -> None:  # noqa: FBT001
    same_for_all(lambda: (returns, 1), restrict_keyboard_interrupt_to_checkpoints=restrict)


# --- surroundings ----------------------------------------------------------------------------------------------------

VARIABLE = contextvars.ContextVar("VARIABLE", default="unset")


def test_context_variables_go_in_and_do_not_come_out() -> None:
    async def main() -> list[str]:
        seen = [VARIABLE.get()]
        VARIABLE.set("main")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child, seen)
        return [*seen, VARIABLE.get(), await trio.to_thread.run_sync(VARIABLE.get)]

    async def child(seen: list[str]) -> None:
        seen.append(VARIABLE.get())
        VARIABLE.set("child")

    def outside() -> tuple[object, str]:
        VARIABLE.set("outside")
        return same_for_all(lambda: (main,)), VARIABLE.get()

    result, after = contextvars.copy_context().run(outside)
    assert result == ("returned", ["outside", "main", "main", "main"])
    assert after == "outside"


def test_run_variables_belong_to_their_run() -> None:
    variable = trio.lowlevel.RunVar("variable", "unset")

    async def main() -> str:
        before = variable.get()
        variable.set("set")
        return before

    for run in [*RUNS.values()] * 2:
        assert run(main) == "unset"


def test_nothing_is_left_behind() -> None:
    hooks, patched = (
        sys.get_asyncgen_hooks(),
        [trio.sleep, time.time, trio.lowlevel.checkpoint, threading.Condition.wait],
    )

    async def main() -> None:
        assert sniffio.current_async_library() == "trio"
        await trio.to_thread.run_sync(int)
        raise KeyError

    for run in OURS:
        with pytest.raises(KeyError):
            run(main)
        assert not trio.lowlevel.in_trio_run()
        assert sys.get_asyncgen_hooks() == hooks
        assert [trio.sleep, time.time, trio.lowlevel.checkpoint, threading.Condition.wait] == patched
        with pytest.raises(sniffio.AsyncLibraryNotFoundError):
            sniffio.current_async_library()


def test_tracebacks_show_the_program_only() -> None:
    """As with trio: between the call of `run` and the program there is nothing but the frame of `run`."""

    def frames(run: Callable[..., Any]) -> list[str]:
        try:
            run(raises, ValueError())
        except ValueError as error:
            return [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        raise AssertionError

    assert [frames(run) for run in RUNS.values()] == [["frames", "run", "raises"]] * 3


def test_start_guest_run_is_trios_own() -> None:
    """Inside a host loop of somebody else nothing is ours to decide."""

    async def main() -> str:
        await trio.sleep(0.001)
        return type(trio.lowlevel.current_clock()).__name__

    def guest() -> object:
        todo: list[Callable[[], object]] = []
        wake = threading.Event()
        ended: list[outcome_of.Outcome[str]] = []

        def soon(function: Callable[[], object]) -> None:
            todo.append(function)
            wake.set()

        trio.lowlevel.start_guest_run(
            main, run_sync_soon_threadsafe=soon, done_callback=ended.append, host_uses_signal_set_wakeup_fd=True
        )
        while not ended:
            wake.wait(10)
            wake.clear()
            while todo:
                todo.pop(0)()
        return ended[0].unwrap()

    before = guest()
    racewindow.run(returns)
    assert guest() == before == "SystemClock"


def test_trio_run_in_another_thread_is_trios_own() -> None:
    """While a run of ours is in progress, also in what we have patched."""

    async def main() -> None:
        found: list[object] = []
        thread = threading.Thread(target=lambda: found.append(trio.run(elsewhere)))
        thread.start()
        thread.join()
        assert found == [("SystemClock", "thread", "too late", 3)]

    async def elsewhere() -> tuple[str, str, str, int]:
        with trio.move_on_after(0.001) as scope:
            await trio.sleep(0.001)
            await trio.sleep_forever()
        steps = 0
        for _ in range(3):
            await trio.lowlevel.checkpoint()
            steps += 1
        name = await trio.to_thread.run_sync(lambda: "loop" if trio.lowlevel.in_trio_run() else "thread")
        late = "too late" if scope.cancelled_caught else "in time"
        return type(trio.lowlevel.current_clock()).__name__, name, late, steps

    racewindow.run(main)


# --- clocks and instruments ------------------------------------------------------------------------------------------


async def naps(seconds: float) -> float:
    before = trio.current_time()
    await trio.sleep(seconds)
    return trio.current_time() - before


def test_without_a_clock_time_is_virtual() -> None:
    start = time.perf_counter()
    assert [run(naps, 1e6) for run in OURS] == [1e6, 1e6]
    assert time.perf_counter() - start < 100


class RealClock(trio.abc.Clock):
    def start_clock(self) -> None:
        """Nothing to start."""

    def current_time(self) -> float:
        return REAL_MONOTONIC()

    def deadline_to_sleep_time(self, deadline: float) -> float:
        return deadline - self.current_time()


REAL_MONOTONIC = time.monotonic


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_a_clock_in_real_time_is_waited_for(run: Callable[..., Any]) -> None:
    start = REAL_MONOTONIC()
    slept = run(naps, 0.05, clock=RealClock())
    assert 0.05 <= slept <= REAL_MONOTONIC() - start


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_a_mock_clock_with_a_rate_runs_at_that_rate(run: Callable[..., Any]) -> None:
    start = REAL_MONOTONIC()
    slept = run(naps, 50, clock=MockClock(rate=1000))
    assert 50 <= slept <= (REAL_MONOTONIC() - start) * 1000


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_a_mock_clock_that_jumps_is_jumped(run: Callable[..., Any]) -> None:
    clock = MockClock(autojump_threshold=0)
    assert run(naps, 1000, clock=clock) == 1000
    assert clock.current_time() == 1000


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_a_mock_clock_that_stands_is_moved_by_the_program(run: Callable[..., Any]) -> None:
    clock = MockClock()

    async def main() -> float:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 10)
            await trio.testing.wait_all_tasks_blocked()
            clock.jump(4)
            await trio.testing.wait_all_tasks_blocked()
            clock.jump(6)
        return trio.current_time()

    assert run(main, clock=clock) == 10


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize(
    ("clock", "first"),
    [
        (None, ["deadline", "cushion", "later"]),
        (RealClock(), ["deadline", "cushion", "later"]),
        (MockClock(rate=1), ["deadline", "cushion", "later"]),
        (MockClock(autojump_threshold=0), ["cushion", "deadline", "later"]),  # it is real time, which does not pass
    ],
    ids=["none", "real", "mock with a rate", "mock that jumps"],
)
def test_a_cushion_is_weighed_against_deadlines_in_real_time(
    run: Callable[..., Any], clock: trio.abc.Clock | None, first: list[str]
) -> None:
    async def main() -> list[str]:
        order = []

        async def sleeper(seconds: float, name: str) -> None:
            await trio.sleep(seconds)
            order.append(name)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleeper, 0.01, "deadline")
            nursery.start_soon(sleeper, 0.3, "later")
            await trio.testing.wait_all_tasks_blocked(0.05)
            order.append("cushion")
        return order

    assert run(main, clock=clock) == first


def test_where_trio_would_hang_there_is_an_error() -> None:
    async def main() -> None:
        await trio.Event().wait()

    for run in OURS:
        for clock in (None, MockClock(), MockClock(autojump_threshold=0), RealClock()):
            with pytest.raises(DeadlockError, match=r"main waits in trio\.Event\.wait"):
                run(main, clock=clock)


@pytest.mark.parametrize("run", OURS)
def test_a_thread_of_the_programs_own_is_not_waited_for(run: Callable[..., Any]) -> None:
    """trio would wait; here the operating system would choose when it comes."""
    enough = threading.Event()

    async def main() -> None:
        thread = threading.Thread(target=enough.wait, args=(60,), name="courier")
        thread.start()
        await trio.sleep(1)  # that virtual time passes is no reason to complain
        await trio.Event().wait()

    with pytest.raises(racewindow.RealThreadError, match="waiting for the thread 'courier' asks for a real thread"):
        run(main)
    enough.set()


class Recorder(trio.abc.Instrument):
    """Writes down what it is told, by the name of the task."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def before_run(self) -> None:
        self.told.append("before run")

    def after_run(self) -> None:
        self.told.append("after run")

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        self._tell("spawned", task)

    def task_scheduled(self, task: trio.lowlevel.Task) -> None:
        self._tell("scheduled", task)

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._tell("before", task)

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self._tell("after", task)

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        self._tell("exited", task)

    def _tell(self, what: str, task: trio.lowlevel.Task) -> None:
        if "<" not in task.name.replace("<locals>", ""):  # trio's own tasks step when they like
            self.told.append(f"{what} {task.name.rpartition('.')[2]}")


async def busy() -> None:
    await trio.lowlevel.checkpoint()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(naps, 1)
    with trio.move_on_after(1):
        await trio.sleep(2)
    await trio.lowlevel.cancel_shielded_checkpoint()
    await trio.sleep(0)


def told(run: Callable[..., Any], main: Callable[..., Awaitable[object]], recorders: Iterable[Recorder]) -> list[str]:
    run(main, clock=MockClock(autojump_threshold=0), instruments=list(recorders))
    return [line for each in recorders for line in each.told]


def test_instruments_are_told_the_same_in_the_same_order() -> None:
    expected, *others = [told(run, busy, [Recorder()]) for run in RUNS.values()]

    assert others == [expected, expected]
    assert expected[0] == "before run" and expected[-1] == "after run"
    assert len(expected) > 20


def test_instruments_can_come_and_go_during_a_run() -> None:
    def one(run: Callable[..., Any]) -> list[str]:
        late = Recorder()

        async def main() -> None:
            trio.lowlevel.add_instrument(late)
            await busy()
            trio.lowlevel.remove_instrument(late)
            await busy()

        run(main, clock=MockClock(autojump_threshold=0))
        return late.told

    expected, *others = [one(run) for run in RUNS.values()]
    assert others == [expected, expected]
    assert len(expected) > 20


# --- what crashes outside of the program's tasks ---------------------------------------------------------------------


async def system_task_crashes() -> None:
    trio.lowlevel.spawn_system_task(raises, KeyError("system"))
    await trio.sleep_forever()


async def callback_crashes() -> None:
    trio.lowlevel.current_trio_token().run_sync_soon(dict[str, int]().__getitem__, "callback")
    await trio.sleep_forever()


async def abort_function_crashes() -> None:
    def abort(_: object) -> NoReturn:
        raise KeyError("abort")

    with trio.move_on_after(1):
        await trio.lowlevel.wait_task_rescheduled(abort)


@pytest.mark.parametrize("program", [system_task_crashes, callback_crashes, abort_function_crashes])
def test_a_crash_outside_of_the_programs_tasks_is_an_internal_error(program: Callable[[], Awaitable[None]]) -> None:
    causes = []
    # trio itself leaves tasks behind in an endless wait if an abort function crashes.
    runs = OURS if program is abort_function_crashes else RUNS.values()
    for run in runs:
        with pytest.raises(trio.TrioInternalError) as info:
            run(program, clock=MockClock(autojump_threshold=0))
        assert info.value.__cause__ is not None
        causes.append(_leaf(info.value.__cause__))

    assert [(type(cause), cause.args) for cause in causes] == [(KeyError, (program.__name__.partition("_")[0],))] * len(
        causes
    )


def _leaf(error: BaseException) -> BaseException:
    return _leaf(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


@pytest.mark.parametrize("program", [system_task_crashes, callback_crashes, abort_function_crashes])
def test_exploring_reports_it_as_an_exception(program: Callable[[], Awaitable[None]]) -> None:
    result = racewindow.explore(program, schedules=3, strategy="random")

    assert not result.untrusted
    assert [failure.kind for failure in result.failures] == ["exception"]
    assert result.failures[0].message.startswith(
        "trio.TrioInternalError: a system task, a callback or an abort function"
    )


def test_a_run_can_follow_one_that_crashed() -> None:
    for run in OURS:
        with pytest.raises(trio.TrioInternalError):
            run(system_task_crashes)
        assert run(naps, 5) == 5
