"""Those who lead the executions of a systematic search: they repeat one up to some place, and then go on as planned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from racewindow.errors import DivergenceError
from racewindow.faults import NO_FAULT, Offer
from racewindow.schedule import CLOCK, START
from racewindow.strategies.labels import Choices, Options, available, covers, fitting
from racewindow.strategies.replay import default_of, place_of
from racewindow.strategies.search_tree import Node, Search, Sleeping
from racewindow.strategies.wakeup import Branch, Label, Word
from racewindow.strategy import Task
from racewindow.trail import CLOCK_TASK, KeyState, Stride

_NO_KEYS: dict[int, KeyState] = {}
"""Until the execution is over, and its trail knows."""
_new = object.__new__


class NumberedTask(Task, Protocol):
    """A task that knows its number in the trails."""

    @property
    def tid(self) -> int:
        """The number."""


class Follower:
    """The part that all executions of the search have in common: they begin by repeating one."""

    words = None

    def __init__(self, paths: list[str], prefix: list[Stride], keys: dict[int, KeyState]) -> None:
        self.paths, self.prefix, self.keys = paths, prefix, keys
        self._ran: list[tuple[int, Choices, bool]] = []
        self._values: dict[tuple[str, int], Choices] | None = None

    @property
    def steps(self) -> list[tuple[int, Choices, bool]]:
        """Task, choices and whether it was a barrier: of the steps that are repeated, and of those run since."""
        return [(stride.task, stride.choices, stride.barrier) for stride in self.prefix] + self._ran

    def pick_value(self, count: int, *, task: Task) -> int:
        """The value that the step took before; in a new step, what is planned."""
        return self._choice(count, task)

    def pick_fault(self, offers: list[Offer], *, task: Task, index: int) -> int:
        """The fault that struck there before; in a new step, what is planned."""
        return NO_FAULT - self._choice(tuple(offer.number for offer in offers), task)

    def _choice(self, options: Options, task: Task) -> int:
        if self._values is None:
            self._values, numbers = {}, dict[int, int]()
            for step, choices, _ in self.steps:
                number = numbers[step] = numbers.get(step, -1) + 1
                self._values[self.paths[step], number] = choices
            self._place, self._position = ("", -1), -1
        place = (task.path, task.number)
        self._position = self._position + 1 if place == self._place else 0
        self._place = place
        known = self._values.get(place)
        if known is not None:
            return known[self._position]
        return self.new_choice(options, self._position)

    def new_choice(self, options: Options, position: int) -> int:
        """The choice at a decision of a new step."""
        raise NotImplementedError


class Leader(Follower):
    """One execution: what is planned, then whoever does not sleep; the task that stepped last goes on if it can."""

    def __init__(self, search: Search) -> None:
        node = search.nodes[-1]
        super().__init__(search.paths, search.strides, node.keys)
        self.search = search
        self._next: list[Branch] = []
        self._postponed: list[Word] = []
        self._forced: Choices = ()
        self._taken: list[int] = []
        self._options: list[Options] = []
        self._picked = -1
        self._undo: list[tuple[Node, list[Branch]]] = []
        self._order: dict[tuple[str, int, int], str] | None = None  # place -> option, once it is repeated
        self._ends_spinning = False

    def pick(self, runnable: list[NumberedTask], *, may_advance: bool, last: NumberedTask | None) -> Any:
        """A task, CLOCK_TASK, or None if all sleep."""
        node = self.search.nodes[-1]
        self._forced = ()
        self._next, self._postponed = [], []
        if self._taken:
            self._taken, self._options = [], []
        if node.tree:
            self._undo.append((node, list(node.tree)))
            branch = node.tree.pop(0)
            self._next, self._postponed = branch.branches, branch.postponed
            self._forced, self._picked = branch.choices, branch.task
            if branch.task == CLOCK_TASK and may_advance:
                return CLOCK_TASK
            for task in runnable:
                if task.tid == branch.task:
                    return task
            raise DivergenceError(
                "untracked shared state: the search planned a step that cannot be taken.",
                why="steps that touched nothing in common depend on each other: they share state that is not tracked.",
                do="make what the tasks share a racewindow.Cell, or decorate its class with @racewindow.tracked.",
            )
        awake = [task for task in runnable if not self._sleeps(node, task.tid)] if node.sleep else runnable
        if not awake:
            self._ends_spinning = not runnable and not may_advance
            if not may_advance or self._sleeps(node, CLOCK_TASK):
                return None
            self._picked = CLOCK_TASK
            return CLOCK_TASK
        chosen = last if last is not None and last in awake else self._first(awake)
        self._picked = chosen.tid
        return chosen

    def _first(self, tasks: list[NumberedTask]) -> NumberedTask:
        """The one with the lowest path."""
        if len(tasks) == 1:
            return tasks[0]
        orders = self.search.orders
        for task in tasks:
            if task.tid not in orders:
                orders[task.tid] = task.order
        return min(tasks, key=lambda task: orders[task.tid])

    @staticmethod
    def _sleeps(node: Node, task: int) -> bool:
        sleeping = node.sleep.get(task)
        return sleeping is not None and sleeping.is_whole(node.budget)

    def new_choice(self, options: Options, position: int) -> int:
        """The planned one; else the first that has not been explored from here."""
        node, before = self.search.nodes[-1], tuple(self._taken)
        choices = available(options, node.budget, before)
        choice = next(iter(choices))
        wanted = fitting(self._forced[position], options, choices) if position < len(self._forced) else None
        if wanted is not None:
            choice = wanted
        else:
            sleeping = node.sleep.get(self._picked)
            if sleeping is not None:
                labels, budget = sleeping.labels, node.budget
                choice = next((each for each in choices if not covers(labels, budget, (*before, each))), choice)
        self._taken.append(choice)
        self._options.append(options)
        return choice

    def stepped(self, task: int, codes: tuple[int, ...], choices: Choices, *, barrier: bool) -> None:
        """Go on to the next place; who sleeps there is who does now and does not depend on the step."""
        self._ran.append((task, choices, barrier))
        nodes = self.search.nodes
        node = nodes[-1]
        sleep: dict[int, Sleeping] = {}
        if barrier:
            self._next, node.tree = node.tree, []
            self._postponed, node.postponed = node.postponed, []
        else:
            node.options = tuple(self._options) if choices else ()
            if node.sleep:
                sleep = node.asleep_after(task, self.search.footprint(codes))
        budget = node.budget
        if choices and budget is not None:
            budget = budget.after(choices)
        after = _new(Node)  # as Node(...) does, without a call: there is one for every step
        after.sleep, after.tree, after.keys = sleep, self._next, _NO_KEYS
        after.budget, after.postponed, after.options, after.done = budget, self._postponed, (), 0
        nodes.append(after)

    def rewind(self) -> None:
        """The execution begins again in another form of the runtime: forget what was done in this one."""
        del self.search.nodes[len(self.prefix) + 1 :]
        for node, tree in reversed(self._undo):
            node.tree = tree
        self._ran, self._undo, self._values = [], [], None

    # --- the same execution again, on the general loop --------------------------------------------------------------

    def restart(self) -> None:
        """From now on, answer as a picker that repeats what has been run."""
        if self._order is None:
            self._order = {}
            paths, numbers = self.paths, dict[int, int]()
            place, advances = (START, 0), 0
            for task, _, barrier in self.steps:
                if not barrier:
                    self._order[(*place, advances)] = paths[task] if task else CLOCK
                if task == CLOCK_TASK:
                    advances += 1
                else:
                    number = numbers[task] = numbers.get(task, -1) + 1
                    place, advances = (paths[task], number), 0
        self._values = None

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """What was picked at this place."""
        assert self._order is not None
        wanted = self._order.get((*place_of(last), advances))
        if wanted == CLOCK and may_advance:
            return len(candidates)
        for index, candidate in enumerate(candidates):
            if candidate.path == wanted:
                return index
        if wanted is None and self._ends_spinning:
            return default_of(candidates, last)  # nobody who is left gets on: the step limit will say so
        raise DivergenceError(
            f"The search could not repeat an execution: {wanted or 'nobody'} cannot step now.",
            why="the program does not do the same under the same decisions.",
            do="look for state that outlives an execution, and for what is random by itself.",
        )


class Probe(Follower):
    """Steps run to see what the last of them touches. `taken`: how many could be; `at`: where the last of these is.

    That need not be the end: time may have passed when nobody could go on. `options`: those of its decisions.
    """

    def __init__(
        self, paths: list[str], prefix: list[Stride], keys: dict[int, KeyState], labels: Sequence[Label]
    ) -> None:
        super().__init__(paths, prefix, keys)
        self.labels = labels
        self.taken = 0
        self._rows = self.at = len(prefix) - 1
        self.options: tuple[Options, ...] = ()
        self._met: list[Options] = []

    def pick(self, runnable: list[NumberedTask], *, may_advance: bool, last: NumberedTask | None) -> Any:
        """The next of the steps; None when all are taken, or the next one cannot be."""
        del last
        if self.taken == len(self.labels):
            return None
        wanted = self.labels[self.taken][0]
        if wanted == CLOCK_TASK:
            return CLOCK_TASK if may_advance else None
        return next((task for task in runnable if task.tid == wanted), None)

    def stepped(self, task: int, codes: tuple[int, ...], choices: Choices, *, barrier: bool) -> None:
        """One more."""
        del task, codes, choices
        self._rows += 1
        if not barrier:
            self.taken, self.at = self.taken + 1, self._rows
            self.options = tuple(self._met)
        self._met = []

    def rewind(self) -> None:
        """As of a leader."""
        self.taken, self._values = 0, None
        self._rows = self.at = len(self.prefix) - 1
        self._met = []

    def new_choice(self, options: Options, position: int) -> int:
        """The choice of the label; the default where it says nothing."""
        self._met.append(options)
        choices = self.labels[self.taken][1]
        numbers = () if isinstance(options, int) else [NO_FAULT - number for number in options]
        wanted = fitting(choices[position], options, numbers) if position < len(choices) else None
        default = 0 if isinstance(options, int) else NO_FAULT
        return default if wanted is None else wanted
