"""What a report says about shrinking: from what to what, what ended it early, and nothing where there is nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from racewindow.budget import ShrinkLimits, ShrinkProgress
from racewindow.failure import Failure, Size
from racewindow.progress import shrink_line
from racewindow.report_failure import shrunk_text, told
from tests.harness.told import LIQUIDATED, SHRUNK

assert SHRUNK.shrunk is not None
SAME_SCENARIO = replace(SHRUNK, schedule=LIQUIDATED.schedule)

SMALLER = (
    "Shrunk from 14 deviations (9 preemptions) to 2 (1 preemption) in 31 tries, in a smaller scenario (markets=1)."
)


def with_(failure: Failure, **fields: object) -> Failure:
    assert failure.shrunk is not None
    return replace(failure, shrunk=replace(failure.shrunk, **fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (LIQUIDATED, ""),
        (with_(SHRUNK, smaller=False), ""),
        (with_(SHRUNK, smaller=False, ended="interrupted"), "Not shrunk: interrupted."),
        (
            SHRUNK,
            SMALLER,
        ),
        (
            with_(SAME_SCENARIO, before=Size(2, 0, 3, 9), after=Size(1, 0, 1, 9), tries=1),
            "Shrunk from 3 deviations (2 faults) to 1 (1 fault) in 1 try.",
        ),
        (
            with_(SAME_SCENARIO, before=Size(0, 1, 1, 9), after=Size(0, 1, 1, 7), ended="interrupted"),
            "Shrunk from 9 steps to 7 in 31 tries. It may not be the smallest: interrupted.",
        ),
        (
            with_(SAME_SCENARIO, before=Size(0, 1, 1, 9), after=Size(0, 1, 1, 9)),
            "Shrunk in 31 tries to as many deviations, lower ones or earlier ones.",
        ),
    ],
)
def test_a_report_says_what_shrinking_has_done(failure: Failure, text: str) -> None:
    assert shrunk_text(failure) == text
    assert max(map(len, told(failure, "paradex"))) <= 80


def test_the_progress_line_says_how_small_it_is_by_now() -> None:
    limits = ShrinkLimits(tries=100, seconds=10.0)

    assert shrink_line(ShrinkProgress(31, Size(0, 2, 4, 60), 3.0, limits)) == (
        "shrinking  31 tries  down to 4 deviations (2 preemptions)  0:07 left"
    )
