"""`racewindow ci`: from its options to a run of all that a project lists, and from its rows to every form of output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from racewindow.cli_output import emit, emit_json, program_output_to
from racewindow.cli_pages import check_report, write_ci
from racewindow.errors import InputError, UsageError
from racewindow.whole_file import write_whole

if TYPE_CHECKING:
    from racewindow.ci.config import Config
    from racewindow.ci.progress import CiProgress
    from racewindow.ci.rows import Row
    from racewindow.ci.running import Run

INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of the command as they were typed, None where they were not."""

    budget: str | None
    seed: str | None
    since: str | None
    junit: str | None
    sarif: str | None
    markdown: str | None
    report: str | None
    github: bool
    as_json: bool
    quiet: bool


def ci(asked: Asked) -> int:
    """Run everything that `pyproject.toml` lists, print the table, write what was asked for, and return the status.

    Raises UsageError before anything has been run, if the configuration or an option makes no sense.
    """
    from racewindow.ci.progress import ci_line, ci_panel
    from racewindow.ci.rows import exit_status
    from racewindow.ci.running import Run, seed_of_day
    from racewindow.ci.table import head, line_of, tail
    from racewindow.corpus import Corpus
    from racewindow.progress_view import ProgressView

    config = _configured(asked)
    for file in (config.junit, config.sarif, config.markdown):
        _check_folder(file)
    check_report(asked.report)
    seed = seed_of_day() if config.seed is None else config.seed
    say: Callable[[str], None] = (lambda _: None) if asked.as_json else emit
    say(head(config, len(Corpus(config.corpus).entries()), seed))
    interrupted = False

    @contextmanager
    def stage() -> Iterator[Callable[[CiProgress], None]]:
        with ProgressView(sys.stderr, wanted=not asked.quiet) as live, program_output_to(None):
            yield lambda progress: live.show(partial(ci_panel, progress), partial(ci_line, progress))

    run = Run(config, seed, lambda row: say(line_of(row)), stage, asked.since)
    try:
        run.run()
    except KeyboardInterrupt:
        interrupted = True
    say(tail(run.rows, run.notes))
    _write(asked, config, seed, run, say)
    return INTERRUPTED if interrupted else exit_status(run.rows)


def _configured(asked: Asked) -> Config:
    """What the file says, with what was typed instead of it."""
    from racewindow.ci.config import read_config, read_duration, read_seed

    config = read_config(Path.cwd())
    typed: dict[str, Any] = {
        name: value
        for name, value in (("junit", asked.junit), ("sarif", asked.sarif), ("markdown", asked.markdown))
        if value is not None
    }
    if asked.budget is not None:
        typed["budget"] = _read("--budget", asked.budget, read_duration, 'a time, such as "90s", "5min" or "1h"')
    if asked.seed is not None:
        typed["seed"] = _read("--seed", asked.seed, read_seed, 'a whole number, or "auto" for another one every day')
    return replace(config, **typed)


def _read(option: str, text: str, read: Callable[[Any], Any], takes: str) -> Any:
    try:
        return read(text)
    except ValueError:
        raise UsageError(f"{option} cannot be {text!r}.", why=f"it takes {takes}.") from None


def _check_folder(file: str | None) -> None:
    """Before minutes are spent on what could then not be written."""
    if file is None:
        return
    path = Path(file)
    if path.is_dir():
        raise InputError(f"{file} is a folder.", why="a file is to be written there.", do="name a file in it.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"{file} cannot be written.", why=f"there is no folder {path.parent}.", do="make it first.")


def _write(asked: Asked, config: Config, seed: int, run: Run, say: Callable[[str], None]) -> None:
    """Every form of output that was asked for, but for the table."""
    rows, notes = run.rows, run.notes
    page = None if asked.report is None else write_ci(config, seed, rows, notes, asked.report)
    if page is not None:
        say(f"\nReport: {page}")
    if config.junit is not None:
        from racewindow.ci.junit import junit_text

        _write_file(config.junit, junit_text(rows, seed))
    if config.sarif is not None:
        from racewindow.ci.sarif import sarif_text

        _write_file(config.sarif, sarif_text(rows))
    if config.markdown is not None:
        from racewindow.ci.markdown import markdown_text

        _write_file(config.markdown, markdown_text(rows, seed, notes))
    if asked.github:
        _tell_github(rows, seed, notes, sys.stderr if asked.as_json else sys.stdout)
    if asked.as_json:
        from racewindow.ci.told import as_dict

        emit_json(as_dict(config, seed, rows, notes) | ({} if page is None else {"report": str(Path(page).absolute())}))


def _tell_github(rows: Sequence[Row], seed: int, notes: Sequence[str], stream: TextIO) -> None:
    """Annotations, which GitHub reads from either stream, and the summary; outside of GitHub there is none."""
    from racewindow.ci.github import SUMMARY_VARIABLE, annotations_of
    from racewindow.ci.markdown import markdown_text

    print(*annotations_of(rows), sep="\n", file=stream)
    summary = os.environ.get(SUMMARY_VARIABLE)
    if summary:
        try:
            with Path(summary).open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(markdown_text(rows, seed, notes) + "\n")
        except OSError as error:
            raise _not_written(summary, error) from None


def _write_file(file: str, text: str) -> None:
    try:
        write_whole(Path(file), text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise _not_written(file, error) from None


def _not_written(file: str, error: OSError) -> InputError:
    why = f"{error.strerror or error}."
    return InputError(f"{file} cannot be written.", why=why, do="name a file that you may write.")
