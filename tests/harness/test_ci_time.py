"""How `racewindow ci` divides its time, and what it begins with."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from racewindow.ci.shares import TIMES, Past, read_times, share_of_first, write_times
from tests.harness.ci_project import write_config
from tests.harness.command_line import CommandLine, racewindow

__all__ = ["racewindow"]


@pytest.mark.parametrize(
    ("needs", "total", "share"),
    [
        ([None], 60, 60),
        ([None, None, None], 60, 20),
        ([6.0, None, None], 60, 6),  # what it needs, and no more
        ([None, 6.0, None], 60, 27),  # what another does not need is shared
        ([None, 6.0, 12.0], 60, 42),
        ([50.0, 50.0], 60, 30),  # too much for both: the same for each
        ([5.0, 50.0], 60, 10),  # enough for all: the first may have what is over
        ([50.0, 5.0], 60, 55),
        ([58.0, 5.0], 60, 55),
        ([6.0], 60, 60),
        ([None, None], 0, 0),
        ([6.0, None], -3, 0),
    ],
)
def test_each_gets_what_it_needs_and_the_rest_is_shared(needs: list[float | None], total: float, share: float) -> None:
    assert share_of_first(needs, total) == pytest.approx(share)


def test_past_times_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "times.json"
    times = {"b": Past(2.0, enough=True), "a": Past(3.5, enough=False)}
    write_times(times, path)

    assert read_times(path) == times
    assert (times["b"].need, times["a"].need) == (3.0, None)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 3}', '{"a": {"seconds": "x", "enough": true}}', "\ud800"])
def test_damaged_times_are_as_good_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "times.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    assert read_times(path) == {}
    assert read_times(tmp_path / "none.json") == {}


def results_of(racewindow: CommandLine, *arguments: str) -> dict[str, Any]:
    """The rows of a run by name."""
    return {row["name"]: row for row in json.loads(racewindow("ci", "--json", *arguments).out)["rows"]}


TWO = """
[[tool.racewindow.targets]]
target = "others.py:long"
schedules = 2
strategy = "random"

[[tool.racewindow.targets]]
target = "others.py:fine"
seconds = 100
schedules = 2
strategy = "random"
"""


def test_a_budget_is_divided_by_past_need(racewindow: CommandLine) -> None:
    write_config(TWO)
    write_times({"others.py:fine": Past(20.0, enough=True)})
    rows = results_of(racewindow, "--budget", "10min")
    limits = {name: row["result"]["bounds"]["seconds"]["limit"] for name, row in rows.items()}

    assert 560 < limits["others.py:long"] <= 570  # 600 less 1.5 × 20, less what loading took
    assert limits["others.py:fine"] == 100  # its own, which is less than what is left
    assert read_times()["others.py:fine"].seconds < 20
    assert TIMES.is_file()


def test_without_a_budget_there_is_no_limit_of_time(racewindow: CommandLine) -> None:
    write_config(TWO)
    rows = results_of(racewindow)

    assert "seconds" not in rows["others.py:long"]["result"]["bounds"]
    assert rows["others.py:fine"]["result"]["bounds"]["seconds"]["limit"] == 100


def test_what_there_was_no_time_for_is_not_known(racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config(TWO)
    monkeypatch.setattr("racewindow.ci.running.share_of_first", lambda _needs, _left: 0.0)
    ran = racewindow("ci", "--budget", "1s")

    assert ran.status == 3
    assert ran.out.count("the budget was used up before.") == 2


def git(*words: str) -> None:
    """In the current folder, as somebody."""
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], check=True, capture_output=True)


THREE = "".join(
    f'[[tool.racewindow.targets]]\ntarget = "{name}.py"\nschedules = 1\n' for name in ("first", "second", "third")
)


@pytest.fixture
def repository(racewindow: CommandLine) -> CommandLine:
    """Three targets under version control, of which the second imports `helper.py`."""
    write_config(THREE)
    Path("helper.py").write_text("X = 1\n\ndef help_it():\n    return X\n", encoding="utf-8")
    for name in ("first", "second", "third"):
        needs = "from helper import help_it\n" if name == "second" else ""
        Path(f"{name}.py").write_text(f"{needs}\nasync def run_{name}() -> None: ...\n", encoding="utf-8")
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-q", "-m", "all")
    return racewindow


@pytest.mark.parametrize(
    ("changed", "order"),
    [
        (None, ["first.py", "second.py", "third.py"]),
        ("third.py", ["third.py", "first.py", "second.py"]),
        ("helper.py", ["second.py", "first.py", "third.py"]),
        ("new.py", ["first.py", "second.py", "third.py"]),
    ],
)
def test_what_has_changed_comes_first(repository: CommandLine, changed: str | None, order: list[str]) -> None:
    if changed is not None:
        with Path(changed).open("a", encoding="utf-8") as file:
            file.write("\nY = 2\n")

    assert list(results_of(repository, "--since", "main")) == order
    assert list(results_of(repository)) == ["first.py", "second.py", "third.py"]


def test_what_cannot_be_loaded_may_have_changed(repository: CommandLine) -> None:
    Path("second.py").write_text("import nowhere_at_all", encoding="utf-8")
    git("commit", "-q", "-a", "-m", "broken")
    ran = repository("ci", "--since", "HEAD")

    assert ran.status == 2
    assert "1 of 3 targets changed since HEAD" in ran.out
    assert ran.out.index("  BROKEN  second.py") < ran.out.index("  ok      first.py")


@pytest.mark.parametrize("ref", ["nowhere", "--all"])
def test_a_commit_that_is_none_is_refused(repository: CommandLine, ref: str) -> None:
    ran = repository("ci", f"--since={ref}")

    assert (ran.status, ran.err.splitlines()[0]) == (2, f"racewindow: --since cannot be '{ref}'.")


def test_without_a_repository_there_is_nothing_to_compare_with(racewindow: CommandLine) -> None:
    write_config(THREE)
    ran = racewindow("ci", "--since", "main")

    assert (ran.status, ran.err.splitlines()[0]) == (2, "racewindow: --since needs a git repository.")
