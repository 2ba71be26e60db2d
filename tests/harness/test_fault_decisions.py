"""Faults as decisions: what a plan offers, how strategies decide, what a schedule keeps of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow import Cell, Fault, FaultPlan, FaultPoint, UsageError
from racewindow.faults import parse_fault
from racewindow.strategies.labels import Budget, Choices, Options, available, covers

SAMPLING = ("random", "pct", "pos", "surw", "fuzz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lose(Fault):
    """The effect at the point does not happen."""

    kind: ClassVar[str] = "lose"


@dataclass(frozen=True, slots=True, kw_only=True)
class Double(Fault):
    """The effect at the point happens twice."""

    kind: ClassVar[str] = "double"
    points: ClassVar[tuple[str, ...]] = ("send", "db.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nap(Fault):
    """The victim waits at the point."""

    kind: ClassVar[str] = "nap"
    seconds: float = 30.0

    async def strike(self, point: FaultPoint) -> None:
        await trio.sleep(self.seconds)


async def add(cell: Cell[int], point: str = "send") -> None:
    """Adds 1, unless a fault says otherwise."""
    fault = await racewindow.fault_point(point)
    if not isinstance(fault, Lose):
        cell.update(lambda value: value + (2 if isinstance(fault, Double) else 1))


def victims(count: int, points: int, *, shared: bool = False) -> Callable[[], object]:
    """A program of victims with so many fault points each, on cells of their own or on one."""

    async def main() -> None:
        cells = [Cell(0, name=f"cell{n}") for n in range(1 if shared else count)]

        async def victim(cell: Cell[int]) -> None:
            for point in range(points):
                if point:
                    await trio.lowlevel.checkpoint()
                await add(cell)

        async with trio.open_nursery() as nursery:
            for n in range(count):
                nursery.start_soon(victim, cells[0 if shared else n], name=f"victim{n}")
        total = [cell.get() for cell in cells]
        assert sum(total) == count * points, f"cells {total}"

    return main


async def needs_a_fault() -> None:
    """Fails exactly if the message is lost."""
    cell = Cell(0, name="balance")
    await add(cell)
    assert cell.get() >= 1, "lost"


# --- the same as every order -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("budget", [0, 1, 2, 3])
@pytest.mark.parametrize(("count", "points", "shared"), [(2, 2, False), (3, 1, False), (2, 2, True), (3, 1, True)])
def test_dpor_shows_exactly_what_dfs_shows_under_a_budget(
    budget: int,
    count: int,
    points: int,
    shared: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    """A budget couples victims that are independent otherwise; no order is missed for it, and none is run twice."""
    plan = FaultPlan((Lose(), Double()), budget=budget)
    main = victims(count, points, shared=shared)
    dpor, dfs = (
        racewindow.explore(main, strategy=name, faults=plan, all_failures=True)  # type: ignore[arg-type]
        for name in ("dpor", "dfs")
    )
    assert dpor.executions == dpor.distinct_traces == dfs.distinct_traces
    assert (dpor.redundant, dpor.complete, dfs.complete) == (0, True, True)
    assert {f.message for f in dpor.failures} == {f.message for f in dfs.failures}


def independent_combinations(victims_count: int, points: int, kinds: int, budget: int) -> int:
    """How many ways there are to let at most `budget` faults of `kinds` strike at all points together."""
    from math import comb

    total = victims_count * points
    return sum(comb(total, struck) * kinds**struck for struck in range(min(budget, total) + 1))


@pytest.mark.parametrize(("count", "points", "budget"), [(2, 1, 1), (3, 2, 1), (3, 2, 2), (4, 1, 2), (2, 3, 4)])
def test_independent_victims_have_one_order_for_each_set_of_faults(count: int, points: int, budget: int) -> None:
    plan = FaultPlan((Lose(), Double()), budget=budget)
    result = racewindow.explore(victims(count, points), strategy="dpor", faults=plan, all_failures=True)  # type: ignore[arg-type]
    assert result.executions == independent_combinations(count, points, 2, budget)
    assert (result.redundant, result.complete) == (0, True)


def test_a_budget_of_a_kind_holds_beside_the_whole_one() -> None:
    """Two faults, at most one of them a loss: none, 4 x lose, 4 x double, 6 x two doubles, 12 x one of each."""
    plan = FaultPlan((Lose(), Double()), budget=2, budgets={"lose": 1})
    result = racewindow.explore(victims(2, 2), strategy="dpor", faults=plan, all_failures=True)  # type: ignore[arg-type]
    assert (result.executions, result.redundant, result.complete) == (27, 0, True)


# --- decisions like any other ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", [*SAMPLING, "dfs", "dpor", "auto"])
def test_every_strategy_finds_what_only_a_fault_breaks_and_its_schedule_replays(strategy: str) -> None:
    result = racewindow.explore(needs_a_fault, strategy=strategy, schedules=200, faults=FaultPlan((Double(), Lose())))
    [failure] = result.failures
    assert [d.option for d in failure.schedule.deviations if d.kind == "fault"] == ["lose"]
    assert failure.faults == ("in step 0 of needs_a_fault: fault lose",)
    again = racewindow.replay(needs_a_fault, failure.schedule)
    assert again.digest == failure.digest
    assert again.failure is not None and again.failure.identity == failure.identity
    token = racewindow.Schedule.from_token(failure.token)
    assert racewindow.replay(needs_a_fault, token).digest == failure.digest


@pytest.mark.parametrize("strategy", SAMPLING)
def test_about_half_of_the_executions_of_a_sampling_strategy_have_no_fault(strategy: str) -> None:
    """Binomial: 600 executions, half of them; 6 standard deviations are 73."""
    result = racewindow.explore(
        victims(3, 2),  # type: ignore[arg-type]
        strategy=strategy,
        schedules=600,
        faults=FaultPlan((Lose(), Double())),
        all_failures=True,
    )
    assert abs(sum(result.faults_struck.values()) - 300) < 73


def test_a_point_at_which_nothing_strikes_leaves_no_trace() -> None:
    """The digest of the default order is the same with faults that may strike as without."""
    plain = racewindow.replay(needs_a_fault, racewindow.Schedule())
    with_faults = racewindow.explore(needs_a_fault, strategy="dfs", faults=FaultPlan((Lose(),), budget=0))
    assert with_faults.executions == 1
    found = racewindow.explore(needs_a_fault, strategy="dfs", faults=FaultPlan((Lose(),)), all_failures=True)
    assert found.executions == 2
    assert plain.outcome == "ok"
    assert found.failures[0].digest != plain.digest


def test_what_is_offered_and_what_strikes_is_counted_by_kind() -> None:
    result = racewindow.explore(
        needs_a_fault, strategy="dfs", faults=FaultPlan((Lose(), Double(), Nap())), all_failures=True
    )
    assert result.faults_offered == {"lose": 4, "double": 4, "nap": 4}
    assert result.faults_struck == {"lose": 1, "double": 1, "nap": 1}
    assert result.as_dict()["faults_offered"] == result.faults_offered


def test_a_kind_that_is_never_offered_is_a_warning() -> None:
    async def reads() -> None:
        await racewindow.fault_point("db.read")

    result = racewindow.explore(reads, strategy="dfs", faults=FaultPlan((Double(), Lose(until_seconds=1))))
    assert result.notes == ()

    async def sends() -> None:
        await racewindow.fault_point("receive")

    result = racewindow.explore(sends, strategy="dfs", faults=FaultPlan((Double(),)))
    [note] = result.notes
    assert note.startswith("the fault double was never offered")
    assert result.faults_offered == {"double": 0}


def test_a_fault_strikes_only_its_target_and_only_in_its_time() -> None:
    async def main() -> None:
        cells = [Cell(0, name=f"cell{n}") for n in range(2)]

        async def twice(cell: Cell[int]) -> None:
            await add(cell)
            await trio.sleep(10)
            await add(cell)

        async with trio.open_nursery() as nursery:
            for n in range(2):
                nursery.start_soon(twice, cells[n], name=f"writer-{n}")
        assert [cell.get() for cell in cells] == [2, 2], f"{[cell.get() for cell in cells]}"

    plan = FaultPlan((Lose(target="writer-1", after_seconds=10),))
    result = racewindow.explore(main, strategy="dfs", faults=plan, all_failures=True)
    assert {f.message.splitlines()[1].strip() for f in result.failures} == {"[2, 1]"}
    assert {d.task for f in result.failures for d in f.schedule.deviations if d.kind == "fault"} == {"main/1"}
    early = racewindow.explore(main, strategy="dfs", faults=FaultPlan((Lose(until_seconds=10),)), all_failures=True)
    assert {d.step for f in early.failures for d in f.schedule.deviations if d.kind == "fault"} == {0}


def test_a_fault_that_takes_time_lets_others_run_meanwhile() -> None:
    async def main() -> None:
        cell = Cell(0, name="cell")

        async def slow() -> None:
            seen = cell.get()
            await racewindow.fault_point("think")
            cell.set(seen + 1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(slow, name="slow")
            nursery.start_soon(slow, name="slow")
        assert cell.get() == 2

    assert racewindow.explore(main, strategy="dpor").complete
    result = racewindow.explore(main, strategy="dpor", faults=FaultPlan((Nap(),)), shrink=False)
    assert result.failures[0].schedule.faults.keys() == {"nap"}


def test_outside_an_exploration_with_faults_nothing_strikes() -> None:
    async def main() -> bool:
        return await racewindow.fault_point("send") is None

    assert trio.run(main)
    assert racewindow.run(main)


# --- shrinking -------------------------------------------------------------------------------------------------------


async def needs_a_long_nap() -> None:
    """Fails if its one write comes later than 4 s, whatever else strikes."""
    cells = [Cell(0, name=f"cell{n}") for n in range(2)]

    async def writer(cell: Cell[int]) -> None:
        await add(cell)
        await add(cell, "db.write")

    async with trio.open_nursery() as nursery:
        for cell in cells:
            nursery.start_soon(writer, cell)
    assert trio.current_time() <= 4, "too late"


@pytest.mark.parametrize("seed", range(5))
def test_a_failure_shrinks_to_the_one_fault_that_it_needs_and_to_its_weakest_form(seed: int) -> None:
    plan = FaultPlan((Double(), Lose(), Nap(seconds=64)), budget=3)
    result = racewindow.explore(needs_a_long_nap, strategy="random", faults=plan, seed=seed)
    [failure] = result.failures
    [deviation] = failure.schedule.deviations
    assert (deviation.kind, deviation.option) == ("fault", "nap:seconds=8")
    assert failure.shrunk is not None
    assert racewindow.shrink(needs_a_long_nap, failure).schedule == failure.schedule
    assert racewindow.replay(needs_a_long_nap, failure.schedule).digest == failure.digest


# --- words -----------------------------------------------------------------------------------------------------------


@given(st.floats(0.001, 1e6), st.sampled_from(["*", "writer-*"]), st.sampled_from([0.0, 5.0]))
def test_a_fault_is_read_from_its_text(seconds: float, target: str, after: float) -> None:
    fault = Nap(seconds=float(f"{seconds:g}"), target=target, after_seconds=after)
    assert parse_fault(fault.text, known=[Nap]) == fault


@pytest.mark.parametrize(("text", "seconds"), [("5", 5), ("5s", 5), ("250ms", 0.25), ("2min", 120), ("1h", 3600)])
def test_a_time_may_have_a_unit(text: str, seconds: float) -> None:
    assert parse_fault(f"nap:seconds={text}", known=[Nap]) == Nap(seconds=seconds)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: parse_fault("crush", known=[Lose]), "there is no kind of fault called 'crush'."),
        (lambda: parse_fault("nap:second=5", known=[Nap]), "there is no parameter of nap called 'second'."),
        (lambda: parse_fault("nap:seconds=5min2", known=[Nap]), "nap: seconds cannot be '5min2'."),
        (lambda: parse_fault("nap:seconds=5 years", known=[Nap]), "nap: seconds cannot be '5 years'."),
        (lambda: parse_fault("nap:seconds=-5", known=[Nap]), "nap: seconds cannot be -5.0."),
        (lambda: parse_fault("nap:5", known=[Nap]), "the fault 'nap:5' cannot be read."),
        (lambda: parse_fault("nap:seconds=5,seconds=6", known=[Nap]), "the fault 'nap:seconds=5,seconds=6' cannot"),
        (lambda: parse_fault("nap:target=", known=[Nap]), "nap: target cannot be ''."),
        (lambda: Nap(after_seconds=9, until_seconds=9), "nap: until_seconds cannot be 9."),
        (lambda: FaultPlan((Nap(),), budget=-1), "the fault budget for all faults together cannot be -1."),
        (lambda: FaultPlan((Nap(),), budgets={"nap": -1}), "the fault budget for nap cannot be -1."),
        (lambda: FaultPlan((Nap(),), budgets={"nip": 1}), "there is no kind of fault in this plan called 'nip'."),
        (lambda: racewindow.explore(needs_a_fault, faults=1), "needs-a-fault declares no faults that 1 could strike"),
        (
            lambda: racewindow.explore(needs_a_fault, faults=Nap(target="mian")),
            "the target 'mian' of the fault nap matches nothing.",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_one_message(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert str(caught.value).startswith(message)
    assert "Do:" in str(caught.value) or "Why:" in str(caught.value)


def test_plans_are_put_together_by_a_bar() -> None:
    plan = Lose() | Double() | FaultPlan((Nap(), Lose()), budget=2, budgets={"nap": 1})
    assert plan == FaultPlan((Lose(), Double(), Nap()), budget=2, budgets={"nap": 1})
    assert plan.summary == "up to 2 faults of kinds lose, double, nap (at most 1 nap)"


async def comes_to_a_point() -> None:
    await racewindow.fault_point("send")


def test_a_fault_without_an_effect_makes_another_order_than_none() -> None:
    result = racewindow.explore(comes_to_a_point, strategy="dpor", faults=FaultPlan((Lose(), Double())))
    assert result.executions == result.distinct_traces == 3


# --- labels ----------------------------------------------------------------------------------------------------------


def test_a_choice_that_the_budget_has_disabled_needs_no_label() -> None:
    """-2 is no fault, -3 and -4 are faults 1 and 2."""
    budget = Budget(FaultPlan((Lose(), Double())))
    assert list(available((1, 2), budget, ())) == [-2, -3, -4]
    assert list(available((1, 2), budget, (-3,))) == [-2]
    labels: dict[Choices, tuple[str, tuple[Options, ...]]] = {(-2,): ("footprint", ((1, 2),))}
    assert not covers(labels, budget, ())
    assert covers(labels, budget.after((0, -3)), ())
    assert covers({(-2, 0): ("", ((1,), 2)), (-2, 1): ("", ((1,), 2)), (-3, 0): ("", ((1,), 1))}, budget, ())
    assert not covers({(-2, 0): ("", ((1,), 2)), (-3, 0): ("", ((1,), 1))}, budget, ())
