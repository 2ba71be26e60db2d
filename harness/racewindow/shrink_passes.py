"""The passes of shrinking: each tries candidates of one sort, made from the best schedule so far.

To add one: write a function and put it into `PASSES`, the cheap ones first. It may keep no state and has to come to an
end by itself; what makes progress is decided by `Shrinking.consider` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from itertools import combinations, islice, permutations

from racewindow.failure import Size
from racewindow.schedule import CLOCK, Deviation
from racewindow.shrinking import Attempt, Params, Pass, Shrinking
from racewindow.strategies.lenient import Decision

_VALUES_TRIED = 8
_PAIRS_OF = 24
"""Deviations that are left out by twos, each with each; of more, only neighbours."""
_NEIGHBOURS = 4
_PLACES_TRIED = 48
_OPTIONS_TRIED = 16
_CHANGES_TRIED = 200
_DECISIONS_MAX, _TURNS_MAX = 1_000, 100
"""Of an execution that is longer, only so much of its beginning is varied everywhere."""
_UNITS = {"s", "seconds", "ms", "us", "ns", "minutes", "hours", "days", "percent", "ratio", "bps", "e8", "seed", "port"}
"""Last words of parameters that count nothing."""
SEARCH_TRIES = 400
"""Executions of one search for something smaller from scratch."""
ONWARD_TRIES = 100
"""The same from each beginning of the best."""
BESIDE_TRIES = 40
"""The same from each beginning of another of the same size."""
SIZE_SEARCH_TRIES = 100
"""The same in a smaller scenario."""


# --- leave out -------------------------------------------------------------------------------------------------------


def drop_faults(shrinking: Shrinking) -> None:
    """Leave out faults: all of them, then by halves, at last one by one."""
    _drop(shrinking, lambda deviation: deviation.kind == "fault")


def drop_deviations(shrinking: Shrinking) -> None:
    """Leave out deviations: all of them, then by halves, at last one by one."""
    _drop(shrinking, lambda _: True)


def _drop(shrinking: Shrinking, chosen: Callable[[Deviation], bool]) -> None:
    length = sum(map(chosen, shrinking.best.deviations))
    while length:
        position = 0
        while part := [d for d in shrinking.best.deviations if chosen(d)][position : position + length]:
            if not shrinking.consider(_without(shrinking.best.deviations, *part)):
                position += length
        length //= 2


def drop_pairs(shrinking: Shrinking) -> None:
    """Leave out two deviations at once: to go to a task and to come back from it."""
    found = True
    while found:
        deviations = shrinking.best.deviations
        near = len(deviations) if len(deviations) <= _PAIRS_OF else _NEIGHBOURS
        pairs = [(i, j) for i, j in combinations(range(len(deviations)), 2) if j - i <= near]
        found = any(shrinking.consider(_without(deviations, deviations[i], deviations[j])) for i, j in pairs)


# --- change ----------------------------------------------------------------------------------------------------------


def merge_preemptions(shrinking: Shrinking) -> None:
    """Go to where a later deviation goes at once, and leave that one out."""
    position = 0
    while position < len(shrinking.best.deviations):
        deviations = shrinking.best.deviations
        one = deviations[position]
        later = [d for d in deviations[position + 1 : position + 1 + _NEIGHBOURS] if d.kind == one.kind == "task"]
        if not any(shrinking.consider(_without(deviations, one, d, put=replace(one, option=d.option))) for d in later):
            position += 1


def lower_values(shrinking: Shrinking) -> None:
    """Take a value nearer to the first one."""
    for position in range(len(shrinking.best.deviations)):
        going_on = True
        while going_on and position < len(shrinking.best.deviations):
            one = shrinking.best.deviations[position]
            lower = _lower(int(one.option)) if one.kind == "value" else []
            going_on = any(_put(shrinking, one, replace(one, option=str(value))) for value in lower)


def weaken_faults(shrinking: Shrinking) -> None:
    """Give faults weaker parameters."""
    for position in range(len(shrinking.best.deviations)):
        going_on = True
        while going_on and position < len(shrinking.best.deviations):
            one = shrinking.best.deviations[position]
            weaker = shrinking.weaken(one.option) if one.kind == "fault" else ()
            going_on = any(_put(shrinking, one, replace(one, option=option)) for option in weaker)


def move_deviations(shrinking: Shrinking) -> None:
    """Take a deviation at another decision: best where no task has to be left for it, else earlier."""
    position = 0
    while position < len(shrinking.best.deviations):
        one = shrinking.best.deviations[position]
        if not any(_put(shrinking, one, moved) for moved in _better_places(shrinking.best, one)):
            position += 1


def _better_places(best: Attempt, one: Deviation) -> list[Deviation]:
    """The same at other decisions, those first that leave no task, the earliest of them first."""
    at = next(i for i, decision in enumerate(best.decisions) if decision.place == one.key)
    leaves = best.decisions[at].preemptive
    places = [
        (decision.preemptive, i)
        for i, decision in enumerate(best.decisions)
        if not decision.taken and decision.offers(one.option) and (i < at if decision.preemptive == leaves else leaves)
    ]
    return [best.decisions[i].deviation(one.option) for _, i in sorted(places)[:_PLACES_TRIED]]


def drop_and_move(shrinking: Shrinking) -> None:
    """Leave out a deviation, and take another one at any other decision: as if tasks had changed their parts."""
    found = True
    while found:
        candidates = islice(_dropped_and_moved(shrinking.best), _CHANGES_TRIED)
        found = any(shrinking.consider(candidate) for candidate in candidates)


def _dropped_and_moved(best: Attempt) -> Iterator[list[Deviation]]:
    for decision in best.decisions[:_DECISIONS_MAX]:
        for gone, moved in permutations(best.deviations, 2):
            if decision.offers(moved.option) and decision.place != moved.key:
                yield _without(best.deviations, gone, moved, put=decision.deviation(moved.option))


def move_blocks(shrinking: Shrinking) -> None:
    """Let a task take its turn earlier or later, with all the steps of that turn: tasks are left once less often.

    A turn goes from the decision that gives it to a task to the one that takes it away.
    """
    found = True
    while found:
        candidates = islice(_reordered(shrinking.best), _CHANGES_TRIED)
        found = any(shrinking.consider(candidate) for candidate in candidates)


def _reordered(best: Attempt) -> Iterator[list[Deviation]]:
    """One turn moved past others, where a task is left that could have gone on."""
    turns = [d for d in best.decisions if d.place[2] == "task" and d.name(d.taken) not in (d.place[0], CLOCK)][
        :_TURNS_MAX
    ]
    left = [bool(turn.taken) and turn.preemptive for turn in turns]
    for one, other in combinations(range(len(turns) - 1), 2):
        first, after_first, last, after_last = turns[one], turns[one + 1], turns[other], turns[other + 1]
        if left[one] or left[one + 1] or left[other] or left[other + 1]:
            # The first one behind the last one: what came second begins, and what came after the last one ends.
            yield _retaken(best, (first, after_first), (after_last, first), (after_first, after_last))
            if other > one + 1:
                yield _retaken(best, (first, last), (after_last, first), (last, after_last))


def _retaken(best: Attempt, *changes: tuple[Decision, Decision]) -> list[Deviation]:
    """The first of each two decisions takes what the second one took."""
    changed = {at.place for at, _ in changes}
    kept = [deviation for deviation in best.deviations if deviation.key not in changed]
    return kept + [at.deviation(what.name(what.taken)) for at, what in changes]


def swap_tasks(shrinking: Shrinking) -> None:
    """Let the task that would have gone on play the part of the one that goes first, and the other way round."""
    position = 0
    while position < len(shrinking.best.deviations):
        best = shrinking.best
        one = best.deviations[position]
        default = next(decision.name(0) for decision in best.decisions if decision.place == one.key)
        swapped = [_swapped(each, default, one.option) for each in best.deviations]
        if one.kind != "task" or CLOCK in (one.option, default) or not shrinking.consider(swapped):
            position += 1


def _swapped(deviation: Deviation, one: str, other: str) -> Deviation:
    def name(path: str) -> str:
        """The path with its beginning exchanged: what a task has spawned goes with it."""
        for old, new in ((one, other), (other, one)):
            if path == old or path.startswith(f"{old}/"):
                return new + path[len(old) :]
        return path

    option = name(deviation.option) if deviation.kind == "task" else deviation.option
    return replace(deviation, task=name(deviation.task), option=option)


def shrink_sizes(shrinking: Shrinking) -> None:
    """Let the scenario be smaller: fewer services, ticks or whatever its whole numbers count, but at least one.

    A number with a unit in its name is no size: with a shorter timeout it would be another failure that looks the same.
    """
    for name in shrinking.best.params:
        going_on = True
        while going_on:
            best = shrinking.best
            lower = _lower(best.params[name]) if _is_size(name, best.params[name]) else []
            going_on = any(shrinking.consider(best.deviations, {**best.params, name: each}) for each in lower)


# --- search ----------------------------------------------------------------------------------------------------------


def search_sizes(shrinking: Shrinking) -> None:
    """Look for the failure in a smaller scenario, in which its deviations may be others."""
    best = shrinking.best
    for name, value in best.params.items():
        lower = _lower(value) if _is_size(name, value) else []
        for each in dict.fromkeys([*lower[:1], *lower[-1:]]):
            if _search(shrinking, {**best.params, name: each}, SIZE_SEARCH_TRIES):
                return


def search_on(shrinking: Shrinking) -> None:
    """Begin as the best does, then look for something smaller; the longest beginnings first."""
    deviations = shrinking.best.deviations
    for length in range(len(deviations) - 1, 0, -1):
        if _search(shrinking, shrinking.best.params, ONWARD_TRIES, deviations[:length]):
            return


def search_beside(shrinking: Shrinking) -> None:
    """Where several preemptions are left: the same from schedules of the same size, with turns in another order."""
    best = shrinking.best
    if best.size.preemptions < 2:
        return
    for candidate in islice(_reordered(best), _CHANGES_TRIED):
        beside = shrinking.attempt(candidate, best.params)
        if shrinking.accept(beside):
            return
        if beside.same and beside.size == best.size:
            for length in range(len(beside.deviations) - 1, 0, -1):
                if _search(shrinking, best.params, BESIDE_TRIES, beside.deviations[:length]):
                    return


def search(shrinking: Shrinking) -> None:
    """Look for something smaller from the default order on.

    Where the program is small, all that is smaller than the best is run, and the best is then the smallest there is.
    """
    _search(shrinking, shrinking.best.params, SEARCH_TRIES)


def _search(shrinking: Shrinking, params: Params, tries: int, beginning: tuple[Deviation, ...] = ()) -> bool:
    """Run schedules that begin alike, with more and more deviations, until one is accepted; whether one is.

    Each is come to once, as a deviation is only added after the last one of another schedule.
    """
    other = params != shrinking.best.params
    waiting: list[tuple[int, int, int, tuple[Deviation, ...]]] = [(0, 0, 0, beginning)]
    number = 0
    for _ in range(tries):
        if not waiting:
            break
        *_, deviations = heappop(waiting)
        attempt = shrinking.attempt(deviations, params)
        if shrinking.accept(attempt):
            return True
        if other and attempt.steps >= shrinking.best.steps and not deviations:
            break  # it is no smaller scenario
        for count, preemptions, child in _children(attempt, shrinking.best.size, same_counts=other):
            number += 1
            heappush(waiting, (count, preemptions, number, child))
    return False


def _children(attempt: Attempt, best: Size, *, same_counts: bool) -> Iterator[tuple[int, int, tuple[Deviation, ...]]]:
    """Schedules with one deviation more that are smaller than the best, or of `same_counts`.

    As (deviations, preemptions, schedule).
    """
    size = attempt.size
    after = max((position + 1 for position, decision in enumerate(attempt.decisions) if decision.taken), default=0)
    for position in range(after, min(after + _DECISIONS_MAX, len(attempt.decisions))):
        decision = attempt.decisions[position]
        faults, preemptions = size.faults + (decision.place[2] == "fault"), size.preemptions + decision.preemptive
        counts = (faults, preemptions, size.deviations + 1)
        if counts < best[:3] or (same_counts and counts == best[:3]):
            for option in decision.others(_OPTIONS_TRIED):
                yield counts[2], preemptions, (*attempt.deviations, decision.deviation(option))


PASSES: Sequence[Pass] = (
    drop_faults,
    drop_deviations,
    shrink_sizes,
    merge_preemptions,
    swap_tasks,
    lower_values,
    weaken_faults,
    drop_pairs,
    move_deviations,
    move_blocks,
    drop_and_move,
    search_sizes,
    search_on,
    search_beside,
    search,
)


# --- helpers ---------------------------------------------------------------------------------------------------------


def _is_size(name: str, value: object) -> bool:
    return type(value) is int and name.rpartition("_")[2] not in _UNITS


def _without(deviations: Sequence[Deviation], *gone: Deviation, put: Deviation | None = None) -> list[Deviation]:
    kept = [deviation for deviation in deviations if deviation not in gone]
    return kept if put is None else [*kept, put]


def _put(shrinking: Shrinking, old: Deviation, new: Deviation) -> bool:
    return shrinking.consider(_without(shrinking.best.deviations, old, put=new))


def _lower(value: int) -> list[int]:
    """Some numbers from 1 to below `value`: the lowest, then nearer and nearer."""
    lower = list(range(1, min(value, 1 + _VALUES_TRIED)))
    distance = value // 2
    while distance:
        lower.append(value - distance)
        distance //= 2
    return list(dict.fromkeys(lower)) if value > 1 else []
