"""The virtual machine is there inside a step only, refuses what cannot be repeated, and goes without a trace."""

from __future__ import annotations

import copyreg
import datetime as dt
import random
import secrets
import sys
import threading
import time
import types
import typing
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
import structlog
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from racewindow.errors import RealIOError, RealThreadError, UsageError
from racewindow.virtual import EPOCH_NS, MONOTONIC_START_NS, World, install, patching, real, refusal
from tests.harness.virtual_stage import STAGE, WORLD_OF, FakeWorld, Stage, loaded

if typing.TYPE_CHECKING:
    from collections.abc import Callable


# Where it holds, and for whom


@pytest.mark.usefixtures("installed")
def test_a_thread_outside_has_the_real_machine_while_another_is_inside() -> None:
    """A watchdog measures wall time and starts what it likes."""
    measured: list[float] = []

    def watchdog() -> None:
        start = time.monotonic()
        time.sleep(0.01)
        measured.extend((start, time.monotonic(), time.time(), dt.datetime.now(dt.UTC).timestamp()))
        measured.append(ThreadPoolExecutor().submit(time.monotonic).result())

    thread = threading.Thread(target=watchdog)
    with STAGE.step():
        before = time.monotonic()
        STAGE.world, world = None, STAGE.world  # the loop, between two steps
        thread.start()
        STAGE.world = world
        while len(measured) < 5:
            assert time.monotonic() == before == MONOTONIC_START_NS / 1e9
    thread.join()
    start, end, wall, now, later = measured
    assert start + 0.01 <= end <= later <= real.monotonic()
    assert wall == pytest.approx(real.time(), abs=60)
    assert now == pytest.approx(wall, abs=60)


@pytest.mark.usefixtures("installed")
def test_every_place_that_a_program_keeps_a_clock_in_is_found(program: Any) -> None:
    """Globals, parameter defaults, closures, class attributes, and fields of generated classes."""
    with STAGE.step():
        mono, wall, wall_ns = MONOTONIC_START_NS / 1e9, EPOCH_NS / 1e9, EPOCH_NS
        assert program.renamed() == program.default() == mono
        assert program.keyword() == wall
        assert program.closed() == wall_ns
        lease = program.Lease()
        assert lease.clock() == program.Lease.clock() == mono
        assert lease.fixed() == wall
        assert lease.now() == program.Lease.made() == lease.at == wall_ns
        assert program.Record().at == program.Entry().at == wall
        assert program.Record().id.time == uuid.uuid1().time - 1


def test_proxies_and_lazy_modules_are_not_touched() -> None:
    """A module may hold objects that connect or load something when asked for an attribute."""

    class Proxy:
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(name)

    module = types.ModuleType("program_with_proxy")
    vars(module).update(proxy=Proxy(), unset=_with_an_unassigned_variable())
    sys.modules["program_with_proxy"] = module
    sys.modules["not_a_module"] = Proxy()  # type: ignore[assignment]
    try:
        install(WORLD_OF).undo()
    finally:
        del sys.modules["program_with_proxy"], sys.modules["not_a_module"]


def _with_an_unassigned_variable() -> Callable[[], object]:
    def function() -> object:
        return later

    function.__module__ = "program_with_proxy"
    if time.time() > 0:
        return function
    later = 1
    return function


# Coming and going


_COUNT_FOR_THEMSELVES = ("hypothesis.", "_pytest.", "pluggy.")
"""Packages of the test run that change globals of their own at any time, such as on a garbage collection."""


def _places() -> dict[tuple[str, str], object]:
    """Everything that an installation may touch: globals of all modules, and attributes of classes in them."""
    seen: dict[tuple[str, str], object] = {}
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith(_COUNT_FOR_THEMSELVES) or not isinstance(module, types.ModuleType):
            continue
        for name, value in list(vars(module).items()):
            seen[module_name, name] = value
            if isinstance(value, type):
                seen |= {(module_name, f"{name}.{attribute}"): inner for attribute, inner in list(vars(value).items())}
            if isinstance(value, types.FunctionType):
                seen[module_name, f"{name}.__defaults__"] = value.__defaults__
                seen |= {(module_name, f"{name}.{key}="): inner for key, inner in (value.__kwdefaults__ or {}).items()}
    return seen


def test_undo_restores_every_attribute_to_the_identical_object(program: Any) -> None:
    """Also names that were added, and nothing is left over."""
    closure, table = program.closed.__closure__[0].cell_contents, dict(copyreg.dispatch_table)
    installation = install(WORLD_OF)  # the first one imports what it needs
    installation.undo()
    before = _places()
    with install(WORLD_OF):
        during = _places()
    after = _places()
    changed = {place for place, value in during.items() if before.get(place) is not value}
    assert {("time", "time"), ("program_before", "renamed"), ("datetime", "datetime")} <= changed
    assert before.keys() == after.keys()
    assert [place for place, value in after.items() if before[place] is not value] == []
    assert program.closed.__closure__[0].cell_contents is closure
    assert copyreg.dispatch_table == table


def test_modules_imported_meanwhile_are_cleaned_as_well() -> None:
    """They took our stand-ins for the real thing."""
    with install(WORLD_OF):
        importing = loaded("program_meanwhile")
        program = importing.__enter__()
        with STAGE.step():
            assert program.time() == program.Lease.fixed() == program.Record().at == EPOCH_NS / 1e9
            assert program.Lease().clock() == MONOTONIC_START_NS / 1e9
    try:
        assert program.time is time.time
        assert program.datetime is dt.datetime
        assert program.default.__defaults__ == (time.monotonic,)
        assert program.keyword.__kwdefaults__ == {"clock": time.time}
        assert program.closed.__closure__[0].cell_contents is time.time_ns
        assert vars(program.Lease)["clock"] is time.monotonic
        assert program.Lease.fixed is time.time
        assert type(program.Derived.now()) is program.Derived
        assert abs(program.Record().at - real.time()) < 60
        with install(_another_world_of), OTHER_STAGE.step():  # its base class is a stand-in of the first installation
            assert program.Derived.now() == dt.datetime(2026, 1, 19, 4, 30)
    finally:
        importing.__exit__(None, None, None)


OTHER_STAGE = Stage()


def _another_world_of() -> World | None:
    return OTHER_STAGE.world


def test_type_caches_do_not_keep_a_stand_in() -> None:
    """`Optional[X]` is cached by equality."""
    with install(WORLD_OF):
        assert typing.Optional[dt.datetime] is not None  # noqa: UP045  # the cached form
    assert typing.Optional[dt.datetime].__args__[0] is dt.datetime  # type: ignore[attr-defined]  # noqa: UP045


def test_installations_of_one_world_nest_and_others_are_refused() -> None:
    """The last undo counts, and undoing twice counts once."""
    original = time.time
    outer, inner = install(WORLD_OF), install(WORLD_OF)
    with pytest.raises(UsageError, match="Another exploration"):
        install(_another_world_of)
    inner.undo()
    inner.undo()
    assert time.time is not original
    outer.undo()
    assert time.time is original
    install(_another_world_of).undo()


def test_a_failing_installation_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no")

    before = _places()
    with monkeypatch.context() as patch:
        patch.setattr(refusal, "patch_methods", fail)
        with pytest.raises(RuntimeError):
            install(WORLD_OF)
    after = _places()
    assert [place for place, value in after.items() if before.get(place, value) is not value] == []
    install(WORLD_OF).undo()


def test_a_mock_stays_in_force_and_is_not_clobbered(monkeypatch: pytest.MonkeyPatch, program: Any) -> None:
    """One made before means what it says; one made meanwhile is its maker's to put back."""

    def mocked() -> float:
        return 123.0

    original = time.monotonic
    monkeypatch.setattr(time, "time", mocked)
    installation = install(WORLD_OF)
    with STAGE.step():
        assert time.time() == 123
        assert program.monotonic() == MONOTONIC_START_NS / 1e9
    ours, time.monotonic = time.monotonic, mocked
    program.default.__defaults__, program.closed.__closure__[0].cell_contents = (mocked,), mocked
    program.Lease.clock = mocked
    installation.undo()
    assert time.time is time.monotonic is mocked
    assert program.default() == program.closed() == program.Lease.clock() == 123
    assert ours() <= original() <= ours()
    time.monotonic = original


def test_classes_written_in_c_are_left_alone() -> None:
    """There is no way to patch them, and asking must not fail."""
    ledger = patching.Ledger()
    assert not ledger.set_class_attribute(int, "now", None)
    ledger.undo()
    assert not hasattr(int, "now")


def test_replacements_look_like_what_they_replace() -> None:
    """To help(), to debuggers and to pickle."""
    with install(WORLD_OF):
        assert (time.time.__name__, time.time.__module__, time.time.__doc__) == ("time", "time", real.time.__doc__)
        assert random.random.__module__ == "random"  # the original says None
        assert "virtual inside an execution" in repr(time.time)
        assert random.Random.seed.__qualname__ == "Random.seed"
        assert (dt.datetime.__name__, dt.datetime.__module__, repr(dt.date)) == (
            *("datetime", "datetime"),
            "<class 'datetime.date'>",
        )


def test_the_harness_keeps_the_real_functions() -> None:
    """Frozen, and not virtual inside a step."""
    with install(WORLD_OF), STAGE.step():
        assert abs(real.time_ns() - real.time() * 1e9) < 60e9
        assert real.monotonic_ns() <= real.perf_counter_ns() + 60e9
        assert real.urandom(16) != real.urandom(16)
        with pytest.raises(AttributeError):
            real.time = real.monotonic  # type: ignore[misc]


# Together with others


@pytest.mark.usefixtures("installed")
@given(st.integers(), st.datetimes(), st.uuids(), st.randoms())
def test_hypothesis_works_while_installed(number: int, moment: dt.datetime, key: uuid.UUID, rng: random.Random) -> None:
    """It draws, measures and shrinks outside of steps."""
    assert isinstance(moment, dt.datetime)
    with STAGE.step() as world:
        time.sleep(number % 7)
        assert world.at_ns == number % 7 * 10**9
        assert 0 <= rng.random() < 1
        assert random.random() == FakeWorld().entropy().random()
    assert key == uuid.UUID(str(key))


class StepByStep(trio.abc.Instrument):
    """Tells the stage which task is inside a step, as the runtime will.

    Not for trio's own tasks, which read its wake-up socket.
    """

    def __init__(self, world: FakeWorld) -> None:
        self.world = world

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if not task.name.startswith("<"):
            self.world.task, STAGE.world = task.name, self.world

    def after_task_step(self, task: trio.lowlevel.Task) -> None:  # the signature is trio's
        STAGE.world = None


@pytest.mark.usefixtures("installed")
def test_trio_and_anyio_work_within_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in them asks for what is refused, as long as the program does not."""
    # A thread that an earlier test has left idle would be taken instead of a new one.
    monkeypatch.setattr("trio._core._thread_cache.THREAD_CACHE._idle_workers", {})
    seen: list[object] = []

    async def talk(left: trio.abc.Stream, right: trio.abc.Stream) -> None:
        await left.send_all(b"hello")
        seen.append(await right.receive_some())

    async def draw(send: anyio.abc.ObjectSendStream[str]) -> None:
        await anyio.sleep(random.random())
        async with send, anyio.Lock():
            await send.send(secrets.token_hex(4))

    async def main() -> None:
        send, receive = anyio.create_memory_object_stream[str](1)
        async with receive, trio.open_nursery() as nursery, anyio.create_task_group() as group:
            nursery.start_soon(talk, *trio.testing.memory_stream_pair())
            group.start_soon(draw, send)
            structlog.get_logger().info("drawn", token=await receive.receive())
        with trio.move_on_after(5), anyio.CancelScope(shield=True):
            await trio.sleep(3)
        with pytest.raises(TimeoutError), anyio.fail_after(1):
            await anyio.Event().wait()
        with pytest.raises(RealThreadError):
            await trio.to_thread.run_sync(int)  # which is why the runtime runs it inline
        with pytest.raises(RealIOError):
            await trio.open_tcp_stream("localhost", 1)
        seen.append(time.time())

    def run() -> tuple[object, ...]:
        world, clock = FakeWorld(), trio.testing.MockClock(autojump_threshold=0)
        seen.clear()
        trio.run(main, clock=clock, instruments=[StepByStep(world)])
        return (*seen, *(stream.random() for stream in world.streams.values()))

    first = run()
    assert first[:2] == (b"hello", EPOCH_NS / 1e9)
    assert run() == first
