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
    incident="2026-01-19, an exchange",
)
async def window(sim: Simulation, *, ticks: int = 2, market: str = "XRP") -> None:
    """A restarted writer publishes before its state is loaded, in a maintenance window that was planned.

    More about it.
    """


@scenario
async def bare() -> None: ...


FOUND = [
    Listed("bare", "racewindow", bare),
    Listed("broken", "their-package", problem="bad.py, line 1: ValueError: no"),
    Listed("the-window", "their-package", window),
]


@pytest.mark.parametrize(("found", "name"), [(FOUND, "list.txt"), ([], "list_empty.txt")])
def test_the_list_reads_well(
    racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch, found: list[Listed], name: str
) -> None:
    monkeypatch.setattr("racewindow.target.list_scenarios", lambda: found)
    ran = racewindow("list")

    assert (ran.status, ran.err) == (0, "")
    assert_snapshot(name, ran.out)


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
    assert "cannot be loaded" not in ran.out
