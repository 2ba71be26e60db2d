"""The audit: state that is shared and not tracked is noticed and named, and what is tracked gives no alarm."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import racewindow
from racewindow import audit
from racewindow.audit import after_swaps, equivalent_order, other_orders, swaps_to
from racewindow.checkers import History, Verdict, Violation, checker
from racewindow.footprint import NO_FOOTPRINT
from racewindow.result import Result
from racewindow.trail import Stride
from tests.harness.command_line import CommandLine
from tests.harness.command_line import racewindow as command_line
from tests.harness.small_programs import FAMILIES, SHARED, WAITS, aimed, small_programs
from tests.strategies import as_function

__all__ = ["command_line"]

LOST = """
import trio
import racewindow

class Plain:
    def __init__(self):
        self.balance = 0

@racewindow.tracked
class Tracked:
    def __init__(self):
        self.balance = 0

async def deposits(account):
    async def add():
        await trio.lowlevel.checkpoint()
        seen = account.balance
        await trio.lowlevel.checkpoint()
        account.balance = seen + 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(add)
        nursery.start_soon(add)
    assert account.balance == 2

async def plain():
    await deposits(Plain())

async def tracked():
    await deposits(Tracked())
"""
UNTRACKED = "untracked shared state: two steps that touch nothing in common do not commute"


@pytest.fixture
def lost(command_line: CommandLine) -> CommandLine:
    """The command line beside `lost.py`."""
    Path("lost.py").write_text(LOST, encoding="utf-8")
    return command_line


class Account:
    """Nobody tracks it."""

    def __init__(self) -> None:
        self.balance = 0


async def deposit(account: Account, waits: int = 0) -> None:
    """A lost update, if another one comes in between."""
    for _ in range(waits):
        await trio.lowlevel.checkpoint()
    seen = account.balance
    await trio.lowlevel.checkpoint()
    account.balance = seen + 1


async def two_deposits(waits: int = 0) -> int:
    """What is left of them."""
    account = Account()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(deposit, account, waits)
        nursery.start_soon(deposit, account, waits)
    return account.balance


async def asserting() -> None:
    """The loss fails."""
    assert await two_deposits() == 2


async def asserting_after_a_while() -> None:
    """The same, and most orders of the steps before do not matter."""
    assert await two_deposits(6) == 2


def explore(target: Any, **options: Any) -> Result:
    """Exhaustively."""
    return racewindow.explore(target, strategy="dpor", **options)


# --- what is not tracked ---------------------------------------------------------------------------------------------


def test_a_plain_attribute_of_two_tasks_is_untrusted_and_both_lines_are_named(lost: CommandLine) -> None:
    ran = lost("explore", "lost.py:plain", "--strategy", "dpor")
    told = " ".join(ran.out.split())

    assert (ran.status, ran.err) == (3, "")
    assert f"cannot be trusted. {UNTRACKED}" in told
    assert "step 2 of add, from lost.py:18 deposits.add to end" in told
    assert "step 1 of add#2, from lost.py:16 deposits.add to lost.py:18 deposits.add" in told
    assert "not complete: two steps that count as independent were swapped" in told
    assert "Traceback" not in ran.out


def test_the_same_attribute_tracked_is_a_failure_and_no_complaint(lost: CommandLine) -> None:
    ran = lost("explore", "lost.py:tracked", "--strategy", "dpor")

    assert ran.status == 1
    assert "untracked" not in ran.out


async def cutover() -> None:
    """A deposit is made while the rows travel to another database; both are plain dictionaries."""
    old, new = {"ann": 100}, dict[str, int]()
    in_use = [old]

    async def operator() -> None:
        rows = dict(old)
        await trio.lowlevel.checkpoint()
        new.update(rows)
        in_use[0] = new

    async def pay_in() -> None:
        for _ in range(3):
            await trio.lowlevel.checkpoint()
        database = in_use[0]
        seen = database["ann"]
        await trio.lowlevel.checkpoint()
        database["ann"] = seen + 10

    async with trio.open_nursery() as nursery:
        nursery.start_soon(operator)
        nursery.start_soon(pay_in)
    assert in_use[0]["ann"] == 110


def test_a_proof_that_rests_on_one_execution_is_audited_by_more_than_a_few_orders() -> None:
    verdicts = {racewindow.explore(cutover, strategy="dpor", seed=seed).verdict for seed in range(20)}
    assert verdicts == {"untrusted"}
    assert {racewindow.explore(cutover, seed=seed, shrink=False).verdict for seed in range(20)} == {"failure"}


@pytest.mark.parametrize("target", [asserting, asserting_after_a_while])
def test_no_seed_misses_a_lost_update(target: Any) -> None:
    """Tasks that take turns overlap, which is what it needs: that order does not depend on the seed."""
    results = [explore(target, seed=seed) for seed in range(20)]

    assert {(result.verdict, result.complete) for result in results} == {("untrusted", False)}


def test_what_main_returns_is_compared() -> None:
    assert explore(two_deposits).untrusted.startswith(UNTRACKED)


def test_events_are_compared() -> None:
    @racewindow.scenario()
    async def noted(sim: racewindow.Simulation) -> None:
        account = Account()

        async def add() -> None:
            await deposit(account)
            sim.emit("deposited", balance=account.balance)

        sim.spawn(add)
        sim.spawn(add)

    assert "another event is emitted" in explore(noted).untrusted


def test_what_other_strategies_find_is_found() -> None:
    """A failure is replayed from its schedule, which does not depend on tracking."""
    result = racewindow.explore(asserting, strategy="auto")

    assert (result.verdict, result.complete) == ("failure", False)


def test_a_search_that_contradicts_itself_ends_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an audit it goes on, until a step is planned that cannot be taken."""
    monkeypatch.setattr(audit.Auditor, "check", lambda *_: "")
    result = explore(contradiction, all_failures=True)

    assert (result.verdict, result.complete) == ("untrusted", False)
    assert result.untrusted.startswith("untracked shared state: the search planned a step that cannot be taken.")
    assert any("untracked shared state" in reason for reason in result.incomplete)


async def contradiction() -> None:
    """How many steps one task has turns on a plain attribute that the other one sets."""
    account, x = Account(), racewindow.Cell(0, name="x")

    async def writer() -> None:
        await trio.lowlevel.checkpoint()
        x.set(1)
        await trio.lowlevel.checkpoint()
        account.balance = 1
        await trio.lowlevel.checkpoint()
        x.get()

    async def reader() -> None:
        await trio.lowlevel.checkpoint()
        if account.balance:
            await trio.lowlevel.checkpoint()
        await trio.lowlevel.checkpoint()
        x.get()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(writer)
        nursery.start_soon(reader)


RUNS: list[int] = []


async def moody() -> None:
    """What it does depends on how often it was run: nothing that two tasks share."""
    RUNS.append(0)
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(trio.lowlevel.checkpoint)
    if len(RUNS) % 2:
        await trio.lowlevel.checkpoint()


def test_what_outlives_an_execution_is_no_shared_state_of_two_tasks() -> None:
    """The same order is run once more before two of its steps are blamed."""
    result = explore(moody)

    assert result.untrusted.startswith("nondeterminism: ")


# --- what gives no alarm ---------------------------------------------------------------------------------------------


def test_the_order_of_events_of_independent_steps_matters_to_checkers_only() -> None:
    async def body(sim: racewindow.Simulation) -> None:
        async def note(what: str) -> None:
            sim.emit(what)
            await trio.lowlevel.checkpoint()

        sim.spawn(note, "one")
        sim.spawn(note, "two")

    @checker("one-is-first")
    def one_is_first(history: History) -> Verdict:
        return Verdict.violated([Violation(None, "two", "it is first")] if history.events[0].kind == "two" else [])

    careless = racewindow.scenario(checks=[one_is_first])(body)
    result = explore(racewindow.scenario()(body))

    assert (result.verdict, result.untrusted) == ("complete", "")
    assert result.audited > 0
    assert explore(careless).verdict == "untrusted"


@pytest.mark.slow
@pytest.mark.parametrize("instead", ["require_ready", "presence_required"])
def test_the_proofs_of_the_built_in_scenario_pass(instead: str) -> None:
    from racewindow_models.scenarios.paradex import paradex

    result = explore(paradex, safeguards=[instead, "age_guard", "atomic_batch"])

    assert (result.verdict, result.untrusted) == ("complete", "")
    assert result.audited >= 8


@pytest.mark.parametrize("clock", ["idle", "racing"])
@pytest.mark.parametrize("family", [*SHARED, *FAMILIES])
@settings(max_examples=max(2, settings().max_examples // 10), suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_programs_of_tracked_state_pass(family: str, clock: str, data: st.DataObject) -> None:
    """All that they share is tracked, so there is nothing to notice."""
    operations = (FAMILIES | SHARED)[family]
    program = data.draw(small_programs(operations, 60, racing=clock == "racing"))

    assert explore(as_function(program, brisk=True), all_failures=True, clock=clock, schedules=20).untrusted == ""


@pytest.mark.parametrize("kind", WAITS)
@settings(max_examples=max(2, settings().max_examples // 10), suppress_health_check=list(HealthCheck))
@given(data=st.data(), clock=st.sampled_from(["idle", "racing"]))
def test_waits_that_are_ended_and_cancelled_pass(kind: str, clock: str, data: st.DataObject) -> None:
    program = data.draw(aimed(kind, 60, racing=clock == "racing"))

    assert explore(as_function(program, brisk=True), all_failures=True, clock=clock, schedules=20).untrusted == ""


@pytest.mark.parametrize("target", [asserting, contradiction])
def test_two_audits_are_the_same(target: Any) -> None:
    one, two = (explore(target, seed=3).as_dict() | {"seconds": 0} for _ in range(2))

    assert one == two


# --- orders ----------------------------------------------------------------------------------------------------------


def strides(befores: list[tuple[int, int]]) -> list[Stride]:
    """Steps of (task, what happens before it)."""
    return [
        Stride(
            task, (), (), NO_FOOTPRINT, before, before, before, 0, blocking=False, barrier=False, mark=0, view=0, root=0
        )
        for task, before in befores
    ]


@st.composite
def executions(draw: st.DrawFn) -> list[Stride]:
    """Steps of three tasks, of which some depend on earlier ones."""
    befores: list[tuple[int, int]] = []
    for index, task in enumerate(draw(st.lists(st.integers(1, 3), max_size=8))):
        seeds = {other for other in range(index) if befores[other][0] == task or draw(st.integers(0, 4)) == 0}
        before = 0
        for other in seeds:
            before |= befores[other][1] | 1 << other
        befores.append((task, before))
    return strides(befores)


@given(executions(), st.integers(0, 99))
def test_other_orders_are_equivalent_and_each_is_another(steps: list[Stride], seed: int) -> None:
    orders = list(other_orders(steps, random.Random(seed), 8))

    assert len({*map(tuple, orders), tuple(range(len(steps)))}) == len(orders) + 1
    for order in orders:
        assert sorted(order) == list(range(len(steps)))
        for at, index in enumerate(order):
            assert not steps[index].before & ~sum(1 << each for each in order[:at])


def test_tasks_take_turns() -> None:
    assert equivalent_order(strides([(1, 0), (1, 1), (2, 0), (2, 4)]), None) == [0, 2, 1, 3]


@given(executions(), st.integers(0, 99))
def test_swaps_lead_from_the_order_of_the_execution_to_another(steps: list[Stride], seed: int) -> None:
    """All orders between them are equivalent as well: no swap is of two steps of which one comes after the other."""
    order = equivalent_order(steps, random.Random(seed).choice)
    between = [after_swaps(order, count) for count in range(len(swaps_to(order)) + 1)]

    assert between[0] == sorted(order)
    assert between[-1] == order
    for at, (one, two) in zip(swaps_to(order), pairwise(between), strict=True):
        assert [one[at], one[at + 1]] == [two[at + 1], two[at]]
        assert not steps[one[at + 1]].before >> one[at] & 1
