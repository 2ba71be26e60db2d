"""Hand-written failures and results, as a run would leave them behind: for the tests of what is said about them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from racewindow.failure import Execution, Failure, Shrunk, Size
from racewindow.result import Bound, Result
from racewindow.schedule import Deviation, Schedule

SCHEDULE = Schedule(
    (Deviation("main/3", 4, "task", 0, "main/2/1"), Deviation("main/2/1", 2, "task", 0, "main/4")),
    seed=7,
    fingerprint="3f9c1a",
)

LIQUIDATED = Failure(
    kind="violation",
    checker="no_false_liquidation",
    class_="default",
    subject="short-XRP",
    message="short-XRP was liquidated at block 3 although it is solvent under ground truth: its account value is "
    "1,204.50 USDT, 1,101.20 above the maintenance margin.",
    schedule=SCHEDULE,
    time_ns=1_805_000_000_000,
    evidence={"block": 3, "account_value_e8": 120_450_000_000, "markets": {"XRP", "ETH"}},
    execution=12,
    deviations=(
        "after step 4 of upgrader: writer.tick goes first",
        "after step 2 of writer.tick: committer goes first, which is the step that puts the values on the chain",
    ),
    digest="8776be412f38a2fc1545e8ad4a59cc04",
    story=(
        "T+00:00.000  maintenance starts; writer is told to stop",
        "T+30:00.000  routing switches to db_new; writer, committer start; trading reopens",
        "             … 2 more events …",
        (
            "T+30:05.000  writer#2 publishes before its state is loaded: funding index of XRP is 0, never written by a "
            "producer"
        ),
        "T+30:05.000  short-XRP is liquidated",
    ),
    others=(
        "block 3 holds a funding index of 0 for XRP that no producer wrote",
        "writer#2 published XRP before its state was loaded",
    ),
)

ASSERTED = Failure(
    kind="violation",
    message='assertion failed: assert x.get() == 2, f"x is {x.get()}"\n  x is 1\n  at mine.py:21 two_writers',
    schedule=Schedule((Deviation("main", 0, "task", 0, "main/1"),), seed=1, fingerprint="8820ca"),
    deviations=("after step 0 of two_writers: add#2 goes first",),
    digest="8ad5a824bf16dfefd019f5f4239b4bee",
)

DEADLOCK = Failure(
    kind="deadlock",
    message="deadlock: no task can run, and no deadline is pending.\n"
    "  wait waits in trio.Event.wait at dead.py:5 deadlock.wait\n"
    "      await first.wait()",
    schedule=Schedule(fingerprint="c1f73b"),
    digest="c04a59cc8776be412f38a2fc1545e8ad",
)

SHRUNK = replace(
    LIQUIDATED,
    schedule=replace(SCHEDULE, params={"markets": 1, "ticks": 2}),
    shrunk=Shrunk(
        replace(
            LIQUIDATED,
            schedule=replace(
                SCHEDULE,
                deviations=(*SCHEDULE.deviations, Deviation("main/4", 0, "task", 0, "main/3")),
                params={"markets": 2, "ticks": 2},
            ),
        ),
        before=Size(0, 9, 14, 84),
        after=Size(0, 1, 2, 61),
        tries=31,
    ),
)

STALE = replace(
    LIQUIDATED,
    checker="no_unknown_age",
    class_="stale",
    subject="ETH",
    message="block 5 holds a mark price of ETH that is 1,830 s old",
    execution=40,
    count=1_204,
)

FOUND = Result(
    scenario="paradex",
    target="paradex",
    strategy="random",
    semantics="processes",
    clock="idle",
    seed=7,
    executions=13,
    failing=1,
    steps=1_092,
    seconds=0.04,
    failures=(LIQUIDATED,),
    files=("found/paradex-no_false_liquidation-default-0d9f6a11.json",),
    bounds={"step_limit": Bound(50_000, reached=False), "schedules": Bound(2_000, reached=False)},
    params={"markets": 2, "accounts": 2, "note": "as recorded"},
)

ALL = replace(
    FOUND,
    executions=2_000,
    failing=1_611,
    steps=168_204,
    seconds=4.21,
    failures=(replace(LIQUIDATED, count=407), STALE),
    files=(*FOUND.files, "found/paradex-no_unknown_age-stale-77ab01c2.json"),
    bounds={"schedules": Bound(2_000, reached=True), "seconds": Bound(60.0, reached=False)},
    safeguards=("atomic_batch", "delta_guard"),
    notes=("sinks_agree could not tell in at least one execution: the checker crashed: KeyError: 'XRP'",),
)

NOTHING = replace(
    FOUND,
    executions=2_000,
    failing=0,
    steps=168_204,
    seconds=4.2,
    failures=(),
    files=(),
    statistics={"independent_executions": 2_000, "failure_chance_at_most": 0.00149675},
)

UNTRUSTED = replace(
    NOTHING,
    executions=1,
    steps=2,
    statistics={},
    seconds=0.01,
    untrusted="nondeterminism: one schedule gave two different executions; step 1 differs:\n"
    "  first:  nondet step 0, until end; read outside:CancelScope\n"
    "  second: nondet step 0, until dead.py:25 nondet; read outside:CancelScope, read clock",
)


def execution(*failures: Failure, **fields: Any) -> Execution:
    """An execution that ended with these failures."""
    known: dict[str, Any] = {
        "outcome": failures[0].kind if failures else "ok",
        "failures": failures,
        "digest": failures[0].digest if failures else "0" * 32,
        "steps": 84,
    }
    return Execution(**(known | fields))
