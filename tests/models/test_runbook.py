"""A runbook is carried out as it is written, or as a fault of its operator has it."""

from __future__ import annotations

import pytest

import racewindow
from racewindow import Fault
from racewindow_faults import Early, Repeat, Skip, WrongTarget
from racewindow_models.runbook import Step, carry_out

STEPS = ("a", "b", "c", "d")


def carried_out(fault: Fault) -> set[str]:
    """The steps in the order in which they are taken, without the fault and with it at any step."""
    seen = set()

    async def operator() -> None:
        taken: list[str] = []

        def step(name: str) -> Step:
            async def act() -> None:
                taken.append(name)

            return Step(name, act)

        await carry_out([step(name) for name in STEPS])
        seen.add("".join(taken))

    assert racewindow.explore(operator, strategy="dfs", faults=fault).complete
    return seen


@pytest.mark.parametrize(
    ("fault", "orders"),
    [
        (Skip(), {"abcd", "bcd", "acd", "abd", "abc"}),
        (Repeat(), {"abcd", "aabcd", "abbcd", "abccd", "abcdd"}),
        (Early(), {"abcd", "bacd", "acbd", "abdc"}),
        (Early(steps_ahead=3), {"abcd", "dabc", "adbc", "abdc"}),
        (WrongTarget(), {"abcd", "bcd", "acd", "abd", "abc"}),
    ],
)
def test_a_step_is_left_out_repeated_or_done_early_once(fault: Fault, orders: set[str]) -> None:
    assert carried_out(fault) == orders
