"""From a recorded failure to its picture: replayed, explained, and run in the other order."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Callable
from dataclasses import replace

from racewindow import explainer
from racewindow.budget import Progress
from racewindow.causal_story import violating_step
from racewindow.display import shown_of
from racewindow.errors import DivergenceError, UsageError
from racewindow.explanation import Explanation, RacingPair
from racewindow.failure import Execution
from racewindow.failure_file import StoredFailure, own_version, version_of
from racewindow.picture import Line, Picture, line_of
from racewindow.report_layout import counted
from racewindow.reversing import reversal_of
from racewindow.scenarios import Scenario
from racewindow.settings import settings_of
from racewindow.stepping import Walk
from racewindow.walking import walk_of

STEPS_MAX = 200_000
"""Steps that an explanation may take unless it is told how many executions: of a long execution fewer are run."""
_EXECUTIONS_MAX, _EXECUTIONS_LEAST = 20_000, 100


def picture_of(
    scenario: Scenario,
    stored: StoredFailure,
    *,
    file: str,
    target: str,
    schedules: int | None = None,
    seconds: float | None = None,
    wanted: bool = True,
    given: Explanation | None = None,
    why_not: str = "",
    on_progress: Callable[[Progress], None] | None = None,
) -> Picture:
    """Replay a failure and make its picture. `file`, `target`: as a person would type them.

    `wanted`: with an explanation, for which at most `schedules` executions are run in at most `seconds`; `given`: one
    that was made already; `why_not`: why somebody who has tried has none. Raises UsageError if the failure is not there
    any more, DivergenceError if its schedule does not fit the code.
    """
    walk, execution = walk_of(scenario, stored.schedule)
    if stored.identity not in {failure.identity for failure in execution.failures}:
        raise UsageError(
            f"{file} does not fail any more, so there is nothing to report.",
            why="the program has changed since it was recorded, or it depends on what is outside of it.",
            do=f"racewindow explore {target}",
        )
    found = given
    if found is None and not why_not:
        found, why_not = _explained(
            scenario, stored, len(walk.moments), schedules, seconds, wanted=wanted, on_progress=on_progress
        )
    pair = found.pairs[0] if found is not None and found.pairs else None
    return Picture(
        stored=stored,
        failing=line_of(
            walk,
            pair,
            scenario.narrate,
            failing=True,
            wrong=_wrong_step(scenario, stored, walk, execution),
            passes=False,
            command=shlex.join(["racewindow", "replay", file]),
            landmarks=scenario.display.landmarks,
        ),
        reversed_=None if pair is None else _other_order(scenario, stored, pair, target),
        explanation=found,
        unexplained=why_not,
        facts=_facts(scenario, stored),
        shown=shown_of(scenario.display, execution.events),
    )


def _explained(
    scenario: Scenario,
    stored: StoredFailure,
    steps: int,
    schedules: int | None,
    seconds: float | None,
    *,
    wanted: bool,
    on_progress: Callable[[Progress], None] | None,
) -> tuple[Explanation | None, str]:
    """The explanation, or why there is none."""
    if not wanted:
        return None, "nobody has looked for the cause. `racewindow explain` does."
    if schedules is None and seconds is None:
        schedules = min(_EXECUTIONS_MAX, STEPS_MAX // max(steps, 1))
        if schedules < _EXECUTIONS_LEAST:
            return None, f"an execution takes {counted(steps, 'step')}; --schedules N says how many to find out with."
    try:
        explainer.refuse_what_cannot_be_tried(stored)
    except UsageError as error:
        return None, f"{error.what} Why: {error.why}"
    return (
        explainer.explain(scenario, stored, schedules=schedules, seconds=seconds, on_progress=on_progress),
        "",
    )


def _other_order(scenario: Scenario, stored: StoredFailure, pair: RacingPair, target: str) -> Line | None:
    """The pair reversed; None if that was not found to pass."""
    try:
        found = reversal_of(scenario, stored.schedule, pair, stored.identity)
        if found is None:
            return None
        walk, execution = walk_of(scenario, found.schedule)
    except DivergenceError:  # what was found once does not come again: it is not shown
        return None
    passes = execution.outcome == "ok"
    ending = "nothing fails" if passes else f"this failure is gone; another one is there: {walk.wrong}"
    return line_of(
        replace(walk, ending=ending),
        pair,
        scenario.narrate,
        failing=False,
        held=found.held,
        wait="" if found.wait is None else str(found.wait),
        wrong=None,
        passes=passes,
        command=shlex.join(["racewindow", "replay", target, "--schedule", found.schedule.token()]),
        landmarks=scenario.display.landmarks,
    )


def _wrong_step(scenario: Scenario, stored: StoredFailure, walk: Walk, execution: Execution) -> int | None:
    """Index of the step after which the checker has all that it needs; where that cannot be told, the likeliest."""
    found = violating_step(settings_of(scenario, stored.schedule), stored.identity, execution)
    return walk.failing if found is None else found


def _facts(scenario: Scenario, stored: StoredFailure) -> dict[str, str]:
    """Under which conditions it fails: all that was held fixed, and what it was recorded and shown with."""
    schedule = stored.schedule
    changed = bool(schedule.fingerprint) and schedule.fingerprint != scenario.fingerprint
    facts = {
        "scenario": f"{stored.scenario}{f' ({scenario.summary})' if scenario.summary else ''}",
        "semantics": schedule.semantics,
        "clock": schedule.clock,
        "seed": str(schedule.seed),
        "parameters": ", ".join(f"{name}={value}" for name, value in schedule.params.items()) or "none",
        "safeguards on": ", ".join(schedule.safeguards) or "none",
        "faults": ", ".join(stored.faults) or "none",
        "feed": schedule.feed or ("the scenario's own" if scenario.feed_loader is not None else ""),
        "recorded with": ", ".join(f"{name} {version}" for name, version in stored.versions.items()),
        "shown with": f"racewindow {own_version()}, trio {version_of('trio')}, Python {platform.python_version()}",
        "source": "changed since it was recorded" if changed else "",
    }
    return {name: text for name, text in facts.items() if text}
