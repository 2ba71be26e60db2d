"""racewindow: finds race conditions in maintenance windows before the window opens.

Real trio code runs unmodified under a loop that chooses which task steps next. `explore` runs a program under many
orders of events, `replay` runs one of them again, `run` is a drop-in for `trio.run`. Names are loaded when they are
first used, so that `racewindow --help` does not wait for trio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from racewindow.budget import Progress
    from racewindow.checkers import Checker, FunctionChecker, History, Judgement, Verdict, Violation, checker
    from racewindow.constraints import Before, Moment, before
    from racewindow.errors import (
        DivergenceError,
        ExplorationFailed,
        InputError,
        RacewindowError,
        RealIOError,
        RealThreadError,
        UsageError,
    )
    from racewindow.events import Event
    from racewindow.explainer import explain
    from racewindow.explanation import Explanation
    from racewindow.explorer import explore, replay
    from racewindow.failure import Execution, Failure
    from racewindow.result import Result
    from racewindow.running import run
    from racewindow.runtime.access import choose
    from racewindow.scenarios import Scenario, Simulation, scenario
    from racewindow.schedule import Deviation, Schedule
    from racewindow.tracking import Cell, TrackedDict, TrackedList, tracked, until

__all__ = [
    "Before",
    "Cell",
    "Checker",
    "Deviation",
    "DivergenceError",
    "Event",
    "Execution",
    "Explanation",
    "ExplorationFailed",
    "Failure",
    "FunctionChecker",
    "History",
    "InputError",
    "Judgement",
    "Moment",
    "Progress",
    "RacewindowError",
    "RealIOError",
    "RealThreadError",
    "Result",
    "Scenario",
    "Schedule",
    "Simulation",
    "TrackedDict",
    "TrackedList",
    "UsageError",
    "Verdict",
    "Violation",
    "before",
    "checker",
    "choose",
    "explain",
    "explore",
    "replay",
    "run",
    "scenario",
    "tracked",
    "until",
]

_HOMES = {
    "racewindow.checkers": "Checker FunctionChecker History Judgement Verdict Violation checker",
    "racewindow.constraints": "Before Moment before",
    "racewindow.errors": (
        "DivergenceError ExplorationFailed InputError RacewindowError RealIOError RealThreadError UsageError"
    ),
    "racewindow.events": "Event",
    "racewindow.budget": "Progress",
    "racewindow.explainer": "explain",
    "racewindow.explanation": "Explanation",
    "racewindow.explorer": "explore replay",
    "racewindow.failure": "Execution Failure",
    "racewindow.result": "Result",
    "racewindow.running": "run",
    "racewindow.runtime.access": "choose",
    "racewindow.scenarios": "Scenario Simulation scenario",
    "racewindow.schedule": "Deviation Schedule",
    "racewindow.tracking": "Cell TrackedDict TrackedList tracked until",
}


def __getattr__(name: str) -> object:
    import importlib  # loading late is what this function is for

    for module, names in _HOMES.items():
        if name in names.split():
            # `racewindow.scenario` is a function and a module: whichever is imported last would win, so set all names.
            found = importlib.import_module(module)
            for each in names.split():
                globals()[each] = getattr(found, each)
            return globals()[name]
    msg = f"module 'racewindow' has no attribute {name!r}"
    raise AttributeError(msg)
