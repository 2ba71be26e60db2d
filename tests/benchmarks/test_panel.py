"""The benchmark of the panel runs, and measures what it says; how fast it is is nobody's test."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from racewindow import progress_view

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "panel.py"


def test_it_draws_pictures_and_explores_in_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("CI", ""), ("TERM", "xterm")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(progress_view, "DRAWN_EVERY", 60.0)  # which it changes, and would leave changed
    drawn: list[object] = []
    monkeypatch.setattr(progress_view, "drawn", lambda panel, **_: str(drawn.append(panel)))  # type: ignore[func-returns-value]
    script = runpy.run_path(str(SCRIPT))
    (tmp_path / "lost.py").write_text(script["PROGRAM"], encoding="utf-8")

    assert script["picture_seconds"](3) > 0
    assert len(drawn) == 4
    assert script["cpu_seconds"](1, (), str(tmp_path)) > 0
