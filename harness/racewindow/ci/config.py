"""`[tool.racewindow]` in `pyproject.toml`: what a project wants explored, and what has to come of it.

Every key has a reader that says what it takes, so a mistake is one message: where, which key, what was expected, and
the nearest name that exists. What only a scenario can know, such as its safeguards, is read when its row is run.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from racewindow.corpus import FOLDER
from racewindow.errors import InputError, UsageError, unknown_name
from racewindow.strategies import STRATEGIES

FILE = "pyproject.toml"
_TABLE = "[tool.racewindow]"
_ROW = "[[tool.racewindow.targets]]"
_EXAMPLE = f'add to {FILE}:\n       {_ROW}\n       target = "mine.py:restart"\n       expect = "safe"'
_UNITS = {"": 1.0, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}
AUTO = "auto"
"""As a seed: another one every day."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What has to come of a target.

    `safe`: nothing is found. `complete`: nothing is found and every order was run. `fails`: it fails, by `checker`
    (or in the way of that name, such as "deadlock") if one is named: for what is known and not mended yet.
    """

    verdict: Literal["safe", "complete", "fails"]
    checker: str = ""

    def __str__(self) -> str:
        return f"{self.verdict}: {self.checker}" if self.checker else self.verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One target. `name`: how it is shown, unique. `line`: of its table in the file. `options`: as of `explore`."""

    target: str
    name: str
    expect: Expected
    line: int
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole table. `budget`: seconds for all of it, None for no such limit. `seed`: None for one of the day."""

    targets: tuple[Wanted, ...]
    corpus: str = FOLDER
    out: str = ".racewindow/failures"
    budget: float | None = None
    seed: int | None = 0
    junit: str | None = None
    sarif: str | None = None
    markdown: str | None = None


def read_config(folder: Path) -> Config:
    """The configuration of the project in `folder`.

    Raises InputError if there is none or it cannot be read, UsageError for a key or value that makes no sense.
    """
    path = folder / FILE
    text = _text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{FILE} is not TOML.", why=f"{error}.", do="mend it; nothing has been run.") from None
    tool = data.get("tool")
    table = tool.get("racewindow") if isinstance(tool, dict) else None
    if table is None:
        raise InputError(f"{FILE} has no {_TABLE}.", why="it lists what `racewindow ci` explores.", do=_EXAMPLE)
    if not isinstance(table, dict):
        raise UsageError(f"{FILE}: tool.racewindow should be a table, not {_shown(table)}.", do=_EXAMPLE)
    return _config(table, text)


def read_duration(value: Any) -> float:
    """Seconds from `5min`, `90 s`, `1h` or a number; raises ValueError for anything else, and unless it is above 0."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    found = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)", value.strip()) if isinstance(value, str) else None
    if found is None or found[2] not in _UNITS or float(found[1]) == 0:
        raise ValueError
    return float(found[1]) * _UNITS[found[2]]


def read_seed(value: Any) -> int | None:
    """A whole number, or None for `auto`; raises ValueError for anything else."""
    if value == AUTO:
        return None
    return _whole_number(value if not isinstance(value, str) else int(value))


def read_expected(value: Any) -> Expected:
    """`safe`, `complete`, `fails` or `fails: checker`; raises ValueError for anything else."""
    verdict, colon, checker = (each.strip() for each in value.partition(":")) if isinstance(value, str) else ("",) * 3
    if verdict == "fails" and (checker or not colon):
        return Expected("fails", checker)
    if verdict in ("safe", "complete") and not colon:
        return Expected(verdict)  # type: ignore[arg-type]
    raise ValueError


# --- what the keys take ----------------------------------------------------------------------------------------------


def _text_value(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value


def _whole_number(value: Any, least: int | None = None) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or (least is not None and value < least):
        raise ValueError
    return value


def _names(value: Any) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(each, str) and each.strip() for each in texts):
        raise ValueError
    return texts


def _safeguards(value: Any) -> str | list[str]:
    return value if value in ("all", "none") else _names(value)


def _values(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004  # what every reader raises
    return value


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError  # noqa: TRY004
    return value


def _coverage(value: Any) -> bool | list[str]:
    return value if isinstance(value, bool) else _names(value)


@dataclass(frozen=True, slots=True)
class _Key:
    """`read` raises ValueError for what it does not take; `takes` says what it does, with an example."""

    read: Callable[[Any], Any]
    takes: str


def _one_of(*names: str) -> _Key:
    def read(value: Any) -> Any:
        if value not in names:
            raise ValueError
        return value

    return _Key(read, f"one of {', '.join(map(repr, names))}")


def _from(least: int, what: str) -> _Key:
    return _Key(lambda value: _whole_number(value, least), f"{what}, a whole number from {least}")


_TIME = 'a time, such as "90s", "5min" or "1h"'
_A_FILE = _Key(_text_value, "the name of a file to write")
_SEED = _Key(read_seed, 'a whole number, or "auto" for another one every day')
_SHARED = {
    "strategy": _one_of(*sorted(STRATEGIES)),
    "schedules": _from(1, "executions at most"),
    "seconds": _Key(read_duration, _TIME),
}
"""Keys of a target that the whole table can give for all of them."""
_GENERAL = {
    "corpus": _Key(_text_value, "a folder"),
    "out": _Key(_text_value, "a folder"),
    "budget": _Key(read_duration, _TIME),
    "seed": _SEED,
    "junit": _A_FILE,
    "sarif": _A_FILE,
    "markdown": _A_FILE,
}
_OPTIONS = {
    **_SHARED,
    "seed": _Key(_whole_number, "a whole number"),
    "semantics": _one_of("processes", "trio"),
    "clock": _one_of("idle", "racing"),
    "preemptions": _from(0, "preemptions at most"),
    "depth": _from(1, "a number of ordering constraints"),
    "step_limit": _from(1, "steps of one execution at most"),
    "safeguards": _Key(_safeguards, '"all", "none" or a list of names'),
    "params": _Key(_values, "a table of parameters, such as { ticks = 3 }"),
    "feed": _Key(_text_value, "the name of a CSV file"),
    "allow_negative_prices": _Key(_yes_or_no, "true or false"),
    "faults": _from(0, "faults in one execution at most"),
    "fault": _Key(_names, 'a list of kinds of fault, such as ["crash", "stall:seconds=30"]'),
    "require_coverage": _Key(_coverage, "true, false or a list of names"),
}
_OF_TARGET = {
    "target": _Key(_text_value, 'a scenario as for `racewindow explore`, such as "mine.py:restart"'),
    "name": _Key(_text_value, "a name for the table"),
    "expect": _Key(read_expected, '"safe", "complete", "fails" or "fails: CHECKER"'),
    **_OPTIONS,
}


# --- reading ---------------------------------------------------------------------------------------------------------


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            f"there is no {FILE} here.",
            why=f"its {_TABLE} lists what `racewindow ci` explores.",
            do=f"start in the folder that holds it, or {_EXAMPLE}",
        ) from None
    except UnicodeDecodeError:
        raise InputError(
            f"{FILE} cannot be read.", why="it is not UTF-8.", do="mend it; nothing has been run."
        ) from None
    except OSError as error:
        why = f"{error.strerror or error}."
        raise InputError(f"{FILE} cannot be read.", why=why, do="check who may read the file.") from None


def _config(table: Mapping[str, Any], text: str) -> Config:
    general = {name: value for name, value in table.items() if name != "targets"}
    read = _read(general, {**_GENERAL, **_SHARED}, f"{FILE}: {_TABLE}", more=("targets",))
    shared = {name: read.pop(name) for name in _SHARED if name in read}
    rows = table.get("targets")
    if not isinstance(rows, list) or not rows or not all(isinstance(each, dict) for each in rows):
        wrong = f"{FILE}: {_TABLE} lists no targets." if not rows else f"{FILE}: targets should be a list of tables."
        raise UsageError(wrong, do=_EXAMPLE)
    lines = _lines_of(text, len(rows))
    targets = tuple(_wanted(row, shared, line) for row, line in zip(rows, lines, strict=True))
    for number, each in enumerate(targets):
        if any(each.name == other.name for other in targets[:number]):
            raise UsageError(
                f"{_where(each.line)}: two targets are called {each.name!r}.",
                why="results and past times are told apart by it.",
                do=f'give one of them a name of its own: name = "{each.name} with safeguards"',
            )
    return Config(targets=targets, **read)


def _wanted(row: Mapping[str, Any], shared: Mapping[str, Any], line: int) -> Wanted:
    where = f"{_where(line)}: {_ROW}"
    read = _read(row, _OF_TARGET, where)
    if "target" not in read:
        raise UsageError(f"{where} has no target.", why=f"it takes {_OF_TARGET['target'].takes}.")
    options = {**shared, **{name: value for name, value in read.items() if name in _OPTIONS}}
    if "feed" in options and not Path(options["feed"]).is_file():
        raise InputError(f"{where}: the feed {options['feed']} does not exist.", do="check the path.")
    expect = read.get("expect", Expected("safe"))
    return Wanted(
        target=read["target"], name=read.get("name", read["target"]), expect=expect, line=line, options=options
    )


def _read(table: Mapping[str, Any], keys: Mapping[str, _Key], where: str, more: tuple[str, ...] = ()) -> dict[str, Any]:
    """The values of a table; raises UsageError for a key that there is not, or a value that it does not take."""
    values = {}
    for name, value in table.items():
        key = keys.get(name)
        if key is None:
            unknown = unknown_name("key", name, [*keys, *more])
            raise UsageError(f"{where} has no key {name!r}.", do=unknown.do)
        try:
            values[name] = key.read(value)
        except (ValueError, TypeError):
            raise UsageError(
                f"{where}: {name} cannot be {_shown(value)}.", why=f"it takes {key.takes}.", do=_nearest(key, value)
            ) from None
    return values


def _nearest(key: _Key, value: Any) -> str:
    known = re.findall(r"""["']([\w-]+)["']""", key.takes)
    given = value.partition(":")[0].strip() if isinstance(value, str) else ""
    near = [] if given in known else difflib.get_close_matches(given, known, n=1)
    return f"did you mean {near[0]!r}?" if near else "mend it; nothing has been run."


def _shown(value: Any) -> str:
    """As it stands in the file, or nearly."""
    text = {True: "true", False: "false"}.get(value, "") if isinstance(value, bool) else f"{value!r}"
    return text if len(text) <= 60 else f"{text[:59]}…"


def _where(line: int) -> str:
    return f"{FILE}, line {line}"


def _lines_of(text: str, count: int) -> list[int]:
    """On which line each target begins: its table, or its line in a list; where that cannot be told, the first."""
    for begins in (_HEADER, _IN_A_LIST):
        lines = [number for number, line in enumerate(text.splitlines(), start=1) if begins.match(line)]
        if len(lines) == count:
            return lines
    return [1] * count


_HEADER = re.compile(r"\s*\[\[\s*tool\s*\.\s*racewindow\s*\.\s*targets\s*\]\]")
_IN_A_LIST = re.compile(r"\s*(targets\s*=\s*\[)?\s*\{.*\btarget\s*=")
