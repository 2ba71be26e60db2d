"""GitLab, 2017-01-31: an operator means the secondary and acts on the primary.

What happened [C]: data of some hours were lost; the operator meant to empty the secondary database and emptied the
primary. What is held here: a look at the role guards nothing if the role, or the target, is another one when it is
acted upon. Only a check in the step of the action does, whatever was the reason: a failover in between [I], or the
wrong terminal, as it was in fact.
"""

from __future__ import annotations

import pytest
import trio

import racewindow
from racewindow import Cell, Simulation, StepFault
from racewindow_faults import WrongTarget

WIPE = {
    "role_looked_up": "the operator looks at the role of the database, and empties it in a later step",
    "role_checked": "the command that empties a database refuses to do so on the primary, in the same step",
}


@racewindow.scenario(safeguards=WIPE, faults=[WrongTarget(target="operator")])
async def wipe_the_secondary(sim: Simulation, *, failover: bool = True) -> None:
    """The operator empties the secondary, while a failover may make it the primary."""
    primary = Cell("db-1", name="primary")

    async def fail_over() -> None:
        await trio.lowlevel.checkpoint()
        primary.set("db-2")

    async def empty() -> None:
        fault = await racewindow.fault_point("runbook.step")
        is_elsewhere = isinstance(fault, StepFault) and fault.taken(0, 1)[0] < 0
        target = "db-1" if is_elsewhere else "db-2"
        if sim.safeguard("role_looked_up") and primary.get() == target:
            return
        await trio.lowlevel.checkpoint()
        if sim.safeguard("role_checked") and primary.get() == target:
            return
        racewindow.always(primary.get() != target, "the primary is never emptied")
        sim.emit("emptied", target=target)

    if failover:
        sim.spawn(fail_over, name="failover")
    sim.spawn(empty, name="operator")


def verdict(*safeguards: str, faults: int | None = None, **params: bool) -> str:
    result = racewindow.explore(
        wipe_the_secondary, strategy="dpor", safeguards=safeguards, faults=faults, params=params, shrink=False
    )
    return result.verdict


@pytest.mark.parametrize("faults", [None, 1])
def test_a_look_at_the_role_before_guards_nothing(faults: int | None) -> None:
    assert verdict(faults=faults) == "failure"
    assert verdict("role_looked_up", faults=faults) == "failure"


def test_a_look_at_the_role_helps_only_while_the_role_stands_still() -> None:
    assert verdict(faults=1, failover=False) == "failure"
    assert verdict("role_looked_up", faults=1, failover=False) == "complete"


@pytest.mark.parametrize("faults", [None, 1])
@pytest.mark.parametrize("safeguards", [("role_checked",), ("role_checked", "role_looked_up")])
def test_a_check_in_the_step_of_the_action_closes_it_also_on_the_wrong_terminal(
    safeguards: tuple[str, ...], faults: int | None
) -> None:
    assert verdict(*safeguards, faults=faults) == "complete"
