"""The page on continuous integration: its project is set up, and its commands print what it shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

from racewindow.ci.config import _GENERAL, _OF_TARGET, _SHARED
from tests.harness.command_line import CommandLine, racewindow

__all__ = ["racewindow"]

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")


def test_the_page_prints_what_it_shows(racewindow: CommandLine) -> None:
    typed = 0
    for kind, block in re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL):
        first, _, rest = block.partition("\n")
        if kind == "console":
            ran = racewindow(*first.removeprefix("$ racewindow ").split())
            assert ran.out + ran.err == rest
            typed += 1
        else:
            Path(first.removeprefix("# ")).write_text(block, encoding="utf-8")

    assert typed == 3


def test_the_page_has_every_key() -> None:
    tables = PAGE.partition("## Exit status")[0].partition("| key of a target")
    general, of_target = (set(re.findall(r"`([a-z_]+)`", _first_cells(each))) for each in (tables[0], tables[2]))

    assert general == {*_GENERAL, *_SHARED, "targets"}
    assert of_target == set(_OF_TARGET)


def _first_cells(text: str) -> str:
    return "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))


def test_the_page_has_every_key_of_the_json(racewindow: CommandLine) -> None:
    Path("pyproject.toml").write_text('[[tool.racewindow.targets]]\ntarget = "mine.py"\n', encoding="utf-8")
    told = json.loads(racewindow("ci", "--json").out)
    documented = set(re.findall(r"`([a-z_]+)`", PAGE.partition("The JSON has")[2].partition("A run can")[0]))

    assert {*told, *told["rows"][0], *told["rows"][0]["places"][0]} <= documented
