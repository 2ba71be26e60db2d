"""From what an execution calls a place, `file.py:12 name`, to a file and a line that a code host can show."""

from __future__ import annotations

import inspect
import re
from importlib import util
from pathlib import Path
from typing import NamedTuple

from racewindow.failure import Failure
from racewindow.scenarios import Scenario

_LOCATION = re.compile(r"(?P<path>.+?):(?P<line>\d+)(?: .*)?")


class Place(NamedTuple):
    """A line of a file; `path`: relative to the project if it is in there, else absolute. `says`: what happens there.

    `name`: how a person is told of the file.
    """

    path: str
    line: int
    says: str = ""
    name: str = ""

    @property
    def is_inside(self) -> bool:
        """Whether it is in the project, where a code host can show it."""
        return not Path(self.path).is_absolute()


def shown(path: Path) -> str:
    """An absolute path as it is from the current folder, with forward slashes; itself if it is elsewhere."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def source_of(scenario: Scenario) -> tuple[str, int]:
    """The absolute path of the file with a scenario's function, and its first line; "" if there is none."""
    function = inspect.unwrap(scenario.function)
    try:
        path, line = inspect.getsourcefile(function), inspect.getsourcelines(function)[1]
    except (TypeError, OSError):
        return "", 1
    return (str(Path(path).absolute()) if path else ""), max(line, 1)


def place_of(location: str, source: tuple[str, int], says: str = "") -> Place | None:
    """Where a location of an execution is; None if there is no such file.

    `source`: of the scenario, to which paths of its folder are relative.
    """
    found = _LOCATION.fullmatch(location)
    if found is None:
        return None
    path = _file(found["path"], source[0])
    if path is None:
        return None
    place = Place(shown(path), int(found["line"]), says)
    return place._replace(name=place.path if place.is_inside else found["path"])


def _file(path: str, source: str) -> Path | None:
    candidates = [Path(source).parent / path] if source else []
    package, _, rest = path.partition("/")
    if rest and package.isidentifier():  # racewindow_models/..., which is as it is imported
        try:
            spec = util.find_spec(package)
        except (ImportError, ValueError):
            spec = None
        folders = None if spec is None else spec.submodule_search_locations
        candidates += [Path(each) / rest for each in folders or ()]
    return next((each for each in candidates if each.is_file()), None)


def shown_place(failure: Failure | None, source: tuple[str, int], otherwise: Place) -> Place:
    """The place in the project at which a failure is shown; `otherwise` if none of its places is in there."""
    places = [] if failure is None else places_of(failure, source)
    return next((each for each in places if each.is_inside), otherwise)


def places_of(failure: Failure, source: tuple[str, int]) -> list[Place]:
    """The two places of the racing pair that matters most, in the order in which they were run; else the scenario's.

    Empty if none is known.
    """
    explanation = failure.explanation
    for pair in () if explanation is None else explanation.pairs:
        sides = [
            place_of(side.location, source, f"{side.task} {_DOES.get(side.mode, side.mode)} {pair.key}")
            for side in (pair.first, pair.second)
        ]
        found = [each for each in sides if each is not None]
        if found:
            return found
    return [Place(shown(Path(source[0])), source[1])] if source[0] else []


_DOES = {"read": "reads", "write": "writes", "add": "adds to"}
