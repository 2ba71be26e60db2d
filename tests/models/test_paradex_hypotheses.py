"""Hypotheses H2, H3 and H6 of the Paradex incident: every class of them, every set of safeguards, larger sizes."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

import racewindow
from racewindow import Result, Scenario
from racewindow_models.scenarios import paradex_overlap as overlap
from racewindow_models.scenarios import paradex_partial_copy as copy
from racewindow_models.scenarios import paradex_rollback as rollback
from racewindow_models.scenarios.paradex_overlap import paradex_overlap
from racewindow_models.scenarios.paradex_partial_copy import paradex_partial_copy
from racewindow_models.scenarios.paradex_rollback import paradex_rollback
from tests.models.seen import searched

SCENARIOS = (paradex_overlap, paradex_partial_copy, paradex_rollback)
REGRESSED, TORN = ("generation_monotonic", "regressed"), ("no_mixed_generations", "torn")
EXPECTED = {paradex_overlap: overlap.EXPECTED, paradex_partial_copy: copy.EXPECTED, paradex_rollback: rollback.EXPECTED}


def groups(result: Result) -> set[tuple[str | None, str | None]]:
    return {(failure.checker, failure.class_) for failure in result.failures}


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        (paradex_overlap, {REGRESSED, TORN}),
        (
            paradex_partial_copy,
            {
                ("no_false_liquidation", "default"),
                ("ready_before_write", "default"),
                ("ready_before_write", "corrupt"),
                ("bounded_delta", "default"),
            },
        ),
        (
            paradex_rollback,
            {("rollback_complete", "corrupt"), ("rollback_complete", "stale"), ("sinks_agree", "default")},
        ),
    ],
)
def test_without_safeguards_every_class_is_found(scenario: Scenario, expected: set[tuple[str, str]]) -> None:
    assert groups(searched(scenario)) == expected


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_a_set_of_safeguards_closes_it_exactly_if_it_holds_a_closing_one(
    scenario: Scenario, pytestconfig: pytest.Config
) -> None:
    """Every subset is explored to its end with --all-seeds; else those on the border, and one, and all."""
    names = list(scenario.safeguards)
    subsets = [set(on) for count in range(len(names) + 1) for on in combinations(names, count)]
    closed = [on for on in subsets if closes(scenario, on)]
    open_ = [on for on in subsets if not closes(scenario, on)]
    if not pytestconfig.getoption("--all-seeds"):
        closed = [on for on in closed if not any(other < on for other in closed)] + [set(names)]
        open_ = [on for on in open_ if not any(on < other for other in open_)] + [set()]
    assert all(searched(scenario, *on).verdict == "complete" for on in closed)
    assert all(searched(scenario, *on).verdict == "failure" for on in open_)


def closes(scenario: Scenario, on: set[str]) -> bool:
    """Whether the catalogue says that these safeguards close it."""
    return any(set(closing) <= on for closing in EXPECTED[scenario].closed_by)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_larger_sizes_fail_without_safeguards_and_hold_with_all(scenario: Scenario) -> None:
    params = {"markets": 3}
    assert racewindow.explore(scenario, params=params, schedules=500).failures
    result = racewindow.explore(scenario, strategy="random", params=params, schedules=300, safeguards="all")
    assert (result.failing, result.untrusted) == (0, "")


def test_the_documentation_explains_every_safeguard_and_checker() -> None:
    page = (Path(__file__).parents[2] / "docs" / "paradex-hypotheses.md").read_text(encoding="utf-8")
    for scenario in SCENARIOS:
        _, found, section = page.partition(f"`{scenario.name}`")
        assert found
        section = section.partition("\n## ")[0]
        assert [name for name in scenario.safeguards if f"`{name}`" not in section] == []


@pytest.mark.parametrize(
    ("safeguards", "fails"),
    [((), True), (("generation_check",), True), (("presence_required",), False), (("copy_complete",), False)],
)
def test_a_replica_that_lags_is_as_bad_as_a_copy_that_is_not_complete(safeguards: tuple[str, ...], fails: bool) -> None:  # noqa: FBT001  # a column of the table
    """By order alone, with no fault: the primary holds every row before anybody reads."""
    result = racewindow.explore(
        paradex_partial_copy, strategy="dpor", all_failures=True, safeguards=safeguards, params={"replica": True}
    )

    assert (result.complete, result.redundant) == (True, 0)
    assert (("no_false_liquidation", "default") in groups(result)) is fails
    assert bool(result.failures) is fails
