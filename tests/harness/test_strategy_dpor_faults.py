"""The optimal reduction of random small programs that faults may strike, against searches that run every order.

The laws are those of `test_strategy_dpor_programs`, with fault decisions among the choices of a step: what a step may
decide depends on the order, on the budget that is left, and on who has crashed.
"""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from racewindow.faults import FaultPlan
from racewindow.runtime.execution import Environment
from racewindow.strategies import dpor, search_tree, wakeup
from racewindow.strategies.labels import Budget
from tests.harness.dpor_oracle import TooManyOrdersError, faults
from tests.harness.fault_programs import (
    FAMILIES,
    ChooseIf,
    Double,
    Exposed,
    ExposedIf,
    Idle,
    Lose,
    exposed_programs,
    plans,
)
from tests.strategies import Cancel, Program, Read, Update, Write

EXAMPLES = settings().max_examples
ORDERS = [10, 30] if EXAMPLES <= 50 else [30, 100, 300]
slow_to_draw = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@pytest.fixture(scope="module", autouse=True)
def _environment() -> Iterator[None]:
    """What an exploration installs, kept between them."""
    with Environment(footprints=True):
        yield


def wrong_with(program: Program, plan: FaultPlan) -> list[str]:
    """What is wrong with the reduction of a program, in words."""
    try:
        return faults(program, clock="idle", plan=plan)
    except TooManyOrdersError:
        assume(False)
        raise


@pytest.mark.parametrize("family", FAMILIES)
@settings(slow_to_draw, max_examples=max(EXAMPLES // 4, 5))
@given(data=st.data())
def test_programs_that_one_fault_may_strike_are_reduced_to_their_traces(family: str, data: st.DataObject) -> None:
    """Each trace once, all outcomes, and nothing begun in vain."""
    program = data.draw(exposed_programs(family, data.draw(st.sampled_from(ORDERS))))
    assert wrong_with(program, data.draw(plans(budget_max=1))) == []


@pytest.mark.parametrize("family", FAMILIES)
@settings(slow_to_draw, max_examples=max(EXAMPLES // 4, 5))
@given(data=st.data())
def test_programs_that_faults_may_strike_show_each_trace_once(family: str, data: st.DataObject) -> None:
    """Under a budget of several an execution may be begun in vain: whether a step can go on depends on who strikes."""
    program = data.draw(exposed_programs(family, data.draw(st.sampled_from(ORDERS))))
    wrong = wrong_with(program, data.draw(plans()))
    assert [each for each in wrong if not each.endswith("redundant executions")] == []


@pytest.mark.parametrize(
    ("program", "plan"),
    [
        # A word with a strike in it was planned though a sleeping task could not strike behind it any more.
        (Program(((Idle(0),), (Idle(0),), (Write(0, 1),))), FaultPlan((Lose(),))),
        (Program(((Exposed(0),), (Exposed(1),), (Update(0),))), FaultPlan((Lose(), Double()))),
        # A reversed step came to a point that it had not come to, and only its default was covered.
        (Program(((Read(1), Write(0, 0)), (Write(0, 1), Update(1), ExposedIf(0)))), FaultPlan((Lose(),))),
        # A planned word had stood for longer ones when it was dropped as covered.
        (Program(((Idle(0), Update(0)), (ExposedIf(0),), (Read(0),))), FaultPlan((Lose(),))),
        (Program(((ExposedIf(1),), (Write(1, 1), Write(1, 1)), (ExposedIf(1),))), FaultPlan((Lose(),))),
        # A word was given up for a shorter one, behind which its next step was dropped as covered.
        (Program(((Read(0), Idle(0)), (Read(0), Exposed(0), Cancel(0)))), FaultPlan((Lose(),))),
        # Other choices of a step that was planned by a reversal.
        (Program(((ExposedIf(0),), (ExposedIf(1),), (Update(0), Update(1)))), FaultPlan((Lose(),))),
        (Program(((ChooseIf(0), Read(0)), (ChooseIf(1),), (Update(0), Update(1)))), FaultPlan()),
    ],
)
def test_programs_that_were_once_reduced_wrongly(program: Program, plan: FaultPlan) -> None:
    """By this search, while it was made."""
    assert faults(program, clock="idle", plan=plan) == []


_TWO_IDLE = Program(((Idle(0),), (Idle(0),), (Write(0, 1),)))
_CANCELLED = Program(((Read(0), Idle(0)), (Read(0), Exposed(0), Cancel(0))))


@pytest.mark.parametrize(
    ("owner", "name", "instead", "program", "words"),
    [
        (Budget, "allows", lambda _self, _label: True, _TWO_IDLE, "redundant"),
        (search_tree, "covers", lambda *_: True, _TWO_IDLE, "traces lost"),
        (dpor, "plan_postponed", lambda _search: None, _CANCELLED, "traces lost"),
        (wakeup, "_postpone", lambda _word, _postponed: None, _CANCELLED, "traces lost"),
    ],
)
def test_a_mistake_shows(owner: object, name: str, instead: object, program: Program, words: str) -> None:
    """And only with the mistake."""
    plan = FaultPlan((Lose(),))
    assert faults(program, clock="idle", plan=plan) == []
    with mock.patch.object(owner, name, instead):
        wrong = faults(program, clock="idle", plan=plan)
    assert any(words in each for each in wrong), wrong
