"""Exploration: executions until a budget ends, a failure appears or the strategy is exhausted.

The only loop over executions. It owns the budgets, the statistics and the confirmation of failures: nothing is reported
that has not been replayed from its schedule to the identical trace.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from racewindow.budget import Progress, check_budget
from racewindow.errors import DivergenceError, InputError
from racewindow.failure import Execution, Failure
from racewindow.judging import Group, Identity, names_of
from racewindow.log import LogFile
from racewindow.result import Bound, Result
from racewindow.runtime.execution import STOPPED, Environment
from racewindow.runtime.watchdog import Watchdog, platform_notes
from racewindow.schedule import Schedule
from racewindow.session import Ran, Session, first_divergence
from racewindow.settings import Settings, Target, make_settings
from racewindow.strategies import UNLIMITED, Options, make_strategy
from racewindow.strategies.replay import ReplayPicker
from racewindow.strategy import Picker, Strategy
from racewindow.trace import first_difference
from racewindow.virtual import real

_PROGRESS_SECONDS = 0.1
_COLLECT_EVERY = 50
"""Executions between two collections of the youngest generation; the collector is off while they run."""
_COMPARE_EARLY, _COMPARE_EVERY = frozenset({20, 200}), 1_000
"""Which executions are run twice on the record, to see whether a schedule gives one trace: these, and every 1,000th."""


_RELATIVE = (
    "the program sets deadlines relative to the time it reads; under the racing clock time is read at deadlines only, "
    "so a deadline computed from an instant between two others is not covered"
)


@dataclass(slots=True)
class _Tally:
    """What an exploration has counted so far."""

    executions: int = 0
    failing: int = 0
    steps: int = 0
    groups: dict[Group, Failure] = field(default_factory=dict)
    counts: Counter[Group] = field(default_factory=Counter)
    files: dict[Group, str | None] = field(default_factory=dict)
    untrusted: str = ""
    notes: dict[str, str] = field(default_factory=dict)
    """Things worth saying, once each, by what they are about."""


def explore(  # the options of an exploration; all but the target have defaults
    target: Target,
    *,
    strategy: str = "random",
    seed: int = 0,
    schedules: int | None = None,
    seconds: float | None = None,
    semantics: str | None = None,
    clock: str = "idle",
    preemptions: int | None = None,
    depth: int | None = None,
    safeguards: Sequence[str] | str | None = None,
    params: Mapping[str, Any] | None = None,
    feed: str | Path | None = None,
    feed_options: Mapping[str, Any] | None = None,
    footprints: bool | None = None,
    all_failures: bool = False,
    step_limit: int = 50_000,
    step_timeout: float = 10.0,
    out: str | Path | None = None,
    log: str | Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    target_name: str | None = None,
) -> Result:
    """Run `target` under many orders of events and report what fails.

    `target`: a scenario, or any async function without required arguments (or with one, the `Simulation`).
    `strategy`: a name of `racewindow.strategies.STRATEGIES`. `schedules`: executions at most (2,000 unless `seconds`
    is given; none for "dfs", which ends by itself). `seconds`: wall time at most. `preemptions`: for "dfs", the most in
    one execution. `depth`: for "pct", of the bugs that it looks for (3). `semantics`: "processes" (any runnable task
    may step next) or "trio" (only orders that trio's batches allow). `clock`: "idle" (time moves when nothing can run)
    or "racing" (at any decision).
    `safeguards`, `params`, `feed`: see `Scenario`. `footprints`: record what each step touches, on every execution.
    `all_failures`: go on after the first failure and count them by group. `step_limit`: steps of one execution before
    it is called a livelock. `step_timeout`: wall seconds of one step before it is called a hang. `out`: folder for
    failure files. `log`: file for the log of the reported failure, or of the default order if there is none.

    Raises UsageError (or InputError, its kin) for misuse, before anything has been run or written.
    """
    chosen = make_strategy(strategy, Options(seed=seed, preemptions=preemptions, depth=depth))
    budget = check_budget(schedules, seconds, step_limit, step_timeout, ends_by_itself=strategy in UNLIMITED)
    settings = make_settings(
        target,
        seed=seed,
        semantics=semantics,
        clock=clock,
        safeguards=safeguards,
        params=params,
        feed=feed,
        feed_options=feed_options,
        step_limit=step_limit,
        step_timeout=step_timeout,
    )
    exploration = _Exploration(
        settings,
        chosen,
        schedules=budget,
        seconds=seconds,
        footprints=bool(footprints),
        all_failures=all_failures,
        on_progress=on_progress,
        target_name=target_name or settings.scenario.name,
    )
    exploration.prepare_files(out, log)
    return exploration.run()


def replay(target: Target, schedule: Schedule, *, log: str | Path | None = None) -> Execution:
    """Run the one execution that a schedule names, with footprints on.

    Raises DivergenceError, saying where and what, if the schedule does not fit the code, and UsageError if its
    parameters, safeguards or feed do not fit the scenario.
    """
    settings = make_settings(
        target,
        seed=schedule.seed,
        semantics=schedule.semantics,
        clock=schedule.clock,
        safeguards=schedule.safeguards,
        params=schedule.params,
        feed=schedule.feed,
        feed_options=schedule.feed_options,
        **schedule.limits,  # type: ignore[arg-type]  # checked where the schedule is read
    )
    logfile = None if log is None else LogFile(log)
    try:
        with Watchdog(settings.step_timeout) as watchdog, Environment(footprints=True):
            session = Session(settings, watchdog)
            execution = session.replay(schedule, None if logfile is None else logfile.logger)
            if watchdog.interrupted:
                raise KeyboardInterrupt
            return execution
    finally:
        if logfile is not None:
            logfile.close()


class _Exploration:
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
        on_progress: Callable[[Progress], None] | None,
        target_name: str,
    ) -> None:
        self.settings, self.strategy = settings, strategy
        self.schedules, self.seconds = schedules, seconds
        self.footprints, self.all_failures = footprints, all_failures
        self.on_progress, self.target_name = on_progress, target_name
        self.tally = _Tally()
        self.out: Path | None = None
        self.logfile: LogFile | None = None
        self.exhausted = self.out_of_time = False
        self.started = self.reported = real.monotonic()

    def prepare_files(self, out: str | Path | None, log: str | Path | None) -> None:
        """Refuse a folder or file that cannot be written before anything is run."""
        if out is not None:
            from racewindow.failure_file import check_writable  # not needed without files

            self.out = Path(out)
            check_writable(self.out)
        if log is not None:
            self.logfile = LogFile(log)

    # --- the loop ---------------------------------------------------------------------------------------------------

    def run(self) -> Result:
        """Explore, then put the result together."""
        try:
            with Watchdog(self.settings.step_timeout) as watchdog:
                self.watchdog = watchdog
                with Environment(footprints=self.footprints):
                    self.session = Session(self.settings, watchdog)
                    self._loop()
                self._write_log()
        finally:
            if self.logfile is not None:
                self.logfile.close()
        return self._result()

    def _loop(self) -> None:
        tally = self.tally
        while self._may_go_on():
            number = tally.executions
            picker = self.strategy.start(number)
            if picker is None:
                self.exhausted = True
                return
            ran = self.session.run(picker, footprints=self.footprints)
            if self.watchdog.interrupted and ran.raw.end == STOPPED:
                return
            tally.executions += 1
            tally.steps += ran.raw.steps
            self.strategy.finished(None, ran.raw.steps)
            judged = ran.judged
            for name, why in judged.unknown:
                tally.notes.setdefault(name, f"{name} could not tell in at least one execution: {why}")
            if ran.raw.relative_deadlines:
                tally.notes.setdefault("racing", _RELATIVE)
            if judged.findings:
                self._failed(number, picker, ran)
            elif number % _COMPARE_EVERY == 0 or number in _COMPARE_EARLY:
                self._compare(picker)
            if tally.executions % _COLLECT_EVERY == 0:
                gc.collect(0)
            if self.on_progress is not None:
                self._report()

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
            tally = self.tally
            self.on_progress(
                Progress(tally.executions, tally.failing, tally.steps, now - self.started, self.schedules, self.seconds)
            )

    # --- failures ---------------------------------------------------------------------------------------------------

    def _failed(self, number: int, picker: Picker, ran: Ran) -> None:
        """Count a failing execution; confirm, keep and save those of its findings that are new."""
        tally = self.tally
        groups = ran.judged.groups
        if not groups <= tally.groups.keys():
            confirmed = self._confirm(picker, ran)
            if confirmed is None:
                return
            for failure in confirmed.failures:
                if failure.group not in tally.groups:
                    tally.groups[failure.group] = replace(failure, execution=number)
                    tally.files[failure.group] = self._save(tally.groups[failure.group])
        tally.failing += 1
        for group in groups:
            tally.counts[group] += 1

    def _confirm(self, picker: Picker, ran: Ran) -> Execution | None:
        """The execution again, on the record, then from its schedule alone; None if they are not the same."""
        with Environment(footprints=True):
            picker.restart()
            first = self.session.record(picker)
            if self.watchdog.interrupted and first.outcome == "hang":
                return None
            found = {finding.identity for finding in ran.judged.findings}
            if {failure.identity for failure in first.failures} != found:
                self.tally.untrusted = _not_the_same(found, first)
                return None
            schedule = self.settings.schedule(first.failures[0].schedule.deviations)
            return first if self._repeats(first, ReplayPicker(schedule)) else None

    def _compare(self, picker: Picker) -> None:
        """Run an execution that did not fail twice on the record: one schedule has to give one trace."""
        with Environment(footprints=True):
            picker.restart()
            first = self.session.record(picker)
            if first.failures and not self.watchdog.interrupted:
                self.tally.untrusted = _not_the_same(set(), first)
                return
            picker.restart()
            self._repeats(first, picker)

    def _repeats(self, first: Execution, picker: Picker) -> bool:
        try:
            second = self.session.record(picker)
        except DivergenceError as error:
            self.tally.untrusted = f"a schedule did not fit the execution that it was recorded from. {error}"
            return False
        if self.watchdog.interrupted and second.outcome == "hang":
            return False
        if first.digest != second.digest:
            index = first_difference(first.trace.steps, second.trace.steps)
            assert index is not None
            self.tally.untrusted = "nondeterminism: one schedule gave two different executions; " + first_divergence(
                first.trace, second.trace, index
            )
            return False
        if {f.identity for f in first.failures} != {f.identity for f in second.failures}:
            self.tally.untrusted = (
                "nondeterminism: one schedule gave two verdicts; "
                f"first {names_of({f.identity for f in first.failures})}, "
                f"then {names_of({f.identity for f in second.failures})}."
            )
            return False
        return True

    def _save(self, failure: Failure) -> str | None:
        if self.out is None:
            return None
        from racewindow.failure_file import save  # not needed without files

        try:
            return str(save(failure, self.out, target=self.target_name, scenario=self.settings.scenario).resolve())
        except InputError as error:  # a failure that was found must not be lost to a full disk
            self.tally.notes[str(error.what)] = f"the failure is reported here only: {error.what}"
            return None

    def _write_log(self) -> None:
        """The log of the gravest failure, or of the default order when there is none."""
        if self.logfile is None:
            return
        failures = self._failures()
        schedule = failures[0].schedule if failures else self.settings.schedule(())
        with Environment(footprints=True):
            self.session.replay(schedule, self.logfile.logger)

    # --- the result -------------------------------------------------------------------------------------------------

    def _failures(self) -> list[Failure]:
        """One per group, the gravest first: endings, then checkers in the order of their declaration."""
        rank = {each.name: position for position, each in enumerate(self.settings.scenario.checks)}
        return sorted(
            (replace(failure, count=self.tally.counts[group]) for group, failure in self.tally.groups.items()),
            key=lambda f: (f.checker is not None, rank.get(f.checker or "", 0), -f.count, f.class_ or ""),
        )

    def _is_complete(self, *, livelock: bool) -> bool:
        """Whether every order of events was run to its end: no bound, limit or doubt left anything out."""
        cut_short = livelock or any(failure.kind == "hang" for failure in self.tally.groups.values())
        return self.exhausted and self.strategy.exhaustive and not cut_short and not self.tally.untrusted

    def _result(self) -> Result:
        tally, settings = self.tally, self.settings
        failures = self._failures()
        livelock = any(failure.kind == "livelock" for failure in failures)
        bounds: dict[str, Bound] = {"step_limit": Bound(settings.steps_max, livelock)}
        if self.schedules is not None:
            bounds["schedules"] = Bound(self.schedules, tally.executions >= self.schedules)
        if self.seconds is not None:
            bounds["seconds"] = Bound(self.seconds, self.out_of_time)
        preemptions = getattr(self.strategy, "preemptions", None)
        if preemptions is not None:
            bounds["preemptions"] = Bound(preemptions, self.strategy.bound_reached)
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
            seconds=real.monotonic() - self.started,
            failures=tuple(failures),
            files=tuple(tally.files.get(f.group) for f in failures),
            bounds=bounds,
            complete=self._is_complete(livelock=livelock),
            params=settings.params,
            safeguards=settings.safeguards,
            untrusted=tally.untrusted,
            interrupted=self.watchdog.interrupted,
            notes=(*settings.feed_notes, *tally.notes.values(), *platform_notes()),
        )


def _not_the_same(found: set[Identity], again: Execution) -> str:
    return (
        "the same execution was run twice and did not fail in the same way: "
        f"first {names_of(found)}, then {names_of({f.identity for f in again.failures})}."
    )
