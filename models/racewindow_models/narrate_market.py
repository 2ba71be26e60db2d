"""The story of a reopening: one plain line per event that matters in the markets, on top of `narrate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from racewindow import Event
from racewindow_models.book import Answer, Order
from racewindow_models.narrate import narrate
from racewindow_models.units import E8, text_e8
from racewindow_models.validator import Report


def narrate_reopening(event: Event) -> str | None:
    """The event as a person would tell it, without its time; None if it is not worth telling."""
    tell = _TELL.get(event.kind)
    return tell(event.data) if tell is not None else narrate(event)


def percent(fraction_e8: int) -> str:
    """A fraction as people write it: `-9.91%`."""
    sign = "-" if fraction_e8 < 0 else ""
    hundredths = abs(fraction_e8) * 10_000 // E8
    return f"{sign}{hundredths // 100}.{hundredths % 100:02d}%"


def _mode(data: Mapping[str, Any]) -> str:
    return f"the markets go from {data['before'].value} to {data['mode'].value}"


def _answered(data: Mapping[str, Any]) -> str:
    order: Order = data["order"]
    answer: Answer = data["answer"]
    kind = "triggered " if order.triggered else ""
    if answer.refusal:
        return f"the book refuses the {kind}order {order} in {data['market']}: {answer.refusal}"
    if not answer.trades:
        return f"{order} rests in the book of {data['market']}"
    trade, fair_e8 = answer.trades[-1], data["fair_e8"]
    away = percent((trade.price_e8 - fair_e8) * E8 // fair_e8) if fair_e8 else "?"
    exempt = f", being exempt from {' and '.join(data['exempt'])}" if data["exempt"] else ""
    return (
        f"{order.owner}'s {kind}sell meets {trade.maker.owner}'s bid in {data['market']}{exempt}: "
        f"last trade {text_e8(trade.price_e8)}, {away} off the external fair price"
        if not order.buying
        else f"{order.owner} buys from {trade.maker.owner} in {data['market']} at {text_e8(trade.price_e8)}"
    )


def _skewed(data: Mapping[str, Any]) -> str:
    votes = ", ".join(f"{name} {'no vote' if vote is None else percent(vote)}" for name, vote in data["votes"].items())
    return (
        f"the fair basis of {data['market']} moves to {percent(data['basis_e8'])} (votes: {votes}); "
        f"mark price {text_e8(data['mark_e8'])}"
    )


def _validated(data: Mapping[str, Any]) -> str:
    report: Report = data["report"]
    height = report.block.height
    return f"the validator {'passes' if report.passed else 'rejects'} block {height}{_because(report.problems)}"


def _because(problems: Sequence[str]) -> str:
    return f": {'; '.join(problems)}" if problems else ""


def _restarted(data: Mapping[str, Any]) -> str:
    return f"routing switches to {data['database']}; {' and '.join(data['services'])} start"


def _left(data: Mapping[str, Any]) -> str:
    return f"the operator leaves the halt with block {data['block'].height}"


def _changed(data: Mapping[str, Any]) -> str | None:
    names = data["change"].deleveraged
    return f"the vault cannot pay: {' and '.join(names)} are deleveraged" if names else None


_TELL: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = {
    "services.restarted": _restarted,
    "mode.changed": _mode,
    "validation.done": _validated,
    "halt.left": _left,
    "upgrade.given_up": lambda data: f"the operator gives the upgrade up: routing goes back to {data['database']}",
    "book.answered": _answered,
    "mark.skewed": _skewed,
    "clearing.changed": _changed,
    "refund.decided": lambda data: f"the audit: {data['refund']}",
    "book.cancelled": lambda data: f"the operator cancels {data['count']} resting orders; TP/SL orders stay",
}
