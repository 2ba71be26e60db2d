"""The fault decisions of one execution: which faults a point offers, which one strikes, and what that leaves.

Whether a fault may strike depends on its target, on virtual time, and on how many have struck before: the budget. A
point is a decision as long as the plan has a fault for it, also when the budget is used up, so that a step has the same
decisions whatever happened in steps that do not concern it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from math import inf
from typing import Protocol

from racewindow.faults import NO_FAULT, Fault, FaultPlan, FaultPoint, Offer
from racewindow.runtime.runner import SimRunner
from racewindow.runtime.task import SimTask


class DecideFault(Protocol):
    """Makes the fault decisions of an execution."""

    def __call__(self, offers: list[Offer], *, task: SimTask, index: int) -> int:
        """The number of an affordable offer, or 0 for none; `index`: of the point in the step of `task`."""


class Faulting:
    """See the module's docstring.

    `offered`, `struck`: how often, by kind. `reached`: points, each with who has come to it; `points`: how many of them
    were decisions. `used_up`: a fault could not strike for want of budget.
    """

    __slots__ = (
        "_decide",
        "_number",
        "_plan",
        "_position",
        "_task",
        "offered",
        "points",
        "reached",
        "struck",
        "taken",
        "used_up",
    )

    def __init__(self, plan: FaultPlan, decide: DecideFault) -> None:
        self._plan, self._decide = plan, decide
        self._task: SimTask | None = None
        self._number = self._position = -1
        self.taken: list[int] = []
        self.offered: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self.reached: dict[tuple[str, str], None] = {}
        self.points = 0
        self.used_up = False

    def at(self, runner: SimRunner, where: FaultPoint, kinds: Collection[str] | None, *, waits: bool) -> Fault | None:
        """A step in progress has come to a fault point; `waits`: what a fault does by itself is waited for."""
        task = runner.current
        assert task is not None
        if task is not self._task or task.number != self._number:
            self._task, self._number, self._position = task, task.number, -1
        self._position += 1
        self.reached[where.name, where.service] = None
        plan = self._plan
        offers = [
            Offer(number, fault.text, plan.affords(self.taken, number))
            for number, fault in enumerate(plan.faults, 1)
            if fault.applies(where.name, where.service, kinds)
            and self._in_time(runner, fault)
            and (kinds is not None or ((waits or not fault.acts_by_itself) and fault.can_strike(where)))
        ]
        if not offers:
            return None
        self.points += 1
        for offer in offers:
            if offer.affordable:
                self.offered[plan.faults[offer.number - 1].kind] += 1
            else:
                self.used_up = True
        number = self._decide(offers, task=task, index=self._position)
        if runner.recording:
            runner.recorder.choices.append(NO_FAULT - number)
        if not number:
            return None
        fault = plan.faults[number - 1]
        self.taken.append(number)
        self.struck[fault.kind] += 1
        runner.effects += 1
        return fault

    @staticmethod
    def _in_time(runner: SimRunner, fault: Fault) -> bool:
        """Whether now is in its window of time; one that may always strike does not look at the clock."""
        if fault.after_seconds <= 0 and fault.until_seconds == inf:
            return True
        if runner.recording:
            runner.recorder.read_clock()
        return bool(fault.after_seconds <= runner.now_ns() / 1_000_000_000 < fault.until_seconds)
