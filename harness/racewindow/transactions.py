"""Transactions: what each read and wrote, recorded as one event, read back as frozen values.

A transaction is one event of kind `txn`, emitted when it ends, with its accesses in order: which *version* of which key
it read or wrote. The versions of a key are ordered by their numbers, as the store gave them. A version that nobody in
the history wrote and that is lower than all that were written is an initial one: it was there before.
"""

from __future__ import annotations

import enum
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from racewindow.errors import UsageError
from racewindow.events import Event
from racewindow.operations import Emits
from racewindow.plain import one_line, plain

TXN = "txn"
_READ, _WROTE = "read", "wrote"


class Outcome(enum.Enum):
    """What became of a transaction; unknown is what a time-out leaves behind."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"


class Version(NamedTuple):
    """One version of one key."""

    key: Hashable
    number: int

    def __str__(self) -> str:
        return f"{self.key if isinstance(self.key, str) else one_line(plain(self.key))}@{self.number}"


class TransactionRecording:
    """One transaction while it is under way, a context manager: `with sim.transaction("transfer") as txn:`.

    `read` and `wrote` say which version; `committed()` or `aborted()` ends it. A block that is left without either
    leaves the outcome unknown.
    """

    def __init__(self, host: Emits, name: str) -> None:
        self._host, self._name = host, name
        self._accesses: list[tuple[str, Hashable, int]] = []
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def read(self, key: Hashable, version: int) -> None:
        """It has read this version of a key."""
        self._accesses.append((_READ, key, version))

    def wrote(self, key: Hashable, version: int) -> None:
        """It has written a key, which made this version."""
        self._accesses.append((_WROTE, key, version))

    def committed(self) -> None:
        """All that it wrote stays."""
        self._end(Outcome.COMMITTED)

    def aborted(self) -> None:
        """Nothing that it wrote stays."""
        self._end(Outcome.ABORTED)

    def __exit__(self, *error: object) -> None:
        if not self._ended:
            self._end(Outcome.UNKNOWN)

    def _end(self, outcome: Outcome) -> None:
        if self._ended:
            raise UsageError(f"transaction {self._name!r} has ended twice.", do="call committed() or aborted() once.")
        self._ended = True
        data = {"id": self._host.new_id(), "name": self._name, "outcome": outcome.value, "accesses": self._accesses}
        self._host.emit(TXN, data)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction of a history. `name`: for people, different for each.

    `reads`: what it read of others, not of its own writing. `writes`: the last version that it wrote of each key;
    `passing`: those that it wrote over itself.
    """

    name: str
    outcome: Outcome
    reads: tuple[Version, ...] = ()
    writes: tuple[Version, ...] = ()
    passing: tuple[Version, ...] = ()
    time_ns: int = 0


def transactions_of(events: Iterable[Event]) -> tuple[Transaction, ...]:
    """The transactions of a history in the order of their names, which does not depend on who ended first."""
    found = sorted((e for e in events if e.kind == TXN), key=lambda e: (e.data["name"], str(e.data.get("id", ""))))
    counts: dict[str, int] = {}
    transactions: list[Transaction] = []
    for event in found:
        name = event.data["name"]
        counts[name] = number = counts.get(name, 0) + 1
        transactions.append(_transaction(name if number == 1 else f"{name}#{number}", event.data, event.time_ns))
    return tuple(transactions)


def _transaction(name: str, data: Mapping[str, Any], time_ns: int) -> Transaction:
    reads: dict[Version, None] = {}
    last: dict[Hashable, Version] = {}
    passing: list[Version] = []
    own: set[Version] = set()
    for what, key, number in data["accesses"]:
        version = Version(key, number)
        if what == _WROTE:
            passing += [last[key]] if key in last else []
            last[key] = version
            own.add(version)
        elif version not in own:
            reads[version] = None
    return Transaction(name, Outcome(data["outcome"]), tuple(reads), tuple(last.values()), tuple(passing), time_ns)
