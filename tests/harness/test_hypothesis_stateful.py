"""A state machine with async rules fails in the fewest steps, and in an order of events of its own."""

# Hypothesis declares that rules return None, so to a type checker an async one is a mistake.
# mypy: disable-error-code="arg-type,call-overload,type-var"

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import trio
import trio.testing
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, precondition, rule

import racewindow
from racewindow.hypothesis import RuleBasedStateMachine
from racewindow.runtime.execution import Environment
from racewindow_faults import process

QUICK = settings(
    max_examples=100, stateful_step_count=8, database=None, deadline=None, phases=[Phase.generate, Phase.shrink]
)


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    """What each example sets up and takes away again is here once for all of them: it is most of their time."""
    with Environment():
        yield


def run(machine: type[RuleBasedStateMachine], how: settings = QUICK) -> None:
    """As unittest would."""
    case: Any = machine.TestCase
    case.settings = how
    case("runTest").runTest()


def steps_of(error: BaseException) -> list[str]:
    """The rules of the failing example, as Hypothesis printed them."""
    text = "\n".join(error.__notes__)
    return re.findall(r"^(?:\w+ = )?state\.(\w+)\(", text, flags=re.MULTILINE)


class Bank(RuleBasedStateMachine):
    """Deposits run beside each other, and one is lost if two of them read before either writes."""

    def __init__(self) -> None:
        super().__init__()
        self.balance = racewindow.Cell(0, name="balance")
        self.total = 0

    @rule(amount=st.integers(1, 9))
    async def deposit(self, amount: int) -> None:
        """Begin one."""
        self.total += amount

        async def one() -> None:
            seen = self.balance.get()
            await trio.lowlevel.checkpoint()
            self.balance.set(seen + amount)

        self.nursery.start_soon(one)

    @precondition(lambda self: self.total > 0)
    @rule()
    async def settle(self) -> None:
        """Wait for all of them."""
        await trio.testing.wait_all_tasks_blocked()
        assert self.balance.get() == self.total, "a deposit is lost"


def test_the_fewest_rules_and_the_order_are_found_and_printed() -> None:
    """Two deposits, and one deviation."""
    with pytest.raises(AssertionError, match="a deposit is lost") as caught:
        run(Bank)

    assert steps_of(caught.value) == ["deposit", "deposit", "settle", "teardown"]
    assert re.search(r"^In the order of schedule=\[\([^()]+\)\]$", "\n".join(caught.value.__notes__), re.MULTILINE)


class Careful(RuleBasedStateMachine):
    """Everything that a machine may have, async and not, and nothing wrong with it."""

    accounts: Bundle[int] = Bundle("accounts")
    closed: int = 0

    @initialize()
    async def open_up(self) -> None:
        """Make what the others need, in a task of its own execution."""
        self.balances: racewindow.TrackedDict[int, int] = racewindow.TrackedDict(name="balances")
        self.lock = trio.Lock()
        self.began = trio.current_time()

    @rule(target=accounts)
    async def open(self) -> int:
        """A new account."""
        await trio.sleep(1)
        number = len(self.balances)
        self.balances[number] = 0
        return number

    @rule(account=accounts, amount=st.integers(1, 9))
    def deposit(self, account: int, amount: int) -> None:
        """Not async, but in a task as well."""

        async def one() -> None:
            async with self.lock:
                seen = self.balances[account]
                await trio.sleep(5)
                self.balances[account] = seen + amount

        self.nursery.start_soon(one)

    @invariant()
    async def nobody_owes(self) -> None:
        """Invariants may wait."""
        await trio.lowlevel.checkpoint()
        assert all(balance >= 0 for balance in self.balances.values())

    async def teardown(self) -> None:  # type: ignore[override]  # as above
        """Runs at the end of every example."""
        await trio.lowlevel.checkpoint()
        Careful.closed += 1


def test_rules_bundles_invariants_and_teardown_work_as_hypothesis_has_them() -> None:
    """And each example is taken down."""
    run(Careful, settings(QUICK, max_examples=25, phases=[Phase.generate]))

    assert Careful.closed >= 25


class Stuck(RuleBasedStateMachine):
    """A rule that waits for nobody."""

    @rule()
    async def wait(self) -> None:
        """For ever."""
        await trio.Event().wait()


class Busy(RuleBasedStateMachine):
    """A rule that never comes to an end."""

    step_limit = 200

    @rule()
    async def spin(self) -> None:
        """For ever."""
        while True:
            await trio.lowlevel.checkpoint()


class Crashing(RuleBasedStateMachine):
    """A service that dies while a rule waits."""

    @rule()
    async def serve(self) -> None:
        """Wait for a service that is not there any more."""

        async def service() -> None:
            await trio.sleep(1)
            raise ConnectionError

        self.nursery.start_soon(service)
        await trio.sleep(2)


@pytest.mark.parametrize(
    ("machine", "kind", "says"),
    [
        (Stuck, "deadlock", "trio.Event.wait at test_hypothesis_stateful.py"),
        (Busy, "livelock", "more than 200 steps"),
        (Crashing, "ExceptionGroup", "nursery"),
    ],
)
def test_a_rule_that_does_not_end_is_told_apart(machine: type[RuleBasedStateMachine], kind: str, says: str) -> None:
    """By what it waits for."""
    with pytest.raises(Exception, match=says) as caught:
        run(machine)

    assert type(caught.value).__name__ == kind
    assert steps_of(caught.value)[-1] == "teardown"


class Stalled(RuleBasedStateMachine):
    """A fault that makes a rule late."""

    faults: ClassVar[process.Stall] = process.Stall(seconds=30.0)

    @rule()
    async def step(self) -> None:
        """Must not take long."""
        began = trio.current_time()
        await racewindow.fault_point("machine.step", kinds=("stall",))
        assert trio.current_time() - began < 10, "late"


def test_faults_of_the_class_strike_in_rules() -> None:
    """At their fault points."""
    with pytest.raises(AssertionError, match="late") as caught:
        run(Stalled)

    assert f"'{Stalled.faults.text}', 'fault'" in "\n".join(caught.value.__notes__)


def test_made_by_hand_it_says_how_it_is_run() -> None:
    """It has nothing to run in."""
    with pytest.raises(racewindow.UsageError, match="Bank was made by hand"):
        Bank()
