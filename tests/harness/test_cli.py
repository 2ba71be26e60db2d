"""The command line itself: its help, its exit statuses, and one clear message for each way of misusing it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from racewindow.errors import RacewindowError
from racewindow.report_layout import WIDTH
from tests.harness.command_line import CommandLine, racewindow
from tests.snapshots.compare import assert_snapshot

__all__ = ["racewindow"]

EXPLORE_OPTIONS = {
    *("--strategy", "--schedules", "--seconds", "--seed", "--semantics", "--clock", "--safeguards", "--set", "--feed"),
    *("--preemptions", "--depth", "--faults", "--fault", "--require-coverage", "--no-explain"),
    *("--allow-negative-prices", "--all-failures", "--footprints", "--no-footprints", "--step-limit", "--log", "--out"),
    *("--no-shrink", "--json", "--quiet", "--help", "--report"),
}


def options(text: str) -> set[str]:
    """The options that a help text offers: those at the beginning of a line."""
    return {each for line in text.splitlines() for each in re.findall(r"--[a-z-]+", line[:34]) if line[:4].strip()}


@pytest.mark.parametrize(
    ("command", "offered"),
    [
        ((), {"--version", "--debug", "--help"}),
        (("list",), {"--help"}),
        (("explore",), EXPLORE_OPTIONS),
        (("shrink",), {"--tries", "--seconds", "--out", "--json", "--quiet", "--help"}),
        (("replay",), {"--schedule", "--step", "--log", "--json", "--help"}),
        (("plan", "new"), {"--system", "--help"}),
        (("report",), {"--out", "--format", "--schedules", "--seconds", "--no-explain", "--quiet", "--help"}),
        (("explain",), {"--schedules", "--seconds", "--json", "--quiet", "--help"}),
    ],
)
def test_the_help_offers_what_works_and_nothing_else(
    racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], offered: set[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ran = racewindow(*command, "--help")

    assert (ran.status, ran.err) == (0, "")
    assert offered == options(ran.out)
    assert max(map(len, ran.out.splitlines())) <= WIDTH


@pytest.mark.parametrize("group", [(), ("plan",)])
def test_what_a_command_does_is_said_whole_in_a_list_of_commands(racewindow: CommandLine, group: tuple[str]) -> None:
    listed = racewindow(*group, "--help").out.partition("Commands:")[2]
    assert listed and "..." not in listed


def test_a_question_ends_in_its_mark(racewindow: CommandLine) -> None:
    assert racewindow("explor").err.splitlines()[1].endswith("'explain'?")


def test_the_command_alone_shows_its_help(racewindow: CommandLine) -> None:
    assert racewindow() == racewindow("--help") == racewindow("-h")


def test_the_help_waits_for_nothing_slow(racewindow: CommandLine) -> None:
    """0.25 s is all that it may take; trio and structlog alone would cost as much."""
    code = (
        "import sys; from racewindow.cli import main; main(['explore', '--help']);"
        "print({'trio', 'structlog', 'rich', 'asyncio', 'racewindow.explorer'} & set(sys.modules), file=sys.stderr)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)

    assert ran.stderr.strip() == "set()"


def test_the_version_is_told(racewindow: CommandLine) -> None:
    ran = racewindow("--version")

    assert (ran.status, ran.err) == (0, "")
    assert re.fullmatch(r"racewindow \S+ \(trio \d+\.\d+\S*, Python \d+\.\d+\.\d+\S*\)\n", ran.out)


# --- misuse ----------------------------------------------------------------------------------------------------------

MINE = ("explore", "mine.py:two_writers")
FED = ("explore", "others.py:fed")
BAD_INPUT: list[tuple[str, ...]] = [
    ("explore", "no-such-scenario"),
    ("explore", "no_such_file.py"),
    ("explore", "mine.py:two_riders"),
    ("explore", "others.py"),
    ("explore", "broken.py"),
    ("explore", "no.such.module:f"),
    (*MINE, "--schedules", "0"),
    (*MINE, "--schedules", "-5"),
    (*MINE, "--schedules", "many"),
    (*MINE, "--schedules", "1.5"),
    (*MINE, "--seconds", "0"),
    (*MINE, "--seconds", "-1"),
    (*MINE, "--seconds", "nan"),
    (*MINE, "--seconds", "inf"),
    (*MINE, "--seconds", "1m"),
    (*MINE, "--seed", "lucky"),
    (*MINE, "--step-limit", "0"),
    (*MINE, "--preemptions", "2"),
    (*MINE, "--strategy", "dfs", "--preemptions", "-1"),
    (*MINE, "--strategy", "pct", "--depth", "0"),
    (*MINE, "--semantics", "asyncio"),
    (*MINE, "--clock", "wall"),
    (*MINE, "--safeguards", "use_log"),
    (*MINE, "--safeguards", "use_lock,use_lock"),
    (*MINE, "--safeguards", "use_lock,"),
    (*MINE, "--set", "writers"),
    (*MINE, "--set", "=3"),
    (*MINE, "--set", "writers=x"),
    (*MINE, "--set", "writers=1.5"),
    (*MINE, "--set", "riders=3"),
    (*MINE, "--set", "writers=2", "--set", "writers=3"),
    (*MINE, "--feed", "prices.csv"),
    (*MINE, "--allow-negative-prices"),
    (*FED, "--feed", "prices.csv"),
    (*FED, "--feed", "folder"),
    ("explore", "others.py:narrowly_fed", "--allow-negative-prices"),
    (*MINE, "--out", "taken"),
    (*MINE, "--out", "taken/deeper"),
    (*MINE, "--log", "no/such/folder/log"),
    (*MINE, "--log", "folder"),
    ("replay", "no-such-file.json"),
    ("replay", "mine.py:two_writers"),
    ("replay", "folder"),
    ("replay", "taken"),
    ("replay", "foreign.json"),
    ("replay", "mine.py:two_writers", "--schedule", "rw2-AAAA"),
    ("replay", "mine.py:two_writers", "--schedule", "rw1-CIggygIBAAgFFWYO2B"),
    ("replay", "no-such-scenario", "--schedule", "rw1-CIggygIBAAgFFWYO2A"),
    ("replay", "foreign.json", "--schedule", "rw1-CIggygIBAAgFFWYO2A"),
]


def listing(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_each_bad_input_is_one_message_and_leaves_nothing(
    racewindow: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = EntryPoints([EntryPoint("such-a-scenario", "mine:two_writers", "racewindow.scenarios")])
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: installed)
    Path("taken").write_text("kept", encoding="utf-8")
    Path("broken.py").write_text("def f(:", encoding="utf-8")
    Path("foreign.json").write_text('{"name": "package"}', encoding="utf-8")
    Path("folder").mkdir()
    before = listing(tmp_path)
    told = []
    for arguments in BAD_INPUT:
        ran = racewindow(*arguments)
        told.append(f"$ racewindow {' '.join(arguments)}\n{ran.err}")
        assert (ran.status, ran.out) == (2, ""), arguments
        assert ran.err.startswith("racewindow: "), arguments
        assert listing(tmp_path) == before, arguments

    assert_snapshot("cli_bad_input.txt", "\n".join(told))


def test_an_unknown_strategy_names_those_that_there_are(racewindow: CommandLine) -> None:
    """Not among the messages above, because the list grows."""
    ran = racewindow(*MINE, "--strategy", "rando")

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("racewindow: there is no strategy called 'rando'.\nDo:  did you mean 'random'? Known: ")


@pytest.mark.parametrize(
    "arguments",
    [("explore",), ("expolre", "x"), (*MINE, "--sead", "3"), (*MINE, "more"), (*MINE, "--seed"), ("replay", "--debug")],
)
def test_what_typer_refuses_has_the_same_form(racewindow: CommandLine, arguments: tuple[str, ...]) -> None:
    """Its words are its own and change with its version."""
    ran = racewindow(*arguments)

    assert (ran.status, ran.out) == (2, "")
    assert re.fullmatch(r"racewindow: [a-z][^\n]*\n(  [^\n]*\n)?Do:  racewindow( \w+)? --help\n", ran.err)


COMMANDS = st.sampled_from(("explore", "explore", "explore", "replay", "explain", "list"))
TARGETS = st.sampled_from(
    ("mine.py", "mine.py:two_writers", "others.py:fine", "others.py:raises", "others.py", "", "é")
)
WORDS = st.sampled_from(
    (
        *("--set", "writers=1", "--seconds", "0.01", "--seed", "--step-limit", "--safeguards", "all", "none"),
        *("--json", "--quiet", "--log", "--out", "--clock", "racing", "--semantics", "trio", "--all-failures", "-1"),
        *("--footprints", "--schedule", "rw1-CIggygIBAAgFFWYO2A", "--strategy", "random", "1", "0", "use_lock", "x"),
        *("--debug", "--", "found", "\udcff", "nan", "9" * 30, "9" * 5_000, ""),
    )
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(COMMANDS, TARGETS, st.lists(WORDS, max_size=6))
def test_whatever_is_typed_has_one_of_the_statuses_and_is_no_bug(
    racewindow: CommandLine, command: str, target: str, words: list[str]
) -> None:
    ran = racewindow(command, target, *words, *(("--schedules", "2") if command == "explore" else ()))

    assert ran.status in {0, 1, 2, 3}, ran.err
    assert "Traceback" not in ran.out + ran.err
    assert ran.status != 2 or (ran.out == "" and ran.err.startswith("racewindow: "))


# --- our own mistakes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("flags", "variable"), [((), ""), ((), "0"), (("--debug",), ""), ((), "1")])
def test_a_bug_of_ours_is_called_one(
    racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], variable: str
) -> None:
    def broken(_text: str) -> None:
        raise LookupError("no such thing")

    monkeypatch.setattr("racewindow.target.resolve", broken)
    monkeypatch.setenv("RACEWINDOW_DEBUG", variable)
    ran = racewindow(*flags, "explore", "mine.py")
    wanted = bool(flags) or variable == "1"

    assert (ran.status, ran.out) == (70, "")
    assert ran.err.startswith("racewindow: internal error at test_cli.py, line ")
    assert "LookupError: no such thing\nWhy: this is a bug in racewindow" in ran.err
    assert wanted == ("Traceback (most recent call last)" in ran.err)
    assert wanted != ("with RACEWINDOW_DEBUG=1" in ran.err)


def test_an_error_of_ours_is_a_message_whatever_its_class(
    racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_text: str) -> None:
        raise RacewindowError("what.", why="why.", do="racewindow do")

    monkeypatch.setattr("racewindow.target.resolve", broken)
    ran = racewindow("explore", "mine.py")

    assert (ran.status, ran.err) == (2, "racewindow: what.\nWhy: why.\nDo:  racewindow do\n")


def test_an_interrupt_before_there_is_a_result_is_one_line(
    racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_text: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("racewindow.target.resolve", interrupted)
    ran = racewindow("explore", "mine.py")

    assert (ran.status, ran.out) == (130, "")
    assert ran.err == "racewindow: interrupted, before there was a result.\n"
