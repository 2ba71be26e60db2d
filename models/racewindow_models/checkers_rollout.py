"""Checkers of rollouts: of what a consumer switches to, and of who says that all is well.

| event | says |
|---|---|
| `config.activated` | `consumer`, `config`, `rows` and `limit` (what it can take), `absent` (what it needs and lacks) |
| `value.used` | `consumer`, `value` (its name), `amount`, `present` (whether a producer ever gave it) |
| `recovery.declared` | `by`, `seen` (whose answers it rests on), `all` (who can answer) |
| `maintenance.left` | `by`, `checked` (what has been checked), `serving` (what customers are let in to) |
"""

from __future__ import annotations

from racewindow import Event, History, Verdict, Violation, checker
from racewindow_models.findings import ValueClass
from racewindow_models.judging import judged
from racewindow_models.telling import listed
from racewindow_models.units import text_seconds


@checker("config_valid_before_activate")
def config_valid_before_activate(history: History) -> Verdict:
    """No consumer switches to a configuration that it cannot take: too large, or without something that it needs."""
    return judged(history, "config.activated", _cannot_take, "consumer", "config", "rows", "limit", "absent")


def _cannot_take(event: Event) -> Violation | None:
    data = event.data
    if data["absent"]:
        class_, why = ValueClass.DEFAULT, f"and lacks {listed(data['absent'])}"
    elif data["rows"] > data["limit"]:
        class_, why = ValueClass.CORRUPT, f"which has {data['rows']} rows and may have {data['limit']}"
    else:
        return None
    return Violation(
        class_=class_.value,
        subject=data["consumer"],
        message=f"{data['consumer']} switches at {text_seconds(event.time_ns)} to {data['config']}, {why}",
        time_ns=event.time_ns,
        evidence={name: data[name] for name in ("config", "rows", "limit")} | {"absent": list(data["absent"])},
    )


@checker("no_default_in_use")
def no_default_in_use(history: History) -> Verdict:
    """Nobody acts on a number that no producer ever gave: a 0 that stands for "nothing there"."""
    return judged(history, "value.used", _never_given, "consumer", "value", "amount", "present")


def _never_given(event: Event) -> Violation | None:
    data = event.data
    if data["present"]:
        return None
    return Violation(
        class_=ValueClass.DEFAULT.value,
        subject=data["consumer"],
        message=(
            f"{data['consumer']} acts on {data['value']} {data['amount']} at {text_seconds(event.time_ns)}, "
            "which nobody has computed"
        ),
        time_ns=event.time_ns,
        evidence={name: data[name] for name in ("value", "amount", "present")},
    )


@checker("recovery_seen_everywhere")
def recovery_seen_everywhere(history: History) -> Verdict:
    """Recovery is declared only after everyone who can give the answer has given a good one: one sample is not all."""
    return judged(history, "recovery.declared", _too_early, "by", "seen", "all")


def _too_early(event: Event) -> Violation | None:
    data = event.data
    unseen = [each for each in data["all"] if each not in data["seen"]]
    if not unseen:
        return None
    return Violation(
        class_=ValueClass.STALE.value,
        subject=data["by"],
        message=(
            f"{data['by']} declares recovery at {text_seconds(event.time_ns)} and has seen a good answer of "
            f"{listed(data['seen'])} only, of {listed(unseen)} none"
        ),
        time_ns=event.time_ns,
        evidence={"seen": list(data["seen"]), "unseen": unseen},
    )


@checker("validate_before_exit")
def validate_before_exit(history: History) -> Verdict:
    """Customers are let in only to what has been checked, each place by itself."""
    return judged(history, "maintenance.left", _unchecked, "by", "checked", "serving")


def _unchecked(event: Event) -> Violation | None:
    data = event.data
    unchecked = [each for each in data["serving"] if each not in data["checked"]]
    if not unchecked:
        return None
    return Violation(
        class_=ValueClass.DEFAULT.value,
        subject=unchecked[0],
        message=(
            f"{data['by']} lets customers in to {listed(data['serving'])} at {text_seconds(event.time_ns)}; "
            f"checked is {listed(data['checked'])}"
        ),
        time_ns=event.time_ns,
        evidence={"checked": list(data["checked"]), "serving": list(data["serving"])},
    )
