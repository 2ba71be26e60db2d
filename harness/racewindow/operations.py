"""Operations: calls of a service and their answers, recorded as events, read back as intervals.

An operation is one event of kind `op.call` and at most one of `op.return` (it took effect and gave this result),
`op.fail` (it is known not to have taken effect) or `op.unknown` (a time-out: it may have taken effect, may still do so,
or never). One that is left open when the execution ends is unknown, too. `id` ties them together.

The interval of an operation is *closed*: from its call to its return, by position in the history. Operation A comes
before B only if the return of A stands before the call of B; where they touch, as they do in
`A call, B call, A return, B return`, either may have taken effect first. Which comes before which is therefore part of
what a checker sees, and a step that calls conflicts with a step that returns (see `racewindow.host`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

from racewindow.errors import UsageError
from racewindow.events import Event
from racewindow.plain import clock_text, one_line, plain

CALL, RETURN, FAIL, UNKNOWN = "op.call", "op.return", "op.fail", "op.unknown"


class Emits(Protocol):
    """What recording needs of the execution."""

    def emit(self, kind: str, data: Mapping[str, Any]) -> None:
        """Record an event of the step in progress."""

    def new_id(self) -> str:
        """A name that no other record of this execution has, the same in every order of events."""


class Recording:
    """One operation while it is under way, a context manager: `with sim.operation("read", key="x") as op:`.

    `returned(result)` or `failed()` says what became of it. A block that is left without either, by an exception or by
    a cancellation for example, leaves the outcome unknown.
    """

    def __init__(self, host: Emits, name: str, args: tuple[Any, ...], key: Hashable) -> None:
        self._host, self._name, self._args, self._key = host, name, args, key
        self._id = ""
        self._ended = False

    def __enter__(self) -> Self:
        self._id = self._host.new_id()
        self._host.emit(CALL, {"id": self._id, "name": self._name, "args": self._args, "key": self._key})
        return self

    def returned(self, result: Any = None) -> None:
        """The operation has taken effect, and this is its answer."""
        self._end(RETURN, result=result)

    def failed(self) -> None:
        """The operation has not taken effect and never will."""
        self._end(FAIL)

    def __exit__(self, *error: object) -> None:
        if not self._ended:
            self._end(UNKNOWN)

    def _end(self, kind: str, **data: Any) -> None:
        if self._ended:
            raise UsageError(f"operation {self._name!r} has ended twice.", do="call returned() or failed() once.")
        self._ended = True
        self._host.emit(kind, {"id": self._id, **data})


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a history. `call`, `end`: positions of its events; `end` is None while the outcome is unknown.

    `client`: display name of the task that called. `result` means something only with an `end`.
    """

    id: str
    client: str
    name: str
    args: tuple[Any, ...]
    key: Hashable
    call: int
    call_ns: int = 0
    end: int | None = None
    end_ns: int = 0
    result: Any = None

    def __str__(self) -> str:
        args = ", ".join(one_line(plain(each)) for each in self.args)
        if self.end is not None and self.result is None:
            return f"{self.name}({args})"
        return f"{self.name}({args}) -> {'?' if self.end is None else one_line(plain(self.result))}"

    @property
    def told(self) -> str:
        """With who called it and when."""
        until = "" if self.end is None else f" to {clock_text(self.end_ns)}"
        return f"{self} of {self.client}, {clock_text(self.call_ns)}{until}"


def operations_of(events: Iterable[Event]) -> tuple[Operation, ...]:
    """The operations that may have taken effect, in the order of their calls; those that failed are left out.

    Raises ValueError for a history that cannot be: a call that is made twice, an end without a call, two ends.
    """
    found: dict[str, Operation] = {}
    ended: set[str] = set()
    for position, event in enumerate(events):
        if event.kind not in {CALL, RETURN, FAIL, UNKNOWN}:
            continue
        number = event.data["id"]
        if event.kind == CALL:
            if number in found or number in ended:
                raise ValueError(f"operation {number} is called twice")
            data = event.data
            key = data.get("key")
            found[number] = Operation(
                number, event.task, data["name"], tuple(data.get("args", ())), key, position, event.time_ns
            )
            continue
        if number in ended or number not in found:
            raise ValueError(f"operation {number} ends {'twice' if number in ended else 'before it is called'}")
        ended.add(number)
        if event.kind == FAIL:
            del found[number]
        elif event.kind == RETURN:
            result = event.data.get("result")
            found[number] = replace(found[number], end=position, end_ns=event.time_ns, result=result)
    return tuple(found.values())
