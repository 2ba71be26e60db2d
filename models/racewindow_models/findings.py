"""What is wrong with a value, if anything, and why: the classes of bad values, and how to tell them apart.

A value is wrong if it differs from ground truth at the time that it claims to be of (`source_ts_ns`); a right one is
still bad if it is too old when it is used. A zero is not bad in itself (a new market's funding index is 0), and neither
is a large move: only the truth decides.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from racewindow_models.chain import Block
from racewindow_models.ground_truth import GroundTruth
from racewindow_models.units import MarketName, TimeNs, text_e8, text_seconds
from racewindow_models.values import MarketValues


class ValueClass(enum.Enum):
    """What a bad value is."""

    DEFAULT = "default"
    """Never written by a producer: a 0 that stands for "nothing there"."""
    STALE = "stale"
    """True once, but too old when it was used, or of unknown age."""
    TORN = "torn"
    """Of two generations in one batch."""
    REGRESSED = "regressed"
    """An older generation written over a newer one."""
    CORRUPT = "corrupt"
    """Never true at any time, and not a default."""


class Quantity(enum.Enum):
    """The two numbers that are published of a market."""

    MARK_PRICE = "mark price"
    FUNDING_INDEX = "funding index"


@dataclass(frozen=True, slots=True)
class Finding:
    """One bad number in use. `true_e8`: what it should have been at `time_ns`, when it was used."""

    values: MarketValues
    quantity: Quantity
    class_: ValueClass
    amount_e8: int
    true_e8: int
    time_ns: TimeNs

    @property
    def market(self) -> MarketName:
        """The market whose number it is."""
        return self.values.market

    @property
    def age(self) -> str:
        """How old the number was when it was used: `60 s old`."""
        source_ts_ns = self.values.source_ts_ns
        return "of unknown age" if source_ts_ns is None else f"{text_seconds(self.time_ns - source_ts_ns)} old"

    def __str__(self) -> str:
        number = f"{self.market} {self.quantity.value} {text_e8(self.amount_e8)}"
        age = f", {self.age}" if self.class_ is ValueClass.STALE else ""
        return f"{number} ({self.class_.value}{age}; true is {text_e8(self.true_e8)})"


def examine(values: MarketValues, truth: GroundTruth, time_ns: TimeNs, max_age_ns: TimeNs) -> Iterator[Finding]:
    """What is wrong with a market's values when they are used at a time."""
    market_truth, source_ts_ns = truth[values.market], values.source_ts_ns
    claimed_ns = time_ns if source_ts_ns is None else source_ts_ns
    is_old = source_ts_ns is None or time_ns - source_ts_ns > max_age_ns
    for quantity, amount_e8, true_e8 in (
        (Quantity.MARK_PRICE, values.mark_price_e8, market_truth.mark_price_e8),
        (Quantity.FUNDING_INDEX, values.funding_index_e8, market_truth.funding_index_e8),
    ):
        if amount_e8 != true_e8(claimed_ns):
            class_ = ValueClass.DEFAULT if amount_e8 == 0 else ValueClass.CORRUPT
        elif is_old:
            class_ = ValueClass.STALE
        else:
            continue
        yield Finding(values, quantity, class_, amount_e8, true_e8(time_ns), time_ns)


def examine_block(block: Block, truth: GroundTruth, max_age_ns: TimeNs) -> Iterator[Finding]:
    """What is wrong with the values of a block at the time that it was appended."""
    for values in block.batch:
        yield from examine(values, truth, block.time_ns, max_age_ns)
