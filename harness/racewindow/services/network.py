"""Calls between services: each is a message on a link, which may be late, lost, doubled, overtaken or cut off.

A call is answered by a method of the callee, in a step of its own: the message takes one scheduling point to arrive.
The fault point `rpc.call` is the caller's, before the message leaves. A callee that is down answers nobody.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import trio

from racewindow.errors import CallError, CallTimedOutError, ConnectionLostError
from racewindow.fault_shapes import Call, CallFault
from racewindow.operations import Recording
from racewindow.runtime.access import fault_point, may_strike, service_here
from racewindow.services.supervisor import Instance, Spawn
from racewindow.tracking import Cell, TrackedDict, until

T = TypeVar("T")


class Wire:
    """The way from one service to another, as a fault sees it (`racewindow.fault_shapes.Link`)."""

    def __init__(self, network: Network, caller: str, callee: str) -> None:
        self._network, self.caller, self.callee = network, caller, callee

    def cut(self, seconds: float) -> None:
        """Let nothing through for some virtual time, in either direction."""
        cuts, until_time = self._network.cuts, trio.current_time() + seconds
        for way in ((self.caller, self.callee), (self.callee, self.caller)):
            cuts[way] = max(cuts.get(way) or 0.0, until_time)

    async def overtaken(self, at_most_seconds: float) -> None:
        """Wait until a later message has arrived, or so much virtual time has passed."""
        held, way = self._network.held, (self.caller, self.callee)
        held[way] = True
        with trio.move_on_after(at_most_seconds):
            await until(lambda: not held.get(way))

    def later(self, deliver: Callable[[], Awaitable[object]], after_seconds: float) -> None:
        """Deliver after some virtual time, in a task of its own; what is said of it reaches nobody."""
        self._network.travel(f"{self.caller}->{self.callee}", self._late, deliver, after_seconds)

    @staticmethod
    async def _late(deliver: Callable[[], Awaitable[object]], after_seconds: float) -> None:
        await trio.sleep(after_seconds)
        with contextlib.suppress(Exception):
            await deliver()


class Network:
    """The links between the services of one execution.

    `spawn`: where messages travel that outlive their sender, such as `sim.spawn`. `timeout_seconds`: how long callers
    wait for a reply that a fault delays, None for ever. `records`: `sim.operation`, to have every call be an operation
    of the history, with the callee for its key; one that got no reply has an unknown outcome.
    """

    def __init__(
        self,
        spawn: Spawn,
        *,
        timeout_seconds: float | None = None,
        records: Callable[..., Recording] | None = None,
    ) -> None:
        self._spawn, self._timeout, self._records = spawn, timeout_seconds, records
        self._peers: dict[str, Callable[[], Instance]] = {}
        self._in_flight = Cell(0, name="network.in_flight")
        self.cuts: TrackedDict[tuple[str, str], float] = TrackedDict(name="network.cuts")
        """Caller and callee -> virtual time until which nothing gets through, in seconds."""
        self.held: TrackedDict[tuple[str, str], bool] = TrackedDict(name="network.held")
        """Caller and callee -> whether a message waits to be overtaken."""

    @property
    def in_flight(self) -> int:
        """How many messages a fault has delayed and that are still on their way."""
        return self._in_flight.get()

    def serve(self, name: str, instance: Callable[[], Instance]) -> None:
        """Let calls to `name` be answered only while the instance that this returns is up."""
        self._peers[name] = instance

    async def call(self, callee: str, method: Callable[..., Awaitable[T]], *args: Any) -> T:
        """Call a method of another service, and return its reply.

        Raises CallTimedOutError if there was none in time, and ConnectionLostError if the callee is down or cut off;
        in both cases the effect may have happened.
        """
        if self._records is None:
            return await self._call(callee, method, args)
        with self._records(method.__name__, *args, key=callee) as operation:
            reply = await self._call(callee, method, args)
            operation.returned(reply)
            return reply

    async def _call(self, callee: str, method: Callable[..., Awaitable[T]], args: tuple[Any, ...]) -> T:
        fault, caller = await fault_point("rpc.call"), service_here()
        if not isinstance(fault, CallFault):
            return await self._deliver(caller, callee, method, args)
        call = Call(Wire(self, caller, callee), method.__name__, self._timeout)
        return await self._carried(call, lambda: fault.carry(call, lambda: self._deliver(caller, callee, method, args)))

    async def call_until_answered(
        self, callee: str, method: Callable[..., Awaitable[T]], *args: Any, every_seconds: float = 1.0
    ) -> T:
        """Call again after a while as long as there is no reply; so what the call does may be done more than once."""
        while True:
            try:
                return await self.call(callee, method, *args)
            except CallError:
                await trio.sleep(every_seconds)

    async def _carried(self, call: Call, carry: Callable[[], Awaitable[T]]) -> T:
        """A message that a fault has struck travels by itself: it may arrive after its sender has given up or died."""
        arrived, replies = trio.Event(), list[T | Exception]()

        async def message() -> None:
            try:
                replies.append(await carry())
            except Exception as error:  # noqa: BLE001  # it is the caller's
                replies.append(error)
            arrived.set()

        self.travel(f"{call.link.caller}->{call.link.callee}", message)
        with trio.move_on_after(float("inf") if self._timeout is None else self._timeout):
            await arrived.wait()
        if not arrived.is_set():
            raise CallTimedOutError(f"{call.link.callee} has not answered {call.method} in time")
        [reply] = replies
        if isinstance(reply, Exception):
            raise reply
        return reply

    def travel(self, name: str, message: Callable[..., Awaitable[object]], *args: Any) -> None:
        """Let a message be on its way in a task of its own, as one more that is in flight."""

        async def travelling() -> None:
            await message(*args)
            self._in_flight.update(lambda count: count - 1)

        self._in_flight.update(lambda count: count + 1)
        self._spawn(travelling, name=name)

    async def _deliver(self, caller: str, callee: str, method: Callable[..., Awaitable[T]], args: tuple[Any, ...]) -> T:
        """The message arrives, and the reply comes back."""
        await trio.lowlevel.checkpoint()
        peer = self._peers.get(callee)
        if peer is not None and not peer().is_up:
            raise ConnectionLostError(f"{callee} is down")
        if may_strike():
            way = (caller, callee)
            if (cut_until := self.cuts.get(way)) is not None and trio.current_time() < cut_until:
                raise ConnectionLostError(f"{caller} cannot reach {callee}: the link is cut")
            if self.held.get(way):
                self.held[way] = False
        return await method(*args)
