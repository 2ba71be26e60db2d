"""A rollback of the chain may take generations back, once for each epoch, and excuses nothing else that goes back."""

from __future__ import annotations

import pytest

from racewindow import Event, History
from racewindow_models.chain import Block
from racewindow_models.checkers_sinks import generation_monotonic
from tests.models.histories import BTC, at, block, on_chain, true_values

GOOD, NEXT, LAST = (block(number, 5 * number, true_values(BTC, 5 * number)) for number in (1, 2, 3))


def rolled_back(to: Block, epoch: int) -> Event:
    return Event(at(60), "operator", 1, "chain.rolled_back", {"block": to, "epoch": epoch})


@pytest.mark.parametrize(
    ("events", "regressed"),
    [
        ([on_chain(GOOD), on_chain(NEXT), rolled_back(GOOD, 1), on_chain(NEXT), on_chain(LAST)], 0),
        ([on_chain(LAST), rolled_back(NEXT, 1), on_chain(LAST), rolled_back(GOOD, 2), on_chain(NEXT)], 0),
        ([on_chain(NEXT), on_chain(GOOD), rolled_back(GOOD, 1)], 1),
        ([on_chain(NEXT), rolled_back(GOOD, 1), on_chain(LAST), on_chain(NEXT)], 1),
        ([on_chain(LAST), rolled_back(NEXT, 1), on_chain(LAST), rolled_back(GOOD, 1)], 1),
    ],
    ids=["legitimate", "two of them", "regression before it", "regression after it", "twice in one epoch"],
)
def test_a_rollback_lowers_the_generation_once_for_each_epoch(events: list[Event], regressed: int) -> None:
    assert len(generation_monotonic.check(History(events, finished=True)).violations) == regressed
