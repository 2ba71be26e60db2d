"""Calls between services: what a caller sees, and what happens to a message that a fault has struck."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import pytest
import trio

import racewindow
from racewindow import (
    Call,
    CallFault,
    CallTimedOutError,
    Cell,
    ConnectionLostError,
    FaultPlan,
    Instance,
    Network,
    Simulation,
    Supervisor,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Late(CallFault):
    """The message takes its time."""

    kind: ClassVar[str] = "late"
    points: ClassVar[tuple[str, ...]] = ("rpc.call",)
    seconds: float = 10.0

    async def carry(self, call: Call, deliver: Callable[[], Awaitable[T]]) -> T:
        await trio.sleep(self.seconds)
        return await deliver()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost(CallFault):
    """The message never arrives."""

    kind: ClassVar[str] = "lost"
    points: ClassVar[tuple[str, ...]] = ("rpc.call",)

    async def carry(self, call: Call, deliver: Callable[[], Awaitable[T]]) -> T:
        assert call.timeout_seconds is not None
        await trio.sleep(call.timeout_seconds)
        raise CallTimedOutError(call.method)


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff(CallFault):
    """The link goes down."""

    kind: ClassVar[str] = "cut-off"
    points: ClassVar[tuple[str, ...]] = ("rpc.call",)

    async def carry(self, call: Call, deliver: Callable[[], Awaitable[T]]) -> T:
        call.link.cut(10)
        return await deliver()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaken(CallFault):
    """A later message arrives first."""

    kind: ClassVar[str] = "overtaken"
    points: ClassVar[tuple[str, ...]] = ("rpc.call",)

    async def carry(self, call: Call, deliver: Callable[[], Awaitable[T]]) -> T:
        await call.link.overtaken(60)
        return await deliver()


class Store:
    """A callee."""

    def __init__(self) -> None:
        self.written: Cell[tuple[object, ...]] = Cell((), name="store")

    async def write(self, value: object) -> int:
        """Add a value; returns how many there are."""
        return len(self.written.update(lambda values: (*values, value)))

    async def refuse(self) -> None:
        """Answer with an error of its own."""
        msg = "refused"
        raise ValueError(msg)


def outcomes(main: Callable[[Simulation], Awaitable[None]], fault: CallFault, strategy: str = "dpor") -> set[str]:
    """What main's tasks emitted, over all orders with at most one such fault."""
    emitted: set[str] = set()

    @racewindow.checker("collect")
    def collect(history: racewindow.History) -> racewindow.Verdict:
        emitted.add(" ".join(str(event.data["value"]) for event in history.events))
        return racewindow.Verdict.holds()

    scenario = racewindow.scenario(checks=[collect])(main)
    result = racewindow.explore(scenario, strategy=strategy, faults=FaultPlan((fault,)), all_failures=True)
    assert (result.failures, result.complete, result.redundant) == ((), True, 0)
    return emitted


async def tried(network: Network, *args: object) -> object:
    """The reply, or the name of the error."""
    try:
        return await network.call("store", *args)  # type: ignore[arg-type]
    except (CallTimedOutError, ConnectionLostError, ValueError) as error:
        return type(error).__name__


def test_a_call_is_answered_and_its_errors_are_the_callers() -> None:
    async def main() -> tuple[object, object]:
        async with trio.open_nursery() as nursery:
            network, store = Network(nursery.start_soon), Store()
            return await tried(network, store.write, "a"), await tried(network, store.refuse)

    assert racewindow.run(main) == (1, "ValueError")


def test_calls_work_under_plain_trio() -> None:
    async def main() -> object:
        async with trio.open_nursery() as nursery:
            store = Store()
            return await Network(nursery.start_soon).call("store", store.write, "a")

    assert trio.run(main) == 1


def test_a_late_message_arrives_after_its_caller_has_given_up() -> None:
    """The outcome of a call that timed out is not known: here it takes effect later."""

    async def main(sim: Simulation) -> None:
        network, store = Network(sim.spawn, timeout_seconds=5), Store()
        reply = await tried(network, store.write, "a")
        in_flight, written = network.in_flight, store.written.get()
        await trio.sleep(60)
        sim.emit("told", value=(reply, in_flight, written, store.written.get()))

    assert outcomes(main, Late()) == {
        "(1, 0, ('a',), ('a',))",
        "('CallTimedOutError', 1, (), ('a',))",
    }


def test_a_lost_message_never_takes_effect() -> None:
    async def main(sim: Simulation) -> None:
        network, store = Network(sim.spawn, timeout_seconds=5), Store()
        reply = await tried(network, store.write, "a")
        await trio.sleep(60)
        sim.emit("told", value=(reply, store.written.get()))

    assert outcomes(main, Lost()) == {"(1, ('a',))", "('CallTimedOutError', ())"}


def test_a_link_that_is_cut_lets_nothing_through_until_it_heals() -> None:
    async def main(sim: Simulation) -> None:
        network, store = Network(sim.spawn), Store()
        replies = []
        for _ in range(3):
            replies.append(await tried(network, store.write, "a"))
            await trio.sleep(6)
        sim.emit("told", value=tuple(replies))

    lost = "'ConnectionLostError'"
    assert outcomes(main, CutOff()) == {
        "(1, 2, 3)",
        f"({lost}, {lost}, 1)",
        f"(1, {lost}, {lost})",
        f"(1, 2, {lost})",
    }


def test_a_later_message_overtakes_an_earlier_one() -> None:
    async def main(sim: Simulation) -> None:
        network, store = Network(sim.spawn), Store()

        async def send(value: str) -> None:
            await network.call("store", store.write, value)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, "first")
            await trio.sleep(1)
            nursery.start_soon(send, "second")
        sim.emit("told", value=store.written.get())

    assert outcomes(main, Overtaken(until_seconds=1)) == {"('first', 'second')", "('second', 'first')"}


def test_a_callee_that_is_down_answers_nobody() -> None:
    async def main(sim: Simulation) -> None:
        network, store, supervisor = Network(sim.spawn), Store(), Supervisor(sim.spawn)

        async def serve(instance: Instance) -> None:
            instance.ready()
            await trio.sleep_forever()

        instance = supervisor.start(serve, "store")
        network.serve("store", lambda: instance)
        before = await tried(network, store.write, "a")
        instance.crash()
        sim.emit("told", value=(before, await tried(network, store.write, "b"), store.written.get()))

    execution = racewindow.replay(main, racewindow.Schedule())
    assert [event.data["value"] for event in execution.events] == [(1, "ConnectionLostError", ("a",))]


@pytest.mark.parametrize("fault", [Late(), CutOff(), Overtaken()], ids=lambda fault: fault.kind)
def test_dpor_sees_what_dfs_sees_with_a_fault_of_a_call(fault: CallFault) -> None:
    async def main(sim: Simulation) -> None:
        network, store = Network(sim.spawn, timeout_seconds=5), Store()

        async def send(value: str) -> None:
            sim.emit("reply", value=f"{value}:{await tried(network, store.write, value)}")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, "a", name="sender-a")
            nursery.start_soon(send, "b", name="sender-b")
        await trio.sleep(60)
        sim.emit("told", value=store.written.get())

    def counted(strategy: str) -> int | None:
        return racewindow.explore(
            main, strategy=strategy, faults=FaultPlan((fault,)), all_failures=True
        ).distinct_traces

    assert counted("dpor") == counted("dfs")
