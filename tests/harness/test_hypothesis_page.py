"""The page about Hypothesis is true: its tests are files, and its sessions are typed in their order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from racewindow.runtime.execution import Environment
from tests.harness.pages import assert_true

PAGE = Path(__file__).resolve().parents[2] / "docs" / "hypothesis.md"


@pytest.mark.slow
def test_its_sessions_give_what_they_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And every block is one of them."""
    monkeypatch.syspath_prepend(str(tmp_path))

    with unexplained(), Environment():  # once for all examples, as setting it up is most of their time
        assert_true(PAGE, tmp_path, at_least=8)


@contextmanager
def unexplained() -> Iterator[None]:
    """To explain, Hypothesis traces every line, which takes longer than all the rest."""
    before = settings.get_current_profile_name()
    settings.register_profile("page", settings(), phases=[each for each in Phase if each is not Phase.explain])
    settings.load_profile("page")
    try:
        yield
    finally:
        settings.load_profile(before)
