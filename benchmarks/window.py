"""The scenario `paradex` under plain trio, as a user without racewindow would run it again and again.

The least that a `Simulation` needs of its surroundings, and the same checkers after each run: both columns do the same
work, and what differs is the loop that runs the tasks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

import trio

import racewindow
from racewindow.log import null_logger
from racewindow_models.scenarios.paradex import paradex

T = TypeVar("T")


class PlainHost:
    """What a scenario asks of its execution, answered by trio."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.events: list[racewindow.Event] = []
        self._nursery = nursery

    def now_ns(self) -> int:
        """The time on the mock clock, which starts at 0."""
        return round(trio.current_time() * 1_000_000_000)

    def choose(self, options: Sequence[T]) -> T:
        """Always the first."""
        return options[0]

    async def fault_point(self, name: str, kinds: Collection[str] | None) -> None:
        """Nothing ever strikes."""

    def emit(self, kind: str, data: Mapping[str, Any]) -> None:
        """Keep the event for the checkers."""
        self.events.append(racewindow.Event(self.now_ns(), trio.lowlevel.current_task().name, 0, kind, data))

    def new_id(self) -> str:
        """A name for a record."""
        return str(len(self.events))

    def spawn(self, function: Callable[..., Awaitable[object]], args: tuple[Any, ...], name: str | None) -> None:
        """Start a task."""
        self._nursery.start_soon(function, *args, name=name)


def plain_window() -> Callable[[], Awaitable[None]]:
    """A main for `trio.run`: the window with its defaults, its feed read once; AssertionError if a checker objects."""
    scenario = paradex
    assert scenario.feed_loader is not None
    feed, params, log = scenario.feed_loader(None), scenario.resolve_params({}), null_logger()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            host = PlainHost(nursery)
            sim = racewindow.Simulation(host, known=scenario.safeguards, on=frozenset(), feed=feed, log=log)
            await scenario.function(sim, **params)
        history = racewindow.History(host.events, params=params, feed=feed, end_ns=host.now_ns())
        verdicts = [check.check(history) for check in scenario.checks]
        assert not any(verdict.violations for verdict in verdicts)

    return main
