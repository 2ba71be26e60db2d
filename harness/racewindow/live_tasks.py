"""What the tasks of one execution know at its end and its trace does not say: who was held back, and who has raised.

Each function runs one execution, inside an `Environment` with footprints.
"""

from __future__ import annotations

from collections.abc import Collection
from types import CodeType

from racewindow.constraints import Before
from racewindow.failing_run import Place
from racewindow.runtime.diagnosis import flatten
from racewindow.runtime.execution import Raw
from racewindow.runtime.recorder import Recorder
from racewindow.runtime.task import held_steps
from racewindow.session import Session
from racewindow.strategies.tolerant import uncounted
from racewindow.strategy import Picker


def order_of(session: Session, picker: Picker, given: Collection[Before]) -> list[Place]:
    """The steps in their order, by the numbers that they have under no constraints but those in `given`."""
    found: list[Place] = []
    for task, number, *_ in _recorded(session, picker)[1].raw:
        more = uncounted(held_steps(task), given)
        if number not in more:
            found.append((task.path, number - sum(each < number for each in more)))
    return found


def held_in(session: Session, picker: Picker) -> frozenset[Place]:
    """The steps in which a task found itself held back by a constraint."""
    if not session.settings.constraints:
        return frozenset()
    tasks = {task for task, *_ in _recorded(session, picker)[1].raw}
    return frozenset((task.path, each.number) for task in tasks for each in held_steps(task))


def raised_in(session: Session, picker: Picker) -> int | None:
    """The step with which the task has ended that raised; None if several of the same code have."""
    raw, recorder = _recorded(session, picker)
    if raw.error is None:
        return None
    ended: dict[CodeType, list[int]] = {}
    for index, (task, _, _, location, *_) in enumerate(recorder.raw):
        if location == "end" and (code := getattr(task.coro, "cr_code", None)) is not None:
            ended.setdefault(code, []).append(index)
    found: list[int] = []
    traceback = flatten(raw.error)[0].__traceback__
    while traceback is not None:  # from the outermost frame to the one that raised
        found = ended.get(traceback.tb_frame.f_code, found)
        traceback = traceback.tb_next
    return found[0] if len(found) == 1 else None


def _recorded(session: Session, picker: Picker) -> tuple[Raw, Recorder]:
    raw = session.observe(picker, lambda _: Recorder(session.tables.keys, session.locator))
    assert raw.recorder is not None
    return raw, raw.recorder
