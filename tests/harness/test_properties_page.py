"""The page about properties is true: its programs are files, and its sessions are typed in their order."""

from __future__ import annotations

import doctest
import re
import sys
from pathlib import Path

import pytest

import racewindow

PAGE = Path(__file__).resolve().parents[2] / "docs" / "properties.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)


def test_its_sessions_give_what_they_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program is the file that its first line names."""
    files = {found[1]: block for block in BLOCKS if (found := re.match(r"# (\w+)\.py\n", block))}
    for name, block in files.items():
        assert name not in sys.modules
        (tmp_path / f"{name}.py").write_text(block, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    session = "\n".join(block for block in BLOCKS if block.startswith(">>>"))
    said: list[str] = []

    test = doctest.DocTestParser().get_doctest(session, {}, PAGE.name, str(PAGE), 0)
    results = doctest.DocTestRunner().run(test, out=said.append)
    for name in files:
        del sys.modules[name]  # each is imported by a session

    assert results.attempted > 10
    assert results.failed == 0, "".join(said)


def test_every_block_is_a_program_or_a_session() -> None:
    """So that each is run."""
    assert all(re.match(r"# \w+\.py\n|>>> ", block) for block in BLOCKS)
    assert TEXT.count("```") == 2 * len(BLOCKS)


def test_it_names_what_there_is() -> None:
    """Each name of the table is a public one."""
    table = TEXT.partition("## In the code")[0]
    named = set(re.findall(r"^\| `(\w+)\(", table, flags=re.MULTILINE))

    assert named == {
        *("always", "unreachable", "sometimes", "eventually", "leads_to", "linearizable", "serializable", "compose"),
    }
    assert named <= set(racewindow.__all__)
