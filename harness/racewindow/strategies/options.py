"""The options of a decision in their fixed order, for strategies that enumerate them.

Option 0 is the default: the task that stepped last if it can go on, else the one with the lowest path. The other tasks
follow by path, then letting time pass. The order depends on nothing but the state, so a position in it names the same
option in every repetition.
"""

from __future__ import annotations

from racewindow.strategies.replay import default_of
from racewindow.strategy import Task


def ranked(candidates: list[Task], last: Task | None, *, may_advance: bool) -> list[int]:
    """What `Picker.pick_task` may answer, in order: indices of candidates, then perhaps `len(candidates)`."""
    default = default_of(candidates, last)
    others = sorted((i for i in range(len(candidates)) if i != default), key=lambda i: candidates[i].order)
    return [default, *others, *([len(candidates)] if may_advance else [])]
