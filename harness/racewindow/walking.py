"""From a schedule to an execution that can be looked at step by step: run once, with a recorder that watches."""

from __future__ import annotations

from collections.abc import Sequence

from racewindow.causal_story import violating_step
from racewindow.events import Event
from racewindow.failure import Execution
from racewindow.report_failure import headline
from racewindow.runtime.execution import Environment
from racewindow.runtime.recorder import display_names
from racewindow.runtime.watchdog import Watchdog
from racewindow.runtime.watching import WatchingRecorder
from racewindow.schedule import Schedule
from racewindow.session import Session
from racewindow.settings import Target, settings_of
from racewindow.stepping import Moment, Other, Walk, events_by_step, failing_step
from racewindow.strategy import Picker
from racewindow.tracked_values import parts_of


def walk_of(target: Target, schedule: Schedule) -> tuple[Walk, Execution]:
    """Follow a schedule, and keep what is to be seen of each step. Raises as `racewindow.replay` does."""
    settings = settings_of(target, schedule)
    recorders: list[WatchingRecorder] = []
    with Watchdog(settings.step_timeout) as watchdog, Environment(footprints=True):
        session = Session(settings, watchdog)

        def watching(_: Picker) -> WatchingRecorder:
            recorders.append(WatchingRecorder(session.tables.keys, session.locator, parts_of))
            return recorders[-1]

        execution = session.replay(schedule, None, watching)
        if watchdog.interrupted:
            raise KeyboardInterrupt
    recorder = recorders[-1]  # the one before it, if there are two, saw a beginning that had to be run again
    events = events_by_step(execution.trace, execution.events)
    name, failure = settings.scenario.name, execution.failure
    wrong = None if failure is None else violating_step(settings, failure.identity, execution)
    walk = Walk(
        tuple(_moments(recorder, execution, events)),
        f"no failure in {name}" if failure is None else headline(failure, name),
        "" if failure is None else failure.message.partition("\n")[0],
        failing_step(execution, events, recorder.failed) if wrong is None else wrong,
    )
    return walk, execution


def _moments(recorder: WatchingRecorder, execution: Execution, events: Sequence[tuple[Event, ...]]) -> list[Moment]:
    tasks = [task for task, *_ in recorder.raw]
    tasks += [task for watched in recorder.watched for task, *_ in watched.others]
    names = display_names(tasks)
    return [
        Moment(
            step,
            watched.start,
            watched.source,
            tuple(Other(names[task.path], location, ready) for task, location, ready in watched.others),
            watched.changes,
            emitted,
        )
        for step, watched, emitted in zip(execution.trace.steps, recorder.watched, events, strict=True)
    ]
