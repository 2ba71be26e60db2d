"""What every strategy owes; and the random walk: uniform at each decision, a function of seed and number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import sqrt

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow import Cell, UsageError, until
from racewindow.footprint import NO_FOOTPRINT, Footprint
from racewindow.strategies import STRATEGIES, Options, make_strategy
from racewindow.strategies.random_walk import RandomPicker, RandomWalk
from tests.harness.executions import WAYS, Tap, Way, session
from tests.strategies import Program, as_function, programs

SEEDS = st.integers(-(1 << 40), 1 << 40)


@dataclass(frozen=True, order=True)
class FakeTask:
    """All that a picker may know of a task."""

    order: tuple[int, ...]
    number: int = 0

    @property
    def path(self) -> str:
        """As of a real one."""
        return "/".join(["main", *map(str, self.order)])

    @property
    def touched(self) -> Footprint:
        """Nothing, as of a task whose steps nobody records."""
        return NO_FOOTPRINT

    @property
    def pending(self) -> Footprint | None:
        """Nothing is known."""
        return None


UNLED = sorted(set(STRATEGIES) - {"dpor", "auto"})
"""Those whose pickers can be asked without an exploration behind them."""
TASKS = [FakeTask((index,)) for index in range(9)]


# --- every strategy --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", UNLED)
@given(
    seed=SEEDS,
    number=st.integers(0, 99),
    decisions=st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.integers(0, 9)), max_size=30),
)
def test_a_pick_is_in_range(name: str, seed: int, number: int, decisions: list[tuple[int, bool, int]]) -> None:
    """A candidate, or the one behind the last if time may pass."""
    del number  # a strategy that looks at its executions has to be started from the first
    picker = make_strategy(name, Options(seed)).start(0)
    assert picker is not None
    for count, may_advance, last in decisions:
        if count + may_advance > 1:
            before = TASKS[last] if last < 9 else None
            pick = picker.pick_task(list(TASKS[:count]), may_advance=may_advance, last=before, advances=0)
            assert 0 <= pick < count + may_advance


@pytest.mark.parametrize("name", UNLED)
@given(program=programs(tasks_max=3), seed=SEEDS, way=st.sampled_from(WAYS))
def test_the_same_seed_gives_the_same_picks(name: str, program: Program, seed: int, way: Way) -> None:
    """Also after the execution has been begun again, which the runtime may ask for half-way."""
    picks = []
    with session(as_function(program), footprints=False, **way) as running:
        for again in range(2):
            picker = make_strategy(name, Options(seed)).start(0)
            assert picker is not None
            if again:
                running.run(picker)
                picker.restart()
            tap = Tap(picker)
            running.run(tap)
            picks.append(tap.taken)

    assert picks[0] == picks[1]


async def toy(orders: list[str]) -> None:
    """Two tasks, three interleavings: one event against two."""
    order: list[str] = []

    async def one() -> None:
        order.append("a")

    async def two() -> None:
        order.append("b")
        await trio.lowlevel.checkpoint()
        order.append("c")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(one)
        nursery.start_soon(two)
    orders.append("".join(order))


@pytest.mark.parametrize("name", UNLED)
@pytest.mark.seeds(sample=2, all=30)
def test_every_strategy_covers_a_toy_of_three_interleavings(name: str, seed: int) -> None:
    """Each has a chance of 1/4 or more per execution: 100 miss one with a chance of 3 * 0.75 ** 100 < 10 ** -12."""
    orders: list[str] = []
    racewindow.explore(lambda: toy(orders), strategy=name, seed=seed, schedules=100)

    assert set(orders) == {"abc", "bac", "bca"}


def test_an_unknown_strategy_is_refused_with_the_nearest_name() -> None:
    """Before anything is run."""
    with pytest.raises(UsageError) as refused:
        racewindow.explore(lambda: pytest.fail("was run"), strategy="randon")
    assert str(refused.value).startswith("there is no strategy called 'randon'.\nDo:  did you mean 'random'? Known: ")


# --- the random walk -------------------------------------------------------------------------------------------------


@given(SEEDS, st.integers(0, 1 << 20), st.lists(st.integers(2, 1 << 20), min_size=1, max_size=9))
def test_a_value_is_in_range(seed: int, number: int, counts: list[int]) -> None:
    """However many there are."""
    picker = RandomWalk(seed).start(number)

    assert all(0 <= picker.pick_value(count, task=TASKS[0]) < count for count in counts)


@given(SEEDS, st.integers(0, 1 << 20), st.lists(st.integers(1, 9), min_size=1, max_size=100))
def test_the_words_of_a_walk_are_its_decisions(seed: int, number: int, counts: list[int]) -> None:
    """The fast loop takes them from there."""
    one, two = RandomWalk(seed).start(number), RandomWalk(seed).start(number)
    assert two.words is not None
    for count in counts:
        pick = one.pick_task(list(TASKS[:count]), may_advance=False, last=None, advances=0)
        assert pick == next(two.words) * count >> 16


def test_walks_of_other_seeds_and_numbers_are_others() -> None:
    """No two of a thousand begin with the same eight words."""

    def begin(picker: RandomPicker) -> tuple[int, ...]:
        assert picker.words is not None
        return tuple(next(picker.words) for _ in range(8))

    walks = {begin(RandomWalk(seed).start(number)) for seed in range(-16, 16) for number in range(32)}
    assert len(walks) == 32 * 32


@pytest.mark.parametrize("count", [2, 3, 7, 256, 257, 1000])
def test_values_are_drawn_evenly(count: int) -> None:
    """Each is drawn as often as chance allows: 6 sigma of it, in 200 draws per value."""
    picker = RandomWalk(5).start(0)
    drawn = Counter(picker.pick_value(count, task=TASKS[0]) for _ in range(200 * count))

    assert len(drawn) == count
    assert max(abs(times - 200) for times in drawn.values()) < 6 * sqrt(200)


# --- its chances -----------------------------------------------------------------------------------------------------
#
# Programs of SCTBench, with one step per event and none besides: the tasks wait at a gate for their first event. The
# chance that one execution fails was computed over the whole tree of decisions, outside this project.

Event = Callable[[], Awaitable[None]]
Body = Callable[[Event], Awaitable[None]]
event = trio.lowlevel.checkpoint


async def together(*bodies: Body) -> None:
    """Run the bodies side by side; what they await first is the gate, behind which they do their first event."""
    gate = Cell(False, name="gate")

    async def first() -> None:
        await until(gate.get)

    async with trio.open_nursery() as nursery:
        for body in bodies:
            nursery.start_soon(body, first)
        await trio.testing.wait_all_tasks_blocked()
        gate.set(True)


async def account_bad() -> None:
    """A check that is wrong whenever it comes last."""
    balance, free = Cell(1), Cell(True)
    deposited, withdrawn = Cell(False), Cell(False)

    async def change(first: Event, amount: int, done: Cell[bool]) -> None:
        await first()
        await lock()
        await event()
        balance.update(lambda value: value + amount)
        await event()
        done.set(True)
        await event()
        free.set(True)

    async def check(first: Event) -> None:
        await first()
        await lock()
        await event()
        if deposited.get():
            await event()
            if withdrawn.get():
                await event()
                assert balance.get() == (1 - 2) - 4
        await event()
        free.set(True)

    async def lock() -> None:
        if not free.get():
            await until(free.get)
        free.set(False)

    await together(lambda first: change(first, 2, deposited), lambda first: change(first, -4, withdrawn), check)


async def reorder(setters: int) -> None:
    """Two writes, in this order, that a reader takes for one."""
    a, b = Cell(0), Cell(0)

    async def setter(first: Event) -> None:
        await first()
        a.set(1)
        await event()
        b.set(-1)

    async def checker(first: Event) -> None:
        await first()
        if a.get() == 0:
            await event()
            if b.get() == 0:
                return
        await event()
        consistent = a.get() == 1
        if consistent:
            await event()
            consistent = b.get() == -1
        assert consistent

    await together(*[setter] * setters, checker)


async def bluetooth() -> None:
    """A driver that is stopped while a request is under way."""
    pending, stopping, drained, stopped = Cell(1), Cell(False), Cell(False), Cell(False)

    async def release() -> None:
        await event()
        if pending.update(lambda count: count - 1) == 0:
            await event()
            drained.set(True)

    async def request(first: Event) -> None:
        await first()
        if not stopping.get():
            await event()
            pending.update(lambda count: count + 1)
            await event()
            assert not stopped.get()
        await release()

    async def stop(first: Event) -> None:
        await first()
        stopping.set(True)
        await release()
        await event()
        if drained.get():
            await event()
            stopped.set(True)

    await together(request, stop)


CHANCES: dict[str, tuple[Callable[[], Awaitable[None]], float]] = {
    "account_bad": (account_bad, 0.3333),
    "reorder(1, 1)": (lambda: reorder(1), 0.0625),
    "reorder(3, 1)": (lambda: reorder(3), 0.0381),
    "bluetooth_driver_bad": (bluetooth, 0.0391),
}


@pytest.mark.parametrize("name", CHANCES)
def test_the_random_walk_finds_a_bug_as_often_as_computed(name: str) -> None:
    """Within 4 sigma of the exact chance, in 5,000 executions of one seed."""
    program, chance = CHANCES[name]
    result = racewindow.explore(program, strategy="random", seed=1, schedules=5_000, all_failures=True)

    assert result.executions == 5_000
    assert [failure.kind for failure in result.failures] == ["violation"]
    assert abs(result.failing / 5_000 - chance) < 4 * sqrt(chance * (1 - chance) / 5_000)
