"""`racewindow report FILE|DIR`: a failure as one page, or as text for elsewhere; a folder of them as an index."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from racewindow.cli_explore import INTERRUPTED
from racewindow.cli_options import positive_seconds, whole_number
from racewindow.cli_output import complain, emit, program_output_to
from racewindow.cli_recorded import from_file
from racewindow.cli_report_folder import folder_index
from racewindow.errors import InputError, UsageError, unknown_name

if TYPE_CHECKING:
    from racewindow.picture import Picture

_ENDINGS = {
    "html": (".html", ".htm"),
    "json": (".json",),
    "markdown": (".md", ".markdown"),
    "mermaid": (".mmd", ".mermaid"),
    "text": (".txt",),
    "chrome": (".trace",),
}
"""Format -> how the name of its file ends; the first one if a name has to be made up."""
_NOTHING_TO_RUN = "it is the number of executions to find the cause with, so it has to be at least 1."


def report_command(  # noqa: PLR0917  # typer makes an option of each
    path: Annotated[
        str, typer.Argument(metavar="FILE|DIR", help="The file of a failure, or a folder.", show_default=False)
    ],
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="PATH", help="Write there; - prints it.  [default: a page goes to the "
                     "current folder, text is printed]", show_default=False),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help="html, text, json, markdown, mermaid or chrome.  [default: as "
                     "PATH ends, else html]", show_default=False),
    ] = None,
    schedules: Annotated[
        str | None,
        typer.Option(metavar="N", help="Executions at most to find the cause with.", show_default=False),
    ] = None,
    seconds: Annotated[
        str | None, typer.Option(metavar="S", help="Wall time at most for that, in seconds.", show_default=False)
    ] = None,
    no_explain: Annotated[
        bool, typer.Option("--no-explain", help="Do not look for the cause, nor for what closes it.",
                           show_default=False),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress line.", show_default=False)] = False,
) -> int:  # fmt: skip
    """Show a recorded failure to others: one page that holds everything, or text for elsewhere.

    The failure is run again and explained. Of a folder, an index is made of the failures and reports in it, from what
    their files say; nothing is run.
    """
    asked = Asked(
        path=path, out=out, format=form, schedules=schedules, seconds=seconds, explain=not no_explain, quiet=quiet
    )
    try:
        return report(asked)
    except KeyboardInterrupt:
        complain(UsageError("interrupted, before the report was written."))
        return INTERRUPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of the command as they were typed, None where they were not."""

    path: str
    out: str | None
    format: str | None
    schedules: str | None
    seconds: str | None
    explain: bool
    quiet: bool


def report(asked: Asked) -> int:
    """Write the report and return the exit status.

    Raises UsageError if the file cannot be read, the failure does not happen any more, or nothing can be written.
    """
    most = whole_number("--schedules", asked.schedules, least=1, why=_NOTHING_TO_RUN)
    wall = positive_seconds("--seconds", asked.seconds)
    form = _format_of(asked)
    out = asked.out or (_made_up(asked.path, form) if form == "html" else "-")
    _refuse_to_overwrite(asked.path, out)
    folder = os.path.isdir(asked.path)  # noqa: PTH112  # the path as it was typed
    text = folder_index(asked.path, form, out) if folder else _written(_picture(asked, most, wall), form)
    _keep(text, out, form)
    return 0


def _format_of(asked: Asked) -> str:
    """As asked for, else as the name of the file says, else a page."""
    if asked.format is not None:
        if asked.format not in _ENDINGS:
            raise unknown_name("format", asked.format, _ENDINGS)
        return asked.format
    name = (asked.out or "").lower()
    return next((form for form, endings in _ENDINGS.items() if name.endswith(endings)), "html")


def _made_up(path: str, form: str) -> str:
    """A name in the current folder."""
    stem = Path(path).absolute().name
    return f"{stem.removesuffix('.json') or 'report'}{_ENDINGS[form][0]}"


def _refuse_to_overwrite(path: str, out: str) -> None:
    if out == "-":
        return
    if os.path.isdir(out):  # noqa: PTH112  # likewise
        raise UsageError(f"{out} is a folder.", why="a report is one file.", do=f"give a name in it: {out}/report.html")
    if os.path.exists(out) and os.path.exists(path) and os.path.samefile(path, out):  # noqa: PTH110, PTH121
        raise UsageError(f"{out} is the failure itself.", why="the report would take its place.", do="give another -o")


def _picture(asked: Asked, most: int | None, wall: float | None) -> Picture:
    from racewindow.picturing import picture_of
    from racewindow.progress_view import ProgressView

    with program_output_to(sys.stderr):
        order = from_file(asked.path, "report")
    stored = order.stored
    assert stored is not None
    with ProgressView(sys.stderr, wanted=not asked.quiet) as live, program_output_to(None):
        return picture_of(
            order.scenario,
            replace(stored, schedule=order.schedule),
            file=asked.path,
            target=order.target,
            schedules=most,
            seconds=wall,
            wanted=asked.explain,
            on_progress=live.explaining(stored.scenario),
        )


def _written(picture: Picture, form: str) -> str:
    if form == "html":
        from racewindow.page_failure import failure_page

        return failure_page(picture)
    from racewindow.picture_text import FORMATS

    return FORMATS[form](picture)


def _keep(text: str, out: str, form: str) -> None:
    """Print it, or write all of it or nothing."""
    from racewindow.whole_file import write_text

    if out == "-":
        emit(text)
        return
    path = Path(out)
    try:
        write_text(path, f"{text}\n")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{out} cannot be written.", why=f"{why}.", do="give -o a file that you may write") from None
    emit(f"Written: {out} ({form}, {len(text.encode('utf-8', 'replace')):,} bytes)")
