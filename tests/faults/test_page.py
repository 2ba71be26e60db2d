"""The page about faults is true: what it says of each kind is what the kind says, and its examples are run.

RACEWINDOW_UPDATE_SNAPSHOTS=1 writes it anew from the kinds and keeps the examples.
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

import racewindow
import racewindow_faults
from racewindow import Fault
from racewindow.cli_faults import where
from racewindow.fault_parameters import COMMON, parameters_of
from tests.faults import programs, value_programs

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
FAMILIES = {
    "process": "Processes",
    "network": "Network",
    "storage": "Storage",
    "clock": "Clocks",
    "data": "Data",
    "config": "Configuration",
    "operator": "Operators",
}
BEGIN = "## Kinds\n"


def kinds_of(family: str) -> list[type[Fault]]:
    """The kinds of a family, in the order of its file."""
    module = importlib.import_module(f"racewindow_faults.{family}")
    found = [each for each in vars(module).values() if inspect.isclass(each) and issubclass(each, Fault)]
    return [each for each in found if each.__module__ == module.__name__ and not each.__name__.startswith("_")]


def described(kind: type[Fault]) -> str:
    """The section of a kind, up to its example."""
    meaning = inspect.cleandoc(kind.__doc__ or "").replace("\n\n", " ").replace("\n", " ")
    lines = [f"#### {kind.kind}", "", *textwrap.wrap(meaning, 120, break_long_words=False), ""]
    points = where(kind) if kind.points == ("*",) else ", ".join(f"`{point}`" for point in kind.points)
    lines.append(f"- applies at {points}")
    for each in parameters_of(kind):
        if each.name not in COMMON:
            lines += textwrap.wrap(f"- `{each.typed}`: {each.described}", 120, subsequent_indent="  ")
    return "\n".join(lines) + "\n"


def example_of(kind: type[Fault], page: str) -> str:
    """The example of a kind, as the page has it."""
    section = re.search(rf"^#### {kind.kind}\n(.*?)(?=^###|\Z)", page, flags=re.MULTILINE | re.DOTALL)
    found = re.search(r"^```python\n(.*?)^```$", section[1] if section else "", flags=re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def all_kinds() -> Iterator[type[Fault]]:
    """In the order of the page."""
    for family in FAMILIES:
        yield from kinds_of(family)


def test_what_the_page_says_of_each_kind_is_what_the_kind_says() -> None:
    page = PAGE.read_text(encoding="utf-8")
    true = [page.partition(BEGIN)[0] + BEGIN]
    for family, title in FAMILIES.items():
        module = importlib.import_module(f"racewindow_faults.{family}")
        meaning = inspect.cleandoc(module.__doc__ or "").partition("\n\n")[0].partition(": ")[2].replace("\n", " ")
        true.append(f"### {title}\n\n{meaning[:1].upper()}{meaning[1:]}\n")
        true += [f"{described(kind)}\n```python\n{example_of(kind, page)}```\n" for kind in kinds_of(family)]
    if os.environ.get("RACEWINDOW_UPDATE_SNAPSHOTS"):
        PAGE.write_text("\n".join(true), encoding="utf-8")
        page = "\n".join(true)
    assert page == "\n".join(true), "if that is meant: RACEWINDOW_UPDATE_SNAPSHOTS=1 pytest, and read the difference"


def test_every_kind_is_on_the_page() -> None:
    assert {kind.__name__ for kind in all_kinds()} == set(racewindow_faults.__all__)


def names() -> dict[str, Any]:
    """What the examples may use, as the page says."""
    public: dict[str, Any] = {name: getattr(racewindow, name) for name in racewindow.__all__}
    kinds = {name: getattr(racewindow_faults, name) for name in racewindow_faults.__all__}
    return {**vars(programs), **vars(value_programs), **public, **kinds, "racewindow": racewindow, "trio": trio}


@pytest.mark.parametrize("kind", list(all_kinds()), ids=lambda kind: str(kind.kind))
def test_the_example_of_a_kind_is_short_uses_it_and_is_true(kind: type[Fault]) -> None:
    example = example_of(kind, PAGE.read_text(encoding="utf-8"))
    assert f"{kind.__name__}(" in example and "assert " in example
    assert len(example.splitlines()) <= 5
    exec(compile(example, f"{PAGE.name}: {kind.kind}", "exec"), names())  # noqa: S102  # it is our own page


def test_the_page_names_every_shape_and_what_it_is_asked() -> None:
    from racewindow import fault_shapes

    head = PAGE.read_text(encoding="utf-8").partition(BEGIN)[0]
    for name, shape in vars(fault_shapes).items():
        if inspect.isclass(shape) and issubclass(shape, Fault) and shape is not Fault:
            asked = [each for each, value in vars(shape).items() if inspect.isfunction(value) and each[0] != "_"]
            assert f"`{name}`" in head
            assert all(f"`{each}" in head for each in asked), name
