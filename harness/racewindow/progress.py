"""The live line of an exploration: executions, rate, failures, time left, and how much of all there is that may be.

Only for a terminal: into a pipe or a file it would be noise. The text is a pure function of the counts and the width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from racewindow.report_failure import size_text
from racewindow.report_layout import about_as_many, counted
from racewindow.statistics import TreeSize

if TYPE_CHECKING:
    from rich.live import Live

    from racewindow.budget import ShrinkProgress

WIDTH_MIN = 60


class Counts(Protocol):
    """How far an exploration has come; `seconds` and `seconds_limit` in wall time, limits None where there is none."""

    @property
    def executions(self) -> int:
        """Executions so far."""

    @property
    def failing(self) -> int:
        """Those that failed."""

    @property
    def seconds(self) -> float:
        """Wall time so far."""

    @property
    def schedules(self) -> int | None:
        """Executions wanted, None without such a limit."""

    @property
    def seconds_limit(self) -> float | None:
        """Wall time allowed, None without such a limit."""

    @property
    def distinct_traces(self) -> int | None:
        """Distinct orders of events seen, None where that is not known."""

    @property
    def new_trace_chance(self) -> float | None:
        """Chance that the next execution shows a new one, None where there is no saying."""

    @property
    def strategy(self) -> str:
        """Who is at work, "" where that goes without saying."""

    @property
    def tree(self) -> TreeSize | None:
        """What there may be to run in all, None where there is no saying."""

    @property
    def searched(self) -> int | None:
        """How much of it a search has run, None where no search is at work."""

    @property
    def shrinking(self) -> ShrinkProgress | None:
        """How far shrinking has come, None before it begins."""


def progress_line(counts: Counts, width: int = 80) -> str:
    """The line, at most `width` columns; below 80 without the bound, which the time left stands for.

    What else is known joins as far as there is room. The number of orders goes first, then the strategy, then how large
    the tree may be, last the chance of a new order, which says whether it is worth going on.
    """
    if counts.shrinking is not None:
        return shrink_line(counts.shrinking)[:width]
    rate = counts.executions / counts.seconds if counts.seconds > 0 else 0.0
    wanted = "" if counts.schedules is None or width < 80 else f" of {counts.schedules:,}"
    left, orders, chance = seconds_left(counts), counts.distinct_traces, counts.new_trace_chance
    parts = {
        "strategy": counts.strategy,
        "executions": f"{counts.executions:,}{wanted} executions",
        "rate": f"{rate:,.0f}/s",
        "failed": f"{counts.failing:,} failed",
        "left": "" if left is None else f"{duration(left)} left",
        "orders": "" if orders is None else f"{orders:,} order{'' if orders == 1 else 's'}",
        "tree": "" if counts.tree is None else _tree(counts.tree, counts.searched),
        "new": "" if chance is None else f"{_share(chance, some=chance > 0)} new",
    }
    for extra in ("orders", "strategy", "tree", "new"):
        if len(_joined(parts)) > width:
            del parts[extra]
    return _joined(parts)[:width]


def shrink_line(progress: ShrinkProgress) -> str:
    """The line while a failure is made smaller."""
    left = duration(max(0.0, progress.limits.seconds - progress.seconds))
    return f"shrinking  {counted(progress.tries, 'try', 'tries')}  down to {size_text(progress.size)}  {left} left"


def _joined(parts: Mapping[str, str]) -> str:
    return "  ".join(filter(None, parts.values()))


def _tree(size: TreeSize, searched: int | None) -> str:
    """What a search has run of it, as long as it is not at its end, or what there is; both are estimates."""
    in_all = f"~{about_as_many(size.log_leaves / math.log(10))}"
    if not searched:
        return f"tree {in_all}"
    return f"{_share(math.exp(min(math.log(0.999), math.log(searched) - size.log_leaves)), some=True)} of {in_all}"


def _share(share: float, *, some: bool) -> str:
    """In percent. `some`: it is more than nothing, however little."""
    return "<0.1%" if some and share < 0.0005 else f"{share:.1%}"


def seconds_left(counts: Counts) -> float | None:
    """Wall seconds until the first of the limits, as far as can be told; None if there is none or nothing to go by."""
    limits = []
    if counts.seconds_limit is not None:
        limits.append(counts.seconds_limit - counts.seconds)
    if counts.schedules is not None and counts.executions > 0:
        limits.append((counts.schedules - counts.executions) * counts.seconds / counts.executions)
    return max(0.0, min(limits)) if limits else None


def duration(seconds: float) -> str:
    """Seconds as `1:05`, or with hours as `2:00:00`."""
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class LiveLine:
    """Shows the line on `stream` if that is a terminal and it is wanted; does nothing at all otherwise.

    Used as a context manager; the line is gone when it ends. How often `update` is called is up to the explorer, which
    throttles it. No thread: the screen changes in `update` and nowhere else.
    """

    def __init__(self, stream: TextIO, *, wanted: bool = True) -> None:
        self._stream = stream
        self._wanted = wanted and stream.isatty()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._wanted:
            from rich.console import Console
            from rich.live import Live

            console = Console(file=self._stream, highlight=False)
            if console.is_terminal and not console.is_dumb_terminal:
                self._live = Live(
                    console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
                )
                self._live.start()
        return self

    def update(self, counts: Counts) -> None:
        """Show the counts."""
        if self._live is not None:
            self.show(progress_line(counts, max(WIDTH_MIN, self._live.console.width)))

    def update_shrinking(self, progress: ShrinkProgress) -> None:
        """Show how far shrinking has come."""
        self.show(shrink_line(progress))

    def show(self, line: str) -> None:
        """Show any line."""
        if self._live is not None:
            from rich.text import Text

            self._live.update(Text(line, no_wrap=True, overflow="crop"), refresh=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
