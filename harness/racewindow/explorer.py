"""The three calls that everything else rests on: explore many orders of events, replay one, and make it small."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from racewindow.budget import Progress, ShrinkProgress, check_budget, check_shrink_limits
from racewindow.constraint_check import check_constraints
from racewindow.constraints import Before
from racewindow.coverage import Required, counted_with, missed_of, required_of
from racewindow.errors import NotReproducedError
from racewindow.exploration import Exploration
from racewindow.failure import Execution, Failure
from racewindow.faults import Fault, FaultPlan
from racewindow.judging import names_of
from racewindow.log import LogFile
from racewindow.result import Result
from racewindow.runtime.execution import Environment
from racewindow.runtime.watchdog import Watchdog
from racewindow.scenarios import Scenario
from racewindow.schedule import Schedule
from racewindow.session import Session
from racewindow.settings import Target, make_settings, settings_of
from racewindow.shrinker import Shrinker
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
    faults: FaultPlan | Fault | int | None = None,
    footprints: bool | None = None,
    all_failures: bool = False,
    shrink: bool = True,
    step_limit: int = 50_000,
    step_timeout: float = 10.0,
    constraints: Sequence[Before | str] = (),
    explain: bool = False,
    out: str | Path | None = None,
    log: str | Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    target_name: str | None = None,
    require_coverage: bool | Sequence[str] | None = None,
) -> Result:
    """Run `target` under many orders of events and report what fails.

    `target`: a scenario, or any async function without required arguments (or with one, the `Simulation`).
    `strategy`: a name of `racewindow.strategies.STRATEGIES`. `schedules`: executions at most (2,000 unless `seconds`
    is given; none for "dfs" and "dpor", which end by themselves). `seconds`: wall time at most. `preemptions`: for
    "dfs", the most in one execution. `depth`: for "pct" and "auto", of the bugs that it looks for (3). `semantics`:
    "processes" (any runnable task may step next) or "trio" (only orders that trio's batches allow). `clock`: "idle"
    (time moves when nothing can run) or "racing" (at any decision).
    `safeguards`, `params`, `feed`: see `Scenario`. `faults`: what may strike, a plan, or a budget for those that the
    scenario declares; None for no faults. `footprints`: record what each step touches, on every execution.
    `all_failures`: go on after the first failure and count them by group. `shrink`: make what was found
    smaller (at most 10 s, or a quarter of `seconds`, beside the budget). `step_limit`: steps of one execution before
    it is called a livelock. `step_timeout`: wall seconds of one step before it is called a hang. `constraints`: orders
    to keep, see `racewindow.before`; what they leave out is not run. `explain`: find out why the first failure happens
    and what closes it, as `racewindow.explain` does, but briefly. `out`: folder for failure files. `log`: file for the
    log of the reported failure, or of the default order if there is none.
    `require_coverage`: what happens `sometimes`, by name or True for all of it, has to be reached, else the verdict is
    "failure"; the scenario's own declaration unless given. Not judged if a failure or Ctrl-C cut the exploration off.

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
        faults=faults,
        constraints=constraints,
    )
    check_constraints(settings)
    required = required_of(settings.scenario.require_coverage if require_coverage is None else require_coverage)
    options = Options(seed=seed, preemptions=preemptions, depth=depth, semantics=settings.semantics, schedules=budget)
    exploration = Exploration(
        settings,
        make_strategy(strategy, options),
        schedules=budget,
        seconds=seconds,
        footprints=bool(footprints) or strategy in ALWAYS_FOOTPRINTS,
        all_failures=all_failures,
        shrink=shrink,
        on_progress=on_progress,
        target_name=target_name or settings.scenario.name,
    )
    exploration.keeper.prepare(out, log)
    result = _covered(exploration.run(), required, all_failures=all_failures)
    if not explain or not result.failures or result.interrupted:
        return result
    return _explained(result, settings.scenario, exploration.progress_at_end, on_progress)


def _covered(result: Result, required: Required, *, all_failures: bool) -> Result:
    """The same with what had to be reached and was not, unless something has cut the exploration off."""
    reached = counted_with(result.sometimes, required)
    cut_off = result.interrupted or (result.failures and not all_failures)
    return replace(result, sometimes=reached, missed=() if cut_off else missed_of(reached, required))


def _explained(
    result: Result, scenario: Scenario, so_far: Progress, on_progress: Callable[[Progress], None] | None
) -> Result:
    """The same with an explanation of the first failure; nothing else of it changes."""
    from racewindow.explainer import explain_briefly  # not needed as long as nothing fails

    def report(progress: Progress) -> None:
        assert on_progress is not None
        on_progress(replace(so_far, explaining=progress.executions))

    first, *others = result.failures
    try:
        explained = explain_briefly(scenario, first, None if on_progress is None else report)
        return replace(result, failures=(explained, *others))
    except KeyboardInterrupt:
        return replace(result, interrupted=True)


def replay(target: Target, schedule: Schedule, *, log: str | Path | None = None) -> Execution:
    """Run the one execution that a schedule names, with footprints on.

    Raises DivergenceError, saying where and what, if the schedule does not fit the code, and UsageError if its
    parameters, safeguards or feed do not fit the scenario.
    """
    settings = settings_of(target, schedule)
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


def shrink(
    target: Target,
    failure: Failure,
    *,
    tries: int | None = None,
    seconds: float | None = None,
    on_progress: Callable[[ShrinkProgress], None] | None = None,
) -> Failure:
    """Make the schedule of a failure as small as can be, as long as it fails in the same way.

    `tries`: executions at most (5,000). `seconds`: wall time at most (10). The failure that comes back has been
    replayed twice from its schedule; its `shrunk` says what it was before, and what ended it if that was not its end:
    a limit, or Ctrl-C. Deterministic but for the seconds, and never larger than what was given.

    Raises NotReproducedError, a UsageError, if it does not happen any more, and DivergenceError if its schedule does
    not fit the code.
    """
    limits = check_shrink_limits(tries, seconds)
    settings = settings_of(target, failure.schedule)
    with Watchdog(settings.step_timeout) as watchdog, Environment():
        with Environment(footprints=True):
            execution = Session(settings, watchdog).replay(failure.schedule)
        if watchdog.interrupted:
            raise KeyboardInterrupt
        found = next((each for each in execution.failures if each.identity == failure.identity), None)
        if found is None:
            raise NotReproducedError(
                "there is nothing to shrink: the failure does not happen any more.",
                why=f"recorded was {names_of([failure.identity])}; "
                f"now its schedule gives {names_of(each.identity for each in execution.failures)}.",
                do="explore again, and shrink what is found then.",
            )
        found = replace(found, execution=failure.execution, count=failure.count)
        return Shrinker(settings, watchdog, on_progress).shrink(found, limits)
