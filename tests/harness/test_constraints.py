"""Ordering constraints: how they are written, that every strategy keeps them, what becomes of one that cannot be."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow import Before, Cell, Moment, UsageError, before
from racewindow.constraints import AT, ENDS, STARTS, STEP
from racewindow.runtime.gates import put_gates
from racewindow.runtime.location import Locator
from racewindow.runtime.runner import SimRunner
from racewindow.schedule import Schedule
from tests.harness.explained_programs import lost_update, read_before_ready
from tests.harness.outcome_programs import stuck

NAMES = st.sampled_from(["a", "writer-2.loader", "main/0/2", "worker*", "t [main/1]", "before"])
MOMENTS = st.one_of(
    st.builds(Moment, NAMES, st.sampled_from([STARTS, ENDS])),
    st.builds(Moment, NAMES, st.just(STEP), st.just(""), st.integers(0, 99)),
    st.builds(
        Moment, NAMES, st.just(AT), st.sampled_from(["a.py:1", "m/b.py:12 C.run", "<string>:3 f"]), st.integers(1, 9)
    ),
)
ONE_AFTER_THE_OTHER = "deposit ends before deposit#2 starts"


@given(MOMENTS)
def test_a_moment_is_read_as_it_is_written(moment: Moment) -> None:
    assert Moment.parse(str(moment)) == moment


@given(MOMENTS, MOMENTS.filter(lambda moment: moment.kind != ENDS))
def test_a_constraint_is_read_as_it_is_written(first: Moment, then: Moment) -> None:
    if first != then and "before" not in (first.task, then.task):
        assert Before.parse(str(Before(first, then))) == before(str(first), then) == Before(first, then)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("loader ends", "no ordering constraint"),
        ("loader ends before", "no ordering constraint"),
        ("loader stops before writer starts", "'loader stops' names no step"),
        ("loader ends before writer at noon", "'writer at noon' names no step"),
        ("loader at a.py:3, time 0 before writer starts", "counted from 1"),
        ("loader ends before writer ends", "known only when it is over"),
        ("loader starts before loader starts", "cannot come before itself"),
    ],
)
def test_what_is_no_constraint_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        racewindow.explore(lost_update, constraints=[text])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("depposit ends before deposit#2 starts", "there is no task 'depposit'.\nDo:  use one of: deposit"),
        ("deposit at a.py:3 before deposit#2 starts", "deposit was not seen to come there."),
        ("deposit step 77 before deposit#2 starts", "names no step: deposit step 77"),
    ],
)
def test_a_constraint_that_names_no_event_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        racewindow.explore(lost_update, constraints=[text])

    assert said in str(raised.value)


@pytest.mark.parametrize("semantics", ["processes", "trio"])
@pytest.mark.parametrize("strategy", ["auto", "random", "pct", "pos", "surw", "fuzz", "dfs"])
def test_every_strategy_keeps_a_constraint(strategy: str, semantics: str) -> None:
    result = racewindow.explore(
        lost_update, strategy=strategy, schedules=200, semantics=semantics, constraints=[ONE_AFTER_THE_OTHER]
    )

    assert (result.verdict, result.failing) in {("complete", 0), ("nothing found", 0)}


@pytest.mark.parametrize("clock", ["idle", "racing"])
def test_a_search_runs_the_orders_that_keep_it_once_each(clock: str) -> None:
    options: dict[str, Any] = {"strategy": "dpor", "all_failures": True, "clock": clock}
    free = racewindow.explore(lost_update, **options)
    held = racewindow.explore(lost_update, constraints=[ONE_AFTER_THE_OTHER], **options)

    assert (free.complete, free.executions, free.failing) == (True, 4, 2)
    assert (held.complete, held.executions, held.failing, held.redundant) == (True, 1, 0, 0)


def test_a_moment_counts_how_often_a_task_goes_on_from_a_place() -> None:
    async def main() -> None:
        count = Cell(0, name="count")

        async def tick() -> None:
            for _ in range(3):
                await trio.lowlevel.checkpoint()  # here
                count.update(lambda value: value + 1)

        async def look() -> None:
            assert count.get() >= least

        async with trio.open_nursery() as nursery:
            nursery.start_soon(tick)
            nursery.start_soon(look)

    def failing(constraint: str) -> int:
        return racewindow.explore(main, strategy="dpor", all_failures=True, constraints=[constraint]).failing

    place = f"tick at test_constraints.py:{main.__code__.co_firstlineno + 5}"
    least = 2
    assert failing(f"{place}, time 2 before look starts") == 0
    least = 3
    assert failing(f"{place}, time 2 before look starts") == 1
    assert failing(f"{place}, time 3 before look starts") == 0


def test_what_waits_for_what_never_comes_is_a_deadlock_that_says_so() -> None:
    result = racewindow.explore(
        lost_update, constraints=[ONE_AFTER_THE_OTHER, "deposit#2 ends before deposit starts"], schedules=1
    )
    (failure,) = result.failures

    assert failure.kind == "deadlock"
    assert "  deposit is held back at explained_programs.py" in failure.message
    assert "by the constraint: deposit#2 ends before deposit starts" in failure.message


def test_a_schedule_holds_its_constraints() -> None:
    """A failure under a constraint is the same failure again from its schedule, and from its token."""
    result = racewindow.explore(read_before_ready, strategy="random", constraints=["bystander ends before load starts"])
    schedule = result.failures[0].schedule

    assert schedule.constraints == ("bystander ends before load starts",)
    for again in (Schedule.from_dict(schedule.as_dict()), Schedule.from_token(result.failures[0].token)):
        assert racewindow.replay(read_before_ready, again).digest == result.failures[0].digest
    assert "constraints" not in racewindow.explore(stuck, strategy="random").failures[0].schedule.as_dict()


def test_a_task_is_held_with_what_it_was_sent_and_is_not_cancelled_meanwhile() -> None:
    """It has been handed the lock, and the time-out around it strikes while it is held: it goes on with the lock."""
    lines: list[str] = []

    async def main() -> None:
        lock = trio.Lock()

        async def owner() -> None:
            async with lock:
                await trio.lowlevel.checkpoint()

        async def heir() -> None:
            with trio.move_on_after(1):
                await lock.acquire()  # here
                lines.append(f"{trio.current_time():g} heir has it")
                lock.release()
                await trio.lowlevel.checkpoint()
            lines.append("over")

        async def late() -> None:
            await trio.sleep(5)

        async with trio.open_nursery() as nursery:
            for task in (owner, heir, late):
                nursery.start_soon(task)

    place = f"test_constraints.py:{main.__code__.co_firstlineno + 9}"
    result = racewindow.explore(
        main, strategy="random", schedules=1, seed=2, constraints=[f"late ends before heir at {place}"]
    )

    assert result.failing == 0
    assert lines[-2:] == ["5 heir has it", "over"]


def test_a_pattern_holds_all_that_match_until_one_has_come() -> None:
    result = racewindow.explore(
        lost_update, strategy="dpor", all_failures=True, constraints=["lost_update step 0 before deposit* starts"]
    )

    assert (result.complete, result.executions) == (True, 4)


def test_without_constraints_nothing_is_put_between_tasks_and_the_loop() -> None:
    runner = SimRunner(clock=None, full=False, strict_exception_groups=True)
    put_gates(runner, (), Locator())

    assert type(runner.runq) is type(runner.waiting) is list
