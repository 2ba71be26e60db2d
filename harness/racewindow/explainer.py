"""`explain`: from a target and a failure to an explanation, with the runtime as the means to find out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from racewindow.budget import Progress, check_budget
from racewindow.causal_story import first_violation, step_of_event, story_from_sightings
from racewindow.checkers import demand_of
from racewindow.constraints import Before
from racewindow.errors import DivergenceError, UsageError
from racewindow.events import Event
from racewindow.explaining import Explainer
from racewindow.explanation import Count, Explanation, RacingPair, Side
from racewindow.failing_run import FailingRun, Identity, Place, Race, RacingStep
from racewindow.failure import Execution, Failure
from racewindow.live_tasks import held_in, order_of, raised_in
from racewindow.recorded import Found, Recorded, original_of, whole_of
from racewindow.runtime.execution import Environment
from racewindow.runtime.gates import held_by
from racewindow.runtime.watchdog import Watchdog
from racewindow.schedule import Schedule
from racewindow.session import Session
from racewindow.settings import Settings, Target, settings_of
from racewindow.story import story_of
from racewindow.strategies.random_walk import RandomWalk
from racewindow.strategies.replay import ReplayPicker
from racewindow.strategies.tolerant import TolerantPicker
from racewindow.survey import LOOK_AROUND, survey, with_faults
from racewindow.trace import READ, WRITE, Trace
from racewindow.trail import Trail
from racewindow.trials import Effort, Means, Surveyed, Trial
from racewindow.virtual import real
from racewindow.witness import Sighting, Witness

_EXECUTIONS = 20_000
"""What an explanation may run unless it is told otherwise."""
_STEPS_BRIEFLY, _BRIEFLY_LEAST, _BRIEFLY_MOST = 100_000, 100, 5_000
"""What the explanation in a report of `explore` may run: so many steps; how many executions have to come to that, and
how many it does not exceed."""
_SECONDS_BRIEFLY = 10.0
"""Wall time after which it ends in any case, for programs whose steps take long."""
_PROGRESS_SECONDS = 0.1
_BRIEF_PROGRESS = Progress(0, 0, 0, 0.0, None, _SECONDS_BRIEFLY)
_AT_LENGTH = "racewindow explain, with the file of the failure, takes the time that it needs."
_CHAIN_MAX = 6
"""Lines of the story in a report of `explore`."""


def explain(
    target: Target,
    failure: Recorded,
    *,
    schedules: int | None = None,
    seconds: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Explanation:
    """Find out which two steps decide a failure, and which order between them closes it.

    `failure`: as found by `explore`, or anything with its `schedule` and `identity`. `schedules`: executions to run at
    most for all of it (20,000 unless `seconds` is given). `seconds`: wall time at most.

    Raises UsageError if the schedule does not lead to that failure, DivergenceError if it does not fit the code.
    """
    check_budget(schedules, seconds, 1, 1.0)
    refuse_what_cannot_be_tried(failure)
    most = schedules if schedules is not None else _EXECUTIONS if seconds is None else sys.maxsize
    return _explain_with_original(
        target, failure, Effort(most), Progress(0, 0, 0, 0.0, schedules, seconds), on_progress
    )


def explain_briefly(target: Target, failure: Failure, on_progress: Callable[[Progress], None] | None = None) -> Failure:
    """A failure with what a report can say about its cause after a few seconds; without if there is nothing to say.

    So it is for one whose execution is so long that little could be tried, as of a livelock. It then says why.
    """
    steps = len(failure.trace)
    most = min(_STEPS_BRIEFLY // max(steps, 1), _BRIEFLY_MOST)
    if most < _BRIEFLY_LEAST:
        return replace(failure, unexplained=f"{steps:,} steps are too many to run in other orders here; {_AT_LENGTH}")
    effort = Effort(most, runs=min(20, most // 20), races=60, pairs=5, fixes=1, surveys=most // 3)
    try:
        refuse_what_cannot_be_tried(failure)
        explanation = _explain_with_original(target, failure, effort, _BRIEF_PROGRESS, on_progress)
    except (DivergenceError, UsageError) as error:  # it was confirmed, and is reported as it is
        return replace(failure, unexplained=f"{error.what.rstrip('.')}: {error.why}" if error.why else error.what)
    return replace(failure, explanation=explanation)


def refuse_what_cannot_be_tried(failure: Recorded) -> None:
    """Raise UsageError for a failure of which no other order can be run."""
    if failure.identity[0] == "hang":
        raise UsageError(
            "a hang cannot be explained by running it in other orders.",
            why="each try would have to wait until the step is taken to hang.",
            do="look at the step that its own text names: it has no checkpoint.",
        )


def _explain_with_original(
    target: Target,
    failure: Recorded,
    effort: Effort,
    progress: Progress,
    on_progress: Callable[[Progress], None] | None,
) -> Explanation:
    """The explanation of a failure; where nothing closes it, what closes it as it was found.

    A smaller schedule shows one cause where the first may have shown two, both of which have to be closed. The limit of
    wall time is one for both.
    """
    started = real.monotonic()
    found = _explain_under(
        settings_of(target, failure.schedule), failure, effort, progress, on_progress, started=started
    )
    original = original_of(failure)
    if found.fixes or original is None or original == failure.schedule or found.out_of_budget:
        return found
    whole, progress = Found(original, failure.identity), replace(progress, executions=found.executions)
    closing = _explain_under(settings_of(target, original), whole, effort, progress, on_progress, started=started)
    return replace(
        found,
        fixes=closing.fixes,
        executions=found.executions + closing.executions,
        out_of_budget=closing.out_of_budget,
    )


def _explain_under(
    settings: Settings,
    failure: Recorded,
    effort: Effort,
    progress: Progress,
    on_progress: Callable[[Progress], None] | None,
    *,
    started: float,
) -> Explanation:
    """The same with everything filled in. `started`: the wall time from which its limit counts, in seconds."""
    with Watchdog(settings.step_timeout) as watchdog, Environment(footprints=True):
        laboratory = _Laboratory(
            settings,
            watchdog,
            failure.schedule,
            failure.identity,
            progress,
            on_progress,
            started,
            whole=whole_of(failure),
        )
        failing, execution = laboratory.failing_run()
        explainer = Explainer(failing, laboratory.means(), effort)
        scenario = settings.scenario
        found = explainer.explain([name for name in scenario.safeguards if name not in settings.safeguards])
        texts = {**scenario.safeguards, **{check.name: demand_of(check) for check in scenario.checks}}
        return laboratory.with_story(replace(found, texts=texts), failing, execution)


class _Tried(NamedTuple):
    identities: frozenset[Identity]
    stuck: bool


@dataclass(slots=True)
class _Laboratory:
    """Runs what the stage wants to know, in one session for each set of constraints and safeguards."""

    settings: Settings
    watchdog: Watchdog
    schedule: Schedule
    identity: Identity
    progress: Progress
    on_progress: Callable[[Progress], None] | None
    started: float
    """Wall time in seconds from which the limit counts."""
    whole: Mapping[str, Any]
    """The parameters that what closes the failure is tried under: those that it was found under, however small."""
    violated_by: int | None = None
    """How many events it took."""
    _sessions: dict[object, Session] = field(default_factory=dict)
    _sightings: dict[str, list[Sighting]] = field(default_factory=dict)

    def session(
        self, constraints: tuple[Before, ...] = (), safeguard: str | None = None, *, whole: bool = False
    ) -> Session:
        """The session under these, besides those of the failure; `whole`: in the size that it was found in."""
        key = (constraints, safeguard, whole)
        found = self._sessions.get(key)
        if found is None:
            settings = replace(self.settings, constraints=(*self.settings.constraints, *constraints))
            if whole:
                settings = replace(settings, params=self.whole)
            if safeguard is not None:
                names = [*settings.safeguards, *safeguard.split(",")]
                settings = replace(settings, safeguards=settings.scenario.resolve_safeguards(names))
            found = self._sessions[key] = Session(settings, self.watchdog)
        return found

    def means(self) -> Means:
        """What the stage is handed."""
        return Means(
            run=self.run,
            survey=self.survey,
            shown=self.shown,
            passing=self.passing,
            order=self.order,
            out_of_time=self.out_of_time,
        )

    def out_of_time(self) -> bool:
        """Whether the wall time is spent."""
        limit = self.progress.seconds_limit
        return limit is not None and real.monotonic() - self.started >= limit

    def _count(self, executions: int, failing: int) -> None:
        if self.watchdog.interrupted:
            raise KeyboardInterrupt
        before, now = self.progress, real.monotonic() - self.started
        self.progress = replace(before, executions=before.executions + executions, failing=before.failing + failing)
        if self.on_progress is not None and now - before.seconds >= _PROGRESS_SECONDS:
            self.progress = replace(self.progress, seconds=now)
            self.on_progress(self.progress)

    def run(self, trial: Trial) -> _Tried:
        """One execution."""
        ran = self.session(trial.constraints).run(self._picker(trial))
        self._count(1, bool(ran.judged.findings))
        stuck = any(held_by(task, self.settings.constraints) for task in ran.raw.left)
        return _Tried(frozenset(finding.identity for finding in ran.judged.findings), stuck)

    def _picker(self, trial: Trial) -> TolerantPicker:
        return TolerantPicker(trial.deviations, until=trial.until, chance=trial.chance, given=self.settings.constraints)

    def order(self, trial: Trial) -> list[Place]:
        """The steps of one execution, by the numbers that they have without the constraints of the trial."""
        self._count(1, 0)
        return order_of(self.session(trial.constraints), self._picker(trial), self.settings.constraints)

    def passing(self) -> tuple[Trace, frozenset[Place]] | None:
        """A random walk that does not fail in this way, the first of a few."""
        session, walk = self.session(), RandomWalk(self.settings.seed)
        for number in range(LOOK_AROUND):
            ran = session.run(with_faults(walk.start(number), number))
            self._count(1, bool(ran.judged.findings))
            if self.identity not in {finding.identity for finding in ran.judged.findings}:
                trace = session.record(with_faults(walk.start(number), number)).trace
                return trace, held_in(session, with_faults(walk.start(number), number))
        return None

    def survey(
        self,
        limit: int,
        *,
        constraints: tuple[Before, ...] = (),
        safeguard: str | None = None,
        stop_at: Identity | None = None,
        search: bool = True,
    ) -> Surveyed:
        """Many executions."""
        done = survey(
            self.session(constraints, safeguard, whole=True),
            limit,
            stop_at,
            search=search,
            out_of_time=self.out_of_time,
            given=self.settings.constraints,
        )
        self._count(done.executions, done.failing)
        return done

    # --- the failing execution --------------------------------------------------------------------------------------

    def failing_run(self) -> tuple[FailingRun, Execution]:
        """The failing execution, on the record; raises UsageError if it does not fail (in that way)."""
        session = self.session()
        execution = session.replay(self.schedule)
        if self.watchdog.interrupted:
            raise KeyboardInterrupt
        identities = frozenset(failure.identity for failure in execution.failures)
        failure = next((f for f in execution.failures if f.identity == self.identity), None)
        if failure is None:
            raise UsageError(
                "there is nothing to explain: the schedule does not lead to the failure any more.",
                why="the program has changed since it was recorded, or it depends on what is outside of it.",
                do="racewindow explore, to see whether it still fails in another order.",
            )
        run = FailingRun(
            failure.identity,
            trace=execution.trace,
            trail=self._trail(session),
            identities=identities,
            deviations=self.schedule.deviations,
            deviation_texts=dict(zip(self.schedule.deviations, failure.deviations, strict=False)),
            violation=self._violation(failure, execution),
            held=held_in(session, ReplayPicker(self.schedule)),
        )
        return run, execution

    def _trail(self, session: Session) -> Trail:
        trail = session.run(ReplayPicker(self.schedule), footprints=True).trail
        assert trail is not None
        return trail

    def _violation(self, failure: Failure, execution: Execution) -> int | None:
        """The step in which it was raised, or after which the checker has all it needs; None if there is no telling."""
        if failure.kind == "exception" or (failure.kind == "violation" and failure.checker is None):
            return raised_in(self.session(), ReplayPicker(self.schedule))
        checker = next((each for each in self.settings.scenario.checks if each.name == failure.checker), None)
        if checker is None:
            return None
        count = self.violated_by = first_violation(checker, failure.identity, execution.events, self.settings)
        return None if count is None else step_of_event(execution.trace, execution.events, count - 1)

    # --- lines and values -------------------------------------------------------------------------------------------

    def _sighted(self, keys: Sequence[str]) -> list[Sighting]:
        """All accesses to these objects in the failing execution."""
        missing = [key for key in keys if key not in self._sightings]
        if missing:
            session = self.session()
            raw = session.observe(
                ReplayPicker(self.schedule), lambda _: Witness(session.tables.keys, session.locator, missing)
            )
            assert isinstance(raw.recorder, Witness)
            found = raw.recorder.sightings
            for key in missing:
                self._sightings[key] = [each for each in found if each.key == key]
        return sorted((each for key in keys for each in self._sightings[key]), key=lambda each: each.at)

    def shown(self, race: Race, kept: Count, turned: Count) -> RacingPair:
        """A race with the lines of both accesses and their values."""
        seen = self._sighted([race.key])
        first, second = self._side(race.first, seen), self._side(race.second, seen)
        return RacingPair(first, second, race.key, kept, turned, race.late)

    @staticmethod
    def _side(step: RacingStep, seen: Sequence[Sighting]) -> Side:
        stop, access = step.stop, step.access
        own = [each for each in seen if (each.task, each.number) == step.place]
        alike = [each for each in own if each.reads == (access.mode == READ)]
        fitting = alike or own
        sighting = fitting[-1 if access.mode == WRITE else 0] if fitting else None
        return Side(
            task=stop.name,
            path=stop.task,
            number=stop.number,
            mode=access.mode,
            location=(sighting.location if sighting is not None else "") or stop.place or "its start",
            value=None if sighting is None else sighting.value,
            moment=step.moment,
            last=stop.last,
        )

    # --- the story --------------------------------------------------------------------------------------------------

    def with_story(self, found: Explanation, failing: FailingRun, execution: Execution) -> Explanation:
        """The explanation with the events that the failure depends on.

        Without events, with what happened to the objects of its pairs.
        """
        if not execution.events:
            keys = list(dict.fromkeys(pair.key for pair in found.pairs))
            names = {stop.task: stop.name for stop in failing.stops}
            seen = [each for each in self._sighted(keys) if failing.depends_on(each.at)]
            return replace(found, story=story_from_sightings(seen, names, execution.trace))
        steps = [step_of_event(execution.trace, execution.events, at) for at in range(len(execution.events))]
        kept = [e for e, at in zip(execution.events, steps, strict=True) if at is None or failing.depends_on(at)]
        times = {f.time_ns for f in execution.failures if f.identity == failing.identity}
        narrate = self.settings.scenario.narrate
        chain: list[Event] = []
        until = self.violated_by if self.violated_by is not None else len(execution.events)
        if found.pairs:
            first, second = found.pairs[0].first, found.pairs[0].second
            one, two = (failing.index_of(side.path, side.number) for side in (first, second))
            chain = [
                event
                for event, at in zip(execution.events[:until], steps, strict=False)
                if at is not None and failing.depends_on(at) and (failing.comes_after(at, one) or at == two)
            ]
        return replace(
            found,
            story=story_of(kept, narrate, times),
            chain=story_of(chain, narrate, times, _CHAIN_MAX),
            left_out=len(execution.events) - len(kept),
        )
