"""The story of a settlement: who was closed, what was moved, what failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from racewindow import Event
from racewindow_models.dydx.positions import text_dollars
from racewindow_models.units import text_e8


def narrate(event: Event) -> str | None:
    """The event as a person would tell it, without its time."""
    tell = _TELL.get(event.kind)
    return tell(event.data) if tell is not None else None


def _matched(data: Mapping[str, Any]) -> str:
    match, size = data["match"], text_e8(abs(data["size_e8"]))
    who = f"{data['liquidated'].owner} is closed against {data['opposite'].owner}"
    if match.is_adl:
        return f"ADL: {who}, {size} at the bankruptcy price"
    price = text_dollars(data["price_e8"])
    missing = f", {text_dollars(match.shortfall_e8)} are missing" if match.shortfall_e8 else ""
    open_ = "; nothing is left open" if match.closes_the_market else ""
    return f"{who}: {size} at {price}{missing}{open_}"


def _transfer(data: Mapping[str, Any]) -> str:
    amount = text_dollars(data["amount_e8"])
    if data["accepted"]:
        return f"{amount} go from the {data['source']} to the {data['target']}"
    return f"{amount} cannot leave the {data['source']}, which holds {text_dollars(data['before_e8'])}"


def _halted(_data: Mapping[str, Any]) -> str:
    return "the failsafe halts the chain"


def _lost(data: Mapping[str, Any]) -> str:
    return f"the {text_dollars(data['amount_e8'])} of the {data['source']} are not paid any more"


def _failed(data: Mapping[str, Any]) -> str:
    return f"a call of the {data['service']} fails: {data['why']}"


def _updated(_data: Mapping[str, Any]) -> str:
    return "the subaccounts are updated"


_TELL: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "liquidation.matched": _matched,
    "bank.transfer": _transfer,
    "chain.halted": _halted,
    "payment.lost": _lost,
    "call.failed": _failed,
    "subaccounts.updated": _updated,
}
