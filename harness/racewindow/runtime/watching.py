"""A recorder that also keeps what a person wants to see of each step: where it began, who else could run, what changed.

It costs time with every step and is made for one execution that somebody looks at; exploration never uses it.
"""

from __future__ import annotations

import linecache
import textwrap
from collections.abc import Callable, Iterable
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

import outcome
import trio

from racewindow.footprint import KeyTable
from racewindow.plain import one_line, plain
from racewindow.runtime.diagnosis import flatten
from racewindow.runtime.location import Locator, await_frames
from racewindow.runtime.recorder import Recorder
from racewindow.runtime.step import holds

if TYPE_CHECKING:
    from racewindow.runtime.task import SimTask

PartsOf = Callable[[Any], Iterable[tuple[str, object]]]
"""The parts of a tracked object, each with its value: what comes behind the object's name, "" for a cell."""


class Watched(NamedTuple):
    """What the footprint of a step does not say.

    `start`: location of the statement that it began with, "" for code that is not the user's; `source`: the lines from
    there to where it ended, each with its number, only the first if it ended elsewhere, none if they cannot be read.
    `others`: every other task that was there, where it stood, and whether it could have run. `changes`: parts of
    tracked state whose value is another one since, by name; None for one that is gone.
    """

    start: str
    source: tuple[str, ...]
    others: tuple[tuple[SimTask, str, bool], ...]
    changes: tuple[tuple[str, str | None], ...]


class WatchingRecorder(Recorder):
    """See the module's docstring. `failed`: index of the step that raised what main ended with, or None."""

    __slots__ = (
        "_before",
        "_parts_of",
        "_pending",
        "_shown",
        "_start",
        "_things",
        "_version",
        "failed",
        "watched",
    )

    def __init__(self, table: KeyTable, locator: Locator, parts_of: PartsOf) -> None:
        super().__init__(table, locator)
        self.watched: list[Watched] = []
        self.failed: int | None = None
        self._parts_of = parts_of
        self._things: list[tuple[str, object]] = []
        self._shown: dict[str, str] = {}
        self._version = -1
        self._pending: dict[int, int] = {}  # address of an exception that is under way -> index of its step
        self._start: tuple[CodeType, int] | None = None  # no frame, no exception is held: that could be seen
        self._before: tuple[str, tuple[tuple[SimTask, str, bool], ...]] = ("", ())

    def made(self, name: str, thing: object) -> None:
        """The step in progress makes a tracked object."""
        self._things.append((name, thing))
        self._version = -1

    def begin(self, task: SimTask) -> None:
        """A step begins: who is where, before anything happens."""
        start = self._frame(task)
        self._start = None if start is None else (start.f_code, self._line(start.f_code, start.f_lineno))
        text = self._text(start)
        del start
        runner = task._runner
        others = tuple(
            (
                other,
                self._text(self._frame(other)),
                other in runner.runq or (other in runner.waiting and holds(other)),
            )
            for other in runner.tasks
            if other is not task and other.path.startswith("main")
        )
        self._before = (text, others)
        super().begin(task)

    def end(self, task: SimTask, now_ns: int, exited: bool) -> None:  # noqa: FBT001  # as in the base
        """It is over: what it has changed, and what it has raised."""
        super().end(task, now_ns, exited)
        start, others = self._before
        raised = self._raised(task)
        source = self._source(task, raised, exited=exited)
        self.watched.append(Watched(start, source, others, self._changes(task)))

    def finish(self, runner: Any) -> None:
        """The execution is over: which of all that was raised has reached its end."""
        super().finish(runner)
        found = [self._pending[id(leaf)] for leaf in _raised_by_main(runner) if id(leaf) in self._pending]
        self.failed = min(found, default=None)

    def _raised(self, task: SimTask) -> list[BaseException]:
        """The exceptions that are under way since this step."""
        runner = task._runner
        leaves = _raised_by_main(runner)
        for nursery in dict.fromkeys(nursery for each in (*runner.tasks, task) for nursery in _nurseries_of(each)):
            leaves += [leaf for error in nursery._pending_excs for leaf in flatten(error)]
        new = [leaf for leaf in leaves if id(leaf) not in self._pending]
        self._pending = {id(leaf): self._pending.get(id(leaf), len(self.watched)) for leaf in leaves}
        return new

    def _frame(self, task: SimTask) -> FrameType | None:
        """The innermost frame of the user's own code."""
        return next((frame for frame in reversed(await_frames(task.coro)) if self._text(frame)), None)

    def _text(self, frame: FrameType | None) -> str:
        return "" if frame is None else self.locator.text(frame.f_code, frame.f_lineno) or ""

    def _line(self, code: CodeType, line: int) -> int:
        """The first line of the statement, as a location has it."""
        return int((self.locator.text(code, line) or ":0").partition(" ")[0].rpartition(":")[2])

    def _source(self, task: SimTask, raised: list[BaseException], *, exited: bool) -> tuple[str, ...]:
        """The lines of the step, if it has come further down in the function that it began in."""
        end = None if exited else self._frame(task)
        if self._start is not None:
            code, first = self._start
        elif end is not None and self.number == 0:  # of a scenario, which is called by a function of ours
            code, first = end.f_code, end.f_code.co_firstlineno
        else:
            return ()
        last = first
        if raised:
            last = max((self._line(code, line) for leaf in raised for line in _lines_in(code, leaf)), default=first)
        elif exited and code is getattr(task.coro, "cr_code", None):
            last = max(line for *_, line in code.co_lines() if line is not None)
        elif end is not None and end.f_code is code:
            last = self._line(code, end.f_lineno)
        lines = linecache.getlines(code.co_filename)[first - 1 : max(first, last)]
        shown = textwrap.dedent("".join(lines)).splitlines()
        return tuple(f"{number:>4}  {line}" for number, line in enumerate(shown, first) if line.strip())

    def _changes(self, task: SimTask) -> tuple[tuple[str, str | None], ...]:
        version = task._runner.version
        if version == self._version:
            return ()
        self._version = version
        now = {
            f"{name}{part}": one_line(plain(value)) for name, it in self._things for part, value in self._parts_of(it)
        }
        changes: dict[str, str | None] = {name: text for name, text in now.items() if self._shown.get(name) != text}
        changes |= dict.fromkeys(name for name in self._shown if name not in now)
        self._shown = now
        return tuple(changes.items())


def _nurseries_of(task: SimTask) -> list[trio.Nursery]:
    """Those in which an exception of the task is kept, until all of their children have ended."""
    around = task._parent_nursery
    return [*task._child_nurseries, *([around] if isinstance(around, trio.Nursery) else [])]


def _raised_by_main(runner: Any) -> list[BaseException]:
    """The exceptions with which main has ended."""
    ended = runner.main_task_outcome
    return flatten(ended.error) if isinstance(ended, outcome.Error) else []


def _lines_in(code: CodeType, error: BaseException) -> list[int]:
    """The lines of one function that an exception came through."""
    lines: list[int] = []
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code is code:
            lines.append(step.tb_lineno)
        step = step.tb_next
    return lines
