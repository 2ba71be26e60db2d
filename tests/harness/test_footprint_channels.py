"""Memory channels: a sender and a receiver depend on each other only where their order shows, and then in both orders.

Three laws over generated programs: independent neighbours can be swapped and nothing else changes; whether neighbours
are independent comes out the same in both orders; and a search that relies on both finds every trace once. Then what
is claimed to be independent, case by case, and how many traces that saves.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterable
from itertools import pairwise
from math import inf
from typing import Any, NamedTuple

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

import racewindow
from racewindow.footprint import KeyTable, dependent
from racewindow.schedule import CLOCK
from racewindow.session import Session
from racewindow.strategies.replay import default_of
from racewindow.strategy import Task
from racewindow.trace import READ, WRITE, Step
from tests.harness.channel_programs import FAMILIES, OWN, ChannelProgram, Do, as_function, channel_programs
from tests.harness.classes import class_of, enumerate_orders
from tests.harness.executions import Tap, session, walk
from tests.harness.test_footprint import swaps_that_are_seen
from tests.strategies import Run

FAMILY = pytest.mark.parametrize("family", FAMILIES)
HALF = settings().max_examples // 2

# --- laws over generated programs ------------------------------------------------------------------------------------


@FAMILY
@settings(max_examples=HALF)
@given(data=st.data())
def test_adjacent_independent_steps_commute(family: str, data: st.DataObject) -> None:
    """Swapped, each does and touches what it did, and so do all other steps; what is left in the end is the same."""
    program = data.draw(channel_programs(FAMILIES[family]))
    runs: list[Run] = []
    with session(as_function(program, runs)) as running:
        swaps_that_are_seen(running, runs, data.draw(st.integers(0, 1 << 16)))


class Ordered:
    """The given tasks from a number of steps on; before that what is `taken`, or the default; after it the default."""

    words = None

    def __init__(self, steps_count: int, tasks: Iterable[str], taken: dict[tuple[int, int], str] | None = None) -> None:
        self._taken = {place: option for place, option in (taken or {}).items() if place[0] < steps_count}
        self._taken |= {(steps_count + index, 0): task for index, task in enumerate(tasks)}

    def restart(self) -> None:
        """Nothing has changed."""

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """What is given for that place, if it can be had."""
        option = self._taken.get((candidates[0]._runner.step_serial, advances))  # type: ignore[attr-defined]
        paths = [each.path for each in candidates]
        if option == CLOCK and may_advance:
            return len(candidates)
        return paths.index(option) if option in paths else default_of(candidates, last)

    def pick_value(self, count: int, *, task: Task) -> int:
        """There are none."""
        raise AssertionError(count, task)


def _depend(one: Step, two: Step) -> bool:
    table = KeyTable()
    codes = [[table.number(a.key) * 3 + (READ, WRITE, "add").index(a.mode) for a in s.accesses] for s in (one, two)]
    return dependent(*codes)


def pairs_that_disagree(running: Session, seed: int) -> list[str]:
    """Neighbours that depend on each other in one order and not in the other, or not as they stand before both."""
    tap = Tap(walk(seed))
    steps = running.record(tap).trace.steps
    wrong = []
    for index, (first, second) in enumerate(pairwise(steps)):
        if first.task == second.task or second.task not in tap.offered.get(index, ()):
            continue
        if first.time_ns != second.time_ns or tap.taken.get((index + 1, 0)) == CLOCK:
            continue
        other = running.record(Ordered(index, [second.task, first.task], tap.taken)).trace.steps
        assert (other[index].task, other[index + 1].task) == (second.task, first.task)
        found = _depend(first, second), _depend(other[index], other[index + 1]), _depend(first, other[index])
        if len(set(found)) > 1:
            wrong.append(f"{found}:\n  {first}\n  {second}\nswapped:\n  {other[index]}\n  {other[index + 1]}\n")
    return wrong


@FAMILY
@settings(max_examples=HALF)
@given(data=st.data())
def test_neighbours_depend_on_each_other_in_both_orders_or_in_none(family: str, data: st.DataObject) -> None:
    """Also as they stand before both: a search compares what a step would touch there with what another did touch."""
    program = data.draw(channel_programs(FAMILIES[family]))
    with session(as_function(program)) as running:
        assert not pairs_that_disagree(running, data.draw(st.integers(0, 1 << 16)))


@FAMILY
@settings(max_examples=HALF)
@given(data=st.data())
def test_reduction_runs_every_trace_once(family: str, data: st.DataObject) -> None:
    """It recalls what a step touches from what the step has looked at, so each change must show where others look."""
    function = as_function(data.draw(channel_programs(FAMILIES[family], tasks_max=3, length_max=2)))
    try:
        orders = enumerate_orders(function, limit=300)
    except AssertionError:
        return  # too many
    result = racewindow.explore(function, strategy="dpor", all_failures=True)

    assert (result.complete, result.redundant) == (True, 0)
    assert result.executions == len({class_of(execution.trace) for execution in orders})


_WAIT_CLOSE = ((Do.SEND, 0),), ((Do.RECEIVE, 0),), ((Do.CLOSE_SENDER, 0),)
_CLOSE_BOTH = {do: ((do, 0), (do, 1)) for do in (Do.CLOSE_SENDER, Do.CLOSE_RECEIVER)}


@pytest.mark.parametrize(
    "program",
    [
        ChannelProgram(0, _WAIT_CLOSE),
        ChannelProgram(1, (((Do.SEND, 0), (Do.SEND, 0)), *_WAIT_CLOSE[1:])),
        ChannelProgram(0, (((Do.RECEIVE, 1),), ((Do.SEND, 0),), ((Do.CLOSE_RECEIVER, 1),))),
        ChannelProgram(0, (((Do.SEND, 0),), ((Do.SEND, 0),), _CLOSE_BOTH[Do.CLOSE_RECEIVER])),
        ChannelProgram(1, (((Do.SEND, 0), (Do.ASK, 0)), _CLOSE_BOTH[Do.CLOSE_RECEIVER])),
        ChannelProgram(0, (((Do.RECEIVE, 0),), ((Do.CANCEL, 0),), _CLOSE_BOTH[Do.CLOSE_SENDER])),
        ChannelProgram(0, (((Do.RECEIVE, 0),), ((Do.RECEIVE, 1),), _CLOSE_BOTH[Do.CLOSE_SENDER])),
        ChannelProgram(0, (((Do.RECEIVE, 0),), ((Do.CLOSE_RECEIVER, 0),), _CLOSE_BOTH[Do.CLOSE_SENDER])),
        ChannelProgram(1, (((Do.CLONE_SENDER, 0),), _CLOSE_BOTH[Do.CLOSE_SENDER], ((Do.RECEIVE, 0),))),
        ChannelProgram(1, (((Do.CLONE_SENDER, 0), (Do.SEND, OWN)), ((Do.CLOSE_SENDER, 0),), ((Do.RECEIVE, 0),))),
    ],
    ids=repr,
)
def test_programs_aimed_at_one_rule_each_keep_all_three_laws(program: ChannelProgram) -> None:
    """A wait that the other side ends, or a close or a cancel; the last end of a side; a copy made in time or not."""
    runs: list[Run] = []
    with session(as_function(program, runs)) as running:
        for seed in range(30):
            swaps_that_are_seen(running, runs, seed)
            assert not pairs_that_disagree(running, seed)
    result = racewindow.explore(as_function(program), strategy="dpor", all_failures=True)
    orders = enumerate_orders(as_function(program))
    assert (result.complete, result.redundant) == (True, 0)
    assert result.executions == len({class_of(execution.trace) for execution in orders})


# --- what is independent ---------------------------------------------------------------------------------------------


def _neighbours(program: ChannelProgram) -> tuple[Step, Step]:
    """The first steps of the last two tasks, after those of all others, in their order."""
    order = [f"main/{index}" for index in range(len(program.tasks))]
    with session(as_function(program)) as running:
        steps = running.record(Ordered(1, order)).trace.steps
    assert [step.task for step in steps[1 : len(order) + 1]] == order
    return steps[len(order) - 1], steps[len(order)]


@given(st.sampled_from([0, 1, 2, 3, inf]), st.integers(0, 5), st.integers(0, 5))
def test_send_n_and_receive_m_depend_exactly_if_one_waits_for_the_other(
    capacity: float, sent: int, received: int
) -> None:
    """Receive m waits for send m, and send n for receive n - capacity; parked ones are numbered like all others."""
    before = ((Do.SEND, 0),), ((Do.RECEIVE, 0),)
    earlier = (before[0],) * sent + (before[1],) * received
    expected = sent - received in {0, capacity}

    for pair in (before, before[::-1]):
        assert _depend(*_neighbours(ChannelProgram(capacity, (*earlier, *pair)))) == expected


Ends = tuple[Any, Any]
"""Three senders and three receivers of one channel."""


def _depend_on(capacity: float, setup: Callable[[Ends], object], *actions: Callable[[Ends], object]) -> set[bool]:
    """Whether the steps in which two tasks act depend on each other; in both orders."""

    async def act(ends: Ends, action: Callable[[Ends], object]) -> None:
        with contextlib.suppress(trio.ClosedResourceError, trio.BrokenResourceError):
            result = action(ends)
            if isinstance(result, Awaitable):
                await result

    async def main() -> None:
        send, receive = trio.open_memory_channel[int](capacity)
        ends = [send, send.clone(), send.clone()], [receive, receive.clone(), receive.clone()]
        setup(ends)
        async with trio.open_nursery() as nursery:
            for action in actions:
                nursery.start_soon(act, ends, action)
            await trio.sleep(1)
            nursery.cancel_scope.cancel()

    found = set()
    for order in ([0, 1], [1, 0]):
        with session(main) as running:
            steps = running.record(Ordered(1, [f"main/{index}" for index in order])).trace.steps
        found.add(_depend(steps[1], steps[2]))
    return found


def _nothing(_ends: Ends) -> None:
    """Nothing is done before."""


def _one_sent(ends: Ends) -> None:
    ends[0][0].send_nowait(1)


def _two_sent(ends: Ends) -> None:
    _one_sent(ends)
    _one_sent(ends)


def _one_sender_left(ends: Ends) -> None:
    _one_sent(ends)
    ends[0][0].close()
    ends[0][1].close()


def _one_receiver_left(ends: Ends) -> None:
    _one_sent(ends)
    ends[1][0].close()
    ends[1][1].close()


@pytest.mark.parametrize(
    ("capacity", "setup", "one", "two"),
    [
        (inf, _one_sent, lambda e: e[0][0].send(1), lambda e: e[1][0].receive()),
        (3, _two_sent, lambda e: e[0][0].send_nowait(1), lambda e: e[1][0].receive_nowait()),
        (0, _nothing, lambda e: e[0][0].close(), lambda e: e[0][1].send(1)),
        (0, _nothing, lambda e: e[0][0].close(), lambda e: e[1][1].receive()),
        (0, _nothing, lambda e: e[1][0].close(), lambda e: e[1][1].receive()),
        (1, _nothing, lambda e: e[1][0].close(), lambda e: e[0][0].send(1)),
        (1, _nothing, lambda e: e[1][0].close(), lambda e: e[0][0].close()),
        (1, _nothing, lambda e: e[0][0].clone(), lambda e: e[0][0].clone()),
        (1, _nothing, lambda e: e[0][0].clone(), lambda e: e[0][1].close()),
        (1, _nothing, lambda e: e[0][0].clone(), lambda e: e[0][0].send(1)),
        (1, _one_sender_left, lambda e: e[0][2].close(), lambda e: e[1][0].receive()),
        (1, _one_sender_left, lambda e: e[0][0].send_nowait(1), lambda e: e[1][0].receive()),
        (1, _nothing, lambda e: e[0][0].statistics(), lambda e: e[1][0].statistics()),
    ],
)
def test_what_neither_sees_of_the_other_is_independent(
    capacity: float, setup: Callable[[Ends], object], one: Callable[[Ends], object], two: Callable[[Ends], object]
) -> None:
    """A full buffer apart, an end that is not the last of its side, a copy of an end, an end that is closed already."""
    assert _depend_on(capacity, setup, one, two) == {False}


@pytest.mark.parametrize(
    ("capacity", "setup", "one", "two"),
    [
        (inf, _nothing, lambda e: e[0][0].send(1), lambda e: e[0][1].send(1)),
        (inf, _nothing, lambda e: e[1][0].receive(), lambda e: e[1][1].receive()),
        (inf, _nothing, lambda e: e[0][0].send(1), lambda e: e[1][1].receive()),
        (1, _nothing, lambda e: e[0][0].close(), lambda e: e[0][0].send(1)),
        (1, _nothing, lambda e: e[0][0].close(), lambda e: e[0][1].close()),
        (1, _one_receiver_left, lambda e: e[1][2].close(), lambda e: e[0][0].send(1)),
        (1, _nothing, lambda e: e[0][0].clone(), lambda e: e[0][0].statistics()),
        (1, _nothing, lambda e: e[0][0].close(), lambda e: e[0][0].statistics()),
        (1, _nothing, lambda e: e[0][0].send(1), lambda e: e[0][0].statistics()),
        (1, _one_sent, lambda e: e[1][0].receive(), lambda e: e[0][0].statistics()),
    ],
)
def test_what_one_sees_of_the_other_depends_on_it(
    capacity: float, setup: Callable[[Ends], object], one: Callable[[Ends], object], two: Callable[[Ends], object]
) -> None:
    """Two of one side, the last end of a side, and whoever asks."""
    assert _depend_on(capacity, setup, one, two) == {True}


# --- what that saves -------------------------------------------------------------------------------------------------


def _pipeline(producers: int, consumers: int, items: int, capacity: float) -> Callable[[], Awaitable[None]]:
    """Producers with an end each, which they close when they have sent; consumers that receive until all have."""

    async def main() -> None:
        send, receive = trio.open_memory_channel[int](capacity)

        async def produce(end: trio.MemorySendChannel[int]) -> None:
            async with end:
                for item in range(items):
                    await end.send(item)

        async def consume() -> None:
            async for _ in receive:
                pass

        async with trio.open_nursery() as nursery, send:
            for _ in range(producers):
                nursery.start_soon(produce, send.clone())
            for _ in range(consumers):
                nursery.start_soon(consume)

    return main


class Size(NamedTuple):
    """Of a pipeline."""

    producers: int
    consumers: int
    items: int
    capacity: float


@pytest.mark.parametrize(
    ("size", "whole", "apart"),
    [
        (Size(1, 1, 3, 0), 16, 16),
        (Size(1, 1, 3, 1), 34, 26),
        (Size(1, 1, 3, inf), 42, 16),
        (Size(2, 1, 1, 1), 146, 40),
        (Size(2, 1, 1, inf), 158, 32),
        (Size(1, 2, 2, 1), 176, 100),
        (Size(1, 2, 2, inf), 184, 80),
    ],
)
def test_channels_taken_apart_leave_fewer_traces(
    size: Size, whole: int, apart: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same programs with one key for the whole channel, and with its pieces."""
    function = _pipeline(*size)
    assert racewindow.explore(function, strategy="dpor").executions == apart

    monkeypatch.setattr("racewindow.runtime.primitives_channels.parts_of", lambda _now, _state: None)
    assert racewindow.explore(function, strategy="dpor").executions == whole
