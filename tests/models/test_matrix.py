"""The matrix of `paradex` at a smaller size: its smallest sets are those of brute force over all subsets."""

from __future__ import annotations

import pytest

import racewindow
from racewindow import Scenario
from racewindow.safeguard_matrix import subsets
from racewindow_models.scenarios.paradex import paradex
from racewindow_models.scenarios.paradex_rollback import paradex_rollback

SMALL = {"markets": 1, "ticks": 1, "batches": 1}
TRIED = ("require_ready", "presence_required", "age_guard", "delta_guard", "keep_last_good")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "safeguards", "params"),
    [(paradex, TRIED, SMALL), (paradex_rollback, ("outbox", "fencing"), {})],
    ids=lambda each: getattr(each, "name", None),
)
def test_the_smallest_sets_are_those_of_brute_force(
    scenario: Scenario, safeguards: tuple[str, ...], params: dict[str, int]
) -> None:
    matrix = racewindow.matrix(scenario, safeguards=safeguards, params=params)
    failing = {on: searched(scenario, on, params) for on in subsets(safeguards)}

    for checker in (None, *(check.name for check in scenario.checks)):
        closing = [on for on, found in failing.items() if not (found if checker is None else checker in found)]
        smallest = {on for on in closing if not any(other < on for other in closing)}
        assert {frozenset(each.on) for each in matrix.minimal(checker)} == smallest, checker
        assert {each.verdict.name for each in matrix.minimal(checker)} <= {"proved"}


def searched(scenario: Scenario, on: frozenset[str], params: dict[str, int]) -> set[str | None]:
    """The checkers that fail in any order, by a search of its own to the end."""
    result = racewindow.explore(
        scenario, strategy="dpor", all_failures=True, safeguards=sorted(on), params=params, shrink=False
    )
    assert (result.complete, result.untrusted) == (True, "")
    return {failure.checker for failure in result.failures}
