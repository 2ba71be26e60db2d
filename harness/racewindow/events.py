"""Events: what a scenario says happened, as frozen values that checkers judge and reports tell.

An event is emitted by the code under exploration (`Simulation.emit`). Its position in the list is the order in which
the steps ran; a checker must not draw conclusions from the order of two events whose steps do not depend on each
other, because partial-order reduction runs only one of the two orders.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Event(NamedTuple):
    """One thing that happened.

    `time_ns`: virtual time in nanoseconds since the start of the execution. `task`: display name of the task whose
    step emitted it, `step`: that task's own step number. `kind`: a dotted name that the scenario chooses, such as
    `chain.block`. `data`: values of any type; they are never changed after the event was emitted.
    """

    time_ns: int
    task: str
    step: int
    kind: str
    data: Mapping[str, Any]
