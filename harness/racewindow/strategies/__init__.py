"""The strategies by name; one file each. Adding one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from racewindow.errors import UsageError, unknown_name
from racewindow.strategies.auto import Portfolio
from racewindow.strategies.dfs import DepthFirst
from racewindow.strategies.dpor import OptimalReduction
from racewindow.strategies.fuzz import ScheduleFuzzing
from racewindow.strategies.pct import PriorityWalk
from racewindow.strategies.pos import PartialOrderSampling
from racewindow.strategies.random_walk import RandomWalk
from racewindow.strategies.surw import SelectiveWalk
from racewindow.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Options:
    """What a strategy can be given.

    `preemptions`: for dfs, at most so many in an execution; None for any number. `depth`: for pct, of the bugs that it
    looks for; None for its default. `semantics` and `schedules` are those of the exploration: what can be proved, and
    how much may be run.
    """

    seed: int = 0
    preemptions: int | None = None
    depth: int | None = None
    semantics: str = "processes"
    schedules: int | None = None


STRATEGIES: Mapping[str, Callable[[Options], Strategy]] = {
    "random": lambda options: RandomWalk(options.seed),
    "pct": lambda options: PriorityWalk(options.seed, DEPTH_DEFAULT if options.depth is None else options.depth),
    "pos": lambda options: PartialOrderSampling(options.seed),
    "surw": lambda options: SelectiveWalk(options.seed),
    "fuzz": lambda options: ScheduleFuzzing(options.seed),
    "dfs": lambda options: DepthFirst(options.preemptions),
    "dpor": lambda _: OptimalReduction(),
    "auto": lambda options: Portfolio(
        options.seed, options.depth or DEPTH_DEFAULT, options.semantics, options.schedules
    ),
}
DEPTH_DEFAULT = 3
UNLIMITED = frozenset({"dfs", "dpor"})
"""Strategies that end by themselves: no limit on executions unless one is given."""
ALWAYS_FOOTPRINTS = frozenset(STRATEGIES) - {"random", "pct"}
"""Strategies that are nothing without footprints, or hardly slower with them."""


def make_strategy(name: str, options: Options) -> Strategy:
    """The strategy called `name`; raises UsageError for an unknown one, and for an option that it does not have."""
    if name not in STRATEGIES:
        raise unknown_name("strategy", name, STRATEGIES)
    if name == "dpor" and options.semantics == "trio":
        raise UsageError(
            "dpor cannot be used with trio semantics.",
            why="trio's batches tie steps together that are independent of each other.",
            do="use --strategy dfs, or --semantics processes.",
        )
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
        if name not in ("pct", "auto"):
            raise UsageError(f"{name} has no depth.", do="use --strategy pct, or leave the depth out.")
        if options.depth < 1:
            raise UsageError(
                f"the depth cannot be {options.depth}.",
                why="it is the number of ordering constraints that a bug needs.",
                do="give 1 or more; 2 and 3 find most bugs.",
            )
    return STRATEGIES[name](options)
