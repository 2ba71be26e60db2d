"""The page about services is true: its program is a file, and its session is typed."""

from __future__ import annotations

import doctest
import re
import sys
from pathlib import Path

import pytest

import racewindow

PAGE = Path(__file__).resolve().parents[3] / "docs" / "services.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_its_session_gives_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, session = re.findall(r"^```python\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "orders.py").write_text(program, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    said: list[str] = []
    test = doctest.DocTestParser().get_doctest(session, {}, PAGE.name, str(PAGE), 0)
    results = doctest.DocTestRunner().run(test, out=said.append)
    del sys.modules["orders"]
    assert results.attempted >= 6
    assert results.failed == 0, "".join(said)


@pytest.mark.parametrize("owner", [racewindow.Supervisor, racewindow.Instance, racewindow.Network])
def test_it_explains_every_public_method(owner: type) -> None:
    inner = {"run", "linger", "cancel", "name", "number", "send_later", "travel", "start_later", "stop_later"}
    named = {name for name in vars(owner) if not name.startswith("_")} - inner
    assert {name for name in named if f"{name}" not in TEXT} == set()
