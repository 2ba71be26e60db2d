"""Serializability: one history by hand for each of Adya's anomalies, and every serial order as the judge."""

from __future__ import annotations

import itertools
from random import Random
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow import Cell, Event, History, Judgement, Simulation, UsageError, Verdict, Violation
from racewindow.serializability import with_effect
from racewindow.transactions import TXN, Outcome, Transaction, transactions_of
from tests.harness.histories import NS, event, interleaved

CHECK = racewindow.serializable(name="store")


def txn(name: str, accesses: str, outcome: str = "committed", at: float = 0) -> Event:
    """`r x0` reads version 0 of x, `w x1` makes version 1."""
    parsed = [
        ("read" if what == "r" else "wrote", version[0], int(version[1:]))
        for what, version in zip(accesses.split()[::2], accesses.split()[1::2], strict=True)
    ]
    return event(TXN, task=name, id=name, name=name, outcome=outcome, accesses=parsed, at=at)


def told(*events: Event, finished: bool = True) -> Verdict:
    """What the checker says of a history."""
    return CHECK.check(History(events, finished=finished))


def only(verdict: Verdict) -> Violation:
    """Its one violation."""
    (violation,) = verdict.violations
    return violation


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_what_ran_one_after_the_other_is_serializable() -> None:
    """Whichever way the events stand."""
    first, second = txn("first", "r x0 w x1"), txn("second", "r x1 w x2 w x3 r x3")

    assert told() == told(first, second) == told(second, first) == Verdict.holds()


def test_g0_is_a_cycle_of_writes() -> None:
    """Each wrote over the other."""
    verdict = told(txn("a", "w x1 w y2", at=1), txn("b", "w x2 w y1", at=3))

    assert verdict == Verdict.violated(
        [
            Violation(
                "G0",
                "a b",
                "store: G0, write cycle: no order of a and b is serial: a wrote x@1, b wrote x@2 over it; "
                "b wrote y@1, a wrote y@2 over it",
                3 * NS,
                {"cycle": ["a wrote x@1, b wrote x@2 over it", "b wrote y@1, a wrote y@2 over it"]},
            )
        ]
    )


def test_g1a_is_a_read_of_what_was_aborted() -> None:
    """By a transaction that committed; what another aborted one has read does not matter."""
    violation = only(told(txn("a", "w x1", "aborted"), txn("b", "r x1"), txn("c", "r x1", "aborted")))

    assert (violation.class_, violation.subject) == ("G1a", "b")
    assert violation.message == "store: G1a, aborted read: b read x@1 of a, which aborted"
    assert violation.evidence == {"version": "x@1", "reader": "b", "writer": "a"}


def test_a_number_that_an_aborted_transaction_gave_back_is_clean() -> None:
    """The store gave it out again, and this one stays."""
    assert told(txn("a", "w x1", "aborted"), txn("b", "w x1"), txn("c", "r x1")) == Verdict.holds()


def test_g1b_is_a_read_of_what_was_written_over_by_its_own_writer() -> None:
    """Not by its writer itself."""
    violation = only(told(txn("a", "w x1 r x1 w x2"), txn("b", "r x1")))

    assert (violation.class_, violation.subject) == ("G1b", "b")
    assert violation.message == "store: G1b, intermediate read: b read x@1 of a, which wrote over it"


def test_g1c_is_a_cycle_of_reads_and_writes() -> None:
    """Each has read what the other wrote."""
    violation = only(told(txn("a", "w x1 r y1"), txn("b", "w y1 r x1")))

    assert violation.class_ == "G1c"
    assert violation.evidence == {"cycle": ["a wrote x@1, b read it", "b wrote y@1, a read it"]}


def test_g_single_is_a_cycle_with_one_overwritten_read() -> None:
    """A lost update, and a read skew."""
    lost = only(told(txn("a", "r x0 w x1"), txn("b", "r x0 w x2")))
    skew = only(told(txn("a", "w x1 w y1"), txn("b", "r x0 r y1")))

    assert lost.class_ == skew.class_ == "G-single"
    assert lost.message == (
        "store: G-single, read skew or lost update: no order of b and a is serial: b read x@0, a wrote x@1 over it; "
        "a wrote x@1, b wrote x@2 over it"
    )
    assert skew.evidence == {"cycle": ["b read x@0, a wrote x@1 over it", "a wrote y@1, b read it"]}


def test_g2_is_a_cycle_with_two_overwritten_reads() -> None:
    """A write skew: each has decided by what the other changed."""
    violation = only(told(txn("a", "r x0 r y0 w x1"), txn("b", "r x0 r y0 w y1")))

    assert violation.class_ == "G2"
    assert violation.message == (
        "store: G2, write skew: no order of a and b is serial: a read y@0, b wrote y@1 over it; "
        "b read x@0, a wrote x@1 over it"
    )


def test_the_shortest_cycle_of_the_gravest_class_is_told_for_each_knot() -> None:
    """A knot of three has a cycle of two in it; another knot has its own."""
    verdict = told(
        txn("a", "w x1 w y2"),
        txn("b", "w x2 w y1 w z1"),
        txn("c", "r z1 w x3 w y3"),
        txn("p", "r q0 w q1"),
        txn("r", "r q0 w q2"),
    )

    assert [(each.class_, each.subject) for each in verdict.violations] == [("G0", "a b"), ("G-single", "r p")]


def test_what_was_there_before_is_no_anomaly() -> None:
    """The lowest version, and those of keys that nobody wrote; one that must have come from somewhere is."""
    assert told(txn("a", "r x0 r y7"), txn("b", "w x1")) == Verdict.holds()
    violation = only(told(txn("a", "r x5"), txn("b", "w x1")))

    assert (violation.class_, violation.message) == ("never written", "store: a read x@5, which no transaction wrote")


def test_nobody_reads_what_it_has_yet_to_write() -> None:
    """Found by the test against every serial order."""
    violation = only(told(txn("a", "r x1 w x1")))

    assert (violation.class_, violation.message) == (
        "read before written",
        "store: a read x@1 before it wrote it itself",
    )


def test_who_wrote_it_may_still_be_under_way_when_an_execution_ends_early() -> None:
    """Then it is unknown, unless something else is wrong."""
    early = told(txn("a", "r x5"), txn("b", "w x1"), finished=False)
    wrong = told(txn("a", "r x5"), txn("b", "w x1"), txn("c", "w x1"), finished=False)

    assert early == Verdict.unknown(
        "the execution ended early: a read x@5, which no transaction wrote, who may not have ended"
    )
    assert [each.class_ for each in wrong.violations] == ["version twice"]


def test_one_version_of_two_transactions_is_one_lost() -> None:
    """They did not see each other."""
    violation = only(told(txn("a", "r x0 w x1"), txn("b", "w x1", at=2)))

    assert (violation.class_, violation.subject, violation.time_ns) == ("version twice", "a b", 2 * NS)
    assert violation.message == "store: a and b both wrote x@1"


@pytest.mark.parametrize(("reader", "judgement"), [("r x1 r y0", Judgement.VIOLATED), ("r x0 r y0", Judgement.HOLDS)])
def test_an_unknown_outcome_is_a_commit_if_it_was_seen_and_nothing_if_not(reader: str, judgement: Judgement) -> None:
    """Also through another one that was seen itself."""
    assert told(txn("a", "w x1 w y1", "unknown"), txn("b", reader)).judgement is judgement
    chain = (txn("a", "w p1 w q1", "unknown"), txn("m", "r p1 w x1", "unknown"), txn("b", "r q0 " + reader))
    counted = {each.name for each in with_effect(transactions_of(chain))}

    assert counted == ({"a", "b", "m"} if judgement is Judgement.VIOLATED else {"b"})
    assert told(*chain).judgement is judgement


def test_transactions_of_one_name_are_told_apart() -> None:
    """By their ids, which are the same in every order of events."""
    first = event(TXN, id="main/0.1", name="pay", outcome="committed", accesses=[])
    second = event(TXN, id="main/1.1", name="pay", outcome="committed", accesses=[("read", "x", 0)])

    for order in ([first, second], [second, first]):
        assert [(each.name, len(each.reads)) for each in transactions_of(order)] == [("pay", 0), ("pay#2", 1)]


# --- against every serial order --------------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Up to five transactions over two keys; each version is written once, and reads are of any version."""
    numbers = {"x": 0, "y": 0}
    names = "abcde"[: draw(st.integers(0, 5))]
    writes: dict[str, list[str]] = {name: [] for name in names}
    for name in draw(st.lists(st.sampled_from(names), max_size=6)) if names else ():
        key = draw(st.sampled_from("xy"))
        numbers[key] += 1
        writes[name].append(f"w {key}{numbers[key]}")
    events = []
    for name in names:
        reads = draw(st.lists(st.sampled_from("xy"), max_size=2, unique=True))
        accesses = [f"r {key}{draw(st.integers(0, numbers[key]))}" for key in reads] + writes[name]
        outcome = draw(st.sampled_from(["committed"] * 4 + ["aborted"]))
        events.append(txn(name, " ".join(accesses), outcome))
    return draw(st.permutations(events))


def serial_order_exists(transactions: tuple[Transaction, ...]) -> bool:
    """Whether the committed ones, in some order, each read the newest version and make newer ones."""
    committed = [each for each in transactions if each.outcome is Outcome.COMMITTED]
    return any(runs_serially(order) for order in itertools.permutations(committed))


def runs_serially(order: tuple[Transaction, ...]) -> bool:
    """One after the other."""
    state = {"x": 0, "y": 0}
    for each in order:
        if any(state[str(version.key)] != version.number for version in each.reads):
            return False
        for version in each.writes:
            if version.number <= state[str(version.key)]:
                return False
            state[str(version.key)] = version.number
    return True


@given(histories())
def test_the_graph_agrees_with_every_serial_order(events: list[Event]) -> None:
    """What it calls serializable is, and what it does not is not."""
    verdict = told(*events)

    assert verdict.judgement is not Judgement.UNKNOWN
    assert (verdict.judgement is Judgement.HOLDS) == serial_order_exists(transactions_of(events))


@given(histories(), st.randoms(use_true_random=False))
def test_the_verdict_does_not_depend_on_the_order_of_the_events(events: list[Event], random: Random) -> None:
    """Not a word of it."""
    assert told(*events) == told(*interleaved(events, random))


@given(histories())
def test_the_evidence_is_a_cycle(events: list[Event]) -> None:
    """Each step begins where the one before it ended, and the last ends where the first began."""
    for violation in told(*events).violations:
        if violation.class_ in {"G0", "G1c", "G-single", "G2"}:
            steps = [step.split(", ") for step in violation.evidence["cycle"]]
            starts = [before.split()[0] for before, _ in steps]
            ends = [after.split()[0] for _, after in steps]

            assert ends == [*starts[1:], starts[0]]
            assert len(set(starts)) == len(starts)


# --- explored --------------------------------------------------------------------------------------------------------


@racewindow.scenario(checks=[racewindow.serializable()], safeguards={"validate": "a commit checks what was read"})
async def transfers(sim: Simulation) -> None:
    """Two transfers from one account under optimistic concurrency, with or without the check at the commit."""
    account = Cell((0, 100), name="account")

    async def transfer(amount: int) -> None:
        with sim.transaction("transfer") as transaction:
            version, balance = account.get()
            transaction.read("account", version)
            await trio.lowlevel.checkpoint()
            newest, _ = account.get()
            if sim.safeguard("validate") and newest != version:
                transaction.aborted()
                return
            account.set((newest + 1, balance - amount))
            transaction.wrote("account", newest + 1)
            transaction.committed()

    sim.spawn(transfer, 10)
    sim.spawn(transfer, 20)


def test_a_lost_update_is_found_and_its_check_proved() -> None:
    """By reduction, with the cycle in the message."""
    (failure,) = racewindow.explore(transfers, strategy="dpor").failures
    safe = racewindow.explore(transfers, strategy="dpor", safeguards="all")

    assert (failure.checker, failure.class_) == ("serializable", "G-single")
    assert "no order of" in failure.message
    assert safe.verdict == "complete"


def test_a_transaction_that_is_left_without_an_answer_is_unknown() -> None:
    """By a time-out, say; to end it twice is a mistake."""
    kept: list[Any] = []

    @racewindow.checker("keeps")
    def keeps(history: History) -> Verdict:
        kept.append(transactions_of(history.events))
        return Verdict.holds()

    @racewindow.scenario(checks=[keeps])
    async def program(sim: Simulation) -> None:
        with trio.move_on_after(1), sim.transaction("slow") as transaction:
            transaction.wrote("x", 1)
            await trio.sleep_forever()
        with sim.transaction("quick") as transaction:
            transaction.committed()
            with pytest.raises(UsageError, match="transaction 'quick' has ended twice"):
                transaction.aborted()

    racewindow.explore(program, schedules=1, strategy="random")

    assert [(each.name, each.outcome, len(each.writes)) for each in kept[-1]] == [
        ("quick", Outcome.COMMITTED, 0),
        ("slow", Outcome.UNKNOWN, 1),
    ]
