"""The corpus: failures of the past as small files in the user's repository, tried first by every run.

A file of the corpus is the file of a failure, word for word: `racewindow replay` reads it, and a person may put one
there by hand. What became of a failure is found out anew each time and never written down, so a run changes no file
and what is under version control stays as it was committed.

    corpus = Corpus("tests/racewindow_corpus")
    corpus.add(failure, target="mine.py:restart", scenario=scenario)
    for entry in corpus.entries():
        tried = attempt(entry, find)
        tried.verdict, tried.why

`attempt` raises nothing for what is wrong with one entry, so that one does not hide the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from racewindow.errors import DivergenceError, InputError, RacewindowError, UsageError
from racewindow.explorer import replay
from racewindow.failure import Execution, Failure
from racewindow.failure_file import StoredFailure, is_test, load, save
from racewindow.judging import names_of
from racewindow.scenarios import Scenario
from racewindow.schedule import Schedule
from racewindow.settings import Target
from racewindow.whole_file import remove_parts

FOLDER = "tests/racewindow_corpus"
"""Where a corpus is unless something else was asked for, relative to the root of the user's project."""

Verdict = Literal["fails", "fails otherwise", "fixed", "stale", "broken"]
"""What became of a failure of the past.

`fails`: it is there again. `fails otherwise`: its order of events fails in another way now. `fixed`: its order of
events passes; the file stays as a regression test. `stale`: it does not fit the code any more, which says nothing about
whether the failure is gone. `broken`: the file cannot be read, or what it was recorded on cannot be loaded.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a corpus. `stored`: what it says, None if it cannot be read; `problem` then says why."""

    path: Path
    stored: StoredFailure | None
    problem: str = ""

    @property
    def target(self) -> str:
        """What was typed to get the scenario; "" if the file cannot be read."""
        return "" if self.stored is None else self.stored.target

    @property
    def of_pytest(self) -> bool:
        """Whether it was recorded by a test, and only pytest can set up what it needs."""
        return is_test(self.target)


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of an entry. `why`: for a person, "" for one that fails as recorded.

    `execution`: the replay, None for what is stale or broken. `failure`: for `fails` and `fails otherwise`.
    """

    entry: Entry
    verdict: Verdict
    why: str = ""
    execution: Execution | None = None
    failure: Failure | None = None


Find = Callable[[StoredFailure], tuple[Target, Schedule]]
"""From what a file says to what is replayed: the scenario, and the schedule with its paths as they are from here.

Raises a RacewindowError if the scenario cannot be loaded.
"""


class Corpus:
    """The failures in a folder, which need not be there."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def entries(self) -> list[Entry]:
        """All entries by name of file. Half-written files of a run that was killed are not among them."""
        if not self.folder.is_dir():
            return []
        return [_entry(path) for path in sorted(self.folder.glob("*.json")) if not path.name.startswith(".")]

    def add(self, failure: Failure, *, target: str, scenario: Scenario) -> Path:
        """Keep a failure: write its file all or not at all, and return its absolute path.

        `target`: what a person types to get the scenario. The same failure with the same schedule has one file. Raises
        InputError if it cannot be written; the corpus is then what it was.
        """
        path = save(failure, self.folder, target=target, scenario=scenario)
        remove_parts(self.folder)
        return path


def _entry(path: Path) -> Entry:
    try:
        return Entry(path, load(path))
    except RacewindowError as error:
        return Entry(path, None, str(error))


def attempt(entry: Entry, find: Find) -> Tried:
    """Replay an entry once, strictly, and say what became of it; `find` loads what it was recorded on."""
    stored = entry.stored
    if stored is None:
        return Tried(entry, "broken", entry.problem)
    try:
        target, schedule = find(stored)
    except RacewindowError as error:
        return Tried(entry, "broken", str(error))
    try:
        execution = replay(target, schedule)
    except InputError as error:  # its feed
        return Tried(entry, "broken", str(error))
    except (DivergenceError, UsageError) as error:  # a UsageError: its parameters or faults are not there any more
        return Tried(entry, "stale", str(error))
    return _judged(entry, stored, execution)


def _judged(entry: Entry, stored: StoredFailure, execution: Execution) -> Tried:
    same = next((each for each in execution.failures if each.identity == stored.identity), None)
    if same is not None:
        return Tried(entry, "fails", "", execution, same)
    if execution.failures:
        now = names_of(each.identity for each in execution.failures)
        why = f"recorded was {names_of([stored.identity])}; now its order of events gives {now}."
        return Tried(entry, "fails otherwise", why, execution, execution.failure)
    return Tried(entry, "fixed", "its order of events passes; other orders may still fail.", execution)
