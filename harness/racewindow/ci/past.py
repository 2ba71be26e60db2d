"""The failures of the past: each is replayed once, before anything new is looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from racewindow.ci.config import Wanted
from racewindow.ci.places import shown, source_of
from racewindow.ci.rows import Row, Status
from racewindow.cli_recorded import order_of
from racewindow.corpus import Entry, Tried, attempt
from racewindow.failure_file import StoredFailure
from racewindow.schedule import Schedule
from racewindow.settings import Target
from racewindow.virtual import real

_STATUS: dict[str, Status] = {
    "fixed": "ok",
    "fails": "unexpected",
    "fails otherwise": "unexpected",
    "stale": "unsure",
    "broken": "broken",
}


def try_entry(entry: Entry, targets: Sequence[Wanted]) -> tuple[Row, Tried | None]:
    """What became of an entry; None besides for one that only pytest can try."""
    if entry.of_pytest:
        why = "pytest tries it: only pytest can set up what the test needs."
        return _row(entry, "left to pytest", "ok", why=(why,)), None
    loaded: list[tuple[str, int]] = []

    def find(stored: StoredFailure) -> tuple[Target, Schedule]:
        order = order_of(stored)
        loaded.append(source_of(order.scenario))
        return order.scenario, order.schedule

    started = real.monotonic()
    tried = attempt(entry, find)
    seconds = real.monotonic() - started
    told: dict[str, Any] = {"seconds": seconds, "source": loaded[0] if loaded else ("", 1)}
    if tried.verdict == "fails" and entry.stored is not None and _is_known(entry.stored, targets):
        return _row(entry, "fails", "ok", expected="fails", why=("its target is expected to fail so.",), **told), tried
    status = _STATUS[tried.verdict]
    failure = tried.failure if status == "unexpected" else None
    return _row(entry, tried.verdict, status, why=tuple(tried.why.splitlines()), failure=failure, **told), tried


def _row(entry: Entry, found: str, status: Status, **more: Any) -> Row:
    path = shown(entry.path.absolute())
    return Row(
        kind="past",
        name=entry.path.stem,
        target=entry.target,
        expected=more.pop("expected", "fixed"),
        found=found,
        status=status,
        file=path,
        failure_file=path,
        **more,
    )


def _is_known(stored: StoredFailure, targets: Sequence[Wanted]) -> bool:
    """Whether a target is expected to fail in this way, with the same safeguards on."""
    schedule = stored.schedule
    for wanted in targets:
        if wanted.expect.verdict != "fails" or not _same_target(wanted.target, stored):
            continue
        given = wanted.options.get("safeguards", ())
        on = set() if given in ((), "none") else set(given.split(",")) if isinstance(given, str) else set(given)
        same = given == "all" or on == set(schedule.safeguards)
        if same and wanted.expect.checker in ("", stored.checker, stored.kind):
            return True
    return False


def _same_target(target: str, stored: StoredFailure) -> bool:
    """`mine.py` is recorded as `mine.py:restart`."""
    return stored.target == target or (target.endswith(".py") and stored.target.startswith(f"{target}:"))


def still_failing(tried: Sequence[Tried]) -> frozenset[tuple[object, ...]]:
    """(target, identity) of what is in the corpus and happens still, and need not be kept a second time."""
    return frozenset(
        (each.entry.target, each.entry.stored.identity)
        for each in tried
        if each.verdict == "fails" and each.entry.stored is not None
    )
