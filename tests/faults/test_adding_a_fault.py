"""The page about adding a kind of fault is true: its file, its line and its test are taken from it and run."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from types import ModuleType

import pytest

from racewindow.faults import GROUP, installed_kinds, parse_fault
from tests.harness.command_line import CommandLine, racewindow

__all__ = ["racewindow"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-fault.md"


def blocks() -> list[str]:
    """The file, the line, the test, and what a fault may do by itself."""
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(r"^```(?:python|toml)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def module(name: str, text: str, **names: object) -> ModuleType:
    """A block of the page, as the file that it stands for."""
    made = ModuleType(name)
    sys.modules[name] = made  # a dataclass looks its module up
    vars(made).update(names)
    exec(compile(text, f"{PAGE.name}: {name}", "exec"), made.__dict__)  # noqa: S102  # it is our own page
    return made


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The kind of the page, installed by its line."""
    file, line, *_ = blocks()
    monkeypatch.setitem(sys.modules, "their_package", ModuleType("their_package"))
    monkeypatch.setitem(sys.modules, "their_package.floor", ModuleType("their_package.floor"))
    made = module("their_package.floor", file)
    listed = tomllib.loads(line)["project"]["entry-points"][GROUP]
    entries = EntryPoints(EntryPoint(name, value, GROUP) for name, value in listed.items())
    monkeypatch.setattr("racewindow.faults.metadata.entry_points", lambda *, group: entries.select(group=group))
    return made


def test_its_test_passes(added: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "test_floor", ModuleType("test_floor"))
    tests = module("test_floor", blocks()[2], Floor=added.Floor)
    run = [value for name, value in vars(tests).items() if name.startswith("test_")]

    assert len(run) == 2
    for each in run:
        each()


def test_its_line_makes_it_a_kind_like_any_other(added: ModuleType, racewindow: CommandLine) -> None:
    assert [each.fault for each in installed_kinds()] == [added.Floor]
    assert parse_fault("floor:price=0.05,target=oracle") == added.Floor(price=0.05, target="oracle")
    assert racewindow("faults").out.startswith(
        "data:\n"
        "  floor\n"
        "    The feed shows no price below its floor, however far the market has fallen.\n"
        "    at feed.read\n"
        "    price=0.1  the lowest that it shows (dollars, at least 0)\n"
    )


def test_the_example_is_short() -> None:
    """A file, a line and a test: lines of code, without empty ones."""
    file, line, test, _ = ([text for text in block.splitlines() if text.strip()] for block in blocks())

    assert len(file) <= 20
    assert len(line) == 2
    assert len(test) <= 20
