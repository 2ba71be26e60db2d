"""Calls recorded by the network as a history, judged against a sequential model: faults of the network show in it."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import racewindow
from racewindow import CallError, Cell, Fault, FaultPlan, Model, Network, Result, Simulation, linearizable
from racewindow_faults.network import Delay, Drop, Duplicate, Reset, Timeout


def step(total: int, name: str) -> tuple[int, int] | None:
    """A counter that answers with its new value."""
    return (total + 1, total + 1) if name == "increment" else None


@racewindow.scenario(checks=[linearizable(Model(0, step))])
async def counter(sim: Simulation) -> None:
    """Two clients count, each once."""
    network = Network(sim.spawn, timeout_seconds=5, records=sim.operation)
    total = Cell(0, name="total")

    async def increment() -> int:
        return total.update(lambda value: value + 1)

    async def client() -> None:
        try:
            await network.call("counter", increment)
        except CallError as error:
            sim.log.info("no reply", why=str(error))
        await trio.lowlevel.checkpoint()
        try:
            await network.call("counter", increment)
        except CallError as error:
            sim.log.info("no reply", why=str(error))

    sim.spawn(client, name="client-1")
    sim.spawn(client, name="client-2")


def explored(fault: Fault, **options: Any) -> Result:
    return racewindow.explore(
        counter,
        strategy="random",
        schedules=300,
        faults=FaultPlan((fault,)),
        all_failures=True,
        shrink=False,
        **options,
    )


@pytest.mark.parametrize(
    "fault",
    [Delay(), Drop(), Reset(when="before"), Reset(when="after"), Timeout(outcome="done"), Timeout(outcome="late")],
    ids=lambda fault: fault.text,
)
def test_a_call_without_a_reply_may_have_taken_effect_or_not(fault: Fault) -> None:
    """Its outcome is unknown, so no history of such a counter is wrong."""
    result = explored(fault)
    assert result.faults_struck[fault.kind] > 50
    assert result.failures == ()


def test_a_call_that_arrives_twice_is_no_history_of_a_counter() -> None:
    result = explored(Duplicate())
    assert {(failure.checker, failure.kind) for failure in result.failures} == {("linearizable", "violation")}
    assert result.failing > 50


def test_without_records_no_operation_is_in_the_history() -> None:
    async def plain(sim: Simulation) -> None:
        async def nothing() -> None:
            pass

        await Network(sim.spawn).call("anybody", nothing)
        sim.emit("done")

    execution = racewindow.replay(plain, racewindow.Schedule())
    assert [event.kind for event in execution.events] == ["done"]
