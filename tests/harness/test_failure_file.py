"""A failure file says everything, is written all or not at all, and each way of being wrong has its own message."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racewindow import failure_file
from racewindow.errors import InputError
from racewindow.failure import Failure
from racewindow.failure_file import StoredFailure, check_writable, file_name, file_of, load, own_version, save
from racewindow.report_layout import message
from racewindow.scenarios import as_scenario
from racewindow.schedule import Deviation, Schedule
from tests.harness.command_line import names
from tests.harness.told import ASSERTED, DEADLOCK, LIQUIDATED, SHRUNK, STALE
from tests.snapshots.compare import FOLDER as SNAPSHOTS
from tests.snapshots.compare import assert_snapshot

DOCS = SNAPSHOTS.parent.parent / "docs"


async def paradex() -> None:
    """A window."""


SCENARIO = as_scenario(paradex)


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def saved(failure: Failure = LIQUIDATED, target: str = "paradex") -> Path:
    return save(failure, "found", target=target, scenario=SCENARIO)


def data(path: Path) -> dict[str, Any]:
    loaded = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


@pytest.mark.parametrize("failure", [LIQUIDATED, ASSERTED, DEADLOCK, STALE], ids=lambda f: f.checker or f.kind)
def test_what_is_saved_is_what_is_loaded(failure: Failure) -> None:
    stored = load(saved(failure))

    for name in ("kind", "checker", "class_", "subject", "message", "schedule", "digest", "time_ns", "execution"):
        assert getattr(failure, name) == getattr(stored, name), name
    assert failure.identity == stored.identity
    assert (failure.story, failure.deviations, failure.faults) == (stored.story, stored.deviations, stored.faults)
    assert (stored.target, stored.scenario, stored.path.parent.name) == ("paradex", "paradex", "found")


texts = st.text(st.characters(), max_size=20)  # half characters too: they come from file names


@given(st.builds(replace, st.just(LIQUIDATED), message=texts, subject=st.none() | texts, story=st.tuples(texts)))
def test_any_text_survives(failure: Failure) -> None:
    stored = load(saved(failure))

    assert (failure.message, failure.subject, failure.story) == (stored.message, stored.subject, stored.story)


def test_a_schedule_of_thousands_of_deviations_is_kept_whole() -> None:
    many = tuple(Deviation("main/0", step, "task", 0, "main/1") for step in range(3_000))
    long = replace(LIQUIDATED, schedule=replace(LIQUIDATED.schedule, deviations=many, params={"tasks": {2, 1}}))
    stored = load(saved(long))

    assert stored.schedule.deviations == many
    assert stored.schedule.params == {"tasks": [1, 2]}
    assert file_name(long, "x") != file_name(replace(long, schedule=replace(long.schedule, deviations=many[:-1])), "x")


def test_the_file_reads_well_and_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    monkeypatch.setattr(failure_file, "version_of", lambda name: f"(version of {name})")
    monkeypatch.setattr("platform.python_version", lambda: "(version of Python)")
    path = saved()

    assert_snapshot("failure.json", path.read_text(encoding="utf-8"))
    assert path.stat().st_size < 4_000


def test_the_file_holds_no_machine_path_and_no_address() -> None:
    class Thing:
        pass

    path = saved(replace(LIQUIDATED, evidence={"thing": Thing()}), target=str(Path("mine.py").absolute()) + ":f")
    found = data(path)
    found.pop("target")  # what was typed is kept as it was typed

    assert str(Path.cwd()) not in json.dumps(found)
    assert " at 0x" not in json.dumps(found)


def test_the_same_failure_overwrites_its_own_file_and_another_does_not() -> None:
    first, again, other = saved(), saved(replace(LIQUIDATED, count=9, execution=4)), saved(STALE)

    assert first == again != other
    assert first.is_absolute()
    assert names("found") == sorted((first.name, other.name))


def test_the_name_says_what_it_is() -> None:
    assert file_name(LIQUIDATED, "paradex").startswith("paradex-no_false_liquidation-default-")
    assert file_name(DEADLOCK, "two phases/of (it)").startswith("two-phases-of-it-deadlock-")
    assert len(file_name(replace(LIQUIDATED, class_="x" * 999), "paradex")) < 120
    assert file_name(LIQUIDATED, "a") != file_name(replace(LIQUIDATED, subject="long-XRP"), "a")
    assert file_name(LIQUIDATED, "../..").startswith("no_false_liquidation-default-")


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("mine.py", "mine.py"),
        ("a/mine.py:f", "a/mine.py"),
        ("C:\\x\\mine.py:f", "C:\\x\\mine.py"),
        ("paradex", None),
        ("package.py_thing:f", None),
    ],
)
def test_a_target_that_names_a_file_is_known(target: str, path: str | None) -> None:
    assert path == file_of(target)


def test_paths_are_relative_to_the_file() -> None:
    fed = replace(LIQUIDATED, schedule=replace(LIQUIDATED.schedule, feed="data/feed.csv"))
    stored = load(saved(fed, target="mine.py:f"))

    assert (stored.target_file, stored.feed_file) == ("../mine.py", "../data/feed.csv")
    assert stored.schedule.feed == "data/feed.csv"


def test_the_documentation_knows_every_field() -> None:
    text = (DOCS / "failure-file.md").read_text(encoding="utf-8")
    found = data(saved(SHRUNK))
    rows = {
        name
        for line in text.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }

    assert set(found) == rows
    assert load(saved(SHRUNK)).schedule.token() == found["token"]


def test_the_documentation_shows_what_is_printed() -> None:
    text = (DOCS / "failure-file.md").read_text(encoding="utf-8")
    diverged = (SNAPSHOTS / "replay_diverged.txt").read_text(encoding="utf-8")
    (token,) = re.findall(r"--schedule (rw1-\S+)", text)

    assert diverged in text
    assert len(Schedule.from_token(token).deviations) == 3


# --- writing that fails ----------------------------------------------------------------------------------------------


def test_a_write_that_fails_leaves_the_old_file_whole_and_nothing_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved()
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError) as caught:
        saved(replace(LIQUIDATED, execution=99))

    assert str(caught.value) == (
        "failures cannot be written to found.\n"
        "Why: No space left on device.\n"
        "Do:  give --out a folder that you may write to, for example --out found"
    )
    assert (names("found"), path.read_bytes()) == ([path.name], before)


def test_an_interrupted_write_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        saved()

    assert names("found") == []


@pytest.mark.parametrize(
    "check", [check_writable, lambda folder: save(DEADLOCK, folder, target="t", scenario=SCENARIO)]
)
@pytest.mark.parametrize("folder", ["taken", "taken/deeper/still"])
def test_a_folder_that_cannot_be_is_one_message(check: Callable[[str], object], folder: str) -> None:
    Path("taken").write_text("kept", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        check(folder)

    assert str(caught.value).startswith(f"failures cannot be written to {folder}.\nWhy: ")
    assert (names(), Path("taken").read_text(encoding="utf-8")) == (["taken"], "kept")


def test_a_folder_that_may_not_be_written_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(InputError) as caught:
        check_writable("found")

    assert str(caught.value) == (
        "failures cannot be written to found.\n"
        "Why: Permission denied.\n"
        "Do:  give --out a folder that you may write to, for example --out found"
    )


def test_checking_makes_nothing() -> None:
    check_writable("not/yet/there")

    assert names() == []


# --- reading what is wrong -------------------------------------------------------------------------------------------


def message_for(content: str | bytes | None) -> str:
    path = Path("bad.json")
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        load(path)
    return message(str(caught.value).replace(f"racewindow {own_version()},", "racewindow (version),"))


def edited(**fields: Any) -> str:
    whole = data(saved())
    for name, value in fields.items():
        if value is ...:
            del whole[name]
        else:
            whole[name] = value
    return json.dumps(whole)


def nested(schedule: dict[str, Any]) -> str:
    return edited(schedule=data(saved())["schedule"] | schedule)


BAD: dict[str, Callable[[], str | bytes | None]] = {
    "does not exist": lambda: None,
    "empty": lambda: " \n",
    "not text": lambda: b"\x89PNG\r\n\x1a\n\x00\xff",
    "not JSON": lambda: "scenario = paradex",
    "cut off": lambda: edited()[:200],
    "a number beyond measure": lambda: '{"format": ' + "9" * 5_000 + "}",
    "brackets beyond measure": lambda: "[" * 100_000,
    "JSON of something else": lambda: '{"name": "package", "version": "1.0.0"}',
    "a list": lambda: "[1, 2]",
    "a newer format": lambda: edited(version=2, versions={"racewindow": "0.9.1"}),
    "a newer format by an unknown version": lambda: edited(version=7, versions=None),
    "a newer format by a strange version": lambda: edited(version=7, versions={"racewindow": "'; rm -rf /"}),
    "no version": lambda: edited(version=...),
    "a version of text": lambda: edited(version="1"),
    "an unknown kind": lambda: edited(kind="mishap"),
    "no target": lambda: edited(target=...),
    "a target of another type": lambda: edited(target=["mine.py"]),
    "a checker of another type": lambda: edited(checker=3),
    "a story of another type": lambda: edited(story=[1]),
    "a time of another type": lambda: edited(time_ns=True),
    "no schedule": lambda: edited(schedule=...),
    "a schedule of another type": lambda: edited(schedule="rw1-CAAAAA"),
    "a schedule without a seed": lambda: edited(schedule={"deviations": []}),
    "a schedule with unknown semantics": lambda: nested({"semantics": "fifo"}),
    "a deviation without a step": lambda: nested({"deviations": [{"task": "main"}]}),
}


def test_each_bad_file_has_its_own_message() -> None:
    told = []
    for name, content in BAD.items():
        Path("bad.json").unlink(missing_ok=True)
        told.append(f"--- {name}\n{message_for(content())}\n")

    assert len(told) == len(set(told))
    assert_snapshot("failure_file_bad.txt", "\n".join(told))


@given(st.recursive(st.none() | st.integers() | st.text(max_size=4), lambda x: st.lists(x) | st.dictionaries(texts, x)))
def test_whatever_a_field_holds_it_loads_or_is_refused(value: Any) -> None:
    whole = data(saved())
    for name in whole:
        Path("bad.json").write_text(json.dumps(whole | {name: value}), encoding="utf-8")
        try:
            outcome: object = load("bad.json")
        except InputError as error:
            outcome = str(error)

        assert isinstance(outcome, StoredFailure) or str(outcome).startswith("bad.json ")


def test_what_a_later_version_adds_within_the_format_is_ignored() -> None:
    Path("new.json").write_text(edited(shrunk_from={"deviations": 40}), encoding="utf-8")

    assert load("new.json").kind == "violation"


def test_a_mark_that_an_editor_put_in_front_does_no_harm() -> None:
    Path("marked.json").write_bytes(b"\xef\xbb\xbf" + saved().read_bytes())

    assert load("marked.json").identity == LIQUIDATED.identity


def test_a_folder_names_a_file_in_it() -> None:
    path = saved()
    with pytest.raises(InputError) as full:
        load("found")
    Path("empty").mkdir()
    with pytest.raises(InputError) as empty:
        load("empty")

    assert str(full.value) == (
        f"found is a folder.\nWhy: a replay takes one failure file.\nDo:  racewindow replay found/{path.name}"
    )
    assert str(empty.value).endswith("Do:  give the file that `racewindow explore` names when it finds a failure.")


def test_a_file_that_may_not_be_read_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved()

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(InputError) as caught:
        load(path)

    assert str(caught.value) == f"{path} cannot be read.\nWhy: Permission denied.\nDo:  check who may read the file."


def test_a_file_that_is_far_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure_file, "_BYTES_MAX", 1_000_000)
    Path("bad.json").write_bytes(b" " * 1_000_001)

    with pytest.raises(InputError, match="larger than 1 MB"):
        load("bad.json")
