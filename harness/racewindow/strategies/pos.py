"""Partial order sampling: the pending event of the highest priority steps, and only a race draws priorities anew.

Yuan, Yang, Gu: "Partial Order Aware Concurrency Sampling", CAV 2018: random priorities of events instead of tasks
(there BasicPOS), and reassigned where they race (there POS). An event gets its priority when it becomes pending. Once
it has been executed, those that are pending and race with it get new ones: they have lost against it, so their old
ones are known to be low, and what comes of the next race would depend on the last. Independent events keep theirs, so
how many of them there are, and in which tasks, does not matter to the chance of an order of the others.

Departures: which event is pending is guessed (`Task.pending`), and one of which nothing is known is taken to race with
none. The first execution takes the default at each decision: before it nothing is known. An event that was disabled in
between gets a new priority, since it must have raced with what disabled it. Under the racing clock, letting time pass
is an event as well, which is new whenever time has passed, and races with none. Values are drawn evenly.
"""

from __future__ import annotations

from racewindow.schedule import CLOCK, Schedule
from racewindow.strategies.dice import Dice
from racewindow.strategies.remembering import Remembering
from racewindow.strategies.replay import ReplayPicker
from racewindow.strategy import Picker, Task
from racewindow.trail import Trail

_SCALE = 1 << 32
Event = tuple[str, int]
"""A task's path and the number of its step; or the clock, and how often it has been let pass."""


class PartialOrderSampling:
    """See the module's docstring."""

    name = "pos"
    exhaustive = bound_reached = False
    looks_ahead = True

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def start(self, number: int) -> Picker:
        """The default order first; then priorities of its own for each execution."""
        if number == 0:
            return ReplayPicker(Schedule())
        return Remembering(EventPriorities(b"%d/%d/pos" % (self._seed, number)))

    def finished(self, trail: Trail | None, steps: int) -> None:
        """Learns nothing: what events touch is learned where footprints are recorded."""


class EventPriorities:
    """One execution."""

    words = None

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.restart()

    def restart(self) -> None:
        """The same draws from the first."""
        self._dice = Dice(self._key)
        self._priorities: dict[Event, int] = {}
        self._passed = 0

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """The event of the highest priority, after the last step has made those that race with it draw again."""
        # A step that was no decision was the only one that could be taken, so none was pending that it could race with;
        # and a step is looked at once, although there is another decision after it if time was let pass.
        touched = last.touched if last is not None and advances == 0 else None
        old, self._priorities = self._priorities, {}
        for task in candidates:
            event = (task.path, task.number)
            priority = old.get(event)
            if priority is not None and touched is not None:
                pending = task.pending
                if pending is not None and touched.conflicts(pending):
                    priority = None
            self._priorities[event] = self._dice.below(_SCALE) if priority is None else priority
        if may_advance:
            event = (CLOCK, self._passed)
            self._priorities[event] = old[event] if event in old else self._dice.below(_SCALE)
        ranked = list(self._priorities.values())
        index = ranked.index(max(ranked))
        self._passed += index == len(candidates)
        return index

    def pick_value(self, count: int, *, task: Task) -> int:
        """Any value with equal chance."""
        return self._dice.below(count)
