"""The audit: whether what counts as independent does commute.

Reduction runs one order of each class of equivalent ones, so it is as sound as what it knows of shared state. The
steps of an execution are put into another order that should be equivalent, and it is run again; if it ends otherwise,
is judged otherwise, or any step touches something else, there is state that is not tracked. Between the two orders lie
others, each of which differs from the one before by two neighbours that change places: the two that make the
difference are found by bisection, and named.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import outcome

from racewindow.errors import DivergenceError
from racewindow.judging import names_of
from racewindow.plain import one_line, plain
from racewindow.report_failure import UNTRACKED
from racewindow.runtime.guided import SPINNING
from racewindow.runtime.loop import BLOCKED, FINISHED
from racewindow.session import Ran, Session
from racewindow.strategies.leading import Probe
from racewindow.strategies.search_tree import Search
from racewindow.strategy import Strategy
from racewindow.trace import Trace
from racewindow.trail import Stride

_FIRST, _EVERY = 4, 64
"""The first execution is audited by so many other orders; each whose number is a power of two, and each 64th, by one.
What one misses, another may show."""
_ONLY = 32
"""By so many if it is the only one that will be run, as it is for a program that keeps all that it shares in plain
objects: the whole proof rests on it then."""
_TRIES = 3
"""Made for each of them; a short execution has fewer."""
Order = list[int]


class Auditor:
    """Audits the executions of one search. `orders`: how many other orders have been run."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.orders = 0

    def check(self, number: int, ran: Ran, strategy: Strategy, leader: Any) -> str:
        """Audit the execution run last, if it is one of those and stands for others; what is wrong, or ""."""
        search = getattr(strategy, "reduced", None)
        if search is None or ran.raw.end not in (FINISHED, BLOCKED, SPINNING):
            return ""
        wanted = _ONLY if number == 0 and not search.has_plans else _orders_of(number)
        if not wanted:
            return ""
        dice = random.Random(f"{self._session.settings.seed}/{number}")
        for order in other_orders(search.strides, dice, wanted):
            if self._difference(order, ran, search):
                return self._explained(order, ran, search, leader)
        return ""

    def _explained(self, order: Order, ran: Ran, search: Search, leader: Any) -> str:
        """Which two steps make the difference; "" if the user has interrupted, who gets what was found until then."""
        if self._difference(sorted(order), ran, search):
            return "nondeterminism: the same steps in the same order gave another execution."
        first, second, difference = self._narrow(order, ran, search)
        leader.restart()
        try:
            trace = self._session.record(leader).trace
        except DivergenceError as error:
            return f"nondeterminism: {error}"
        return "" if self._interrupted else _told(difference, first, second, search, trace)

    @property
    def _interrupted(self) -> bool:
        watchdog = self._session.watchdog
        return watchdog is not None and watchdog.interrupted

    def _difference(self, order: Order, ran: Ran, search: Search) -> str:
        """What is different if the steps are taken in this order, which may be the same again; "" if nothing is."""
        self.orders += 1
        strides = search.strides
        same = next((at for at, index in enumerate(order) if at != index), 0)
        labels = [(strides[i].task, strides[i].choices) for i in order[same:] if not strides[i].barrier]
        probe: Any = Probe(search.paths, strides[:same], search.nodes[same].keys, labels)
        again = self._session.run(probe)
        if self._interrupted:
            return ""
        if probe.taken < len(labels):
            return f"{search.paths[labels[probe.taken][0]]} cannot go on where it could before"
        if again.raw.end != ran.raw.end:
            return f"the execution ends otherwise ({again.raw.end}, and {ran.raw.end} before)"
        found, before = _identities(again), _identities(ran)
        if found != before:
            return f"the execution is judged otherwise ({names_of(found)}, and {names_of(before)} before)"
        recorder: Any = again.raw.recorder
        if _by_task(recorder.touched()) != _by_task((stride.task, stride.codes) for stride in strides):
            return "a step touches something else"
        if _events(again) != _events(ran):
            return "another event is emitted"
        return "" if _returned(again) == _returned(ran) else "main ends with something else"

    def _narrow(self, order: Order, ran: Ran, search: Search) -> tuple[int, int, str]:
        """Two steps that make the difference when they change places, and what that is."""
        low, high = 0, len(swaps_to(order))
        difference = self._difference(order, ran, search)
        while high - low > 1:
            middle = (low + high) // 2
            found = self._difference(after_swaps(order, middle), ran, search)
            if found:
                high, difference = middle, found
            else:
                low = middle
        at = swaps_to(order)[low]
        before = after_swaps(order, low)
        return before[at], before[at + 1], difference


def _orders_of(number: int) -> int:
    """By how many other orders an execution is audited."""
    if number == 0:
        return _FIRST
    return 0 if number & (number - 1) and number % _EVERY else 1


def other_orders(strides: Sequence[Stride], dice: random.Random, count: int) -> Iterator[Order]:
    """Equivalent orders, each another one: all tasks in turns, so that they overlap, then as the dice fall."""
    told = {tuple(range(len(strides)))}
    for attempt in range(_TRIES * count):
        order = equivalent_order(strides, dice.choice if attempt else None)
        if tuple(order) not in told:
            told.add(tuple(order))
            yield order
            if len(told) > count:
                return


def equivalent_order(strides: Sequence[Stride], choose: Callable[[list[int]], int] | None) -> Order:
    """An order in which each step comes after all that happens before it; by default who has waited longest goes on."""
    queues: dict[int, list[int]] = {}
    for index in range(len(strides) - 1, -1, -1):
        queues.setdefault(strides[index].task, []).append(index)
    turns = sorted(queues)
    order: Order = []
    left = (1 << len(strides)) - 1
    while turns:
        ready = (task for task in turns if not strides[queues[task][-1]].before & left)
        task = next(ready) if choose is None else choose(list(ready))
        index = queues[task].pop()
        turns.remove(task)
        if queues[task]:
            turns.append(task)
        order.append(index)
        left ^= 1 << index
    return order


def swaps_to(order: Order) -> list[int]:
    """Positions whose element changes places with the next one, on the way from the sorted order to this one."""
    now, swaps = sorted(order), list[int]()
    for at, index in enumerate(order):
        where = now.index(index)
        now.insert(at, now.pop(where))
        swaps += range(where - 1, at - 1, -1)
    return swaps


def after_swaps(order: Order, count: int) -> Order:
    """The order after so many of the swaps."""
    now = sorted(order)
    for at in swaps_to(order)[:count]:
        now[at], now[at + 1] = now[at + 1], now[at]
    return now


def _identities(ran: Ran) -> set[tuple[str, str | None, str | None, str | None]]:
    return {finding.identity for finding in ran.judged.findings}


def _by_task(touched: Iterable[tuple[int, tuple[int, ...]]]) -> dict[int, list[frozenset[int]]]:
    """What each task touched, step by step."""
    found: dict[int, list[frozenset[int]]] = {}
    for task, codes in touched:
        found.setdefault(task, []).append(frozenset(codes))
    return found


def _events(ran: Ran) -> list[str]:
    """What each step emitted. Not in which order, and not when: a clock that races may strike before or after it."""
    return sorted(f"{e.task}|{e.step}|{e.kind}|{one_line(plain(dict(e.data)))}" for e in ran.events)


def _returned(ran: Ran) -> str:
    """What main returned or raised."""
    result = ran.raw.result
    return one_line(plain(result.value if isinstance(result, outcome.Value) else ran.raw.error))


def _told(difference: str, first: int, second: int, search: Search, trace: Trace) -> str:
    """The finding in words, with the lines of both steps."""
    steps = []
    for each in (first, second):
        task = search.strides[each].task
        number = sum(stride.task == task for stride in search.strides[:each])
        own = [step for step in trace.steps if step.task == search.paths[task]]
        if number < len(own):
            since = own[number - 1].location if number else "its start"
            steps.append(f"step {number} of {own[number].name}, from {since} to {own[number].location}")
        else:
            steps.append(f"step {number} of {search.paths[task]}")
    return (
        f"{UNTRACKED}: two steps that touch nothing in common do not commute; when they change places, "
        f"{difference}.\n  {steps[0]}\n  {steps[1]}\n"
        "Make what they share a racewindow.Cell, or decorate its class with @racewindow.tracked. If they share "
        "nothing, a checker looks at the order of their events, which does not matter."
    )
