"""The story of a restart: which processes are up, what price the chain has, and what is done by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from racewindow import Event
from racewindow_models.dydx.consumers import is_solvent
from racewindow_models.dydx.positions import text_dollars


def narrate(event: Event) -> str | None:
    """The event as a person would tell it, without its time."""
    tell = _TELL.get(event.kind)
    return tell(event.data) if tell is not None else None


def _up(data: Mapping[str, Any]) -> str:
    return f"{data['name']} is up" + (f", {data['lacks']}" if data["lacks"] else "")


def _resumed(_data: Mapping[str, Any]) -> str:
    return "three nodes of four are up: the chain makes blocks"


def _accepted(data: Mapping[str, Any]) -> str:
    return f"{data['votes']} votes: the price on the chain is {text_dollars(data['price'].price_e8)}"


def _prices(data: Mapping[str, Any]) -> str:
    price_e8, true_e8 = data["price"].price_e8, data["true_price_e8"]
    truth = "" if price_e8 == true_e8 else f"; true is {text_dollars(true_e8)}"
    return f"{text_dollars(price_e8)}{truth}"


def _filled(data: Mapping[str, Any]) -> str:
    return f"{data['order']} is filled at {_prices(data)}"


def _liquidated(data: Mapping[str, Any]) -> str:
    wrongly = is_solvent(data["account"], data["true_price_e8"])
    return f"{data['account'].owner} is {'wrongly ' if wrongly else ''}liquidated at {_prices(data)}"


def _refused(data: Mapping[str, Any]) -> str:
    return f"{data['service']} refuses: {data['reason']}"


def _failed(data: Mapping[str, Any]) -> str:
    return f"a call of {data['service']} fails: {data['why']}"


_TELL: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "process.up": _up,
    "chain.resumed": _resumed,
    "price.accepted": _accepted,
    "order.filled": _filled,
    "account.liquidated": _liquidated,
    "guard.refused": _refused,
    "call.failed": _failed,
}
