"""Checkers of who may write what: one writer at a time, no step back, nothing that is lost or left empty.

Each event says what the step that wrote has found there and left; `newest` is what a simulator knows and the writer may
not: the newest fencing token that has been handed out.

| event | says |
|---|---|
| `write.accepted` | `key`, `writer`, its `token` and the `newest`, `others` (who else wrote with it) |
| `record.written` | `key`, `writer`, the `generation` written, the one it `replaced` |
| `record.emptied` | `key`, `by`, the `generation` that the record still points at |
| `sides.compared` | `key`, `unique` (side -> writes that only this side has) |
"""

from __future__ import annotations

from racewindow import Event, History, Verdict, Violation, checker
from racewindow_models.findings import ValueClass
from racewindow_models.judging import judged
from racewindow_models.telling import listed
from racewindow_models.units import text_seconds


@checker("single_active_writer")
def single_active_writer(history: History) -> Verdict:
    """At most one writer of each key is accepted at a time, and none with an older fencing token."""
    return judged(history, "write.accepted", _not_the_one, "key", "writer", "token", "newest", "others")


def _not_the_one(event: Event) -> Violation | None:
    data = event.data
    if data["token"] < data["newest"]:
        class_, why = ValueClass.REGRESSED, f"with token {data['token']}, and {data['newest']} has been handed out"
    elif data["others"]:
        class_, why = ValueClass.TORN, f"which {listed(data['others'])} has written as well"
    else:
        return None
    return Violation(
        class_=class_.value,
        subject=data["key"],
        message=f"{data['writer']} writes {data['key']} at {text_seconds(event.time_ns)}, {why}",
        time_ns=event.time_ns,
        evidence={name: data[name] for name in ("writer", "token", "newest")} | {"others": list(data["others"])},
    )


@checker("generation_monotonic")
def generation_monotonic(history: History) -> Verdict:
    """The generation of a record never decreases."""
    return judged(history, "record.written", _older, "key", "writer", "generation", "replaced")


def _older(event: Event) -> Violation | None:
    data = event.data
    if data["generation"] >= data["replaced"]:
        return None
    return Violation(
        class_=ValueClass.REGRESSED.value,
        subject=data["key"],
        message=(
            f"{data['writer']} writes generation {data['generation']} of {data['key']} at "
            f"{text_seconds(event.time_ns)} over generation {data['replaced']}"
        ),
        time_ns=event.time_ns,
        evidence={name: data[name] for name in ("writer", "generation", "replaced")},
    )


@checker("never_empty")
def never_empty(history: History) -> Verdict:
    """What a record points at is always there."""
    return judged(history, "record.emptied", _empty, "key", "by", "generation")


def _empty(event: Event) -> Violation:
    data = event.data
    return Violation(
        class_=ValueClass.DEFAULT.value,
        subject=data["key"],
        message=(
            f"{data['key']} is empty from {text_seconds(event.time_ns)} on: {data['by']} deletes generation "
            f"{data['generation']}, which it points at"
        ),
        time_ns=event.time_ns,
        evidence={name: data[name] for name in ("by", "generation")},
    )


@checker("no_unique_writes")
def no_unique_writes(history: History) -> Verdict:
    """No two sides each hold writes that the other one lacks: then neither can be taken over without a loss."""
    return judged(history, "sides.compared", _diverged, "key", "unique")


def _diverged(event: Event) -> Violation | None:
    data = event.data
    unique = {side: list(writes) for side, writes in data["unique"].items() if writes}
    if len(unique) < 2:
        return None
    sides = "; ".join(f"only {side} has {listed(writes)}" for side, writes in unique.items())
    return Violation(
        class_=ValueClass.TORN.value,
        subject=data["key"],
        message=f"the sides of {data['key']} have diverged by {text_seconds(event.time_ns)}: {sides}",
        time_ns=event.time_ns,
        evidence={"unique": unique},
    )
