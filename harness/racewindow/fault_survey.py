"""What faults can do at all: the default order is run once without any, and the fault points that it reaches are noted.

It tells a target that matches nothing from one that was not unlucky, and how often a fault should strike where chance
decides.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase

from racewindow.errors import UsageError
from racewindow.faults import EVERYWHERE, FaultPlan
from racewindow.runtime.execution import Environment
from racewindow.runtime.faulting import Faulting
from racewindow.session import Session
from racewindow.strategies.fault_sampling import FaultSampling, strike_chance
from racewindow.strategy import Picker


class FaultSurvey:
    """See the module's docstring, and count what is offered and what strikes from then on."""

    def __init__(self, session: Session) -> None:
        self.plan: FaultPlan = session.settings.faults
        self._seed = session.settings.seed
        self._chance = 0
        self.offered: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self.used_up = False
        """A fault could not strike because the budget had been used up."""
        if self.plan:
            with Environment(footprints=True):
                tasks, faulting = session.survey()
            self._check_targets(tasks | {service for _, service in faulting.reached})
            self._chance = strike_chance(faulting.points)

    def _check_targets(self, names: set[str]) -> None:
        for fault in self.plan.faults:
            if fault.target != EVERYWHERE and not any(fnmatchcase(name, fault.target) for name in names):
                near = difflib.get_close_matches(fault.target.strip("*"), sorted(names), n=3)
                raise UsageError(
                    f"the target {fault.target!r} of the fault {fault.kind} matches nothing.",
                    why="no task and no service that runs in the default order is called so.",
                    do=f"{f'did you mean {near[0]!r}? ' if near else ''}There are: {', '.join(sorted(names))}.",
                )

    def added_to(self, picker: Picker, number: int) -> Picker:
        """The picker of execution `number`, with faults by chance if it does not decide on them itself."""
        if not self.plan or hasattr(picker, "pick_fault"):
            return picker
        return FaultSampling(picker, b"%d/%d/faults" % (self._seed, number), self._chance)

    def count(self, faulting: Faulting | None) -> None:
        """An execution has been run."""
        if faulting is not None:
            self.offered.update(faulting.offered)
            self.struck.update(faulting.struck)
            self.used_up = self.used_up or faulting.used_up

    def per_kind(self, counts: Mapping[str, int]) -> dict[str, int]:
        """For every kind of the plan, also those that never came up."""
        return {kind: counts.get(kind, 0) for kind in self.plan.kinds} if self.plan else {}

    @property
    def never_offered(self) -> tuple[str, ...]:
        """Kinds of the plan for which no fault point was ever reached."""
        return tuple(kind for kind in self.plan.kinds if not self.offered[kind]) if self.plan else ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be said about it, one sentence each."""
        return tuple(
            f"the fault {kind} was never offered: no execution came to a fault point at which it could strike"
            for kind in self.never_offered
        )
