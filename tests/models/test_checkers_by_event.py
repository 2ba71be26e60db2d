"""The checkers of the small scenarios, on events written by hand: good ones, bad ones, and ones that say too little."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from racewindow import Event, FunctionChecker, History, Judgement
from racewindow_models import checkers_harm, checkers_ownership, checkers_rollout, checkers_valuation
from racewindow_models.units import E8

SECOND_NS = 1_000_000_000


class Case(NamedTuple):
    """A checker, the data of an event that is as it should be, and what is changed in one that is not."""

    checker: FunctionChecker
    kind: str
    good: dict[str, Any]
    bad: dict[str, Any]
    class_: str
    subject: str


CASES = [
    Case(
        checkers_ownership.single_active_writer,
        "write.accepted",
        {"key": "k", "writer": "a", "token": 2, "newest": 2, "others": ()},
        {"token": 1},
        "regressed",
        "k",
    ),
    Case(
        checkers_ownership.single_active_writer,
        "write.accepted",
        {"key": "k", "writer": "a", "token": 0, "newest": 0, "others": ()},
        {"others": ("b",)},
        "torn",
        "k",
    ),
    Case(
        checkers_ownership.generation_monotonic,
        "record.written",
        {"key": "k", "writer": "a", "generation": 5, "replaced": 5},
        {"generation": 4},
        "regressed",
        "k",
    ),
    Case(
        checkers_ownership.no_unique_writes,
        "sides.compared",
        {"key": "k", "unique": {"east": ("w",), "west": ()}},
        {"unique": {"east": ("w",), "west": ("v",)}},
        "torn",
        "k",
    ),
    Case(
        checkers_rollout.config_valid_before_activate,
        "config.activated",
        {"consumer": "p", "config": "c", "rows": 200, "limit": 200, "absent": ()},
        {"rows": 201},
        "corrupt",
        "p",
    ),
    Case(
        checkers_rollout.config_valid_before_activate,
        "config.activated",
        {"consumer": "p", "config": "c", "rows": 0, "limit": 0, "absent": ()},
        {"absent": ("row",)},
        "default",
        "p",
    ),
    Case(
        checkers_rollout.no_default_in_use,
        "value.used",
        {"consumer": "p", "value": "score", "amount": 0, "present": True},
        {"present": False},
        "default",
        "p",
    ),
    Case(
        checkers_rollout.recovery_seen_everywhere,
        "recovery.declared",
        {"by": "m", "seen": ("n1", "n2"), "all": ("n1", "n2")},
        {"seen": ("n1",)},
        "stale",
        "m",
    ),
    Case(
        checkers_rollout.validate_before_exit,
        "maintenance.left",
        {"by": "o", "checked": ("dc-1", "dc-2"), "serving": ("dc-1", "dc-2")},
        {"checked": ("dc-1",)},
        "default",
        "dc-2",
    ),
    Case(
        checkers_harm.no_overexecution,
        "order.executed",
        {"order": "o", "server": "s", "quantity": 100, "sent": 100},
        {"sent": 101},
        "corrupt",
        "o",
    ),
    Case(
        checkers_harm.repair_no_worse,
        "repair.done",
        {"by": "d", "what": "repairs", "before": ("s1", "s2"), "after": ("s2",)},
        {"after": ("s3",)},
        "regressed",
        "d",
    ),
    Case(
        checkers_harm.few_turned_away,
        "customers.counted",
        {"turned_away": 1, "bound": 1},
        {"turned_away": 2},
        "default",
        "customers",
    ),
    Case(
        checkers_valuation.no_unknown_age,
        "price.used",
        {"consumer": "p", "market": "M", "price_e8": 0, "age_ns": SECOND_NS, "max_age_ns": SECOND_NS},
        {"age_ns": SECOND_NS + 1},
        "stale",
        "M",
    ),
    Case(
        checkers_valuation.no_unknown_age,
        "price.used",
        {"consumer": "p", "market": "M", "price_e8": -E8, "age_ns": 0, "max_age_ns": SECOND_NS},
        {"age_ns": None},
        "stale",
        "M",
    ),
    Case(
        checkers_valuation.independent_band,
        "price.admitted",
        {"by": "p", "market": "M", "venues": ("a",), "reference_venues": ("b",)},
        {"reference_venues": ("b", "a")},
        "corrupt",
        "M",
    ),
    Case(
        checkers_valuation.bounded_delta,
        "price.published",
        {"by": "p", "market": "M", "price_e8": 84, "before_e8": 100, "bound_percent": 10, "sources": ("a", "b")},
        {"sources": ("a",)},
        "corrupt",
        "M",
    ),
    Case(
        checkers_valuation.bounded_delta,
        "price.published",
        {"by": "p", "market": "M", "price_e8": 90, "before_e8": 100, "bound_percent": 10, "sources": ()},
        {"price_e8": 89},
        "corrupt",
        "M",
    ),
    Case(
        checkers_valuation.trades_at_true_price,
        "trade.made",
        {"account": "a", "market": "M", "price_e8": 110, "true_e8": 100, "bound_percent": 10},
        {"price_e8": 111},
        "corrupt",
        "M",
    ),
    Case(
        checkers_valuation.loans_covered,
        "loan.taken",
        {"account": "a", "loan_e8": 5, "worth_e8": 5},
        {"loan_e8": 6},
        "stale",
        "a",
    ),
    Case(
        checkers_valuation.no_false_liquidation,
        "account.liquidated",
        {"account": "a", "value_e8": 3, "true_e8": 4, "needed_e8": 5},
        {"true_e8": 5},
        "corrupt",
        "a",
    ),
]
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.checker.name}-{case.class_}")


def event(case: Case, seconds: int, **changed: Any) -> Event:
    return Event(seconds * SECOND_NS, "task", seconds, case.kind, case.good | changed)


@EACH
def test_what_is_as_it_should_be_holds_up_to_the_bound(case: Case) -> None:
    for history in (History(()), History((event(case, 1),)), History((Event(0, "task", 0, "another", case.bad),))):
        assert case.checker.check(history).judgement is Judgement.HOLDS


@EACH
def test_the_earliest_violation_is_named_whatever_stands_first(case: Case) -> None:
    bad = [event(case, seconds, **case.bad) for seconds in (7, 3, 5)]
    verdict = case.checker.check(History((event(case, 1), *bad)))
    (violation,) = verdict.violations
    assert (violation.class_, violation.subject, violation.time_ns) == (case.class_, case.subject, 3 * SECOND_NS)
    assert violation.evidence
    assert case.checker.check(History(tuple(reversed(bad)))) == verdict


@EACH
def test_an_event_that_does_not_say_enough_is_unknown_and_hides_no_violation(case: Case) -> None:
    for name in case.good:
        silent = Event(0, "task", 0, case.kind, {key: value for key, value in case.good.items() if key != name})
        assert case.checker.check(History((silent,))).judgement is Judgement.UNKNOWN
        assert case.checker.check(History((silent, event(case, 1, **case.bad)))).judgement is Judgement.VIOLATED


def test_a_record_that_is_emptied_is_a_violation_by_itself() -> None:
    emptied = Event(SECOND_NS, "task", 1, "record.emptied", {"key": "k", "by": "b", "generation": 1})
    (violation,) = checkers_ownership.never_empty.check(History((emptied,))).violations
    assert (violation.class_, violation.subject) == ("default", "k")
    assert checkers_ownership.never_empty.check(History(())).judgement is Judgement.HOLDS


def test_there_is_a_case_for_every_checker_but_that_one() -> None:
    modules = (checkers_harm, checkers_ownership, checkers_rollout, checkers_valuation)
    own = {each.name for module in modules for each in vars(module).values() if isinstance(each, FunctionChecker)}
    assert {case.checker.name for case in CASES} == own - {"never_empty"}
