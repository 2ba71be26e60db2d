"""What the panel on a terminal shows while work goes on: a title, and rows of a label and a figure in words.

Pure functions of what has been counted. A figure that is not known, or says nothing here, is not guessed: its row says
why in a few words, or is not there. docs/cli.md says what each means.
"""

from __future__ import annotations

from typing import NamedTuple

from racewindow.budget import Progress, ShrinkProgress
from racewindow.progress import duration, number, passed, rate, seconds_left, share, tree
from racewindow.report_failure import size_text
from racewindow.report_layout import counted
from racewindow.statistics import INDEPENDENT_FROM

_SEARCHES = {"dpor": "orders", "dfs": "interleavings"}
"""Strategies that run all there is, each once, and what it is that they run."""


class Row(NamedTuple):
    """A line of a panel. `curve` is drawn behind the words, as far as there is room. `alarming`: about failures."""

    label: str
    words: str
    curve: tuple[tuple[int, int], ...] = ()
    alarming: bool = False


class Panel(NamedTuple):
    """`title`: what is at work, and on what. `hint`: what the person before it may do."""

    title: str
    rows: tuple[Row, ...]
    hint: str = "Ctrl-C ends it, and shows what was found"


def exploration_panel(name: str, counts: Progress) -> Panel:
    """The panel of one exploration; `name`: of its scenario."""
    return Panel(_titled(name, counts.strategy), (*exploration_rows(counts), Row("time", _time(counts))))


def exploration_rows(counts: Progress) -> tuple[Row, ...]:
    """What is known of an exploration but its time, and last what is done with what it found."""
    wanted = ""
    if counts.schedules:
        wanted = f" of {number(counts.schedules)} ({counts.executions * 100 // counts.schedules}%)"
    return (
        Row("executions", f"{number(counts.executions)}{wanted}"),
        Row("rate", rate(counts) if counts.executions and counts.seconds > 0 else "not known yet"),
        Row("failures", _failures(counts), alarming=counts.failing > 0),
        *_orders(counts),
        *_afterwards(counts),
    )


def shrink_panel(name: str, progress: ShrinkProgress) -> Panel:
    """The panel while a recorded failure is made smaller."""
    left = duration(progress.limits.seconds - progress.seconds)
    rows = (
        Row("tries", f"{number(progress.tries)} of at most {number(progress.limits.tries)}"),
        Row("smallest", size_text(progress.size)),
        Row("time", f"{passed(progress.seconds)} so far, at most {left} left"),
    )
    return Panel(_titled(name, "shrink"), rows)


def explain_panel(name: str, counts: Progress) -> Panel:
    """The panel while the cause of a recorded failure is looked for."""
    rows = (
        Row("executions", number(counts.executions)),
        Row("rate", rate(counts)),
        Row("failing", number(counts.failing)),
        Row("time", _time(counts)),
    )
    return Panel(_titled(name, "explain"), rows, hint="")


def _titled(name: str, doing: str) -> str:
    return f"{name} · {doing}" if doing else name


def _failures(counts: Progress) -> str:
    if not counts.failing:
        return "none so far"
    return counted(counts.failing, "execution") + (f", in {counts.groups:,} ways" if counts.groups > 1 else "")


def _time(counts: Progress) -> str:
    if counts.shrinking is not None or counts.explaining is not None:
        return f"explored for {passed(counts.seconds)}"
    left = seconds_left(counts)
    return f"{passed(counts.seconds)} so far, " + ("no limit" if left is None else f"{duration(left)} left")


def _orders(counts: Progress) -> list[Row]:
    """Distinct orders of events, and how many more there may be, where that is known."""
    if counts.distinct_traces is None:
        return [Row("orders", "not counted (--footprints)")] if counts.executions else []
    at_work = counts.strategy.rpartition(" ")[2]
    rows = [Row("orders", f"{number(counts.distinct_traces)} distinct", curve=counts.curve)]
    if at_work not in _SEARCHES:
        rows.append(Row("new order", _chance(counts, at_work)))
    if counts.tree is not None and counts.searched:
        what = f" {_SEARCHES[at_work]}" if at_work in _SEARCHES else ""
        rows.append(Row("searched", f"{tree(counts.tree, counts.searched)}{what}, a guess"))
    elif counts.tree is not None:
        rows.append(Row("in all", f"{tree(counts.tree, None).removeprefix('tree ')} interleavings, estimated"))
    return rows


def _chance(counts: Progress, at_work: str) -> str:
    """Of a new order: of all executions, or of those of the strategy that is at work within a portfolio."""
    chance, to = (counts.new_trace_chance, "") if counts.part_chance is None else (counts.part_chance, f" to {at_work}")
    if chance is not None:
        return f"{share(chance, some=chance > 0)} chance, estimated{to and f' (new{to})'}"
    return "not known yet" if at_work in INDEPENDENT_FROM else "unknown (executions are not independent)"


def _afterwards(counts: Progress) -> list[Row]:
    if counts.explaining is not None:
        return [Row("explaining", counted(counts.explaining, "execution"))]
    if counts.shrinking is not None:
        done = counts.shrinking
        tries, size = counted(done.tries, "try", "tries"), counted(done.size.deviations, "deviation")
        return [Row("shrinking", f"{tries}, {size}, {duration(done.limits.seconds - done.seconds)} left")]
    return []
