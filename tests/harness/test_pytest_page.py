"""The page about pytest is true: its programs are files, and its commands print what it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from racewindow import corpus, pytest_plugin, pytest_wanted
from racewindow.pytest_wanted import Wanted
from tests.harness import suites

pytest_plugins = ["pytester"]

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "pytest.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
PROGRAMS = {block.split()[1]: block for kind, block in BLOCKS if kind == "python"}
COMMANDS = [block.splitlines() for kind, block in BLOCKS if kind == "console"]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda lines: lines[0][2:])
def test_its_commands_print_what_it_shows(pytester: pytest.Pytester, command: list[str]) -> None:
    for name, program in PROGRAMS.items():
        (pytester.path / name).write_text(program.partition("\n")[2], encoding="utf-8")
    typed, *shown = command
    assert typed.startswith("$ pytest ")

    ran = suites.run_suite(pytester, *typed.split()[2:], inside=True)

    printed = iter(ran.text.splitlines())
    for line in shown:
        assert any(line in each for each in printed), f"{line!r} does not come, or not in this order"


def test_every_block_is_a_file_or_a_command() -> None:
    assert len(PROGRAMS) + len(COMMANDS) == len(BLOCKS) == PAGE.count("```") // 2
    assert all(name.startswith("test_") for name in PROGRAMS)


def test_it_lists_every_argument_and_every_option() -> None:
    arguments, _, rest = PAGE.partition("## A suite as it is")
    listed = re.findall(r"^\| `(\w+)` \|", arguments, flags=re.MULTILINE)
    options = re.findall(r"^\| `--racewindow([\w-]*)", rest, flags=re.MULTILINE)

    assert listed == list(Wanted.__slots__)
    assert set(options) == {*pytest_plugin._SWITCHES, *(f"-{name}" for name in pytest_plugin._TEXTS), "-replay"}
    assert pytest_wanted.REPORT_DIR in PAGE and pytest_plugin.CORPUS in PAGE
    assert pytest_plugin.CORPUS == corpus.FOLDER
