"""The strategies by name; one file each. Adding one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from racewindow.errors import UsageError, unknown_name
from racewindow.strategies.dfs import DepthFirst
from racewindow.strategies.random_walk import RandomWalk
from racewindow.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Options:
    """What a strategy can be given. `preemptions`: at most so many in an execution, None for any number."""

    seed: int = 0
    preemptions: int | None = None


STRATEGIES: Mapping[str, Callable[[Options], Strategy]] = {
    "random": lambda options: RandomWalk(options.seed),
    "dfs": lambda options: DepthFirst(options.preemptions),
}
UNLIMITED = frozenset({"dfs"})
"""Strategies that end by themselves: no limit on executions unless one is given."""


def make_strategy(name: str, options: Options) -> Strategy:
    """The strategy called `name`; raises UsageError for an unknown one, and for an option that it does not have."""
    if name not in STRATEGIES:
        raise unknown_name("strategy", name, STRATEGIES)
    if options.preemptions is not None:
        if name != "dfs":
            raise UsageError(
                f"{name} cannot be bounded by preemptions.",
                why="it would leave out orders without saying which.",
                do="use --strategy dfs, which tries all orders with at most that many.",
            )
        if options.preemptions < 0:
            raise UsageError(f"the number of preemptions cannot be {options.preemptions}.", do="give 0 or more.")
    return STRATEGIES[name](options)
