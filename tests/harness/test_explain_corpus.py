"""The programs of the benchmarks that fail: the pair that is named is the one that each was built around."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from re import fullmatch

import pytest

import racewindow
from racewindow import Explanation, Failure
from racewindow.report_failure import failure_text

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from corpus import PROGRAMS

pytestmark = pytest.mark.slow

CROSSWISE = ("(a|b|fork.) task. write, task. write",)
"""One task has its first lock before another one wants that as its second."""
LOST = ("x task. read, task. write",)
"""One task reads what another one is about to write."""
MIDST = ("counter task0 read, task[1-9] write", "counter task[1-9] write, task0 read")
"""Another task writes after the first look of the one that looks twice, or before its last."""
AROUND = {
    **dict.fromkeys(("crosswise", "deadlock01", "dining(2)", "dining(3)", "dining(4)", "dining(5)"), CROSSWISE),
    **dict.fromkeys(("lost-update(2,1)", "lost-update(3,1)", "lost-update(4,1)", "lost-update(2,3)"), LOST),
    # The check takes the lock when the last of the two others has had it.
    **dict.fromkeys(("account", "lazy01"), ("m task[01] write, task2 write",)),
    # A setter has written a, but not yet b when the checker looks at it.
    **{f"reorder({n},1)": (rf"b task{n} read, (?!task{n})task\d+ write",) for n in (1, 2, 3, 4, 9, 19)},
    # The reader is in the second section before the writer that it has seen in the first one.
    **{f"twostage({n},1)": (rf"lock_b task{n} write, (?!task{n})task\d+ write",) for n in (1, 2, 9)},
    **dict.fromkeys(("wronglock(1,1)", "wronglock(1,3)", "wronglock(1,7)"), MIDST),
    # The request has looked at the flag when the driver is told to stop.
    "bluetooth": ("stopping task0 read, task1 write",),
}
"""`OBJECT TASK does, TASK does`: what comes first and what second, as patterns."""
WHATEVER = ("leaked-lock(2)", "leaked-lock(3)", "leaked-lock(4)")
"""These fail in every order."""


def explained(name: str, seed: int) -> tuple[Failure, Explanation]:
    """A failure of a program, and why it happens. Where it is rare, it is found by the strategy that is good at it."""
    strategy = "surw" if name == "twostage(9,1)" else "random"
    failure = racewindow.explore(PROGRAMS[name].function, strategy=strategy, seed=seed).failures[0]
    return failure, racewindow.explain(PROGRAMS[name].function, failure, schedules=600)


def test_every_program_that_fails_is_here() -> None:
    assert {*AROUND, *WHATEVER} == {name for name, program in PROGRAMS.items() if program.failing != 0}


@pytest.mark.seeds(sample=1, all=5)
@pytest.mark.parametrize("name", AROUND)
def test_the_pair_is_the_one_that_the_program_was_built_around(name: str, seed: int) -> None:
    pair = explained(name, seed)[1].pairs[0]
    first, second = pair.first, pair.second
    named = f"{pair.key} {first.task} {first.mode}, {second.task} {second.mode}"

    assert any(fullmatch(pattern, named) for pattern in AROUND[name]), named
    assert first.task != second.task
    assert pair.kept.failing > 0 == pair.reversed.failing < pair.reversed.runs


@pytest.mark.parametrize("name", WHATEVER)
def test_where_every_order_fails_no_pair_is_named(name: str) -> None:
    failure, explanation = explained(name, 0)

    assert (explanation.pairs, explanation.fixes) == ((), ())
    text = failure_text(replace(failure, explanation=explanation), scenario=name, file=None)
    assert "No two of its steps decide it by their order" in text
