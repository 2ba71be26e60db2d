"""What the checkers have in common: finding the facts in a history, and stating the evidence.

Nothing here depends on the order of two events of different tasks: blocks are ordered by height, never by their place
in the history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from racewindow import History
from racewindow_models.chain import Block
from racewindow_models.feed import Feed
from racewindow_models.findings import Finding, examine_block
from racewindow_models.units import BlockHeight, text_seconds
from racewindow_models.values import MarketValues
from racewindow_models.window import Window, prepare

NO_TRUTH = "there is no recorded feed, so no ground truth to judge against"


def window_of(history: History) -> Window | None:
    """The window that the execution ran, or None if the history has no feed of ours."""
    return prepare(history.feed, history.params) if isinstance(history.feed, Feed) else None


def blocks_of(history: History) -> list[Block]:
    """The blocks appended in the execution, lowest first."""
    blocks = [event.data["block"] for event in history.events if event.kind == "chain.block"]
    if len(blocks) > 1:
        blocks.sort(key=lambda block: block.height)
    return blocks


def first_findings(history: History, window: Window, wanted: Callable[[Finding], bool]) -> list[tuple[Block, Finding]]:
    """The first wanted finding of each market, quantity and class on the chain, with its block.

    What goes on being wrong in block after block is one thing to report.
    """
    first: dict[object, tuple[Block, Finding]] = {}
    for block in blocks_of(history):
        for finding in examine_block(block, window.truth, window.settings.max_age_ns):
            if wanted(finding):
                first.setdefault((finding.class_, finding.market, finding.quantity), (block, finding))
    return list(first.values())


def in_block(height: BlockHeight, time_ns: int) -> str:
    """Where a value was found."""
    return f"in block {height} at {text_seconds(time_ns)}"


def evidence_of(values: MarketValues, height: BlockHeight) -> dict[str, Any]:
    """What is known about a market's values in a block, in words of JSON."""
    return {
        "market": values.market,
        "block": height,
        "mark_price_e8": values.mark_price_e8,
        "funding_index_e8": values.funding_index_e8,
        "source_ts_ns": values.source_ts_ns,
        "generation": values.generation,
        "provenance": str(values.provenance),
    }
