"""Running single executions the way the explorer does: shared by the tests of the runtime, schedules and strategies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from racewindow.failure import Execution
from racewindow.runtime.execution import Environment
from racewindow.schedule import CLOCK, Schedule
from racewindow.session import Session
from racewindow.settings import make_settings
from racewindow.strategies.random_walk import RandomPicker
from racewindow.strategies.replay import DecisionLog, default_of
from racewindow.strategy import Picker, Task

if TYPE_CHECKING:
    from racewindow.runtime.task import SimTask

Target = Callable[..., Awaitable[object]]

Way = dict[str, Any]
WAYS: list[Way] = [
    {"semantics": semantics, "clock": clock} for semantics in ("processes", "trio") for clock in ("idle", "racing")
]
"""Every combination of the two options that decide which orders of events there are."""


@contextmanager
def session(target: Target, *, footprints: bool = True, **settings: Any) -> Iterator[Session]:
    """A session in its environment, without a watchdog."""
    settings = {"step_limit": 5_000, **settings}
    with Environment(footprints=footprints):
        yield Session(make_settings(target, **settings))


def walk(seed: int) -> RandomPicker:
    """The decisions of one random execution."""
    return RandomPicker(b"test/%d" % seed)


def record(target: Target, picker: Picker, **settings: Any) -> Execution:
    """One execution on the record."""
    with session(target, **settings) as running:
        return running.record(picker)


def taken(running: Session, picker: Picker) -> tuple[Execution, Schedule]:
    """One execution on the record, and the schedule that repeats it, whether it failed or not."""
    log = DecisionLog(picker)
    execution = running.record(log)
    return execution, running.settings.schedule(log.deviations)


class Tap:
    """Wraps a picker and notes what was offered and what was taken; without words, so that the general loop is used.

    `taken`: (steps so far, clock advances since the last) -> path of the task, or CLOCK. `offered`: steps so far ->
    paths of the tasks that could step.
    """

    words = None

    def __init__(self, picker: Picker) -> None:
        self._picker = picker
        self._begin()

    def _begin(self) -> None:
        self.taken: dict[tuple[int, int], str] = {}
        self.offered: dict[int, frozenset[str]] = {}

    def restart(self) -> None:
        """Forget, and begin again."""
        self._picker.restart()
        self._begin()

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """Pass the decision on."""
        index = self._picker.pick_task(candidates, may_advance=may_advance, last=last, advances=advances)
        serial = cast("SimTask", candidates[0])._runner.step_serial
        self.taken[serial, advances] = CLOCK if index == len(candidates) else candidates[index].path
        self.offered[serial] = frozenset(candidate.path for candidate in candidates)
        return index

    def pick_value(self, count: int, *, task: Task) -> int:
        """Pass the decision on."""
        return self._picker.pick_value(count, task=task)


class Script:
    """Takes the named options one after the other, a path or CLOCK, then always the default; values likewise."""

    words = None

    def __init__(self, options: Sequence[str], values: Sequence[int] = ()) -> None:
        self._options, self._values = options, values
        self.restart()

    def restart(self) -> None:
        """From the first one."""
        self._left, self._values_left = list(self._options), list(self._values)

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """The next option."""
        if not self._left:
            return default_of(candidates, last)
        option = self._left.pop(0)
        if option == CLOCK:
            assert may_advance
            return len(candidates)
        return [candidate.path for candidate in candidates].index(option)

    def pick_value(self, count: int, *, task: Task) -> int:
        """The next value."""
        return self._values_left.pop(0) if self._values_left else 0
