"""The page about adding a checker is true: its programs are files, its session is typed, and its tests pass."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.harness.pages import assert_true

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-checker.md"


def test_its_programs_do_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    assert_true(PAGE, tmp_path, at_least=4)

    tests = vars(import_module("test_freshness"))
    run = [value for name, value in tests.items() if name.startswith("test_")]
    for name in ("test_freshness", "freshness"):
        del sys.modules[name]

    assert len(run) == 3
    for each in run:
        each()
