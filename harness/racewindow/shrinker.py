"""Shrinking a failure: candidates are run in a session, and the smallest schedule is confirmed by a strict replay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from racewindow.budget import ShrinkLimits, ShrinkProgress
from racewindow.errors import DivergenceError, UsageError
from racewindow.failure import Failure, Shrunk
from racewindow.faults import NO_FAULTS, FaultPlan
from racewindow.runtime.diagnosis import flatten, raised_at, waits
from racewindow.runtime.execution import Environment
from racewindow.runtime.loop import LIMIT
from racewindow.runtime.watchdog import Watchdog
from racewindow.schedule import Deviation, Schedule
from racewindow.session import Ran, Session
from racewindow.settings import Settings
from racewindow.shrink_passes import PASSES
from racewindow.shrinking import Attempt, Minimum, Params, Pass, Weaken, shrink_schedule
from racewindow.strategies.lenient import LenientPicker
from racewindow.virtual import real

_UNCONFIRMED = "the smaller schedule did not fail twice in the same way, so the first one stands"
_TAKES_TURNS = "tasks step in turns for ever, and each turn is a deviation"
_AND = " and "
_LAST_DECISIONS = 1_000
OnProgress = Callable[[ShrinkProgress], None]


@dataclass(frozen=True, slots=True)
class Shrinker:
    """Shrinks failures of one scenario."""

    settings: Settings
    watchdog: Watchdog
    on_progress: OnProgress | None = None
    passes: Sequence[Pass] = PASSES
    _sessions: dict[str, Session] = field(default_factory=dict)

    def shrink(self, failure: Failure, limits: ShrinkLimits) -> Failure:
        """The same failure with the smallest schedule found, and in `shrunk` what it was before.

        It is the failure itself where nothing smaller was found, or where the smaller one could not be confirmed.
        """
        faults = milder(self.settings.faults, failure.schedule)
        if faults != self.settings.faults:
            return replace(self, settings=replace(self.settings, faults=faults), _sessions={}).shrink(failure, limits)
        with Environment():
            minimum, start = self._minimum(failure, limits)
            if minimum.best is start:
                shrunk = Shrunk(failure, start.size, start.size, minimum.tries, minimum.ended, smaller=False)
                return replace(failure, shrunk=shrunk)
            smaller = self._confirmed(minimum.best, failure)
        if smaller is None:
            ended = "interrupted" if self.watchdog.interrupted else _UNCONFIRMED
            return replace(failure, shrunk=Shrunk(failure, start.size, start.size, minimum.tries, ended, smaller=False))
        shrunk = Shrunk(failure, start.size, minimum.best.size, minimum.tries, minimum.ended)
        return replace(smaller, execution=failure.execution, count=failure.count, shrunk=shrunk)

    def _minimum(self, failure: Failure, limits: ShrinkLimits) -> tuple[Minimum, Attempt]:
        """What shrinking came to, and what it began with."""
        start, origin = self._attempt(failure, failure.schedule.deviations, failure.schedule.params)

        def run(deviations: Sequence[Deviation], params: Params) -> Attempt:
            attempt, where = self._attempt(failure, deviations, params)
            return attempt if where == origin else replace(attempt, same=False)

        if not start.same:
            ended = "interrupted" if self.watchdog.interrupted else "its schedule does not fail in this way any more"
            return Minimum(start, 1, ended), start
        if failure.kind == "livelock" and _AND in origin:
            return Minimum(start, 1, _TAKES_TURNS), start
        minimum = shrink_schedule(
            start,
            run,
            self.passes,
            limits,
            weaken=weaker_in(self.settings.faults),
            interrupted=lambda: self.watchdog.interrupted,
            on_progress=self.on_progress,
        )
        return minimum, start

    def _attempt(self, failure: Failure, deviations: Sequence[Deviation], params: Params) -> tuple[Attempt, str]:
        """Run a candidate leniently; also, what raised the failure, and where."""
        picker, session = LenientPicker(deviations), self._session(params)
        try:
            ran = session.run(picker)
        except UsageError:  # of the scenario's own: so small it does not want to be
            return Attempt(same=False, decisions=(), steps=0, params=params), ""
        same = any(finding.identity == failure.identity for finding in ran.judged.findings)
        same = same and not self.watchdog.interrupted
        attempt = Attempt(same, tuple(picker.decisions), ran.raw.steps, params)
        return attempt, _origin(ran, attempt, session) if same and failure.checker is None else ""

    def _confirmed(self, best: Attempt, failure: Failure) -> Failure | None:
        """The failure of a strict replay, if a second one is the same step for step."""
        session = self._session(best.params)
        schedule = session.settings.schedule(best.deviations)
        try:
            with Environment(footprints=True):
                one, other = session.replay(schedule), session.replay(schedule)
        except DivergenceError:
            return None
        same = one.digest == other.digest and failure.identity in {each.identity for each in other.failures}
        return next((each for each in one.failures if same and each.identity == failure.identity), None)

    def _session(self, params: Params) -> Session:
        name = repr(sorted(params.items()))
        if name not in self._sessions:
            self._sessions[name] = Session(replace(self.settings, params=dict(params)), self.watchdog)
        return self._sessions[name]


_MILDER_MAX = 100


def milder(plan: FaultPlan, schedule: Schedule) -> FaultPlan:
    """The faults that strike in a schedule, as often as they do, and all that are like them but weaker."""
    struck = [each.option for each in schedule.deviations if each.kind == "fault"]
    found = {fault.text: fault for fault in plan.faults if fault.text in struck}
    waiting = list(found.values())
    while waiting and len(found) < _MILDER_MAX:
        for weaker in waiting.pop(0).weaker():
            if weaker.text not in found:
                found[weaker.text] = weaker
                waiting.append(weaker)
    return FaultPlan(tuple(found.values()), len(struck)) if found else NO_FAULTS


def weaker_in(plan: FaultPlan) -> Weaken:
    """What is weaker than the fault of a name."""
    by_name = {fault.text: fault for fault in plan.faults}

    def weaken(option: str) -> Iterator[str]:
        for fault in by_name[option].weaker() if option in by_name else ():
            if fault.text in by_name:
                yield fault.text

    return weaken


def _origin(ran: Ran, attempt: Attempt, session: Session) -> str:
    """What tells endings of a kind apart: what raised, and where; or who stepped for ever, and where the others stand.

    An assertion is not the same as another one, though nobody has given them names. And a task that could end it, and
    gets no turn while another one polls, is not what it is once it has looked in vain.
    """
    if ran.raw.end == LIMIT:
        spinning = sorted({decision.place[0] for decision in attempt.decisions[-_LAST_DECISIONS:]})
        others = (
            f"{task.path} at {waits(stack, session.locator)}"
            for task, stack in zip(ran.raw.left, ran.raw.stacks, strict=True)
            if task.path not in spinning
        )
        return f"{_AND.join(spinning)}, {', '.join(sorted(others))}"
    if ran.raw.error is None:
        return ""
    first = flatten(ran.raw.error)[0]
    return f"{type(first).__qualname__} {raised_at(first, session.locator)[0]}"


def shrink_all(shrinker: Shrinker, failures: Sequence[Failure], seconds: float) -> Iterator[Failure]:
    """Each failure shrunk, in so many seconds for all of them together.

    Not one that hangs, since each try would take as long as it takes to call it that.
    """
    until = real.monotonic() + seconds
    for failure in failures:
        if failure.kind != "hang" and not shrinker.watchdog.interrupted:
            left = max(0.0, until - real.monotonic())
            yield shrinker.shrink(failure, ShrinkLimits(seconds=left))
