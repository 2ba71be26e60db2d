"""Every execution of a search, for tests that say what happens and not only what a checker thinks of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import racewindow
from racewindow import Event, History, Result, Scenario, Verdict


def searched(scenario: Scenario, *safeguards: str, **options: Any) -> Result:
    """A search to the end by `dpor`, which has to be one."""
    result = racewindow.explore(
        scenario, strategy="dpor", safeguards=safeguards, all_failures=True, shrink=False, **options
    )
    assert (result.complete, result.redundant, result.untrusted) == (True, 0, "")
    return result


def violated(result: Result) -> set[str | None]:
    """The checkers that fail somewhere."""
    return {failure.checker for failure in result.failures}


def watched(scenario: Scenario) -> tuple[Scenario, list[History]]:
    """The scenario, and a list that fills with what its executions leave behind, each different one once."""
    seen: list[History] = []

    @racewindow.checker("watching")
    def watching(history: History) -> Verdict:
        if not any(each.events == history.events for each in seen):
            seen.append(history)
        return Verdict.holds()

    return replace(scenario, checks=(*scenario.checks, watching)), seen


def watched_search(scenario: Scenario, *safeguards: str, **options: Any) -> tuple[Result, list[History]]:
    """A search to the end, and what every order leaves behind."""
    watching, seen = watched(scenario)
    return searched(watching, *safeguards, **options), seen


def histories(scenario: Scenario, *safeguards: str, **options: Any) -> list[History]:
    """What every order leaves behind, found by a search to the end."""
    return watched_search(scenario, *safeguards, **options)[1]


def kinds(history: History) -> list[str]:
    """The kinds of its events, in order."""
    return [event.kind for event in history.events]


def only(history: History, kind: str) -> Event:
    """The one event of a kind."""
    (event,) = (each for each in history.events if each.kind == kind)
    return event


def written(*events: tuple[str, dict[str, Any]], finished: bool = True, **rest: Any) -> History:
    """A history written by hand, of kinds and data."""
    return History([Event(0, "main", 1, kind, data) for kind, data in events], finished=finished, **rest)


def judgements(checkers: Sequence[racewindow.Checker], history: History) -> dict[str, str]:
    """What each checker says of a history."""
    return {each.name: each.check(history).judgement.value for each in checkers}
