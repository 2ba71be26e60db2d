"""Common-mode validation (H4): every order fails, what the checks have in common is told."""

from __future__ import annotations

from typing import Any

import pytest

import racewindow
from racewindow import Result
from racewindow_models.scenarios.paradex_common_mode import paradex_common_mode

INDEPENDENT = ("independent_validation",)


def searched(*safeguards: str, feed: str | None = None, **params: Any) -> Result:
    result = racewindow.explore(
        paradex_common_mode,
        strategy="dpor",
        all_failures=True,
        shrink=False,
        explain=False,
        safeguards=safeguards,
        params=params,
        feed=feed,
    )
    assert (result.complete, result.redundant, result.untrusted) == (True, 0, "")
    return result


def test_every_order_fails_and_the_sinks_agree_in_all_of_them() -> None:
    result = searched()
    assert result.failing == result.executions > 1
    assert [(each.checker, each.class_, each.subject) for each in result.failures] == [
        ("validate_before_exit", "default", "ETH")
    ]


def test_the_evidence_names_what_value_and_check_have_in_common() -> None:
    failure = searched().failures[0]
    assert failure.evidence["in_common_with_the_check"] == ["writer-2"]
    assert failure.message.endswith("the check and the value have in common: writer-2")


def test_an_independent_validation_rejects_the_block_and_the_markets_still_open() -> None:
    assert searched(*INDEPENDENT).verdict == "complete"
    execution = racewindow.replay(
        paradex_common_mode,
        racewindow.Schedule(fingerprint=paradex_common_mode.fingerprint, safeguards=INDEPENDENT),
    )
    kinds = [event.kind for event in execution.events]
    assert kinds.count("validation.done") == 2
    assert kinds.index("upgrade.given_up") < kinds.index("halt.left")
    assert execution.failures == ()


def test_more_markets_than_there_are_cannot_have_been_listed_since() -> None:
    with pytest.raises(racewindow.UsageError, match="listed_since"):
        racewindow.explore(paradex_common_mode, params={"listed_since": 3}, schedules=1)
