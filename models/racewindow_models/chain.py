"""The chain: blocks that each hold the mark price and funding index of every market.

Appending a block is one step. Blocks link back to their parents, so the head is the whole chain.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from racewindow import Cell
from racewindow_models.units import BlockHeight, TimeNs
from racewindow_models.values import Batch


@dataclass(frozen=True, slots=True)
class Block:
    """A batch on the chain, and when it was appended."""

    height: BlockHeight
    time_ns: TimeNs
    batch: Batch
    parent: Block | None = field(default=None, repr=False, compare=False)


class Chain:
    """The head of the chain."""

    def __init__(self, first: Block) -> None:
        self._head = Cell(first, name="chain.head")

    @property
    def head(self) -> Block:
        """The newest block."""
        return self._head.get()

    @property
    def next_height(self) -> BlockHeight:
        """The height that the next block will have."""
        return BlockHeight(self._head.get().height + 1)

    def append(self, batch: Batch, time_ns: TimeNs) -> Block:
        """Put a batch on top of the head; returns the new head."""
        parent = self._head.get()
        block = Block(BlockHeight(parent.height + 1), time_ns, batch, parent)
        self._head.set(block)
        return block
