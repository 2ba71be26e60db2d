"""The page about properties is true: its programs are files, and its sessions are typed in their order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import racewindow
from tests.harness.pages import assert_true

PAGE = Path(__file__).resolve().parents[2] / "docs" / "properties.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_its_sessions_give_what_they_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And every block is a program or a session, so that each is run."""
    monkeypatch.syspath_prepend(str(tmp_path))

    assert_true(PAGE, tmp_path, at_least=11)


def test_it_names_what_there_is() -> None:
    """Each name of the table is a public one."""
    table = TEXT.partition("## In the code")[0]
    named = set(re.findall(r"^\| `(\w+)\(", table, flags=re.MULTILINE))

    assert named == {
        *("always", "unreachable", "sometimes", "eventually", "leads_to", "linearizable", "serializable", "compose"),
    }
    assert named <= set(racewindow.__all__)
