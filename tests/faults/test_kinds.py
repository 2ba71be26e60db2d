"""Every kind of fault: without it nothing fails, with it something does, and it is shrunk to the fault alone."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import racewindow
import racewindow_faults
from racewindow import Fault, FaultPlan, Scenario
from racewindow.fault_parameters import Parameter, parameters_of
from racewindow.faults import Offer, parse_fault
from racewindow.strategies.random_walk import RandomPicker
from racewindow.strategy import Task
from tests.faults import programs, value_programs
from tests.harness.executions import session, walk

pytestmark = pytest.mark.slow

PROGRAMS = [*programs.PROGRAMS, *value_programs.PROGRAMS]
KINDS: list[type[Fault]] = [getattr(racewindow_faults, name) for name in racewindow_faults.__all__]
BUDGET = 200
"""Executions in which `random` has to find what only a fault breaks."""

every_kind = pytest.mark.parametrize(
    ("fault", "program"), PROGRAMS, ids=[fault.kind for fault, _ in PROGRAMS]
)  # fmt: skip


class Unharmed(RandomPicker):
    """A random execution in which faults may strike and none does."""

    offers = 0

    def pick_fault(self, offers: list[Offer], *, task: Task, index: int) -> int:
        """None."""
        self.offers += len(offers)
        return 0


# --- alone -----------------------------------------------------------------------------------------------------------


def test_there_is_a_program_for_every_kind() -> None:
    assert sorted(fault.kind for fault, _ in PROGRAMS) == sorted(kind.kind for kind in KINDS)


@every_kind
def test_a_kind_that_cannot_strike_leaves_the_digest_of_a_run_without_faults(fault: Fault, program: Scenario) -> None:
    for seed in range(5):
        with session(program) as running:
            plain = running.record(walk(seed))
        with session(program, faults=FaultPlan((fault,), budget=0)) as running:
            disabled = running.record(walk(seed))
        picker = Unharmed(b"test/%d" % seed)
        with session(program, faults=FaultPlan((fault,))) as running:
            spared = running.record(picker)

        assert plain.outcome == spared.outcome == "ok"
        assert plain.digest == disabled.digest
        assert picker.offers, "the point was reached, and the fault could have struck"
        if fault.family not in {"process", "network"}:  # where a supervisor looks at more if faults may strike
            assert plain.digest == spared.digest


@every_kind
def test_without_it_no_order_fails(fault: Fault, program: Scenario) -> None:
    result = racewindow.explore(program, strategy="dpor")
    assert (result.complete, result.failures) == (True, ())


@every_kind
@pytest.mark.parametrize("strategy", ["dpor", "random"])
def test_with_it_a_failure_is_found_and_shrunk_to_that_single_fault(
    strategy: str, fault: Fault, program: Scenario
) -> None:
    result = racewindow.explore(program, strategy=strategy, schedules=BUDGET, faults=fault)
    assert len(result.failures) == 1
    failure = result.failures[0]
    [deviation] = failure.schedule.deviations
    weakest = parse_fault(deviation.option, known=KINDS)
    assert type(weakest) is type(fault)

    again = racewindow.replay(program, failure.schedule)
    assert (again.digest, again.outcome) == (failure.digest, failure.kind)
    token = racewindow.Schedule.from_token(failure.token)
    assert racewindow.replay(program, token).digest == failure.digest
    without = dataclasses.replace(failure.schedule, deviations=())
    assert racewindow.replay(program, without).outcome == "ok"


@every_kind
def test_with_it_every_order_is_run_and_dfs_shows_the_same(fault: Fault, program: Scenario) -> None:
    dpor, dfs = (
        racewindow.explore(program, strategy=name, faults=fault, all_failures=True) for name in ("dpor", "dfs")
    )
    assert dpor.complete and dfs.complete
    assert dpor.executions == dpor.distinct_traces == dfs.distinct_traces
    assert {each.message for each in dpor.failures} == {each.message for each in dfs.failures}


# --- as values -------------------------------------------------------------------------------------------------------


def test_the_package_lists_every_kind_under_its_name() -> None:
    project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    listed = project["project"]["entry-points"]["racewindow.faults"]
    assert listed == {kind.kind: kind().home for kind in KINDS}


def test_a_kind_says_what_it_is() -> None:
    assert len({kind.kind for kind in KINDS}) == len(KINDS)
    for kind in KINDS:
        assert kind.family == kind.__module__.rpartition(".")[2]
        assert kind.summary.endswith(".") and "\n" not in kind.summary
        assert kind.summary == (kind.__doc__ or "").partition("\n")[0]
        assert all(each.what for each in parameters_of(kind)), "every parameter is explained"


def values_of(parameter: Parameter) -> st.SearchStrategy[object]:
    """All that a parameter may be."""
    if parameter.choices:
        return st.sampled_from(parameter.choices)
    if isinstance(parameter.default, str):
        words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=","), min_size=1)
        return words.map(str.strip).filter(bool)
    if isinstance(parameter.default, int):
        least, most = parameter.least, parameter.most
        whole = st.integers(None if least is None else int(least), None if most is None else int(most))
        return whole.filter(bool) if parameter.name == "places" else whole
    return st.floats(parameter.least, parameter.most, allow_nan=False)


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    """Any fault of any kind."""
    kind = draw(st.sampled_from(KINDS))
    given = {each.name: draw(values_of(each)) for each in parameters_of(kind) if draw(st.booleans())}
    start, end = (given.get(name) for name in ("after_seconds", "until_seconds"))
    if start is not None and (end is None or not start < end):  # type: ignore[operator]
        given.pop("until_seconds", None)
    if end is not None and end == 0:
        given.pop("until_seconds", None)
    if given.get("after_seconds") == float("inf"):
        del given["after_seconds"]
    return kind(**given)  # type: ignore[arg-type]


@given(faults())
def test_any_fault_is_read_from_its_text(fault: Fault) -> None:
    assert parse_fault(fault.text, known=KINDS) == fault


@given(faults())
def test_a_weaker_fault_is_another_one_of_the_same_kind_in_the_same_place(fault: Fault) -> None:
    for weaker in fault.weaker():
        assert type(weaker) is type(fault) and weaker != fault
        assert [getattr(weaker, name) for name in ("target", "after_seconds", "until_seconds")] == [
            getattr(fault, name) for name in ("target", "after_seconds", "until_seconds")
        ]


@given(faults())
def test_weakening_comes_to_an_end(fault: Fault) -> None:
    """Taking the mildest version again and again; 60 is more than there are parameters and halvings of one."""
    for _ in range(60):
        milder = next(fault.weaker(), None)
        if milder is None:
            return
        fault = milder
    raise AssertionError(fault.text)


# --- together --------------------------------------------------------------------------------------------------------


async def two_services() -> None:
    """Each comes to a point and an hour later to another, and reports how often it had to wait."""

    async def work() -> None:
        await racewindow.fault_point("early")
        await trio.sleep_until(3600)
        await racewindow.fault_point("late")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work, name="writer-1")
        nursery.start_soon(work, name="reader-1")


def sets_of_faults(plan: FaultPlan) -> int:
    """How many ways there are for the faults of a plan to strike; the tasks share nothing, so orders do not count."""
    result = racewindow.explore(two_services, strategy="dpor", faults=plan, all_failures=True)
    assert result.complete and not result.failures
    return result.executions


@pytest.mark.parametrize(
    ("plan", "ways"),
    [
        (FaultPlan((racewindow_faults.Stall(),), budget=0), 1),
        (FaultPlan((racewindow_faults.Stall(),)), 1 + 4),
        (FaultPlan((racewindow_faults.Stall(),), budget=2), 1 + 4 + 6),
        (FaultPlan((racewindow_faults.Stall(target="writer-*"),), budget=2), 1 + 2 + 1),
        (FaultPlan((racewindow_faults.Stall(after_seconds=60),), budget=2), 1 + 2 + 1),
        (FaultPlan((racewindow_faults.Stall(until_seconds=60, target="reader-1"),), budget=2), 1 + 1),
        (racewindow_faults.Stall() | racewindow_faults.Stall(seconds=5), 1 + 8),
        (racewindow_faults.Stall(target="writer-*") | racewindow_faults.Stall(seconds=5, target="reader-*"), 1 + 2 + 2),
    ],
)
def test_targets_times_and_budgets_say_where_and_how_often_faults_strike(plan: FaultPlan, ways: int) -> None:
    assert sets_of_faults(plan) == ways


def test_a_budget_of_a_kind_holds_beside_the_whole_one() -> None:
    both = racewindow_faults.Stall() | racewindow_faults.Crash() | racewindow_faults.Expire()
    plan = FaultPlan(both.faults, budget=3, budgets={"stall": 2})
    assert sets_of_faults(plan) == 1 + 4 + 6, "without an instance and a deadline only stalls strike"
