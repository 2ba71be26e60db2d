"""What a command is given to run again: a failure from its file, or an execution from its token."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from racewindow.errors import InputError, UsageError

if TYPE_CHECKING:
    from racewindow.failure_file import StoredFailure
    from racewindow.scenarios import Scenario
    from racewindow.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Order:
    """What to run again: the scenario, how it was named, the schedule, and the recorded failure if there is one."""

    scenario: Scenario
    target: str
    schedule: Schedule
    stored: StoredFailure | None

    @property
    def changed(self) -> bool:
        """Whether the source of the scenario is known to differ from what the schedule was recorded on."""
        recorded = self.schedule.fingerprint
        return bool(recorded) and recorded != self.scenario.fingerprint


def from_token(target: str, token: str) -> Order:
    """An execution of a scenario; raises UsageError for what is no scenario or no token."""
    from racewindow.schedule import Schedule
    from racewindow.target import resolve

    if target.endswith(".json"):
        raise UsageError(
            f"{target} is a file, and --schedule gives a schedule as well.",
            why="the file of a failure holds its own schedule.",
            do=f"racewindow replay {target}",
        )
    schedule = Schedule.from_token(token)
    scenario, name = resolve(target)
    return Order(scenario, name, schedule, None)


def from_file(path: str, command: str = "replay") -> Order:
    """A recorded failure, for the command of that name; raises UsageError for what is no failure's file."""
    from racewindow.failure_file import HOW_TO_GET_ONE, load

    if not os.path.lexists(path) and not path.endswith(".json"):
        if command != "replay":
            why = f"{command} takes the file of a recorded failure."
            raise UsageError(f"{path} is not a file.", why=why, do=HOW_TO_GET_ONE)
        raise UsageError(
            f"{path} is not a file.",
            why="replay takes the file of a recorded failure, or a scenario together with --schedule.",
            do=f"racewindow replay {path} --schedule rw1-...",
        )
    return order_of(load(path, command=command))


def order_of(stored: StoredFailure) -> Order:
    """A recorded failure that has been read; raises UsageError or InputError if its scenario cannot be loaded."""
    scenario, target = _scenario_of(stored)
    return Order(scenario, target, _with_feed(stored), stored)


def _scenario_of(stored: StoredFailure) -> tuple[Scenario, str]:
    """The scenario, looked for beside the failure's file first, then as it was typed when it was recorded."""
    from racewindow.failure_file import file_of, is_test
    from racewindow.target import resolve

    if is_test(stored.target):
        raise UsageError(
            f"{stored.path} is a failure of a test.",
            why="only pytest can set up what the test needs.",
            do=shlex.join(["pytest", "--racewindow-replay", str(stored.path), stored.target]),
        )
    typed = file_of(stored.target)
    if typed is None:
        return resolve(stored.target)
    function = stored.target[len(typed) :]
    beside = None if stored.target_file is None else os.path.normpath(stored.path.parent / stored.target_file)
    if beside is not None and os.path.isfile(beside):  # noqa: PTH113  # `beside` is a text
        return resolve(f"{os.path.relpath(beside)}{function}")
    if not os.path.isfile(typed):  # noqa: PTH113
        places = " and ".join(dict.fromkeys(each for each in (beside, typed) if each is not None))
        raise InputError(
            f"the scenario of {stored.path} is not there any more.",
            why=f"it was recorded from {stored.target}; looked for at {places}.",
            do=f"start in the folder that holds {os.path.basename(typed)}, or put both files back side by side.",  # noqa: PTH119
        )
    return resolve(stored.target)


def _with_feed(stored: StoredFailure) -> Schedule:
    """The schedule with the path of the feed as it is from here."""
    feed = stored.schedule.feed
    if feed is None:
        return stored.schedule
    places = [feed]
    if stored.feed_file is not None:
        places.insert(0, os.path.relpath(os.path.normpath(stored.path.parent / stored.feed_file)))
    for place in places:
        if os.path.isfile(place):  # noqa: PTH113
            return replace(stored.schedule, feed=place)
    raise InputError(
        f"the feed of {stored.path} is not there any more.",
        why=f"it was recorded with {feed}; looked for at {' and '.join(dict.fromkeys(places))}.",
        do="put the feed back where it was, seen from the failure's file.",
    )
