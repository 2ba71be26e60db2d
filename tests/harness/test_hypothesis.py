"""Under Hypothesis an example is data, an order of events and faults, all generated, shrunk and printed alike."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trio
from hypothesis import Phase, assume, example, given, reproduce_failure, settings, target
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase

import racewindow
from racewindow.hypothesis import drawing, explored, faults, schedules
from racewindow.runtime.execution import Environment
from racewindow_faults import process
from tests.harness.drawn_programs import both_wait, counted, restart

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.slow

SEARCH = settings(max_examples=1_000, database=None, phases=[Phase.generate, Phase.shrink], print_blob=False)
PRICES = st.lists(st.integers(1, 100_000), max_size=5)


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    """What each example sets up and takes away again is here once for all of them: it is most of their time."""
    with Environment():
        yield


def failure_of(test: Callable[..., Any], **arguments: Any) -> BaseException:
    """What a test that has to fail raises."""
    with pytest.raises(BaseException) as caught:  # a nursery's group, or an error of racewindow's
        test(**arguments)
    return caught.value


def printed(error: BaseException) -> dict[str, Any]:
    """The arguments of the failing example, as Hypothesis printed them under the error."""
    text = "\n".join(error.__notes__)
    found = re.search(r"(?:Falsifying|Failing)\D+?\w+\(\n(.*?)^\)", text, flags=re.MULTILINE | re.DOTALL)
    assert found is not None, text
    return {
        str(keyword.arg): ast.literal_eval(keyword.value)
        for keyword in ast.parse(f"f({found[1]})", mode="eval").body.keywords  # type: ignore[attr-defined]
    }


@pytest.mark.seeds(sample=1, all=20)
def test_data_and_schedule_shrink_together_to_the_known_smallest(seed: int) -> None:
    """One tick and two deviations."""
    error = failure_of(seeded(seed)(SEARCH(given(prices=PRICES, schedule=schedules())(explored(restart)))))

    smallest = printed(error)
    assert smallest["prices"] == [1]
    assert len(smallest["schedule"]) == 2


def test_what_is_printed_can_be_pasted_as_an_example() -> None:
    """It fails with the code that it was found in, and passes with the code that is mended."""
    smallest = printed(failure_of(SEARCH(given(prices=PRICES, schedule=schedules())(explored(restart)))))
    by = given(prices=PRICES, guarded=st.booleans(), schedule=schedules())
    explicit = settings(SEARCH, phases=[Phase.explicit])

    as_it_was = explicit(by(example(**smallest, guarded=False)(explored(with_guard))))
    mended = explicit(by(example(**smallest, guarded=True)(explored(with_guard))))

    assert "an index of zero is committed" in repr(failure_of(as_it_was))
    mended()


async def with_guard(prices: list[int], guarded: bool) -> None:  # noqa: FBT001  # drawn
    """`restart` with its guard among the data."""
    await restart(prices, guarded=guarded)


def test_a_saved_example_is_tried_first_and_passes_when_the_bug_is_fixed() -> None:
    """The database of Hypothesis holds schedules as it holds other data."""
    database, guarded, calls = InMemoryExampleDatabase(), [False], list[Any]()

    async def either(prices: list[int]) -> None:
        await restart(prices, guarded=guarded[0])

    test = settings(SEARCH, max_examples=300, database=database, phases=[Phase.reuse, Phase.generate, Phase.shrink])(
        given(prices=PRICES, schedule=schedules())(explored(counted(either, calls)))  # type: ignore[arg-type]
    )
    failure_of(test)
    found = len(calls)
    calls.clear()
    failure_of(test)
    again = len(calls)
    guarded[0] = True
    test()

    assert again < found / 2  # the saved one is tried first


def test_a_reproduced_failure_tells_its_order_in_a_note(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is shown before it is run for the first time, when its order is not known yet."""
    test = given(prices=PRICES, schedule=schedules())(explored(restart))
    text = "\n".join(failure_of(settings(SEARCH, print_blob=True)(test)).__notes__)
    version, blob = ast.literal_eval(re.search(r"@reproduce_failure(\(.*?\))", text)[1])  # type: ignore[index]
    monkeypatch.setattr(drawing, "_SHOWN", {})  # as in another process

    again = given(prices=PRICES, schedule=schedules())(explored(restart))
    failure_of(SEARCH(reproduce_failure(version, blob)(again)))

    order = re.search(r"^In the order of schedule=(.*)$", capsys.readouterr().out, flags=re.MULTILINE)
    assert order is not None
    assert "an index of zero is committed" in repr(
        failure_of(explored(restart), prices=[1], schedule=ast.literal_eval(order[1]))
    )


@pytest.mark.parametrize("marks", ["pytest.mark.trio", "[pytest.mark.trio, pytest.mark.racewindow(schedules=5)]"])
def test_in_a_module_that_is_marked_it_is_left_alone(pytester: pytest.Pytester, marks: str) -> None:
    """For pytest-trio, and for racewindow's own marker; and a failure shows the function, not what runs it."""
    pytester.makepyfile(MARKED_MODULE.replace("pytest.mark.trio", marks))
    result = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*assert len(numbers) < 1*"])
    assert "_judge" not in result.stdout.str()


MARKED_MODULE = """
    import pytest
    from hypothesis import given, settings, strategies as st
    from racewindow.hypothesis import explored, schedules

    pytestmark = pytest.mark.trio
    few = settings(max_examples=5, database=None, derandomize=True, deadline=None)

    @few
    @given(numbers=st.lists(st.integers(), min_size=1), schedule=schedules())
    @explored
    async def test_passes(numbers):
        assert numbers

    @few
    @given(numbers=st.lists(st.integers(), min_size=1), schedule=schedules())
    @explored
    async def test_fails(numbers):
        assert len(numbers) < 1
"""


def test_each_example_is_exactly_one_execution() -> None:
    """So that `max_examples` is the budget."""
    examples, calls = [0], list[Any]()
    program = explored(counted(restart, calls))  # type: ignore[arg-type]

    @settings(max_examples=60, database=None, phases=[Phase.generate])
    @given(prices=PRICES, schedule=schedules())
    def test(prices: list[int], schedule: Any) -> None:
        examples[0] += 1
        program(prices=prices, guarded=True, schedule=schedule)

    test()
    assert examples[0] == len(calls) > 1


def test_derandomized_it_gives_the_same_run_twice() -> None:
    """Data and orders are functions of the test."""
    program, seen = explored(restart), list[tuple[list[int], str]]()

    @settings(derandomize=True, max_examples=40, database=None)
    @given(prices=PRICES, schedule=schedules())
    def test(prices: list[int], schedule: Any) -> None:
        program(prices=prices, guarded=True, schedule=schedule)
        seen.append((prices, repr(schedule)))

    test()
    first = seen.copy()
    seen.clear()
    test()

    assert seen == first
    assert len({order for _, order in seen}) > 5


def test_orders_are_as_varied_as_those_of_a_random_walk() -> None:
    """Nothing runs in the default order only: a deadlock that needs one preemption is found, and is called one."""
    error = failure_of(
        SEARCH(given(order=st.lists(st.integers(0, 1), max_size=4), schedule=schedules())(explored(both_wait)))
    )

    assert isinstance(error, racewindow.ExplorationFailed)
    assert type(error).__name__ == "deadlock"
    assert len(printed(error)["order"]) == 2
    assert len(printed(error)["schedule"]) == 1


def test_without_a_strategy_for_it_the_order_is_drawn_all_the_same() -> None:
    """And is told in a note."""
    error = failure_of(SEARCH(given(prices=PRICES)(explored(restart))))

    assert re.search(r"^In the order of schedule=\[\(", "\n".join(error.__notes__), flags=re.MULTILINE)


def test_a_fault_is_drawn_printed_and_pasted_like_the_rest() -> None:
    """A stall makes the only failure; about half of the examples have none."""
    struck: list[bool] = []

    async def window() -> None:
        async def service() -> None:
            began = trio.current_time()
            await racewindow.fault_point("service.step", kinds=("stall",))
            struck.append(trio.current_time() > began)
            assert len(struck) < 100 or not struck[-1], "late"

        async with trio.open_nursery() as nursery:
            nursery.start_soon(service)

    stall = process.Stall(seconds=5.0)
    error = failure_of(SEARCH(given(schedule=schedules(), faults=faults(stall))(explored(window))))
    chance = sum(struck[:99]) / 99
    smallest = printed(error)
    again = failure_of(explored(window), **smallest)

    assert 0.15 < chance < 0.85
    assert smallest["schedule"] == []
    assert [each[2:4] for each in smallest["faults"]] == [(stall.text, "fault")]
    assert "late" in repr(again)


def test_assumptions_targets_and_data_drawn_inside_mean_what_they_mean_to_hypothesis() -> None:
    """Also where they come out of a nursery."""
    drawn: list[int] = []

    @settings(SEARCH, max_examples=50)
    @given(data=st.data(), schedule=schedules())
    @explored
    async def test(data: st.DataObject) -> None:
        async def child() -> None:
            number = data.draw(st.integers(0, 9))
            assume(number % 2 == 0)
            target(float(number))
            drawn.append(number)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)

    test()
    assert drawn
    assert not any(number % 2 for number in drawn)


@racewindow.scenario(safeguards={"wait": "the ticks wait for the load"})
async def restarting(sim: racewindow.Simulation, *, ticks: int = 0) -> None:
    """A scenario around the same program."""
    await restart([1] * ticks, guarded=sim.safeguard("wait"))


def test_a_scenario_can_be_explored_with_its_parameters_drawn() -> None:
    """And with its safeguards on it does not fail."""
    by = given(ticks=st.integers(0, 3), schedule=schedules())
    smallest = printed(failure_of(SEARCH(by(explored(restarting)))))
    settings(SEARCH, max_examples=100)(by(explored(safeguards="all")(restarting)))()

    assert smallest["ticks"] == 1


def test_a_method_a_simulation_and_another_semantics_do_as_well() -> None:
    """`sim` is handed over by the harness, so pytest is not asked for it."""
    orders: set[tuple[str, ...]] = set()

    class TestOrders:
        @settings(SEARCH, max_examples=100)
        @given(schedule=schedules())
        @explored(semantics="trio")
        async def test(self, sim: racewindow.Simulation) -> None:
            seen: list[str] = []

            async def service(name: str) -> None:
                for _ in range(2):
                    await trio.lowlevel.checkpoint()
                    seen.append(name)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(service, "a")
                nursery.start_soon(service, "b")
            sim.emit("seen", names=tuple(seen))
            orders.add(tuple(seen))

    TestOrders().test()
    assert orders == {tuple("abab"), tuple("abba"), tuple("baab"), tuple("baba")}  # what trio's batches allow


def test_long_programs_trip_no_health_check() -> None:
    """Hundreds of decisions are not too much data, nor too slow to draw."""
    ended: list[int] = []

    @settings(max_examples=30, database=None, suppress_health_check=(), deadline=None)
    @given(schedule=schedules())
    @explored
    async def test() -> None:
        async def service() -> None:
            for _ in range(60):
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            for _ in range(6):
                nursery.start_soon(service)
        ended.append(1)

    test()
    assert len(ended) >= 30


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: explored(print), "print is not an async function."),  # type: ignore[arg-type]
        (lambda: explored(restart)(prices=[]), "was called without a schedule."),
        (lambda: explored(restart)(prices=[], schedule=[("main", 0)]), "('main', 0) is not a deviation."),
        (lambda: explored(restart)(prices=[], schedule=3), "3 is no list of deviations."),
        (lambda: explored(faults="stall")(restart), "faults cannot be 'stall'."),  # type: ignore[call-overload]
        (lambda: faults("no-such-kind"), "no-such-kind"),
        (lambda: faults("crash", budget=-1), "-1"),
    ],
)
def test_misuse_is_told(wrong: Callable[[], object], says: str) -> None:
    """With what to do instead."""
    with pytest.raises(racewindow.UsageError, match=re.escape(says)):
        wrong()
