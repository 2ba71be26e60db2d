"""Explain a failure: which two steps decide it, what does not, and which order between them closes it.

A stage by itself: it is given the failing execution and the means to run others, and gives back values. Every claim is
tried out. A race of the failing execution, among those that the failure depends on, is reversed and the rest of the
execution completed in several ways, and likewise with the order kept; what makes a difference is a pair that matters.
A fix is an ordering constraint taken from such a pair. It is called one only if a survey under it, of all orders or of
as many as the budget allows, does not show the failure, no deadlock, and no failure that is not there without it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from racewindow.constraints import ENDS, STARTS, Before, Moment
from racewindow.explanation import Checked, Count, Explanation, Fix, Group, RacingPair, Safeguard
from racewindow.failing_run import OF_TRIO_ALONE, FailingRun, Place, Race
from racewindow.schedule import Deviation
from racewindow.trace import READ
from racewindow.trials import Effort, Ledger, Means, Surveyed, Trial, Tried

_Worth = tuple[bool, bool, bool, bool, int, int, int]


class Explainer:
    """One explanation in the making."""

    def __init__(self, failing: FailingRun, means: Means, effort: Effort) -> None:
        self.failing, self.means, self.effort = failing, means, effort
        self.ledger = Ledger(effort.executions, means.out_of_time)
        self._known: set[Group] = {identity[:3] for identity in failing.identities}
        self._looked: set[int] = set()

    def explain(self, safeguards: Iterable[str] = ()) -> Explanation:
        """The explanation; `safeguards`: those of the scenario that are off."""
        needed, not_needed = self._needed()
        pairs, fixes, idle = self._pairs_and_fixes()
        pairs = _those_of_fixes_first(pairs, fixes)
        off = tuple(safeguards)
        suspect = self._not_the_cause(pairs, idle)
        names = self.failing.deviation_texts
        return Explanation(
            pairs=tuple(pairs),
            fixes=tuple(fixes),
            safeguards=tuple(self._safeguards(off, together=not fixes)),
            not_the_cause=suspect,
            needed=tuple(names[each] for each in needed),
            needed_keys=tuple(each.key for each in needed),
            not_needed=not_needed,
            executions=self.ledger.spent,
            out_of_budget=self.ledger.lacking,
            off=off,
        )

    # --- runs -------------------------------------------------------------------------------------------------------

    def _run(self, trial: Trial) -> Tried | None:
        if not self.ledger.may_spend():
            return None
        self.ledger.spent += 1
        return self.means.run(trial)

    def _fails(self, tried: Tried) -> bool:
        return self.failing.identity in tried.identities

    def _survey(
        self, limit: int, constraints: tuple[Before, ...] = (), safeguard: str | None = None, *, search: bool = True
    ) -> Surveyed | None:
        limit = min(limit, self.ledger.most - self.ledger.spent)
        if limit < 1 or not self.ledger.may_spend():
            self.ledger.lacking = True
            return None
        stop_at = self.failing.identity if constraints or safeguard else None
        done = self.means.survey(limit, constraints=constraints, safeguard=safeguard, stop_at=stop_at, search=search)
        self.ledger.spent += done.executions
        return done

    # --- deviations that are needed ---------------------------------------------------------------------------------

    def _needed(self) -> tuple[list[Deviation], int]:
        """Those without which the failure is not there."""
        deviations, needed = self.failing.deviations, []
        for each in deviations:
            tried = self._run(Trial(deviations=[other for other in deviations if other is not each]))
            if tried is not None and not self._fails(tried):
                needed.append(each)
        return needed, len(deviations) - len(needed)

    # --- races ------------------------------------------------------------------------------------------------------

    def _pairs_and_fixes(self) -> tuple[list[RacingPair], list[Fix], list[Race]]:
        """What matters, what closes it, and races that seem to change nothing.

        The immediate suspects come first. Steps that the failure has forestalled are looked for if these do not yield a
        fix that lets a value be there in time; what is ordered by something else, and what trio keeps for itself, only
        if nothing else yields one at all.
        """
        races = self.failing.races(self._usual())
        ours = [race for race in races if race.rank < OF_TRIO_ALONE]
        pairs, idle = self._pairs([race for race in ours if not race.ordered])
        fixes = self._fixes(pairs)
        kinds: tuple[tuple[bool, Callable[[], list[Race]]], ...] = (
            (True, self._unseen),
            (False, lambda: [race for race in ours if race.ordered]),
            (False, lambda: [race for race in races if race.rank == OF_TRIO_ALONE]),
        )
        for for_a_better_one, others in kinds:
            if not fixes or (for_a_better_one and _hides(fixes[0].pairs)):
                more, _ = self._pairs(others())
                pairs += more
                fixes = sorted([*fixes, *self._fixes(more)], key=self._worth_of)[: self.effort.fixes]
        return pairs, fixes or self._fixes_together(pairs, idle), idle

    def _pairs(self, races: Sequence[Race]) -> tuple[list[RacingPair], list[Race]]:
        """The pairs that matter, the clearest first; and the races that seem to change nothing."""
        hopeful: list[tuple[int, Race]] = []
        idle: list[Race] = []
        # Of two tasks that bear one name, as the runs of an instance do, no constraint can say which is to wait.
        suspects = [race for race in races if race.first.moment != race.second.moment][: self.effort.races]
        for race in suspects:
            failed = ran = 0
            for completion in range(2):
                tried = self._try(race, completion, reverse=True)
                if tried is not None and not tried.stuck:
                    ran += 1
                    failed += self._fails(tried)
            if ran and failed < ran:
                hopeful.append((failed, race))
            elif ran:
                idle.append(race)
        hopeful.sort(key=lambda each: (each[1].rank, each[0]))
        chosen = []
        for _, race in hopeful[: self.effort.pairs]:
            pair = self._pair(race)
            if pair is not None and pair.matters:
                chosen.append(replace(pair, besides=self._also_turned(race, suspects)))
        chosen.sort(key=lambda pair: (pair.reversed.share, pair.rare, pair.besides))
        return chosen, idle

    def _unseen(self) -> list[Race]:
        """Races with steps that the failure has forestalled."""
        passing = self.means.passing() if self.ledger.may_spend(_GLANCE) else None
        return [] if passing is None else self.failing.races_with(*passing)

    def _usual(self) -> Sequence[Place]:
        """The default order, if it does not fail."""
        trial = Trial(deviations=())
        tried = self._run(trial)
        return () if tried is None or self._fails(tried) else self._order(trial)

    def _order(self, trial: Trial) -> Sequence[Place]:
        if not self.ledger.may_spend():
            return ()
        self.ledger.spent += 1
        return self.means.order(trial)

    def _also_turned(self, race: Race, races: Sequence[Race]) -> int:
        """How many other pairs come the other way round as well when this one does; all if there is no telling."""
        order = {place: at for at, place in enumerate(self._order(self._reversal(race)))}
        return sum(each.is_turned(order) for each in races if each is not race) if order else len(races)

    def _reversal(self, race: Race) -> Trial:
        """The failing execution with a race the other way round."""
        return Trial(deviations=self.failing.deviations, constraints=(Before(race.second.moment, race.first.moment),))

    def _try(self, race: Race, completion: int, *, reverse: bool) -> Tried | None:
        """The failing execution up to both steps of a race, the rest in one of several ways."""
        places = (race.first.place,) if race.unseen and not reverse else (race.first.place, race.second.place)
        return self._run(
            replace(
                self._reversal(race) if reverse else Trial(deviations=self.failing.deviations),
                until=None if completion == 0 else places,
                chance=completion - 2 if completion > 1 else None,
            )
        )

    def _pair(self, race: Race) -> RacingPair | None:
        """A race with its counts; None if it cannot be reversed."""
        counts = []
        for reverse in (False, True):
            failing = runs = 0
            for completion in range(self.effort.runs):
                tried = self._try(race, completion, reverse=reverse)
                if tried is not None and not tried.stuck:
                    runs += 1
                    failing += self._fails(tried)
            counts.append(Count(failing, runs))
        kept, turned = counts
        return self.means.shown(race, kept, turned) if kept.runs and turned.runs else None

    def _not_the_cause(self, pairs: Sequence[RacingPair], idle: Sequence[Race]) -> RacingPair | None:
        """A race that one might suspect, confirmed to change nothing: on the same object, or else of the same tasks."""
        if not pairs:
            return None
        cause = pairs[0]
        tasks = {cause.first.path, cause.second.path}

        def unlikeness(race: Race) -> tuple[int, int]:
            others = len({race.first.task, race.second.task} - tasks)
            return (race.key != cause.key) + others, -race.at

        for race in sorted((each for each in idle if each.rank == 0), key=unlikeness)[:2]:
            pair = self._pair(race)
            if pair is not None and pair.reversed.share >= max(pair.kept.share, 0.5):
                return pair
        return None

    # --- fixes ------------------------------------------------------------------------------------------------------

    def _fixes(self, pairs: Sequence[RacingPair]) -> list[Fix]:
        """Constraints each of which is enough."""
        return self._sufficient(self._candidates(pairs))

    def _fixes_together(self, pairs: Sequence[RacingPair], idle: Sequence[Race]) -> list[Fix]:
        """Two of them that are enough together.

        Each may do nothing by itself: a failure that has two causes needs both orders, one of which may have been right
        in this execution by chance, and only has to be kept.
        """
        singles = self._candidates(pairs)
        for race in [each for each in idle if each.rank == 0][: self.effort.pairs]:
            pair = self.means.shown(race, Count(0, 0), Count(0, 0))
            kept = replace(pair, first=pair.second, second=pair.first)
            for constraint in (*constraints_from(pair)[:1], *constraints_from(kept)[:1]):
                singles.setdefault((constraint,), (pair,))
        together = {one + two: singles[one] + singles[two] for one, two in combinations(singles, 2)}
        return self._sufficient(dict(list(together.items())[: self.effort.pairs * 8]))

    def _candidates(self, pairs: Sequence[RacingPair]) -> dict[tuple[Before, ...], tuple[RacingPair, ...]]:
        """Constraints, with the pair that each decides."""
        found: dict[tuple[Before, ...], tuple[RacingPair, ...]] = {}
        for pair in pairs:
            for constraint in constraints_from(pair):
                found.setdefault((constraint,), (pair,))
        return found

    def _sufficient(self, candidates: Mapping[tuple[Before, ...], tuple[RacingPair, ...]]) -> list[Fix]:
        """Those of the candidates that pass, the ones that leave the fewest other failures first."""
        promising = []
        for number, (constraints, pairs) in enumerate(candidates.items()):
            look = self._survey(_GLANCE, constraints, search=False)
            if look is not None and not (look.refuted or look.stuck):
                promising.append((self._worth(pairs, _groups(look)), number, constraints))
        fixes: list[Fix] = []
        for _, _, constraints in sorted(promising):
            done = self._survey(self.effort.surveys, constraints)
            if done is not None and (checked := self._checked(done)) is not None:
                fixes.append(Fix(constraints, candidates[constraints], checked))
                if len(fixes) == self.effort.fixes:
                    break
        return sorted(fixes, key=self._worth_of)

    def _worth_of(self, fix: Fix) -> _Worth:
        return self._worth(fix.pairs, fix.checked.remaining)

    def _worth(self, pairs: Sequence[RacingPair], groups: Collection[Group]) -> _Worth:
        """The better remedies first.

        Those that leave open this very kind of failure, of something else, come last. Then those that keep a value from
        being seen by whoever reads it, instead of having it there in time. Then those that make something wait for what
        had no part in the failure. Then those after whose pair much else has to go wrong, or whose turning turns much
        else. Then those that begin late, where it is only what follows that is kept from going wrong. Then what leaves
        many other kinds.
        """
        begins = min(self.failing.index_of(pair.first.path, pair.first.number) for pair in pairs)
        late = any(pair.late for pair in pairs)
        rare, besides = any(pair.rare for pair in pairs), sum(pair.besides for pair in pairs)
        return self.failing.identity[:3] in groups, _hides(pairs), late, rare, besides, begins, len(groups)

    def _safeguards(self, names: Sequence[str], *, together: bool) -> list[Safeguard]:
        """Those that close the failure, each by itself; if none does and it is wanted, two of them together."""
        alone = self._closing(names, len(names))
        if alone or not together:
            return alone
        return self._closing((f"{one},{two}" for one, two in combinations(names, 2)), self.effort.fixes)

    def _closing(self, names: Iterable[str], most: int) -> list[Safeguard]:
        """The first of them, so many at most, that close it."""
        found: list[Safeguard] = []
        for name in names:
            if len(found) == most:
                break
            look = self._survey(_GLANCE, safeguard=name, search=False)
            if look is None or look.refuted:
                continue
            done = self._survey(self.effort.surveys, safeguard=name)
            if done is not None and (checked := self._checked(done)) is not None:
                found.append(Safeguard(name, checked))
        return found

    def _checked(self, done: Surveyed) -> Checked | None:
        """What a survey says for a remedy.

        None if it is none: the failure is there, or somebody waits for ever for what the constraint wants first, or
        there is a failure that there is not without it, be it a deadlock.
        """
        if done.refuted or done.stuck:
            return None
        groups = _groups(done)
        if not (groups <= self._known or groups <= self._without(groups)):
            return None
        return Checked(done.orders, done.walks, done.complete, tuple(sorted(groups, key=str)))

    def _without(self, groups: set[Group]) -> set[Group]:
        """The failures that there are without any remedy, as far as one has to look for these."""
        for limit, search in ((2 * _GLANCE, False), (self.effort.surveys, True)):
            if limit not in self._looked and not groups <= self._known:
                self._looked.add(limit)
                done = self._survey(limit, search=search)
                if done is not None:
                    self._known |= _groups(done)
        return self._known


_GLANCE = 24
"""Executions in which a candidate may not fail before it is worth a survey."""


def constraints_from(pair: RacingPair) -> list[Before]:
    """Constraints that turn a pair round, the one that holds back least first.

    The second step before the first one; the end of its task before the first one, which a person can wait for more
    easily; and that before the other task even begins.
    """
    first, second = pair.first, pair.second
    end, start = Moment(second.moment.task, ENDS), Moment(first.moment.task, STARTS)
    exact = end if second.last else second.moment
    return list(dict.fromkeys([Before(exact, first.moment), Before(end, first.moment), Before(end, start)]))


def _hides(pairs: Sequence[RacingPair]) -> bool:
    """Whether turning them round keeps a value that was written from a step that reads it."""
    return any(pair.first.mode != READ and pair.second.mode == READ for pair in pairs)


def _groups(done: Surveyed) -> set[Group]:
    return {identity[:3] for identity in done.as_mapping()}


def _those_of_fixes_first(pairs: Sequence[RacingPair], fixes: Sequence[Fix]) -> list[RacingPair]:
    decided = [pair for fix in fixes for pair in fix.pairs if pair.kept.runs]
    return list(dict.fromkeys([*decided, *pairs]))
