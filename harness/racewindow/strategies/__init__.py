"""The strategies by name; one file each. Adding one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from racewindow.errors import unknown_name
from racewindow.strategies.random_walk import RandomWalk
from racewindow.strategy import Strategy

STRATEGIES: Mapping[str, Callable[[int], Strategy]] = {
    "random": RandomWalk,
}


def make_strategy(name: str, seed: int) -> Strategy:
    """The strategy called `name`; raises UsageError with the known names for any other."""
    if name not in STRATEGIES:
        raise unknown_name("strategy", name, STRATEGIES)
    return STRATEGIES[name](seed)
