"""What reports show of the failover: how long the outage is estimated to last, and by which estimate was decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from racewindow import Chart, Display, Event, Mark, Point, Series
from racewindow_models.cme.estimator import Estimate
from racewindow_models.units import SECOND_NS

_MINUTE_NS = 60 * SECOND_NS


def _charts(events: Sequence[Event]) -> Iterator[Chart]:
    """The estimate as it is against the one that the operator decides by."""
    current, decided, marks = list[Point](), list[Point](), list[Mark]()
    newest = 1
    for event in events:
        if event.kind == "estimate.changed":
            estimate: Estimate = event.data["estimate"]
            newest = estimate.version
            current.append(_point(event, estimate))
        elif event.kind == "operator.decided":
            estimate = event.data["estimate"]
            decided.append(_point(event, estimate, wrong=estimate.version < newest))
            what = "fail over" if event.data["fails_over"] else "stay"
            marks.append(Mark(event.time_ns, f"the operator decides to {what}"))
        elif event.kind == "market.taken":
            marks.append(Mark(event.time_ns, f"the market is given to {event.data['lease'].holder}"))
    if decided:
        series = Series("estimate", current, truth=True), Series("decided by", decided)
        yield Chart("Estimated rest of the outage", "minutes", series, marks=marks)


def _point(event: Event, estimate: Estimate, *, wrong: bool = False) -> Point:
    return Point(event.time_ns, estimate.left_ns // _MINUTE_NS, f"estimate {estimate.version}", wrong)


FAILOVER = Display(
    charts=_charts,
    landmarks={"operator.decided": "decision", "market.taken": "failover", "site.up": "site"},
)
