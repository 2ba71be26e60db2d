"""What a scenario has reports show of an execution beside its story: values over virtual time, and who was hit by it.

The harness knows no prices and no accounts. A scenario declares functions of the events of an execution; whatever a
report draws or adds up comes from what they return. They are called when a report is made, never while exploring.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from racewindow.events import Event
from racewindow.plain import clock_text

_SENTENCES = 2
"""About what is wrong in a chart, where there is not room for all."""
_DECIMALS_MAX = 1_000
"""More than any unit has; numbers with millions of them cannot be written out."""


class Point(NamedTuple):
    """A value that holds from a time on, until the next point of its series.

    `time_ns`: virtual time in nanoseconds. `value`: None where nothing is known. `note`: where it comes from, such as
    `block 7`. `wrong`: it is not what it should be, and reports mark it.
    """

    time_ns: int
    value: float | None
    note: str = ""
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart: its points in the order of time. `truth`: what really was, which others are held against."""

    name: str
    points: Sequence[Point]
    truth: bool = False


class Mark(NamedTuple):
    """Something that happened at a time (virtual, in nanoseconds) and explains what is seen after it."""

    time_ns: int
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Series of one unit over virtual time. `decimals`: values are integers times 10 to the minus that."""

    title: str
    unit: str
    series: Sequence[Series]
    decimals: int = 0
    marks: Sequence[Mark] = ()

    def exact(self, value: float) -> Decimal:
        """A value in the chart's unit, as exact as it was given."""
        return Decimal(str(value)).scaleb(-self.decimals)

    def text(self, value: float | None) -> str:
        """A value as people write it: `1,234.5`."""
        if value is None:
            return "unknown"
        exact = self.exact(value)
        return f"{exact.normalize() if exact else Decimal(0):,f}"

    @property
    def is_wrong(self) -> bool:
        """Whether any of its values is wrong."""
        return any(point.wrong for series in self.series for point in series.points)


class Consequence(NamedTuple):
    """What an execution did to somebody: `who`, `what` happened to them, at which virtual time in nanoseconds.

    `loss`: what it cost them, an integer times 10 to the minus `decimals` of the `unit`, None if that is not the point.
    `wrong`: it should not have happened to them.
    """

    time_ns: int
    who: str
    what: str
    loss: int | None = None
    unit: str = ""
    decimals: int = 2
    wrong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """What reports show of an execution of a scenario; all of it is optional.

    `charts`, `consequences`: what to draw and to list, from the events of an execution. `landmarks`: kinds of event
    that a reader finds their way by, each with a word for it, such as `{"chain.block": "block"}`; a picture marks the
    steps that emit them.
    """

    charts: Callable[[Sequence[Event]], Iterable[Chart]] | None = None
    consequences: Callable[[Sequence[Event]], Iterable[Consequence]] | None = None
    landmarks: Mapping[str, str] = field(default_factory=dict)


NO_DISPLAY = Display()


@dataclass(frozen=True, slots=True)
class Shown:
    """What a display says of one execution. `problems`: what could not be shown, and why, one line each."""

    charts: tuple[Chart, ...] = ()
    consequences: tuple[Consequence, ...] = ()
    problems: tuple[str, ...] = ()


NOTHING_SHOWN = Shown()


def shown_of(display: Display, events: Sequence[Event]) -> Shown:
    """Ask a display about an execution. A function that raises, or returns what cannot be shown, is a problem."""
    problems: list[str] = []
    charts: tuple[Chart, ...] = ()
    consequences: tuple[Consequence, ...] = ()
    try:
        charts = tuple(_checked_chart(each) for each in (display.charts(events) if display.charts else ()))
    except Exception as error:  # noqa: BLE001  # a failure is reported, whatever the functions of its scenario do
        problems.append(_problem("charts", error))
    try:
        found = display.consequences(events) if display.consequences else ()
        consequences = tuple(_checked_consequence(each) for each in found)
    except Exception as error:  # noqa: BLE001  # likewise
        problems.append(_problem("consequences", error))
    return Shown(charts, consequences, tuple(problems))


def _problem(what: str, error: Exception) -> str:
    return f"the scenario's {what} cannot be shown: {type(error).__name__}: {' '.join(str(error).split())}"


def _checked_chart(chart: Chart) -> Chart:
    if not isinstance(chart, Chart):
        raise TypeError(f"{chart!r:.60} is no racewindow.Chart")
    _check_texts(chart.title, chart.unit, *(mark.text for mark in chart.marks))
    _check_decimals(chart.decimals)
    _check_times(mark.time_ns for mark in chart.marks)
    for series in chart.series:
        _check_texts(series.name, *(point.note for point in series.points))
        _check_times(point.time_ns for point in series.points)
        before_ns = 0
        for point in series.points:
            if point.time_ns < before_ns:
                raise ValueError(f"the points of {series.name!r} of {chart.title!r} are not in the order of time")
            before_ns = point.time_ns
            if point.value is not None and not math.isfinite(point.value):
                raise ValueError(f"{point.value!r:.40} of {series.name!r} of {chart.title!r} is no finite number")
    return chart


def _check_texts(*texts: object) -> None:
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"{text!r:.60} has to be a text")


def _check_times(times_ns: Iterable[object]) -> None:
    for time_ns in times_ns:
        if not isinstance(time_ns, int):
            raise TypeError(f"the time {time_ns!r:.40} has to be an integer, in nanoseconds")


def _check_decimals(decimals: object) -> None:
    if not isinstance(decimals, int) or abs(decimals) > _DECIMALS_MAX:
        raise ValueError(f"decimals is {decimals!r:.40}, and has to be an integer of at most {_DECIMALS_MAX:,}")


def _checked_consequence(consequence: Consequence) -> Consequence:
    if not isinstance(consequence, Consequence):
        raise TypeError(f"{consequence!r:.60} is no racewindow.Consequence")
    _check_texts(consequence.who, consequence.what, consequence.unit)
    _check_decimals(consequence.decimals)
    _check_times((consequence.time_ns,))
    if consequence.loss is not None and not isinstance(consequence.loss, int):
        raise TypeError(f"the loss of {consequence.who} is {consequence.loss!r:.40}, and has to be an integer")
    return consequence


# --- in words --------------------------------------------------------------------------------------------------------


def wrong_values(chart: Chart) -> Iterator[str]:
    """A sentence for each value that is wrong."""
    truth = next((series for series in chart.series if series.truth), None)
    for series in chart.series:
        for point in series.points:
            if point.wrong:
                true = None if truth is None else _value_at(truth, point.time_ns)
                against = "" if true is None or truth is None else f"; {truth.name}: {chart.text(true)}"
                source = point.note or series.name
                yield f"{clock_text(point.time_ns)} {source}: {chart.text(point.value)}{against}."


def _value_at(series: Series, time_ns: int) -> float | None:
    """What holds at a time."""
    held: float | None = None
    for point in series.points:
        if point.time_ns > time_ns:
            break
        held = point.value
    return held


def first_wrong_values(chart: Chart) -> list[str]:
    """The first of these sentences, and how many more there are."""
    count = sum(point.wrong for series in chart.series for point in series.points)
    said = list(islice(wrong_values(chart), _SENTENCES))
    return [*said, f"{count - len(said):,} more."] if count > len(said) else said


def money(amount: int, unit: str, decimals: int) -> str:
    """An amount with its unit, all decimals written: `978.50 USDT`."""
    return f"{Decimal(amount).scaleb(-decimals):,.{max(decimals, 0)}f} {unit}".strip()


def consequence_text(consequence: Consequence) -> str:
    """One of them in a line, without its time."""
    loss = consequence.loss
    lost = "" if loss is None else f"; loses {money(loss, consequence.unit, consequence.decimals)}"
    return f"{consequence.who} {consequence.what}{lost}{' (should not have been)' if consequence.wrong else ''}"


def losses(consequences: Sequence[Consequence]) -> list[str]:
    """What was lost in all, by unit."""
    totals: dict[tuple[str, int], int] = {}
    for each in consequences:
        if each.loss is not None:
            key = (each.unit, each.decimals)
            totals[key] = totals.get(key, 0) + each.loss
    return [money(total, unit, decimals) for (unit, decimals), total in totals.items()]
