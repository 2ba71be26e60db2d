"""Exploration: executions until a budget ends, a failure appears or the strategy is exhausted.

The only loop over executions. It owns the budgets, the statistics and the confirmation of failures: nothing is reported
that has not been replayed from its schedule to the identical trace.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import replace

from racewindow.audit import Auditor
from racewindow.budget import Progress, ShrinkLimits, ShrinkProgress
from racewindow.confirming import Confirming
from racewindow.errors import DivergenceError
from racewindow.failure import Failure
from racewindow.fault_survey import FaultSurvey
from racewindow.keeper import Keeper
from racewindow.report_failure import UNTRACKED
from racewindow.result import Bound, Result, why_incomplete
from racewindow.runtime.execution import STOPPED, Environment
from racewindow.runtime.guided import CUT
from racewindow.runtime.loop import LIMIT
from racewindow.runtime.watchdog import Watchdog, platform_notes
from racewindow.session import Ran, Session
from racewindow.settings import Settings
from racewindow.shrinker import Shrinker, shrink_all
from racewindow.statistics import INDEPENDENT_FROM, Discovery, TreeSize, summary
from racewindow.strategy import Picker, Strategy
from racewindow.tally import Tally
from racewindow.virtual import real

_PROGRESS_SECONDS = 0.1
_COLLECT_EVERY = 50
"""Executions between two collections of the youngest generation; the collector is off while they run."""
_COMPARE_EARLY, _COMPARE_EVERY = 100, 1_000
"""Which executions are run twice on the record, to see whether a schedule gives one trace: these, and every 1,000th."""


class Exploration:
    """One run of `explore`, from its options to its result."""

    def __init__(
        self,
        settings: Settings,
        strategy: Strategy,
        *,
        schedules: int | None,
        seconds: float | None,
        footprints: bool,
        all_failures: bool,
        shrink: bool,
        on_progress: Callable[[Progress], None] | None,
        target_name: str,
    ) -> None:
        self.settings, self.strategy = settings, strategy
        self.schedules, self.seconds = schedules, seconds
        self.footprints, self.all_failures, self.shrink = footprints, all_failures, shrink
        self.on_progress, self.target_name = on_progress, target_name
        self.tally = Tally()
        self.discovery = Discovery(INDEPENDENT_FROM.get(strategy.name))
        self.keeper = Keeper(settings.scenario, target_name, self.tally.notes)
        self.exhausted = self.out_of_time = self.interrupted = False
        self.started = self.reported = real.monotonic()

    # --- the loop ---------------------------------------------------------------------------------------------------

    def run(self) -> Result:
        """Explore, make what was found smaller, then put the result together."""
        try:
            with Watchdog(self.settings.step_timeout) as watchdog:
                self.watchdog = watchdog
                with Environment(footprints=self.footprints):
                    self.session = Session(self.settings, watchdog)
                    self._equip()
                    self._loop()
                self.interrupted, self.seconds_spent = watchdog.interrupted, real.monotonic() - self.started
                if self.shrink:
                    self._shrink()
                self._write_log()
        finally:
            self.keeper.close()
        return self._result()

    def _equip(self) -> None:
        """A strategy that runs executions of its own is given the means."""
        self.auditor = Auditor(self.session)
        self.confirming = Confirming(self.session, self.watchdog, self.tally)
        attach, tables = getattr(self.strategy, "attach", None), self.session.tables
        self.learns = self.strategy.looks_ahead or attach is not None
        if attach is not None:
            attach(self.session.probe, tables.keys, tables.tasks.paths, self.settings.faults)
        self.faults = FaultSurvey(self.session)
        self._progressed = getattr(self.strategy, "progressed", None)  # of a portfolio, which shares the budget out
        self._reduces = getattr(self.strategy, "reduces", False)

    def _loop(self) -> None:
        going_on = True
        while going_on and self._may_go_on():
            try:
                going_on = self._run_next()
            except DivergenceError as error:  # of a search that meets what cannot be, if it knows all that is shared
                self._distrust(str(error))
        if not (self.exhausted or self.watchdog.interrupted or self.tally.untrusted or self.tally.untracked):
            self.exhausted = self._nothing_left()

    def _nothing_left(self) -> bool:
        """Whether the search had come to its end just when a budget or a failure ended the exploration."""
        strategy = self.strategy
        return (strategy.exhaustive or strategy.bound_reached) and strategy.start(self.tally.executions) is None

    def _run_next(self) -> bool:
        """Run one execution and learn from it; whether there may be another one."""
        tally = self.tally
        number = tally.executions
        if self._progressed is not None:
            self._progressed(self._share_spent())
        picker = self.strategy.start(number)
        if picker is None:
            self.exhausted = True
            return False
        picker = self.faults.added_to(picker, number)
        ran = self.session.run(picker, footprints=self.footprints, looks_ahead=self.strategy.looks_ahead)
        if self.watchdog.interrupted and ran.raw.end == STOPPED:
            return False
        self.faults.count(ran.faulting)
        if ran.raw.end == CUT:
            tally.redundant += 1
            self.strategy.finished(ran.trail, ran.raw.steps)
            return True
        judged = ran.judged
        failed = bool(judged.findings) and self._failed(number, picker, ran)
        if self.watchdog.interrupted and judged.findings and not failed and not tally.untrusted:
            return False  # there was no time to confirm it: as if it had not been run
        tally.executions += 1
        tally.steps += ran.raw.steps
        trace = ran.trace_number if self.footprints else None
        for name, why in judged.unknown:
            tally.unknown[name] += 1
            tally.notes.setdefault(name, f"{name} could not tell in at least one execution: {why}")
        tally.cover(judged.sometimes)
        if ran.raw.end == LIMIT:
            tally.cut_off = True
        if ran.raw.relative_deadlines:
            tally.note("racing")
        if self.footprints and getattr(ran.raw.recorder, "spun", False):
            tally.note("spinning")
        if not judged.findings and (number % _COMPARE_EVERY == 0 or number == _COMPARE_EARLY):
            self.confirming.compare(picker)
        self.discovery.executed(trace, failed=failed)
        if self._progressed is not None:
            tally.count_part(getattr(self.strategy, "current", ""), trace, failed=failed)
        # Now that the result has been taken: a search may run the program to learn from it.
        self.strategy.finished(ran.trail if self.learns else None, ran.raw.steps)
        if self._reduces and not tally.untrusted and (found := self.auditor.check(number, ran, self.strategy, picker)):
            self._distrust(found)
        if tally.executions % _COLLECT_EVERY == 0:
            gc.collect(0)
        if self.on_progress is not None:
            self._report()
        return True

    def _distrust(self, why: str) -> None:
        """The result cannot be trusted. Strategies that need not know what is shared may still find a failure."""
        untracked = why.startswith(UNTRACKED)
        give_up = getattr(self.strategy, "give_up_search", None)
        if untracked:
            self.tally.untracked = why
        if untracked and give_up is not None:
            give_up("ended: the program shares state that is not tracked")
        else:
            self.tally.untrusted = why

    def _share_spent(self) -> float:
        """Of the budget, from 0 to 1."""
        share = 0.0 if self.schedules is None else self.tally.executions / self.schedules
        if self.seconds is not None:
            share = max(share, (real.monotonic() - self.started) / self.seconds)
        return share

    def _may_go_on(self) -> bool:
        tally = self.tally
        if tally.executions == self.schedules or self.watchdog.interrupted or tally.untrusted:
            return False
        if tally.groups and not self.all_failures:
            return False
        if self.seconds is not None and real.monotonic() - self.started >= self.seconds:
            self.out_of_time = True
            return False
        return True

    def _report(self) -> None:
        now = real.monotonic()
        if now - self.reported >= _PROGRESS_SECONDS and self.on_progress is not None:
            self.reported = now
            self.on_progress(self._progress(now - self.started))

    @property
    def progress_at_end(self) -> Progress:
        """How far it had come when the last execution had been run."""
        return self._progress(self.seconds_spent)

    def _progress(self, seconds: float) -> Progress:
        tally, discovery, strategy = self.tally, self.discovery, self.strategy
        portion = getattr(strategy, "current", "")
        part = tally.by_strategy.get(portion)
        return Progress(
            tally.executions,
            tally.failing,
            tally.steps,
            seconds,
            self.schedules,
            self.seconds,
            distinct_traces=discovery.distinct_traces,
            new_trace_chance=discovery.new_trace_chance,
            strategy=f"{strategy.name}: {portion}" if portion else strategy.name,
            tree=None if getattr(strategy, "gave_up", False) else self._tree_size(),
            searched=getattr(strategy, "searched", tally.executions if strategy.exhaustive else None),
            curve=discovery.curve,
            part_chance=None if part is None else part.new_trace_chance,
            groups=len(tally.groups),
        )

    def _tree_size(self) -> TreeSize | None:
        return getattr(self.strategy, "tree_size", None) if self.footprints else None

    # --- failures ---------------------------------------------------------------------------------------------------

    def _failed(self, number: int, picker: Picker, ran: Ran) -> bool:
        """Count a failing execution; confirm, keep and save those of its findings that are new.

        False if they could not be confirmed: then it is not counted.
        """
        tally = self.tally
        groups = ran.judged.groups
        if not groups <= tally.groups.keys():
            confirmed = self.confirming.confirm(picker, ran)
            if confirmed is None:
                return False
            for failure in confirmed.failures:
                if failure.group not in tally.groups:
                    tally.groups[failure.group] = replace(failure, execution=number)
                    tally.files[failure.group] = self.keeper.save(tally.groups[failure.group])
        tally.failing += 1
        for group in groups:
            tally.counts[group] += 1
        return True

    def _shrink(self) -> None:
        """Make the failures smaller, the gravest first, in a time of their own; each file is written anew."""
        limit, tally, on_progress = ShrinkLimits().seconds, self.tally, self.on_progress

        def report(shrinking: ShrinkProgress) -> None:
            assert on_progress is not None
            on_progress(replace(self.progress_at_end, shrinking=shrinking))

        shrinker = Shrinker(self.settings, self.watchdog, None if on_progress is None else report)
        seconds = limit if self.seconds is None else min(limit, self.seconds / 4)
        for failure in shrink_all(shrinker, [tally.groups[f.group] for f in self._gravest_first()], seconds):
            tally.groups[failure.group] = failure
            if failure.shrunk is not None and failure.shrunk.smaller:
                tally.files[failure.group] = self.keeper.save(failure) or tally.files[failure.group]

    def _write_log(self) -> None:
        """The log of the gravest failure, or of the default order when there is none."""
        if self.keeper.logfile is None:
            return
        failures = self._gravest_first()
        schedule = failures[0].schedule if failures else self.settings.schedule(())
        session = Session(replace(self.settings, params=schedule.params), self.watchdog)  # a shrunk one has its own
        with Environment(footprints=True):
            session.replay(schedule, self.keeper.logfile.logger)

    # --- the result -------------------------------------------------------------------------------------------------

    def _gravest_first(self) -> list[Failure]:
        return self.tally.failures([each.name for each in self.settings.scenario.checks])

    def _bounds(self, kinds: set[str]) -> dict[str, Bound]:
        """Every limit that was set; `kinds`: of the failures found."""
        bounds = {
            "step_limit": Bound(self.settings.steps_max, self.tally.cut_off),
            "step_timeout": Bound(self.settings.step_timeout, "hang" in kinds or self.session.probe_stopped),
        }
        if self.schedules is not None:
            bounds["schedules"] = Bound(self.schedules, self.tally.executions >= self.schedules)
        if self.seconds is not None:
            bounds["seconds"] = Bound(self.seconds, self.out_of_time)
        if self.settings.faults:
            bounds["faults"] = Bound(self.settings.faults.budget, self.faults.used_up)
        preemptions = getattr(self.strategy, "preemptions", None)
        if preemptions is not None:
            bounds["preemptions"] = Bound(preemptions, self.strategy.bound_reached)
        return bounds

    def _left_out(self, bounds: Mapping[str, Bound]) -> tuple[str, ...] | None:
        """Why not every order of events was run to its end; None for a strategy that never claims to run them all."""
        gave_up = getattr(self.strategy, "gave_up", False)
        if not (self.strategy.exhaustive or self.strategy.bound_reached or gave_up):
            return None
        keys = self.session.tables.keys if self._reduces else None
        doubts = [*self.tally.doubts(keys), *(["gave up"] if gave_up else [])]
        if self.interrupted:
            doubts.append("interrupted")
        elif not self.exhausted and self.tally.groups and not self.all_failures:
            doubts.append("first failure")
        return why_incomplete(bounds, *doubts, exhausted=self.exhausted or gave_up)

    def _result(self) -> Result:
        tally, settings = self.tally, self.settings
        failures = self._gravest_first()
        bounds = self._bounds({failure.kind for failure in failures})
        left_out = self._left_out(bounds)
        complete = self.exhausted and left_out == ()
        if tally.untrusted:
            for discovery in (self.discovery, *tally.by_strategy.values()):
                discovery.distrust()
        return Result(
            scenario=settings.scenario.name,
            target=self.target_name,
            strategy=self.strategy.name,
            semantics=settings.semantics,
            clock=settings.clock,
            seed=settings.seed,
            executions=tally.executions,
            failing=tally.failing,
            steps=tally.steps,
            redundant=tally.redundant,
            probes=getattr(self.strategy, "probes", 0),
            seconds=self.seconds_spent,
            failures=tuple(failures),
            files=tuple(tally.files.get(f.group) for f in failures),
            bounds=bounds,
            complete=complete,
            incomplete=left_out or (),
            parts=tally.parts(
                complete=getattr(self.strategy, "current", "") if complete else "",
                notes=getattr(self.strategy, "notes", {}),
            ),
            audited=self.auditor.orders,
            distinct_traces=self.discovery.distinct_traces,
            curve=self.discovery.curve,
            statistics=summary(self.discovery, None if complete else self._tree_size()),
            params=settings.params,
            safeguards=settings.safeguards,
            faults=settings.faults,
            faults_offered=self.faults.per_kind(self.faults.offered),
            faults_struck=self.faults.per_kind(self.faults.struck),
            untrusted=tally.untrusted or tally.untracked,
            interrupted=self.watchdog.interrupted,
            sometimes=tally.sometimes,
            unknown=tally.unknown,
            notes=(*settings.feed_notes, *self.faults.notes, *tally.notes.values(), *platform_notes()),
        )
