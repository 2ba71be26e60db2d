"""The two calls that everything else rests on: explore many orders of events, and replay one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from racewindow.budget import Progress, check_budget
from racewindow.constraint_check import check_constraints
from racewindow.constraints import Before
from racewindow.exploration import Exploration
from racewindow.failure import Execution
from racewindow.log import LogFile
from racewindow.result import Result
from racewindow.runtime.execution import Environment
from racewindow.runtime.watchdog import Watchdog
from racewindow.scenarios import Scenario
from racewindow.schedule import Schedule
from racewindow.session import Session
from racewindow.settings import Target, make_settings
from racewindow.strategies import ALWAYS_FOOTPRINTS, UNLIMITED, Options, make_strategy


def explore(  # the options of an exploration; all but the target have defaults
    target: Target,
    *,
    strategy: str = "auto",
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
    constraints: Sequence[Before | str] = (),
    explain: bool = False,
    out: str | Path | None = None,
    log: str | Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    target_name: str | None = None,
) -> Result:
    """Run `target` under many orders of events and report what fails.

    `target`: a scenario, or any async function without required arguments (or with one, the `Simulation`).
    `strategy`: a name of `racewindow.strategies.STRATEGIES`. `schedules`: executions at most (2,000 unless `seconds`
    is given; none for "dfs" and "dpor", which end by themselves). `seconds`: wall time at most. `preemptions`: for
    "dfs", the most in one execution. `depth`: for "pct" and "auto", of the bugs that it looks for (3). `semantics`:
    "processes" (any runnable task may step next) or "trio" (only orders that trio's batches allow). `clock`: "idle"
    (time moves when nothing can run) or "racing" (at any decision).
    `safeguards`, `params`, `feed`: see `Scenario`. `footprints`: record what each step touches, on every execution.
    `all_failures`: go on after the first failure and count them by group. `step_limit`: steps of one execution before
    it is called a livelock. `step_timeout`: wall seconds of one step before it is called a hang. `constraints`: orders
    to keep, see `racewindow.before`; what they leave out is not run. `explain`: find out why the first failure happens
    and what closes it, as `racewindow.explain` does, but briefly. `out`: folder for failure files. `log`: file for the
    log of the reported failure, or of the default order if there is none.

    Raises UsageError (or InputError, its kin) for misuse, before anything has been run or written.
    """
    budget = check_budget(schedules, seconds, step_limit, step_timeout, ends_by_itself=strategy in UNLIMITED)
    make_strategy(strategy, Options(preemptions=preemptions, depth=depth))  # a mistake there is told before the others
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
        constraints=constraints,
    )
    check_constraints(settings)
    options = Options(seed=seed, preemptions=preemptions, depth=depth, semantics=settings.semantics, schedules=budget)
    exploration = Exploration(
        settings,
        make_strategy(strategy, options),
        schedules=budget,
        seconds=seconds,
        footprints=bool(footprints) or strategy in ALWAYS_FOOTPRINTS,
        all_failures=all_failures,
        on_progress=on_progress,
        target_name=target_name or settings.scenario.name,
    )
    exploration.prepare_files(out, log)
    result = exploration.run()
    return _explained(result, settings.scenario) if explain and result.failures and not result.interrupted else result


def _explained(result: Result, scenario: Scenario) -> Result:
    """The same with an explanation of the first failure; nothing else of it changes."""
    from racewindow.explainer import explain_briefly  # not needed as long as nothing fails

    first, *others = result.failures
    try:
        return replace(result, failures=(explain_briefly(scenario, first), *others))
    except KeyboardInterrupt:
        return replace(result, interrupted=True)


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
        constraints=schedule.constraints,
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
