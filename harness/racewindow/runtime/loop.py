"""The general loop: any decision function, both semantics, both clocks, instruments and recording."""

from __future__ import annotations

from math import inf
from typing import Final, Protocol

from racewindow._trio_internals import GLOBAL_RUN_CONTEXT
from racewindow.runtime.passing import answer_outside, expire, pass_time, pass_time_on_record, sort_tail, wakes_the_idle
from racewindow.runtime.runner import SimRunner
from racewindow.runtime.step import holds, take_step, wake_waiter
from racewindow.runtime.task import SimTask

FINISHED: Final = "finished"
BLOCKED: Final = "blocked"
LIMIT: Final = "limit"
"""How a loop ends: all tasks ended; some are left and none can ever run; the step limit was reached."""


class Decide(Protocol):
    """Chooses among the tasks that may step next, and letting time pass."""

    def __call__(self, candidates: list[SimTask], *, may_advance: bool, last: SimTask | None, advances: int) -> int:
        """Index of a candidate, or `len(candidates)` to let time pass, which is offered if `may_advance`.

        `last`: the task that took the previous step; `advances`: clock advances since.
        """


class DecidedLoop:
    """One run of the general loop.

    `batches`: trio's rule, under which every task runnable at the start of a batch steps once before any other.
    `racing`: time may pass at any decision, not only when nothing can run.
    """

    def __init__(self, runner: SimRunner, decide: Decide, *, batches: bool, racing: bool, steps_max: int) -> None:
        self.runner, self.decide, self.steps_max = runner, decide, steps_max
        self.batches, self.racing = batches, racing
        runner.racing = racing
        if racing:
            # A cancelled sleep of trio's own keeps its deadline until its task has run, and the clock may go there.
            runner.lean_sleep = False
        self.batch: list[SimTask] = []
        self.opened: list[SimTask] = []  # of the batch: those that came from `until`
        self.last: SimTask | None = None
        self.advances = 0
        self._answers: dict[SimTask, tuple[object, int, float, bool]] = {}

    def run(self) -> str:
        """Step until an end; returns how it ended."""
        runner = self.runner
        while True:
            if not self.batch:
                self._between_batches()
            candidates = self._candidates()
            if not candidates:
                if self.batches and (runner.runq or self._open_waiters()):
                    continue
                if not runner.tasks:
                    return FINISHED
                if not self._pass_time():
                    return BLOCKED
                self.advances += 1
                continue
            task = self._choose(candidates)
            if task is None:
                self._advance_racing()
                continue
            self._step(task)
            if runner.step_serial >= self.steps_max:
                return LIMIT if runner.tasks else FINISHED

    def _between_batches(self) -> None:
        """What trio does once per loop iteration: deadlines, callbacks, a new batch. `processes`: before every step."""
        runner = self.runner
        runq, before = runner.runq, len(runner.runq)
        if runner.woken_from_outside:
            answer_outside(runner)
        if runner._instruments is not None:
            self._announce_io_wait()
        runner.deadlines.expire(runner.clock_seconds())
        sort_tail(runq, before)
        if self.batches:
            self.opened = self._open_waiters()
            self.batch = [*runq, *self.opened]
            runq.clear()

    def _announce_io_wait(self) -> None:
        instruments = self.runner._instruments
        assert instruments is not None
        GLOBAL_RUN_CONTEXT.__dict__.pop("task", None)  # no step is in progress
        for name in ("before_io_wait", "after_io_wait"):
            if name in instruments.data:
                instruments.call(name, 0)

    def _open_waiters(self) -> list[SimTask]:
        return [task for task in self.runner.waiting if self._holds(task)] if self.runner.waiting else []

    def _holds(self, task: SimTask) -> bool:
        """Whether the predicate holds; asked again only after a write to tracked state, or when time has passed."""
        state = (task.predicate, self.runner.version, self.runner.now)
        *asked, answer = self._answers.get(task, (None, 0, 0.0, False))
        if tuple(asked) != state:
            answer = holds(task)
            self._answers[task] = (*state, answer)
        return answer

    def _candidates(self) -> list[SimTask]:
        if not self.batches:
            return [*self.runner.runq, *self._open_waiters()]
        if self.runner.vanished:
            self.batch = [task for task in self.batch if task in self.runner.tasks]
        # A task in `until` may have been closed again meanwhile, or cancelled: then it is queued for the next batch.
        self.batch = [t for t in self.batch if (self._holds(t) if t.predicate is not None else t not in self.opened)]
        return self.batch

    def _choose(self, candidates: list[SimTask]) -> SimTask | None:
        runner = self.runner
        deadline = runner.deadlines.next_deadline() if self.racing else inf
        # In batches deadlines strike between them only: once the clock is at one, moving it again would change nothing.
        may_advance = deadline < inf and (not self.batches or runner.now < deadline)
        index = 0
        if len(candidates) + may_advance > 1:
            index = self.decide(candidates, may_advance=may_advance, last=self.last, advances=self.advances)
        if index == len(candidates):
            return None
        task = candidates[index]
        if task.predicate is not None:
            wake_waiter(runner, task)
            if self.batches:
                self.batch.remove(task)
            return task
        queue = self.batch if self.batches else runner.runq
        queue[index] = queue[-1]
        queue.pop()
        return task

    def _pass_time(self) -> bool:
        runner = self.runner
        if not runner.recording:
            return pass_time(runner)
        # A racing clock that goes to a deadline could have done so before, though now nothing else can run.
        return pass_time_on_record(runner, barrier=not self.racing or wakes_the_idle(runner))

    def _advance_racing(self) -> None:
        runner = self.runner
        if runner.recording:
            runner.recorder.begin_clock()
        runner.now = max(runner.now, runner.deadlines.next_deadline())
        if not self.batches:
            expire(runner, runner.now)
        if runner.recording:
            runner.recorder.end_clock(runner, barrier=False)
        self.advances += 1

    def _step(self, task: SimTask) -> None:
        runner = self.runner
        instruments = runner._instruments.data if runner._instruments is not None else {}
        if "before_task_step" in instruments:
            GLOBAL_RUN_CONTEXT.task = task  # instruments may ask for it
            runner._instruments.call("before_task_step", task)  # type: ignore[union-attr]
        before = len(runner.runq)
        if runner.recording:
            recorder = runner.recorder
            assert recorder is not None
            recorder.begin(task)
            try:
                take_step(runner, task)
            finally:
                recorder.end(task, runner.now_ns(), exited=task not in runner.tasks)
        else:
            take_step(runner, task)
        if "after_task_step" in instruments:
            runner._instruments.call("after_task_step", task)  # type: ignore[union-attr]
        sort_tail(runner.runq, before)
        self.last, self.advances = task, 0
        runner.step_serial += 1


def default_index(candidates: list[SimTask], last: SimTask | None) -> int:
    """Option 0: the task that stepped last if it can go on, else the one with the lowest path."""
    if last is not None and last in candidates:
        return candidates.index(last)
    return min(range(len(candidates)), key=lambda index: candidates[index].order)
