"""The controls of every scenario: what is right is not reported, and the same checkers speak of what is wrong.

By default the rows that the page says are cheap are silent with all their sets, and the others with the smallest, and
the checkers fire within a few executions; with --all-seeds everything is run.
"""

from __future__ import annotations

import re

import pytest

from racewindow_models.checkers_valuation import near
from racewindow_models.controls import CONTROLS, EIGHT_HOURS, RUN, reason
from tools.controls import PAGE, Run, every_run, page, written
from tools.incidents import catalogue

WRITTEN = written()
CHEAP, SAMPLE = 50, 25
"""Executions up to which all sets of a row are run by default; and those of a sample without safeguards."""
PAIRS = [(scenario, control) for scenario in catalogue() for control in CONTROLS]

SLOW = {"paradex-day-legitimate-rollback"}
"""Those that take more than 1.5 s."""

each_run = pytest.mark.parametrize(
    "run",
    [pytest.param(run, id=repr(run), marks=[pytest.mark.slow] if repr(run) in SLOW else []) for run in every_run()],
)


def executions(line: str) -> list[int]:
    """How many each set of a row took, by its own words."""
    return [int(count.replace(",", "")) for count in re.findall(r": ([\d,]+)[; ]", line.split("|")[4])]


def test_every_control_is_run_in_every_scenario_or_makes_no_sense_there() -> None:
    neither = [pair for pair in PAIRS if pair[1] not in RUN[pair[0]] and not reason(*pair)]
    both = [pair for pair in PAIRS if pair[1] in RUN[pair[0]] and reason(*pair)]

    assert (neither, both) == ([], [])
    assert {name for names in RUN.values() for name in names} == set(CONTROLS)


def test_the_page_has_every_row_and_no_other() -> None:
    assert list(WRITTEN) == [(run.scenario.name, run.name) for run in every_run()], "python tools/controls.py"
    assert page(list(WRITTEN.values())) == PAGE.read_text(encoding="utf-8"), "python tools/controls.py"


@each_run
def test_a_control_is_silent_in_every_order_and_the_same_checkers_do_fire(
    run: Run, pytestconfig: pytest.Config
) -> None:
    line = WRITTEN[run.scenario.name, run.name]
    if pytestconfig.getoption("--all-seeds"):
        row = run.row()
        assert (row.line, bool(row.fires)) == (line, True)
    else:
        counts = executions(line)
        smallest = counts.index(min(counts))
        for number, runs in enumerate(run.runs):
            if sum(counts) <= CHEAP or number == smallest:
                assert f" {run.silent(*runs)}" in line
        fires = run.fires(SAMPLE)
        assert fires
        assert [name for name in fires if f"`{name}`" not in line.split("|")[5]] == []
    assert run.control.shows in run.seen
    assert_it_is_what_it_is_called(run)


def assert_it_is_what_it_is_called(run: Run) -> None:
    """By the values that reach the chain, as far as the scenario has one with prices on it."""
    marks_e8 = [values.mark_price_e8 for values in run.values]
    if run.name == "true fall" and marks_e8:
        assert min(marks_e8) * 100 <= 84 * 10**8 * 101
    if run.name == "negative price" and run.control.feed and marks_e8:
        assert max(marks_e8) < 0
    if run.name == "new listing" and marks_e8:
        assert all(abs(each.funding_index_e8) * 100 < each.mark_price_e8 for each in run.values)
    if run.name == "long halt" and marks_e8:
        assert min(each.source_ts_ns for each in run.values if each.source_ts_ns) >= EIGHT_HOURS * 10**9 - 5 * 10**9


@pytest.mark.parametrize(("price", "is_near"), [(-100, True), (-105, True), (-106, False), (-95, True), (100, False)])
def test_a_negative_price_is_near_another_one(price: int, *, is_near: bool) -> None:
    assert near(price, -100, 5) == is_near
