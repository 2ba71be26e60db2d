"""How far a run has come: rows done, the one that is run now, and the time that is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from racewindow.budget import Progress
from racewindow.ci.rows import WORDS, Row
from racewindow.ci.shares import Past
from racewindow.progress import duration, passed
from racewindow.progress_panel import Panel, exploration_rows
from racewindow.progress_panel import Row as Line
from racewindow.report_layout import counted


class CiProgress(NamedTuple):
    """`rows`: those that are done, of `in_all`. `name`: of the one that is run now, and `current` how far it is.

    `seconds`: wall time so far. `left`: wall seconds that the rest may take, None where there is nothing to go by.
    """

    rows: tuple[Row, ...]
    in_all: int
    name: str
    current: Progress | None
    seconds: float
    left: float | None


def expected_seconds(
    name: str, spent: float, waiting: Iterable[str], times: Mapping[str, Past], budget_left: float | None
) -> float | None:
    """How long it may still take: as long as last time, and no longer than the budget; None if neither is known.

    `name`: of the target that has been run for `spent` seconds. `waiting`: those that come after it.
    """
    limits = [] if budget_left is None else [budget_left]
    names = [name, *waiting]
    if all(each in times for each in names):
        first, *others = (times[each].seconds for each in names)
        limits.append(max(0.0, first - spent) + sum(others))
    return max(0.0, min(limits)) if limits else None


def ci_panel(progress: CiProgress) -> Panel:
    """The run, and in it the exploration of the row that is run now."""
    current = progress.current
    now = progress.name + (f" · {current.strategy}" if current is not None and current.strategy else "")
    left = "" if progress.left is None else f", about {duration(progress.left)} left"
    rows = (
        Line("rows", _rows(progress), alarming=any(row.status != "ok" for row in progress.rows)),
        Line("now", now),
        *(() if current is None else exploration_rows(current)),
        Line("time", f"{passed(progress.seconds)} so far{left}"),
    )
    return Panel("racewindow ci", rows)


def ci_line(progress: CiProgress, width: int = 80) -> str:
    """The same in a line."""
    left = "" if progress.left is None else f"{duration(progress.left)} left"
    current = "" if progress.current is None else counted(progress.current.executions, "execution")
    return "  ".join(filter(None, [_rows(progress), left, progress.name, current]))[:width]


def _rows(progress: CiProgress) -> str:
    words = Counter(WORDS[row.status] for row in progress.rows if row.status != "ok")
    bad = [f"{words[each]} {each}" for each in WORDS.values() if words[each]]
    return ", ".join([f"{len(progress.rows)} of {progress.in_all} done", *bad])
