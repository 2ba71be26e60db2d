"""`racewindow shrink`: a recorded failure made as small as can be, and its file written anew."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from racewindow.cli_options import positive_seconds, whole_number
from racewindow.cli_output import emit, emit_json, program_output_to, shown_path
from racewindow.cli_recorded import Order, from_file
from racewindow.errors import DivergenceError, InputError, NotReproducedError

if TYPE_CHECKING:
    from racewindow.failure import Failure

DONE, INTERRUPTED = 0, 130
_NOTHING_TO_TRY = "it is the number of executions to try, so it has to be at least 1."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of the command as they were typed, None where they were not."""

    file: str
    tries: str | None
    seconds: str | None
    out: str | None
    as_json: bool
    quiet: bool


def shrink(asked: Asked) -> int:
    """Shrink as asked, write the file, print what became of it, and return the exit status.

    Raises UsageError if there is nothing that could be shrunk, or nowhere to write; the file is then as it was.
    """
    tries = whole_number("--tries", asked.tries, least=1, why=_NOTHING_TO_TRY)
    seconds = positive_seconds("--seconds", asked.seconds)

    from racewindow import explorer
    from racewindow.failure_file import check_writable, save_shrunk
    from racewindow.progress_view import ProgressView

    with program_output_to(sys.stderr):
        order = from_file(asked.file, "shrink")
    assert order.stored is not None
    path = _where(asked, order)
    check_writable(path.parent)
    with ProgressView(sys.stderr, wanted=not asked.quiet) as live, program_output_to(None):
        try:
            failure = explorer.shrink(
                order.scenario,
                _recorded(order),
                tries=tries,
                seconds=seconds,
                on_progress=live.shrinking(order.scenario.name),
            )
        except (DivergenceError, NotReproducedError) as error:
            raise _nothing_to_shrink(asked.file, order, error) from None
    assert failure.shrunk is not None
    if failure.shrunk.smaller or asked.out is not None:
        save_shrunk(failure, order.stored, path, order.scenario)
    if asked.as_json:
        emit_json(_as_dict(order, failure, path))
    else:
        emit(_text(order, failure, path))
    return INTERRUPTED if failure.shrunk.ended == "interrupted" else DONE


def _where(asked: Asked, order: Order) -> Path:
    """The file to write: the failure's own, or the one asked for; in a folder, under its own name."""
    assert order.stored is not None
    if asked.out is None:
        return order.stored.path
    out = Path(asked.out)
    return out / order.stored.path.name if out.is_dir() else out


def _recorded(order: Order) -> Failure:
    """The failure as it was recorded, with the schedule as it is from here."""
    from racewindow.failure import Failure

    stored = order.stored
    assert stored is not None
    return Failure(
        stored.kind,
        stored.message,
        order.schedule,
        checker=stored.checker,
        class_=stored.class_,
        subject=stored.subject,
        execution=stored.execution,
    )


def _nothing_to_shrink(file: str, order: Order, error: DivergenceError | NotReproducedError) -> InputError:
    """Why a recorded failure cannot be shrunk: it does not happen any more, or its schedule does not fit."""
    what = "its schedule does not fit the program any more" if isinstance(error, DivergenceError) else ""
    changed = f" The source of {order.scenario.name} has changed since it was recorded." if order.changed else ""
    return InputError(
        f"{file} cannot be shrunk: {what or 'the failure does not happen any more'}.",
        why=(error.why or error.what).partition(chr(10))[0] + changed,
        do=f"racewindow replay {file}",
    )


def _text(order: Order, failure: Failure, path: Path) -> str:
    from racewindow.report_failure import failure_text
    from racewindow.report_layout import counted

    assert order.stored is not None
    assert failure.shrunk is not None
    shown = shown_path(str(path))
    text = failure_text(failure, scenario=order.stored.scenario, file=shown, target=order.target)
    if failure.shrunk.smaller or failure.shrunk.ended:
        return text
    return f"Nothing smaller was found in {counted(failure.shrunk.tries, 'try', 'tries')}.\n\n{text}"


def _as_dict(order: Order, failure: Failure, path: Path) -> dict[str, Any]:
    """The JSON object of `racewindow shrink --json`, format 1."""
    from racewindow.failure import found_fields

    assert failure.shrunk is not None
    return {
        "format": 1,
        "scenario": order.scenario.name,
        "target": order.target,
        **found_fields(failure),
        **failure.shrunk.as_dict(),
        "params": dict(failure.schedule.params),
        "deviations": list(failure.deviations),
        "faults": list(failure.faults),
        "token": failure.token or failure.schedule.token(),
        "digest": failure.digest,
        "file": str(path.absolute()),
    }
