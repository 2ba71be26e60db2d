"""Checkers of what prices are taken for: loans, trades and liquidations, and what a price is compared with.

What a thing is truly worth is known to the simulator only. Amounts of money and prices are integers times 10^8.

| event | says |
|---|---|
| `price.used` | `consumer`, `market`, `price_e8`, `age_ns` (None: unknown), `max_age_ns` |
| `price.admitted` | `by`, `market`, the `venues` it derives from, the `reference_venues` of what it is held against |
| `price.published` | `by`, `market`, `price_e8`, the one `before_e8`, `bound_percent`, `sources` that give about it |
| `trade.made` | `account`, `market`, `price_e8`, `true_e8`, `bound_percent` |
| `loan.taken` | `account`, `loan_e8`, `worth_e8` (what its collateral is truly worth) |
| `account.liquidated` | `account`, `value_e8` (as the liquidator saw it), `true_e8`, `needed_e8` |
"""

from __future__ import annotations

from racewindow import Event, History, Verdict, Violation, checker
from racewindow_models.findings import ValueClass
from racewindow_models.judging import judged
from racewindow_models.telling import listed
from racewindow_models.units import text_dollars, text_e8, text_seconds


@checker("no_unknown_age")
def no_unknown_age(history: History) -> Verdict:
    """Nobody acts on a price whose age is unknown or above the bound."""
    return judged(history, "price.used", _too_old, "consumer", "market", "price_e8", "age_ns", "max_age_ns")


def _too_old(event: Event) -> Violation | None:
    data = event.data
    if data["age_ns"] is not None and data["age_ns"] <= data["max_age_ns"]:
        return None
    age = "of unknown age" if data["age_ns"] is None else f"{text_seconds(data['age_ns'])} old"
    return Violation(
        class_=ValueClass.STALE.value,
        subject=data["market"],
        message=(
            f"{data['consumer']} acts on {data['market']} {text_e8(data['price_e8'])} at "
            f"{text_seconds(event.time_ns)}, which is {age}; {text_seconds(data['max_age_ns'])} is the bound"
        ),
        time_ns=event.time_ns,
        evidence={name: data[name] for name in ("price_e8", "age_ns", "max_age_ns")},
    )


@checker("independent_band")
def independent_band(history: History) -> Verdict:
    """What a price is compared with does not derive from where the price itself comes from."""
    return judged(history, "price.admitted", _shared, "by", "market", "venues", "reference_venues")


def _shared(event: Event) -> Violation | None:
    data = event.data
    shared = [venue for venue in data["reference_venues"] if venue in data["venues"]]
    if not shared:
        return None
    return Violation(
        class_=ValueClass.CORRUPT.value,
        subject=data["market"],
        message=(
            f"{data['by']} compares the price of {data['market']} at {text_seconds(event.time_ns)} with one that "
            f"derives from the same source: {listed(shared)}"
        ),
        time_ns=event.time_ns,
        evidence={"venues": list(data["venues"]), "reference_venues": list(data["reference_venues"])},
    )


@checker("bounded_delta")
def bounded_delta(history: History) -> Verdict:
    """A price that moves further than the bound is one that several sources give; a large move is none by itself."""
    needs = ("by", "market", "price_e8", "before_e8", "bound_percent", "sources")
    return judged(history, "price.published", _jumped, *needs)


def _jumped(event: Event) -> Violation | None:
    data = event.data
    if near(data["price_e8"], data["before_e8"], data["bound_percent"]) or len(data["sources"]) > 1:
        return None
    who = f"only {listed(data['sources'])} gives" if data["sources"] else "no source gives"
    return Violation(
        class_=ValueClass.CORRUPT.value,
        subject=data["market"],
        message=(
            f"{data['by']} publishes {data['market']} {text_e8(data['price_e8'])} at {text_seconds(event.time_ns)} "
            f"after {text_e8(data['before_e8'])}; {who} about as much"
        ),
        time_ns=event.time_ns,
        evidence={name: data[name] for name in ("price_e8", "before_e8")} | {"sources": list(data["sources"])},
    )


@checker("trades_at_true_price")
def trades_at_true_price(history: History) -> Verdict:
    """Every trade is made at about the true price."""
    needs = ("account", "market", "price_e8", "true_e8", "bound_percent")
    return judged(history, "trade.made", _mispriced, *needs)


def _mispriced(event: Event) -> Violation | None:
    data = event.data
    if near(data["price_e8"], data["true_e8"], data["bound_percent"]):
        return None
    return Violation(
        class_=ValueClass.CORRUPT.value,
        subject=data["market"],
        message=(
            f"{data['account']} trades {data['market']} at {text_e8(data['price_e8'])} at "
            f"{text_seconds(event.time_ns)}; true is {text_e8(data['true_e8'])}"
        ),
        time_ns=event.time_ns,
        evidence={name: data[name] for name in ("price_e8", "true_e8")},
    )


@checker("loans_covered")
def loans_covered(history: History) -> Verdict:
    """No loan is larger than what its collateral is truly worth when it is taken."""
    return judged(history, "loan.taken", _uncovered, "account", "loan_e8", "worth_e8")


def _uncovered(event: Event) -> Violation | None:
    data = event.data
    if data["loan_e8"] <= data["worth_e8"]:
        return None
    return Violation(
        class_=ValueClass.STALE.value,
        subject=data["account"],
        message=(
            f"{data['account']} borrows {text_dollars(data['loan_e8'])} at {text_seconds(event.time_ns)} against what "
            f"is truly worth {text_dollars(data['worth_e8'])}"
        ),
        time_ns=event.time_ns,
        evidence={name: data[name] for name in ("loan_e8", "worth_e8")},
    )


@checker("no_false_liquidation")
def no_false_liquidation(history: History) -> Verdict:
    """No account that has what it needs, at true prices, is liquidated."""
    return judged(history, "account.liquidated", _was_solvent, "account", "value_e8", "true_e8", "needed_e8")


def _was_solvent(event: Event) -> Violation | None:
    data = event.data
    if data["true_e8"] < data["needed_e8"]:
        return None
    return Violation(
        class_=ValueClass.CORRUPT.value,
        subject=data["account"],
        message=(
            f"{data['account']} is liquidated at {text_seconds(event.time_ns)} at a value of "
            f"{text_dollars(data['value_e8'])}; true is {text_dollars(data['true_e8'])}, "
            f"needed {text_dollars(data['needed_e8'])}"
        ),
        time_ns=event.time_ns,
        evidence={name: data[name] for name in ("value_e8", "true_e8", "needed_e8")},
    )


def near(price_e8: int, other_e8: int, percent: int) -> bool:
    """Whether a price is within so many percent of another one, which may be negative."""
    return abs(price_e8 - other_e8) * 100 <= percent * abs(other_e8)
