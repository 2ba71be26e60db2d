"""The validator: what the operator asks before a halt is left.

Without a safeguard it compares the two sinks with each other. They are fed by the same writer, so they agree on a wrong
value as well: that is hypothesis H4, common-mode validation. With `independent_validation` it compares the newest block
with the state before the window, which the index cannot have left faster than any funding rate allows, and with prices
of other venues.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from racewindow_models.chain import Block, Chain
from racewindow_models.cloud import CloudStore
from racewindow_models.findings import Quantity
from racewindow_models.guards import implausible
from racewindow_models.safeguards import Safeguards
from racewindow_models.units import MarketName, PriceE8
from racewindow_models.values import Batch, MarketValues

STATE_BEFORE = "the state before the window"


@dataclass(frozen=True, slots=True)
class Report:
    """What a validation has found: the block that it looked at, and what is wrong with it, nothing if it passed.

    `references`: for each market and quantity what its reference was made from, as far as a simulator knows.
    """

    block: Block
    problems: tuple[str, ...]
    references: Mapping[tuple[MarketName, Quantity], frozenset[str]] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether nothing was wrong."""
        return not self.problems


def ancestry(values: MarketValues, quantity: Quantity) -> frozenset[str]:
    """What a number was made from: the service that computed it, and for a mark price the sources of that."""
    provenance = values.provenance
    return frozenset({provenance.producer} | (set(provenance.sources) if quantity is Quantity.MARK_PRICE else set()))


@dataclass(frozen=True, slots=True)
class Reference:
    """Where the validator takes prices from, and what those are made from."""

    price_e8: Callable[[MarketName], PriceE8]
    sources: frozenset[str]


class Validator:
    """The service. `before`: the last block before the window."""

    name = "validator"

    def __init__(
        self, *, before: Block, chain: Chain, cloud: CloudStore, reference: Reference, safeguards: Safeguards
    ) -> None:
        self._before, self._chain, self._cloud = before, chain, cloud
        self._reference, self._safeguards = reference, safeguards

    async def check(self) -> Report:
        """Look at the newest block."""
        block = self._chain.head
        return self._independently(block) if self._safeguards.independent_validation else self._by_the_sinks(block)

    def _by_the_sinks(self, block: Block) -> Report:
        """Whether both sinks hold the same. The reference of every number is the number itself."""
        stored: Batch | None = self._cloud.batch(block.height)
        same = stored == block.batch or block == self._before
        problems = () if same else (f"block {block.height} is another one in the cloud store",)
        references = {
            (each.market, quantity): ancestry(each, quantity) for each in block.batch for quantity in Quantity
        }
        return Report(block, problems, references)

    def _independently(self, block: Block) -> Report:
        pairs = zip(block.batch, self._before.batch, strict=True)
        problems = [
            reason
            for values, last in pairs
            if (reason := implausible(values, last, self._reference.price_e8(values.market)))
        ]
        references: dict[tuple[MarketName, Quantity], frozenset[str]] = {}
        for values in block.batch:
            references[values.market, Quantity.FUNDING_INDEX] = frozenset({STATE_BEFORE})
            references[values.market, Quantity.MARK_PRICE] = self._reference.sources
        return Report(block, tuple(problems), references)
