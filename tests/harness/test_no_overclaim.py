"""No overclaim: what hides at the edge of a search is found, or `complete` is taken back with the reason in words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.lowlevel import checkpoint

import racewindow
from racewindow import Result
from racewindow.report import result_text

Program = Callable[[], Awaitable[None]]
SEARCHES = ("dpor", "dfs")
ALL = (*SEARCHES, "auto")


def kinds(result: Result) -> list[str]:
    """What was found."""
    return [failure.kind for failure in result.failures]


def assert_withheld(result: Result, *reasons: str) -> None:
    """Not complete, and these reasons stand in the text of the report as they do in its JSON."""
    told = result.as_dict()
    assert not result.complete
    assert not told["complete"]
    assert told["verdict"] != "complete"
    assert tuple(told["incomplete"]) == result.incomplete == reasons
    text = " ".join(result_text(result).split())
    for reason in reasons:
        assert f"not complete: {reason}" in text
    assert "complete:" not in text.replace("not complete:", "")


def assert_complete(result: Result, executions: int) -> None:
    """Complete after so many, in the text and in JSON, and nothing is said against it."""
    told = result.as_dict()
    assert (told["complete"], told["incomplete"], told["redundant"]) == (True, [], 0)
    assert result.executions == executions
    text = " ".join(result_text(result).split())
    assert f"complete: {executions:,} " in text
    assert "not complete" not in text


# --- many tasks, of which two matter ---------------------------------------------------------------------------------

LAST, BEFORE_IT, TASKS = 17, 3, 20


async def two_of_twenty_must_swap(*, all_look: bool = False) -> None:
    """Fails unless task 17 comes after task 3; `all_look`: the others depend on both, so there are 20! orders or so."""
    last = racewindow.Cell(-1, name="last")
    own = [racewindow.Cell(0, name=f"own{number}") for number in range(TASKS)]

    async def task(number: int) -> None:
        await checkpoint()
        if number in (BEFORE_IT, LAST):
            last.set(number)
        else:
            (last if all_look else own[number]).get()

    async with trio.open_nursery() as nursery:
        for number in range(TASKS):
            nursery.start_soon(task, number)
    assert last.get() == LAST


async def crowd() -> None:
    await two_of_twenty_must_swap(all_look=True)


@pytest.mark.parametrize("strategy", ["dpor", "auto"])
def test_two_tasks_of_twenty_that_must_swap_are_found(strategy: str) -> None:
    result = racewindow.explore(two_of_twenty_must_swap, strategy=strategy)
    assert kinds(result) == ["violation"]
    if strategy == "dpor":  # the second of two orders: nothing was left to run
        assert_complete(result, 2)
    else:
        assert_withheld(result, "the exploration ended with the first failure that it found")


def test_two_tasks_of_twenty_make_two_orders() -> None:
    result = racewindow.explore(two_of_twenty_must_swap, strategy="dpor", all_failures=True)
    assert_complete(result, 2)
    assert result.failing == 1


def test_what_a_crowd_hides_from_a_search_is_not_claimed_to_be_absent() -> None:
    """`dpor` begins at the end of the default order, and comes to the two tasks long after its budget is used up."""
    result = racewindow.explore(crowd, strategy="dpor", schedules=100)
    assert result.verdict == "nothing found"
    assert_withheld(result, "the limit of 100 executions came before the last order")


def test_what_a_crowd_hides_from_a_search_the_portfolio_finds() -> None:
    assert kinds(racewindow.explore(crowd)) == ["violation"]


# --- a wide choice ---------------------------------------------------------------------------------------------------


async def one_of_300_values() -> None:
    value = racewindow.choose(range(300))
    await checkpoint()
    assert value != 283


@pytest.mark.parametrize("strategy", ALL)
def test_the_one_value_of_300_that_fails_is_found(strategy: str) -> None:
    assert kinds(racewindow.explore(one_of_300_values, strategy=strategy)) == ["violation"]


@pytest.mark.parametrize("strategy", SEARCHES)
def test_each_of_300_values_is_run(strategy: str) -> None:
    result = racewindow.explore(one_of_300_values, strategy=strategy, all_failures=True)
    assert_complete(result, 300)
    assert result.failing == 1


# --- the step limit --------------------------------------------------------------------------------------------------

STEP_LIMIT = 60
CUT_OFF = f"an execution was cut off at the limit of {STEP_LIMIT} steps, and nothing that could follow was run"


async def endless_in_one_order() -> None:
    """Never ends if the flag is up before the worker looks; what waits behind it is never run then."""
    flag = racewindow.Cell(0, name="flag")

    async def work() -> None:
        await checkpoint()
        rounds = 0
        while flag.get():
            rounds += 1
            await checkpoint()

    async def raise_flag() -> None:
        await checkpoint()
        flag.set(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)
        nursery.start_soon(raise_flag)


async def long_in_one_order() -> None:
    """As before, but it would end well: the limit is too low for it."""
    flag = racewindow.Cell(0, name="flag")

    async def work() -> None:
        await checkpoint()
        for _ in range(STEP_LIMIT * flag.get()):
            await checkpoint()

    async def raise_flag() -> None:
        await checkpoint()
        flag.set(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)
        nursery.start_soon(raise_flag)


@pytest.mark.parametrize("program", [endless_in_one_order, long_in_one_order])
@pytest.mark.parametrize("strategy", ALL)
def test_an_order_that_the_step_limit_cuts_off_is_a_livelock_and_takes_complete_back(
    strategy: str, program: Program
) -> None:
    result = racewindow.explore(program, strategy=strategy, step_limit=STEP_LIMIT, all_failures=True)
    assert kinds(result) == ["livelock"]
    assert result.bounds["step_limit"].reached
    assert_withheld(result, CUT_OFF)


@pytest.mark.parametrize("strategy", SEARCHES)
def test_a_limit_that_cuts_nothing_off_takes_nothing_back(strategy: str) -> None:
    result = racewindow.explore(long_in_one_order, strategy=strategy, step_limit=2 * STEP_LIMIT, all_failures=True)
    assert result.complete
    assert kinds(result) == []


# --- a budget that ends one execution early --------------------------------------------------------------------------


async def lost_update() -> None:
    """36 orders of events."""
    balance = racewindow.Cell(0, name="balance")

    async def deposit() -> None:
        await checkpoint()
        seen = balance.get()
        await checkpoint()
        balance.set(seen + 1)

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(deposit)


async def lost_update_with_a_late_failure() -> None:
    """Of two orders, the second one fails."""
    winner = racewindow.Cell(0, name="winner")

    async def run(number: int) -> None:
        await checkpoint()
        winner.set(number)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, 1)
        nursery.start_soon(run, 2)
    assert winner.get() == 2


ORDERS = {"dpor": 36, "dfs": 1_680}


@pytest.mark.parametrize("strategy", SEARCHES)
def test_a_budget_one_too_small_takes_complete_back(strategy: str) -> None:
    budget = ORDERS[strategy] - 1
    result = racewindow.explore(lost_update, strategy=strategy, schedules=budget)
    assert result.executions == budget
    assert_withheld(result, f"the limit of {budget:,} executions came before the last order")


@pytest.mark.parametrize("strategy", SEARCHES)
def test_a_budget_that_is_just_enough_is_complete_because_nothing_is_left(strategy: str) -> None:
    budget = ORDERS[strategy]
    result = racewindow.explore(lost_update, strategy=strategy, schedules=budget)
    assert result.bounds["schedules"].reached
    assert_complete(result, budget)


@pytest.mark.parametrize("orders", [35, 36])
def test_the_portfolio_claims_what_its_search_has_finished_in_its_half(orders: int) -> None:
    """The search has run so many orders, and 20 random walks came in between, when half of the budget is spent."""
    result = racewindow.explore(lost_update, schedules=2 * (orders + 20))
    complete = orders == ORDERS["dpor"]
    assert result.complete is complete
    notes = {part.strategy: (part.complete, part.note) for part in result.parts}
    assert notes["dpor"] == (complete, "" if complete else "had its half of the budget, and there was more to run")
    assert notes["random"] == (False, "a look around at the start")
    assert ("all of them explored" in result_text(result)) is complete


def test_a_failure_in_the_last_execution_of_the_budget_leaves_nothing_out_if_it_was_the_last_order() -> None:
    result = racewindow.explore(lost_update_with_a_late_failure, strategy="dpor", schedules=2)
    assert result.failing == 1
    assert_complete(result, 2)


def test_a_budget_that_the_first_failure_used_up_is_one_reason_and_the_failure_the_other() -> None:
    result = racewindow.explore(one_of_300_values, strategy="dfs", schedules=284)
    assert_withheld(
        result,
        "the limit of 284 executions came before the last order",
        "the exploration ended with the first failure that it found",
    )


# --- a step that does not come back ----------------------------------------------------------------------------------

STOPPED = (
    "a step took more than 0.3 s and was stopped: whether it would have ended is not known, and nothing that could "
    "follow was run"
)


async def hangs_in_one_order() -> None:
    """The worker never comes back if the flag is up when it looks, and the third task may never get a step then."""
    flag = racewindow.Cell(0, name="flag")

    async def work() -> None:
        await checkpoint()
        while flag.get():
            pass

    async def raise_flag() -> None:
        await checkpoint()
        flag.set(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)
        nursery.start_soon(raise_flag)


async def hangs_where_a_search_only_looks_ahead() -> None:
    """The default order goes past the state in which the waiter hangs: a search tries that out in a probe."""
    level = racewindow.Cell(0, name="level")

    async def wait() -> None:
        await racewindow.until(lambda: level.get() >= 1)
        while level.get() == 1:
            pass

    async def rise() -> None:
        for value in (1, 2):
            await checkpoint()
            level.set(value)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        nursery.start_soon(rise)


async def hangs_where_more_is_planned() -> None:
    """One of three values hangs; the others are still to be run from the same place."""
    await checkpoint()
    value = racewindow.choose(range(3))
    while value == 1:
        pass
    await checkpoint()
    assert value != 2


@pytest.mark.slow
@pytest.mark.parametrize("program", [hangs_in_one_order, hangs_where_a_search_only_looks_ahead])
@pytest.mark.parametrize("strategy", SEARCHES)
def test_a_hang_in_one_order_is_found_and_takes_complete_back(strategy: str, program: Program) -> None:
    result = racewindow.explore(program, strategy=strategy, step_timeout=0.3, all_failures=True)
    assert kinds(result) == ["hang"]
    assert result.untrusted == ""
    assert_withheld(result, STOPPED)


@pytest.mark.slow
def test_a_probe_that_was_stopped_takes_complete_back_even_if_the_order_itself_ends_well() -> None:
    """As on a machine that stands still for a moment: what the search has learned from the probe may be wrong."""
    stopped: list[bool] = []

    async def slow_once() -> None:
        level = racewindow.Cell(0, name="level")

        async def wait() -> None:
            await racewindow.until(lambda: level.get() >= 1)
            if level.get() == 1 and not stopped:
                stopped.append(True)
                while True:
                    pass

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            for value in (1, 2):
                await checkpoint()
                level.set(value)

    result = racewindow.explore(slow_once, strategy="dpor", step_timeout=0.3)
    assert stopped
    assert kinds(result) == []
    assert_withheld(result, STOPPED)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", SEARCHES)
def test_a_hang_does_not_keep_a_search_from_what_it_has_planned_beside_it(strategy: str) -> None:
    result = racewindow.explore(hangs_where_more_is_planned, strategy=strategy, step_timeout=0.3, all_failures=True)
    assert sorted(kinds(result)) == ["hang", "violation"]
    assert result.executions == 3
    assert_withheld(result, STOPPED)


# --- tasks that never ran --------------------------------------------------------------------------------------------


async def never_gets_a_step() -> None:
    """In the default order the first task goes on for ever, so the second one, which fails, never takes a step."""

    async def busy() -> None:
        rounds = 0
        while True:
            rounds += 1
            await checkpoint()

    async def fail() -> None:
        raise ValueError

    async with trio.open_nursery() as nursery:
        nursery.start_soon(busy)
        nursery.start_soon(fail)


async def is_spawned_in_one_order() -> None:
    """The third task exists only if the flag is up when the second one looks."""
    flag = racewindow.Cell(False, name="flag")

    async def raise_flag() -> None:
        await checkpoint()
        flag.set(True)

    async def fail() -> None:
        raise ValueError

    async with trio.open_nursery() as nursery:

        async def look() -> None:
            await checkpoint()
            if flag.get():
                nursery.start_soon(fail)

        nursery.start_soon(look)
        nursery.start_soon(raise_flag)


async def is_cancelled_before_its_first_step() -> None:
    """As under trio, it takes its first step nevertheless, up to its first checkpoint: after that it fails never."""
    steps = racewindow.Cell(0, name="steps")

    async def work() -> None:
        steps.update(lambda count: count + 1)
        await checkpoint()
        raise ValueError

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)
        nursery.cancel_scope.cancel()
    assert steps.get() == 1


@pytest.mark.parametrize("strategy", ALL)
def test_a_task_that_never_got_a_step_is_no_part_of_a_claim(strategy: str) -> None:
    """The first failure is the default order's livelock; with all failures the other one is found as well."""
    result = racewindow.explore(never_gets_a_step, strategy=strategy, step_limit=STEP_LIMIT)
    assert kinds(result) == ["livelock"]
    left = ["the exploration ended with the first failure that it found"] if strategy == "dfs" else []
    assert_withheld(result, CUT_OFF, *left)


@pytest.mark.parametrize("strategy", ALL)
def test_a_task_that_exists_in_one_order_only_is_found(strategy: str) -> None:
    result = racewindow.explore(is_spawned_in_one_order, strategy=strategy)
    assert kinds(result) == ["exception"]


@pytest.mark.parametrize("strategy", SEARCHES)
def test_a_task_cancelled_before_its_first_step_is_rightly_covered(strategy: str) -> None:
    result = racewindow.explore(is_cancelled_before_its_first_step, strategy=strategy)
    assert result.verdict == "complete"


# --- what a reduction does not see -----------------------------------------------------------------------------------


async def looks_at_the_peak() -> None:
    """How full a buffer has been tells orders of a send and a receive apart that nothing else does."""
    send, receive = trio.open_memory_channel[int](2)
    send.send_nowait(0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send.send, 1)
        nursery.start_soon(receive.receive)
    assert send.statistics().peak_buffer_used in (1, 2)


@pytest.mark.skipif(not hasattr(trio.MemoryChannelStatistics, "peak_buffer_used"), reason="this trio does not count it")
def test_a_look_at_the_peak_of_a_buffer_takes_a_proof_by_reduction_back() -> None:
    """Of one by running every interleaving nothing is taken back."""
    why = "the program looks at peak_buffer_used of a channel, which tells orders apart that were taken for one"
    assert_withheld(racewindow.explore(looks_at_the_peak, strategy="dpor"), why)
    assert_withheld(racewindow.explore(looks_at_the_peak), why)
    assert racewindow.explore(looks_at_the_peak, strategy="dfs").complete
