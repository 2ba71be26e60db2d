"""A constraint that names no step is refused before anything is explored under it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import replace

from racewindow.constraints import Before, Moment
from racewindow.errors import UsageError
from racewindow.moments import Stop, stops_of
from racewindow.runtime.execution import Environment
from racewindow.runtime.watchdog import Watchdog
from racewindow.session import Session
from racewindow.settings import Settings
from racewindow.strategies.random_walk import RandomWalk
from racewindow.strategies.replay import ReplayPicker
from racewindow.strategy import Picker

_LOOK_AROUND = 20
"""Random walks, besides the default order, in which a constraint's moments have to be seen."""
_SHOWN = 3


def check_constraints(settings: Settings) -> None:
    """Raise UsageError if a constraint names a step that no execution seems to have."""
    if not settings.constraints:
        return
    wanted = {moment for each in settings.constraints for moment in (each.first, each.then)}
    seen: dict[Stop, None] = {}
    free = replace(settings, constraints=())
    with Watchdog(settings.step_timeout) as watchdog, Environment(footprints=True):
        session = Session(free, watchdog)
        walk = RandomWalk(settings.seed)
        pickers: list[Picker] = [
            ReplayPicker(free.schedule(())),
            *(walk.start(number) for number in range(_LOOK_AROUND)),
        ]
        for picker in pickers:
            stops = stops_of(session.record(picker).trace)
            seen |= dict.fromkeys(stops)
            wanted = {moment for moment in wanted if not any(stop.is_at(moment) for stop in stops)}
            if not wanted:
                return
            if watchdog.interrupted:
                raise KeyboardInterrupt
    raise _names_nothing(settings.constraints, wanted, seen)


def _names_nothing(constraints: Iterable[Before], missing: set[Moment], seen: Iterable[Stop]) -> UsageError:
    constraint, moment = next((c, m) for c in constraints for m in (c.first, c.then) if m in missing)
    of_task = [stop for stop in seen if moment.is_of(stop.name, stop.task)]
    if of_task:
        known = dict.fromkeys(str(stop.moment) for stop in of_task)
        ends = {f"{stop.name} ends": None for stop in of_task if stop.last}
        near = difflib.get_close_matches(str(moment), [*known, *ends], _SHOWN, 0.3) or [*known][:_SHOWN]
        why = f"{of_task[0].name} was not seen to come there."
    else:
        names = dict.fromkeys(stop.name for stop in seen)
        near = difflib.get_close_matches(moment.task, names, _SHOWN, 0.3) or [*names][:_SHOWN]
        why = f"there is no task {moment.task!r}."
    return UsageError(
        f"the constraint {str(constraint)!r} names no step: {moment}.",
        why=f"in {1 + _LOOK_AROUND} executions {why}",
        do=f"use one of: {'; '.join(near)}.",
    )
