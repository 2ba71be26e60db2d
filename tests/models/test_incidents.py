"""The small incident scenarios as a family: what closes them, alone and under faults, and what is said about them."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest

import racewindow
from racewindow import History, Judgement, Scenario
from racewindow_models.expected import Expected
from racewindow_models.scenarios.aws_dns_plan import aws_dns_plan
from racewindow_models.scenarios.cloudflare_rollout import cloudflare_rollout
from racewindow_models.scenarios.knight_partial_rollout import knight_partial_rollout
from racewindow_models.scenarios.ssv_double_sign import ssv_double_sign
from racewindow_models.scenarios.venus_paused_feed import venus_paused_feed
from tests.models.incidents import INCIDENTS, searched, violated
from tests.models.variants import shuffled

EACH = pytest.mark.parametrize(("scenario", "expected"), INCIDENTS.items(), ids=lambda each: getattr(each, "name", ""))
PAGE = Path(__file__).parents[2] / "docs" / "other-incidents.md"


@EACH
def test_without_safeguards_each_of_its_checkers_fails(scenario: Scenario, expected: Expected) -> None:
    assert violated(searched(scenario)) == set(expected.violates) == {check.name for check in scenario.checks}


@pytest.mark.slow
@EACH
def test_a_set_of_safeguards_closes_it_exactly_if_it_holds_a_closing_one(
    scenario: Scenario, expected: Expected
) -> None:
    """Every subset, each explored to its end."""
    names = list(scenario.safeguards)
    for count in range(len(names) + 1):
        for on in combinations(names, count):
            closed = any(set(closing) <= set(on) for closing in expected.closed_by)
            assert (searched(scenario, *on).verdict == "complete") == closed, on


@EACH
def test_what_closes_a_part_leaves_the_rest(scenario: Scenario, expected: Expected) -> None:
    for on, silenced in expected.closes_only.items():
        assert violated(searched(scenario, *on)) == set(expected.violates) - set(silenced)


HOLDS_NOT_UNDER_FAULTS: dict[tuple[Scenario, tuple[str, ...]], set[str | None]] = {
    (ssv_double_sign, ("full_downtime",)): {"single_active_writer"},
    (venus_paused_feed, ("floor_is_unknown",)): {"loans_covered", "no_unknown_age"},
}
"""A stop that is not the end of the instance, and a feed that crashes before it has fallen to its floor."""
SMALLER: dict[Scenario, dict[str, int]] = {cloudflare_rollout: {"nodes": 2}}
"""Sizes at which every order with a fault is run in a second or two."""


@pytest.mark.slow
@EACH
def test_what_closes_it_does_so_under_a_fault_as_well_with_two_exceptions(
    scenario: Scenario, expected: Expected
) -> None:
    """One fault of the kinds that the scenario declares, at any of its points, in every order."""
    for on in expected.closed_by:
        result = searched(scenario, *on, faults=1, **SMALLER.get(scenario, {}))
        assert violated(result) == HOLDS_NOT_UNDER_FAULTS.get((scenario, on), set()), on
        assert result.faults_struck


@pytest.mark.parametrize(
    ("scenario", "params"),
    [
        (aws_dns_plan, {"enactors": 3, "records": 2}),
        (cloudflare_rollout, {"nodes": 5, "proxies": 4, "rounds": 4}),
        (knight_partial_rollout, {"servers": 8, "orders": 4}),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_larger_sizes_fail_without_safeguards_and_hold_with_all(scenario: Scenario, params: dict[str, int]) -> None:
    failing = racewindow.explore(scenario, strategy="random", params=params, schedules=200, shrink=False)
    assert failing.failures
    result = racewindow.explore(scenario, strategy="random", params=params, schedules=200, safeguards="all")
    assert (result.failing, result.untrusted) == (0, "")


@EACH
def test_a_size_of_nothing_is_refused(scenario: Scenario, expected: Expected) -> None:
    """The first parameter of each is a number of somebody."""
    del expected
    name = scenario.parameters[0].name
    with pytest.raises(racewindow.UsageError, match=f"the parameter '{name}' cannot be 0"):
        racewindow.explore(scenario, params={name: 0})


@EACH
def test_its_story_fits_the_terminal(scenario: Scenario, expected: Expected) -> None:
    """Every kind of event that is told has a line, filled in from what the event says."""
    del expected
    assert scenario.narrate is not None
    for failure in searched(scenario).failures:
        lines = [line for line in map(scenario.narrate, failure.events) if line]
        assert lines
        assert not [line for line in lines if re.search(r"[{}<>\[\]]", line) or len(line) > 2 * 65]


@EACH
def test_its_checkers_do_not_turn_on_the_order_of_independent_events(scenario: Scenario, expected: Expected) -> None:
    for failure in searched(scenario).failures:
        one, other = History(failure.events), History(shuffled(failure.events, seed=len(failure.events)))
        verdicts = {check.name: check.check(one) for check in scenario.checks}
        assert {check.name: check.check(other) for check in scenario.checks} == verdicts
        assert any(verdict.judgement is Judgement.VIOLATED for verdict in verdicts.values())
    assert expected.violates


@EACH
def test_its_page_names_every_safeguard_checker_and_mark(scenario: Scenario, expected: Expected) -> None:
    _, found, section = PAGE.read_text(encoding="utf-8").partition(f"## `{scenario.name}`")
    assert found
    section = section.partition("\n## ")[0]
    names = [*scenario.safeguards, *expected.violates]
    assert [name for name in names if f"`{name}`" not in section] == []
    assert expected.ident in section
