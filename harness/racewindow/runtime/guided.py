"""The loop of a systematic search: a known prefix is repeated, then a guide says who steps, and everything is recorded.

`processes` semantics and virtual time. In the prefix nothing is decided, no predicate is asked and no footprint is
kept, which is what makes going back to the middle of an execution cheap.
"""

from __future__ import annotations

from math import inf
from typing import Final, Protocol

from racewindow.errors import DivergenceError
from racewindow.runtime.loop import BLOCKED, FINISHED, LIMIT, Decide
from racewindow.runtime.passing import expire, pass_time, pass_time_on_record, sort_tail, wakes_the_idle
from racewindow.runtime.recording import RECORDING
from racewindow.runtime.runner import SimRunner
from racewindow.runtime.step import holds, take_step, wake_waiter
from racewindow.runtime.task import SimTask
from racewindow.runtime.trail_recorder import TrailRecorder
from racewindow.trail import CLOCK_TASK

CUT: Final = "cut"
SPINNING: Final = "spinning"
"""Ends besides those of the other loops: the guide did not want to go on; all that can run are tasks that spin.

A task spins if it has looked twice, with nothing changed and nobody told, and stands where it stood. It would do the
same again, so it is not offered until something that it has read is written: a rule for searches, in which a loop
without an end would hide all that comes after it. Those who ask a picker, and replays, let it spin.
"""


class Guide(Protocol):
    """Leads one execution."""

    def pick(self, runnable: list[SimTask], *, may_advance: bool, last: SimTask | None) -> SimTask | int | None:
        """Who steps next: a task, CLOCK_TASK to let time pass (offered if `may_advance`), or None to end here.

        Also asked when there is nothing to choose, and when there is nobody: all who can run spin.
        """

    def stepped(self, task: int, codes: tuple[int, ...], choices: tuple[int, ...], *, barrier: bool) -> None:
        """What the step that it has picked has done; `barrier`: time has passed because nothing could run."""


def run_guided(runner: SimRunner, guide: Guide, steps_max: int, *, racing: bool) -> str:
    """One execution; returns how it ended. Raises DivergenceError if the prefix cannot be repeated."""
    recorder = runner.recorder
    assert isinstance(recorder, TrailRecorder)
    runner.racing = racing
    if racing:
        runner.lean_sleep = False  # see DecidedLoop
    last = _repeat(runner, recorder)
    runq, tasks = runner.runq, runner.tasks
    while True:
        if runner.due:
            runner.due = False
            expire(runner, runner.now)
        runnable = runq.copy()
        if runner.waiting:
            runnable += [task for task in runner.waiting if holds(task)]
        may_advance = racing and runner.deadlines.next_deadline() < inf
        if not runnable and (not may_advance or wakes_the_idle(runner)):
            if not runner.tasks:
                return FINISHED
            if not pass_time_on_record(runner):
                return BLOCKED
            _tell(guide, recorder)
            continue
        if recorder.parked:
            runnable = [task for task in runnable if task.tid not in recorder.parked]
        picked = guide.pick(runnable, may_advance=may_advance, last=last)
        if picked is None:
            return CUT if runnable or may_advance else SPINNING
        if not isinstance(picked, SimTask):
            _advance(runner, recorder)
            _tell(guide, recorder)
            continue
        last = picked
        if picked.predicate is not None:
            wake_waiter(runner, picked)
        else:
            runq[runq.index(picked)] = runq[-1]  # in the order in which the general loop would have it
            runq.pop()
        before = len(runq)
        recorder.begin(picked)
        try:
            take_step(runner, picked)
        finally:  # also of a step that did not come back: it was begun, and the guide has to be able to repeat that
            recorder.end(picked, 0, picked not in tasks)
            row = recorder.rows[-1]
            guide.stepped(row[0], row[4], row[5], barrier=False)
        if len(runq) - before > 1:
            sort_tail(runq, before)
        runner.step_serial += 1
        if runner.step_serial >= steps_max:
            return LIMIT if runner.tasks else FINISHED


class AskingGuide:
    """Lets a picker decide, as the general loop would."""

    def __init__(self, pick_task: Decide) -> None:
        self._pick_task = pick_task
        self._advances = 0

    def pick(self, runnable: list[SimTask], *, may_advance: bool, last: SimTask | None) -> SimTask | int:
        """Asks only where there is something to choose."""
        index = 0
        if len(runnable) + may_advance > 1:
            index = self._pick_task(runnable, may_advance=may_advance, last=last, advances=self._advances)
        return CLOCK_TASK if index == len(runnable) else runnable[index]

    def stepped(self, task: int, codes: tuple[int, ...], choices: tuple[int, ...], *, barrier: bool) -> None:
        """Counts how often the clock has advanced since the last step of a task."""
        del codes, choices, barrier
        self._advances = self._advances + 1 if task == CLOCK_TASK else 0


def _tell(guide: Guide, recorder: TrailRecorder) -> None:
    row = recorder.rows[-1]
    guide.stepped(row[0], row[4], row[5], barrier=row[7])


def _repeat(runner: SimRunner, recorder: TrailRecorder) -> SimTask | None:
    """Take the steps of the prefix again. Half of a search is spent here, so what belongs to a step stands in a row."""
    RECORDING.accesses, runner.recording = None, False
    runq, tasks = runner.runq, recorder.by_number
    last: SimTask | None = None
    for stride in recorder.prefix:
        if runner.due:
            runner.due = False
            expire(runner, runner.now)
        number = stride.task
        if number == CLOCK_TASK:
            if not stride.barrier:
                _advance(runner, recorder)
                continue
            recorder.current = recorder.clock
            if not pass_time(runner):
                raise _diverged(recorder, number)
            recorder.repeated(recorder.clock, stride)
            continue
        try:
            task = tasks[number]
            if task.predicate is not None:
                wake_waiter(runner, task)
            else:
                runq.remove(task)  # the others may stand in any order: a guide that repeats steps goes by numbers
        except (KeyError, ValueError):
            raise _diverged(recorder, number) from None
        before = len(runq)
        recorder.current = last = task
        task.waited_for = None
        try:
            take_step(runner, task)
        finally:
            recorder.repeated(task, stride)
        if len(runq) - before > 1:
            sort_tail(runq, before)
        runner.step_serial += 1
    RECORDING.accesses, runner.recording = recorder, True
    return last


def _advance(runner: SimRunner, recorder: TrailRecorder) -> None:
    """The racing clock moves to the next deadline."""
    recorder.begin_clock()
    runner.now = max(runner.now, runner.deadlines.next_deadline())
    expire(runner, runner.now)
    recorder.end_clock(runner, barrier=False)


def _diverged(recorder: TrailRecorder, number: int) -> DivergenceError:
    path = recorder.tables.tasks.paths[number]
    return DivergenceError(
        f"The search could not repeat its own steps: {path} cannot step after {recorder.index} of them.",
        why="the program does not do the same under the same decisions.",
        do="look for state that outlives an execution, and for what is random by itself.",
    )
