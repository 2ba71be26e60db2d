"""The window: the worker is replaced by a new version while orders come in."""

from __future__ import annotations

import racewindow
from own_window.checks import all_charged, charged_once
from own_window.services import Payments, Queue, Worker
from racewindow import Event, Network, Simulation, Supervisor, until
from racewindow_faults import Crash

SAFEGUARDS = {
    "drain": "the old worker takes no more orders, and is stopped when it has none in hand",
    "idempotency_key": "the payment service charges an order once, however often it is asked",
}


def narrate(event: Event) -> str | None:
    """How an event is told in the report; None if it is not worth telling."""
    match event.kind:
        case "card.charged":
            return f"the card of {event.data['order']} is charged"
        case "worker.stops":
            return f"the operator stops {event.data['worker']}"
        case "worker.starts":
            return f"{event.data['worker']} starts"
    return None


@racewindow.scenario(
    safeguards=SAFEGUARDS,
    checks=(charged_once, all_charged),
    faults=(Crash(target="worker-2"),),
    narrate=narrate,
)
async def worker_restart(sim: Simulation, *, orders: int = 2) -> None:
    """The worker that charges orders is replaced while orders come in.

    orders: how many orders wait when the window begins.
    """
    names = [f"order-{number + 1}" for number in range(orders)]
    queue = Queue(names)
    payments = Payments(sim, remembers=sim.safeguard("idempotency_key"))
    supervisor, network = Supervisor(sim.spawn), Network(sim.spawn)
    worker = Worker(network, queue, payments)
    sim.emit("window.begins", orders=tuple(names))

    def start(name: str) -> None:
        sim.emit("worker.starts", worker=name)
        instance = supervisor.start(worker.work, name)
        sim.spawn(queue.notice_when_gone, instance, name=f"queue.{name}")

    async def stop(name: str) -> None:
        sim.emit("worker.stops", worker=name)
        await supervisor.stop(supervisor[name])

    async def operator() -> None:
        if sim.safeguard("drain"):
            worker.rest("worker-1")
            await until(lambda: not queue.in_hand("worker-1"))
        await stop("worker-1")
        start("worker-2")
        await until(lambda: queue.is_done or not supervisor["worker-2"].is_up)
        if not queue.is_done:  # it has crashed: whoever is on call starts another one
            start("worker-3")
            await until(lambda: queue.is_done)
            await stop("worker-3")
        await stop("worker-2")

    start("worker-1")
    sim.spawn(operator, name="operator")
