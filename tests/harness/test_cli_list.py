"""`racewindow list` shows what can be explored, and one broken package does not hide the others."""

from __future__ import annotations

import sys

import pytest

import racewindow_faults
from racewindow.checkers import FunctionChecker, History, Verdict
from racewindow.scenarios import Simulation, scenario
from racewindow.target import Listed
from tests.harness.command_line import CommandLine, racewindow
from tests.snapshots.compare import assert_snapshot

__all__ = ["racewindow"]


def holds(_history: History) -> Verdict:
    return Verdict.holds()


@scenario(
    name="the-window",
    safeguards={"wait": "the writer waits until all of its state is loaded, from the new database", "check": "checks"},
    checks=[FunctionChecker("conservation", holds), FunctionChecker("sinks_agree", holds)],
    faults=[racewindow_faults.Crash(target="writer-*"), racewindow_faults.Stall(seconds=60)],
    feed=lambda path: path,
    not_in_all=["check"],
    incident="2026-01-19, an exchange",
)
async def window(sim: Simulation, *, ticks: int = 2, market: str = "XRP") -> None:
    """A restarted writer publishes before its state is loaded, in a maintenance window that was planned.

    More about it.
    """


@scenario(incident="2017-06-30, another one")
async def earlier(sim: Simulation) -> None:
    """Two writers write."""


@scenario
async def bare() -> None: ...


FOUND = [
    Listed("bare", "racewindow", bare),
    Listed("broken", "their-package", problem="bad.py, line 1: ValueError: no"),
    Listed("earlier", "", earlier),
    Listed("the-window", "their-package", window, aliases=("S-EX-1",)),
]


@pytest.mark.parametrize(("found", "name"), [(FOUND, "list.txt"), ([], "list_empty.txt")])
def test_the_list_is_by_incident_and_reads_well(
    racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch, found: list[Listed], name: str
) -> None:
    monkeypatch.setattr("racewindow.target.list_scenarios", lambda: found)
    ran = racewindow("list")

    assert (ran.status, ran.err) == (0, "")
    assert_snapshot(name, ran.out)


def test_by_name_it_says_all_about_a_scenario(racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("racewindow.target.list_scenarios", lambda: FOUND)
    ran = racewindow("list", "the-window", "bare", "broken")

    assert (ran.status, ran.err) == (0, "")
    assert_snapshot("list_names.txt", ran.out)


def test_another_name_of_a_scenario_does_as_well(racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("racewindow.target.list_scenarios", lambda: FOUND)
    by_name, by_alias = racewindow("list", "the-window"), racewindow("list", "S-EX-1")

    assert (by_alias.status, by_alias.out) == (0, by_name.out)
    assert by_name.out.startswith("the-window  S-EX-1  (from their-package)\n")


def test_an_unknown_name_gets_the_nearest(racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("racewindow.target.list_scenarios", lambda: FOUND)
    ran = racewindow("list", "bare", "the-widow")

    assert (ran.status, ran.out) == (2, "")
    assert "there is no scenario called 'the-widow'." in ran.err
    assert "did you mean 'the-window'?" in ran.err


def test_what_an_import_prints_is_not_part_of_the_list(
    racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chatty() -> list[Listed]:
        sys.stdout.write("hello\n")
        return []

    monkeypatch.setattr("racewindow.target.list_scenarios", chatty)
    ran = racewindow("list")

    assert ran.err == "hello\n"
    assert "hello" not in ran.out


def test_every_scenario_of_ours_is_listed(racewindow: CommandLine) -> None:
    ran = racewindow("list")

    assert ran.status == 0
    assert "annot be loaded" not in ran.out
    assert "Of no incident" not in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
