"""The corpus of past failures: what is kept, what became of it, and that no kill leaves half a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import trio

import racewindow
from racewindow.corpus import Corpus, Tried, attempt
from racewindow.errors import InputError, UsageError
from racewindow.failure import Failure
from racewindow.failure_file import StoredFailure, load
from racewindow.scenarios import Scenario, as_scenario
from racewindow.schedule import Schedule
from racewindow.settings import Target
from tests.harness.told import ASSERTED, LIQUIDATED

ROOT = Path(__file__).resolve().parents[2]


async def locked() -> None:
    """The lost update with a lock around it: the same tasks, the same steps."""
    await _deposits(trio.Lock())


async def unlocked() -> None:
    """The lost update."""
    await _deposits(None)


async def _deposits(lock: trio.Lock | None) -> None:
    balance = racewindow.Cell(0, name="balance")

    async def deposit() -> None:
        if lock is not None:
            await lock.acquire()
        else:
            await trio.lowlevel.checkpoint()
        seen = balance.get()
        await trio.lowlevel.checkpoint()
        balance.set(seen + 1)
        if lock is not None:
            lock.release()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(deposit, name="one")
        nursery.start_soon(deposit, name="two")
    assert balance.get() == 2


async def alone() -> None:
    """Nobody else to run."""
    await trio.lowlevel.checkpoint()


def lost_update() -> Failure:
    result = racewindow.explore(unlocked, strategy="dpor", shrink=False)
    return result.failures[0]


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(tmp_path / "tests" / "racewindow_corpus")


def tried_on(target: Target, corpus: Corpus, failure: Failure) -> Tried:
    """What becomes of the failure when the program is another one."""
    corpus.add(failure, target="mine.py:unlocked", scenario=as_scenario(unlocked))
    (entry,) = corpus.entries()
    return attempt(entry, lambda stored: (target, stored.schedule))


def test_a_folder_that_is_not_there_is_an_empty_corpus(corpus: Corpus) -> None:
    assert corpus.entries() == []
    assert not corpus.folder.exists()


def test_what_is_added_is_listed_by_name_and_once(corpus: Corpus) -> None:
    scenario = as_scenario(unlocked)
    for failure in (LIQUIDATED, ASSERTED, LIQUIDATED):
        corpus.add(failure, target="mine.py:unlocked", scenario=scenario)

    entries = corpus.entries()

    assert [each.path.name for each in entries] == sorted(path.name for path in corpus.folder.iterdir())
    assert {each.stored.message for each in entries if each.stored} == {LIQUIDATED.message, ASSERTED.message}
    assert {each.target for each in entries} == {"mine.py:unlocked"}
    assert not any(each.of_pytest for each in entries)


def test_a_failure_of_a_test_is_told_from_one_of_a_scenario(corpus: Corpus) -> None:
    corpus.add(ASSERTED, target="tests/test_mine.py::TestIt::test_restart[3]", scenario=as_scenario(unlocked))

    assert [each.of_pytest for each in corpus.entries()] == [True]


def test_a_failure_that_is_still_there_fails(corpus: Corpus) -> None:
    failure = lost_update()

    tried = tried_on(unlocked, corpus, failure)

    assert (tried.verdict, tried.why) == ("fails", "")
    assert tried.failure is not None and tried.failure.digest == failure.digest


def test_one_that_was_fixed_is_kept(corpus: Corpus) -> None:
    tried = tried_on(locked, corpus, lost_update())

    assert tried.verdict == "fixed"
    assert tried.execution is not None and tried.execution.outcome == "ok"
    assert len(corpus.entries()) == 1


def test_one_that_fails_in_another_way_says_both(corpus: Corpus) -> None:
    result = racewindow.explore(_chooser(AssertionError), strategy="dfs", shrink=False)

    tried = tried_on(_chooser(ValueError), corpus, result.failures[0])

    assert tried.verdict == "fails otherwise"
    assert tried.why == "recorded was violation; now its order of events gives exception."
    assert tried.failure is not None and "ValueError" in tried.failure.message


def _chooser(error: type[Exception]) -> Target:
    async def program() -> None:
        if racewindow.choose([1, 2]) == 2:
            raise error("wrong")

    return program


def test_one_that_does_not_fit_any_more_is_stale_and_says_where(corpus: Corpus) -> None:
    tried = tried_on(alone, corpus, lost_update())

    assert tried.verdict == "stale"
    assert "The replay diverged" in tried.why and "recorded:" in tried.why
    assert tried.execution is None


def test_a_schedule_with_what_the_scenario_no_longer_declares_is_stale(corpus: Corpus) -> None:
    failure = lost_update()
    gone = replace(failure, schedule=replace(failure.schedule, params={"markets": 3}))

    tried = tried_on(unlocked, corpus, gone)

    assert tried.verdict == "stale"
    assert "there is no parameter of unlocked called 'markets'" in tried.why


def test_what_cannot_be_read_or_loaded_is_broken_and_hides_no_other(corpus: Corpus) -> None:
    corpus.add(lost_update(), target="mine.py:unlocked", scenario=as_scenario(unlocked))
    (corpus.folder / "a-cut-off.json").write_text('{"format": "racewindow-', encoding="utf-8")
    (corpus.folder / "notes.txt").write_text("not ours", encoding="utf-8")

    def gone(_stored: StoredFailure) -> tuple[Scenario, Schedule]:
        raise InputError("mine.py is not there any more.")

    first, second = corpus.entries()

    assert (first.stored, first.target, first.of_pytest) == (None, "", False)
    assert attempt(first, gone).verdict == "broken" and "a-cut-off.json is not JSON" in attempt(first, gone).why
    assert attempt(second, gone) == Tried(second, "broken", "mine.py is not there any more.")


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(InputError, match="failures cannot be written to"):
        Corpus(tmp_path / "file").add(LIQUIDATED, target="paradex", scenario=as_scenario(unlocked))


def test_the_command_line_says_how_a_failure_of_a_test_is_replayed(corpus: Corpus) -> None:
    from racewindow.cli_recorded import order_of

    path = corpus.add(ASSERTED, target="test_mine.py::test_restart", scenario=as_scenario(unlocked))

    with pytest.raises(UsageError) as raised:
        order_of(load(path))
    assert raised.value.do == f"pytest --racewindow-replay {path} test_mine.py::test_restart"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork")
def test_a_kill_at_any_line_leaves_all_files_whole_and_the_next_run_sweeps_up(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.harness.corpus_kills", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    kills = [json.loads(line) for line in ended.stdout.splitlines()]

    assert ended.returncode == 0, ended.stderr
    assert len(kills) > 20 and kills[-1]["line"] is None
    messages = [[entry["message"] for entry in each["entries"]] for each in kills]
    assert {tuple(each) for each in messages} == {("before",), ("aftera",)}
    assert not any(entry["problem"] for each in kills for entry in each["entries"])
    assert all(len(each["before"]) == 1 for each in kills)  # nothing else is left by the run after a kill
