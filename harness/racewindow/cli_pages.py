"""`--report DIR`: the pages that `explore`, `matrix` and `ci` leave in a folder, those of failures beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from racewindow.cli_output import program_output_to, shown_path
from racewindow.cli_recorded import from_file
from racewindow.errors import InputError, RacewindowError

if TYPE_CHECKING:
    from racewindow.ci.config import Config
    from racewindow.ci.rows import Row
    from racewindow.explanation import Explanation
    from racewindow.page_exploration import Linked
    from racewindow.result import Result
    from racewindow.safeguard_matrix import Matrix

INDEX = "index.html"


def check_report(folder: str | None) -> None:
    """Raise InputError if no page could be written into the folder, before anything is run."""
    from racewindow.failure_file import check_writable

    if folder is None:
        return
    try:
        check_writable(folder)
    except InputError as error:
        raise _cannot_write(folder, error.why) from None


def write_report(result: Result, folder: str, feed: str | None) -> str:
    """Write the pages of an exploration and return the path of the first. Raises InputError if that cannot be done."""
    from racewindow.page_exploration import Linked, exploration_page

    files = [*result.files, *[None] * (len(result.failures) - len(result.files))]
    links: list[Linked] = []
    for failure, file in zip(result.failures, files, strict=True):
        why = failure.unexplained
        links.append(
            Linked(None, "it has no file") if file is None else _failure_page(file, folder, failure.explanation, why)
        )
    return _write_index(exploration_page(result, links, feed), folder)


def write_matrix(matrix: Matrix, folder: str, meanings: Mapping[str, str], again: str) -> str:
    """Write the page of a matrix and return its path. `meanings`: of safeguards and checkers. Raises InputError."""
    from racewindow.page_matrix import matrix_page

    return _write_index(matrix_page(matrix, meanings, again), folder)


def write_ci(config: Config, seed: int, rows: Sequence[Row], notes: Sequence[str], folder: str) -> str:
    """Write the page of a run of `ci`, with one for each failure, and return the path of the first. As above."""
    from racewindow.ci.page import ci_page

    links: list[Linked | None] = []
    for row in rows:
        failure = row.failure
        explanation, why = (None, "") if failure is None else (failure.explanation, failure.unexplained)
        wanted = row.failure_file and (row.kind == "target" or row.status != "ok")
        links.append(_failure_page(row.failure_file, folder, explanation, why) if wanted else None)
    return _write_index(ci_page(config, seed, rows, notes, links), folder)


def _failure_page(file: str, folder: str, explanation: Explanation | None, unexplained: str) -> Linked:
    """The page of one failure; what cannot be shown again is told by the first page alone."""
    from racewindow.page_exploration import Linked
    from racewindow.page_failure import failure_page
    from racewindow.picturing import picture_of

    try:
        with program_output_to(None):
            order = from_file(file, "report")
            assert order.stored is not None
            picture = picture_of(
                order.scenario,
                replace(order.stored, schedule=order.schedule),
                file=shown_path(file) or file,
                target=order.target,
                wanted=False,
                given=explanation,
                why_not=unexplained,
            )
    except RacewindowError as error:
        return Linked(None, error.what)
    name = f"{Path(file).stem}.html"
    _write(Path(folder) / name, failure_page(picture), folder)
    return Linked(name)


def _write_index(text: str, folder: str) -> str:
    path = Path(folder) / INDEX
    _write(path, text, folder)
    return path.as_posix()


def _write(path: Path, text: str, folder: str) -> None:
    from racewindow.whole_file import write_text

    try:
        write_text(path, f"{text}\n")
    except OSError as error:
        raise _cannot_write(folder, f"{error.strerror or error}.") from None


def _cannot_write(folder: str, why: str) -> InputError:
    return InputError(
        f"the report cannot be written to {folder}.", why=why, do="give --report a folder that you may write to"
    )
