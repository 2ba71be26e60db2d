"""The tutorial and two more pages are true: programs are files, commands are typed in order, and print what is shown.

As for the README, what a command prints is written into the page anew when RACEWINDOW_UPDATE_SNAPSHOTS is set.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from tests import test_readme as readme
from tests.harness.command_line import CommandLine, racewindow

__all__ = ["racewindow"]

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = ["tutorial.md", "tutorial-window.md", "semantics.md", "dpor.md"]


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_commands_print_what_is_shown(name: str, racewindow: CommandLine, tmp_path: Path) -> None:
    """Every command of the page, typed in its order in one folder."""
    page = DOCS / name
    text = page.read_text(encoding="utf-8")
    for block in readme.all_blocks(page):
        if found := re.match(r"# (\w+\.py)\n", block.text):
            (tmp_path / found[1]).write_text(block.text, encoding="utf-8")
    shown = [block.text for block in readme.all_blocks(page) if block.language == "console"]

    true = ["".join(told(*session, racewindow, tmp_path) for session in readme.sessions(block)) for block in shown]
    if os.environ.get("RACEWINDOW_UPDATE_SNAPSHOTS"):
        for old, new in zip(shown, true, strict=True):
            text = text.replace(f"```console\n{old}```", f"```console\n{new}```")
        page.write_text(text, encoding="utf-8")
        shown = true

    assert true
    assert shown == true, "if that is meant: RACEWINDOW_UPDATE_SNAPSHOTS=1 pytest, and read the difference"


def told(command: str, shown: str, racewindow: CommandLine, folder: Path) -> str:
    """The command and what has to stand under it: `shown` itself if that is true of what the command prints."""
    command = readme.with_names_of_now(command, folder)
    printed = output_of(command, racewindow, folder)
    if not readme.agree(shown, printed):  # an explanation is cut off after 10 s, and this machine may be busy
        again = output_of(command, racewindow, folder)
        printed = again if readme.agree(shown, again) else printed
    return f"$ {command}\n{shown if readme.agree(shown, printed) else readme.with_the_same_left_out(shown, printed)}"


def output_of(command: str, racewindow: CommandLine, folder: Path) -> str:
    """What a person would see; our own commands are run in this process, which takes a quarter of the time."""
    own = re.fullmatch(r"racewindow ([^|>]*)", command)
    if own is None:
        return readme.output_of(command, folder)
    ran = racewindow(*shlex.split(own[1]))
    return ran.err + ran.out


def test_session_gives_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python with prompts, all of it in one session."""
    page = DOCS / "tutorial.md"
    blocks = [block.text for block in readme.all_blocks(page) if block.language == "python"]
    (tmp_path / "tracked.py").write_text(next(text for text in blocks if text.startswith("# tracked.py")))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "tracked", raising=False)
    session = "".join(text for text in blocks if text.startswith(">>>"))

    results = doctest.DocTestRunner().run(doctest.DocTestParser().get_doctest(session, {}, page.name, str(page), 0))
    sys.modules.pop("tracked", None)

    assert results.attempted > 3
    assert results.failed == 0


def test_plan_that_it_shows_is_the_one_that_is_written(racewindow: CommandLine) -> None:
    """What stands there of a plan is in the one that `plan new` writes, word for word."""
    racewindow("plan", "new", "tonight.toml")
    plan = Path("tonight.toml").read_text(encoding="utf-8")
    shown = [block.text for block in readme.all_blocks(DOCS / "tutorial-window.md") if block.language == "toml"]

    assert shown
    for text in shown:
        assert text in plan
