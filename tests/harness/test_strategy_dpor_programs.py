"""The optimal reduction of random small programs, against searches that run every order of their events.

Three laws, for each program, under both clocks: it shows the outcomes that there are and no others; it runs as many
executions as there are traces, each trace once; and it begins nothing that it has to give up as redundant. They rest on
a fourth: all orders of one trace have the same outcome, or else a footprint lacks something.

The first two are not the same. Counting traces finds a wrong search; only outcomes show a wrong footprint.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import racewindow
from racewindow.runtime.execution import Environment
from tests.harness.dpor_oracle import TooManyOrdersError, every_order, every_trace, expected, faults
from tests.harness.small_programs import FAMILIES, SHARED, WAITS, aimed, small_programs
from tests.strategies import (
    Block,
    Cancel,
    Checkpoint,
    Choose,
    CloseSend,
    Fail,
    Locked,
    MoveOn,
    Program,
    Read,
    Receive,
    SetEvent,
    Shielded,
    Sleep,
    TakeFlag,
    TryFlag,
    UntilAtLeast,
    UntilLocked,
    Update,
    WaitEvent,
    Write,
    as_function,
)

CLOCKS = ["idle", "racing"]
EXAMPLES = settings().max_examples
ORDERS = [20, 60, 150] if EXAMPLES <= 50 else [30, 150, 600]
"""How many orders a program has at most, about: small ones are many, what is wrong shows more in large ones."""
slow_to_draw = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@pytest.fixture(scope="module", autouse=True)
def _environment() -> Iterator[None]:
    """What an exploration installs, kept between them: putting it up takes longer than exploring a small program."""
    with Environment(footprints=True):
        yield


def judge(program: Program, clock: str) -> None:
    """The laws, for one program."""
    try:
        wrong = faults(program, clock=clock)
    except TooManyOrdersError:
        assume(False)  # rare: sizes are estimated
    assert not wrong, "\n".join(wrong)


# --- the laws --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", SHARED)
@settings(slow_to_draw, max_examples=2 * EXAMPLES)
@given(data=st.data())
def test_programs_of_tracked_state_are_reduced_to_their_traces(family: str, data: st.DataObject) -> None:
    """Reads, writes, compare and set, `until`, locks that leak, choices; time plays no part in these."""
    judge(data.draw(small_programs(SHARED[family], data.draw(st.sampled_from(ORDERS)))), "idle")


@settings(slow_to_draw, max_examples=2 * EXAMPLES)
@given(data=st.data())
def test_programs_of_tracked_state_and_time_are_reduced_to_their_traces(data: st.DataObject) -> None:
    """The racing clock may strike between any two of their steps."""
    operations = SHARED["all"] | {Sleep, MoveOn}
    judge(data.draw(small_programs(operations, data.draw(st.sampled_from(ORDERS)), racing=True)), "racing")


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("family", FAMILIES)
@settings(slow_to_draw, max_examples=EXAMPLES * 3 // 5)
@given(data=st.data())
def test_programs_of_trios_primitives_are_reduced_to_their_traces(family: str, clock: str, data: st.DataObject) -> None:
    """Whatever of trio's a program is made of."""
    orders_max = data.draw(st.sampled_from(ORDERS))
    judge(data.draw(small_programs(FAMILIES[family], orders_max, racing=clock == "racing")), clock)


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("kind", WAITS)
@settings(slow_to_draw, max_examples=EXAMPLES * 3 // 5)
@given(data=st.data())
def test_a_wait_that_is_ended_and_cancelled_is_reduced_to_its_traces(
    kind: str, clock: str, data: st.DataObject
) -> None:
    """One task waits in a scope, one wakes it, one cancels it: programs drawn evenly hardly ever meet there."""
    orders_max = 2 * data.draw(st.sampled_from(ORDERS))
    judge(data.draw(aimed(kind, orders_max, racing=clock == "racing")), clock)


# --- what the laws rest on -------------------------------------------------------------------------------------------


@settings(slow_to_draw)
@given(data=st.data(), clock=st.sampled_from(CLOCKS))
def test_every_trace_is_among_those_of_every_order(data: st.DataObject, clock: str) -> None:
    """The search that stops at known places finds what the one finds that stops at none."""
    program = data.draw(small_programs(FAMILIES["everything"] | SHARED["all"], 60, racing=clock == "racing"))
    try:
        all_orders = every_order(program, clock=clock, limit=1_000)
    except TooManyOrdersError:
        assume(False)
    pruned = every_trace(program, clock=clock, limit=1_000)

    assert {order.outcome for order in pruned} == {order.outcome for order in all_orders}
    assert len({order.trace for order in pruned}) == len({order.trace for order in all_orders})
    assert len(pruned) <= len(all_orders)


@settings(slow_to_draw, max_examples=EXAMPLES)
@given(data=st.data(), clock=st.sampled_from(CLOCKS))
def test_explore_counts_what_the_search_has_run(data: st.DataObject, clock: str) -> None:
    """`racewindow.explore` says: complete, so many executions, nothing redundant; failures as often as there are."""
    operations = data.draw(st.sampled_from([*SHARED.values(), *FAMILIES.values()]))
    program = data.draw(small_programs(operations, ORDERS[0], racing=clock == "racing"))
    result = racewindow.explore(as_function(program, brisk=True), strategy="dpor", all_failures=True, clock=clock)
    try:
        orders = expected(program, clock=clock)
    except TooManyOrdersError:
        assume(False)

    traces = {order.trace: order.outcome for order in orders}
    failing = [outcome for outcome in traces.values() if outcome[0] != "finished" or len(outcome) > 2]
    assert (result.complete, result.redundant, result.executions) == (True, 0, len(traces))
    assert (result.failing, result.untrusted) == (len(failing), "")


def outcomes_of(program: Program, clock: str = "idle") -> tuple[int, int, int]:
    """Orders, traces and outcomes of a program."""
    orders = every_order(program, clock=clock, limit=1_000)
    return len(orders), len({order.trace for order in orders}), len({order.outcome for order in orders})


@pytest.mark.parametrize(
    ("program", "counts"),
    [
        (Program(((Read(0), Checkpoint()), (Read(0),))), (3, 1, 1)),
        (Program(((Write(0, 1),), (Write(0, 2),))), (2, 2, 2)),
        (Program(((Update(0),), (Update(0),), (Update(0),))), (6, 6, 6)),
        (Program(((Choose(3),), (Choose(2),))), (12, 6, 6)),
        (Program(((TakeFlag(0), TakeFlag(1)), (TakeFlag(1), TakeFlag(0)))), (14, 3, 3)),
    ],
)
def test_the_oracle_counts_by_hand(program: Program, counts: tuple[int, int, int]) -> None:
    """Few enough to count on paper."""
    assert outcomes_of(program) == counts


def test_a_deadlock_is_seen_as_it_stands() -> None:
    """Taking its tasks down runs their `finally` blocks, which changes what is left; the outcome is taken before."""
    orders = every_order(Program(((TryFlag(0, (TakeFlag(0),)),),)), clock="idle", limit=10)

    assert {order.outcome[0] for order in orders} == {"blocked"}
    assert orders[0].outcome[1][1][2:] == (1, 0)  # type: ignore[index]  # the flags


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize(
    "program",
    [
        Program(((), (), (Fail(),), ())),
        Program(((Receive(),), (CloseSend(),), (Fail(),), ())),
        Program(((Shielded(()),), (Read(0),), (Fail(),), ())),
        Program(((MoveOn(1, (Sleep(1),)),), (Block(1),), (Cancel(0),))),
        Program(((UntilAtLeast(0, 1),), (Write(0, 1),), (Fail(),))),
        Program(((Read(0),), (Choose(2), Write(0, 0)))),
        Program(((Read(0), Fail()), (Choose(2),), (Read(0),))),
        Program(((TakeFlag(0),), (UntilLocked(0, (Sleep(1),)),))),
        Program(((Write(1, 0),), (Write(0, 0), Choose(2)), (Read(1), Read(0)))),
        Program(((Read(0),), (Read(1),), (Update(0),), (Update(1), Choose(2)))),
        Program(((Cancel(2),), (Locked(0, (Checkpoint(),)),), (Locked(0, ()),))),
        Program(((SetEvent(0),), (Cancel(2),), (WaitEvent(0),), (WaitEvent(0),))),
    ],
)
def test_programs_that_were_once_reduced_wrongly(program: Program, clock: str) -> None:
    """By this search or by its oracle, while they were made."""
    assert faults(program, clock=clock) == []
