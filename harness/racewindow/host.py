"""The host: an execution's side of the `Simulation` that its scenario is handed, and of the properties in its code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from types import CodeType
from typing import Any, TypeVar

import trio

from racewindow.checkers import OPERATIONS, TIME
from racewindow.events import Event
from racewindow.faults import Fault
from racewindow.footprint import ADD_CODE, READ_CODE
from racewindow.marks import BROKEN, Marks, broken_data, broken_violation
from racewindow.operations import CALL, RETURN
from racewindow.plain import one_line, plain
from racewindow.runtime.access import fault_point
from racewindow.runtime.location import Locator
from racewindow.runtime.runner import SimRunner

T = TypeVar("T")
_SHOWN = {CALL: READ_CODE, RETURN: ADD_CODE}
"""What an event of an operation does to the order of calls and returns."""


class Host:
    """The execution's side of a `Simulation` and of the properties in its code.

    `observes`: what its checkers make of the events (see `Checker`). Once it is `over`, it hears nothing any more:
    code that runs while the tasks that are left are taken down does not count.
    """

    __slots__ = ("_ids", "_keys", "events", "locator", "marks", "nursery", "observes", "over", "runner")

    def __init__(self, locator: Locator | None = None, observes: frozenset[str] = frozenset()) -> None:
        self.events: list[Event] = []
        self.nursery: trio.Nursery | None = None
        self.runner: SimRunner | None = None
        self.marks: Marks | None = None
        self._ids: dict[str, int] = {}  # how many records each task has made, by its path
        self._keys: dict[str, Any] = {}  # of the operations called, by their id
        self.locator, self.observes, self.over = locator or Locator(), observes, False

    def start(self, runner: SimRunner) -> None:
        """An execution begins, perhaps once more from its beginning."""
        self.runner, self.marks, self.over = runner, None, False
        runner.world.host = self
        self.events.clear()
        self._ids.clear()
        self._keys.clear()

    def now_ns(self) -> int:
        """Virtual time in nanoseconds; reading it is an access."""
        assert self.runner is not None
        return int(self.runner.world.now_ns())

    def choose(self, options: Sequence[T]) -> T:
        """A value decision of the step in progress."""
        assert self.runner is not None
        index: int = self.runner.world.choose(len(options))
        return options[index]

    async def fault_point(self, name: str, kinds: Collection[str] | None) -> Fault | None:
        """A fault point of the step in progress."""
        return await fault_point(name, kinds=kinds)

    def emit(self, kind: str, data: Mapping[str, Any]) -> None:
        """Record an event of the step in progress."""
        runner = self.runner
        assert runner is not None
        if self.over:
            return
        task = runner.current
        assert task is not None
        runner.effects += 1
        if self.observes:
            self._show(kind, data, runner)
        self.events.append(Event(runner.now_ns(), task.display, task.number, kind, data))

    def _show(self, kind: str, data: Mapping[str, Any], runner: SimRunner) -> None:
        """Make what the checkers observe of an event part of the step's footprint.

        Whether an operation returns before another is called can be seen, in which order two return or are called
        cannot: so a call reads and a return adds.
        """
        if TIME in self.observes and runner.recording:
            runner.recorder.read_clock()
        if OPERATIONS in self.observes and kind in _SHOWN:
            if kind == CALL:
                self._keys[data["id"]] = data.get("key")
            if runner.recording:
                key = self._keys.get(data["id"])
                part = "" if key is None else f"[{one_line(plain(key))}]"
                recorder = runner.recorder
                recorder.footprint[recorder.table.number(f"operations{part}") * 3 + _SHOWN[kind]] = None

    def new_id(self) -> str:
        """A name for a record of the current task: its path, and how many it has made before."""
        runner = self.runner
        assert runner is not None
        task = runner.current
        path = "" if task is None else task.path
        self._ids[path] = number = self._ids.get(path, 0) + 1
        return f"{path}.{number}"

    def spawn(self, function: Callable[..., Awaitable[object]], args: tuple[Any, ...], name: str | None) -> None:
        """Start a task in the nursery around the scenario."""
        assert self.nursery is not None
        self.nursery.start_soon(function, *args, name=name)

    def met(self, name: str, *, reached: bool) -> None:
        """A `sometimes` in the code."""
        if not self.over:
            if self.marks is None:
                self.marks = Marks()
            self.marks.met(name, reached=reached)

    def broke(self, property_: str, name: str, code: CodeType, line: int, values: Mapping[str, Any]) -> None:
        """An `always` or `unreachable` in the code, at this line, is broken."""
        if self.over:
            return
        runner = self.runner
        assert runner is not None
        task = runner.current
        assert task is not None
        if self.marks is None:
            self.marks = Marks()
        if self.marks.is_new(task.path, name):
            self.emit(BROKEN, broken_data(property_, name, self.locator.text(code, line) or "", values))
            self.marks.violations.append((name, broken_violation(self.events[-1])))

    @property
    def emitted(self) -> list[Event]:
        """The events of the scenario itself."""
        return self.events if self.marks is None else [each for each in self.events if each.kind != BROKEN]

    def place(self) -> tuple[int, str, int]:
        """(virtual ns, task, step) of the step in progress, for log lines."""
        assert self.runner is not None
        task = self.runner.current
        return (self.runner.now_ns(), "" if task is None else task.display, 0 if task is None else task.number)
