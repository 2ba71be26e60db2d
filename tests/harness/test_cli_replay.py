"""`racewindow replay`, end to end: the same failure from its file or token, and what is said when it is another."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from racewindow import failure_file
from racewindow.schedule import Schedule
from tests.harness.command_line import MINE, CommandLine, racewindow
from tests.snapshots.compare import assert_snapshot

__all__ = ["racewindow"]


def recorded(run: CommandLine, target: str = "mine.py", *more: str) -> str:
    """Explore until something fails; the path of the file."""
    data = json.loads(
        run(
            "explore", target, "--strategy", "random", "--seed", "1", "--no-shrink", "--json", "--out", "found", *more
        ).out
    )
    return os.path.relpath(str(data["failures"][0]["file"]))


def test_a_failure_is_reproduced_from_its_file(racewindow: CommandLine) -> None:
    ran = racewindow("replay", recorded(racewindow))

    assert (ran.status, ran.err) == (1, "")
    assert_snapshot("replay_reproduced.txt", ran.out)


def test_the_text_and_the_digest_are_the_same_in_every_process(racewindow: CommandLine) -> None:
    file = recorded(racewindow)
    texts, objects = set(), set()
    for seed in ("0", "1", "random"):
        texts.add(racewindow.fresh("replay", file, PYTHONHASHSEED=seed).out)
        objects.add(racewindow.fresh("replay", file, "--json", PYTHONHASHSEED=seed).out)

    assert texts == {racewindow("replay", file).out}
    assert len(objects) == 1
    assert json.loads(objects.pop())["digest"] == failure_file.load(file).digest


@pytest.mark.slow
def test_replays_in_fresh_processes_say_the_same(racewindow: CommandLine, pytestconfig: pytest.Config) -> None:
    file = recorded(racewindow)
    count = 20 if pytestconfig.getoption("--all-seeds") else 5
    ran = [racewindow.fresh("replay", file, PYTHONHASHSEED=str(seed)) for seed in range(count)]

    assert len(set(ran)) == 1


def test_a_failure_is_reproduced_from_its_token(racewindow: CommandLine) -> None:
    stored = failure_file.load(recorded(racewindow))
    ran = racewindow("replay", "mine.py:two_writers", "--schedule", stored.schedule.token())

    assert (ran.status, ran.err) == (1, "")
    assert ran.out.startswith("FAILURE in two-writers: an assertion failed\n")
    assert f"digest {stored.digest[:12]}." in ran.out


def test_every_kind_of_failure_is_reproduced(racewindow: CommandLine) -> None:
    for target, kind in (("others.py:deadlock", "deadlock"), ("others.py:raises", "exception")):
        ran = racewindow("replay", recorded(racewindow, target), "--json")
        data = json.loads(ran.out)

        assert (ran.status, ran.err) == (1, "")
        assert (data["outcome"], data["reproduced"], data["same_digest"], data["diverged"]) == (kind, True, True, None)


def test_json_says_all_that_the_text_says(racewindow: CommandLine) -> None:
    file = recorded(racewindow)
    data = json.loads(racewindow("replay", file, "--json").out)
    stored = failure_file.load(file)

    assert data == {
        "format": 1,
        "scenario": "two-writers",
        "target": "mine.py:two_writers",
        "semantics": "processes",
        "clock": "idle",
        "seed": 1,
        "outcome": "violation",
        "reproduced": True,
        "same_digest": True,
        "source_changed": False,
        "diverged": None,
        "steps": data["steps"],
        "digest": stored.digest,
        "failures": [
            {
                "kind": "violation",
                "checker": None,
                "class": None,
                "subject": None,
                "message": stored.message,
                "deviations": list(stored.deviations),
                "faults": [],
            }
        ],
        "unknown": [],
        "file": str(Path(file).absolute()),
    }


def test_the_log_of_a_replay_is_that_of_the_exploration(racewindow: CommandLine) -> None:
    file = recorded(racewindow, "mine.py", "--log", "first")
    racewindow("replay", file, "--log", "second")

    assert Path("first").read_bytes() == Path("second").read_bytes() != b""


def test_what_the_program_prints_goes_to_stderr(racewindow: CommandLine) -> None:
    ran = racewindow("replay", "others.py:fine", "--schedule", Schedule().token())

    assert (ran.status, ran.err) == (0, "a line for each execution\n")
    assert ran.out.startswith("No failure: this execution of fine ended well.\n")


# --- from another folder ---------------------------------------------------------------------------------------------


def test_a_file_is_replayed_from_anywhere(racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(recorded(racewindow)).absolute()
    expected = racewindow("replay", str(file)).out
    for folder in ("found", "/"):
        monkeypatch.chdir(folder)
        ran = racewindow("replay", os.path.relpath(file))

        assert (ran.status, ran.out) == (1, expected)


def test_program_and_file_can_be_moved_together(racewindow: CommandLine) -> None:
    file = recorded(racewindow)
    Path("moved").mkdir()
    for name in ("mine.py", "found"):
        shutil.move(name, "moved")

    assert racewindow("replay", f"moved/{file}").status == 1


def test_a_file_sent_by_mail_is_replayed_beside_the_program(racewindow: CommandLine) -> None:
    file = recorded(racewindow)
    Path("in/box").mkdir(parents=True)
    shutil.move(file, "in/box/failure.json")

    assert racewindow("replay", "in/box/failure.json").status == 1


def test_a_program_that_is_gone_is_one_message(racewindow: CommandLine) -> None:
    file = recorded(racewindow)
    Path("mine.py").rename("yours.py")
    ran = racewindow("replay", file)

    assert (ran.status, ran.out) == (2, "")
    assert_snapshot("replay_program_gone.txt", ran.err.replace(file, "found/(file)"))


def test_a_feed_that_is_gone_is_one_message(racewindow: CommandLine) -> None:
    others = Path("others.py").read_text(encoding="utf-8").replace("sim: racewindow.Simulation) -> None: ...", "sim):")
    Path("failing.py").write_text(
        others.partition("@racewindow.scenario(feed=narrow)")[0] + "    assert not sim.feed\n", encoding="utf-8"
    )
    Path("prices.csv").touch()
    file = recorded(racewindow, "failing.py:fed", "--feed", "prices.csv")
    assert racewindow("replay", file).status == 1
    Path("prices.csv").unlink()
    ran = racewindow("replay", file)

    assert (ran.status, ran.out) == (2, "")
    assert_snapshot("replay_feed_gone.txt", ran.err.replace(file, "found/(file)"))


# --- the program has changed -----------------------------------------------------------------------------------------


def edit(old: str, new: str) -> None:
    assert old in MINE
    Path("mine.py").write_text(MINE.replace(old, new), encoding="utf-8")


def test_a_comment_changes_the_steps_and_not_the_failure(racewindow: CommandLine) -> None:
    file = recorded(racewindow)
    Path("mine.py").write_text("# a line more\n" + MINE, encoding="utf-8")
    ran = racewindow("replay", file)

    assert (ran.status, ran.err) == (1, "")
    assert ran.out.startswith("Reproduced: the same failure, but not step for step (digest ")


def test_a_repaired_program_does_not_fail_and_nothing_more_is_claimed(racewindow: CommandLine) -> None:
    file = recorded(racewindow)
    edit("x.set(seen + 1)", "x.update(lambda now: now + 1)")
    ran = racewindow("replay", file)
    data = json.loads(racewindow("replay", file, "--json").out)

    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("Not reproduced. Recorded was violation; the schedule still fits")
    assert (data["outcome"], data["reproduced"], data["source_changed"]) == ("ok", False, True)


def test_another_failure_is_not_called_the_same(racewindow: CommandLine) -> None:
    file = recorded(racewindow)
    edit('assert x.get() == writers, f"x is {x.get()}"', 'raise RuntimeError("other")')
    ran = racewindow("replay", file)

    assert (ran.status, ran.err) == (1, "")
    assert ran.out.startswith("Not reproduced, but it fails in another way. Recorded was violation.")
    assert json.loads(racewindow("replay", file, "--json").out)["reproduced"] is False


def test_a_schedule_that_does_not_fit_any_more_is_a_divergence(racewindow: CommandLine) -> None:
    file = recorded(racewindow)
    edit("range(writers)", "range(1)")
    ran = racewindow("replay", file)
    data = json.loads(racewindow("replay", file, "--json").out)

    assert (ran.status, ran.err) == (3, "")
    assert_snapshot("replay_diverged.txt", ran.out)
    assert (data["outcome"], data["failures"]) == (None, [])
    assert data["diverged"].startswith("The replay diverged after step 0 of main.")


def test_a_token_of_another_program_says_so(racewindow: CommandLine) -> None:
    token = failure_file.load(recorded(racewindow)).schedule.token()
    edit("adds one", "adds 1")
    ran = racewindow("replay", "mine.py", "--schedule", token)

    assert ran.status == 1
    assert ran.out.startswith("Note: the source of two-writers is not what the schedule was recorded on (then")


def test_a_safeguard_that_is_gone_is_one_message(racewindow: CommandLine) -> None:
    file = recorded(racewindow, "mine.py", "--set", "writers=3")
    edit("writers: int", "riders: int")
    ran = racewindow("replay", file)

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("racewindow: there is no parameter of two-writers called 'writers'.")
