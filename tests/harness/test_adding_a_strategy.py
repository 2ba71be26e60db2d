"""The page about adding a strategy is true: its file, its line and its test are taken from it and run."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from racewindow import strategies
from tests.harness import test_strategies as owed

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-strategy.md"
NAME = "two-speeds"


def blocks() -> list[str]:
    """The file, the line, the test."""
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def module(name: str, text: str) -> ModuleType:
    """A block of the page, as the file that it stands for."""
    made = ModuleType(name)
    exec(compile(text, f"{PAGE.name}: {name}", "exec"), made.__dict__)  # noqa: S102  # it is our own page
    return made


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    """The strategy of the page, in the table by its line."""
    file, line, _ = blocks()
    entry: dict[str, Any] = eval(f"{{{line}}}", vars(module("two_speeds", file)))  # noqa: S307
    monkeypatch.setattr(strategies, "STRATEGIES", {**strategies.STRATEGIES, **entry})


@pytest.mark.usefixtures("added")
def test_its_test_passes() -> None:
    tests = module("test_strategy_two_speeds", blocks()[2])
    run = [value for name, value in vars(tests).items() if name.startswith("test_")]

    assert len(run) == 1
    run[0]()


@pytest.mark.usefixtures("added")
def test_it_does_what_every_strategy_owes() -> None:
    owed.test_a_pick_is_in_range(name=NAME)
    owed.test_the_same_seed_gives_the_same_picks(name=NAME)
    owed.test_every_strategy_covers_a_toy_of_three_interleavings(NAME, seed=0)


def test_the_example_is_short() -> None:
    """A file, a line and a test: lines of code, without empty ones."""
    file, line, test = ([text for text in block.splitlines() if text.strip()] for block in blocks())

    assert len(file) <= 30
    assert len(line) == 1
    assert len(test) <= 30
