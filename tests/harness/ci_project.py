"""A project with one safe, one failing, one stale and one broken row, as `racewindow ci` meets it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from racewindow.corpus import Corpus
from racewindow.explorer import explore
from racewindow.target import resolve

CONFIG = """
[tool.racewindow]
schedules = 300

[[tool.racewindow.targets]]
name = "locked"
target = "mine.py"
safeguards = ["use_lock"]
expect = "complete"

[[tool.racewindow.targets]]
target = "mine.py"

[[tool.racewindow.targets]]
target = "broken.py"
"""
SAFE_ONLY = CONFIG.partition('[[tool.racewindow.targets]]\ntarget = "mine.py"')[0]

_LATER = """
import racewindow

async def moved() -> None:
    racewindow.Cell(0, name="x").set(1)
"""
_BEFORE = """
import racewindow
import trio

async def moved() -> None:
    x = racewindow.Cell(0, name="x")

    async def add() -> None:
        seen = x.get()
        await trio.lowlevel.checkpoint()
        x.set(seen + 1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(add)
        nursery.start_soon(add)
    assert x.get() == 2
"""


def write_config(text: str = CONFIG) -> None:
    """As `pyproject.toml` of the current folder."""
    Path("pyproject.toml").write_text(text, encoding="utf-8")


def keep_failure(program: str = _BEFORE, file: str = "moved.py") -> Path:
    """Put a failure of a program into the corpus; the path of its file."""
    Path(file).write_text(program, encoding="utf-8")
    scenario, target = resolve(file)
    failure = explore(scenario, shrink=False, target_name=target).failures[0]
    return Corpus("tests/racewindow_corpus").add(failure, target=target, scenario=scenario)


def make_stale() -> Path:
    """A failure in the corpus, of a program that is another one now."""
    path = keep_failure()
    _rewrite("moved.py", _LATER)
    return path


def mend() -> None:
    """The program whose failure is in the corpus passes."""
    _rewrite("moved.py", _BEFORE.replace("seen = x.get()", "pass").replace("seen + 1", "x.get() + 1"))


def _rewrite(file: str, text: str) -> None:
    Path(file).write_text(text, encoding="utf-8")
    later = time.time() + 10  # so that nobody takes the text for what it was, on a clock of whole seconds
    os.utime(file, (later, later))


def make_project() -> None:
    """All four rows; `mine.py` is there."""
    write_config()
    Path("broken.py").write_text("import nowhere_at_all\n", encoding="utf-8")
    make_stale()
