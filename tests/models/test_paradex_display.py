"""A price of 0 that is only displayed harms nobody: no checker of the window counts it."""

from __future__ import annotations

import pytest

from racewindow import History
from racewindow_models.narrate import narrate
from racewindow_models.scenarios.paradex import CHECKS, EXPECTED, paradex
from tests.models.seen import judgements, watched_search

PAGE = {"page": True, "markets": 1, "ticks": 1, "batches": 1}


def shows_zero(history: History) -> bool:
    return any(event.kind == "display.shown" and event.data["price_e8"] == 0 for event in history.events)


@pytest.mark.parametrize("safeguards", EXPECTED.closed_by, ids="+".join)
def test_a_zero_on_the_display_alone_is_no_failure(safeguards: tuple[str, ...]) -> None:
    """It is shown in some orders and not in others, and nothing is wrong in any of them."""
    result, seen = watched_search(paradex, *safeguards, params=PAGE)

    assert result.verdict == "complete"
    assert {shows_zero(history) for history in seen} == {True, False}


def test_without_safeguards_what_is_wrong_does_not_turn_on_what_is_displayed() -> None:
    """There are orders with a 0 on the display and without, and in both kinds some fail and some do not."""
    _, seen = watched_search(paradex, params=PAGE)

    assert len({(shows_zero(each), "violated" in judgements(CHECKS, each).values()) for each in seen}) == 4


def test_what_is_shown_is_told() -> None:
    _, seen = watched_search(paradex, *EXPECTED.closed_by[0], params=PAGE)

    assert "a web page shows XRP at 0" in {narrate(event) for history in seen for event in history.events}
