"""`racewindow explore`: from its options to an exploration, and from its result to text or JSON and an exit status."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from racewindow.cli_options import assignments, fault_plan, feed_of, positive_seconds, whole_number
from racewindow.cli_output import emit, emit_json, program_output_to, shown_path
from racewindow.cli_pages import check_report, write_report

if TYPE_CHECKING:
    from racewindow.result import Result

NOTHING, FOUND, UNTRUSTED, INTERRUPTED = 0, 1, 3, 130
_NOTHING_TO_RUN = "it is the number of executions to run, so it has to be at least 1."
_NO_STEPS = "it is how many steps one execution may take, so it has to be at least 1."

_NO_PREEMPTIONS = "it is how often an execution may leave a task that could go on, so it has to be at least 0."
_NO_BUDGET = "it is how many faults may strike in one execution, so it has to be at least 0."
_NO_DEPTH = "it is the number of ordering constraints that a bug needs, so it has to be at least 1."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of the command as they were typed, None or empty where they were not."""

    target: str
    strategy: str
    schedules: str | None
    seconds: str | None
    seed: str
    semantics: str | None
    clock: str
    preemptions: str | None
    depth: str | None
    no_shrink: bool
    safeguards: str | None
    settings: list[str]
    feed: str | None
    allow_negative_prices: bool
    all_failures: bool
    footprints: bool | None
    require_coverage: bool
    explain: bool
    step_limit: str | None
    log: str | None
    report: str | None
    faults: str | None
    fault: list[str]
    out: str
    as_json: bool
    quiet: bool


def explore(asked: Asked) -> int:
    """Explore as asked, print the result, and return the exit status.

    Raises UsageError before anything has been run or written.
    """
    schedules = whole_number("--schedules", asked.schedules, least=1, why=_NOTHING_TO_RUN)
    seconds = positive_seconds("--seconds", asked.seconds)
    seed = whole_number("--seed", asked.seed)
    step_limit = whole_number("--step-limit", asked.step_limit, least=1, why=_NO_STEPS)
    limits: dict[str, Any] = {} if step_limit is None else {"step_limit": step_limit}
    preemptions = whole_number("--preemptions", asked.preemptions, least=0, why=_NO_PREEMPTIONS, such_as=2)
    depth = whole_number("--depth", asked.depth, least=1, why=_NO_DEPTH, such_as=3)
    params = assignments("--set", asked.settings)
    budget = whole_number("--faults", asked.faults, least=0, why=_NO_BUDGET, such_as=1)

    from racewindow import explorer
    from racewindow.log import check_log
    from racewindow.progress_view import ProgressView
    from racewindow.target import resolve

    with program_output_to(sys.stderr):
        scenario, target = resolve(asked.target)
        feed = feed_of(scenario, asked.feed, allow_negative_prices=asked.allow_negative_prices)
    if asked.log is not None:
        check_log(asked.log)
    check_report(asked.report)
    with ProgressView(sys.stderr, wanted=not asked.quiet) as live, program_output_to(None):
        result = explorer.explore(
            scenario,
            strategy=asked.strategy,
            seed=seed or 0,
            schedules=schedules,
            seconds=seconds,
            semantics=asked.semantics,
            clock=asked.clock,
            preemptions=preemptions,
            depth=depth,
            safeguards=asked.safeguards,
            params=params,
            footprints=asked.footprints,
            faults=fault_plan(scenario, asked.fault, budget),
            all_failures=asked.all_failures,
            require_coverage=asked.require_coverage or None,
            shrink=not asked.no_shrink,
            explain=asked.explain,
            out=asked.out,
            log=asked.log,
            on_progress=live.exploring(scenario.name),
            target_name=target,
            **feed,
            **limits,
        )
    result = replace(result, files=tuple(None if file is None else str(Path(file).absolute()) for file in result.files))
    _show(result, asked)
    if result.interrupted:
        return INTERRUPTED
    return {"failure": FOUND, "untrusted": UNTRUSTED}.get(result.verdict, NOTHING)


def _show(result: Result, asked: Asked) -> None:
    """Print it, with its pages written before if they were asked for."""
    from racewindow.report import result_text

    page = None if asked.report is None else write_report(result, asked.report, asked.feed)
    if asked.as_json:
        emit_json(result.as_dict() | ({} if page is None else {"report": str(Path(page).absolute())}))
        return
    emit(result_text(result, files=[shown_path(file) for file in result.files], feed=asked.feed))
    if page is not None:
        emit(f"\nReport: {page}")
