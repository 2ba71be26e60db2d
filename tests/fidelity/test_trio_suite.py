"""trio's own tests pass on racewindow, but for those that need what an execution cannot have."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.fidelity.trio_suite import (
    CANNOT_PASS,
    FURTHER,
    MAY_FAIL_UNDER_PROCESSES,
    ROOT,
    SIX,
    CannotPass,
    Outcome,
    complaints,
    run_trios_tests,
)

MODULES = (*SIX, *FURTHER)


def assert_as_expected(outcomes: list[Outcome], may_fail: tuple[str, ...] = ()) -> None:
    """Nothing to complain about, and every module was there."""
    found = complaints(outcomes, CANNOT_PASS, may_fail)
    assert not found, "\n\n".join(found)
    passed = Counter(each.test.partition("::")[0] for each in outcomes if each.outcome == "passed")
    assert set(passed) == set(MODULES)


@pytest.mark.seeds(sample=3, all=25)
def test_trios_tests_pass_under_trio_semantics(seed: int, tmp_path: Path) -> None:
    assert_as_expected(run_trios_tests(MODULES, tmp_path, seeds=[seed], semantics="trio"))


@pytest.mark.seeds(sample=2, all=25)
def test_only_fairness_differs_under_processes_semantics(seed: int, tmp_path: Path) -> None:
    outcomes = run_trios_tests(MODULES, tmp_path, seeds=[seed], semantics="processes")

    assert_as_expected(outcomes, tuple(MAY_FAIL_UNDER_PROCESSES))


@pytest.mark.slow
def test_each_fairness_test_does_fail_under_processes_semantics(tmp_path: Path) -> None:
    """One that no longer does has no place in the list."""
    outcomes = run_trios_tests(MAY_FAIL_UNDER_PROCESSES, tmp_path, seeds=range(60), semantics="processes")

    assert {each.test for each in outcomes if each.outcome == "failed"} == set(MAY_FAIL_UNDER_PROCESSES)


def test_the_documentation_lists_the_same_tests_with_the_same_reasons() -> None:
    page = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8")
    rows = {line for line in page.splitlines() if line.startswith("| `test_")}
    reasons = {test: each.reason for test, each in CANNOT_PASS.items()} | dict(MAY_FAIL_UNDER_PROCESSES)

    assert rows == {f"| `{test.rpartition('_tests.')[2]}` | {reason} |" for test, reason in reasons.items()}


# --- the checks themselves can fail ----------------------------------------------------------------------------------

LISTED = {"m::test_a": CannotPass("it needs a socket", "RealIOError")}


def test_a_listed_test_that_fails_as_listed_is_fine() -> None:
    assert complaints([Outcome("m::test_a", 0, "failed", "… RealIOError: …")], LISTED) == []


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome("m::test_a", 3, "passed", ""), "is listed as one that cannot pass, but passed with seed 3"),
        (Outcome("m::test_a", 3, "failed", "TypeError"), "fails with seed 3, but not with 'RealIOError'"),
        (Outcome("m::test_a", 3, "skipped", "no"), "fails with seed 3, but not with 'RealIOError'"),
        (Outcome("m::test_b", 3, "failed", "TypeError"), "m::test_b failed with seed 3"),
        (Outcome("m::test_b", 3, "skipped", "no"), "m::test_b skipped with seed 3"),
        (Outcome("m::test_b", 3, "passed", ""), "m::test_a is listed, but trio has no such test"),
    ],
)
def test_anything_else_is_complained_about(outcome: Outcome, said: str) -> None:
    assert any(said in complaint for complaint in complaints([outcome], LISTED))


PROBE = """
import pytest
import trio


async def test_runs_on_racewindow():
    assert trio.lowlevel.current_statistics().io_statistics.backend == "racewindow"


def test_finds_no_loop_of_trios_own():
    async def main():
        pass

    trio.lowlevel.start_guest_run(main, run_sync_soon_threadsafe=None, done_callback=None)


def test_fails():
    async def main():
        raise ValueError("mine")

    trio.run(main)


orders = set()


def test_sees_another_order_in_each_run():
    async def main():
        async with trio.open_nursery() as nursery:
            for name in "abcde":
                nursery.start_soon(note, name)

    async def note(name):
        order.append(name)

    for _ in range(5):
        order = []
        trio.run(main)
        orders.add("".join(order))
    assert len(orders) > 3
"""


def test_the_tests_run_on_racewindow_and_nothing_else(tmp_path: Path) -> None:
    probe = tmp_path / "test_probe.py"
    probe.write_text(PROBE, encoding="utf-8")

    outcomes = run_trios_tests([str(probe)], tmp_path, seeds=[0, 1], semantics="trio")

    assert [(each.test.partition("::")[2], each.seed, each.outcome) for each in outcomes] == [
        (test, seed, outcome)
        for test, outcome in [
            ("test_runs_on_racewindow", "passed"),
            ("test_finds_no_loop_of_trios_own", "failed"),
            ("test_fails", "failed"),
            ("test_sees_another_order_in_each_run", "passed"),
        ]
        for seed in (0, 1)
    ]
    assert "trio's own loop was entered" in outcomes[2].why
    assert "mine" in outcomes[4].why
