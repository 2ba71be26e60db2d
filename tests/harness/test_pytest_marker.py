"""The marker: which tests it takes, what their fixtures see, and what is expected of them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from racewindow.errors import UsageError
from racewindow.pytest_wanted import Options, Wanted, wanted_of_marker
from tests.harness.suites import LOST_UPDATE, run_suite

pytest_plugins = ["pytester"]

FIXTURES = """
import anyio
import pytest
import racewindow
import trio

made = []


@pytest.fixture(scope="module")
def shared():
    return []


@pytest.fixture
def plain():
    made.append("plain")
    return []


@pytest.fixture
async def cell(plain, request):
    assert plain == []
    await trio.sleep(1)
    yield racewindow.Cell(0, name="cell")
    await trio.sleep(1)
    plain.append("torn down")


@pytest.fixture(params=[1, 2])
async def doubled(cell, request):
    cell.set(2 * request.param)
    return cell


@pytest.fixture
def reading(doubled):
    return doubled.get()


@pytest.fixture
def anyio_backend():
    return "trio"


marked = pytest.mark.racewindow(strategy="random", schedules=5)


async def use(plain, cell, reading, sim, shared):
    assert plain == [] and cell.get() == reading in (2, 4)
    plain.append("used")
    cell.set(1)
    shared.append(sim)
    sim.emit("used", at=sim.now_ns)
    assert sim.now_ns == trio.current_time() * 1e9 == 1e9
    sim.spawn(trio.sleep, 1)


@marked
async def test_by_itself(plain, cell, reading, sim, shared):
    await use(plain, cell, reading, sim, shared)


@marked
@pytest.mark.trio
async def test_of_pytest_trio(plain, cell, reading, sim, shared, nursery):
    nursery.start_soon(trio.sleep, 3)
    await use(plain, cell, reading, sim, shared)


@marked
@pytest.mark.anyio
async def test_of_anyio(plain, cell, reading, sim, shared):
    await anyio.sleep(0)
    await use(plain, cell, reading, sim, shared)


class TestOfAClass:
    @pytest.fixture
    async def own(self):
        assert not vars(self)
        self.made = True
        return self

    @marked
    @pytest.mark.parametrize("number", [1, 2])
    async def test_in_it(self, own, number):
        assert own is self and vars(self) == {"made": True}
        self.number = number


def test_every_execution_had_its_own(shared):
    assert len({id(each) for each in shared}) == len(shared) >= 6 * 5
    assert len(made) >= len(shared)


def test_sim_is_for_marked_tests(sim):
    pass


@marked
async def test_sim_outside(request, sim, outside):
    pass


@pytest.fixture
def outside(sim):
    sim.emit("too early")
"""


def test_each_execution_has_fixtures_of_its_own(pytester: pytest.Pytester) -> None:
    ran = run_suite(pytester, test_mine=FIXTURES)

    both = {f"test_{name}[{number}]" for name in ("by_itself", "of_pytest_trio", "of_anyio") for number in (1, 2)}
    inside = {f"TestOfAClass::test_in_it[{number}]" for number in (1, 2)}
    assert ran.of("PASSED") == both | inside | {"test_every_execution_had_its_own"}, ran.text
    assert ran.of("ERROR") == {"test_sim_is_for_marked_tests", "test_sim_outside"}
    assert "sim belongs to an execution" in ran.text
    assert "sim.emit was used outside of an execution." in ran.text


EXPECTED = (
    LOST_UPDATE
    + """
@racewindow.checker("nothing_is_lost")
def nothing_is_lost(history):
    lost = [each for each in history.events if each.data["value"] != 2]
    return racewindow.Verdict.violated([racewindow.Violation(None, "balance", "a deposit is lost") for _ in lost])


@racewindow.scenario(checks=[nothing_is_lost], safeguards={"use_lock": "one at a time"})
async def deposits(sim):
    balance = racewindow.Cell(0, name="balance")
    assert not sim.safeguard("use_lock")
    await deposit_twice(balance)
    sim.emit("balance", value=balance.get())


async def asserted():
    balance = racewindow.Cell(0, name="balance")
    await deposit_twice(balance)
    assert balance.get() == 2


explored = pytest.mark.racewindow


@explored(expect="fails", strategy="pct", schedules=100, seed=3)
async def test_it_fails():
    await asserted()


@explored(expect="fails: nothing_is_lost", scenario=deposits)
async def test_its_checker_fails(sim):
    await deposits(sim)


@explored(expect="fails: violation", strategy="dfs", preemptions=1)
async def test_it_fails_with_a_preemption():
    await asserted()


@explored(expect="complete", strategy="dpor")
async def test_all_of_it_is_right():
    await deposit(racewindow.Cell(0, name="balance"), 1)


@explored(expect="complete", strategy="random", schedules=3)
async def test_random_is_not_complete():
    await deposit(racewindow.Cell(0, name="balance"), 1)


@explored(expect="fails", strategy="random", schedules=3)
async def test_it_does_not_fail():
    await deposit(racewindow.Cell(0, name="balance"), 1)


@explored(expect="fails: another", scenario=deposits, schedules=20)
async def test_another_checker_fails(sim):
    await deposits(sim)


@explored(expect="fails: deadlock", faults=1, scenario=deposits)
async def test_there_are_no_faults(sim):
    pass


@explored(faults="drop|crash", expect="fails: violation")
async def test_a_fault_strikes(sim):
    assert await sim.fault_point("save", kinds=["drop"]) is None


@explored(semantics="trio", seconds=0.2, strategy="random", expect="fails: DropIt", schedules=4)
async def test_too_few():
    await trio.sleep(1)


@explored(schedule=3)
async def test_misspelt():
    pass


@explored
def test_plain_function():
    pass


@pytest.mark.xfail(raises=AssertionError, strict=True)
@explored
async def test_known_to_fail():
    await asserted()
"""
)


@pytest.mark.slow
def test_what_is_expected_is_asserted(pytester: pytest.Pytester) -> None:
    ran = run_suite(pytester, "--racewindow-no-shrink", test_mine=EXPECTED)

    assert ran.of("PASSED") == {
        *("test_it_fails", "test_its_checker_fails", "test_it_fails_with_a_preemption", "test_all_of_it_is_right"),
        "test_a_fault_strikes",
    }, ran.text
    assert ran.of("XFAIL") == {"test_known_to_fail"}
    assert ran.of("ERROR") == {"test_misspelt", "test_plain_function"}
    assert len(ran.of("FAILED")) == 5
    for said in (
        'expect="complete", but 3 executions that passed were not every order of events:',
        "- the strategy random never knows whether it has run every order.",
        'expect="fails", but none of 3 executions does.',
        'expect="fails: another", but what was found in',
        "another failure: violation nothing_is_lost",
        "declares no faults that 1 could strike of.",
        'expect="fails: DropIt", but none of 4 executions does.',
        "there is no argument of @pytest.mark.racewindow called 'schedule'.",
        "did you mean 'schedules'",
        "test_plain_function is marked racewindow, but is not an async test.",
    ):
        assert said in ran.text
    assert "Traceback" not in ran.text


FAILING = (
    LOST_UPDATE
    + """
@pytest.fixture
async def balance():
    return racewindow.Cell(0, name="balance")


@pytest.mark.racewindow
async def test_both_deposits_count(balance):
    print("said a thousand times")
    await deposit_twice(balance)
    assert balance.get() == 2


@pytest.mark.racewindow
async def test_never_run_with_x():
    pass
"""
)


@pytest.mark.slow
def test_a_failure_is_told_kept_and_replayed(pytester: pytest.Pytester) -> None:
    ran = run_suite(pytester, "-x", "-k", "deposits or never", "--junitxml=report.xml", test_mine=FAILING)

    test = "test_mine.py::test_both_deposits_count"
    assert ran.status == 1 and ran.outcomes == {"test_both_deposits_count": "FAILED"}
    (file,) = (pytester.path / ".racewindow" / "failures").iterdir()
    again = f"pytest --racewindow-replay .racewindow/failures/{file.name} {test}"
    for said in (
        "assertion failed: assert balance.get() == 2",
        "racewindow: How it came to this, in virtual time",
        "deposit#2 reads balance: 0 (test_mine.py:",
        "racewindow: Why",
        "racewindow: What closes it, tried out in",
        "racewindow: To see it again",
        again,
        "explored 1 test in",
    ):
        assert said in ran.text
    assert "said a thousand times" not in ran.text
    assert file.name.startswith("test_mine.py-test_both_deposits_count-violation-")
    assert json.loads(file.read_text(encoding="utf-8"))["target"] == test
    report = ET.parse(pytester.path / "report.xml").getroot()  # noqa: S314  # of our own making
    properties = {each.get("name"): each.get("value") for each in report.iter("property")}
    assert properties["racewindow_replay"] == again
    failure = report.find(".//failure")
    assert failure is not None and "assert balance.get() == 2" in failure.get("message", "")

    replayed = run_suite(pytester, *again.split()[1:])

    assert replayed.outcomes == {"test_both_deposits_count": "FAILED"}
    assert "said a thousand times" in replayed.text
    assert again in replayed.text
    assert len(list(file.parent.iterdir())) == 1


SET_UP = """
import pytest
import racewindow
import trio


@pytest.fixture
def fails():
    raise ValueError("no database")


@pytest.fixture
async def fails_inside():
    await trio.sleep(1)
    raise ValueError("no connection")
    yield


@pytest.fixture
async def fails_at_the_end():
    yield 1
    await trio.sleep(1)
    raise ValueError("still open")


@pytest.fixture
def fails_afterwards():
    yield 1
    raise ValueError("left behind")


few = pytest.mark.racewindow(strategy="random", schedules=3)


@few
async def test_set_up(fails):
    pass


@few
async def test_inside(fails_inside):
    pass


@few
async def test_the_end(fails_at_the_end):
    pass


@few
async def test_afterwards(fails_afterwards):
    pass


@few
async def test_skipped(monkeypatch):
    pytest.skip("not today")
"""


@pytest.mark.slow
def test_failing_set_up_and_tear_down_are_told(pytester: pytest.Pytester) -> None:
    ran = run_suite(pytester, "--racewindow-no-shrink", test_mine=SET_UP)

    assert ran.of("FAILED") == {"test_inside", "test_the_end"}, ran.text
    assert ran.of("ERROR") == {"test_set_up", "test_afterwards"}
    assert ran.of("SKIPPED") == {"test_mine.py:59:"} or "not today" in ran.text
    for said in ("no database", "no connection", "still open", "left behind"):
        assert f"ValueError: {said}" in ran.text


# --- arguments -------------------------------------------------------------------------------------------------------


def test_the_nearest_marker_wins_and_the_command_line_over_all() -> None:
    options = Options(given={"seed": 9}, ini={"seed": 7, "schedules": 70, "strategy": "pct"})
    outer, inner = ((), {"schedules": 10, "seed": 1}), ((), {"schedules": 20})

    wanted = wanted_of_marker([outer, inner], options)

    assert wanted == Wanted(schedules=20, seed=9, strategy="pct")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"strategy": "rand"}, "there is no strategy called 'rand'"),
        ({"schedules": "many"}, "schedules cannot be 'many'."),
        ({"seconds": True}, "seconds cannot be True."),
        ({"semantics": "batches"}, "there is no semantics called 'batches'"),
        ({"expect": "passes"}, "expect cannot be 'passes'."),
        ({"expect": "fails:"}, "expect cannot be 'fails:'."),
        ({"faults": ""}, "faults cannot be ''."),
        ({"faults": "crush"}, "crush"),
        ({"scenario": "no-such"}, "there is no scenario called 'no-such'."),
        ({"preemptions": 1.5}, "preemptions cannot be 1.5."),
        ({"schedulse": 1}, "did you mean 'schedules'?"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        wanted_of_marker([((), arguments)], Options())

    assert said in str(refused.value)


def test_positional_arguments_are_refused() -> None:
    with pytest.raises(UsageError, match=r"name it: @pytest.mark.racewindow\(strategy='pct'\)"):
        wanted_of_marker([(("pct",), {})], Options())


ORDERED = """
import pytest
import racewindow
import trio

log = []


def fixture_called(name):
    @pytest.fixture(name=name)
    async def fixture():
        log.append(name)
        await trio.lowlevel.checkpoint()

    return fixture


a, b, c, d, e, f = map(fixture_called, "abcdef")


@pytest.mark.trio
@pytest.mark.racewindow
async def test_it(a, b, c, d, e, f):
    racewindow.Cell(0, name="order").set("".join(log[-6:]))
    assert False
"""


def test_fixtures_of_pytest_trio_come_in_an_order_that_no_address_decides(pytester: pytest.Pytester) -> None:
    found = []
    for folder in ("one", "other"):
        options = ("--racewindow-no-shrink", f"--racewindow-report-dir={folder}")
        run_suite(pytester, *options, "-o", f"racewindow_corpus=past-{folder}", inside=True, test_mine=ORDERED)
        found.append({each.name: each.read_bytes() for each in (pytester.path / folder).iterdir()})

    assert found[0] == found[1]
    assert len(found[0]) == 1
