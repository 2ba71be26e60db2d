"""What has been picked once is picked again, whatever has been learned since."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow import Cell, choose
from racewindow.footprint import NO_FOOTPRINT, Footprint
from racewindow.runtime.trail_recorder import TrailRecorder
from racewindow.strategies import Options, make_strategy
from racewindow.strategies.random_walk import RandomPicker
from racewindow.strategies.remembering import Remembering
from racewindow.strategy import Picker, Task
from tests.harness.executions import WAYS, Tap, Way, session
from tests.strategies import Program, as_function, programs

LOOKING_AHEAD = ["pos", "surw", "fuzz"]


class Bystander:
    """A task that is there to be picked."""

    path, order, number = "main/0", (0,), 0
    touched: Footprint = NO_FOOTPRINT
    pending: Footprint | None = None


def decide(picker: Picker, decisions: list[tuple[str, int]]) -> list[int]:
    """What is picked at decisions of a kind, among so many options."""
    task = Bystander()
    tasks: list[Task] = [Bystander() for _ in range(9)]
    return [
        picker.pick_value(count, task=task)
        if kind == "value"
        else picker.pick_task(tasks[: count - (kind == "clock")], may_advance=kind == "clock", last=None, advances=0)
        for kind, count in decisions
    ]


DECISIONS = st.lists(st.tuples(st.sampled_from(["task", "clock", "value"]), st.integers(2, 9)), max_size=20)


@given(DECISIONS, DECISIONS)
def test_an_execution_that_was_cut_off_is_continued_as_if_it_had_not_been(
    begun: list[tuple[str, int]], rest: list[tuple[str, int]]
) -> None:
    plain = decide(RandomPicker(b"key"), begun + rest)
    picker = Remembering(RandomPicker(b"key"))

    assert decide(picker, begun) == plain[: len(begun)]
    for _ in range(2):
        picker.restart()
        assert decide(picker, begun + rest) == plain
    assert picker.decisions == len(plain)


@given(DECISIONS, st.data())
def test_an_answer_that_is_not_there_any_more_is_the_default(
    decisions: list[tuple[str, int]], data: st.DataObject
) -> None:
    picker = Remembering(RandomPicker(b"key"))
    answers = decide(picker, decisions)
    fewer = [(kind, data.draw(st.integers(2, count))) for kind, count in decisions]
    picker.restart()

    again = decide(picker, fewer)

    assert again == [answer if answer < count else 0 for answer, (_, count) in zip(answers, fewer, strict=True)]


@pytest.mark.parametrize("name", LOOKING_AHEAD)
@given(program=programs(tasks_max=3), seed=st.integers(0, 1 << 40), way=st.sampled_from(WAYS))
def test_an_execution_can_be_run_again_when_its_strategy_has_moved_on(
    name: str, program: Program, seed: int, way: Way
) -> None:
    with session(as_function(program), **way) as running:
        strategy = make_strategy(name, Options(seed))
        pickers: list[tuple[Picker, Tap]] = []
        for number in range(6):
            picker = strategy.start(number)
            assert picker is not None
            tap = Tap(picker)
            ran = running.run(tap, footprints=True, looks_ahead=True)
            assert isinstance(ran.raw.recorder, TrailRecorder)
            strategy.finished(ran.raw.recorder.trail(), ran.raw.steps)
            pickers.append((picker, tap))
        for picker, tap in pickers:
            picker.restart()
            again = Tap(picker)
            running.record(again)

            assert again.taken == tap.taken


@pytest.mark.parametrize("name", LOOKING_AHEAD)
def test_every_value_and_every_moment_for_a_timeout_is_found(name: str) -> None:
    seen = set()

    async def program() -> None:
        cell = Cell(0)

        async def work() -> None:
            for _ in range(3):
                await trio.lowlevel.checkpoint()
                cell.set(cell.get() + 1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)
            value = choose(["a", "b", "c"])
            with trio.move_on_after(1):
                await trio.sleep_forever()
            seen.add((value, cell.get()))

    result = racewindow.explore(program, strategy=name, clock="racing", schedules=300)

    assert not result.untrusted
    assert seen == {(value, done) for value in "abc" for done in range(4)}
