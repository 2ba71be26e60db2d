"""How much may be explored, and how far an exploration has come."""

from __future__ import annotations

from dataclasses import dataclass

from racewindow.errors import UsageError
from racewindow.failure import Size
from racewindow.statistics import TreeSize

SCHEDULES_DEFAULT = 2_000
"""Executions, where neither their number nor a time is given."""


@dataclass(frozen=True, slots=True)
class ShrinkLimits:
    """How long shrinking may go on: executions, and seconds of wall time."""

    tries: int = 5_000
    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class ShrinkProgress:
    """How far shrinking has come: executions, the size of the schedule by now, seconds of wall time, and the limits."""

    tries: int
    size: Size
    seconds: float
    limits: ShrinkLimits


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an exploration has come; `seconds` of wall time.

    `distinct_traces`, `new_trace_chance`: see `racewindow.statistics.Discovery`. `strategy`: the one at work. `tree`:
    what there may be to run in all; `searched`: how much of it a search has run, None where no search is at work.
    `curve`: (executions, distinct traces seen in them). `part_chance`: of a new trace, of the strategy of a portfolio
    that is at work, by its own executions. `groups`: in how many ways executions failed. `shrinking`: set once the
    exploration is over and what it found is made smaller. `explaining`: executions that were run to find out why.
    """

    executions: int
    failing: int
    steps: int
    seconds: float
    schedules: int | None
    seconds_limit: float | None
    distinct_traces: int | None = None
    new_trace_chance: float | None = None
    strategy: str = ""
    tree: TreeSize | None = None
    searched: int | None = None
    curve: tuple[tuple[int, int], ...] = ()
    part_chance: float | None = None
    groups: int = 0
    shrinking: ShrinkProgress | None = None
    explaining: int | None = None


def check_shrink_limits(tries: int | None, seconds: float | None) -> ShrinkLimits:
    """The limits of shrinking, with the defaults where none is given; raises UsageError for one that is not above 0."""
    for name, value in (("tries", tries), ("seconds", seconds)):
        if value is not None and not value > 0:
            raise UsageError(
                f"{name} cannot be {value}.",
                why=f"nothing can be shrunk in {value} {name}.",
                do="give a number above 0, or leave it out for the default.",
            )
    default = ShrinkLimits()
    return ShrinkLimits(default.tries if tries is None else tries, default.seconds if seconds is None else seconds)


def check_budget(
    schedules: int | None, seconds: float | None, step_limit: int, step_timeout: float, *, ends_by_itself: bool = False
) -> int | None:
    """The number of executions allowed, None for any; raises UsageError for a limit that is not above 0."""
    for name, value, unit in (
        ("schedules", schedules, "executions"),
        ("seconds", seconds, "seconds"),
        ("step_limit", step_limit, "steps"),
        ("step_timeout", step_timeout, "seconds"),
    ):
        if value is not None and not value > 0:
            raise UsageError(
                f"{name} cannot be {value}.",
                why=f"nothing can be explored in {value} {unit}.",
                do="give a number above 0, or leave it out for the default.",
            )
    return SCHEDULES_DEFAULT if schedules is None and seconds is None and not ends_by_itself else schedules
