"""Compares text with what is kept in this folder, and keeps it anew when RACEWINDOW_UPDATE_SNAPSHOTS is set."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def assert_snapshot(name: str, text: str) -> None:
    """The text is the one kept under `name`; the difference is pytest's to show."""
    path = FOLDER / name
    if os.environ.get("RACEWINDOW_UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")
    kept = path.read_text(encoding="utf-8") if path.exists() else ""

    assert kept == text, f"{name} differs; if that is meant: RACEWINDOW_UPDATE_SNAPSHOTS=1 pytest, and read the diff"
    assert max(map(len, text.splitlines())) <= 80 or name.endswith(".json"), f"{name} is wider than 80 columns"
