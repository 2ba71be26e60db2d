"""What follows from the sets that were run: the same as brute force says, whatever safeguards do to each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racewindow.matrix_plan import Plan
from racewindow.report_matrix import matrix_text
from racewindow.safeguard_matrix import Broken, Matrix, SafeguardSet, Tried, subsets

NAMES = ("a", "b", "c", "d", "e")
CHECKERS = ("gravest", "lesser")
Fails = Callable[[SafeguardSet], frozenset[str]]


def planned(fails: Fails, *, not_in_all: tuple[str, ...] = (), everything: bool = False, most: int = 1_000) -> Matrix:
    """The matrix of a made-up target of which every set is explored to its end."""
    tried: dict[SafeguardSet, Tried] = {}
    plan = Plan(NAMES, frozenset(NAMES) - frozenset(not_in_all), tried, everything=everything)
    for on in plan:
        if len(tried) == most:
            break
        assert on not in tried
        assert 0 < plan.left <= 32 - len(tried)
        tried[on] = Tried(on=on, executions=7, complete=True, fails=dict.fromkeys(fails(on), 3))
    return Matrix(target="t", safeguards=NAMES, checkers=CHECKERS, tried=tried, not_in_all=not_in_all)


def smallest_by_brute_force(fails: Fails, checker: str | None) -> set[SafeguardSet]:
    """All sets that close it, of which no proper subset does."""
    closing = {on for on in subsets(NAMES) if (not fails(on) if checker is None else checker not in fails(on))}
    return {on for on in closing if not any(other < on for other in closing)}


def as_sets(matrix: Matrix, checker: str | None) -> set[SafeguardSet]:
    return {frozenset(each.on) for each in matrix.minimal(checker)}


SETS = st.frozensets(st.sampled_from(NAMES))
MONOTONE = st.fixed_dictionaries({checker: st.lists(SETS, max_size=3) for checker in CHECKERS})
ANY = st.fixed_dictionaries({checker: st.frozensets(SETS, max_size=32) for checker in CHECKERS})


def closed_above(closing: dict[str, list[SafeguardSet]]) -> Fails:
    return lambda on: frozenset(name for name in CHECKERS if not any(each <= on for each in closing[name]))


def failing_at(failing: dict[str, frozenset[SafeguardSet]]) -> Fails:
    return lambda on: frozenset(name for name in CHECKERS if on in failing[name])


@given(closing=MONOTONE, everything=st.booleans())
def test_where_safeguards_only_help_little_is_run_and_all_that_is_inferred_is_right(
    *, closing: dict[str, list[SafeguardSet]], everything: bool
) -> None:
    fails = closed_above(closing)
    matrix = planned(fails, everything=everything)

    for checker in (None, *CHECKERS):
        assert as_sets(matrix, checker) == smallest_by_brute_force(fails, checker)
    assert not any(fails(on) for on in matrix.inferred)
    assert matrix.broken == ()
    assert len(matrix.tried) + len(matrix.inferred) == 32
    assert len(matrix.tried) == 32 or not everything


@given(ANY, st.sampled_from([(), ("b",), ("a", "e")]))
def test_where_they_break_things_the_smallest_sets_are_still_those_of_brute_force(
    failing: dict[str, frozenset[SafeguardSet]], not_in_all: tuple[str, ...]
) -> None:
    fails = failing_at(failing)
    matrix = planned(fails, not_in_all=not_in_all)

    assert as_sets(matrix, None) == smallest_by_brute_force(fails, None)
    for checker in CHECKERS:
        assert as_sets(matrix, checker) == smallest_by_brute_force(fails, checker)
        assert all(each.sure for each in matrix.minimal(checker))
    for on, added, checker in matrix.broken:
        assert checker in fails(frozenset((*on, added))) - fails(frozenset(on))
    assert all(inferred <= matrix.whole and not fails(matrix.whole) for inferred in matrix.inferred)


def test_what_adding_to_a_closing_set_opens_is_run_and_not_inferred() -> None:
    """`a` closes everything; `d` on top of it opens it again, unless `e` is on as well."""

    def fails(on: SafeguardSet) -> frozenset[str]:
        closed = "a" in on and ("d" not in on or "e" in on)
        return frozenset() if closed else frozenset({"gravest"})

    matrix = planned(fails)

    assert matrix.broken == (Broken(("a",), "d", "gravest"),)
    assert not any("d" in on for on in matrix.inferred)
    assert frozenset("abc") in matrix.inferred
    assert {on: not fails(on) for on in matrix.inferred} == dict.fromkeys(matrix.inferred, True)


def test_nothing_is_inferred_of_safeguards_that_are_not_part_of_all() -> None:
    matrix = planned(closed_above({name: [frozenset("a")] for name in CHECKERS}), not_in_all=("e",))

    assert matrix.inferred
    assert not any("e" in on for on in matrix.inferred)


def test_nothing_is_inferred_if_all_together_fail() -> None:
    matrix = planned(lambda on: frozenset() if on == {"a"} else frozenset({"gravest"}))

    assert (matrix.inferred, len(matrix.tried)) == (frozenset(), 32)


@pytest.mark.parametrize("most", range(1, 20))
def test_cut_off_at_any_time_it_says_no_more_than_it_knows(most: int) -> None:
    closing = {"gravest": [frozenset("ab"), frozenset("c")], "lesser": [frozenset("d")]}
    fails = closed_above(closing)
    matrix = planned(fails, most=most)

    for checker in (None, *CHECKERS):
        sure = {frozenset(each.on) for each in matrix.minimal(checker) if each.sure}
        assert sure <= smallest_by_brute_force(fails, checker)
        assert all(frozenset(each.on) in matrix.tried for each in matrix.minimal(checker))
    assert not any(fails(on) for on in matrix.inferred)


def test_one_closing_set_is_known_long_before_the_end() -> None:
    fails = closed_above({"gravest": [frozenset("cde")], "lesser": [frozenset("c")]})

    assert as_sets(planned(fails, most=2 + 5 + 5), None) == {frozenset("cde")}


def test_many_safeguards_and_checkers_still_fit_80_columns() -> None:
    names = tuple(f"safeguard_number_{number}" for number in range(16))
    checkers = tuple(f"checker_number_{number}_of_many" for number in range(12))
    sets = [frozenset[str](), frozenset(names), *(frozenset([name]) for name in names)]
    known = {
        on: Tried(on=on, executions=123_456, fails={} if len(on) > 1 else dict.fromkeys(checkers, 9)) for on in sets
    }
    text = matrix_text(Matrix(target="t", safeguards=names, checkers=checkers, tried=known))

    assert max(map(len, text.splitlines())) <= 80
    assert text.count("abcdefghijklmnop") == 3
    assert "  12  checker_number_11_of_many" in text


def tried(**known: object) -> Tried:
    return Tried(on=frozenset(), executions=10, complete=True, **known)  # type: ignore[arg-type]


def test_a_failure_is_one_whatever_else_happened_and_a_doubt_is_no_pass() -> None:
    doubtful = tried(fails={"gravest": 4}, unknown=frozenset({"lesser"}))
    assert doubtful.of("gravest") == ("fails", 4)
    assert doubtful.of("lesser") == ("unknown", 10)
    assert tried(unknown=frozenset({"lesser"})).of("gravest") == ("proved", 10)
    assert tried(unknown=frozenset({"lesser"})).together == ("unknown", 10)
    assert tried(untrusted="it moved").of("gravest") == ("unknown", 10)
    assert Tried(on=frozenset(), executions=10).together == ("not found", 10)
    assert Tried(on=frozenset(), executions=0).together == ("unknown", 0)


def test_what_was_not_found_because_the_time_was_over_closes_nothing() -> None:
    on = frozenset({"a"})
    none = Tried(on=frozenset(), executions=2, fails={"gravest": 1}, hurried=True)
    for hurried, closing in ((False, [("a",)]), (True, [])):
        alone = Tried(on=on, executions=2, hurried=hurried)
        matrix = Matrix(target="t", safeguards=NAMES, checkers=CHECKERS, tried={frozenset(): none, on: alone})
        assert [each.on for each in matrix.minimal()] == closing
        assert [each.on for each in matrix.minimal("gravest")] == closing
        assert matrix.verdict(on, "gravest") == ("not found", 2)
        assert ("nothing is said to be closed by 1 set for which time was too short" in said(matrix)) == hurried


def said(matrix: Matrix) -> str:
    return " ".join(matrix_text(matrix).split())
