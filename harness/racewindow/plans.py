"""Maintenance plans: a window as data, in a TOML file that is a target like any other.

Here is what all plans have in common: reading the file, saying where in it a mistake is, and finding out who knows the
services that it is about. That is a *plan system*, which a package lists under the entry-point group
`racewindow.plans`; it checks the rest of the file and makes a scenario of it. So nothing here knows of any service, and
a plan can be of anybody's.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from racewindow.errors import InputError, unknown_name
from racewindow.scenarios import Scenario
from racewindow.toml_places import KeyPath, Place, find_places

GROUP = "racewindow.plans"
"""The entry-point group under which a package lists its plan systems."""
VERSION = 1
"""Of what is the same in every plan; a system that changes what it reads raises a version of its own."""
SUFFIX = ".toml"


@dataclass(frozen=True, slots=True)
class PlanMistake:
    """Something in a plan that cannot be: where, what is wrong, what was expected, and the nearest name that is valid.

    `where`: the path of keys, such as `("runbook", 2, "by")`; of a missing key, that of the table which lacks it.
    """

    where: KeyPath
    wrong: str
    expected: str
    nearest: str = ""

    @classmethod
    def unknown(cls, where: KeyPath, what: str, name: str, known: Iterable[str]) -> PlanMistake:
        """The mistake of naming something that is not among `known`."""
        names = list(dict.fromkeys(known))
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        expected = f"one of {', '.join(names)}" if names else "nothing: there is none in this plan"
        return cls(where, f"there is no {what} called {name!r}", expected, near[0] if near else "")


@dataclass(frozen=True, slots=True, eq=False)
class PlanFile:
    """A plan as it was read: its path as it was typed, its text, and what the text says."""

    path: str
    text: str
    data: Mapping[str, Any]
    places: Mapping[KeyPath, Place] = field(repr=False)

    @property
    def folder(self) -> Path:
        """Where it is; what a plan names is looked for from here."""
        return Path(self.path).parent

    @property
    def stem(self) -> str:
        """Its name without folder and ending."""
        return Path(self.path).stem

    def place(self, where: KeyPath) -> Place:
        """Where a key is; of one that is not there, where the table is that it should be in."""
        while where and where not in self.places:
            where = where[:-1]
        return self.places.get(where, Place(1, 1))

    def refuse(self, mistakes: Sequence[PlanMistake]) -> InputError:
        """The error that tells all the mistakes, in the order of the file."""
        ordered = sorted(mistakes, key=lambda each: self.place(each.where))
        count = "a mistake" if len(ordered) == 1 else f"{len(ordered)} mistakes"
        return InputError(
            f"the plan {self.path} has {count}.",
            why="\n     ".join(self._told(each) for each in ordered),
            do=f"mend it, then: racewindow plan check {self.path}",
        )

    def _told(self, mistake: PlanMistake) -> str:
        line, column = self.place(mistake.where)
        key = f", {key_text(mistake.where)}" if mistake.where else ""
        near = f"\n       did you mean {mistake.nearest!r}?" if mistake.nearest else ""
        return f"line {line}, column {column}{key}: {mistake.wrong};\n       expected {mistake.expected}.{near}"


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A line of a plan's timeline. `at`: the earliest time, `00:01:00`, or "" for: when what is before it is done."""

    at: str
    who: str
    what: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a plan system makes of a file: the scenario, and what `racewindow plan check` shows of it.

    `rows`: the runbook. `notes`: title -> sentences, such as the services and what is checked.
    """

    scenario: Scenario
    rows: tuple[PlanRow, ...] = ()
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)


class PlanSystem(Protocol):
    """What reads plans about some services; a package lists an object of this kind by its name."""

    @property
    def template(self) -> str:
        """A commented plan that passes its own check."""

    def load(self, file: PlanFile) -> Plan:
        """The plan in a file, whose keys `plan` and `system` have been read. Raises `file.refuse(...)`."""


def load_plan(path: str) -> Plan:
    """The plan in a file. Raises InputError for one that cannot be read, or has a mistake."""
    file = read_plan(path)
    return find_system(_system_of(file)).load(file)


def read_plan(path: str) -> PlanFile:
    """The text of a plan and what it says, unchecked but for its syntax."""
    here = Path(path)
    if not here.is_file():
        wrong = "is a folder, not a file" if here.is_dir() else "does not exist"
        raise InputError(f"the plan {path} {wrong}.", do=_near_plans(here))
    try:
        text = here.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        why = f"{error.strerror or error}."
        raise InputError(f"the plan {path} cannot be read.", why=why, do="check who may read the file.") from None
    except UnicodeDecodeError:
        raise InputError(
            f"the plan {path} cannot be read.", why="it is not text in UTF-8.", do="save it as UTF-8."
        ) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(path, text, str(error)) from None
    return PlanFile(path, text, data, find_places(text))


def find_system(name: str) -> PlanSystem:
    """An installed plan system. Raises UsageError for an unknown name, InputError if it cannot be loaded."""
    entries = {entry.name: entry for entry in metadata.entry_points(group=GROUP)}
    if name not in entries:
        raise unknown_name("plan system", name, entries)
    try:
        found: PlanSystem = entries[name].load()
    except Exception as error:  # noqa: BLE001  # whatever a module of somebody else's raises when it is imported
        why = f"{type(error).__name__}: {error}"
        raise InputError(f"the plan system {name!r} cannot be loaded.", why=why, do="reinstall its package.") from None
    return found


def system_names() -> list[str]:
    """The names of all installed plan systems."""
    return sorted({entry.name for entry in metadata.entry_points(group=GROUP)})


def key_text(where: KeyPath) -> str:
    """A path of keys as it is said: `runbook[3].by`, counted from 1."""
    text = ""
    for part in where:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _system_of(file: PlanFile) -> str:
    """The name of the system that the plan is for, after a look at the version."""
    mistakes = []
    version, system = file.data.get("plan"), file.data.get("system")
    if "plan" not in file.data:
        wrong = "the version of the format is missing"
        mistakes.append(PlanMistake((), wrong, f"`plan = {VERSION}` in the first lines"))
    elif version != VERSION or isinstance(version, bool):
        wrong = f"the version of the format is {version!r}"
        mistakes.append(
            PlanMistake(("plan",), wrong, f"{VERSION}, the only one that this racewindow reads", str(VERSION))
        )
    names = system_names()
    if "system" not in file.data:
        mistakes.append(PlanMistake((), "the key 'system' is missing", f"one of {', '.join(names)}"))
    elif system not in names:
        mistakes.append(PlanMistake.unknown(("system",), "plan system", str(system), names))
    if mistakes:
        raise file.refuse(mistakes)
    return str(system)


_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def _not_toml(path: str, text: str, said: str) -> InputError:
    found = _AT.search(said)
    line, column = (int(found[1]), int(found[2])) if found and found[1] else (text.count("\n") + 1, 1)
    shown = text.splitlines()[line - 1].strip() if line <= len(text.splitlines()) else ""
    wrong = _AT.sub("", said)
    return InputError(
        f"the plan {path} has a mistake.",
        why=f"line {line}, column {column}: this is not TOML: {wrong[:1].lower()}{wrong[1:]};\n"
        f"       expected `key = value`, `[table]` or `[[table]]`, text in quotes."
        + (f"\n       {shown}" if shown else ""),
        do=f"mend it, then: racewindow plan check {path}",
    )


def _near_plans(path: Path) -> str:
    try:
        siblings = [each.name for each in sorted(path.parent.glob(f"*{SUFFIX}"))]
    except OSError:
        siblings = []
    near = difflib.get_close_matches(path.name, siblings, n=1)
    if near:
        return f"did you mean {path.with_name(near[0])}?"
    return "check the path, or begin with: racewindow plan new " + str(path)
