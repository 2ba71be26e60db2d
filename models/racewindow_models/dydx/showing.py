"""What reports show of the dYdX scenarios: the price on the chain against the true one, and who holds how much."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from racewindow import Chart, Consequence, Display, Event, Mark, Point, Series
from racewindow_models.dydx.bank import ISOLATED
from racewindow_models.dydx.consumers import is_solvent
from racewindow_models.dydx.positions import text_dollars
from racewindow_models.units import E8

CENT_E8 = E8 // 100
_USES = ("order.filled", "account.liquidated")


def _price_charts(events: Sequence[Event]) -> Iterator[Chart]:
    uses = [event for event in events if event.kind in _USES]
    if not uses:
        return
    accepted = [
        Point(event.time_ns, event.data["price"].price_e8, f"{event.data['votes']} votes")
        for event in events
        if event.kind == "price.accepted"
    ]
    used = [
        Point(
            event.time_ns,
            event.data["price"].price_e8,
            _what(event),
            event.data["price"].price_e8 != event.data["true_price_e8"],
        )
        for event in uses
    ]
    true = [Point(event.time_ns, event.data["true_price_e8"]) for event in uses]
    series = Series("true price", true, truth=True), Series("used", used), Series("accepted by votes", accepted)
    marks = [Mark(event.time_ns, "the chain makes blocks") for event in events if event.kind == "chain.resumed"]
    yield Chart("Price", "dollars", series, decimals=8, marks=marks)


def _what(event: Event) -> str:
    data = event.data
    return data["order"] if event.kind == "order.filled" else f"liquidation of {data['account'].owner}"


def _price_consequences(events: Sequence[Event]) -> Iterator[Consequence]:
    for event in events:
        if event.kind in _USES:
            price_e8, true_e8 = event.data["price"].price_e8, event.data["true_price_e8"]
            truth = "" if price_e8 == true_e8 else f"; true is {text_dollars(true_e8)}"
            if event.kind == "order.filled":
                what, who = "is filled", event.data["order"]
                is_wrong = price_e8 != true_e8
            else:
                what, who = "is liquidated", event.data["account"].owner
                is_wrong = is_solvent(event.data["account"], true_e8)
            yield Consequence(event.time_ns, who, f"{what} at {text_dollars(price_e8)}{truth}", wrong=is_wrong)


PRICES = Display(
    charts=_price_charts,
    consequences=_price_consequences,
    landmarks={
        "chain.resumed": "blocks",
        "price.accepted": "price",
        "account.liquidated": "liquidation",
        "order.filled": "fill",
    },
)


def _balance_charts(events: Sequence[Event]) -> Iterator[Chart]:
    told = [event for event in events if "balances_e8" in event.data]
    if not told:
        return
    refused = {
        (event.time_ns, event.data["source"]): event.data["amount_e8"]
        for event in told
        if event.kind == "bank.transfer" and not event.data["accepted"]
    }
    series = []
    for holder in told[0].data["balances_e8"]:
        points = []
        for event in told:
            amount_e8 = refused.get((event.time_ns, holder)) if event.data.get("source") == holder else None
            note = "" if amount_e8 is None else f"{text_dollars(amount_e8)} cannot leave it"
            points.append(Point(event.time_ns, event.data["balances_e8"][holder], note, bool(note)))
        series.append(Series(holder, points))
    marks = [Mark(event.time_ns, "the failsafe halts the chain") for event in events if event.kind == "chain.halted"]
    yield Chart("Balances", "dollars", series, decimals=8, marks=marks)


def _balance_consequences(events: Sequence[Event]) -> Iterator[Consequence]:
    for event in events:
        if event.kind == "chain.halted":
            owed_e8 = event.data["owed_e8"]
            yield Consequence(
                event.time_ns, f"the accounts of the {ISOLATED}", f"are not paid: {event.data['reason']}",
                owed_e8 // CENT_E8, "dollars", wrong=True,
            )  # fmt: skip
        elif event.kind == "payment.lost":
            what = f"is not paid {text_dollars(event.data['amount_e8'])} by the {event.data['source']}"
            yield Consequence(event.time_ns, f"the {event.data['target']}", what, wrong=True)


BALANCES = Display(
    charts=_balance_charts,
    consequences=_balance_consequences,
    landmarks={"liquidation.matched": "match", "bank.transfer": "transfer", "chain.halted": "halt"},
)
