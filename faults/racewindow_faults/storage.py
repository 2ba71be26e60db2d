"""Faults of storage: what is read is not the newest, and what was written is not what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from racewindow import CommitFailedError, TransactionAbortedError, ValueFault, WriteFault, fault_parameter
from racewindow_faults.structured import version_back

T = TypeVar("T")
FAMILY = "storage"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleRead(ValueFault):
    """The read is answered by a replica that lags: it gives an older version, or no row if there was none then."""

    kind: ClassVar[str] = "stale-read"
    family: ClassVar[str] = FAMILY
    points: ClassVar[tuple[str, ...]] = ("db.read",)

    versions_behind: int = fault_parameter(1, "how far it lags", unit="versions", least=1, mildest=1)

    def read(self, values: Sequence[Any]) -> Any:
        """What the replica has; it never lags behind the oldest version."""
        return version_back(values, self.versions_behind)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StorageFault(WriteFault):
    family: ClassVar[str] = FAMILY
    points: ClassVar[tuple[str, ...]] = ("db.write", "db.commit")


@dataclass(frozen=True, slots=True, kw_only=True)
class LostWrite(_StorageFault):
    """The write is acknowledged and never takes effect."""

    kind: ClassVar[str] = "lost-write"

    def written(self, items: Sequence[T]) -> Sequence[T]:
        """Nothing."""
        return items[:0]


@dataclass(frozen=True, slots=True, kw_only=True)
class LostFsync(_StorageFault):
    """The write takes effect and is acknowledged, but was in memory only: the next crash of the store loses it."""

    kind: ClassVar[str] = "lost-fsync"

    def durable(self, items: Sequence[T]) -> Sequence[T]:
        """Nothing."""
        return items[:0]


@dataclass(frozen=True, slots=True, kw_only=True)
class TornBatch(_StorageFault):
    """Only the first items of a batch take effect, so that it is of two generations; the writer may be told or not."""

    kind: ClassVar[str] = "torn-batch"

    kept_items: int = fault_parameter(1, "how many take effect", unit="items", least=0)
    told: str = fault_parameter("done", "what the writer is told", choices=("failed", "done"))

    def written(self, items: Sequence[T]) -> Sequence[T]:
        """The first ones."""
        return items[: self.kept_items]

    def acknowledge(self) -> None:
        """As its parameter says."""
        if self.told == "failed":
            raise CommitFailedError("the batch was not written completely")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCommit(_StorageFault):
    """The commit fails, says the store; whether it took effect is another matter."""

    kind: ClassVar[str] = "failed-commit"
    points: ClassVar[tuple[str, ...]] = ("db.commit",)

    effect: str = fault_parameter("none", "whether it took effect all the same", choices=("none", "all"))

    def written(self, items: Sequence[T]) -> Sequence[T]:
        """All or nothing."""
        return items if self.effect == "all" else items[:0]

    def acknowledge(self) -> None:
        """With an error."""
        raise CommitFailedError("the commit failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort(_StorageFault):
    """The store gives the transaction up, as after a deadlock: nothing takes effect, and the writer is told so."""

    kind: ClassVar[str] = "abort"

    def written(self, items: Sequence[T]) -> Sequence[T]:
        """Nothing."""
        return items[:0]

    def acknowledge(self) -> None:
        """With an error that says that it may be tried again."""
        raise TransactionAbortedError("the transaction was aborted")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialCopy(_StorageFault):
    """The last rows of a copy are left out, and it is taken for complete."""

    kind: ClassVar[str] = "partial-copy"
    points: ClassVar[tuple[str, ...]] = ("db.copy",)

    missing_items: int = fault_parameter(1, "how many are left out", unit="items", least=1, mildest=1)

    def written(self, items: Sequence[T]) -> Sequence[T]:
        """All but the last ones."""
        return items[: max(0, len(items) - self.missing_items)]
