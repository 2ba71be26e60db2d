"""Events are told in plain lines, each with what was true beside what was not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from racewindow import Event
from racewindow_models.narrate import narrate
from racewindow_models.units import E8, PriceE8
from racewindow_models.values import MarketValues
from tests.models.histories import (
    BTC,
    PAXG,
    UNLOADED,
    ZERO,
    at,
    block,
    liquidation,
    short,
    true_values,
    window,
)

ZEROED = replace(true_values(BTC, 60), funding_index_e8=ZERO, mark_price_e8=PriceE8(92_720 * E8), provenance=UNLOADED)
TRUE_PAXG = true_values(PAXG, 60)


def told(kind: str, seconds: int = 60, **data: Any) -> str | None:
    known = {"truth": window().truth, "max_age_ns": at(15)}
    return narrate(Event(at(seconds), "committer", 1, kind, known | data))


@pytest.mark.parametrize(
    ("batch", "line"),
    [
        ((true_values(BTC, 60), TRUE_PAXG), "all values are true"),
        (
            (ZEROED, TRUE_PAXG),
            "BTC funding index 0 (default; true is 9260.01930312) and mark price 92720 (corrupt; true is 92905.44)",
        ),
        (
            (true_values(BTC, 0), replace(TRUE_PAXG, mark_price_e8=PriceE8(0))),
            "PAXG mark price 0 (default; true is 2693.376); BTC 60 s old (stale); generations 0 and 12 in one batch",
        ),
        (
            (replace(true_values(BTC, 60), source_ts_ns=None, mark_price_e8=PriceE8(1)), TRUE_PAXG),
            (
                "BTC mark price 0.00000001 (corrupt; true is 92905.44) and "
                "funding index 9260.01930312 (stale; true is 9260.01930312)"
            ),
        ),
        ((replace(true_values(BTC, 60), source_ts_ns=None), TRUE_PAXG), "BTC of unknown age (stale)"),
    ],
)
def test_a_block_is_told_by_what_is_wrong_with_it(batch: tuple[MarketValues, ...], line: str) -> None:
    assert told("chain.block", block=block(1, 60, *batch)) == f"block 1604711 reaches the chain: {line}"


def test_a_block_that_takes_a_market_back_says_so() -> None:
    """Its values are young enough and were true, so that nothing else is wrong with it."""
    before = block(1, 60, true_values(BTC, 60), TRUE_PAXG)
    after = replace(block(2, 65, true_values(BTC, 55), TRUE_PAXG), parent=before)
    line = told("chain.block", 65, block=after)
    assert line is not None
    assert "reaches the chain: BTC goes back from generation 12 to 11; generations 11 and 12 in one batch" in line


def test_publishing_is_told_only_where_it_is_wrong() -> None:
    assert told("writer.published", batch=(TRUE_PAXG,)) is None
    assert told("writer.published", batch=(ZEROED,)) == (
        "writer-2 publishes BTC funding index 0 (default; true is 9260.01930312) and "
        "mark price 92720 (corrupt; true is 92905.44)"
    )


def test_a_false_liquidation_is_told_with_both_values() -> None:
    assert narrate(liquidation(short(), ZEROED, 60)) == (
        "BTC-short-1 is liquidated as worth -120.00 USDT by block 1604711; it should not have been: "
        "under ground truth it is worth 8,954.57 USDT and needs 4,645.27 USDT"
    )


def test_a_right_liquidation_is_told_as_such() -> None:
    line = narrate(liquidation(short(collateral=4_000), true_values(BTC, 60), 60))

    assert line is not None
    assert "rightly so: under ground truth it is worth 3,694.57 USDT and needs 4,645.27 USDT" in line


@pytest.mark.parametrize(
    ("kind", "data", "line"),
    [
        (
            "writer.state_missing",
            {"instance": "writer-2", "markets": (BTC, PAXG), "refused": False},
            "writer-2 begins a round, finds no state of BTC and PAXG and counts it as 0",
        ),
        (
            "writer.state_missing",
            {"instance": "writer-2", "markets": (BTC,), "refused": True},
            "writer-2 begins a round, finds no state of BTC and refuses to count it as 0",
        ),
        ("guard.refused", {"service": "committer", "reason": "BTC is old"}, "committer refuses: BTC is old"),
        (
            "guard.kept",
            {"kept": TRUE_PAXG, "reason": "it jumped"},
            "alarm: the last good values of PAXG are kept, because it jumped",
        ),
        ("cloud.batch", {"height": 7}, "the values of block 7 are stored in the cloud"),
        ("of.another.scenario", {}, None),
    ],
)
def test_every_other_event_is_one_line(kind: str, data: dict[str, Any], line: str | None) -> None:
    assert told(kind, **data) == line
