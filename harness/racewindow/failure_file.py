"""The file of a failure: all that is needed to make it happen again and to read what it was, without running anything.

JSON, versioned, small, never pickled, and written all or not at all. Nothing in it depends on the machine or the day:
the same failure of the same program gives the same file, under the same name. Paths in it are relative to the file, so
that it works wherever it and the program are moved together.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from racewindow.errors import InputError
from racewindow.failure import KINDS, Failure, Shrunk, found_fields
from racewindow.json_fields import Fields
from racewindow.plain import plain
from racewindow.scenarios import Scenario
from racewindow.schedule import Schedule
from racewindow.whole_file import write_text

FORMAT = "racewindow-failure"
VERSION = 1
"""Raised when a reader of the format before could no longer replay what is written."""
_BYTES_MAX = 50_000_000
_NAME_MAX = 100


@dataclass(frozen=True, slots=True)
class StoredFailure:
    """What a failure file says.

    `target`: what was typed to get the scenario; `target_file`: the file in it relative to the folder of the failure
    file, or None if it names none. `feed_file` likewise, None without a feed of the user's. `versions` and
    `hash_seed`: what it was recorded with. `original`: the schedule that was found, where `schedule` is a smaller one.
    The rest as in `Failure`.
    """

    path: Path
    target: str
    scenario: str
    kind: str
    message: str
    schedule: Schedule
    digest: str
    checker: str | None = None
    class_: str | None = None
    subject: str | None = None
    time_ns: int = 0
    execution: int = 0
    evidence: Mapping[str, Any] = field(default_factory=dict)
    story: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    target_file: str | None = None
    feed_file: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    hash_seed: str = ""
    original: Schedule | None = None
    content: Mapping[str, Any] = field(default_factory=dict)
    """All of it as it was read."""

    @property
    def identity(self) -> tuple[str, str | None, str | None, str | None]:
        """The same as `Failure.identity`."""
        return (self.kind, self.checker, self.class_, self.subject)


# --- writing ---------------------------------------------------------------------------------------------------------


def save(failure: Failure, directory: str | Path, *, target: str, scenario: Scenario) -> Path:
    """Write `failure` into `directory` (made if it is missing) and return the absolute path of its file.

    `target`: what a person types to get the scenario again. The same failure with the same schedule overwrites its own
    file, and so does what it has been shrunk to. Raises InputError if the file cannot be written; an older file of the
    same name is then still whole.
    """
    folder = Path(directory).absolute()
    path = folder / file_name(failure if failure.shrunk is None else failure.shrunk.original, scenario.name)
    _write(path, _content(failure, folder, target, scenario), directory)
    return path


def save_shrunk(failure: Failure, stored: StoredFailure, path: Path, scenario: Scenario) -> None:
    """Write what a stored failure has been shrunk to into `path`, which may be its own file.

    What was typed and where things are stays as it was recorded, and so does the first of all schedules. Raises
    InputError as `save`.
    """
    folder, here = path.absolute().parent, stored.path.absolute().parent
    if stored.schedule.feed is not None:
        failure = _with_feed(failure, stored.schedule.feed)
    content = _content(failure, folder, stored.target, scenario)
    kept = {name: stored.content[name] for name in ("scenario", "original") if name in stored.content}
    for name, recorded in (("target_file", stored.target_file), ("feed_file", stored.feed_file)):
        kept[name] = None if recorded is None else _relative(os.path.normpath(here / recorded), folder)
    _write(path.absolute(), content | kept, path.parent)


def _with_feed(failure: Failure, feed: str) -> Failure:
    """The failure with the path of the feed as it was typed once."""
    shrunk = failure.shrunk
    if shrunk is not None:
        shrunk = replace(shrunk, original=_with_feed(shrunk.original, feed))
    return replace(failure, schedule=replace(failure.schedule, feed=feed), token="", shrunk=shrunk)


def _write(path: Path, content: Mapping[str, Any], directory: str | Path) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    try:
        write_text(path, text)  # which writes half a character as JSON does
    except OSError as error:
        raise _cannot_write(directory, error) from None


def check_writable(directory: str | Path) -> None:
    """Raise InputError if no file could be written into `directory`; makes neither the folder nor a file that stays."""
    folder = Path(directory).absolute()
    nearest = folder
    while not os.path.lexists(nearest) and nearest != nearest.parent:
        nearest = nearest.parent
    probe = nearest / f".racewindow-{os.getpid()}.tmp"
    try:
        if not nearest.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, f"{nearest.name} is a file, not a folder")
        os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666))
        probe.unlink()
    except OSError as error:
        raise _cannot_write(directory, error) from None


def file_name(failure: Failure, scenario: str) -> str:
    """The name of the failure's file: what it is in words, then eight digits of its identity and schedule."""
    exact = json.dumps([*failure.identity, _whole(failure.schedule)], sort_keys=True)
    digits = hashlib.blake2b(exact.encode(), digest_size=4).hexdigest()
    words = [scenario, failure.checker or failure.kind, failure.class_ or ""]
    slug = "-".join(filter(None, (re.sub(r"[^A-Za-z0-9_.]+", "-", word).strip("-.") for word in words)))
    return f"{slug[:_NAME_MAX]}-{digits}.json"


def _content(failure: Failure, folder: Path, target: str, scenario: Scenario) -> dict[str, Any]:
    """What a person wants to know comes first, what only the machine reads last."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "scenario": scenario.name,
        "target": target,
        "target_file": _relative(file_of(target), folder),
        **found_fields(failure),
        "time_ns": failure.time_ns,
        "story": list(failure.story),
        "deviations": list(failure.deviations),
        "faults": list(failure.faults),
        "evidence": plain(failure.evidence),
        "execution": failure.execution,
        "schedule": _whole(failure.schedule),
        "feed_file": _relative(failure.schedule.feed, folder),
        "token": failure.token or failure.schedule.token(),
        "digest": failure.digest,
        "versions": {"racewindow": own_version(), "trio": version_of("trio"), "python": platform.python_version()},
        "hash_seed": os.environ.get("PYTHONHASHSEED", "random") if sys.flags.hash_randomization else "0",
        **_before(failure.shrunk),
    }


def _before(shrunk: Shrunk | None) -> dict[str, Any]:
    """What a failure was before it was shrunk; nothing if it was not."""
    if shrunk is None or not shrunk.smaller:
        return {}
    first = shrunk.original
    original = {"deviations": list(first.deviations), "faults": list(first.faults), "schedule": _whole(first.schedule)}
    return {"shrunk": shrunk.as_dict(), "original": {**original, "digest": first.digest}}


def _whole(schedule: Schedule) -> dict[str, Any]:
    """The schedule in the words of JSON; only parameters can need translation, and nothing of it may be cut."""
    data = schedule.as_dict()
    return data | {
        name: {key: plain(value) for key, value in data[name].items()} for name in ("params", "feed_options")
    }


def file_of(target: str) -> str | None:
    """The path in a target of the form `plan.toml`, `file.py` or `file.py:function`; None for the other forms."""
    path, _, function = target.rpartition(":")
    if is_test(target):
        return None
    if target.endswith((".py", ".toml")):
        return target
    return path if path.endswith(".py") and function else None


def is_test(target: str) -> bool:
    """Whether a target is the node id of a test, `tests/test_mine.py::test_restart[3]`, and not a scenario."""
    return "::" in target


def own_version() -> str:
    """The version of racewindow, "unknown" when it runs from sources that are not installed."""
    return version_of("racewindow")


def version_of(distribution: str) -> str:
    """The version of an installed distribution, "unknown" if it is not installed as one."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "unknown"


def _relative(path: str | None, folder: Path) -> str | None:
    if path is None:
        return None
    try:
        return Path(os.path.relpath(Path(path).absolute(), folder)).as_posix()
    except ValueError:  # another drive
        return None


def _cannot_write(folder: str | Path, error: OSError) -> InputError:
    return InputError(
        f"failures cannot be written to {folder}.",
        why=f"{error.strerror or error}.",
        do="give --out a folder that you may write to, for example --out found",
    )


# --- reading ---------------------------------------------------------------------------------------------------------


def load(path: str | Path, *, command: str = "replay") -> StoredFailure:
    """Read a failure file. `command`: the one that asks for it.

    Raises InputError, each with its own message, if it does not exist, is a folder, cannot be read, is not JSON, is
    something else's JSON, was written by a newer version, or is damaged.
    """
    path = Path(path)
    data = _json(path, _bytes(path, command))
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InputError(
            f"{path} is not a failure of racewindow.",
            why=f'it is JSON, but does not say "format": "{FORMAT}".',
            do=HOW_TO_GET_ONE,
        )
    version = data.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _damaged(path, f"version should be a whole number from 1, not {version!r:.60}")
    if version > VERSION:
        raise _too_new(path, version, data)
    return _read(path, data)


HOW_TO_GET_ONE = "give the file that `racewindow explore` names when it finds a failure."


def _bytes(path: Path, command: str) -> bytes:
    try:
        if path.is_dir():
            found = sorted(path.glob("*.json"))
            do = f"racewindow {command} {found[0]}" if found else HOW_TO_GET_ONE
            why = "a replay takes one failure file." if command == "replay" else f"{command} takes one failure file."
            raise InputError(f"{path} is a folder.", why=why, do=do)
        if not path.exists():
            raise InputError(f"{path} does not exist.", do=HOW_TO_GET_ONE)
        with path.open("rb") as file:
            content = file.read(_BYTES_MAX + 1)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read.", why=f"{error.strerror or error}.", do="check who may read the file."
        ) from None
    if len(content) > _BYTES_MAX:
        raise InputError(
            f"{path} is not a failure of racewindow.",
            why=f"it is larger than {_BYTES_MAX // 1_000_000} MB; a failure takes a few kilobytes.",
            do=HOW_TO_GET_ONE,
        )
    return content


def _json(path: Path, content: bytes) -> Any:
    if not content.strip():
        raise InputError(f"{path} is empty.", why="a failure file is JSON.", do=HOW_TO_GET_ONE)
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        why = "it is not text."
    except json.JSONDecodeError as error:
        why = f"line {error.lineno}, column {error.colno}: {error.msg}."
    except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
        why = "it holds numbers or levels beyond all measure."
    raise InputError(
        f"{path} is not JSON.",
        why=why,
        do="if it was edited or cut off, explore again to record the failure anew; otherwise " + HOW_TO_GET_ONE,
    )


def _too_new(path: Path, version: int, data: Mapping[str, Any]) -> InputError:
    versions = data.get("versions")
    writer = versions.get("racewindow") if isinstance(versions, dict) else None
    known = isinstance(writer, str) and re.fullmatch(r"\d[\w.+!-]*", writer) is not None
    needed = f"racewindow {writer}" if known else "a newer racewindow"
    return InputError(
        f"{path} was written by {needed}, in format {version}.",
        why=f"this is racewindow {own_version()}, which reads format {VERSION}.",
        do=f"pip install 'racewindow>={writer}'" if known else "pip install --upgrade racewindow",
    )


def _damaged(path: Path, why: str) -> InputError:
    return InputError(
        f"{path} is damaged.",
        why=f"{why}.",
        do="explore again to record the failure anew, or undo what was edited.",
    )


def _read(path: Path, data: Mapping[str, Any]) -> StoredFailure:
    fields = Fields(partial(_damaged, path), data)
    kind = fields.text("kind")
    if kind not in KINDS:
        raise _damaged(path, f"kind should be one of {', '.join(KINDS)}, not {kind!r:.60}")
    return StoredFailure(
        path=path,
        target=fields.text("target"),
        target_file=fields.text_or_none("target_file"),
        scenario=fields.text("scenario"),
        kind=kind,
        checker=fields.text_or_none("checker"),
        class_=fields.text_or_none("class"),
        subject=fields.text_or_none("subject"),
        message=fields.text("message"),
        time_ns=fields.typed("time_ns", int),
        execution=fields.typed("execution", int),
        evidence=fields.typed("evidence", dict),
        story=fields.lines("story"),
        deviations=fields.lines("deviations"),
        faults=fields.lines("faults"),
        schedule=_schedule(path, fields.typed("schedule", dict)),
        feed_file=fields.text_or_none("feed_file"),
        digest=fields.text("digest"),
        versions={str(name): str(value) for name, value in fields.typed("versions", dict).items()},
        hash_seed=fields.text("hash_seed"),
        original=_original(path, data),
        content=data,
    )


def _original(path: Path, data: Mapping[str, Any]) -> Schedule | None:
    if "original" not in data:
        return None
    damaged = partial(_damaged, path)
    return _schedule(path, Fields(damaged, Fields(damaged, data).typed("original", dict)).typed("schedule", dict))


def _schedule(path: Path, written: Mapping[str, Any]) -> Schedule:
    try:
        return Schedule.from_dict(written)
    except InputError as error:
        raise _damaged(path, f"{error.what.rstrip('.')}: {error.why.rstrip('.')}") from None
