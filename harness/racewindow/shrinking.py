"""Shrinking: from a schedule that fails to the smallest one that can be found and fails in the same way.

Smaller is meant in this order: fewer faults, fewer preemptions, fewer deviations, fewer steps (`Size`); among equals
weaker faults, lower values, and deviations that come earlier. A *pass* is a function that
tries candidates made from the best schedule so far; the passes are run until none of them makes progress any more.
Whether a pass makes progress depends on nothing but that schedule, so the end is a minimum of all passes, and shrinking
it once more changes nothing.

A candidate is a list of deviations, most of which may not apply any more: each is keyed by a task and that task's own
step, so the others keep their meaning when one is gone. It is run leniently, and what counts is the schedule that was
really taken. Nothing here knows how executions are run: a function that runs one is handed in, and says whether it
failed as it should.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from racewindow.budget import ShrinkLimits, ShrinkProgress
from racewindow.failure import Size
from racewindow.schedule import Deviation
from racewindow.strategies.lenient import Decision
from racewindow.virtual import real

Params = Mapping[str, Any]
_REPORT_SECONDS = 0.1
_WEAKER_MAX = 1_000
"""Faults weaker than a given one that are counted; of one that has more, nothing weaker is tried."""


@dataclass(frozen=True)
class Attempt:
    """One execution of a candidate. `same`: it failed, and in the way that is to be kept."""

    same: bool
    decisions: tuple[Decision, ...]
    steps: int
    params: Params

    @cached_property
    def deviations(self) -> tuple[Deviation, ...]:
        """What was really taken, in order."""
        return tuple(each.deviation(each.name(each.taken)) for each in self.decisions if each.taken)

    @cached_property
    def size(self) -> Size:
        """How large the schedule is that was really taken."""
        faults = sum(each.kind == "fault" for each in self.deviations)
        preemptions = sum(each.preemptive for each in self.decisions if each.taken)
        return Size(faults, preemptions, len(self.deviations), self.steps)


Run = Callable[[Sequence[Deviation], Params], Attempt]
"""Runs a candidate leniently."""
Weaken = Callable[[str], Iterable[str]]
"""The options that are like a fault's, with one parameter weaker."""


class Minimum(NamedTuple):
    """What shrinking came to. `ended`: what ended it before its end, or ""."""

    best: Attempt
    tries: int
    ended: str


class EndedError(Exception):
    """Shrinking is over before its end; the best so far stands."""


class Shrinking:
    """The state of one shrinking, handed to the passes: the best attempt so far, and the means to try others."""

    def __init__(
        self,
        start: Attempt,
        run: Run,
        limits: ShrinkLimits,
        *,
        weaken: Weaken,
        interrupted: Callable[[], bool],
        on_progress: Callable[[ShrinkProgress], None] | None,
    ) -> None:
        self.best, self.tries, self.weaken = start, 0, weaken
        self._run, self._limits, self._interrupted, self._on_progress = run, limits, interrupted, on_progress
        self._started = self._reported = real.monotonic()
        self._weaker: dict[str, int] = {}
        self._best_rank = self._rank(start)
        self._seen = {_name(start.deviations, start.params)}

    def consider(self, deviations: Sequence[Deviation], params: Params | None = None) -> bool:
        """Run a candidate unless it was run before; if it is smaller than the best, it is the best now."""
        params = self.best.params if params is None else params
        name = _name(deviations, params)
        if name in self._seen:
            return False  # what was not smaller then is not smaller now
        return self.accept(self.attempt(deviations, params))

    def attempt(self, deviations: Sequence[Deviation], params: Params) -> Attempt:
        """Run a candidate; raises EndedError if the limits do not allow it."""
        self._check_limits()
        self.tries += 1
        attempt = self._run(deviations, params)
        self._seen |= {_name(deviations, params), _name(attempt.deviations, params)}
        return attempt

    def accept(self, attempt: Attempt) -> bool:
        """Make an attempt the best if it failed as it should and is smaller; whether it is."""
        if not attempt.same or attempt.size > self.best.size:
            return False
        if attempt.params != self.best.params and attempt.steps >= self.best.steps:
            return False  # it was no size: the scenario is no smaller, only another one
        rank = self._rank(attempt)
        if rank >= self._best_rank:
            return False
        self.best, self._best_rank = attempt, rank
        return True

    def _rank(self, attempt: Attempt) -> tuple[int, ...]:
        """What is compared; see the module's docstring."""
        deviations = attempt.deviations
        return (
            *attempt.size,
            sum(self.weaker(each.option) for each in deviations if each.kind == "fault"),
            sum(int(each.option) for each in deviations if each.kind == "value"),
            sum(position for position, each in enumerate(attempt.decisions) if each.taken),
        )

    def weaker(self, option: str) -> int:
        """How many faults are weaker than this one, those included that are weaker than a weaker one."""
        if option not in self._weaker:
            found: set[str] = set()
            left = [option]
            while left and len(found) < _WEAKER_MAX:
                new = [each for each in self.weaken(left.pop()) if each not in found]
                found.update(new)
                left += new
            self._weaker[option] = len(found)
        return self._weaker[option]

    def _check_limits(self) -> None:
        now, limits = real.monotonic(), self._limits
        if self._interrupted():
            raise EndedError("interrupted")
        if self.tries >= limits.tries:
            raise EndedError(f"the limit of {limits.tries:,} tries was reached")
        if now - self._started >= limits.seconds:
            raise EndedError(f"the limit of {limits.seconds:,.3g} s was reached")
        if self._on_progress is not None and now - self._reported >= _REPORT_SECONDS:
            self._reported = now
            self._on_progress(ShrinkProgress(self.tries, self.best.size, now - self._started, limits))


Pass = Callable[[Shrinking], None]
"""Tries candidates. It looks at the best attempt and at nothing else, and comes to an end by itself."""


def no_weaker(_option: str) -> Iterable[str]:
    """Faults without parameters."""
    return ()


def never() -> bool:
    """Nobody interrupts."""
    return False


def shrink_schedule(
    start: Attempt,
    run: Run,
    passes: Sequence[Pass],
    limits: ShrinkLimits,
    *,
    weaken: Weaken = no_weaker,
    interrupted: Callable[[], bool] = never,
    on_progress: Callable[[ShrinkProgress], None] | None = None,
) -> Minimum:
    """Run the passes until none of them makes progress, or a limit is reached.

    A pass that makes progress hands back to the first one: passes are in order of what they cost, and what a dear one
    has found may give a cheap one something to do.
    """
    shrinking = Shrinking(start, run, limits, weaken=weaken, interrupted=interrupted, on_progress=on_progress)
    position, ended = 0, ""
    try:
        while position < len(passes):
            before = shrinking.best
            passes[position](shrinking)
            position = position + 1 if shrinking.best is before else 0
    except EndedError as error:
        ended = str(error)
    return Minimum(shrinking.best, shrinking.tries, ended)


def _name(deviations: Iterable[Deviation], params: Params) -> tuple[object, ...]:
    """The same for candidates that give the same execution."""
    return (frozenset(deviations), repr(sorted(params.items())))
