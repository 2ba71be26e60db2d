"""Fuzzing finds what shows in parts: one coincidence after the other, where a walk has to draw all of them at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow.schedule import CLOCK, START, Deviation, Kind
from racewindow.strategies import fuzz
from racewindow.strategies.dice import Dice
from racewindow.strategies.fuzz import Novelty, ScheduleFuzzing, features_of
from racewindow.strategies.random_walk import RandomWalk
from racewindow.strategies.remembering import Remembering
from racewindow.strategies.replay import DecisionLog
from racewindow.strategies.schedule_mutation import MUTATIONS, Genes, GenesPicker, Mutation, Parent, Parents, mutate
from racewindow.strategy import Task
from tests.harness.executions import WAYS, Tap, Way, session
from tests.harness.simulated import Body, Program, Simulator, Store, doors, execute, first_failure
from tests.strategies import Program as TrioProgram
from tests.strategies import as_function, programs

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from corpus import PROGRAMS

# --- what it finds ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_it_gets_through_one_door_after_the_other(seed: int) -> None:
    """A walk gets through all five with a chance of 1/16,384: in six times 1,500 executions with one below 10^-6."""
    assert first_failure(doors(5), ScheduleFuzzing(seed), 1_500) is not None


def test_a_walk_does_not() -> None:
    """It would have to be lucky: 1,500 / 16,384."""
    assert first_failure(doors(5), RandomWalk(0), 1_500) is None


@pytest.mark.parametrize("name", ["account", "reorder(1,1)", "twostage(1,1)", "deadlock01", "bluetooth", "lazy01"])
def test_it_finds_the_bugs_of_the_corpus(name: str) -> None:
    """Each has a chance of 2% or more: 1,000 executions miss one with a chance of 10^-8."""
    assert racewindow.explore(PROGRAMS[name].function, strategy="fuzz", schedules=1_000).failing


# --- what is new ------------------------------------------------------------------------------------------------------


def two_writers(store: Store) -> Sequence[Body]:
    """Two orders that differ, and each task has a step that touches nothing."""

    def task(name: int) -> Body:
        yield None
        yield None
        store["x"] = name

    return [task(0), task(1)]


class Order:
    """Takes the tasks of the given indices."""

    words = None

    def __init__(self, tasks: str) -> None:
        self._left = [f"main/{task}" for task in tasks]

    def pick_task(self, candidates: Sequence[Task], **_: object) -> int:
        """The next one."""
        return [task.path for task in candidates].index(self._left.pop(0))


def shown(simulator: Simulator, order: str) -> set[int]:
    """The features of an execution."""
    simulator.run(Order(order))  # type: ignore[arg-type]
    return set(features_of(simulator.trail()))


def test_a_feature_is_two_steps_that_depend_on_each_other_or_a_handover() -> None:
    simulator = Simulator(two_writers)

    assert len(shown(simulator, "00")) == 2  # main/0 hands over once, and writes before main/1 does
    assert len(shown(simulator, "11")) == 2
    assert not shown(simulator, "00") & shown(simulator, "11")
    assert shown(simulator, "010") & shown(simulator, "00")  # the order of the writes is the same
    assert shown(simulator, "010") - shown(simulator, "00")  # the handovers are not


def test_nothing_is_new_twice() -> None:
    simulator, novelty = Simulator(two_writers), Novelty()
    simulator.run(Order("00"))  # type: ignore[arg-type]
    trail = simulator.trail()

    new = novelty.notice(trail)

    assert new
    assert set(new) == set(features_of(trail))
    assert novelty.notice(trail) == ()
    assert novelty.rarest(new) == 2


# --- what is kept -----------------------------------------------------------------------------------------------------


def endless(count: int) -> Program:
    """So many tasks, each long, all racing: always something new."""

    def task(store: Store) -> Body:
        for _ in range(20):
            yield None
            store["x"] = store["x"] + 1

    return lambda store: [task(store) for _ in range(count)]


def test_the_corpus_stays_within_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of schedules, and of deviations in all of them."""
    monkeypatch.setattr(fuzz, "_KEPT_MAX", 40)
    monkeypatch.setattr(fuzz, "_DEVIATIONS_MAX", 500)
    strategy, simulator = ScheduleFuzzing(1), Simulator(endless(4))
    sizes = []
    for number in range(120):
        execute(simulator, strategy, number)
        kept = strategy._corpus.kept
        sizes.append(sum(len(each.schedule.deviations) for each in kept))
        assert len(kept) <= 40

    assert max(sizes) <= 500
    assert max(sizes) > 400
    assert sizes[-1] == strategy._corpus._deviations


def test_only_what_has_shown_something_new_is_kept() -> None:
    """There are few orders of two steps each: most executions of 300 add nothing."""
    strategy, simulator = ScheduleFuzzing(1), Simulator(two_writers)
    for number in range(300):
        execute(simulator, strategy, number)

    assert 2 <= len(strategy._corpus.kept) <= 10


# --- how it is varied -------------------------------------------------------------------------------------------------

PATHS = st.sampled_from(["main", "main/0", "main/1", "main/2"])
KINDS: st.SearchStrategy[Kind] = st.sampled_from(["task", "value"])
DEVIATIONS = st.lists(
    st.builds(
        Deviation,
        task=PATHS | st.just(START),
        step=st.integers(0, 5),
        kind=KINDS,
        index=st.integers(0, 1),
        option=PATHS | st.sampled_from([CLOCK, "0", "1", "7"]),
    ),
    max_size=8,
).map(tuple)
SCHEDULES = st.builds(Parent, DEVIATIONS, st.integers(0, 30))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
@given(one=SCHEDULES, other=SCHEDULES, key=st.binary(max_size=4))
def test_a_mutation_makes_genes_of_those_of_its_parents(
    mutation: Mutation, one: Parent, other: Parent, key: bytes
) -> None:
    """Never more than both have together, in range, and the same for the same dice."""
    genes = mutation(Genes(one.deviations), Parents(one, other), Dice(key))

    assert genes == mutation(Genes(one.deviations), Parents(one, other), Dice(key))
    assert len(genes.deviations) <= len(one.deviations) + len(other.deviations)
    assert {each.option for each in genes.deviations} <= {each.option for each in one.deviations + other.deviations}
    assert all(each.step >= 0 for each in genes.deviations)
    assert all(0 <= at <= one.decisions + 4 for at in genes.fresh)
    assert genes.walk is None or 0 <= genes.walk <= one.decisions
    assert genes != Genes(one.deviations) or mutation.__name__ in {"splice", "move"}


@given(
    one=SCHEDULES, other=SCHEDULES, key=st.binary(max_size=4), program=programs(tasks_max=3), way=st.sampled_from(WAYS)
)
def test_whatever_the_genes_are_the_program_can_be_run(
    one: Parent, other: Parent, key: bytes, program: TrioProgram, way: Way
) -> None:
    """What does not fit is passed over, and what was followed is a schedule that can be followed to the letter."""
    genes = mutate(Parents(one, other), Dice(key))
    with session(as_function(program), **way) as running:
        once = Tap(GenesPicker(genes, Dice(key)))
        log = DecisionLog(once)
        running.record(Remembering(log))
        again = Tap(GenesPicker(Genes(tuple(log.deviations)), Dice(b"other")))
        running.record(Remembering(again))

        assert again.taken == once.taken


def test_a_deviation_is_added_where_none_was() -> None:
    """A schedule without any is varied by adding some."""
    genes = [mutate(Parents(Parent((), 9), Parent((), 9)), Dice(b"%d" % n)) for n in range(50)]

    assert all(each.fresh or each.walk is not None for each in genes if each != Genes())
    assert sum(each == Genes() for each in genes) < 20


def test_the_same_seed_gives_the_same_executions_and_another_seed_others() -> None:
    """An execution is a function of the seed, its number, and what was seen before."""

    def found(seed: int) -> list[int]:
        result = racewindow.explore(
            PROGRAMS["bluetooth"].function, strategy="fuzz", seed=seed, schedules=100, all_failures=True
        )
        return [result.failing, *(failure.execution for failure in result.failures)]

    assert found(1) == found(1)
    assert len({tuple(found(seed)) for seed in range(4)}) > 1
