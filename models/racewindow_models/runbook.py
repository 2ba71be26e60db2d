"""The runbook of a maintenance window, as the operator carries it out: named steps, one after the other.

Before each step is the fault point `runbook.step`: the operator may skip one, repeat it or take it early. Stopping and
starting go through the supervisor, so services may crash, hang or live on meanwhile.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import racewindow
from racewindow import StepFault


class Step(NamedTuple):
    """One step of a runbook: what people call it, and what is done."""

    name: str
    act: Callable[[], Awaitable[None]]


async def carry_out(steps: Sequence[Step]) -> None:
    """Take the steps in order, or as a fault of the operator has it; a step on the wrong target does nothing here."""
    early: set[int] = set()
    for number in range(len(steps)):
        if number in early:
            continue
        fault = await racewindow.fault_point("runbook.step")
        for taken in fault.taken(number, len(steps)) if isinstance(fault, StepFault) else (number,):
            if taken >= 0:
                await steps[taken].act()
            if taken > number:
                early.add(taken)
