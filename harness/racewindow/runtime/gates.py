"""Ordering constraints, enforced: a task stands at a gate until the step that opens it has been taken.

A gate is state that is tracked, like a cell: the step that opens it adds to it, and the step that waits for it looks at
it, so every strategy and every search respects it without knowing of it. Gates stand at the two queues through which a
task comes to its next step, the runnable ones and those in `until`. Without constraints there are none of these queues,
and nothing here is ever called.

A task that comes to a gate first takes a step of its own in which it only finds itself there, as a wait written into
the program at that place would (`Held`); then it is enabled while all its gates are open. It goes on with what it was
sent, and cannot be cancelled meanwhile: to trio it is a runnable task whose turn does not come. A task that waits in
`until` already goes on when its state holds and its gates are open, in one step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

from racewindow.constraints import AT, ENDS, Before, Moment
from racewindow.footprint import ADD_CODE, READ_CODE
from racewindow.runtime.location import Locator, suspended_at
from racewindow.runtime.patches import Held
from racewindow.runtime.runner import SimRunner
from racewindow.runtime.task import HeldStep, SimTask, held_steps


class Gate:
    """One constraint of one execution."""

    __slots__ = ("_key", "_runner", "constraint", "is_open")

    def __init__(self, runner: SimRunner, constraint: Before) -> None:
        self.constraint, self.is_open, self._runner = constraint, False, runner
        self._key = runner.recorder.table.number(f"constraint: {constraint}") if runner.naming else 0

    def open(self) -> None:
        """The step in progress is the one that the constraint wants first."""
        runner = self._runner
        runner.version += 1
        if runner.recording:
            runner.recorder.footprint[self._key * 3 + ADD_CODE] = None
        self.is_open = True

    def look(self) -> bool:
        """Whether that step has been taken."""
        runner = self._runner
        if runner.recording:
            runner.recorder.footprint[self._key * 3 + READ_CODE] = None
        return self.is_open


class Waiting:
    """The predicate of a task at some gates: they are open, and what it waits for besides holds."""

    __slots__ = ("gates", "rest")

    def __init__(self, gates: Sequence[Gate], rest: Callable[[], object] | None = None) -> None:
        self.gates, self.rest = gates, rest

    def __call__(self) -> bool:
        """Whether the task may go on."""
        return all(gate.look() for gate in self.gates) and (self.rest is None or bool(self.rest()))

    def held_by(self, besides: Collection[Before]) -> tuple[str, ...]:
        """The constraints that are not met."""
        unmet = (gate.constraint for gate in self.gates if not gate.is_open)
        return tuple(str(each) for each in unmet if each not in besides)


class _Progress:
    """How far one task has come, and what its next step is to the gates."""

    __slots__ = ("entrances", "entries", "exits", "opens", "place_counts", "places", "point", "steps", "waits")

    def __init__(self, task: SimTask, gates: Sequence[Gate]) -> None:
        display, path = task.display, task.path
        self.entries: list[tuple[Gate, Moment]] = []  # gates that a step of this task may open
        self.exits: list[Gate] = []  # gates that its last step opens
        self.entrances: list[tuple[Gate, Moment]] = []  # gates that it may have to wait at
        for gate in gates:
            first, then = gate.constraint.first, gate.constraint.then
            if first.is_of(display, path):
                if first.kind == ENDS:
                    self.exits.append(gate)
                else:
                    self.entries.append((gate, first))
            if then.is_of(display, path):
                self.entrances.append((gate, then))
        self.places = any(moment.kind == AT for _, moment in (*self.entries, *self.entrances))
        self.place_counts: Counter[str] = Counter()
        self.point = -1  # trio's count of its scheduling points when it came to its next step
        self.steps = 0
        self.opens: list[Gate] = []
        self.waits: list[Gate] = []

    def come(self, task: SimTask, locator: Locator) -> None:
        """The task comes to its next step; a cancelled wait comes to the same one again."""
        if task._schedule_points == self.point:
            return
        self.point, number = task._schedule_points, self.steps
        self.steps += 1
        place = suspended_at(task.coro, locator) if self.places and number else ""
        self.place_counts[place] += 1
        times = self.place_counts[place]
        self.opens = [gate for gate, moment in self.entries if moment.is_step(number, place, times)]
        self.waits = [gate for gate, moment in self.entrances if moment.is_step(number, place, times)]


class Gates:
    """All gates of one execution."""

    def __init__(self, runner: SimRunner, constraints: Sequence[Before], locator: Locator) -> None:
        self._runner, self._locator = runner, locator
        self._gates = [Gate(runner, each) for each in constraints]
        self._tasks: dict[SimTask, _Progress] = {}

    def come(self, task: SimTask) -> _Progress:
        """A task comes to its next step."""
        progress = self._tasks.get(task)
        if progress is None:
            progress = self._tasks[task] = _Progress(task, self._gates)
        if progress.entries or progress.entrances or progress.exits:
            progress.come(task, self._locator)
        return progress

    def runnable(self, task: SimTask) -> None:
        """A task has become runnable, and its next step is set up."""
        progress = self.come(task)
        self.watch(task, progress)
        if progress.waits:
            self._stop(task, progress)

    def watch(self, task: SimTask, progress: _Progress) -> None:
        """Have its next step open what it opens."""
        opens, exits, send = progress.opens, progress.exits, task._next_send_fn
        if not (opens or exits):
            return

        def step(value: Any) -> Any:
            for gate in opens:
                gate.open()
            try:
                return send(value)
            except BaseException:  # StopIteration in most cases: the task has ended
                for gate in exits:
                    gate.open()
                raise

        task._next_send_fn = step

    def _stop(self, task: SimTask, progress: _Progress) -> None:
        """Put a step before its next one, in which it finds itself at a gate."""
        runner, send, value = self._runner, task._next_send_fn, task._next_send
        gates, progress.waits = progress.waits, []

        def stop(_: object) -> type[Held]:
            task._next_send_fn, task._next_send = send, value
            task.held = (*held_steps(task), HeldStep(task.number, tuple(gate.constraint for gate in gates)))
            progress.point = task._schedule_points + 1  # it will stand where it stands now
            runner.until_predicate = Waiting(gates)
            runner.effects += 1  # it does not spin
            return Held

        task._next_send_fn, task._next_send = stop, None

    def waiting(self, task: SimTask) -> None:
        """A task has come into `until`, or has been stopped at a gate."""
        if isinstance(task.predicate, Waiting):
            return
        progress = self.come(task)
        if progress.waits:
            task.predicate = Waiting(progress.waits, task.predicate)

    def awake(self, task: SimTask) -> None:
        """A task has left `until`; set up to step, unless it was cancelled."""
        if task._next_send_fn == task.coro.send:  # else it is watched already, or not to go on
            self.watch(task, self._tasks[task])


class _Runnable(list[SimTask]):
    """The runnable tasks of an execution with gates."""

    def __init__(self, gates: Gates) -> None:
        super().__init__()
        self._gates = gates

    def append(self, task: SimTask) -> None:
        """A task becomes runnable."""
        self._gates.runnable(task)
        super().append(task)


class _InUntil(list[SimTask]):
    """The waiting tasks of one."""

    def __init__(self, gates: Gates) -> None:
        super().__init__()
        self._gates = gates

    def append(self, task: SimTask) -> None:
        """A task begins to wait."""
        self._gates.waiting(task)
        super().append(task)

    def remove(self, task: SimTask) -> None:
        """A task goes on."""
        super().remove(task)
        self._gates.awake(task)


def put_gates(runner: SimRunner, constraints: Sequence[Before], locator: Locator) -> None:
    """Enforce constraints in an execution that has not begun; nothing is changed if there are none."""
    if constraints:
        assert not runner.tasks
        gates = Gates(runner, constraints, locator)
        runner.runq, runner.waiting = _Runnable(gates), _InUntil(gates)


def held_by(task: SimTask, besides: Collection[Before] = ()) -> tuple[str, ...]:
    """The constraints that keep a task from going on, besides some."""
    predicate = task.predicate
    return predicate.held_by(besides) if isinstance(predicate, Waiting) else ()
