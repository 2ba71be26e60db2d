"""`racewindow ci`: each row is held against what is expected of it, and the exit status says what they come to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from racewindow.ci.rows import Row, Status, exit_status
from tests.harness.ci_project import SAFE_ONLY, keep_failure, make_project, make_stale, mend, write_config
from tests.harness.command_line import CommandLine, racewindow

__all__ = ["racewindow"]


def rows_of(racewindow: CommandLine, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit status, and the rows by name."""
    ran = racewindow("ci", "--json", *arguments)
    said = json.loads(ran.out)
    assert said["exit_status"] == ran.status
    return ran.status, {row["name"]: row for row in said["rows"]}


def target(**keys: Any) -> str:
    """A table of one target."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in keys.items() if name != "params"]
    return "\n".join(["[[tool.racewindow.targets]]", *lines, ""])


def test_a_project_with_one_of_each_gets_a_row_for_each(racewindow: CommandLine) -> None:
    make_project()
    status, rows = rows_of(racewindow)

    stale = next(name for name in rows if name.startswith("moved-"))
    assert status == 2
    assert list(rows) == [stale, "locked", "mine.py", "broken.py"]
    assert [rows[name]["status"] for name in rows] == ["unsure", "ok", "unexpected", "broken"]
    assert rows[stale]["found"] == "stale"
    assert rows["mine.py"]["target"] == "mine.py:two_writers"
    assert "nowhere_at_all" in " ".join(rows["broken.py"]["why"])


def test_the_table_is_for_a_terminal(racewindow: CommandLine) -> None:
    make_project()
    ran = racewindow("ci")

    assert ran.status == 2
    assert all(len(line) <= 80 or "racewindow replay" in line for line in ran.out.splitlines())
    assert "seed 0." in ran.out
    assert "  ok      locked                        complete  complete, " in ran.out
    assert "  FAILED  mine.py                       safe      fails: violation\n" in ran.out
    assert "race: add" in ran.out
    assert "closed by: the safeguard use_lock" in ran.out
    assert "Do:  install 'nowhere_at_all' beside racewindow" in ran.out
    assert ran.out.endswith("1 of 4 as expected, 1 not as expected, 1 not known, 1 not run as asked; exit\nstatus 2.\n")
    assert ran.err == ""


@pytest.mark.parametrize(
    ("found", "status"),
    [
        ([], 0),
        (["ok", "ok"], 0),
        (["ok", "unsure"], 3),
        (["unsure", "unexpected", "ok"], 1),
        (["unexpected", "broken", "unsure"], 2),
    ],
)
def test_the_exit_status_is_of_the_worst_row(found: list[Status], status: int) -> None:
    rows = [Row(kind="target", name="x", target="x", expected="safe", found="", status=each) for each in found]

    assert exit_status(rows) == status


def test_what_was_found_is_kept_and_tried_first_by_the_next_run(racewindow: CommandLine) -> None:
    write_config(target(target="mine.py"))
    assert rows_of(racewindow)[0] == 1
    kept = [path.stem for path in Path("tests/racewindow_corpus").iterdir()]

    status, rows = rows_of(racewindow, "--seed", "5")

    assert status == 1
    assert list(rows) == [*kept, "mine.py"]
    assert rows[kept[0]]["found"] == "fails"
    assert [path.stem for path in Path("tests/racewindow_corpus").iterdir()] == kept  # once is enough


def test_a_mended_failure_stays_and_passes(racewindow: CommandLine) -> None:
    path = keep_failure()
    mend()
    write_config(SAFE_ONLY)
    status, rows = rows_of(racewindow)

    assert status == 0
    assert rows[path.stem]["found"] == "fixed"
    assert path.is_file()


def test_a_stale_failure_alone_is_status_3(racewindow: CommandLine) -> None:
    make_stale()
    write_config(SAFE_ONLY)

    assert rows_of(racewindow)[0] == 3


def test_a_known_failure_is_as_expected_until_it_is_mended(racewindow: CommandLine) -> None:
    write_config(target(target="mine.py", name="known", expect="fails: violation") + target(target="others.py:fine"))
    assert rows_of(racewindow)[0] == 0
    assert not Path("tests/racewindow_corpus").exists()
    assert not Path(".racewindow/failures").exists()

    write_config(target(target="others.py:fine", expect="fails"))
    status, rows = rows_of(racewindow)
    assert status == 1
    assert rows["others.py:fine"]["why"][0] == "no execution failed. If it has been mended, expect it to be safe."


def test_a_failure_of_another_kind_is_not_the_expected_one(racewindow: CommandLine) -> None:
    write_config(target(target="mine.py", expect="fails: violations"))
    status, rows = rows_of(racewindow)

    assert status == 1
    assert "Did you mean 'violation'?" in rows["mine.py"]["why"][0]
    assert Path(rows["mine.py"]["failure_file"]).is_file()


def test_complete_is_more_than_safe(racewindow: CommandLine) -> None:
    for expect, status in (("safe", 0), ("complete", 1)):
        write_config(target(target="mine.py", safeguards="all", strategy="random", schedules=3, expect=expect))
        assert rows_of(racewindow)[0] == status


def test_what_cannot_be_trusted_is_status_3(racewindow: CommandLine) -> None:
    write_config(target(target="others.py:moody", schedules=2))
    status, rows = rows_of(racewindow)

    assert (status, rows["others.py:moody"]["status"]) == (3, "unsure")


def test_a_fault_that_is_named_and_never_offered_is_an_error(racewindow: CommandLine) -> None:
    write_config(target(target="mine.py", safeguards="all", fault=["stale-read"], schedules=5))
    status, rows = rows_of(racewindow)

    assert status == 2
    assert rows["mine.py"]["why"][0] == "the fault stale-read is asked for, and no execution could have had it."


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"safeguards": ["use_lok"]}, "did you mean 'use_lock'?"),
        ({"fault": ["crsh"]}, "did you mean 'crash'?"),
        ({"depth": 3, "strategy": "random"}, "random has no depth."),
    ],
)
def test_what_only_the_scenario_knows_is_wrong_with_its_row_alone(
    racewindow: CommandLine, keys: dict[str, Any], said: str
) -> None:
    write_config(target(target="mine.py", **keys) + target(target="others.py:fine", schedules=1))
    status, rows = rows_of(racewindow)

    assert status == 2
    assert said in " ".join(rows["mine.py"]["why"])
    assert rows["others.py:fine"]["status"] == "ok"


def test_what_a_program_prints_is_not_the_result(racewindow: CommandLine) -> None:
    write_config(target(target="others.py:fine", schedules=2))

    assert "a line for each execution" not in racewindow("ci").out


def test_a_seed_of_the_day_is_printed_and_repeats(racewindow: CommandLine) -> None:
    write_config(target(target="others.py:fine", schedules=1))
    ran = racewindow("ci", "--seed", "auto")
    seed = ran.out.partition("seed ")[2][:8]

    assert ran.out.replace("\n", " ").count(f"(of today; --seed {seed} repeats it)") == 1
    assert 20_260_101 < int(seed) < 21_000_101
    assert json.loads(racewindow("ci", "--json", "--seed", seed).out)["rows"][0]["result"]["seed"] == int(seed)


def test_a_plan_is_a_target_like_any_other(racewindow: CommandLine) -> None:
    assert racewindow("plan", "new", "window.toml").status == 0
    write_config(target(target="window.toml", schedules=20, expect="fails: ready_before_write"))
    status, rows = rows_of(racewindow)

    assert (status, rows["window.toml"]["status"]) == (0, "ok")
