"""The story of an outage: how the plant stands, what is estimated, what is decided, and which site does what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from racewindow import Event
from racewindow_models.cme.plant import ATTEMPTS
from racewindow_models.cme.site import OPEN
from racewindow_models.units import text_duration


def narrate(event: Event) -> str | None:
    """The event as a person would tell it, without its time."""
    tell = _TELL.get(event.kind)
    return tell(event.data) if tell is not None else None


def _plant(data: Mapping[str, Any]) -> str:
    cooling = data["cooling"]
    if cooling.attempts > ATTEMPTS:
        return "the plant works again"
    return f"attempt {cooling.attempts} to repair the plant {'works' if cooling.works else 'fails'}"


def _estimate(data: Mapping[str, Any]) -> str:
    estimate = data["estimate"]
    what = "the outage is over" if estimate.is_over else f"{text_duration(estimate.left_ns)} more"
    return f"estimate {estimate.version}: {what}"


def _decision(data: Mapping[str, Any]) -> str:
    what = "to fail over to site-b" if data["fails_over"] else "to stay with site-a"
    return f"the operator decides {what}, by estimate {data['estimate'].version}"


def _up(data: Mapping[str, Any]) -> str:
    looks = f", and finds that the market belongs to {data['holder']}" if data["holder"] else ""
    return f"{data['site']} is up{looks}"


def _taken(data: Mapping[str, Any]) -> str:
    return f"the market is given to {data['lease'].holder}, with token {data['lease'].token}"


def _asked(data: Mapping[str, Any]) -> str | None:
    if not data["accepted"]:
        return f"clearing refuses {data['what']} of {data['stage']} from {data['lease'].holder}: its token is outdated"
    return f"{data['lease'].holder} opens {data['stage']}" if data["what"] == OPEN else None


def _stood_down(data: Mapping[str, Any]) -> str:
    return f"{data['site']} stands down"


def _failed(data: Mapping[str, Any]) -> str:
    return f"a call of {data['service']} fails: {data['why']}"


_TELL: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = {
    "plant.changed": _plant,
    "estimate.changed": _estimate,
    "operator.decided": _decision,
    "site.up": _up,
    "market.taken": _taken,
    "clearing.asked": _asked,
    "site.stood_down": _stood_down,
    "call.failed": _failed,
}
