"""What is said of H2, H3 and H6: the pair of steps that each scenario was built around, and what closes it."""

from __future__ import annotations

import pytest

import racewindow
from racewindow import Explanation, Failure, Scenario
from racewindow_models.scenarios.paradex_overlap import paradex_overlap
from racewindow_models.scenarios.paradex_partial_copy import paradex_partial_copy
from racewindow_models.scenarios.paradex_rollback import paradex_rollback

pytestmark = pytest.mark.slow


def explained(scenario: Scenario, checker: str, class_: str, *safeguards: str) -> tuple[Failure, Explanation]:
    result = racewindow.explore(scenario, all_failures=True, safeguards=safeguards)
    failure = next(each for each in result.failures if (each.checker, each.class_) == (checker, class_))
    return failure, racewindow.explain(scenario, failure)


def closing(explanation: Explanation) -> set[str]:
    assert all(each.checked.proved for each in explanation.safeguards)
    return {each.name for each in explanation.safeguards}


def still_fails(scenario: Scenario, failure: Failure, explanation: Explanation, *safeguards: str) -> bool:
    """Whether any order that keeps the first fix shows the failure, by a search of its own to the end."""
    result = racewindow.explore(
        scenario,
        strategy="dpor",
        all_failures=True,
        safeguards=safeguards,
        constraints=explanation.fixes[0].constraints,
        shrink=False,
    )
    assert result.complete
    return failure.group in {each.group for each in result.failures}


def test_h2_is_the_old_write_behind_the_new_one() -> None:
    """The write of the new instance first of all, and the copy on top of which that is."""
    failure, explanation = explained(paradex_overlap, "generation_monotonic", "regressed")
    named = [pair for pair in explanation.pairs if pair.second.task == "writer-1"]
    assert named[0] == explanation.pairs[0]
    assert [pair.first.task for pair in named] == ["writer-2.ticks", "operator"]
    for pair in named:
        assert pair.key.startswith("db-new.values[")
        assert pair.reversed.failing == 0 < pair.kept.failing
    assert closing(explanation) == {"full_downtime", "fencing", "cas_write"}
    assert not still_fails(paradex_overlap, failure, explanation)


def test_h3_is_the_read_before_the_row_is_copied() -> None:
    failure, explanation = explained(paradex_partial_copy, "no_false_liquidation", "default")
    pair = explanation.pairs[0]
    assert pair.key.startswith("db-new.states[")
    assert (pair.first.task, pair.first.mode, pair.first.value) == ("writer-2.loader", "read", "nothing")
    assert (pair.second.task, pair.second.mode) == ("copy-job", "write")
    assert closing(explanation) == {"presence_required", "copy_complete"}
    assert not still_fails(paradex_partial_copy, failure, explanation)


def test_h6_is_the_batch_behind_the_rollback() -> None:
    failure, explanation = explained(paradex_rollback, "rollback_complete", "stale", "outbox")
    pair = explanation.pairs[0]
    assert pair.key.startswith("chain.")
    assert (pair.first.task, pair.second.task) == ("operator", "committer")
    assert closing(explanation) == {"fencing"}
    assert not still_fails(paradex_rollback, failure, explanation, "outbox")
