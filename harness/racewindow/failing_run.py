"""A failing execution as an explanation sees it: its steps by name, its races, and what the failure depends on."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from racewindow.constraints import Moment
from racewindow.moments import Stop, stops_of
from racewindow.schedule import Deviation
from racewindow.trace import ADD, READ, WRITE, Access, Step, Trace
from racewindow.trail import CLOCK_TASK, Stride, Trail

Identity = tuple[str, str | None, str | None, str | None]
Place = tuple[str, int]
"""A step by the path of its task and its own number."""
_NAMED_BY_US = re.compile(r"[\w/]+:[A-Za-z_]+#\d+")
OF_TRIO_ALONE = 2
_APART_MAX = 1_000
"""Steps that lie further apart are not looked at as a pair, or a long execution would take for ever."""
_BOOKKEEPING = re.compile(r"[\w/]+:(CancelScope|Nursery)#\d+|outside:.*|constraint: .*|clock|deadlines")


@dataclass(frozen=True, slots=True)
class RacingStep:
    """One step of a race. `stop`: where it begins; `access`: what it does to the object."""

    stop: Stop
    access: Access

    @property
    def task(self) -> str:
        """The path of its task."""
        return self.stop.task

    @property
    def place(self) -> tuple[str, int]:
        """Path and number."""
        return (self.stop.task, self.stop.number)

    @property
    def moment(self) -> Moment:
        """Its name."""
        return self.stop.moment


@dataclass(frozen=True, slots=True)
class Race:
    """Two steps in the order in which they were taken, and the object that makes them depend on each other.

    `rank`: 0 for an object of the program, 1 for one of trio's, 2 for what trio keeps for itself. `begins`, `at`:
    indices of the two steps; of the first one for both if the second was not taken.
    """

    first: RacingStep
    second: RacingStep
    key: str
    rank: int
    begins: int
    at: int
    ordered: bool
    """The second one could not have been taken without the first, or time has passed between them."""
    late: bool = False
    """The failure does not come after the second step."""
    unseen: bool = False
    """The second one was not taken in this execution any more."""

    def is_turned(self, order: Mapping[Place, int]) -> bool:
        """Whether both steps are in some order, the second one first."""
        return order.get(self.second.place, len(order)) < order.get(self.first.place, -1)


class FailingRun:
    """See the module's docstring.

    `trace` and `trail` are of the same execution; the trail also has the steps of the clock. `violation`: the index in
    the trace of the step in which it went wrong, None if that is not known. `held`: steps in which a task found itself
    held back by a constraint under which the failure was found.
    """

    def __init__(
        self,
        identity: Identity,
        *,
        trace: Trace,
        trail: Trail,
        identities: frozenset[Identity],
        deviations: Sequence[Deviation],
        deviation_texts: Mapping[Deviation, str],
        violation: int | None,
        held: Collection[Place] = (),
    ) -> None:
        self.identity, self.identities = identity, identities
        self.deviations, self.deviation_texts = tuple(deviations), deviation_texts
        self.trace, self.strides = trace, trail.strides
        self.stops = stops_of(trace, held)
        self._indices = {(stop.task, stop.number): index for index, stop in enumerate(self.stops)}
        self._at = [index for index, stride in enumerate(trail.strides) if stride.task != CLOCK_TASK]
        """Of each step of the trace: its index in the trail."""
        assert len(self._at) == len(trace), "the trail and the trace are not of one execution"
        if violation is None or violation >= len(self._at):
            self._past = (1 << len(trail.strides)) - 1
        else:
            self._past = self._past_of(violation)

    def _past_of(self, step: int) -> int:
        """What comes before a step; but not what it only ends, as one that raises cancels all who are left."""
        index = self._at[step]
        past = self.strides[index].enablers | 1 << index
        for earlier, at in enumerate(self._at[:step]):
            conflicts = _conflicts(self.trace.steps[earlier], self.trace.steps[step])
            if any(rank_of(mine.key) < OF_TRIO_ALONE for mine, _ in conflicts):
                past |= self.strides[at].before | 1 << at
        return past

    def index_of(self, path: str, number: int) -> int:
        """Where a step is in the trace, by its task and its own number; -1 if it is not there."""
        return self._indices.get((path, number), -1)

    def depends_on(self, index: int) -> bool:
        """Whether the failure comes after a step of the trace, in every order that is equivalent to this one."""
        return index < len(self._at) and bool(self._past >> self._at[index] & 1)

    def comes_after(self, one: int, other: int) -> bool:
        """Whether a step of the trace is another one, or comes after it in every equivalent order."""
        return one == other or bool(self.strides[self._at[one]].before >> self._at[other] & 1)

    def races(self, otherwise: Sequence[Place] = ()) -> list[Race]:
        """Pairs of steps that depend on each other, the first of which the failure comes after; the likeliest first.

        Not only the immediate races, as for a search: what a task has read may matter though it has written it since,
        and one that sleeps between two steps could be made to wait instead. The second step may come when all is lost:
        then the first one was too early. Whether a pair can be reversed at all is left to whoever tries. Objects of the
        program come first, then what could have been the other way round without any other waiting, then what was so in
        `otherwise`, the steps of an execution that does not fail.
        """
        order = {place: at for at, place in enumerate(otherwise)}
        found, needed = [], steps_needed(self.strides)
        for two, index in enumerate(self._at):
            stride, oldest = self.strides[index], max(0, two - _APART_MAX)
            for one, earlier in enumerate(self._at[oldest:two], oldest):
                other = self.strides[earlier]
                if (
                    other.task != stride.task
                    and self._past >> earlier & 1
                    and stride.footprint.conflicts(other.footprint)
                    and (race := self._race(one, two, ordered=bool(needed[index] >> earlier & 1))) is not None
                ):
                    found.append(replace(race, late=not self._past >> index & 1))
        return sorted(
            found,
            key=lambda race: (race.rank, race.ordered, race.late, not race.is_turned(order), -race.begins, race.at),
        )

    def races_with(self, passing: Trace, held: Collection[Place] = ()) -> list[Race]:
        """Pairs whose second step was never taken, as the failure came first, but is in an execution that passes."""
        taken = {(step.task, step.number): step.accesses for step in self.trace.steps}
        found = []
        for stop, step in zip(stops_of(passing, held), passing.steps, strict=True):
            # A step that was cancelled instead has the same number, but has not done this.
            there = taken.get((stop.task, stop.number), ())
            for one, index in enumerate(self._at):
                first = self.trace.steps[one]
                if first.task == stop.task or not self._past >> index & 1:
                    continue
                conflicts = [
                    (mine, theirs)
                    for mine, theirs in _conflicts(first, step)
                    if rank_of(mine.key) < OF_TRIO_ALONE and theirs not in there
                ]
                if conflicts:
                    mine, theirs = min(conflicts, key=lambda pair: rank_of(pair[0].key))
                    sides = RacingStep(self.stops[one], mine), RacingStep(stop, theirs)
                    found.append(
                        Race(*sides, mine.key, rank_of(mine.key), one, one, ordered=False, late=True, unseen=True)
                    )
        return sorted(found, key=lambda race: (race.rank, -race.begins, race.at))

    def _race(self, one: int, two: int, *, ordered: bool) -> Race | None:
        first, second = self.trace.steps[one], self.trace.steps[two]
        conflicts = _conflicts(first, second)
        if not conflicts:
            return None
        mine, theirs = min(conflicts, key=lambda pair: (rank_of(pair[0].key), conflicts.index(pair)))
        return Race(
            RacingStep(self.stops[one], mine),
            RacingStep(self.stops[two], theirs),
            mine.key,
            rank_of(mine.key),
            one,
            two,
            ordered,
        )


def steps_needed(strides: Sequence[Stride]) -> list[int]:
    """For each step those without which it could not have been taken then, whatever they have touched, as a mask.

    Those before it of its own task, those that spawned or woke it, with all that these have needed, and whatever came
    before time passed because nothing could run. What happens before a step is more: it has what merely came first.
    """
    needed: list[int] = []
    last_of: dict[int, int] = {}
    floor = 0
    for index, stride in enumerate(strides):
        mask = floor
        if stride.task in last_of:
            previous = last_of[stride.task]
            mask |= needed[previous] | 1 << previous
        wakers = stride.enablers & ~stride.own & ~floor
        while wakers:
            latest = wakers.bit_length() - 1
            mask |= needed[latest] | 1 << latest
            wakers &= ~(strides[latest].before | 1 << latest)
        needed.append(mask)
        last_of[stride.task] = index
        if stride.barrier:
            floor = (2 << index) - 1
    return needed


def rank_of(key: str) -> int:
    """0 for an object that the program has given a name, 1 for another one, 2 for what trio keeps for itself."""
    if _BOOKKEEPING.fullmatch(key):
        return OF_TRIO_ALONE
    return 1 if _NAMED_BY_US.match(key) else 0


def _conflicts(first: Step, second: Step) -> list[tuple[Access, Access]]:
    """What they do to objects that make them depend on each other; a write says more than a read by the same step."""
    found = []
    for key in dict.fromkeys(access.key for access in first.accesses):
        one, two = _mode(first, key), _mode(second, key)
        if two is not None and one is not None and (one != two or one == WRITE):
            found.append((Access(key, one), Access(key, two)))
    return found


def _mode(step: Step, key: str) -> str | None:
    modes = {access.mode for access in step.accesses if access.key == key}
    return next((mode for mode in (WRITE, ADD, READ) if mode in modes), None)
