"""What reports show of a window besides its story: prices and indices against ground truth, and the accounts' money.

Made from events, whose ground truth only a simulator has. Blocks and changes of mode are what a reader finds their way
by in a picture of the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from racewindow import Chart, Consequence, Display, Event, Mark, Point, Series
from racewindow_models.chain import Block
from racewindow_models.cross import is_covered, quoted, true_at, value_e8
from racewindow_models.findings import Finding, Quantity, ValueClass, examine
from racewindow_models.ground_truth import GroundTruth, MarketTruth
from racewindow_models.margin import instants
from racewindow_models.units import E8, MarketName, TimeNs, text_usdt
from racewindow_models.values import MarketValues

CENT_E8 = E8 // 100
_OF: Mapping[Quantity, tuple[Callable[[MarketTruth], Callable[[TimeNs], int]], Callable[[MarketValues], int]]] = {
    Quantity.MARK_PRICE: (lambda truth: truth.mark_price_e8, lambda values: values.mark_price_e8),
    Quantity.FUNDING_INDEX: (lambda truth: truth.funding_index_e8, lambda values: values.funding_index_e8),
}
"""How the truth has a quantity, and how a batch does."""


def window_charts(events: Sequence[Event]) -> Iterator[Chart]:
    """Mark price and funding index of every market: what the chain says, against ground truth."""
    blocks = [event for event in events if event.kind in ("chain.block", "chain.rolled_back")]
    first = next((event for event in blocks if event.kind == "chain.block"), None)
    if first is None:
        return
    truth: GroundTruth = first.data["truth"]
    end_ns = TimeNs(max(event.time_ns for event in events))
    for quantity in (Quantity.FUNDING_INDEX, Quantity.MARK_PRICE):
        for market in truth.markets:
            of_truth, of_values = _OF[quantity][0](market), _OF[quantity][1]
            true = [Point(at, of_truth(at)) for at in instants(market, TimeNs(0), end_ns)]
            said = [
                Point(at, of_values(values), note, wrong)
                for at, values, note, wrong in _said(blocks, market.market, quantity)
            ]
            yield Chart(
                title=f"{market.market} {quantity.value}",
                unit="USDT" if quantity is Quantity.MARK_PRICE else f"USDT per {market.market}",
                series=(Series("ground truth", true, truth=True), Series("the chain", said)),
                decimals=8,
                marks=tuple(_marks(events)),
            )


def _said(
    blocks: Iterable[Event], market: MarketName, quantity: Quantity
) -> Iterator[tuple[int, MarketValues, str, bool]]:
    """What the chain says of a market from when on, in which block, and whether that is bad."""
    before: list[Block] = []
    for number, event in enumerate(blocks):
        block: Block = event.data["block"]
        if number == 0:
            before = list(_ancestors(block))
        if event.kind == "chain.rolled_back":
            yield event.time_ns, _of(block, market), f"rolled back to block {block.height}", False
            continue
        for each in (*before, block):
            values = _of(each, market)
            bad = _badness(each, values, quantity, event.data)
            yield (
                (event if each is block else each).time_ns,
                values,
                f"block {each.height}{f' ({bad})' if bad else ''}",
                bool(bad),
            )
        before = []


def _ancestors(block: Block) -> Iterator[Block]:
    """Those before a block, the oldest first."""
    if block.parent is not None:
        yield from _ancestors(block.parent)
        yield block.parent


def _of(block: Block, market: MarketName) -> MarketValues:
    return next(values for values in block.batch if values.market == market)


def _badness(block: Block, values: MarketValues, quantity: Quantity, data: Mapping[str, Any]) -> str:
    """The class of a value that is bad in a block, else ""."""
    found = examine(values, data["truth"], block.time_ns, data["max_age_ns"])
    bad: Finding | None = next((each for each in found if each.quantity is quantity), None)
    if bad is not None:
        return bad.class_.value
    before = {} if block.parent is None else {each.market: each.generation for each in block.parent.batch}
    return ValueClass.REGRESSED.value if values.generation < before.get(values.market, values.generation) else ""


def _marks(events: Iterable[Event]) -> Iterator[Mark]:
    for event in events:
        if event.kind == "maintenance.started":
            yield Mark(event.time_ns, "maintenance starts")
        elif event.kind == "services.restarted":
            yield Mark(event.time_ns, "the services start")
        elif event.kind == "chain.rolled_back":
            yield Mark(event.time_ns, "the chain is rolled back")
        elif event.kind == "mode.changed":
            yield Mark(event.time_ns, f"the markets go to {event.data['mode'].value}")


def window_consequences(events: Sequence[Event]) -> Iterator[Consequence]:
    """Who was liquidated, by which values, and what it cost them if it should not have been; who is refunded."""
    for event in events:
        if event.kind == "account.liquidated":
            yield _liquidation(event)
        elif event.kind == "clearing.changed":
            for name in event.data["change"].deleveraged:
                yield Consequence(event.time_ns, name, "is deleveraged: closed against a loss of the vault", wrong=True)
        elif event.kind == "refund.decided":
            refund = event.data["refund"]
            owed = f"is owed {text_usdt(refund.owed_e8)}" if refund.owed_e8 else "is owed nothing"
            yield Consequence(event.time_ns, refund.account, f"{owed}: {refund.why}")


def _liquidation(event: Event) -> Consequence:
    account, truly = event.data["account"], true_at(event.data["truth"], TimeNs(event.time_ns))
    judged_e8, true_e8 = value_e8(account, quoted(event.data["used"])), value_e8(account, truly)
    what = f"is liquidated by block {event.data['height']} as worth {text_usdt(judged_e8)}"
    if not is_covered(account, truly):
        return Consequence(event.time_ns, account.name, f"{what}, rightly")
    lost_e8 = true_e8 - max(judged_e8, 0)
    what = f"{what}; is worth {text_usdt(true_e8)} under ground truth"
    return Consequence(event.time_ns, account.name, what, lost_e8 // CENT_E8, "USDT", wrong=True)


WINDOW = Display(
    charts=window_charts,
    consequences=window_consequences,
    landmarks={
        "chain.block": "block",
        "chain.rolled_back": "rollback",
        "mode.changed": "mode",
        "services.restarted": "restart",
        "account.liquidated": "liquidation",
    },
)
"""Of every scenario of the exchange."""
