"""How far an exploration has come, in one line: executions, rate, failures, time left, how much there may be in all.

A pure function of the counts and the width. It is for a terminal that has no room for a panel, or cannot draw one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from racewindow.budget import Progress, ShrinkProgress
from racewindow.report_failure import size_text
from racewindow.report_layout import about_as_many, counted
from racewindow.statistics import TreeSize

_LONG_SECONDS = 100 * 24 * 3_600


def progress_line(counts: Progress, width: int = 80) -> str:
    """The line, at most `width` columns; below 80 without the bound, which the time left stands for.

    What else is known joins as far as there is room. The number of orders goes first, then the strategy, then how large
    the tree may be, last the chance of a new order, which says whether it is worth going on.
    """
    if counts.explaining is not None:
        return f"explaining  {counted(counts.explaining, 'execution')}"[:width]
    if counts.shrinking is not None:
        return shrink_line(counts.shrinking)[:width]
    wanted = "" if counts.schedules is None or width < 80 else f" of {number(counts.schedules)}"
    left, orders, chance = seconds_left(counts), counts.distinct_traces, counts.new_trace_chance
    parts = {
        "strategy": counts.strategy,
        "executions": f"{counts.executions:,}{wanted} execution{'' if counts.executions == 1 and not wanted else 's'}",
        "rate": rate(counts),
        "failed": f"{counts.failing:,} failed",
        "left": "" if left is None else f"{duration(left)} left",
        "orders": "" if orders is None else counted(orders, "order"),
        "tree": "" if counts.tree is None else tree(counts.tree, counts.searched),
        "new": "" if chance is None else f"{share(chance, some=chance > 0)} new",
    }
    for extra in ("orders", "strategy", "tree", "new"):
        if len(_joined(parts)) > width:
            del parts[extra]
    return _joined(parts)[:width]


def shrink_line(progress: ShrinkProgress) -> str:
    """The line while a failure is made smaller."""
    left = duration(progress.limits.seconds - progress.seconds)
    return f"shrinking  {counted(progress.tries, 'try', 'tries')}  down to {size_text(progress.size)}  {left} left"


def _joined(parts: Mapping[str, str]) -> str:
    return "  ".join(filter(None, parts.values()))


# --- figures in words ------------------------------------------------------------------------------------------------


def number(count: int) -> str:
    """A count; from 10^12 on, which is more than anybody runs, as a power of ten."""
    return f"{count:,}" if count < 10**12 else about_as_many(math.log10(count))


def rate(counts: Progress) -> str:
    """Executions a second, from the beginning on; two digits where there are few."""
    a_second = counts.executions / counts.seconds if counts.seconds > 0 else 0.0
    return f"{a_second:,.0f}/s" if a_second >= 9.95 or a_second == 0 else f"{a_second:.2g}/s"


def tree(size: TreeSize, searched: int | None) -> str:
    """What a search has run of it, as long as it is not at its end, or what there is; both are estimates."""
    in_all = f"~{about_as_many(size.log_leaves / math.log(10))}"
    if not searched:
        return f"tree {in_all}"
    return f"{share(math.exp(min(math.log(0.999), math.log(searched) - size.log_leaves)), some=True)} of {in_all}"


def share(part: float, *, some: bool) -> str:
    """In percent. `some`: it is more than nothing, however little."""
    return "<0.1%" if some and part < 0.0005 else f"{part:.1%}"


def seconds_left(counts: Progress) -> float | None:
    """Wall seconds until the first of the limits, as far as can be told; None if there is none or nothing to go by."""
    limits = []
    if counts.seconds_limit is not None:
        limits.append(counts.seconds_limit - counts.seconds)
    if counts.schedules is not None and counts.executions > 0:
        to_run = min(counts.schedules - counts.executions, 10**18)  # an option may have more digits than a float holds
        limits.append(to_run * (counts.seconds / counts.executions))
    return max(0.0, min(limits)) if limits else None


def duration(seconds: float) -> str:
    """Seconds as `1:05`, or with hours as `2:00:00`; what is over hundred days as no more than that."""
    if seconds >= _LONG_SECONDS:
        return "over 100 days"
    minutes, rest = divmod(math.ceil(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def passed(seconds: float) -> str:
    """The same of time that has passed: a second counts once it is over."""
    return duration(math.floor(seconds))
