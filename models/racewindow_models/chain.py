"""The chain: blocks that each hold the mark price and funding index of every market.

Appending a block is one step. Blocks link back to their parents, so the head is the whole chain. Its state is the
values of the head and the accounts; the *state root* stands for all of that, and shows whether a snapshot that was
restored has been restored completely.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from racewindow import Cell
from racewindow_models.cross import AnyAccount
from racewindow_models.state_root import StateRootError, state_root
from racewindow_models.units import AccountName, BlockHeight, TimeNs
from racewindow_models.values import Batch


@dataclass(frozen=True, slots=True)
class Block:
    """A batch on the chain, and when it was appended."""

    height: BlockHeight
    time_ns: TimeNs
    batch: Batch
    parent: Block | None = field(default=None, repr=False, compare=False)


Accounts = Mapping[AccountName, AnyAccount]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A block, all accounts as they were at it, and the root of both."""

    block: Block
    accounts: Accounts
    root: str

    def check(self, root: str) -> None:
        """See that a root is the snapshot's; raises `StateRootError` if not."""
        if root != self.root:
            raise StateRootError(
                f"after the rollback to block {self.block.height} the state root is {root[:8]}, and the snapshot's "
                f"{self.root[:8]}: not all of it was restored"
            )


class Chain:
    """The head of the chain. `accounts`: those on it as they are when it is asked; without it there are none."""

    def __init__(self, first: Block, accounts: Callable[[], Accounts] = dict) -> None:
        self._head = Cell(first, name="chain.head")
        self._accounts = accounts

    @property
    def head(self) -> Block:
        """The newest block."""
        return self._head.get()

    @property
    def next_height(self) -> BlockHeight:
        """The height that the next block will have."""
        return BlockHeight(self._head.get().height + 1)

    def state_root(self) -> str:
        """The root of the state as it is."""
        return state_root(self.head.batch, self._accounts().values())

    def snapshot(self) -> Snapshot:
        """The state as it is, to be restored later."""
        return Snapshot(self.head, dict(self._accounts()), self.state_root())

    def append(self, batch: Batch, time_ns: TimeNs) -> Block:
        """Put a batch on top of the head; returns the new head."""
        parent = self._head.get()
        block = Block(BlockHeight(parent.height + 1), time_ns, batch, parent)
        self._head.set(block)
        return block
