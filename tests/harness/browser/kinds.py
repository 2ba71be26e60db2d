"""Every kind of page, made by the command line as a user makes it.

A new kind is a function that writes its page, and a line in `KINDS`: what is true of every page is then tried with it.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from racewindow.cli import main
from racewindow.failure_file import load
from racewindow.page_failure import failure_page
from racewindow.picture import Act
from racewindow.picturing import picture_of
from racewindow_models.scenarios.paradex import paradex
from tests.harness.test_cli_report import HOSTILE

STEPS = 20_000
CI = """
[tool.racewindow]
schedules = 60
targets = [{ target = "paradex", expect = "complete" }, { target = "paradex-overlap", expect = "fails" }]
"""


def _run(*arguments: str) -> str:
    """What `racewindow ARGUMENTS` prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(io.StringIO()):
        assert main(arguments) in {0, 1}, arguments
    return printed.getvalue()


def _found(name: str, target: str, *more: str) -> str:
    """The file of the first failure of a target."""
    found = _run("explore", target, "--no-explain", "--json", "--out", f"{name} found", *more)
    return str(json.loads(found)["failures"][0]["file"])


def _failure(name: str, target: str, *more: str) -> None:
    _run("report", _found(name, target, *more), "-o", f"{name}.html", "--schedules", "500")


def _hostile() -> None:
    Path("hostile.py").write_text(HOSTILE, encoding="utf-8")
    _failure("hostile", "hostile.py:hostile", "--strategy", "random")


def _hostile_exploration() -> None:
    Path("hostile.py").write_text(HOSTILE, encoding="utf-8")
    options = ("--strategy", "random", "--footprints", "--no-explain", "--no-shrink")
    _run("explore", "hostile.py:hostile", *options, "--report", "hostile pages", "--out", "hostile all")
    Path("hostile pages/index.html").rename("hostile exploration.html")


def _long() -> None:
    """A page of two orders of 20,000 steps each: those of a short one, again and again."""
    file = _found("long", "paradex")
    picture = picture_of(paradex, load(file), file=file, target="paradex", wanted=False)
    base = [act._replace(role="", wrong=False, arrows=()) for act in picture.failing.acts]

    def acts(services: int) -> tuple[Act, ...]:
        return tuple(
            base[at % len(base)]._replace(at=at, time_ns=at * 1_000_000, lane=f"worker-{at % services}")
            for at in range(STEPS)
        )

    failing = replace(picture.failing, acts=acts(8))
    other = replace(failing, acts=acts(4), failing=False, passes=True)
    Path("long.html").write_text(failure_page(replace(picture, failing=failing, reversed_=other)), encoding="utf-8")


def _exploration() -> None:
    _run("explore", "paradex", "--schedules", "60", "--no-explain", "--no-shrink", "--report", "exploration")
    Path("exploration/index.html").rename("exploration.html")


def _matrix() -> None:
    _run("matrix", "paradex-rollback", "--report", "matrix")
    Path("matrix/index.html").rename("matrix.html")


def _ci() -> None:
    Path("pyproject.toml").write_text(CI, encoding="utf-8")
    _run("ci", "--report", "ci")
    Path("ci/index.html").rename("ci.html")


def _folder() -> None:
    _run("explore", "paradex", "--schedules", "60", "--no-explain", "--no-shrink", "--out", "many")
    _run("report", "many", "-o", "folder.html")


KINDS: dict[str, Callable[[], None]] = {
    "h1": lambda: _failure("h1", "paradex"),
    "h2": lambda: _failure("h2", "paradex-overlap"),
    "paradex-day": lambda: _failure("paradex-day", "paradex-day", "--no-shrink"),
    "exploration": _exploration,
    "matrix": _matrix,
    "ci": _ci,
    "folder": _folder,
}
"""Name of a page -> what writes it as NAME.html into the current folder."""
ALIKE = {"h2", "paradex-day"}
"""Pages made of the same parts as that of H1: what looks at each part takes long, and leaves them out."""

OTHERS: dict[str, Callable[[], None]] = {
    "hostile": _hostile,
    "hostile exploration": _hostile_exploration,
    "long": _long,
}
"""Likewise, pages for one purpose."""


class Pages:
    """Where the pages are; each is made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> Path:
        path = self._folder / f"{name}.html"
        if not path.exists():
            (KINDS | OTHERS)[name]()
        return path
