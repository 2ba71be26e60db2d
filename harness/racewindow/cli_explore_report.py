"""`racewindow explore --report DIR`: a page of the exploration, and one of each failure beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from racewindow.cli_output import program_output_to, shown_path
from racewindow.cli_recorded import from_file
from racewindow.errors import InputError, RacewindowError

if TYPE_CHECKING:
    from racewindow.failure import Failure
    from racewindow.page_exploration import Linked
    from racewindow.result import Result

INDEX = "index.html"


def check_report(folder: str) -> None:
    """Raise InputError if no page could be written into the folder, before anything is explored."""
    from racewindow.failure_file import check_writable

    try:
        check_writable(folder)
    except InputError as error:
        raise _cannot_write(folder, error.why) from None


def write_report(result: Result, folder: str, feed: str | None) -> str:
    """Write the pages and return the path of the first one. Raises InputError if that cannot be done."""
    from racewindow.page_exploration import Linked, exploration_page

    files = [*result.files, *[None] * (len(result.failures) - len(result.files))]
    links: list[Linked] = []
    for failure, file in zip(result.failures, files, strict=True):
        links.append(Linked(None, "it has no file") if file is None else _failure_page(failure, file, folder))
    _write(Path(folder) / INDEX, exploration_page(result, links, feed), folder)
    return (Path(folder) / INDEX).as_posix()


def _failure_page(failure: Failure, file: str, folder: str) -> Linked:
    """The page of one failure; what cannot be shown again is told by the page of the exploration alone."""
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
                given=failure.explanation,
            )
    except RacewindowError as error:
        return Linked(None, error.what)
    name = f"{Path(file).stem}.html"
    _write(Path(folder) / name, failure_page(picture), folder)
    return Linked(name)


def _write(path: Path, text: str, folder: str) -> None:
    from racewindow.whole_file import write_whole

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, f"{text}\n".encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise _cannot_write(folder, f"{error.strerror or error}.") from None


def _cannot_write(folder: str, why: str) -> InputError:
    return InputError(
        f"the report cannot be written to {folder}.", why=why, do="give --report a folder that you may write to"
    )
