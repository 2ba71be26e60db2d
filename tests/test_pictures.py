"""The pictures in the documentation: there, of the size of a window, small, and told to those who do not see them."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PICTURES = sorted((ROOT / "docs" / "pictures").glob("*.png"))
SIZES = {"desktop": (1280, 800), "phone": (780, 1688)}
SHOWN = [
    (page, alt, path)
    for page in sorted((ROOT / "docs").glob("*.md"))
    for alt, path in re.findall(r"!\[([^]]*)\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_it_is_of_a_window_small_and_shown(path: Path) -> None:
    content = path.read_bytes()

    assert struct.unpack(">II", content[16:24]) == SIZES[path.stem.rpartition("-")[2]]
    assert len(content) <= 200_000
    assert f"pictures/{path.name}" in {shown for _, _, shown in SHOWN}


def test_what_is_shown_is_there_and_told_in_words() -> None:
    assert SHOWN
    for page, alt, path in SHOWN:
        assert (page.parent / path).is_file(), f"{page.name} shows {path}"
        assert len(alt.split()) > 4, f"{page.name} does not tell what {path} shows"


def test_a_picture_that_nobody_knows_is_refused() -> None:
    command = [sys.executable, str(ROOT / "tools" / "pictures.py"), "h9"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("There is no picture called h9; there are h1, h2, ")
