"""A session: one scenario with its settings, able to run any execution of it, plainly or on the record.

Between the explorer, which decides how many executions to run, and the runtime, which runs one and knows nothing of
scenarios. A session lives inside the runtime's `Environment`.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import trio

from racewindow.checkers import History, observed_by
from racewindow.events import Event
from racewindow.failure import Execution, Failure
from racewindow.host import Host
from racewindow.judging import CLEAN, Judged, brief_ending, judge_execution
from racewindow.log import null_logger
from racewindow.runtime.execution import STOPPED, Raw, run_once
from racewindow.runtime.faulting import Faulting
from racewindow.runtime.gates import put_gates
from racewindow.runtime.guided import CUT, AskingGuide, run_guided
from racewindow.runtime.location import Locator
from racewindow.runtime.loop import FINISHED, DecidedLoop
from racewindow.runtime.recorder import Recorder, display_names
from racewindow.runtime.runner import SimRunner
from racewindow.runtime.trail_recorder import Tables, TrailRecorder
from racewindow.runtime.walk import run_walk
from racewindow.runtime.watchdog import Watchdog
from racewindow.scenarios import Prepared, Simulation
from racewindow.schedule import Deviation, Schedule
from racewindow.settings import Settings
from racewindow.story import story_of
from racewindow.strategies.fault_sampling import unwrapped
from racewindow.strategies.random_walk import RandomPicker
from racewindow.strategies.replay import DecisionLog, ReplayPicker
from racewindow.strategy import Picker
from racewindow.trace import Trace
from racewindow.trail import Trail
from racewindow.wording import deviation_text

MakeLogger = Callable[[Callable[[], tuple[int, str, int]]], Any]
MakeRecorder = Callable[[Picker], Recorder]


class Ran(NamedTuple):
    """One execution, judged but not on the record."""

    raw: Raw
    judged: Judged
    events: Sequence[Event] = ()
    faulting: Faulting | None = None
    """What faults did, if any may strike."""

    @property
    def trail(self) -> Trail | None:
        """What it left for the strategy, if footprints were on."""
        recorder = self.raw.recorder
        return recorder.trail() if isinstance(recorder, TrailRecorder) else None

    @property
    def trace_number(self) -> int | None:
        """A number for its Mazurkiewicz trace; None with footprints off."""
        recorder = self.raw.recorder
        return recorder.trace_number() if isinstance(recorder, TrailRecorder) else None


class Session:
    """See the module's docstring. `locator` and `table` are shared, so that traces of one session can be compared."""

    def __init__(self, settings: Settings, watchdog: Watchdog | None = None) -> None:
        self.settings = settings
        self.watchdog = watchdog
        self.tables = Tables()
        self.locator = Locator(folder_of(settings.scenario.function))
        self.probe_stopped = False
        """A step that was run only to learn what it touches did not come back."""
        self._silence = null_logger()
        self._trio = settings.semantics == "trio"
        self._racing = settings.clock == "racing"
        self._always_full = False
        self._seed = settings.seed
        prepares = settings.scenario.prepare is not None
        self._plain_main = None if prepares or settings.scenario.wants_simulation else _with_params(settings)
        self._prepares = prepares
        self._unchecked = not settings.scenario.checks
        self._fault_names = tuple(each.text for each in settings.faults.faults)
        self._faulting: Faulting | None = None
        """Of the execution run last."""
        self._observes = observed_by(settings.scenario.checks)

    # --- running ----------------------------------------------------------------------------------------------------

    def run(self, picker: Picker, *, footprints: bool = False, looks_ahead: bool = False) -> Ran:
        """Run one execution and judge it; with footprints, it leaves a trail in `raw.recorder`."""
        host = self._host()
        if hasattr(picker, "prefix"):
            raw = self._run(picker, host, self._guided_recorder, None)
        elif footprints:
            make: MakeRecorder = lambda _: TrailRecorder(self.tables, self.locator, looks_ahead=looks_ahead)  # noqa: E731
            raw = self._walk(picker, host, make) or self._run(picker, host, make, None)
        else:
            raw = self._walk(picker, host, None) or self._run(picker, host, None, None)
        if raw.end == CUT:
            return Ran(raw, CLEAN, host.events, self._faulting)
        brief = self._unchecked and host.marks is None
        judged = brief_ending(raw) if brief else self._judge(raw, host, None)
        return Ran(raw, judged, host.events, self._faulting)

    def _new_faulting(self, picker: Picker) -> Faulting | None:
        """What makes the fault decisions of an execution that is about to begin; None if none may strike."""
        faults = self.settings.faults
        self._faulting = Faulting(faults, picker.pick_fault) if faults else None  # type: ignore[attr-defined]
        return self._faulting

    def _walk(self, picker: Picker, host: Host, make_recorder: MakeRecorder | None) -> Raw | None:
        """`_run` where the specialised loop will do, without what it does not need; None where it will not."""
        words = picker.words
        if words is None or self._trio or self._racing or self._always_full or self._prepares:
            return None
        if self.settings.constraints:
            return None
        watchdog, steps_max = self.watchdog, self.settings.steps_max
        recorder = None if make_recorder is None else make_recorder(picker)

        def drive(runner: SimRunner) -> str:
            host.start(runner)
            if watchdog is not None:
                watchdog.runner = runner
            try:
                return run_walk(runner, words, steps_max)
            finally:
                host.over = True

        try:
            raw = run_once(
                self._plain_main or self._prepared(host, self._silence).main,
                (),
                drive,
                picker.pick_value,
                seed=self._seed,
                faulting=self._new_faulting(picker),
                recorder=recorder,
            )
        finally:
            if watchdog is not None:
                watchdog.runner = None
        if raw is None:
            self._always_full = True  # the next one will need it as well; both forms make the same decisions
            picker.restart()
        elif isinstance(recorder, TrailRecorder) and isinstance(walker := unwrapped(picker), RandomPicker):
            walker.options = (walker.options or 1) * recorder.options
        return raw

    def record(
        self, picker: Picker, make_logger: MakeLogger | None = None, make_recorder: MakeRecorder | None = None
    ) -> Execution:
        """Run one execution with footprints on; `Execution.failures` carry the schedule that repeats it."""
        host, log = self._host(), DecisionLog(picker)
        raw = self._run(log, host, make_recorder or self._plain_recorder, make_logger)
        assert raw.recorder is not None
        trace = raw.recorder.trace(self._fault_names)
        judged = self._judge(raw, host, trace)
        return self._execution(raw, host, trace, judged, log.deviations)

    def replay(
        self, schedule: Schedule, make_logger: MakeLogger | None = None, make_recorder: MakeRecorder | None = None
    ) -> Execution:
        """Follow a schedule to its end; raises DivergenceError where it does not fit."""
        picker = ReplayPicker(schedule)
        execution = self.record(picker, make_logger, make_recorder)
        picker.check_followed(to_the_end=execution.outcome not in ("hang", "livelock"))
        return execution

    def survey(self) -> tuple[set[str], Faulting]:
        """Run the default order with no fault: the names of its tasks, and what came to which fault points."""
        execution = self.record(ReplayPicker(self.settings.schedule(())))
        assert self._faulting is not None
        return {step.name for step in execution.trace.steps}, self._faulting

    def observe(self, picker: Picker, make_recorder: MakeRecorder) -> Raw:
        """Run one execution for a recorder of the caller's."""
        return self._run(picker, self._host(), make_recorder, None)

    def probe(self, picker: Any) -> Trail:
        """Run an execution that is led by a search and judged by nobody."""
        raw = self._run(picker, self._host(), self._guided_recorder, None)
        self.probe_stopped = self.probe_stopped or raw.end == STOPPED
        assert isinstance(raw.recorder, TrailRecorder)
        return raw.recorder.trail()

    def _host(self) -> Host:
        return Host(self.locator, self._observes)

    def _plain_recorder(self, _picker: Picker) -> Recorder:
        return Recorder(self.tables.keys, self.locator)

    def _guided_recorder(self, picker: Any) -> TrailRecorder:
        return TrailRecorder(self.tables, self.locator, prefix=picker.prefix, keys=picker.keys.copy())

    def _run(
        self,
        picker: Picker,
        host: Host,
        make_recorder: MakeRecorder | None,
        make_logger: MakeLogger | None,
    ) -> Raw:
        """Run in the lean form, and again in the full one if that is needed."""
        recorder = None if make_recorder is None else make_recorder(picker)
        # A replay in a new session begins in the lean form, too; only a search does not, as long as nobody is told.
        leads = hasattr(picker, "prefix")
        raw = self._attempt(picker, host, recorder, make_logger, full=leads and self._always_full)
        if raw is None:
            if leads:
                self._always_full = True
                picker.rewind()  # type: ignore[attr-defined]
            else:
                picker.restart()
            again = None if make_recorder is None else make_recorder(picker)
            raw = self._attempt(picker, host, again, make_logger, full=True)
            assert raw is not None
        return raw

    def _attempt(
        self, picker: Picker, host: Host, recorder: Recorder | None, make_logger: MakeLogger | None, *, full: bool
    ) -> Raw | None:
        def started(runner: SimRunner) -> None:
            host.start(runner)
            put_gates(runner, self.settings.constraints, self.locator)
            if self.watchdog is not None:
                self.watchdog.runner = runner

        def drive(runner: SimRunner) -> str:
            steps_max = self.settings.steps_max
            if hasattr(picker, "prefix") and isinstance(recorder, TrailRecorder):
                end = run_guided(runner, picker, steps_max, racing=self._racing)  # type: ignore[arg-type]
            elif isinstance(recorder, TrailRecorder) and not (full or self._trio):
                guide = AskingGuide(picker.pick_task)  # type: ignore[arg-type]  # a SimTask is all that a Task is, and more
                end = run_guided(runner, guide, steps_max, racing=self._racing)
            else:
                end = DecidedLoop(
                    runner,
                    picker.pick_task,  # type: ignore[arg-type]
                    batches=self._trio,
                    racing=self._racing,
                    steps_max=steps_max,
                ).run()
            if recorder is not None:
                recorder.finish(runner)
            return end

        def drive_to_the_end(runner: SimRunner) -> str:
            try:
                return drive(runner)
            finally:
                host.over = True

        prepared = self._prepared(host, self._silence if make_logger is None else make_logger(host.place))
        full = full or prepared.clock is not None or bool(prepared.instruments)
        try:
            return run_once(
                prepared.main,
                (),
                drive_to_the_end,
                picker.pick_value,
                seed=self.settings.seed,
                full=full,
                clock=prepared.clock,
                instruments=prepared.instruments,
                faulting=self._new_faulting(picker),
                recorder=recorder,
                on_start=started,
            )
        finally:
            if self.watchdog is not None:
                self.watchdog.runner = None

    def _prepared(self, host: Host, logger: Any) -> Prepared:
        """What is run in an execution that is about to begin."""
        if self._plain_main is not None:
            return Prepared(self._plain_main)
        scenario, params = self.settings.scenario, self.settings.params
        sim = Simulation(
            host,
            known=scenario.safeguards,
            on=frozenset(self.settings.safeguards),
            feed=self.settings.feed,
            log=logger,
        )
        prepared = None if scenario.prepare is None else scenario.prepare(sim)
        if prepared is not None and not scenario.wants_simulation:
            return prepared

        async def main() -> None:
            async with trio.open_nursery() as nursery:
                host.nursery = nursery
                await (scenario.function(sim, **params) if prepared is None else prepared.main())

        main.__qualname__ = main.__name__ = getattr(scenario.function, "__name__", "main")
        return Prepared(main) if prepared is None else prepared._replace(main=main)

    # --- judging ----------------------------------------------------------------------------------------------------

    def _judge(self, raw: Raw, host: Host, trace: Trace | None) -> Judged:
        checks = self.settings.scenario.checks
        history = (
            _EMPTY
            if not checks and host.marks is None
            else History(
                events=host.emitted,
                params=self.settings.params,
                safeguards=frozenset(self.settings.safeguards),
                feed=self.settings.feed,
                end_ns=raw.now_ns,
                finished=raw.end == FINISHED and raw.error is None,
            )
        )
        return judge_execution(
            raw,
            checks,
            history,
            locator=self.locator,
            steps_max=self.settings.steps_max,
            step_timeout=self.settings.step_timeout,
            trace=trace,
            marks=host.marks,
        )

    def _execution(self, raw: Raw, host: Host, trace: Trace, judged: Judged, deviations: list[Deviation]) -> Execution:
        assert raw.recorder is not None
        names = display_names([task for task, *_ in raw.recorder.raw] + list(raw.left))
        schedule = self.settings.schedule(deviations)
        token = self.settings.token(schedule) if judged.findings else ""
        texts = tuple(deviation_text(each, names) for each in deviations)
        struck = tuple(text for each, text in zip(deviations, texts, strict=True) if each.kind == "fault")
        events = tuple(host.events)
        # Only events that a scenario narrates make a story; a plain program has none, and its trace is for `--step`.
        times = {finding.time_ns for finding in judged.findings if finding.checker}
        story = story_of(events, self.settings.scenario.narrate, times) if judged.findings and events else ()
        digest = trace.digest
        failures = tuple(
            Failure(
                kind=finding.kind,
                message=finding.message,
                schedule=schedule,
                checker=finding.checker,
                class_=finding.class_,
                subject=finding.subject,
                time_ns=finding.time_ns,
                evidence=finding.evidence,
                trace=trace,
                events=events,
                deviations=texts,
                faults=struck,
                digest=digest,
                story=story,
                token=token,
                others=tuple(o.message.partition("\n")[0] for o in judged.findings if o is not finding),
            )
            for finding in judged.findings
        )
        return Execution(
            outcome=failures[0].kind if failures else "ok",
            failures=failures,
            trace=trace,
            events=events,
            digest=digest,
            steps=raw.steps,
            unknown=judged.unknown,
        )


_EMPTY = History(())


def _with_params(settings: Settings) -> Callable[[], Awaitable[object]]:
    function = settings.scenario.function
    return functools.partial(function, **settings.params) if settings.params else function


def folder_of(defined: Callable[..., object]) -> str:
    """The folder of the file that a function or a class was written in, "" if there is none.

    As the interpreter names it, links and all: that is how its frames name their files, which are told relative to it.
    """
    try:
        source = inspect.getsourcefile(inspect.unwrap(defined))
    except (TypeError, OSError):  # of the interpreter itself, or typed into it
        return ""
    return os.path.dirname(os.path.abspath(source)) if source else ""  # noqa: PTH100, PTH120
