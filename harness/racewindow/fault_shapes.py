"""Shapes of faults: what a layer that offers fault points asks of the fault that struck.

A layer, such as the calls between services or a store, knows no kind by name. It asks the fault to do its part: to
carry a call, to give the value that is read, to say which items of a batch get through, what a clock shows, which step
of a runbook is taken. So a kind of anybody's own works wherever its shape is asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from racewindow.faults import Fault

T = TypeVar("T")


class Link(Protocol):
    """The way between two services that a call takes."""

    @property
    def caller(self) -> str:
        """The service that calls."""

    @property
    def callee(self) -> str:
        """The service that is called."""

    def cut(self, seconds: float) -> None:
        """Let nothing through, in either direction, for some virtual time."""

    async def overtaken(self, at_most_seconds: float) -> None:
        """Wait until a later call on this link has been delivered, or so much virtual time has passed."""

    def later(self, deliver: Callable[[], Awaitable[object]], after_seconds: float) -> None:
        """Deliver after some virtual time, in a task of the link's own: nobody waits for it, and its reply is lost."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call on its way. `timeout_seconds`: how long the caller waits, None for ever."""

    link: Link
    method: str
    timeout_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFault(Fault):
    """A fault of a call between services, asked for at the point `rpc.call`."""

    async def carry(self, call: Call, deliver: Callable[[], Awaitable[T]]) -> T:
        """Stand for the way there and back: deliver it as often as it arrives, and return the reply or raise.

        It is on its way by itself: the caller gives up after its timeout, and this goes on. Raises CallTimedOutError or
        ConnectionLostError where the caller gets no reply.
        """
        del call
        return await deliver()


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueFault(Fault):
    """A fault of one value that is read, asked for at points such as `db.read` and `data.row`."""

    def read(self, values: Sequence[Any]) -> Any:
        """What the reader gets, None for a row that is not there.

        `values`: all versions of the value, the oldest first, of which the last is the truth; None among them says that
        the row was not there then, and so it is never if there are none. Nothing in them is changed: what differs is a
        copy.
        """
        return values[-1] if values else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFault(Fault):
    """A fault of a write, asked for at points such as `db.write`, `db.commit` and `db.copy`."""

    def written(self, items: Sequence[T]) -> Sequence[T]:
        """Those of the items that take effect, in order: from now on they are read."""
        return items

    def durable(self, items: Sequence[T]) -> Sequence[T]:
        """Those of the items that take effect and outlast the next crash of the store; of others it then knows nothing.

        A store that cannot crash need not ask.
        """
        return self.written(items)

    def acknowledge(self) -> None:
        """What the writer is told once they have: nothing, or an error is raised, such as CommitFailedError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFault(Fault):
    """A fault of the clock of one service, asked for when it is read, at the point `clock.read`."""

    def shown_ns(self, now_ns: int, struck_ns: int) -> int:
        """What the clock shows from now on, in nanoseconds; `struck_ns`: when the fault struck."""
        del struck_ns
        return now_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFault(Fault):
    """A fault of the person or script that carries out a runbook, asked for before each step, at `runbook.step`."""

    def taken(self, step: int, count: int) -> Sequence[int]:
        """The numbers of the steps that are taken instead of step `step` (from 0), of `count`.

        Others follow as before, but for those that have been taken early by then. A step may be taken on the wrong
        target: then its number is -1 - step.
        """
        del count
        return (step,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFault(Fault):
    """A fault of the configuration that a service starts with, asked for at the point `config.load`."""

    def loaded(self, versions: Sequence[T]) -> T:
        """What is loaded; `versions`: all there have been, the oldest first, of which the last is the right one."""
        return versions[-1]
