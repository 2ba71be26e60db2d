"""Every scenario shows what the catalogue of incidents says of it, and `docs/incidents.md` is what running it gives.

Scenarios are found in their folder. By default the rows that the page says are cheap are run in full, and of the others
a sample; with --all-seeds everything.
"""

from __future__ import annotations

import re

import pytest

import racewindow
from racewindow.target import resolve
from racewindow_models.expected import SafeguardSet
from tools.incidents import PAGE, SEEDS, Entry, Row, catalogue, missing, page, written

ENTRIES = catalogue()
WRITTEN = written()
ROWS = [(entry, on) for entry in ENTRIES.values() for on in entry.sets]
IDS = [f"{entry}-{'+'.join(on) or 'none'}" for entry, on in ROWS]
CHEAP, CHEAP_TO_EXPLAIN, CHEAP_MATRIX, SAMPLE = 50, 25, 100, 25
"""Executions up to which a row is run in full, a failure explained, a matrix made by default; and those of a sample."""
SAFEGUARDS_MOST = 6
"""Of more safeguards than that, not all sets are run even with --all-seeds."""

every_entry = pytest.mark.parametrize("entry", ENTRIES.values(), ids=str)


@pytest.fixture
def everything(pytestconfig: pytest.Config) -> bool:
    """Whether nothing is to be left out."""
    return bool(pytestconfig.getoption("--all-seeds"))


def kept(entry: Entry, on: SafeguardSet = ()) -> Row:
    """The row of the page."""
    assert (entry.name, on) in WRITTEN, f"{PAGE.name} has no such row: python tools/incidents.py"
    return WRITTEN[entry.name, on]


def agrees(entry: Entry, on: SafeguardSet, violated: set[str]) -> bool:
    """Whether the catalogue says the same."""
    if not on:
        return violated == set(entry.expected.violates)
    if entry.closes(on):
        return not violated
    return bool(violated) and not violated & set(entry.silenced(on))


# --- the page


def test_every_scenario_says_what_is_expected_of_it() -> None:
    assert missing() == []


@every_entry
def test_a_scenario_is_called_what_the_catalogue_calls_it_as_well(entry: Entry) -> None:
    """The contrast of S-CF-1 and the whole day have no name there."""
    if re.fullmatch(r"S-[A-Z]+-[0-9]+", entry.expected.ident):
        assert resolve(entry.expected.ident) == (entry.scenario, entry.name)


def test_the_page_has_every_row_and_no_other() -> None:
    assert list(WRITTEN) == [(entry.name, on) for entry, on in ROWS], "python tools/incidents.py"
    assert page(ENTRIES, list(WRITTEN.values())) == PAGE.read_text(encoding="utf-8"), "python tools/incidents.py"


@pytest.mark.parametrize(("entry", "on"), ROWS, ids=IDS)
def test_the_page_says_what_the_catalogue_says(entry: Entry, on: SafeguardSet) -> None:
    row = kept(entry, on)

    assert agrees(entry, on, set(row.violated))
    assert row.sure.startswith("proved") == (entry.closes(on) and entry.expected.proved)


# --- the runs


@pytest.mark.parametrize(("entry", "on"), ROWS, ids=IDS)
def test_what_a_set_leaves_open_is_what_the_page_says(entry: Entry, on: SafeguardSet, *, everything: bool) -> None:
    row = kept(entry, on)
    if everything or row.executions <= CHEAP:
        found = entry.row(on)
        assert found.violated == row.violated
        assert row.sure.partition("; 20 of")[0] == found.sure
    else:
        sample = entry.explore(on, strategy="random", schedules=SAMPLE, all_failures=True)
        assert {failure.checker for failure in sample.failures} <= set(row.violated)
        assert bool(entry.explore(on, schedules=max(SAMPLE, row.first)).failures) == bool(row.violated)


@every_entry
@pytest.mark.seeds(sample=1, all=SEEDS)
def test_a_failure_is_found_and_is_the_same_again(entry: Entry, seed: int) -> None:
    failures = entry.explore(seed=seed).failures
    again = racewindow.replay(entry.scenario, failures[0].schedule)

    assert {failure.checker for failure in failures} <= set(entry.expected.violates)
    assert again.digest == failures[0].digest
    assert {failure.identity for failure in failures} <= {each.identity for each in again.failures}


@every_entry
def test_every_seed_finds_it_as_soon_as_the_page_says(entry: Entry, *, everything: bool) -> None:
    if everything:
        assert kept(entry).sure.endswith(f"; {entry.seeds_text()}")
    assert f"; {SEEDS} of {SEEDS} seeds within " in kept(entry).sure


@every_entry
def test_the_explanation_needs_no_more_orderings_than_the_catalogue_says(entry: Entry, *, everything: bool) -> None:
    needed, _, most = kept(entry).orderings.partition(" of at most ")

    assert needed != "?", "the explanation names no orderings that are enough"
    assert int(needed) <= int(most) == entry.expected.constraints
    if everything or kept(entry).executions <= CHEAP_TO_EXPLAIN:
        assert entry.orderings(entry.explained()) == int(needed)


@every_entry
def test_no_other_set_that_is_as_small_closes_it(entry: Entry, *, everything: bool) -> None:
    """By the matrix, where its sets are few or everything is asked for."""
    count = len(entry.scenario.safeguards)
    possible = entry.expected.proved and count <= SAFEGUARDS_MOST
    if possible and (everything or kept(entry).executions << count <= CHEAP_MATRIX):
        expected = entry.expected
        matrix = racewindow.matrix(entry.scenario, params=expected.params, faults=expected.faults or None)
        assert {frozenset(each.on) for each in matrix.minimal()} == set(map(frozenset, expected.closed_by))
        assert {each.verdict.name for each in matrix.minimal()} == {"proved"}


# --- it can fail


def test_a_row_is_read_as_it_was_written() -> None:
    for entry, on in ROWS:
        row = kept(entry, on)
        assert row.line in PAGE.read_text(encoding="utf-8")
    row = Row(
        "a", ("b", "c"), (), "first in execution 7 of 1,234; every order was run; 20 of 20 seeds within 9 executions"
    )
    assert (row.executions, row.first) == (1_234, 7)


def test_what_the_catalogue_does_not_say_does_not_agree() -> None:
    entry = ENTRIES["paradex-overlap"]
    regressed, torn = entry.expected.violates

    assert agrees(entry, (), {regressed, torn})
    assert not agrees(entry, (), {regressed})
    assert agrees(entry, ("fencing", "atomic_batch"), set())
    assert not agrees(entry, ("fencing", "atomic_batch"), {torn})
    assert agrees(entry, ("fencing",), {torn})
    assert not agrees(entry, ("fencing",), {regressed, torn})
    assert not agrees(entry, ("fencing",), set())
