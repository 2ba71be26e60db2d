"""Coverage-guided fuzzing of schedules: what has shown something new is kept and varied.

The loop of a greybox fuzzer (a corpus, stacked mutations, feedback), with schedules for inputs, as in Wolff, Shi, Duck,
Mathur, Roychoudhury: "Greybox Fuzzing for Concurrency Testing", ASPLOS 2024 (RFF). An execution is new if it shows

* a happens-before pair that none before has shown: two steps, by task and number, that depend on each other and came in
  this order although they could have come in the other; or
* a handover that none before has shown: a task, where it stood, followed by another task, where that stood.

It is the strategy for bugs behind doors: where an order needs many coincidences and each of them shows, it finds one
after the other, while a walk has to draw all of them at once.

Departures from RFF. Schedules are lists of deviations from the default order, not sets of reads-from constraints, so
that any execution can be varied as it was run. The feedback is pairs of dependent steps, of which reads-from pairs are
a part, and handovers. The power schedule is a tournament: of some schedules that are drawn evenly, the one with the
rarest feature is varied. One of the mutations goes on from where a parent has been as a random walk (Ecoffet et al.,
"First return, then explore", Nature 2021). The first execution takes the default at each decision, the next few are
random walks, and so are some later on: nothing else gets away from all that has been kept.
"""

from __future__ import annotations

from array import array
from typing import NamedTuple

from racewindow.strategies.dice import Dice
from racewindow.strategies.remembering import Remembering
from racewindow.strategies.replay import DecisionLog
from racewindow.strategies.schedule_mutation import Genes, GenesPicker, Parent, Parents, mutate
from racewindow.strategy import Picker
from racewindow.trail import Trail

_WALKS_FIRST = 8
_WALK_EVERY = 8
_DRAWN = 8
_KEPT_MAX = 256
_DEVIATIONS_MAX = 50_000
"""Of all schedules that are kept, together: some 10 MB."""
_FEATURES = 1 << 18
_COUNT_MAX = (1 << 16) - 1
_NEW_MAX = 16
_RACES_MAX = 4
_ODD = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1


class ScheduleFuzzing:
    """See the module's docstring."""

    name = "fuzz"
    exhaustive = bound_reached = False
    looks_ahead = True

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._novelty = Novelty()
        self._corpus = Corpus(self._novelty)
        self._running: Running | None = None

    def start(self, number: int) -> Picker:
        """The default order, some walks, then children of what was kept."""
        dice = Dice(b"%d/%d/fuzz" % (self._seed, number))
        if number == 0:
            genes = Genes()
        elif number <= _WALKS_FIRST or not self._corpus.kept or dice.below(_WALK_EVERY) == 0:
            genes = Genes(walk=0)
        else:
            genes = mutate(Parents(self._corpus.draw(dice), self._corpus.draw(dice)), dice)
        log = DecisionLog(GenesPicker(genes, dice))
        self._running = Running(Remembering(log), log)
        return self._running.picker

    def finished(self, trail: Trail | None, steps: int) -> None:
        """Keep the schedule of the execution started last if it has shown something new."""
        running = self._running
        if running is None or trail is None:
            return
        new = self._novelty.notice(trail)
        if new:
            self._corpus.keep(Parent(tuple(running.log.deviations), running.picker.decisions), new)


class Running(NamedTuple):
    """The execution started last."""

    picker: Remembering
    log: DecisionLog


class Kept(NamedTuple):
    """A schedule, and features that it was the first to show."""

    schedule: Parent
    features: tuple[int, ...]


class Corpus:
    """The schedules that are varied: so many, with so many deviations, at most."""

    def __init__(self, novelty: Novelty) -> None:
        self.kept: list[Kept] = []
        self._novelty = novelty
        self._deviations = 0

    def draw(self, dice: Dice) -> Parent:
        """Of some that are drawn evenly, the one with the rarest feature."""
        drawn = (self.kept[dice.below(len(self.kept))] for _ in range(_DRAWN))
        return min(drawn, key=lambda each: self._novelty.rarest(each.features)).schedule

    def keep(self, schedule: Parent, features: tuple[int, ...]) -> None:
        """Add a schedule; where that makes too many, those of which every feature is common go, the oldest first."""
        self.kept.append(Kept(schedule, features))
        self._deviations += len(schedule.deviations)
        while len(self.kept) > 1 and (len(self.kept) > _KEPT_MAX or self._deviations > _DEVIATIONS_MAX):
            worst = max(self.kept, key=lambda each: self._novelty.rarest(each.features))
            self.kept.remove(worst)
            self._deviations -= len(worst.schedule.deviations)


class Novelty:
    """How often each feature has been shown, in a table of fixed size.

    Two features may share a place, and the later of them then passes for known: with 10,000 known ones, one in 26 does.
    """

    def __init__(self) -> None:
        self._counts = array("H", bytes(2 * _FEATURES))

    def rarest(self, features: tuple[int, ...]) -> int:
        """How often the rarest of some features has been shown."""
        return min(self._counts[feature] for feature in features)

    def notice(self, trail: Trail) -> tuple[int, ...]:
        """Count what an execution shows; the features that none has shown before, or a few of them."""
        counts = self._counts
        new: list[int] = []
        for feature in features_of(trail):
            if not counts[feature] and len(new) < _NEW_MAX:
                new.append(feature)
            if counts[feature] < _COUNT_MAX:
                counts[feature] += 1
        return tuple(new)


def features_of(trail: Trail) -> list[int]:
    """The features of an execution, each once, as places in a table. Of the races of a step, the latest few count."""
    found: dict[int, None] = {}
    taken: dict[int, int] = {}
    numbers: list[int] = []
    strides, places = trail.strides, trail.places
    for index, stride in enumerate(strides):
        task = stride.task
        number = taken[task] = taken.get(task, -1) + 1
        numbers.append(number)
        races = stride.races
        for _ in range(_RACES_MAX):
            if not races:
                break
            at = races.bit_length() - 1
            races ^= 1 << at
            found[_place(0, strides[at].task, numbers[at], task, number)] = None
        if index and strides[index - 1].task != task:
            found[_place(1, strides[index - 1].task, places[index - 1], task, places[index])] = None
    return list(found)


def _place(kind: int, task: int, where: int, other: int, there: int) -> int:
    """A place in the table: the parts as one number, stirred as in SplitMix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    mixed = (((kind * _ODD + task) * _ODD + where) * _ODD + other) * _ODD + there & _WORD
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _WORD
    return mixed % _FEATURES
