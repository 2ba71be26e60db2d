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
    from racewindow.composing import compose
    from racewindow.constraints import Before, Moment, before
    from racewindow.display import Chart, Consequence, Display, Mark, Point, Series
    from racewindow.errors import (
        CallError,
        CallTimedOutError,
        CommitFailedError,
        ConnectionLostError,
        DivergenceError,
        ExplorationFailed,
        InputError,
        RacewindowError,
        RealIOError,
        RealThreadError,
        StoreError,
        TransactionAbortedError,
        UsageError,
    )
    from racewindow.events import Event
    from racewindow.explainer import explain
    from racewindow.explanation import Explanation
    from racewindow.explorer import explore, replay, shrink
    from racewindow.failure import Execution, Failure, Shrunk, Size
    from racewindow.fault_parameters import fault_parameter
    from racewindow.fault_shapes import (
        Call,
        CallFault,
        ClockFault,
        ConfigFault,
        Link,
        StepFault,
        ValueFault,
        WriteFault,
    )
    from racewindow.faults import Fault, FaultPlan, FaultPoint, Process, parse_fault
    from racewindow.linearizability import Model, linearizable
    from racewindow.matrix_search import MatrixProgress, matrix
    from racewindow.operations import Operation
    from racewindow.plans import Plan, PlanFile, PlanMistake, PlanRow, PlanSystem
    from racewindow.properties import always, eventually, leads_to, sometimes, unreachable
    from racewindow.result import Result
    from racewindow.running import run
    from racewindow.runtime.access import choose, fault_point, offer_fault
    from racewindow.safeguard_matrix import Matrix
    from racewindow.scenarios import Scenario, Simulation, scenario
    from racewindow.schedule import Deviation, Schedule
    from racewindow.serializability import serializable
    from racewindow.services.network import Network
    from racewindow.services.supervisor import Instance, Supervisor
    from racewindow.signature import Parameter
    from racewindow.tracking import Cell, TrackedDict, TrackedList, tracked, until

__all__ = [
    "Before",
    "Call",
    "CallError",
    "CallFault",
    "CallTimedOutError",
    "Cell",
    "Chart",
    "Checker",
    "ClockFault",
    "CommitFailedError",
    "ConfigFault",
    "ConnectionLostError",
    "Consequence",
    "Deviation",
    "Display",
    "DivergenceError",
    "Event",
    "Execution",
    "Explanation",
    "ExplorationFailed",
    "Failure",
    "Fault",
    "FaultPlan",
    "FaultPoint",
    "FunctionChecker",
    "History",
    "InputError",
    "Instance",
    "Judgement",
    "Link",
    "Mark",
    "Matrix",
    "MatrixProgress",
    "Model",
    "Moment",
    "Network",
    "Operation",
    "Parameter",
    "Plan",
    "PlanFile",
    "PlanMistake",
    "PlanRow",
    "PlanSystem",
    "Point",
    "Process",
    "Progress",
    "RacewindowError",
    "RealIOError",
    "RealThreadError",
    "Result",
    "Scenario",
    "Schedule",
    "Series",
    "ShrinkProgress",
    "Shrunk",
    "Simulation",
    "Size",
    "StepFault",
    "StoreError",
    "Supervisor",
    "TrackedDict",
    "TrackedList",
    "TransactionAbortedError",
    "UsageError",
    "ValueFault",
    "Verdict",
    "Violation",
    "WriteFault",
    "always",
    "before",
    "checker",
    "choose",
    "compose",
    "eventually",
    "explain",
    "explore",
    "fault_parameter",
    "fault_point",
    "leads_to",
    "linearizable",
    "matrix",
    "offer_fault",
    "parse_fault",
    "replay",
    "run",
    "scenario",
    "serializable",
    "shrink",
    "sometimes",
    "tracked",
    "unreachable",
    "until",
]

_HOMES = {
    "racewindow.checkers": "Checker FunctionChecker History Judgement Verdict Violation checker",
    "racewindow.composing": "compose",
    "racewindow.constraints": "Before Moment before",
    "racewindow.display": "Chart Consequence Display Mark Point Series",
    "racewindow.errors": (
        "CallError CallTimedOutError CommitFailedError ConnectionLostError DivergenceError ExplorationFailed "
        "InputError RacewindowError RealIOError RealThreadError StoreError TransactionAbortedError UsageError"
    ),
    "racewindow.events": "Event",
    "racewindow.budget": "Progress ShrinkProgress",
    "racewindow.explainer": "explain",
    "racewindow.explanation": "Explanation",
    "racewindow.explorer": "explore replay shrink",
    "racewindow.failure": "Execution Failure Shrunk Size",
    "racewindow.linearizability": "Model linearizable",
    "racewindow.matrix_search": "MatrixProgress matrix",
    "racewindow.operations": "Operation",
    "racewindow.plans": "Plan PlanFile PlanMistake PlanRow PlanSystem",
    "racewindow.safeguard_matrix": "Matrix",
    "racewindow.properties": "always eventually leads_to sometimes unreachable",
    "racewindow.result": "Result",
    "racewindow.running": "run",
    "racewindow.fault_parameters": "fault_parameter",
    "racewindow.fault_shapes": ("Call CallFault ClockFault ConfigFault Link StepFault ValueFault WriteFault"),
    "racewindow.faults": "Fault FaultPlan FaultPoint Process parse_fault",
    "racewindow.runtime.access": "choose fault_point offer_fault",
    "racewindow.scenarios": "Scenario Simulation scenario",
    "racewindow.signature": "Parameter",
    "racewindow.schedule": "Deviation Schedule",
    "racewindow.services.network": "Network",
    "racewindow.services.supervisor": "Instance Supervisor",
    "racewindow.serializability": "serializable",
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
