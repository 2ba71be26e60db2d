"""Faults of the network: what can happen to a call between two services on its way there and back.

What the caller does not know is the point of most of them: whether the effect has happened.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, cast

import trio

from racewindow import Call, CallError, CallFault, CallTimedOutError, ConnectionLostError, Fault, fault_parameter
from racewindow_faults.structured import has_number, with_bit_flipped

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _NetworkFault(CallFault):
    family: ClassVar[str] = "network"
    points: ClassVar[tuple[str, ...]] = ("rpc.call",)


async def _no_reply(call: Call) -> None:
    """Wait until the caller has given up."""
    await trio.sleep(math.inf if call.timeout_seconds is None else call.timeout_seconds)


def _timed_out(call: Call) -> CallTimedOutError:
    return CallTimedOutError(f"{call.method}: no reply within {call.timeout_seconds} s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(_NetworkFault):
    """The call is slow, on its way there or back.

    If that is longer than the caller waits, the call times out; on its way there, it still arrives afterwards.
    """

    kind: ClassVar[str] = "delay"

    seconds: float = fault_parameter(2.0, "how long it is on its way")
    way: str = fault_parameter("there", "which way it is slow", choices=("there", "back"))

    async def carry(self, call: Call, deliver: Callable[[], Awaitable[T]]) -> T:
        """Slowly."""
        if self.way == "there":
            await trio.sleep(self.seconds)
        reply = await deliver()
        if self.way == "back":
            await trio.sleep(self.seconds)
        return reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop(_NetworkFault):
    """The call is lost on its way: it has no effect, and the caller waits until it times out.

    One without a timeout waits for ever.
    """

    kind: ClassVar[str] = "drop"

    async def carry(self, call: Call, deliver: Callable[[], Awaitable[T]]) -> T:
        """Not at all."""
        await _no_reply(call)
        raise _timed_out(call)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate(_NetworkFault):
    """The call arrives twice; the caller gets one reply and does not notice."""

    kind: ClassVar[str] = "duplicate"

    gap_seconds: float = fault_parameter(0.0, "how long after the first the second one arrives")

    async def carry(self, call: Call, deliver: Callable[[], Awaitable[T]]) -> T:
        """Twice."""
        call.link.later(deliver, self.gap_seconds)
        return await deliver()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorder(_NetworkFault):
    """The call arrives after one that was sent later on the same link, if one is sent in time."""

    kind: ClassVar[str] = "reorder"

    at_most_seconds: float = fault_parameter(5.0, "how long it waits to be overtaken")

    async def carry(self, call: Call, deliver: Callable[[], Awaitable[T]]) -> T:
        """After another."""
        await call.link.overtaken(self.at_most_seconds)
        return await deliver()


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrupt(_NetworkFault):
    """One bit of a number in the reply is flipped, and nobody notices; a reply without a number cannot be read.

    A float is taken in its 64-bit form, so bit 52 doubles it or halves it; in a whole number bit 4 is worth 16.
    """

    kind: ClassVar[str] = "corrupt"

    bit: int = fault_parameter(52, "which bit, 0 being the lowest", least=0, most=62)
    field: str = fault_parameter("", "in which field of the reply; the first with a number if none is named")

    async def carry(self, call: Call, deliver: Callable[[], Awaitable[T]]) -> T:
        """With a reply that is not the one that was given."""
        reply: Any = await deliver()
        if not has_number(reply):
            raise CallError(f"{call.method}: the reply cannot be read")
        return cast("T", with_bit_flipped(reply, self.field, self.bit, self.kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition(_NetworkFault):
    """The two services are cut off from each other for a while, this call included, in both directions.

    If the caller waits longer than that, the call gets through afterwards; else it times out and has no effect.
    """

    kind: ClassVar[str] = "partition"

    seconds: float = fault_parameter(30.0, "how long they are cut off")

    async def carry(self, call: Call, deliver: Callable[[], Awaitable[T]]) -> T:
        """When they are not cut off any more."""
        call.link.cut(self.seconds)
        if call.timeout_seconds is not None and self.seconds >= call.timeout_seconds:
            await _no_reply(call)
            raise _timed_out(call)
        await trio.sleep(self.seconds)
        return await deliver()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout(_NetworkFault):
    """The caller gets no reply in time, and cannot know whether the effect has happened.

    With the outcome `lost` it never happens, with `done` it has, and with `late` it happens after the caller has given
    up. A caller without a timeout waits for ever.
    """

    kind: ClassVar[str] = "timeout"

    outcome: str = fault_parameter("done", "what becomes of the call", choices=("lost", "done", "late"))
    late_seconds: float = fault_parameter(5.0, "with `late`: how long after the timeout the call arrives")

    def weaker(self) -> Iterator[Fault]:
        """Only one that is late can be less so."""
        return _NetworkFault.weaker(self) if self.outcome == "late" else iter(())

    async def carry(self, call: Call, deliver: Callable[[], Awaitable[T]]) -> T:
        """With no reply."""
        if self.outcome == "done":
            await deliver()
        await _no_reply(call)
        if self.outcome == "late":
            await trio.sleep(self.late_seconds)
            await deliver()
        raise _timed_out(call)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(_NetworkFault):
    """The connection breaks before or after the effect; the caller is told at once, but not which."""

    kind: ClassVar[str] = "reset"

    when: str = fault_parameter("after", "when it breaks: before or after the effect", choices=("before", "after"))

    async def carry(self, call: Call, deliver: Callable[[], Awaitable[T]]) -> T:
        """With an error instead of a reply."""
        if self.when == "after":
            await deliver()
        raise ConnectionLostError(f"{call.method}: the connection was reset")
