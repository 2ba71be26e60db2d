"""Several checkers as one: the worst answer, under the name of each."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

import racewindow
from racewindow import FunctionChecker, History, Judgement, UsageError, Verdict, Violation
from racewindow.checkers import TIME, coverage_of, observed_by
from racewindow.composing import worst
from tests.harness.histories import event, history

ANSWERS = {
    Judgement.HOLDS: Verdict.holds(),
    Judgement.UNKNOWN: Verdict.unknown("the messages were still under way"),
    Judgement.VIOLATED: Verdict.violated([Violation("stale", "XRP", "XRP is stale"), Violation(None, "ETH", "no ETH")]),
}


def says(judgement: Judgement) -> FunctionChecker:
    """A checker that always gives this answer."""
    return FunctionChecker("says", lambda _: ANSWERS[judgement])


def crashes(_: History) -> Verdict:
    """A checker with a bug."""
    raise ZeroDivisionError("bug")


def test_each_violation_carries_the_name_of_its_part() -> None:
    """In front of its class; the rest is as the part said it."""
    verdict = racewindow.compose(
        {"prices": says(Judgement.VIOLATED), "orders": says(Judgement.HOLDS)}, name="exchange"
    ).check(history())

    assert verdict == Verdict(
        Judgement.VIOLATED,
        (Violation("prices: stale", "XRP", "XRP is stale"), Violation("prices", "ETH", "no ETH")),
    )


def test_what_could_not_be_told_is_kept_beside_what_is_violated() -> None:
    """A violation does not hide that another part has no answer."""
    verdict = racewindow.compose(
        {"prices": says(Judgement.UNKNOWN), "orders": says(Judgement.VIOLATED), "fees": FunctionChecker("f", crashes)},
        name="exchange",
    ).check(history())

    assert verdict.judgement is Judgement.VIOLATED
    assert verdict.reason == (
        "prices could not tell: the messages were still under way; "
        "fees could not tell: the checker crashed: ZeroDivisionError: bug"
    )


@given(st.lists(st.sampled_from(Judgement), min_size=1, max_size=4))
def test_the_answer_is_the_worst_one(judgements: list[Judgement]) -> None:
    """No part improves it, in any order, nor does composing what is composed."""
    parts = {str(number): says(each) for number, each in enumerate(judgements)}
    flat = racewindow.compose(parts, name="all").check(history())
    nested = racewindow.compose({"inner": racewindow.compose(parts, name="inner")}, name="outer").check(history())
    grave = [Judgement.HOLDS, Judgement.UNKNOWN, Judgement.VIOLATED]

    assert flat.judgement is nested.judgement is max(judgements, key=grave.index)
    assert len(flat.violations) == len(nested.violations) == 2 * judgements.count(Judgement.VIOLATED)


def test_a_crash_is_unknown_and_never_a_pass() -> None:
    """Alone or beside one that holds."""
    for others in ({}, {"fine": says(Judgement.HOLDS)}):
        parts = {"crash": FunctionChecker("c", crashes), **others}
        verdict = racewindow.compose(parts, name="all").check(history())

        assert verdict.judgement is Judgement.UNKNOWN


def test_worst_is_commutative_associative_and_has_a_neutral_element() -> None:
    """So that grouping and order of checkers mean nothing."""
    for a, b, c in itertools.product(Judgement, repeat=3):
        assert worst(a, b) is worst(b, a)
        assert worst(a, worst(b, c)) is worst(worst(a, b), c)
        assert worst(a, Judgement.HOLDS) is worst(a) is a
    assert worst() is Judgement.HOLDS


def test_what_the_parts_observe_and_have_to_reach_is_not_lost() -> None:
    """An exploration asks the whole for it."""
    composed = racewindow.compose(
        {
            "reopens": racewindow.eventually(lambda each: each.kind == "reopened", within=1, name="reopens"),
            "full": racewindow.sometimes(lambda each: each.kind == "full", "queue full"),
        },
        name="all",
    )

    assert observed_by([composed]) == {TIME}
    assert coverage_of([composed], history(event("full"))) == {"queue full": True}
    assert coverage_of([composed], history()) == {"queue full": False}


def test_of_no_checkers_nothing_is_made() -> None:
    """It would pass whatever happens."""
    with pytest.raises(UsageError, match="compose was given no checkers for 'all'"):
        racewindow.compose({}, name="all")


def test_an_exploration_reports_the_parts() -> None:
    """The failure is of the whole, its class says which part; what a part could not tell is a note."""

    @racewindow.scenario(
        checks=[
            racewindow.compose(
                {"prices": says(Judgement.VIOLATED), "orders": says(Judgement.UNKNOWN)},
                name="exchange",
            )
        ]
    )
    async def program() -> None: ...

    result = racewindow.explore(program, schedules=1, strategy="random", all_failures=True)

    assert [(each.checker, each.class_, each.subject) for each in result.failures] == [
        ("exchange", "prices", "ETH"),
        ("exchange", "prices: stale", "XRP"),
    ]
    assert any("exchange could not tell in at least one execution: orders could not tell" in n for n in result.notes)
