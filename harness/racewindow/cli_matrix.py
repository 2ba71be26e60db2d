"""`racewindow matrix`: which sets of safeguards close what."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from racewindow.cli_options import assignments, fault_plan, feed_of, positive_seconds, whole_number
from racewindow.cli_output import emit, emit_json, program_output_to
from racewindow.cli_pages import check_report, write_matrix
from racewindow.errors import UsageError

if TYPE_CHECKING:
    from racewindow.matrix_search import MatrixProgress
    from racewindow.progress_panel import Panel
    from racewindow.scenarios import Scenario

DONE, INTERRUPTED = 0, 130
_NOTHING_TO_RUN = "it is the number of executions for each set, so it has to be at least 1."
_NO_BUDGET = "it is how many faults may strike in one execution, so it has to be at least 0."
_NO_STEPS = "it is how many steps one execution may take, so it has to be at least 1."


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
    safeguards: str | None
    settings: list[str]
    feed: str | None
    allow_negative_prices: bool
    faults: str | None
    fault: list[str]
    step_limit: str | None
    everything: bool
    as_json: bool
    as_csv: bool
    as_markdown: bool
    report: str | None
    quiet: bool


def matrix(asked: Asked) -> int:
    """Make the matrix as asked, print it, and return the exit status.

    Raises UsageError before anything has been run.
    """
    forms = {"--json": asked.as_json, "--csv": asked.as_csv, "--markdown": asked.as_markdown}
    given = [name for name, wanted in forms.items() if wanted]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} cannot go together.", do="give one of them.")
    schedules = whole_number("--schedules", asked.schedules, least=1, why=_NOTHING_TO_RUN)
    seconds = positive_seconds("--seconds", asked.seconds)
    seed = whole_number("--seed", asked.seed)
    step_limit = whole_number("--step-limit", asked.step_limit, least=1, why=_NO_STEPS)
    limits: dict[str, Any] = {} if step_limit is None else {"step_limit": step_limit}
    params = assignments("--set", asked.settings)
    budget = whole_number("--faults", asked.faults, least=0, why=_NO_BUDGET, such_as=1)

    from racewindow import matrix_search
    from racewindow.progress_view import ProgressView
    from racewindow.report_matrix import matrix_csv, matrix_markdown, matrix_text
    from racewindow.target import resolve

    with program_output_to(sys.stderr):
        scenario, target = resolve(asked.target)
        feed = feed_of(scenario, asked.feed, allow_negative_prices=asked.allow_negative_prices)
    check_report(asked.report)
    with ProgressView(sys.stderr, wanted=not asked.quiet) as live, program_output_to(None):
        found = matrix_search.matrix(
            scenario,
            safeguards=asked.safeguards,
            strategy=asked.strategy,
            seed=seed or 0,
            schedules=schedules,
            seconds=seconds,
            everything=asked.everything,
            semantics=asked.semantics,
            clock=asked.clock,
            params=params,
            faults=fault_plan(scenario, asked.fault, budget),
            on_progress=lambda told: live.show(
                partial(progress_panel, scenario.name, told), partial(progress_line, told)
            ),
            target_name=target,
            **feed,
            **limits,
        )
    again = _again(asked)
    page = None if asked.report is None else write_matrix(found, asked.report, _meanings(scenario), again)
    if asked.as_json:
        emit_json(found.as_dict() | ({} if page is None else {"report": str(Path(page).absolute())}))
    elif asked.as_csv:
        emit(matrix_csv(found).rstrip("\n"))
    else:
        emit((matrix_markdown if asked.as_markdown else matrix_text)(found, again))
        if page is not None and not asked.as_markdown:
            emit(f"\nReport: {page}")
    return INTERRUPTED if found.interrupted else DONE


def _meanings(scenario: Scenario) -> dict[str, str]:
    """What each safeguard does, and what each checker demands."""
    from racewindow.checkers import demand_of

    return {**{check.name: demand_of(check) for check in scenario.checks}, **scenario.safeguards}


def progress_line(progress: MatrixProgress, width: int = 80) -> str:
    """Which set is run, and how long it may still take."""
    from racewindow.progress import duration

    current, rest = progress.current, _seconds_left(progress)
    parts = [
        _which(progress),
        "" if current is None else f"{current.executions:,} executions, {current.failing:,} failed",
        "" if rest is None else f"{duration(rest)} left",
        "+".join(progress.on) or "no safeguard",
    ]
    return "  ".join(filter(None, parts))[:width]


def progress_panel(name: str, progress: MatrixProgress) -> Panel:
    """The same as a panel, with the exploration of that set."""
    from racewindow.progress import duration, passed
    from racewindow.progress_panel import Panel, Row, exploration_rows

    current, rest = progress.current, _seconds_left(progress)
    rows = (
        Row("safeguards", f"{_which(progress)}: {'+'.join(progress.on) or 'none'}"),
        *(() if current is None else exploration_rows(current)),
        Row("time", f"{passed(progress.seconds)} so far" + ("" if rest is None else f", about {duration(rest)} left")),
    )
    return Panel(f"{name} · matrix", rows)


def _which(progress: MatrixProgress) -> str:
    return f"set {progress.done + 1:,} of about {progress.done + progress.left:,}"


def _seconds_left(progress: MatrixProgress) -> float | None:
    """As long as the sets so far took each, and no longer than there is time; None if neither is known."""
    done, limit = progress.done, progress.seconds_limit
    rest = [progress.seconds / done * progress.left] if done else []
    rest += [] if limit is None else [limit - progress.seconds]
    return max(0.0, min(rest)) if rest else None


def _again(asked: Asked) -> str:
    """The command as it could be typed again, without the form of its output."""
    words = ["racewindow", "matrix", asked.target]
    if asked.strategy != "auto":
        words += ["--strategy", asked.strategy]
    for option, value in (
        ("--schedules", asked.schedules),
        ("--seconds", asked.seconds),
        ("--semantics", asked.semantics),
        ("--safeguards", asked.safeguards),
        ("--feed", asked.feed),
        ("--faults", asked.faults),
        ("--step-limit", asked.step_limit),
    ):
        words += [] if value is None else [option, value]
    words += [] if asked.seed == "0" else ["--seed", asked.seed]
    words += [] if asked.clock == "idle" else ["--clock", asked.clock]
    words += [word for each in asked.settings for word in ("--set", each)]
    words += [word for each in asked.fault for word in ("--fault", each)]
    words += ["--allow-negative-prices"] if asked.allow_negative_prices else []
    words += ["--everything"] if asked.everything else []
    return shlex.join(words)
