"""racewindow: finds race conditions in maintenance windows before the window opens.

Real trio code runs unmodified under a loop that chooses which task steps next. `explore` runs a program under many
orders of events, `replay` runs one of them again, `shrink` makes a failure small, `run` is a drop-in for `trio.run`.
Names are loaded when they are first used, so that `racewindow --help` does not wait for trio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from racewindow.budget import Progress, ShrinkProgress
    from racewindow.checkers import Checker, FunctionChecker, History, Judgement, Verdict, Violation, checker
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
    from racewindow.explorer import explore, replay, shrink
    from racewindow.failure import Execution, Failure, Shrunk, Size
    from racewindow.result import Result
    from racewindow.running import run
    from racewindow.runtime.access import choose
    from racewindow.scenarios import Scenario, Simulation, scenario
    from racewindow.schedule import Deviation, Schedule
    from racewindow.tracking import Cell, TrackedDict, TrackedList, tracked, until

__all__ = [
    "Cell",
    "Checker",
    "Deviation",
    "DivergenceError",
    "Event",
    "Execution",
    "ExplorationFailed",
    "Failure",
    "FunctionChecker",
    "History",
    "InputError",
    "Judgement",
    "Progress",
    "RacewindowError",
    "RealIOError",
    "RealThreadError",
    "Result",
    "Scenario",
    "Schedule",
    "ShrinkProgress",
    "Shrunk",
    "Simulation",
    "Size",
    "TrackedDict",
    "TrackedList",
    "UsageError",
    "Verdict",
    "Violation",
    "checker",
    "choose",
    "explore",
    "replay",
    "run",
    "scenario",
    "shrink",
    "tracked",
    "until",
]

_HOMES = {
    "racewindow.checkers": "Checker FunctionChecker History Judgement Verdict Violation checker",
    "racewindow.errors": (
        "DivergenceError ExplorationFailed InputError RacewindowError RealIOError RealThreadError UsageError"
    ),
    "racewindow.events": "Event",
    "racewindow.budget": "Progress ShrinkProgress",
    "racewindow.explorer": "explore replay shrink",
    "racewindow.failure": "Execution Failure Shrunk Size",
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
