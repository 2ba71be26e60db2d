"""A process that crashes while it waits may have missed the moment that it waited for: the reduction knows of it."""

from __future__ import annotations

import pytest
import trio

import racewindow
from racewindow import Cell, Instance, Simulation, Supervisor, until


@racewindow.scenario
async def missed(sim: Simulation, *, moments: int = 1, crashes: bool = True) -> None:
    """Somebody waits for a value that passes, and is then crashed by who has set it."""
    value, supervisor = Cell(0, name="value"), Supervisor(sim.spawn)

    async def waits(process: Instance) -> None:
        await until(lambda: value.get() == 1)
        sim.emit("seen", times=process.number)
        await until(lambda: value.get() == 2)

    async def passes() -> None:
        for number in (*[1, 0] * moments, 2):
            await trio.lowlevel.checkpoint()
            value.set(number)
        await trio.lowlevel.checkpoint()
        (instance.crash if crashes else instance.cancel)()

    instance = supervisor.start(waits, "waits")
    sim.spawn(passes, name="passes")


@pytest.mark.parametrize("crashes", [True, False])
@pytest.mark.parametrize("moments", [1, 2])
def test_every_order_is_run_once_also_those_that_the_crash_would_hide(moments: int, *, crashes: bool) -> None:
    params = {"moments": moments, "crashes": crashes}
    every = racewindow.explore(missed, strategy="dfs", params=params)
    reduced = racewindow.explore(missed, strategy="dpor", params=params)

    assert (every.complete, reduced.complete, reduced.redundant) == (True, True, 0)
    assert reduced.executions == reduced.distinct_traces == every.distinct_traces
    assert reduced.executions > 2
