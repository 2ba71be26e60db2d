"""What reports show of the smaller scenarios: a value that was used against what it should have been, and who paid.

Each takes the events as its scenario emits them. A truth is known at the times at which an event names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from racewindow import Chart, Consequence, Display, Event, Mark, Point, Series
from racewindow_models.units import E8, text_dollars

CENT_E8 = E8 // 100


def _of(events: Iterable[Event], kind: str) -> list[Event]:
    return [event for event in events if event.kind == kind]


def admitted(what: str, unit: str) -> Callable[[Sequence[Event]], Iterator[Chart]]:
    """Charts of a price that is admitted, whose events tell the true one as well."""

    def charts(events: Sequence[Event]) -> Iterator[Chart]:
        found = _of(events, "price.admitted")
        if found:
            true = [Point(0, found[0].data["true_e8"]), *(Point(e.time_ns, e.data["true_e8"]) for e in found)]
            said = [
                Point(e.time_ns, e.data["price_e8"], f"by {e.data['by']}", e.data["price_e8"] != e.data["true_e8"])
                for e in found
            ]
            series = Series("true price", true, truth=True), Series(what, said)
            yield Chart(what, unit, series, decimals=8, marks=tuple(_liquidations(events)))

    return charts


def _liquidations(events: Iterable[Event]) -> Iterator[Mark]:
    return (Mark(e.time_ns, f"{e.data['account']} is liquidated") for e in _of(events, "account.liquidated"))


def liquidated(events: Sequence[Event]) -> Iterator[Consequence]:
    """Who was liquidated at which value, and what it was really worth."""
    for event in _of(events, "account.liquidated"):
        data = event.data
        is_wrong = data["true_e8"] >= data["needed_e8"]
        lost_e8 = data["true_e8"] - max(data["value_e8"], 0)
        what = f"is liquidated at a value of {text_dollars(data['value_e8'])}"
        if is_wrong:
            worth = f"{what}; is truly worth {text_dollars(data['true_e8'])}"
            yield Consequence(event.time_ns, data["account"], worth, lost_e8 // CENT_E8, "dollars", wrong=True)
        else:
            yield Consequence(event.time_ns, data["account"], f"{what}, rightly")


def admitted_price(what: str, unit: str) -> Display:
    """Of a scenario in which a price is admitted and accounts are liquidated by it."""
    return Display(
        charts=admitted(what, unit),
        consequences=liquidated,
        landmarks={"price.admitted": "price", "account.liquidated": "liquidation"},
    )


# --- loans -----------------------------------------------------------------------------------------------------------


def _loan_charts(events: Sequence[Event]) -> Iterator[Chart]:
    loans = _of(events, "loan.taken")
    if loans:
        worth = [Point(e.time_ns, e.data["worth_e8"]) for e in loans]
        lent = [
            Point(e.time_ns, e.data["loan_e8"], f"to {e.data['account']}", e.data["loan_e8"] > e.data["worth_e8"])
            for e in loans
        ]
        marks = [Mark(e.time_ns, "the feed pauses") for e in _of(events, "feed.paused")]
        marks += [Mark(e.time_ns, "the market is paused") for e in _of(events, "market.paused")]
        series = Series("true worth of what is pledged", worth, truth=True), Series("lent against it", lent)
        yield Chart("Loans", "dollars", series, decimals=8, marks=marks)


def _loan_losses(events: Sequence[Event]) -> Iterator[Consequence]:
    for event in _of(events, "loan.taken"):
        data = event.data
        missing_e8 = data["loan_e8"] - data["worth_e8"]
        what = f"lends {text_dollars(data['loan_e8'])} to {data['account']} against {text_dollars(data['worth_e8'])}"
        if missing_e8 > 0:
            yield Consequence(event.time_ns, "the pool", what, missing_e8 // CENT_E8, "dollars", wrong=True)
        else:
            yield Consequence(event.time_ns, "the pool", what)


LOANS = Display(
    charts=_loan_charts,
    consequences=_loan_losses,
    landmarks={"feed.paused": "pause", "market.paused": "pause", "loan.taken": "loan"},
)


# --- what is published and traded at ---------------------------------------------------------------------------------


def _traded_charts(events: Sequence[Event]) -> Iterator[Chart]:
    published, trades = _of(events, "price.published"), _of(events, "trade.made")
    if published and trades:
        first = published[0]
        said = [Point(0, first.data["before_e8"])]
        said += [
            Point(e.time_ns, e.data["price_e8"], f"from {len(e.data['sources'])} of {e.data['count']} answers")
            for e in published
        ]
        true = [Point(e.time_ns, e.data["true_e8"]) for e in trades]
        made = [
            Point(
                e.time_ns,
                e.data["price_e8"],
                e.data["account"],
                abs(e.data["price_e8"] - e.data["true_e8"]) * 100 > abs(e.data["true_e8"]) * e.data["bound_percent"],
            )
            for e in trades
        ]
        series = Series("true price", true, truth=True), Series("published", said), Series("traded at", made)
        yield Chart(f"{first.data['market']} price", "USD", series, decimals=8)


TRADED = Display(
    charts=_traded_charts, landmarks={"price.published": "price", "trade.made": "trade", "market.halted": "halt"}
)


# --- orders ----------------------------------------------------------------------------------------------------------


def _order_charts(events: Sequence[Event]) -> Iterator[Chart]:
    """Of each order of which more was sent than ordered."""
    sent = _of(events, "order.executed")
    for order in dict.fromkeys(event.data["order"] for event in sent):
        mine = [event for event in sent if event.data["order"] == order]
        wanted = [Point(mine[0].time_ns, mine[0].data["quantity"])]
        done = [
            Point(e.time_ns, e.data["sent"], f"by {e.data['server']}", e.data["sent"] > e.data["quantity"])
            for e in mine
        ]
        if done[-1].wrong:
            series = Series("ordered", wanted, truth=True), Series("sent", done)
            yield Chart(f"Shares of {order}", "shares", series)


ORDERS = Display(charts=_order_charts, landmarks={"flag.on": "flag", "repair.done": "repair"})
