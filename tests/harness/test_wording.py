"""Deviations in words: no two of one schedule read the same."""

from __future__ import annotations

import racewindow
from racewindow.schedule import Deviation, Kind
from racewindow.wording import deviation_text

NAMES = {"main/0": "matcher"}


async def two_picks(sim: racewindow.Simulation) -> None:
    """A match is made of two choices in one step."""
    maker, taker = sim.choose("ab"), sim.choose("cd")
    assert (maker, taker) != ("b", "d")


def test_two_choices_of_one_step_are_told_apart() -> None:
    failure = racewindow.explore(racewindow.scenario(two_picks), strategy="dfs", shrink=False).failures[0]

    first, second = failure.deviations
    assert first.endswith(": takes value 1 (counted from 0)")
    assert second.endswith(", choice 2 there: takes value 1 (counted from 0)")
    assert first != second


def test_each_kind_says_which_one_of_its_step_it_is() -> None:
    def told(kind: Kind, index: int) -> str:
        return deviation_text(Deviation("main/0", 3, kind, index, "1"), NAMES)

    assert told("value", 0) == "in step 3 of matcher: takes value 1 (counted from 0)"
    assert told("value", 2) == "in step 3 of matcher, choice 3 there: takes value 1 (counted from 0)"
    assert told("fault", 0) == "in step 3 of matcher: fault 1"
    assert told("fault", 1) == "in step 3 of matcher, fault point 2 there: fault 1"
