"""The folder that places are told relative to."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from racewindow.runtime.location import Locator
from racewindow.session import folder_of

MACHINES = "class Machine:\n    def rule(self): ...\n\nasync def main(): ...\n"


@pytest.fixture
def linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is only a link to where its modules are."""
    (tmp_path / "real" / "linked_parts").mkdir(parents=True)
    (tmp_path / "real" / "linked_machines.py").write_text(MACHINES)
    (tmp_path / "real" / "linked_parts" / "rules.py").write_text(MACHINES)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    monkeypatch.syspath_prepend(str(link))
    yield link
    for name in ("linked_machines", "linked_parts.rules", "linked_parts"):
        sys.modules.pop(name, None)


def test_behind_a_link_places_are_told_relative_to_the_link(linked: Path) -> None:
    """Frames name the file by the path that it was imported from."""
    machines = importlib.import_module("linked_machines")
    code = importlib.import_module("linked_parts.rules").Machine.rule.__code__

    assert folder_of(machines.main) == folder_of(machines.Machine) == str(linked)
    assert Locator(folder_of(machines.Machine)).text(code, 2) == "linked_parts/rules.py:2 Machine.rule"


def test_what_is_in_no_file_has_no_folder() -> None:
    typed: dict[str, object] = {"__name__": "typed"}
    exec(compile(MACHINES, "<typed>", "exec"), typed)  # noqa: S102  # as a person would type it

    assert folder_of(typed["main"]) == ""  # type: ignore[arg-type]
    assert folder_of(typed["Machine"]) == ""  # type: ignore[arg-type]
    assert folder_of(int) == ""
