"""The services, as simple as they can be while they still do what ours do: a queue, a payment service, a worker.

What several of them look at is kept in `Cell`, `TrackedDict` and `TrackedList`, so that racewindow sees who reads and
who writes. A method that others call is one step; between two calls anything may happen.
"""

from __future__ import annotations

from collections.abc import Sequence

from racewindow import Instance, Network, Simulation, TrackedDict, TrackedList, until


class Queue:
    """Orders that wait. One that was taken and not acknowledged waits again when its worker has gone."""

    def __init__(self, orders: Sequence[str]) -> None:
        self._waiting = TrackedList(orders, name="queue.waiting")
        self._taken: TrackedDict[str, str] = TrackedDict(name="queue.taken")
        """Order -> the worker that has taken it."""

    async def take(self, worker: str) -> str | None:
        """The next order; None if there is none."""
        if not self._waiting:
            return None
        order = self._waiting.pop(0)
        self._taken[order] = worker
        return order

    async def acknowledge(self, order: str) -> None:
        """An order is done."""
        self._taken.pop(order, None)

    async def notice_when_gone(self, instance: Instance) -> None:
        """Give back what a worker had in hand when its connection ended."""
        await until(lambda: not instance.is_up)
        for order in [order for order, worker in self._taken.items() if worker == instance.name]:
            del self._taken[order]
            self._waiting.append(order)

    @property
    def has_some(self) -> bool:
        """Whether an order waits."""
        return bool(self._waiting)

    def in_hand(self, worker: str) -> bool:
        """Whether a worker has an order that it has not acknowledged."""
        return worker in self._taken.values()

    @property
    def is_done(self) -> bool:
        """Whether no order waits, and none is in hand."""
        return not self._waiting and not self._taken


class Payments:
    """Charges cards. `remembers`: a second charge of one order is answered as the first, and does nothing."""

    def __init__(self, sim: Simulation, *, remembers: bool) -> None:
        self._sim, self._remembers = sim, remembers
        self._charged: TrackedDict[str, bool] = TrackedDict(name="payments.charged")

    async def charge(self, order: str) -> None:
        """Charge the card of an order."""
        if self._remembers and order in self._charged:
            return
        self._charged[order] = True
        self._sim.emit("card.charged", order=order)


class Worker:
    """Takes orders, charges them, acknowledges them; the same for every instance."""

    def __init__(self, network: Network, queue: Queue, payments: Payments) -> None:
        self._network, self._queue, self._payments = network, queue, payments
        self._resting: TrackedDict[str, bool] = TrackedDict(name="workers.resting")

    async def work(self, process: Instance) -> None:
        """The life of a worker, which ends when it is stopped."""
        call, queue = self._network.call, self._queue
        process.ready()
        while True:
            await until(lambda: queue.has_some and process.name not in self._resting)
            order = await call("queue", queue.take, process.name)
            if order is not None:
                await call("payments", self._payments.charge, order)
                await call("queue", queue.acknowledge, order)

    def rest(self, name: str) -> None:
        """Tell a worker to take no more orders."""
        self._resting[name] = True
