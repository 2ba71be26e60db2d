"""The text of one execution, and of a recorded failure that was run again, for an 80-column terminal."""

from __future__ import annotations

from dataclasses import replace

from racewindow.failure import Execution, Failure
from racewindow.failure_file import StoredFailure
from racewindow.report_failure import told
from racewindow.report_layout import command, counted, section, wrap

_DIGEST_SHOWN = 12


def execution_text(execution: Execution, scenario: str, failure: Failure | None = None) -> str:
    """One execution: its failure (the gravest unless one is given), or that it had none."""
    failure = failure or execution.failure
    if failure is None:
        lines = wrap(f"No failure: this execution of {scenario} ended well.", hang=2)
    else:
        others = tuple(each.message.partition("\n")[0] for each in execution.failures if each is not failure)
        lines = told(replace(failure, others=others), scenario)
    unknown = [line for name, why in execution.unknown for line in wrap(f"{name}: {why}", 0, 2)]
    lines += section("Checkers that could not tell", unknown)
    lines += ["", f"This execution: {counted(execution.steps, 'step')}, digest {execution.digest[:_DIGEST_SHOWN]}."]
    return "\n".join(lines)


def same_failure(execution: Execution, stored: StoredFailure) -> Failure | None:
    """The failure of a replay that is the recorded one: same kind, checker, class and subject."""
    return next((each for each in execution.failures if each.identity == stored.identity), None)


def replay_text(execution: Execution, stored: StoredFailure, *, changed: bool) -> str:
    """What became of a recorded failure when its schedule was run again.

    `changed`: whether the source of the scenario is known to differ from what it was when the failure was recorded.
    """
    same = same_failure(execution, stored)
    since = (
        "The source of the scenario has changed since." if changed else "Its code, its feed or a library has changed."
    )
    if same is not None and execution.digest == stored.digest:
        verdict = "Reproduced: the same failure, step for step."
    elif same is not None:
        verdict = (
            f"Reproduced: the same failure, but not step for step (digest {stored.digest[:_DIGEST_SHOWN]} then, "
            f"{execution.digest[:_DIGEST_SHOWN]} now). {since}"
        )
    elif execution.failures:
        verdict = f"Not reproduced, but it fails in another way. Recorded was {_recorded(stored)}. {since}"
    else:
        verdict = (
            f"Not reproduced. Recorded was {_recorded(stored)}; the schedule still fits, and the execution does not "
            f"fail any more. {since} Other orders of events may still fail:"
        )
    lines = wrap(verdict)
    if not execution.failures:
        lines += [f"  {line}" for line in command(["racewindow", "explore", stored.target])]
    return "\n".join([*lines, "", execution_text(execution, stored.scenario, same)])


def _recorded(stored: StoredFailure) -> str:
    about = ", ".join(part for part in (stored.class_, stored.subject) if part)
    return f"{stored.checker or stored.kind}{f' ({about})' if about else ''}"
