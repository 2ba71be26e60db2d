"""The cloud store: the second sink of the committer, from which portfolio pages and risk checks are fed."""

from __future__ import annotations

from racewindow import TrackedDict
from racewindow_models.units import BlockHeight
from racewindow_models.values import Batch


class CloudStore:
    """Batches by the height of their block."""

    def __init__(self) -> None:
        self._batches: TrackedDict[BlockHeight, Batch] = TrackedDict(name="cloud")

    def store(self, height: BlockHeight, batch: Batch) -> None:
        """Keep the batch of a block."""
        self._batches[height] = batch

    def batch(self, height: BlockHeight) -> Batch | None:
        """The batch of a block, None if there is none."""
        return self._batches.get(height)
