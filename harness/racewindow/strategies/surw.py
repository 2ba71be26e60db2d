"""Selectively uniform random walk: every interleaving of the interesting events is about as likely as any other.

Zhao, Wolff, Mathur, Roychoudhury: "Selectively Uniform Concurrency Testing", ASPLOS 2025. The uniform walk of section
3.1 takes the next event from a task with a chance in proportion to the events that are left in it, which makes all
interleavings equally likely; the selective one does so for a set of interesting events, and lets the others run by
chance: a task, the intended one, is drawn by the interesting events left in each; whoever else comes to an interesting
event is held until the intended one has run its own. Which are interesting is drawn for each execution: all that touch
one shared object. That is a key on which two tasks have been seen to race: both touch it, one of them to change it, and
nothing else fixes which is first. What is only ever touched under a lock is not among them, but the lock is.

How many events are left in a task is known from a profile, the first execution that showed a race on the key: its
steps from the present one on that touch the key, with all steps of the tasks that it has not spawned yet. The first
execution of all takes the default at each decision.

Departures: an event is taken to touch what the guess says (`Task.pending`); one of which nothing is known is not
interesting. The intended task is drawn among those that can step. A task counts for at least one event while its next
one is interesting, whatever the profile says. The paper counts its weights down; here they are looked up by the number
of the step, so that steps without a decision are counted as well. Under the racing clock, letting time pass is one more
task without interesting events. Values are drawn evenly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from racewindow.footprint import NO_FOOTPRINT, Footprint
from racewindow.schedule import Schedule
from racewindow.strategies.dice import Dice
from racewindow.strategies.remembering import Remembering
from racewindow.strategies.replay import ReplayPicker
from racewindow.strategy import Picker, Task
from racewindow.trail import CLOCK_TASK, Trail

Weights = Mapping[str, list[int]]
"""Path of a task -> for each number of a step, how many interesting events are left in the task and those to come."""


class SelectiveWalk:
    """See the module's docstring."""

    name = "surw"
    exhaustive = bound_reached = False
    looks_ahead = True

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._keys: list[tuple[int, Profile]] = []
        self._known = 0  # the keys of the list, as a set

    def start(self, number: int) -> Picker:
        """The default order first; then one key for each execution."""
        if number == 0:
            return ReplayPicker(Schedule())
        dice = Dice(b"%d/%d/surw" % (self._seed, number))
        if not self._keys:
            return Remembering(HoldingWalk(dice, 0, {}))
        key, profile = self._keys[dice.below(len(self._keys))]
        return Remembering(HoldingWalk(dice, key, profile.weights(key)))

    def finished(self, trail: Trail | None, steps: int) -> None:
        """Note the keys on which this execution is the first to show a race."""
        new = 0 if trail is None else raced_keys(trail, shared_keys(trail) & ~self._known)
        if trail is None or not new:
            return
        self._known |= new
        profile = profile_of(trail)
        while new:
            key = new & -new
            self._keys.append((key, profile))
            new ^= key


def shared_keys(trail: Trail) -> int:
    """The keys, as a set of bits, that one task writes or adds to and another touches in a way that depends on it."""
    touched: dict[int, Footprint] = {}
    for stride in trail.strides:
        if stride.task != CLOCK_TASK:
            touched[stride.task] = touched.get(stride.task, NO_FOOTPRINT).union(stride.footprint)
    shared, seen = 0, NO_FOOTPRINT
    for footprint in touched.values():
        shared |= _contested(footprint, seen)
        seen = seen.union(footprint)
    return shared


def raced_keys(trail: Trail, among: int) -> int:
    """Those of some keys on which steps of the trail depend that could have come in the other order."""
    found = 0
    for stride in trail.strides:
        races = stride.races if _all(stride.footprint) & among & ~found else 0
        while races:
            earlier = trail.strides[races.bit_length() - 1].footprint
            races ^= 1 << races.bit_length() - 1
            found |= _contested(stride.footprint, earlier) & among
    return found


def _contested(one: Footprint, two: Footprint) -> int:
    """The keys for which the two depend on each other."""
    return one.writes & _all(two) | two.writes & _all(one) | one.adds & two.reads | two.adds & one.reads


def _all(footprint: Footprint) -> int:
    return footprint.reads | footprint.writes | footprint.adds


class Profile(NamedTuple):
    """What an execution looked like: for each task the keys of its steps, and who was spawned by whom.

    `spawns`: (child, parent, number of the parent's step), in reverse order of the children's first steps.
    """

    steps: Mapping[str, list[int]]
    spawns: list[tuple[str, str, int]]

    def weights(self, key: int) -> Weights:
        """How many steps that touch the key are left in each task, from each of its steps on."""
        weights = {path: [int(keys & key != 0) for keys in steps] for path, steps in self.steps.items()}
        for child, parent, number in self.spawns:
            weights[parent][number] += sum(weights[child])  # all that the child spawned is in there by now
        for counts in weights.values():
            for number in range(len(counts) - 2, -1, -1):
                counts[number] += counts[number + 1]
        return weights


def profile_of(trail: Trail) -> Profile:
    """The profile of an execution."""
    steps: dict[str, list[int]] = {}
    taken: dict[str, int] = {}  # the steps of each task, as a set of positions
    spawns: list[tuple[str, str, int]] = []
    for index, stride in enumerate(trail.strides):
        if stride.task == CLOCK_TASK:
            continue
        path = trail.paths[stride.task]
        if path not in steps:
            steps[path], taken[path] = [], 0
            parent = path.rpartition("/")[0]
            before = (taken.get(parent, 0) & stride.enablers).bit_count()
            if before:  # the last of these steps of its parent is the one that spawned it
                spawns.append((path, parent, before - 1))
        steps[path].append(_all(stride.footprint))
        taken[path] |= 1 << index
    return Profile(steps, spawns[::-1])


class HoldingWalk:
    """One execution. `key`: the interesting key, as a bit; 0 for none: a uniform random walk."""

    words = None

    def __init__(self, dice: Dice, key: int, weights: Weights) -> None:
        self._dice, self._key, self._weights = dice, key, weights
        self._intended: str | None = None
        self._held: set[str] = set()
        self._seen: set[str] = set()

    def restart(self) -> None:
        """Not asked for: the answers are remembered."""
        raise AssertionError

    def pick_task(self, candidates: list[Task], *, may_advance: bool, last: Task | None, advances: int) -> int:
        """Any that is not held, as long as its event is not interesting; of those that are, the intended one's only."""
        if last is not None and advances == 0 and last.path == self._intended and self._touches(last.touched):
            self._release()  # the guess was wrong, its event was interesting
        paths = [task.path for task in candidates]
        self._meet(paths, candidates)
        free = [index for index, path in enumerate(paths) if path not in self._held]
        while True:
            if not free:
                self._release()
                free = list(range(len(candidates)))
            drawn = self._dice.below(len(free) + may_advance)
            if drawn == len(free):
                return len(candidates)
            index = free[drawn]
            if not self._touches(candidates[index].pending):
                return index
            if self._intended is None:
                self._intended = paths[self._draw(candidates, paths)]
            if paths[index] == self._intended:
                self._release()
                return index
            self._held.add(paths[index])
            del free[drawn]

    def pick_value(self, count: int, *, task: Task) -> int:
        """Any value with equal chance."""
        return self._dice.below(count)

    def _touches(self, footprint: Footprint | None) -> bool:
        return footprint is not None and _all(footprint) & self._key != 0

    def _release(self) -> None:
        self._intended = None
        self._held.clear()

    def _meet(self, paths: list[str], candidates: list[Task]) -> None:
        """New tasks take their events from their parent; if that is intended, it is now any one of the family."""
        new = {path for path in paths if path not in self._seen}
        self._seen |= new
        heirs = [i for i, path in enumerate(paths) if path in new and path.rpartition("/")[0] == self._intended]
        if heirs:
            family = [*heirs, *(i for i, path in enumerate(paths) if path == self._intended)]
            drawn = self._draw([candidates[i] for i in family], [paths[i] for i in family])
            self._intended = paths[family[drawn]]

    def _draw(self, candidates: list[Task], paths: list[str]) -> int:
        """A task by the number of interesting events left in it; the first, if none has any."""
        weights = [self._weight(task, path) for task, path in zip(candidates, paths, strict=True)]
        drawn = self._dice.below(sum(weights))
        for index, weight in enumerate(weights):
            drawn -= weight
            if drawn < 0:
                return index
        return 0

    def _weight(self, task: Task, path: str) -> int:
        left = self._weights.get(path, ())
        expected = left[task.number] if task.number < len(left) else 0
        return max(expected, int(self._touches(task.pending)))
