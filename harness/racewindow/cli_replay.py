"""`racewindow replay`: a recorded failure again, from its file, or any execution from its token."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from racewindow.cli_output import emit, emit_json, program_output_to
from racewindow.errors import DivergenceError, InputError, UsageError
from racewindow.report_layout import message

if TYPE_CHECKING:
    from racewindow.failure import Execution
    from racewindow.failure_file import StoredFailure
    from racewindow.scenarios import Scenario
    from racewindow.schedule import Schedule

NOTHING, REPRODUCED, UNTRUSTED = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Order:
    """What to replay: the scenario, how it was named, the schedule, and the recorded failure if there is one."""

    scenario: Scenario
    target: str
    schedule: Schedule
    stored: StoredFailure | None

    @property
    def changed(self) -> bool:
        """Whether the source of the scenario is known to differ from what the schedule was recorded on."""
        recorded = self.schedule.fingerprint
        return bool(recorded) and recorded != self.scenario.fingerprint


def replay(target: str, token: str | None, *, log: str | None, as_json: bool) -> int:
    """Replay as asked, print what became of it, and return the exit status.

    Raises UsageError if there is nothing that could be replayed.
    """
    from racewindow import explorer
    from racewindow.log import check_log

    with program_output_to(sys.stderr):
        order = _from_file(target) if token is None else _from_token(target, token)
        if log is not None:
            check_log(log)
        execution: Execution | None = None
        diverged = ""
        try:
            execution = explorer.replay(order.scenario, order.schedule, log=log)
        except DivergenceError as error:
            diverged = _divergence(order, error)
    if as_json:
        emit_json(_as_dict(order, execution, diverged))
    elif execution is None:
        emit(message(diverged))
    else:
        emit(_text(order, execution))
    if execution is None:
        return UNTRUSTED
    return REPRODUCED if execution.failures else NOTHING


# --- what to replay --------------------------------------------------------------------------------------------------


def _from_token(target: str, token: str) -> Order:
    from racewindow.schedule import Schedule
    from racewindow.target import resolve

    if target.endswith(".json"):
        raise UsageError(
            f"{target} is a file, and --schedule gives a schedule as well.",
            why="the file of a failure holds its own schedule.",
            do=f"racewindow replay {target}",
        )
    schedule = Schedule.from_token(token)
    scenario, name = resolve(target)
    return Order(scenario, name, schedule, None)


def _from_file(path: str) -> Order:
    if not os.path.lexists(path) and not path.endswith(".json"):
        raise UsageError(
            f"{path} is not a file.",
            why="replay takes the file of a recorded failure, or a scenario together with --schedule.",
            do=f"racewindow replay {path} --schedule rw1-...",
        )
    return order_in(path)


def order_in(path: str) -> Order:
    """What the file of a failure says is to be run; raises InputError if that cannot be had."""
    from racewindow.failure_file import load

    stored = load(path)
    scenario, target = _scenario_of(stored)
    return Order(scenario, target, _with_feed(stored), stored)


def _scenario_of(stored: StoredFailure) -> tuple[Scenario, str]:
    """The scenario, looked for beside the failure's file first, then as it was typed when it was recorded."""
    from racewindow.failure_file import file_of
    from racewindow.target import resolve

    typed = file_of(stored.target)
    if typed is None:
        return resolve(stored.target)
    function = stored.target[len(typed) :]
    beside = None if stored.target_file is None else os.path.normpath(stored.path.parent / stored.target_file)
    if beside is not None and os.path.isfile(beside):  # noqa: PTH113  # `beside` is a text
        return resolve(f"{os.path.relpath(beside)}{function}")
    if not os.path.isfile(typed):  # noqa: PTH113
        places = " and ".join(dict.fromkeys(each for each in (beside, typed) if each is not None))
        raise InputError(
            f"the scenario of {stored.path} is not there any more.",
            why=f"it was recorded from {stored.target}; looked for at {places}.",
            do=f"start in the folder that holds {os.path.basename(typed)}, or put both files back side by side.",  # noqa: PTH119
        )
    return resolve(stored.target)


def _with_feed(stored: StoredFailure) -> Schedule:
    """The schedule with the path of the feed as it is from here."""
    feed = stored.schedule.feed
    if feed is None:
        return stored.schedule
    places = [feed]
    if stored.feed_file is not None:
        places.insert(0, os.path.relpath(os.path.normpath(stored.path.parent / stored.feed_file)))
    for place in places:
        if os.path.isfile(place):  # noqa: PTH113
            return replace(stored.schedule, feed=place)
    raise InputError(
        f"the feed of {stored.path} is not there any more.",
        why=f"it was recorded with {feed}; looked for at {' and '.join(dict.fromkeys(places))}.",
        do="put the feed back where it was, seen from the failure's file.",
    )


# --- what became of it -----------------------------------------------------------------------------------------------


def _text(order: Order, execution: Execution) -> str:
    from racewindow.report import execution_text, replay_text

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
    from racewindow.report import same_failure

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
                "kind": each.kind,
                "checker": each.checker,
                "class": each.class_,
                "subject": each.subject,
                "message": each.message,
                "deviations": list(each.deviations),
                "faults": list(each.faults),
            }
            for each in (() if execution is None else execution.failures)
        ],
        "unknown": [] if execution is None else [{"checker": name, "reason": why} for name, why in execution.unknown],
        "file": None if stored is None else str(stored.path.absolute()),
    }
