"""However an exploration ends before its end, its report is right as far as it goes, and never says complete."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import trio

import racewindow
from racewindow.confirming import Confirming
from racewindow.report import result_text
from racewindow.result import Bound, Result
from racewindow.strategies import STRATEGIES
from racewindow.strategies.dpor import OptimalReduction
from tests.harness import outcome_programs
from tests.harness.executions import session
from tests.harness.lost_updates import deposits, interrupted

LARGE = deposits(4, 3)
FAILING = deposits(4, 3, asserts=True)
CAN_FINISH = ("dpor", "dfs", "auto")


def assert_partial(result: Result, strategy: str, executions: int, reason: str) -> None:
    """It claims what has been run and no more."""
    told = " ".join(result_text(result).split())
    data = json.loads(json.dumps(result.as_dict()))

    assert (result.verdict, result.executions, result.failing) == ("nothing found", executions, 0)
    assert (data["complete"], "complete: " in told.replace("not complete: ", "")) == (False, False)
    assert (f"none of {executions:,} execution" if executions else "No execution of") in told
    assert not any(part.complete for part in result.parts)
    assert sum(part.executions for part in result.parts) == (executions if strategy == "auto" else 0)
    if strategy in CAN_FINISH:
        assert reason in result.incomplete
        assert f"not complete: {reason}" in told
    else:
        assert result.incomplete == ()


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("executions", [1, 7, 33])
def test_a_budget_of_executions(strategy: str, executions: int) -> None:
    result = racewindow.explore(LARGE, strategy=strategy, schedules=executions)
    gave_up = strategy == "auto" and executions > 1

    assert result.bounds["schedules"] == Bound(executions, reached=True)
    assert_partial(
        result,
        strategy,
        executions,
        "the search that could have run every order was given up before its end"
        if gave_up
        else f"the limit of {executions} execution{'' if executions == 1 else 's'} came before the last order",
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_budget_of_time(strategy: str) -> None:
    result = racewindow.explore(LARGE, strategy=strategy, seconds=0.15)
    gave_up = any("had its half" in part.note for part in result.parts)

    assert result.bounds["seconds"] == Bound(0.15, reached=True)
    assert_partial(
        result,
        strategy,
        result.executions,
        "the search that could have run every order was given up before its end"
        if gave_up
        else "the limit of 0.15 s came before the last order",
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("run", [1, 8, 40])
def test_ctrl_c_between_two_executions(strategy: str, run: int) -> None:
    """The one in progress may come to its end, and counts."""
    result = racewindow.explore(interrupted(LARGE, run), strategy=strategy, schedules=1_000)

    assert result.interrupted
    assert 0 < result.executions <= run, "runs that only learn or check are no executions"
    assert_partial(result, strategy, result.executions, "the exploration was interrupted")
    assert result_text(result).startswith("Interrupted. What was found until then:\n\nNothing found")


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["random", "dfs", "dpor", "auto"])
def test_ctrl_c_inside_an_execution(strategy: str) -> None:
    """One that is stopped is neither counted nor called a hang."""
    result = racewindow.explore(interrupted(LARGE, 20, inside=True), strategy=strategy, schedules=1_000)

    assert result.interrupted
    assert not result.bounds["step_timeout"].reached
    assert 0 < result.executions < 20
    assert_partial(result, strategy, result.executions, "the exploration was interrupted")


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["random", "dfs", "dpor", "auto"])
def test_ctrl_c_while_a_failure_is_confirmed(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as if the execution that failed had not been run: none of the others did."""
    runs, before = 0, 0
    confirm = Confirming.confirm

    async def program() -> None:
        nonlocal runs
        runs += 1
        await FAILING()

    def confirmed(self: Confirming, *arguments: Any) -> Any:
        nonlocal before
        before = runs
        return confirm(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Confirming, "confirm", confirmed)
        executions = racewindow.explore(program, strategy=strategy).executions - 1
    result = racewindow.explore(interrupted(FAILING, before + 1, inside=True), strategy=strategy, schedules=1_000)

    assert_partial(result, strategy, executions, "the exploration was interrupted")
    assert result.statistics["executions_to_first_failure"] is None


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_ctrl_c_after_a_failure(strategy: str) -> None:
    """What was found until then has been confirmed, and is told."""
    options: dict[str, Any] = {"strategy": strategy, "all_failures": True, "schedules": 1_000}
    result = racewindow.explore(interrupted(FAILING, 60), **options)
    told = " ".join(result_text(result).split())

    assert (result.verdict, result.complete, result.interrupted) == ("failure", False, True)
    assert 0 < result.failing <= result.executions < 60
    assert sum(failure.count for failure in result.failures) == result.failing
    assert result.statistics["executions_to_first_failure"] == result.failures[0].execution + 1
    assert "complete: " not in told.replace("not complete: ", "")


# --- the end of a budget and the end of a search ---------------------------------------------------------------------


@pytest.mark.parametrize(("strategy", "orders"), [("dpor", 4), ("dfs", 20), ("auto", 24)])
def test_a_budget_that_ends_where_the_search_does_cuts_nothing(strategy: str, orders: int) -> None:
    whole = racewindow.explore(deposits(2), strategy=strategy)
    just = racewindow.explore(deposits(2), strategy=strategy, schedules=orders)
    short = racewindow.explore(deposits(2), strategy=strategy, schedules=orders - 1)

    assert [(each.verdict, each.executions) for each in (whole, short)] == [
        ("complete", orders),
        ("nothing found", orders - 1),
    ]
    if strategy == "auto":
        assert just.verdict == "nothing found", "half of the budget is for the search"
    else:
        assert (just.verdict, just.executions, just.incomplete) == ("complete", orders, ())


def test_a_failure_in_the_last_order_is_the_end_of_the_search_as_well() -> None:
    result = racewindow.explore(trio.sleep_forever, strategy="dpor")

    assert (result.verdict, result.executions, result.complete) == ("failure", 1, True)
    assert "complete: 1 order of events, explored, and it fails" in result_text(result)


def test_a_failure_before_the_last_order_is_not() -> None:
    result = racewindow.explore(deposits(2, asserts=True), strategy="dpor")

    assert (result.verdict, result.complete) == ("failure", False)
    assert result.incomplete == ("the exploration ended with the first failure that it found",)


@pytest.mark.parametrize("unfinished", [None, "schedules"])
def test_a_bounded_search_is_exhaustive_for_its_bound_if_it_came_to_its_end(unfinished: str | None) -> None:
    result = racewindow.explore(deposits(3), strategy="dfs", preemptions=1, schedules=41 if unfinished else 42)
    words = "exhaustive for bound 1: 42 interleavings with at most 1 preemption, all of them explored, none fails"

    assert (result.verdict, result.complete) == ("nothing found", False)
    assert result.exhaustive_bound == (None if unfinished else 1)
    assert (words in " ".join(result_text(result).split())) is (unfinished is None)


@pytest.mark.slow
def test_a_hang_takes_complete_back_in_words_that_are_true() -> None:
    result = racewindow.explore(outcome_programs.hanging, strategy="dpor", step_timeout=0.3, all_failures=True)

    assert (result.failures[0].kind, result.complete) == ("hang", False)
    assert result.incomplete[0].startswith(
        "a step took more than 0.3 s and was stopped: whether it would have ended is"
    )


async def hanging_if_first() -> None:
    """The second task does, if it comes before the others: two writers and a reader of one cell."""
    cell = racewindow.Cell(0)

    async def write(value: int) -> None:
        cell.set(value)

    async def read() -> None:
        while cell.get() == 0:
            pass

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write, 1)
        nursery.start_soon(read)
        nursery.start_soon(write, 2)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["dpor", "dfs"])
def test_a_step_that_hangs_is_confirmed_and_the_search_goes_on_beside_it(strategy: str) -> None:
    """Of the six orders, two begin with the step that hangs: nothing follows it."""
    result = racewindow.explore(hanging_if_first, strategy=strategy, step_timeout=0.3, all_failures=True)

    assert (result.verdict, result.executions, result.failing) == ("failure", 5, 1)
    assert [failure.kind for failure in result.failures] == ["hang"]
    assert not result.complete


# --- what was not confirmed, and what is repeated --------------------------------------------------------------------


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_failure_that_does_not_come_again_is_neither_counted_nor_denied(strategy: str) -> None:
    """And no figure about chance is drawn from what is no function of the schedule."""
    result = racewindow.explore(outcome_programs.failing_in(0), strategy=strategy, footprints=True)
    told = " ".join(result_text(result).split())

    assert (result.verdict, result.executions, result.failing) == ("untrusted", 1, 0)
    assert "Explored: 1 execution, no failure confirmed" in told
    assert "confidence" not in told
    assert result.statistics["independent_executions"] is None
    assert [part.failing for part in result.parts] == ([0] if strategy == "auto" else [])


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("semantics", ["processes", "trio"])
def test_the_same_seed_gives_the_same_result_but_for_the_seconds(strategy: str, semantics: str) -> None:
    if (strategy, semantics) == ("dpor", "trio"):
        pytest.skip("refused")

    def once() -> dict[str, Any]:
        options: dict[str, Any] = {"strategy": strategy, "semantics": semantics, "seed": 5, "all_failures": True}
        result = racewindow.explore(FAILING, schedules=150, **options)
        return {name: value for name, value in result.as_dict().items() if name != "seconds"}

    first = json.dumps(once())

    assert first == json.dumps(once())
    assert json.loads(first)["failing"] > 0


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_traces_are_counted_unless_they_cost_extra(strategy: str) -> None:
    """`random` and `pct` are twice as fast without."""
    by_default = racewindow.explore(LARGE, strategy=strategy, schedules=3).distinct_traces
    on_request = racewindow.explore(LARGE, strategy=strategy, schedules=3, footprints=True).distinct_traces

    assert on_request is not None and 1 <= on_request <= 3
    assert by_default == (None if strategy in {"random", "pct"} else on_request)


def test_a_search_that_was_asked_what_comes_next_says_the_same_of_the_size_of_its_tree() -> None:
    """So that it can be asked at the end of a budget."""
    search = OptimalReduction()
    sizes = []
    with session(deposits(3)) as running:
        search.attach(running.probe, running.tables.keys, running.tables.tasks.paths)
        picker: Any = search.start(0)
        while picker is not None:
            ran = running.run(picker, footprints=True)
            search.finished(ran.trail, ran.raw.steps)
            before = search.tree_size
            picker = search.start(0)
            sizes.append((before, search.tree_size))

    assert len(sizes) == 36
    assert all(before == pytest.approx(after) for before, after in sizes[:-1])
    last, after = sizes[-1]
    assert last is not None and last.log_leaves == pytest.approx(math.log(36))
    assert after is None
