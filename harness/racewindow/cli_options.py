"""From the words of the command line to the values of an exploration, each refused with one message that says why.

Words are taken as text and read here, not by typer, so that every message has the same shape and names its option.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from racewindow.errors import InputError, UsageError

if TYPE_CHECKING:
    from racewindow.faults import FaultPlan
    from racewindow.scenarios import Scenario


def whole_number(
    option: str, text: str | None, *, least: int | None = None, why: str = "", such_as: int = 1000
) -> int | None:
    """The number in `text`, None if the option was not given.

    Raises UsageError if it is not a whole number, or below `least`, for the reason `why`.
    """
    if text is None:
        return None
    example = f"for example: {option} {such_as}"
    try:
        number = int(text.replace("_", "").replace(",", ""))
    except ValueError:
        raise UsageError(f"{option} cannot be {text!r}.", why="it takes a whole number.", do=example) from None
    if least is not None and number < least:
        raise UsageError(f"{option} cannot be {number}.", why=why, do=example)
    return number


def positive_seconds(option: str, text: str | None) -> float | None:
    """The seconds in `text`, None if the option was not given; raises UsageError unless they are above 0."""
    if text is None:
        return None
    example = f"for example: {option} 60"
    try:
        number = float(text)
    except ValueError:
        why = "it takes a number of seconds, such as 60 or 0.5."
        raise UsageError(f"{option} cannot be {text!r}.", why=why, do=example) from None
    if not (number > 0 and math.isfinite(number)):
        raise UsageError(
            f"{option} cannot be {text}.", why="it is the time that may be spent, so it has to be above 0.", do=example
        )
    return number


def assignments(option: str, texts: Sequence[str]) -> dict[str, str]:
    """`["ticks=3", ...]` as a mapping; raises UsageError for anything else and for a name that comes twice."""
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise UsageError(
                f"{option} cannot be {text!r}.",
                why="it takes the name of a parameter and its value, joined by '='.",
                do=f"for example: {option} ticks=3",
            )
        if name in values:
            raise UsageError(
                f"{option} gives {name!r} twice, as {values[name]!r} and as {value!r}.", do="give each parameter once."
            )
        values[name] = value
    return values


def feed_of(scenario: Scenario, feed: str | None, *, allow_negative_prices: bool) -> dict[str, Any]:
    """The keyword arguments of `explore` about the feed.

    Raises UsageError if the scenario takes no feed or no such option, InputError if the file does not exist.
    """
    options = {"allow_negative_prices": True} if allow_negative_prices else {}
    loader = scenario.feed_loader
    if loader is None:
        given = "--feed" if feed is not None else "--allow-negative-prices" if options else ""
        if given:
            why = f"{scenario.name} reads no recorded data."
            raise UsageError(f"{scenario.name} takes no {given}.", why=why, do=f"leave {given} out.")
    elif options and not _takes(loader, options):
        raise UsageError(
            f"{scenario.name} takes no --allow-negative-prices.",
            why="its feed has no such option.",
            do="leave --allow-negative-prices out.",
        )
    if feed is not None and not Path(feed).is_file():
        wrong = "is a folder" if Path(feed).is_dir() else "does not exist"
        raise InputError(f"the feed {feed} {wrong}.", do="give --feed a CSV file with time and price columns.")
    return {"feed": feed, "feed_options": options}


def _takes(loader: Any, options: Mapping[str, Any]) -> bool:
    try:
        inspect.signature(loader).bind(None, **options)
    except (TypeError, ValueError):
        return False
    return True


def fault_plan(scenario: Scenario, texts: Sequence[str], budget: int | None) -> FaultPlan | int | None:
    """What may strike: the faults named, one of them at most unless a budget says otherwise; else the scenario's own.

    Raises UsageError for a kind that nobody knows, and for a parameter that it does not have.
    """
    from racewindow.faults import FaultPlan, parse_fault

    if not texts:
        return budget
    known = [type(fault) for fault in scenario.faults]
    return FaultPlan(tuple(parse_fault(text, known=known) for text in texts), 1 if budget is None else budget)
