"""Each plan in `examples/plans` has the verdict that its comment states, and is a target like any other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

import racewindow as rw
from racewindow.plans import load_plan
from racewindow_models.plan.system import EXCHANGE
from tests.harness.command_line import CommandLine, racewindow

__all__ = ["racewindow"]

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "plans"
VERDICT = re.compile(r"^# (?:With `--safeguards (\S+)`: |Verdict: )(FAILURE|COMPLETE)(?:, (.*))?", re.MULTILINE)


class Stated(NamedTuple):
    """What a comment states: with these safeguards (None: the plan's own), this verdict, by these checkers."""

    path: Path
    safeguards: str | None
    verdict: str
    checkers: set[str]


def stated(path: Path) -> list[Stated]:
    """What the comment of a plan states."""
    found = VERDICT.findall(path.read_text(encoding="utf-8"))
    return [Stated(path, on or None, v, set(re.findall(r"[a-z]+_[a-z_]+", told))) for on, v, told in found]


STATED = [each for path in sorted(FOLDER.glob("*.toml")) for each in stated(path)]


def test_every_example_states_its_verdict() -> None:
    assert {each.path.stem for each in STATED if each.safeguards is None} == {
        *("paradex", "paradex_safeguards", "paradex_common_mode", "paradex_rollback"),
        "paradex_second_wave",
        *("zero_downtime_migration", "leader_failover", "rolling_restart"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("each", STATED, ids=lambda each: f"{each.path.stem}-{each.safeguards or 'as it is'}")
def test_the_verdict_is_what_the_comment_states(each: Stated) -> None:
    """Of a failing plan as it is all orders are run, and its violated checkers are exactly those that are named."""
    scenario = load_plan(str(each.path)).scenario
    safeguards = () if each.safeguards == "none" else each.safeguards
    as_it_is = each.safeguards is None
    result = rw.explore(scenario, strategy="dpor", all_failures=as_it_is, safeguards=safeguards, shrink=False)

    assert (result.verdict.upper(), result.redundant, result.untrusted) == (each.verdict, 0, "")
    violated = {failure.checker for failure in result.failures}
    assert violated == each.checkers if as_it_is else violated <= each.checkers
    assert result.complete or not as_it_is


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_its_timeline_fits_a_terminal(path: Path, racewindow: CommandLine) -> None:
    ran = racewindow("plan", "check", str(path))

    assert (ran.status, ran.err) == (0, "")
    assert "runbook:" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_a_feed_is_looked_for_from_the_folder_of_the_plan(racewindow: CommandLine) -> None:
    folder = Path("there")
    folder.mkdir()
    rows = "".join(f"{second},{100 + second}\n" for second in range(40))
    (folder / "prices.csv").write_text(f"time,price\n{rows}", encoding="utf-8")
    text = EXCHANGE.template.replace('# file = "prices.csv"', 'file = "prices.csv"')
    (folder / "t.toml").write_text(text, encoding="utf-8")

    assert "1 market of prices.csv" in racewindow("plan", "check", "there/t.toml").out
    ran = racewindow("explore", "there/t.toml", "--safeguards", "require_ready", "--strategy", "dpor")
    assert ran.status == 0, ran.err


@pytest.mark.slow
def test_a_failure_of_a_plan_replays_from_its_file_wherever_it_is_started_from(
    racewindow: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """With the safeguards that were on when it was found, whatever the plan says by now."""
    plan = (FOLDER / "zero_downtime_migration.toml").read_text(encoding="utf-8")
    Path("move.toml").write_text(plan, encoding="utf-8")
    options = ("--safeguards", "none", "--strategy", "dpor", "--no-explain", "--no-shrink")
    found = racewindow("explore", "move.toml", *options)
    assert found.status == 1
    [file] = Path(".racewindow/failures").iterdir()

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    again = racewindow("replay", f"../{file}")
    assert (again.status, again.err) == (1, "")
    assert "goes back from generation 2" in again.out

    (tmp_path / "move.toml").unlink()
    gone = racewindow("replay", f"../{file}")
    assert gone.status == 2
    assert "put both files back side by side" in " ".join(gone.err.split())


@pytest.mark.slow
def test_a_plan_is_shrunk_and_explained_like_any_scenario(racewindow: CommandLine) -> None:
    Path("t.toml").write_text(EXCHANGE.template, encoding="utf-8")
    assert racewindow("explore", "t.toml", "--no-explain", "--no-shrink").status == 1
    file = min(Path(".racewindow/failures").iterdir())

    assert racewindow("shrink", str(file), "--tries", "50").status == 0
    told = racewindow("explain", str(file), "--schedules", "500")

    assert told.status == 0
    assert "Closed as well by" in told.out
    assert "require_ready" in told.out


@pytest.mark.slow
def test_what_an_explanation_says_is_about_the_window_and_not_about_its_end(racewindow: CommandLine) -> None:
    """Whoever looks at what is left waits until all rounds are done: that they come later is no remedy."""
    plan = str(FOLDER / "leader_failover.toml")
    options = ("--safeguards", "none", "--no-explain", "--no-shrink")
    assert racewindow("explore", plan, *options).status == 1
    file = min(Path(".racewindow/failures").iterdir())
    told = racewindow("explain", str(file), "--schedules", "300")

    assert "Closed as well by" in told.out or "What closes it" in told.out
    assert "end-of-window" not in told.out


def test_the_matrix_of_a_plan_names_the_smallest_sets_that_close_it(racewindow: CommandLine) -> None:
    Path("t.toml").write_text(EXCHANGE.template, encoding="utf-8")
    told = racewindow("matrix", "t.toml", "--json")

    assert (told.status, told.err) == (0, "")
    minimal = json.loads(told.out)["minimal"]
    assert (
        minimal["no_false_liquidation"] == minimal["ready_before_write"] == [["require_ready"], ["presence_required"]]
    )
