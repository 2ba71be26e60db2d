"""What an explanation asks to be run, what it learns from that, and how much it may ask for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from racewindow.constraints import Before
from racewindow.explanation import Count, RacingPair
from racewindow.failing_run import Identity, Place, Race
from racewindow.schedule import Deviation
from racewindow.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One execution to run.

    These deviations where they fit, until these steps have been taken; then the default order, or chance.
    """

    deviations: Sequence[Deviation]
    constraints: tuple[Before, ...] = ()
    until: tuple[Place, ...] | None = None
    chance: int | None = None


class Tried(Protocol):
    """What became of it."""

    @property
    def identities(self) -> frozenset[Identity]:
        """Its failures."""

    @property
    def stuck(self) -> bool:
        """A task was held back by a constraint for ever."""


class Surveyed(Protocol):
    """As `racewindow.survey.Survey`."""

    orders: int
    walks: int
    failing: int
    stuck: int
    complete: bool
    refuted: bool

    @property
    def executions(self) -> int:
        """How many were run."""

    def as_mapping(self) -> Mapping[Identity, int]:
        """How often each failure was seen."""


class RunSurvey(Protocol):
    """Runs many executions."""

    def __call__(
        self,
        limit: int,
        *,
        constraints: tuple[Before, ...] = (),
        safeguard: str | None = None,
        stop_at: Identity | None = None,
        search: bool = True,
    ) -> Surveyed:
        """At most `limit` of them under the constraints, or with one more safeguard on, until a failure is seen."""


@dataclass(frozen=True, slots=True)
class Means:
    """What an explanation is handed to find out with. `shown`: the pair with lines and values, from a replay.

    `passing`: an execution without the failure, if one is soon found, with the steps in which a task was held back.
    `order`: the steps of a trial in their order, by task and number.
    """

    run: Callable[[Trial], Tried]
    survey: RunSurvey
    shown: Callable[[Race, Count, Count], RacingPair]
    passing: Callable[[], tuple[Trace, Collection[Place]] | None]
    order: Callable[[Trial], Sequence[Place]]
    out_of_time: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to do. `executions`: at most, altogether. `runs`: of each pair, in each of its two orders.

    `races`: how many are looked at in one run each; `pairs`: how many of these as above; `fixes`: how many to give;
    `surveys`: executions at most for one of them.
    """

    executions: int
    runs: int = 20
    races: int = 200
    pairs: int = 8
    fixes: int = 2
    surveys: int = 5_000


@dataclass(slots=True)
class Ledger:
    """What has been spent of a budget."""

    most: int
    out_of_time: Callable[[], bool]
    spent: int = 0
    lacking: bool = field(default=False)

    def may_spend(self, count: int = 1) -> bool:
        """Whether so much more may be run; if not, something is left out."""
        if self.spent + count > self.most or self.out_of_time():
            self.lacking = True
            return False
        return True
