"""`racewindow plan`: a commented plan to begin with, and the check of one, with its window as a timeline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from racewindow.cli_output import emit
from racewindow.errors import InputError, UsageError

if TYPE_CHECKING:
    from racewindow.plans import Plan, PlanRow

plan_app = typer.Typer(
    help="Write a maintenance window down as data: begin one, or check one.",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_INDENT = 2
_GAP = "  "


@plan_app.command("new", short_help="Begin a plan: a commented one that can be explored as it is.")
def _new(
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="Where to write it; else it is printed.", show_default=False)
    ] = None,
    system: Annotated[
        str, typer.Option(metavar="NAME", help="Whose services it is about; an unknown NAME lists them all.")
    ] = "exchange",
) -> int:
    """Begin a plan: a commented one that passes its own check and can be explored as it is."""
    from racewindow.plans import SUFFIX, find_system
    from racewindow.whole_file import write_whole

    text = find_system(system).template
    if file is None:
        emit(text.rstrip("\n"))
        return 0
    path = Path(file)
    if path.suffix != SUFFIX:
        raise UsageError(f"a plan cannot be called {file}.", why=f"plans are files that end in {SUFFIX}.")
    if path.exists():
        raise InputError(f"{file} is there already.", why="a plan is never overwritten.", do="give another name.")
    try:
        write_whole(path.absolute(), text.encode())
    except OSError as error:
        why = f"{error.strerror or error}."
        raise InputError(f"{file} cannot be written.", why=why, do="name a folder that exists.") from None
    emit(f"{file} has been written. Next:\n  racewindow plan check {file}\n  racewindow explore {file}")
    return 0


@plan_app.command("check", short_help="Say what is wrong in a plan, or show its window.")
def _check(file: Annotated[str, typer.Argument(metavar="FILE", help="A plan.", show_default=False)]) -> int:
    """Say what is wrong in a plan, or show the window that it describes as a timeline.

    Exit status 0 if it can be explored, 2 if it has a mistake.
    """
    from racewindow.plans import load_plan

    emit(plan_text(load_plan(file)))
    return 0


def plan_text(plan: Plan) -> str:
    """The window of a plan in 80 columns: what is in it, then the runbook as a timeline."""
    from racewindow.report_layout import wrap

    scenario = plan.scenario
    lines = [scenario.name, *wrap(scenario.incident, _INDENT), *wrap(scenario.summary, _INDENT)]
    for title, sentences in plan.notes.items():
        lines += ["", f"{title}:"]
        for sentence in sentences:
            lines += wrap(sentence, _INDENT, _INDENT)
    if plan.rows:
        lines += ["", "runbook:", *_timeline(plan.rows)]
    return "\n".join(lines)


def _timeline(rows: tuple[PlanRow, ...]) -> list[str]:
    """A line for each row, its details below, in columns that are as wide as they have to be."""
    from racewindow.report_layout import wrap

    at_width = max(len(row.at) for row in rows)
    who_width = max(len(row.who) for row in rows)
    left = _INDENT + at_width + len(_GAP) + who_width + len(_GAP)
    lines = []
    for row in rows:
        head = f"{' ' * _INDENT}{row.at:<{at_width}}{_GAP}{row.who:<{who_width}}{_GAP}"
        first, *more = wrap(row.what, left)
        lines += [head + first.lstrip(), *more]
        for detail in row.details:
            lines += wrap(detail, left + _INDENT, _INDENT)
    return lines
