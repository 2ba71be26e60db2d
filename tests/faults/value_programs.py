"""A program for each kind of fault of clocks, data, configuration and operators, which fails only if it strikes."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import trio

import racewindow
from racewindow import Fault
from racewindow_faults import (
    DecimalShift,
    DuplicatedRow,
    Early,
    FlagReuse,
    Frozen,
    Jump,
    MissingRow,
    Nan,
    OldConfig,
    OldVersion,
    Overrun,
    PartialRollout,
    Repeat,
    Sign,
    Skew,
    Skip,
    WrongOrder,
    WrongTarget,
    WrongUnit,
    Zero,
)
from tests.faults.stage import Clock, Store, carry_out, load

# --- clocks ----------------------------------------------------------------------------------------------------------


async def agree_on_the_time() -> None:
    assert Clock().read() == Clock().read()


async def goes_forwards() -> None:
    clock = Clock()
    before = clock.read()
    await trio.sleep(120)
    assert clock.read() > before


async def measures_ten_seconds() -> None:
    clock = Clock()
    before = clock.read()
    await trio.sleep(10)
    assert clock.read() == before + 10


# --- data ------------------------------------------------------------------------------------------------------------


async def reads_a_row() -> None:
    assert await Store(btc={"mark": 92_600, "index": 12}).read("btc") is not None


async def adds_up() -> None:
    assert sum(await Store(sizes=[1, 2, 3]).read("sizes", "data.table")) == 6


async def reads_the_newest() -> None:
    store = Store(index=12_000)
    await store.write(index=12_001)
    assert await store.read("index", "data.row") == 12_001


async def has_a_price() -> None:
    assert await Store(btc=92_600).read("btc", "feed.read")


async def has_the_right_size() -> None:
    assert 10_000 < await Store(btc=92_600).read("btc", "feed.read") < 1_000_000


async def is_positive() -> None:
    assert await Store(btc=92_600).read("btc", "feed.read") > 0


async def is_a_number() -> None:
    assert not math.isnan(await Store(btc=92_600.0).read("btc", "feed.read"))


# --- configuration ---------------------------------------------------------------------------------------------------

OLD = {"limit": 1, "power_peg": False, "venue": "a"}
NEW = {"limit": 1, "power_peg": True, "venue": "b"}


async def has_the_new_config() -> None:
    assert await load("v1", "v2") == "v2"


async def has_both_changes() -> None:
    assert await load(OLD, {**OLD, "limit": 2}, {**OLD, "limit": 3}) == {**OLD, "limit": 3}


async def has_a_config_that_was_rolled_out() -> None:
    assert await load(OLD, NEW) in (OLD, NEW)


# --- operators -------------------------------------------------------------------------------------------------------

RUNBOOK = ["drain", "freeze", "switch"]


async def does_all_steps() -> None:
    assert set(RUNBOOK) <= {step.strip("!") for step in await carry_out(RUNBOOK)}


async def does_no_step_twice() -> None:
    done = await carry_out(RUNBOOK)
    assert len(done) == len(set(done))


async def drains_before_it_freezes() -> None:
    done = await carry_out(RUNBOOK)
    assert done.index("drain") < done.index("freeze")


async def acts_on_the_right_target() -> None:
    assert not any(step.startswith("!") for step in await carry_out(RUNBOOK))


async def ends_in_the_window() -> None:
    await carry_out(RUNBOOK)
    assert trio.current_time() < 1800


def scenario(function: Callable[[], Awaitable[object]]) -> racewindow.Scenario:
    """One without a declaration."""
    return racewindow.scenario(function)


PROGRAMS: list[tuple[Fault, racewindow.Scenario]] = [
    (Skew(), scenario(agree_on_the_time)),
    (Jump(), scenario(goes_forwards)),
    (Frozen(), scenario(measures_ten_seconds)),
    (MissingRow(), scenario(reads_a_row)),
    (DuplicatedRow(), scenario(adds_up)),
    (OldVersion(), scenario(reads_the_newest)),
    (Zero(), scenario(has_a_price)),
    (DecimalShift(), scenario(has_the_right_size)),
    (Sign(), scenario(is_positive)),
    (WrongUnit(), scenario(has_the_right_size)),
    (Nan(), scenario(is_a_number)),
    (OldConfig(), scenario(has_the_new_config)),
    (WrongOrder(), scenario(has_both_changes)),
    (FlagReuse(), scenario(has_a_config_that_was_rolled_out)),
    (PartialRollout(), scenario(has_a_config_that_was_rolled_out)),
    (Skip(), scenario(does_all_steps)),
    (Repeat(), scenario(does_no_step_twice)),
    (Early(), scenario(drains_before_it_freezes)),
    (WrongTarget(), scenario(acts_on_the_right_target)),
    (Overrun(), scenario(ends_in_the_window)),
]
"""Each kind with a program that fails only if it strikes."""
