"""`racewindow explore`, end to end: what is printed, what is written, and the exit status."""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from racewindow import failure_file
from racewindow.result import Result
from tests.harness.command_line import CommandLine, names, racewindow
from tests.harness.told import ALL, NOTHING, UNTRUSTED
from tests.snapshots.compare import FOLDER as SNAPSHOTS
from tests.snapshots.compare import assert_snapshot

__all__ = ["racewindow"]

MINE = ("explore", "mine.py", "--seed", "1")
KEYS = {
    *("format", "scenario", "strategy", "semantics", "clock", "seed", "verdict", "bounds", "executions", "failing"),
    *("redundant", "probes", "complete", "steps", "seconds", "distinct_traces", "statistics", "faults_offered"),
    *("faults_struck", "failures"),
}
FAILURE_KEYS = {
    *("kind", "checker", "class", "subject", "message", "count", "execution", "deviations", "faults", "file"),
}


def documented(beginning: str) -> str:
    """The paragraph of the documentation that begins like this."""
    paragraphs = (SNAPSHOTS.parent.parent / "docs/cli.md").read_text(encoding="utf-8").split("\n\n")
    return next(each for each in paragraphs if each.startswith(beginning))


def without_speed(text: str) -> str:
    return re.sub(r"in [\d.]+ s(, [\d,]+\s+executions/s)?\.", "in (some) s.", text)


def test_a_failure_is_told_written_and_status_1(racewindow: CommandLine) -> None:
    ran = racewindow(*MINE)
    (name,) = names(".racewindow/failures")

    assert (ran.status, ran.err) == (1, "")
    assert_snapshot("explore_found.txt", without_speed(ran.out))
    assert f"racewindow replay .racewindow/failures/{name}\n" in ran.out
    assert failure_file.load(f".racewindow/failures/{name}").target == "mine.py:two_writers"


def test_nothing_found_is_status_0_and_writes_nothing(racewindow: CommandLine) -> None:
    ran = racewindow(*MINE, "--safeguards", "use_lock", "--schedules", "50")

    assert (ran.status, ran.err) == (0, "")
    assert_snapshot("explore_nothing.txt", without_speed(ran.out))
    assert not Path(".racewindow").exists()


def test_an_untrusted_result_is_status_3(racewindow: CommandLine) -> None:
    ran = racewindow("explore", "others.py:moody")

    assert (ran.status, ran.err) == (3, "")
    assert "cannot be trusted" in ran.out


@pytest.mark.parametrize(
    ("result", "status"),
    [(ALL, 1), (NOTHING, 0), (UNTRUSTED, 3), (replace(NOTHING, missed=("full",)), 1)],
)
@pytest.mark.parametrize("interrupted", [False, True])
def test_the_status_follows_from_the_result(
    racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch, result: Result, status: int, *, interrupted: bool
) -> None:
    monkeypatch.setattr("racewindow.explorer.explore", lambda *_, **__: replace(result, interrupted=interrupted))

    assert racewindow(*MINE).status == (130 if interrupted else status)
    assert racewindow(*MINE, "--json").status == (130 if interrupted else status)


def test_every_option_reaches_the_explorer(racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def explore(_scenario: object, **options: Any) -> Result:
        seen.update(options)
        return NOTHING

    monkeypatch.setattr("racewindow.explorer.explore", explore)
    Path("feed.csv").touch()
    racewindow("explore", "others.py:fed")
    default = dict(seen)
    racewindow(
        *("explore", "others.py:fed", "--strategy", "s", "--schedules", "1_000", "--seconds", "0.5", "--seed", "-3"),
        *("--semantics", "trio", "--clock", "racing", "--safeguards", "a,b", "--set", "x=1", "--set", "y=a=b"),
        *("--feed", "feed.csv", "--allow-negative-prices", "--all-failures", "--footprints", "--step-limit", "9"),
        *("--log", "log", "--out", "out", "--preemptions", "0", "--depth", "4", "--faults", "2", "--require-coverage"),
        *("--no-shrink", "--no-explain"),
    )
    callback = (default.pop("on_progress"), seen.pop("on_progress"))

    assert all(map(callable, callback))
    assert default == {
        "strategy": "auto", "schedules": None, "seconds": None, "seed": 0, "semantics": None, "clock": "idle",
        "safeguards": None, "params": {}, "feed": None, "feed_options": {}, "all_failures": False, "footprints": None,
        "log": None, "out": ".racewindow/failures", "target_name": "others.py:fed", "preemptions": None, "depth": None,
        "faults": None,
        "require_coverage": None,
        "shrink": True,
        "explain": True,
    }  # fmt: skip
    assert seen == {
        "strategy": "s", "schedules": 1_000, "seconds": 0.5, "seed": -3, "semantics": "trio", "clock": "racing",
        "safeguards": "a,b", "params": {"x": "1", "y": "a=b"}, "feed": "feed.csv",
        "feed_options": {"allow_negative_prices": True}, "all_failures": True, "footprints": True, "step_limit": 9,
        "log": "log", "out": "out", "target_name": "others.py:fed", "preemptions": 0, "depth": 4, "faults": 2,
        "require_coverage": True, "shrink": False, "explain": False,
    }  # fmt: skip


def test_a_folder_elsewhere_is_named_in_full(racewindow: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> None:
    out = tmp_path_factory.mktemp("elsewhere")
    ran = racewindow(*MINE, "--out", str(out))

    assert f"{out}/two-writers-violation-" in ran.out


# --- JSON ------------------------------------------------------------------------------------------------------------


def test_json_is_one_object_with_absolute_paths(racewindow: CommandLine) -> None:
    ran = racewindow(*MINE, "--json", "--out", "found", "--all-failures", "--schedules", "20", "--strategy", "random")
    data = json.loads(ran.out)
    (failure,) = data["failures"]

    assert (ran.status, ran.err) == (1, "")
    assert set(data) >= KEYS
    assert set(re.findall(r"`(\w+)`", documented("`explore --json` prints"))) >= set(data) | FAILURE_KEYS
    assert set(failure) >= FAILURE_KEYS
    assert (data["format"], data["verdict"], data["executions"], data["seed"]) == (1, "failure", 20, 1)
    assert failure["count"] == data["failing"] > 1
    assert Path(failure["file"]) == Path("found").absolute() / names("found")[0]
    assert failure_file.load(failure["file"]).kind == failure["kind"] == "violation"


def test_json_has_nothing_of_what_the_program_prints(racewindow: CommandLine) -> None:
    ran = racewindow("explore", "others.py:fine", "--schedules", "20", "--json", "--strategy", "random")

    assert (ran.status, ran.err) == (0, "")
    assert (json.loads(ran.out)["verdict"], json.loads(ran.out)["failures"]) == ("nothing found", [])


def test_a_list_of_hundreds_of_failures_is_whole(racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    many = replace(ALL, failures=ALL.failures * 300, files=(), statistics={"rate": float("nan")})
    monkeypatch.setattr("racewindow.explorer.explore", lambda *_, **__: many)
    data = json.loads(racewindow(*MINE, "--json").out)

    assert len(data["failures"]) == 600
    assert data["statistics"] == {"rate": "nan"}


# --- files -----------------------------------------------------------------------------------------------------------


def test_the_log_has_time_task_and_step_and_is_the_same_in_every_process(racewindow: CommandLine) -> None:
    logs = []
    for seed in ("0", "1", "77"):
        ran = racewindow.fresh(*MINE, "--strategy", "random", "--log", f"log-{seed}", PYTHONHASHSEED=seed)
        logs.append(Path(f"log-{seed}").read_text(encoding="utf-8"))
        assert ran.status == 1, ran.err

    assert len(set(logs)) == 1
    assert logs[0].splitlines()[0] == (
        '{"time_ns": 0, "time": "T+00:00.000", "task": "add", "step": 0, "level": "info", "event": "read", '
        '"around": ["a", "b", "c"], "seen": 0}'
    )


def test_without_a_failure_the_log_is_that_of_the_default_order(racewindow: CommandLine) -> None:
    racewindow(*MINE, "--safeguards", "all", "--schedules", "3", "--log", "log")
    lines = [json.loads(line) for line in Path("log").read_text(encoding="utf-8").splitlines()]

    assert [(line["task"], line["time_ns"], line["seen"]) for line in lines] == [
        ("add", 0, 0),
        ("add#2", 1_500_000_000, 1),
    ]


# --- streams and signals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("flags", "status"), [((), 1), (("--safeguards", "all", "--schedules", "9"), 0)])
def test_whoever_stops_reading_changes_nothing(racewindow: CommandLine, flags: tuple[str, ...], status: int) -> None:
    with racewindow.start(*MINE, *flags) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()

    assert (process.returncode, err) == (status, "")


def test_a_terminal_without_some_character_is_no_error(racewindow: CommandLine) -> None:
    ran = racewindow.fresh("explore", "others.py:deadlock", PYTHONIOENCODING="ascii")

    assert (ran.status, ran.err) == (1, "")


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
def test_ctrl_c_ends_within_a_second_prints_and_saves_what_was_found(racewindow: CommandLine) -> None:
    Path("slow.py").write_text(
        "import racewindow, trio\n"
        "async def slow() -> None:\n"
        "    for _ in range(50):\n"
        "        await trio.lowlevel.checkpoint()\n"
        "    assert racewindow.choose([1, 0])\n",
        encoding="utf-8",
    )
    with racewindow.start(
        "explore", "slow.py", "--strategy", "random", "--all-failures", "--schedules", "100000000"
    ) as process:
        while not Path(".racewindow/failures").exists():
            time.sleep(0.05)
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        out, err = process.communicate(timeout=20)
        took = time.monotonic() - sent

    assert (process.returncode, err) == (130, "")
    assert out.startswith("Interrupted. What was found until then:\n\nFAILURE in slow: an assertion failed\n")
    assert len(names(".racewindow/failures")) == 1
    assert took < 5, "a second on an idle machine"
