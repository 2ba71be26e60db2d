"""`racewindow matrix`, end to end: text, JSON, CSV and Markdown on stdout, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import racewindow as harness
from racewindow.budget import Progress
from racewindow.cli_matrix import progress_line
from racewindow.matrix_search import MatrixProgress
from tests.harness.command_line import CommandLine, racewindow

__all__ = ["racewindow"]

PROGRAM = Path(__file__).with_name("matrix_program.py")


@pytest.fixture
def bank(racewindow: CommandLine) -> str:
    """The program in the folder of the command."""
    Path("bank.py").write_text(PROGRAM.read_text(encoding="utf-8"), encoding="utf-8")
    return "bank.py"


FEW = ("--safeguards", "lock,wait")


def test_what_closes_it_is_printed_in_80_columns(racewindow: CommandLine, bank: str) -> None:
    ran = racewindow("matrix", bank, *FEW)

    assert (ran.status, ran.err) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "Closes all that fails, the smallest sets:\n  lock, wait (proved: " in ran.out
    assert "Run: 4 of 4 sets, " in ran.out


def test_json_is_one_object_with_every_cell(racewindow: CommandLine, bank: str) -> None:
    ran = racewindow("matrix", bank, *FEW, "--json")
    data = json.loads(ran.out)

    assert (ran.status, ran.err) == (0, "")
    assert data["target"] == "bank.py:bank"
    assert data["safeguards"] == ["lock", "wait"]
    assert data["checkers"] == ["nothing_lost", "report_whole", "never_negative"]
    assert len(data["cells"]) == 4 * 3
    assert data["cells"][0].keys() == {"on", "checker", "verdict", "executions"}
    assert data["cells"][-1]["on"] == ["lock", "wait"]
    assert data["cells"][-1]["verdict"] == "proved"
    assert data["minimal"] == {"nothing_lost": [["lock"]], "report_whole": [["wait"]], "never_negative": [[]]}
    assert data["together"] == [["lock", "wait"]]
    assert data["sets"] == {"all": 4, "run": 4, "inferred": 0}
    assert data["executions"] > 4
    assert data["bounds"] == {"schedules": 4_000, "seconds": 600.0}
    assert (data["strategy"], data["seed"], data["semantics"], data["clock"]) == ("auto", 0, "processes", "idle")
    assert (data["incomplete"], data["untrusted"], data["stopped"], data["interrupted"]) == ([], [], "", False)


def test_what_was_not_run_to_its_end_is_said_in_json_too(racewindow: CommandLine, bank: str) -> None:
    data = json.loads(racewindow("matrix", bank, *FEW, "--schedules", "5", "--json").out)

    assert {tuple(each["on"]) for each in data["incomplete"]} == {(), ("lock",), ("wait",), ("lock", "wait")}
    assert all(each["why"] for each in data["incomplete"])
    assert "proved" not in {each["verdict"] for each in data["cells"]}


def test_csv_and_markdown_hold_the_same(racewindow: CommandLine, bank: str) -> None:
    rows = list(csv.DictReader(racewindow("matrix", bank, *FEW, "--csv").out.splitlines()))
    page = racewindow("matrix", bank, *FEW, "--markdown").out

    assert [(row["lock"], row["wait"], row["nothing_lost"]) for row in rows] == [
        ("0", "0", "fails"),
        ("1", "0", "proved"),
        ("0", "1", "fails"),
        ("1", "1", "proved"),
    ]
    assert "| `lock` | proved | fails |" in page
    assert page.endswith(f"Made by `racewindow matrix {bank} --safeguards lock,wait`.\n")


def test_the_options_reach_the_search(racewindow: CommandLine, bank: str) -> None:
    options = ("--strategy", "random", "--schedules", "7", "--seed", "3", "--clock", "racing", "--everything")
    ran = racewindow("matrix", bank, *FEW, *options, "--seconds", "300")

    assert "strategy random, seed 3, semantics processes (any task may go), clock" in ran.out
    assert "limits: 7 executions per set, 300 s in all" in ran.out
    assert "held fixed: no faults" in ran.out


def test_the_command_to_get_it_again_holds_every_option(racewindow: CommandLine, bank: str) -> None:
    words = ("matrix", bank, "--schedules", "2", "--safeguards", "lock", "--seed", "5", "--step-limit", "90")
    page = racewindow(*words, "--markdown").out

    command = page.rpartition("Made by `racewindow ")[2].strip().removesuffix("`.")
    again = racewindow(*command.split(), "--markdown").out
    assert [line for line in again.splitlines() if "Run: " not in line] == [
        line for line in page.splitlines() if "Run: " not in line
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "missing argument 'TARGET'."),
        (("nothing",), "there is no scenario called 'nothing'."),
        (("others.py:fine",), "fine declares no safeguards."),
        (("BANK", "--safeguards", "lok"), "there is no safeguard of bank called 'lok'."),
        (("BANK", "--safeguards", "none"), "bank is given no safeguards to try."),
        (("BANK", "--schedules", "0"), "--schedules cannot be 0."),
        (("BANK", "--seconds", "nan"), "--seconds cannot be nan."),
        (("BANK", "--strategy", "best"), "there is no strategy called 'best'."),
        (("BANK", "--json", "--csv"), "--json and --csv cannot go together."),
        (("BANK", "--set", "ticks=3"), "there is no parameter of bank called 'ticks'."),
        (("BANK", "--faults", "1"), "bank declares no faults"),
        (("BANK", "--feed", "nowhere.csv"), "bank takes no --feed."),
    ],
)
def test_bad_input_gets_one_message(racewindow: CommandLine, bank: str, arguments: tuple[str, ...], said: str) -> None:
    ran = racewindow("matrix", *(bank if word == "BANK" else word for word in arguments))

    assert (ran.status, ran.out) == (2, "")
    assert " ".join(ran.err.split()).startswith(f"racewindow: {said}")
    assert "Traceback" not in ran.err


def test_the_progress_line_says_which_set_how_far_and_how_long() -> None:
    current = Progress(1_200, 3, steps=9_000, seconds=0.5, schedules=4_000, seconds_limit=None)
    progress = MatrixProgress(12, 36, ("lock", "wait"), current, 30.0, 600.0)

    assert progress_line(progress) == "set 13 of about 48  1,200 executions, 3 failed  1:30 left  lock+wait"
    assert progress_line(progress, 40) == "set 13 of about 48  1,200 executions, 3 "
    assert progress_line(MatrixProgress(0, 48, (), None, 0.0, 60.0)) == "set 1 of about 48  1:00 left  no safeguard"


def test_matrix_is_public() -> None:
    assert harness.matrix.__module__ == "racewindow.matrix_search"
    assert {"matrix", "Matrix", "MatrixProgress"} <= set(harness.__all__)
