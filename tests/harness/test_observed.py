"""What checkers see counts as shared: over generated programs, reduction shows what all interleavings show."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

import racewindow
from racewindow import Cell, Checker, Model, Simulation


class Call(NamedTuple):
    """One operation of a client: how many checkpoints come before, and how many before its answer."""

    name: str
    key: str
    before: int
    under_way: int
    ends: bool


CALLS = st.builds(
    Call,
    st.sampled_from(["read", "write"]),
    st.sampled_from(["x", "y"]),
    st.integers(0, 1),
    st.integers(0, 1),
    st.sampled_from([True, True, True, False]),
)
CLIENTS = st.lists(st.lists(CALLS, min_size=1, max_size=2), min_size=2, max_size=3).filter(
    lambda clients: sum(1 + call.before + call.under_way for calls in clients for call in calls) <= 7
)


def step(state: int, name: str, *args: int) -> tuple[int, int | None]:
    """A register."""
    return (args[0], None) if name == "write" else (state, state)


def program(clients: list[list[Call]], *, replicated: bool) -> Any:
    """Clients of two registers. With replicas, each reads what it has written itself, which nobody else touches."""

    @racewindow.scenario(checks=[racewindow.linearizable(Model(initial=0, step=step), name="registers")])
    async def registers(sim: Simulation) -> None:
        shared = {key: Cell(0, name=key) for key in ("x", "y")}

        async def client(number: int, calls: list[Call]) -> None:
            own = {key: Cell(0, name=f"{key}{number}") for key in shared} if replicated else shared
            for call in calls:
                for _ in range(call.before):
                    await trio.lowlevel.checkpoint()
                args = (number + 1,) if call.name == "write" else ()
                with sim.operation(call.name, *args, key=call.key) as operation:
                    result = own[call.key].get() if call.name == "read" else None
                    if args:
                        own[call.key].set(*args)
                    for _ in range(call.under_way):
                        await trio.lowlevel.checkpoint()
                    if call.ends:
                        operation.returned(result)

        for number, calls in enumerate(clients):
            sim.spawn(client, number, calls)

    return registers


@pytest.mark.slow
@given(CLIENTS, st.booleans())
def test_orders_of_calls_and_returns_are_all_explored(clients: list[list[Call]], replicated: bool) -> None:  # noqa: FBT001
    """With replicas no step touches what another one does: only the checker can tell the orders apart."""
    target = program(clients, replicated=replicated)
    by_dpor = racewindow.explore(target, strategy="dpor", all_failures=True, schedules=20_000)
    by_dfs = racewindow.explore(target, strategy="dfs", all_failures=True, schedules=20_000)

    assert by_dpor.untrusted == ""
    assert by_dpor.complete
    assert by_dpor.redundant == 0
    if by_dfs.complete:
        assert {each.group for each in by_dpor.failures} == {each.group for each in by_dfs.failures}
        assert by_dpor.executions <= by_dfs.executions


@pytest.mark.slow
@settings(max_examples=max(5, settings().max_examples // 4))
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=2),
    st.integers(0, 3),
    st.integers(0, 1),
)
def test_orders_of_events_and_the_racing_clock_are_all_explored(
    sleepers: list[tuple[int, int]], within: int, checkpoints: int
) -> None:
    """Nobody reads the clock, and yet it matters when something happens."""
    checks: list[Checker] = [
        racewindow.eventually(lambda event: event.kind == "done", within=within, name="in time"),
        racewindow.leads_to(
            lambda event: event.kind == "begun", lambda event: event.kind == "done", within=within, name="answered"
        ),
    ]

    @racewindow.scenario(checks=checks)
    async def scenario(sim: Simulation) -> None:
        async def sleeper(first: int, second: int) -> None:
            sim.emit("begun")
            for seconds in (first, second):
                await (trio.sleep(seconds) if seconds else trio.lowlevel.checkpoint())

        for each in sleepers:
            sim.spawn(sleeper, *each)
        for _ in range(checkpoints):
            await trio.lowlevel.checkpoint()
        sim.emit("done")

    by_dpor = racewindow.explore(scenario, strategy="dpor", clock="racing", all_failures=True, schedules=20_000)
    by_dfs = racewindow.explore(scenario, strategy="dfs", clock="racing", all_failures=True, schedules=20_000)

    assert by_dpor.untrusted == ""
    assert by_dpor.complete
    if by_dfs.complete:
        assert {each.group for each in by_dpor.failures} == {each.group for each in by_dfs.failures}
