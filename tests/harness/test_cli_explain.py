"""`racewindow explain`, end to end: from the file of a failure to text or JSON, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.harness.command_line import CommandLine, racewindow
from tests.harness.test_cli_replay import recorded
from tests.snapshots.compare import assert_snapshot

__all__ = ["racewindow"]


def test_a_failure_is_explained_from_its_file(racewindow: CommandLine) -> None:
    ran = racewindow("explain", recorded(racewindow))

    assert (ran.status, ran.err) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= 80
    assert_snapshot("explain.txt", ran.out)


def test_the_text_is_the_same_in_every_process(racewindow: CommandLine) -> None:
    file = recorded(racewindow)
    texts = {racewindow.fresh("explain", file, PYTHONHASHSEED=seed).out for seed in ("0", "1", "random")}

    assert texts == {racewindow("explain", file).out}


def test_json_is_one_object(racewindow: CommandLine) -> None:
    file = recorded(racewindow)
    ran = racewindow("explain", file, "--json", "--quiet", "--seconds", "60")
    data = json.loads(ran.out)

    assert (ran.status, ran.err, data["format"], data["scenario"]) == (0, "", 1, "two-writers")
    assert data["file"] == str(Path(file).absolute())
    assert (data["pairs"][0]["object"], data["pairs"][0]["reversed"]) == ("x", {"failing": 0, "runs": 20})
    assert data["fixes"][0]["constraints"] == ["add ends before add#2 starts"]
    assert [each["name"] for each in data["safeguards"]] == ["use_lock"]
    assert not data["out_of_budget"]


def test_explore_says_the_same_in_json_unless_told_not_to(racewindow: CommandLine) -> None:
    told, *others = (
        json.loads(racewindow("explore", "mine.py", "--strategy", "random", "--json", *more).out)["failures"][0]
        for more in ((), ("--no-explain",))
    )

    assert told["explanation"]["fixes"][0]["proved"]
    assert [told | {"explanation": None}] == [each | {"explanation": None} for each in others]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mine.py",), "mine.py is not JSON."),
        (("nowhere",), "nowhere is not a file."),
        (("nowhere.json",), "nowhere.json does not exist."),
        (("FILE", "--schedules", "0"), "--schedules cannot be 0."),
        (("FILE", "--seconds", "nan"), "--seconds cannot be nan."),
    ],
)
def test_what_cannot_be_explained_gets_one_message(
    racewindow: CommandLine, arguments: tuple[str, ...], said: str
) -> None:
    file = recorded(racewindow)
    ran = racewindow("explain", *(file if each == "FILE" else each for each in arguments))

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("racewindow: ")
    assert "Traceback" not in ran.err
    assert said in ran.err


def test_a_program_that_has_changed_cannot_be_explained(racewindow: CommandLine) -> None:
    file = recorded(racewindow)
    source = Path("mine.py")
    source.write_text(source.read_text().replace("x.set(seen + 1)", "x.set(x.get() + 1)"))
    ran = racewindow.fresh("explain", file)

    assert (ran.status, ran.out) == (2, "")
    assert "nothing to explain" in ran.err or "diverged" in ran.err
