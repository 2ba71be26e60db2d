"""The strategies by name; one file each. Adding one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from racewindow.errors import UsageError, unknown_name
from racewindow.strategies.dfs import DepthFirst
from racewindow.strategies.pct import PriorityWalk
from racewindow.strategies.random_walk import RandomWalk
from racewindow.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Options:
    """What a strategy can be given.

    `preemptions`: for dfs, at most so many in an execution; None for any number. `depth`: for pct, of the bugs that it
    looks for; None for its default.
    """

    seed: int = 0
    preemptions: int | None = None
    depth: int | None = None


STRATEGIES: Mapping[str, Callable[[Options], Strategy]] = {
    "random": lambda options: RandomWalk(options.seed),
    "pct": lambda options: PriorityWalk(options.seed, DEPTH_DEFAULT if options.depth is None else options.depth),
    "dfs": lambda options: DepthFirst(options.preemptions),
}
DEPTH_DEFAULT = 3
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
    if options.depth is not None:
        if name != "pct":
            raise UsageError(f"{name} has no depth.", do="use --strategy pct, or leave the depth out.")
        if options.depth < 1:
            raise UsageError(
                f"the depth cannot be {options.depth}.",
                why="it is the number of ordering constraints that a bug needs.",
                do="give 1 or more; 2 and 3 find most bugs.",
            )
    return STRATEGIES[name](options)
