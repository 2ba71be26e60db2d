"""`racewindow shrink`, end to end: the file is rewritten, the first schedule kept, and bad input loses nothing."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import sys
import time
from pathlib import Path

import pytest

from racewindow import failure_file
from tests.harness.command_line import CommandLine, names, racewindow
from tests.harness.terminal import Terminal
from tests.snapshots.compare import assert_snapshot

__all__ = ["racewindow"]

LARGE = '''
import trio
import racewindow

@racewindow.scenario
async def deposits(sim: racewindow.Simulation, *, tasks: int = 4, rounds: int = 3) -> None:
    """Each task adds one to the balance so many times, by a read and a write."""
    balance = racewindow.Cell(0, name="balance")

    async def deposit() -> None:
        for _ in range(rounds):
            await trio.lowlevel.checkpoint()
            seen = balance.get()
            await trio.lowlevel.checkpoint()
            balance.set(seen + 1)

    async with trio.open_nursery() as nursery:
        for _ in range(tasks):
            nursery.start_soon(deposit)
    assert balance.get() == tasks * rounds, f"balance is {balance.get()}"
'''


@pytest.fixture
def file(racewindow: CommandLine) -> str:
    """The file of a failure as it was found."""
    Path("large.py").write_text(LARGE, encoding="utf-8")
    options = ("--strategy", "random", "--no-shrink", "--no-explain", "--json", "--out", "found")
    data = json.loads(racewindow("explore", "large.py", *options).out)
    assert data["failures"][0]["shrunk"] is None
    return os.path.relpath(str(data["failures"][0]["file"]))


def content(file: str) -> str:
    return Path(file).read_text(encoding="utf-8")


def test_a_file_is_rewritten_with_the_smaller_schedule_and_keeps_the_first(racewindow: CommandLine, file: str) -> None:
    before = failure_file.load(file)
    ran = racewindow("shrink", file)
    after = failure_file.load(file)

    assert (ran.status, ran.err) == (0, "")
    assert_snapshot("shrink_done.txt", ran.out.replace(file, "found/(file)"))
    assert len(after.schedule.deviations) == 1 < len(before.schedule.deviations)
    assert after.schedule.params == {"tasks": 2, "rounds": 1}
    assert after.original == before.schedule
    assert (after.target, after.target_file, after.execution) == (before.target, before.target_file, before.execution)
    assert names("found") == [Path(file).name]
    assert racewindow("replay", file).out.startswith("Reproduced: the same failure, step for step.")


def test_to_shrink_it_again_changes_nothing(racewindow: CommandLine, file: str) -> None:
    racewindow("shrink", file)
    once = content(file)
    ran = racewindow("shrink", file)

    assert ran.status == 0
    assert re.match(r"Nothing smaller was found in \d+ tries\.\n\nFAILURE in deposits", ran.out)
    assert content(file) == once


def test_the_first_schedule_of_all_is_kept(racewindow: CommandLine, file: str) -> None:
    """Shrunk in two goes, what is kept is not the one in between."""
    first = failure_file.load(file).schedule
    ran = racewindow("shrink", file, "--tries", "3")
    between = failure_file.load(file).schedule
    racewindow("shrink", file)

    assert ran.status == 0
    assert "the limit of 3 tries was reached" in " ".join(ran.out.split())
    assert len(first.deviations) > len(between.deviations) > 1
    assert failure_file.load(file).original == first


def test_json_says_all_that_the_text_says(racewindow: CommandLine, file: str) -> None:
    ran = racewindow("shrink", file, "--json")
    data = json.loads(ran.out)
    stored = failure_file.load(file)

    assert (ran.status, ran.err) == (0, "")
    assert (data["format"], data["scenario"], data["target"], data["kind"]) == (
        1,
        "deposits",
        stored.target,
        "violation",
    )
    assert data["from"]["deviations"] > data["to"]["deviations"] == data["to"]["preemptions"] == 1
    assert (data["tries"] > 1, data["ended"], data["params"]) == (True, "", {"tasks": 2, "rounds": 1})
    assert (data["deviations"], data["digest"]) == (list(stored.deviations), stored.digest)
    assert data["file"] == str(Path(file).absolute())
    documented = (Path(__file__).parents[2] / "docs/cli.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(\w+)`", documented)) >= set(data)


@pytest.mark.parametrize(
    ("out", "written"), [("small.json", "small.json"), ("new/small.json", "new/small.json"), (".", "")]
)
def test_another_file_can_be_written(racewindow: CommandLine, file: str, out: str, written: str) -> None:
    before = content(file)
    ran = racewindow("shrink", file, "--out", out)

    assert ran.status == 0
    assert content(file) == before
    assert racewindow("replay", written or Path(file).name).status == 1
    assert failure_file.load(written or Path(file).name).original == failure_file.load(file).schedule


def test_an_exploration_leaves_what_shrink_would(racewindow: CommandLine, file: str) -> None:
    racewindow("shrink", file)
    data = json.loads(racewindow("explore", "large.py", "--strategy", "random", "--json", "--out", "other").out)
    (name,) = names("other")

    assert name == Path(file).name
    assert failure_file.load(f"other/{name}").schedule == failure_file.load(file).schedule
    assert failure_file.load(f"other/{name}").original == failure_file.load(file).original
    assert data["failures"][0]["shrunk"]["to"]["deviations"] == 1


def test_the_feed_stays_where_it_was(racewindow: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its path in the file is as it was typed, wherever the shrinking was started."""
    Path("fed.py").write_text(
        "import racewindow, trio\n"
        "def read(path):\n"
        "    return path\n"
        "@racewindow.scenario(feed=read)\n"
        "async def fed(sim) -> None:\n"
        "    assert not sim.choose(range(9))\n",
        encoding="utf-8",
    )
    Path("prices.csv").touch()
    arguments = ("--strategy", "random", "--feed", "prices.csv", "--no-shrink", "--json", "--out", "found")
    file = Path(json.loads(racewindow("explore", "fed.py", *arguments).out)["failures"][0]["file"])
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    ran = racewindow("shrink", os.path.relpath(file))
    stored = failure_file.load(file)

    assert ran.status == 0
    assert stored.original is not None
    assert (stored.schedule.feed, stored.original.feed, stored.feed_file) == (
        "prices.csv",
        "prices.csv",
        "../prices.csv",
    )
    assert [each.option for each in stored.schedule.deviations] == ["1"]
    assert racewindow("replay", os.path.relpath(file)).status == 1


# --- bad input -------------------------------------------------------------------------------------------------------


def test_what_cannot_be_shrunk_is_one_message_and_nothing_is_lost(racewindow: CommandLine, file: str) -> None:
    """Status 2, no traceback, and the file is what it was."""
    before = content(file)
    texts = []
    Path("notes.json").write_text("{}", encoding="utf-8")
    Path("empty").mkdir()
    for arguments in (
        ("gone.json",),
        ("paradex",),
        ("notes.json",),
        ("empty",),
        (file, "--tries", "0"),
        (file, "--seconds", "soon"),
        (file, "--out", "large.py/small.json"),
    ):
        ran = racewindow("shrink", *arguments)
        assert (ran.status, ran.out) == (2, "")
        texts.append(f"$ racewindow shrink {shlex.join(arguments)}\n{ran.err}".replace(file, "found/(file)"))
    for old, new in (
        ("balance.set(seen + 1)", "balance.update(lambda now: now + 1)"),
        ("assert balance", "raise RuntimeError('other')\n    assert balance"),
        ("range(tasks)", "range(1)"),
        ("rounds: int", "times: int"),
    ):
        assert old in LARGE
        Path("large.py").write_text(LARGE.replace(old, new), encoding="utf-8")
        ran = racewindow("shrink", file)
        assert (ran.status, ran.out) == (2, "")
        texts.append(f"$ racewindow shrink (file)   # now {new}\n{ran.err}".replace(file, "found/(file)"))

    assert_snapshot(
        "shrink_bad_input.txt", re.sub(r"after step \d+ of main\S*", "after step (n) of (task)", "\n".join(texts))
    )
    assert content(file) == before


def test_a_file_from_before_shrinking_is_shrunk(racewindow: CommandLine, file: str) -> None:
    """It has no `original` and no `shrunk`, as one has that nothing was shrunk in."""
    assert not {"original", "shrunk"} & set(json.loads(content(file)))
    assert failure_file.load(file).original is None
    assert racewindow("shrink", file).status == 0


def test_a_damaged_original_is_named(racewindow: CommandLine, file: str) -> None:
    data = json.loads(content(file)) | {"original": {"schedule": {"seed": "x"}}}
    Path(file).write_text(json.dumps(data), encoding="utf-8")
    ran = racewindow("shrink", file)

    assert ran.status == 2
    assert "is damaged" in ran.err


# --- signals and terminals -------------------------------------------------------------------------------------------

WORK = """
from racewindow.virtual import real

def work() -> None:
    with open("runs", "a") as runs:
        runs.write("x")
    until = real.monotonic() + 0.1
    while real.monotonic() < until:
        pass
"""


@pytest.fixture
def slow(racewindow: CommandLine) -> str:
    """The file of a failure of which every execution takes a tenth of a second."""
    Path("slow.py").write_text(LARGE.replace("    balance = ", "    work()\n    balance = ") + WORK, encoding="utf-8")
    options = ("--strategy", "random", "--no-shrink", "--no-explain", "--json", "--out", "found")
    return os.path.relpath(str(json.loads(racewindow("explore", "slow.py", *options).out)["failures"][0]["file"]))


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
def test_ctrl_c_keeps_the_smallest_so_far_and_is_status_130(racewindow: CommandLine, slow: str) -> None:
    first, begun = failure_file.load(slow).schedule, len(content("runs"))
    with racewindow.start("shrink", slow) as process:
        while len(content("runs")) < begun + 8:
            time.sleep(0.05)
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)

    assert (process.returncode, err) == (130, "")
    assert "interrupted" in out
    assert len(failure_file.load(slow).schedule.deviations) < len(first.deviations)
    assert failure_file.load(slow).original == first
    assert racewindow("replay", slow).status == 1


@pytest.mark.parametrize(("flags", "shown"), [((), True), (("--quiet",), False)])
def test_progress_is_shown_on_a_terminal(slow: str, flags: tuple[str, ...], *, shown: bool) -> None:
    seen = Terminal().run("shrink", slow, "--tries", "6", *flags)

    assert seen.status == 0
    assert shown == any(re.search(r"│ tries +\d of at most 6 +│\n│ smallest +\d dev", each) for each in seen.moments)
    assert "│" not in seen.screen.text
