"""The window is explored with every build: what breaks it is known, and what closes it stays closed."""

from __future__ import annotations

from own_window.scenario import worker_restart

import racewindow

SMALL = {"orders": 1}
"""Few things are enough for most failures, and make a proof cheap."""


def test_as_it_is_a_card_can_be_charged_twice() -> None:
    """The failure of which the page speaks."""
    result = racewindow.explore(worker_restart, strategy="dpor", params=SMALL)

    assert result.failures[0].checker == "charged_once"


def test_draining_closes_it_unless_the_new_worker_crashes() -> None:
    """All orders are run, so this is a proof, within the size."""
    drained = racewindow.explore(worker_restart, strategy="dpor", safeguards=["drain"], params=SMALL)
    crashed = racewindow.explore(worker_restart, strategy="dpor", safeguards=["drain"], params=SMALL, faults=1)

    assert (drained.verdict, crashed.verdict) == ("complete", "failure")


def test_an_idempotency_key_closes_both() -> None:
    """Also if the new worker crashes at any of its steps."""
    result = racewindow.explore(worker_restart, strategy="dpor", safeguards=["idempotency_key"], params=SMALL, faults=1)

    assert result.verdict == "complete"
