"""`racewindow replay`: a recorded failure again, from its file, or any execution from its token."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

from racewindow.cli_output import emit, emit_json, program_output_to
from racewindow.cli_recorded import Order, from_file, from_token
from racewindow.errors import DivergenceError, UsageError
from racewindow.report_layout import message

if TYPE_CHECKING:
    from racewindow.failure import Execution
    from racewindow.stepping import Walk

NOTHING, REPRODUCED, UNTRUSTED = 0, 1, 3


def replay(target: str, token: str | None, *, log: str | None, as_json: bool, step: bool = False) -> int:
    """Replay as asked, print what became of it (or let a person step through it), and return the exit status.

    Raises UsageError if there is nothing that could be replayed.
    """
    from racewindow import explorer
    from racewindow.log import check_log

    if step and (as_json or log is not None):
        raise UsageError(
            f"--step goes without {'--json' if as_json else '--log'}.", why="it is for a person to look at."
        )
    with program_output_to(sys.stderr):
        order = from_file(target) if token is None else from_token(target, token)
        if log is not None:
            check_log(log)
        execution: Execution | None = None
        walk: Walk | None = None
        diverged = ""
        try:
            if step:
                from racewindow.walking import walk_of

                walk, execution = walk_of(order.scenario, order.schedule)
            else:
                execution = explorer.replay(order.scenario, order.schedule, log=log)
        except DivergenceError as error:
            diverged = _divergence(order, error)
    if walk is not None:
        from racewindow.cli_step import step_through

        step_through(walk)
    elif as_json:
        emit_json(_as_dict(order, execution, diverged))
    elif execution is None:
        emit(message(diverged))
    else:
        emit(_text(order, execution))
    if execution is None:
        return UNTRUSTED
    return REPRODUCED if execution.failures else NOTHING


# --- what became of it -----------------------------------------------------------------------------------------------


def _text(order: Order, execution: Execution) -> str:
    from racewindow.report_replay import execution_text, replay_text

    if order.stored is not None:
        return replay_text(execution, order.stored, changed=order.changed)
    text = execution_text(execution, order.scenario.name)
    return f"{message(f'Note: {_changed_note(order)}')}\n\n{text}" if order.changed else text


def _divergence(order: Order, error: DivergenceError) -> str:
    """The message of a divergence, with the names of the tasks, the reason as far as it is known, and the command."""
    what, stored = error.what, order.stored
    where = what.partition("\n")[0]
    for deviation, text in () if stored is None else zip(stored.schedule.deviations, stored.deviations, strict=False):
        if f"step {deviation.step} of {deviation.task}." in where:
            what += f"\n  that is:  {text}"
            break
    command = ["racewindow", "explore", order.target, "--seed", str(order.schedule.seed)]
    if order.schedule.safeguards:
        command += ["--safeguards", ",".join(order.schedule.safeguards)]
    why = _changed_note(order) if order.changed else error.why
    return str(DivergenceError(what, why=why, do=shlex.join(command)))


def _changed_note(order: Order) -> str:
    return (
        f"the source of {order.scenario.name} is not what the schedule was recorded on "
        f"(then {order.schedule.fingerprint}, now {order.scenario.fingerprint})."
    )


def _as_dict(order: Order, execution: Execution | None, diverged: str) -> dict[str, Any]:
    """The JSON object of `racewindow replay --json`, format 1."""
    from racewindow.failure import found_fields
    from racewindow.report_replay import same_failure

    stored, schedule = order.stored, order.schedule
    return {
        "format": 1,
        "scenario": order.scenario.name,
        "target": order.target,
        "semantics": schedule.semantics,
        "clock": schedule.clock,
        "seed": schedule.seed,
        "outcome": None if execution is None else execution.outcome,
        "reproduced": None if stored is None or execution is None else same_failure(execution, stored) is not None,
        "same_digest": None if stored is None or execution is None else execution.digest == stored.digest,
        "source_changed": order.changed,
        "diverged": diverged or None,
        "steps": None if execution is None else execution.steps,
        "digest": None if execution is None else execution.digest,
        "failures": [
            {
                **found_fields(each),
                "deviations": list(each.deviations),
                "faults": list(each.faults),
            }
            for each in (() if execution is None else execution.failures)
        ],
        "unknown": [] if execution is None else [{"checker": name, "reason": why} for name, why in execution.unknown],
        "file": None if stored is None else str(stored.path.absolute()),
    }
