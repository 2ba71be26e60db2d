"""Ankr on SSV, 2025-09-10: during a maintenance two instances sign with the same keys.

What happened [C, confirmed by the operator]
    39 validators were slashed, and one other 90 minutes before. A second instance with the same keys had been started
    for a maintenance while the first one was still signing.

What is modelled here
    operator:    start(signer-new) ; wait until it is ready ; stop(signer-old)
    signer-old:  sign(slot 1)
    | signer-new:  sign(slot 1)                               # single_active_writer: two signatures for one slot

    The copy needs a whole slot to be ready, so it is ready when the next slot begins, for which the old instance wakes
    as well. Whether that signs once more before it is stopped is a matter of order.

What closes what (expected verdicts, held by the tests)
    `full_downtime`; `cas_write`, a protection store that both share, in which a slot is reserved in one step;
    `listen_before_signing`, for a whole slot. Not `generation_check`: each instance keeps a list of its own.

Beyond orders: with an old instance that hangs (`--fault overlap`) only the shared store helps.

Illustrative: one validator; 12 s a slot is the chain's own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

import racewindow
from racewindow import Cell, Instance, Network, Supervisor, TrackedDict
from racewindow_faults.network import Delay
from racewindow_faults.process import Overlap, Pause
from racewindow_models.checkers_ownership import single_active_writer
from racewindow_models.expected import Expected
from racewindow_models.sizes import at_least
from racewindow_models.telling import told

SSV_DOUBLE_SIGN = {
    "full_downtime": "the operator stops the old instance, and waits until it has gone, before the new one starts",
    "cas_write": "an instance signs a slot only after it has reserved it in a store that all share, in one step",
    "listen_before_signing": "a new instance signs only after a whole slot that nobody has signed",
    "generation_check": "an instance does not sign a slot that it has signed itself",
}

EXPECTED = Expected(
    ident="S-SSV-1",
    violates=("single_active_writer",),
    closed_by=(("full_downtime",), ("cas_write",), ("listen_before_signing",)),
    not_closed_by=(("generation_check",),),
    constraints=1,
)

SLOT_SECONDS = 12
T = TypeVar("T")


class Beacon:
    """The chain, which takes every signature, and the protection store that signers may share."""

    def __init__(self, sim: racewindow.Simulation) -> None:
        self._sim = sim
        self._signed: TrackedDict[int, tuple[str, ...]] = TrackedDict(name="chain.signed")
        self._reserved: TrackedDict[int, str] = TrackedDict(name="protection.reserved")

    async def reserve(self, slot: int, signer: str) -> bool:
        """Reserve a slot for one signer; False if another one has it."""
        if slot in self._reserved:
            return False
        self._reserved[slot] = signer
        return True

    async def signed_by(self, slot: int) -> tuple[str, ...]:
        """Who has signed a slot."""
        return self._signed.get(slot, ())

    async def sign(self, slot: int, signer: str) -> None:
        """Take a signature."""
        others = tuple(other for other in self._signed.get(slot, ()) if other != signer)
        self._signed[slot] = (*others, signer)
        self._sim.emit("write.accepted", key="validator-1", writer=signer, token=0, newest=0, others=others, slot=slot)


class Signer:
    """One instance with the keys: signs every slot from `first` on."""

    def __init__(self, sim: racewindow.Simulation, beacon: Beacon, name: str, slots: range) -> None:
        self._sim, self._beacon, self.name, self._slots = sim, beacon, name, slots
        self.is_ready = Cell(False, name=f"{name}.ready")  # noqa: FBT003
        self._own: set[int] = set()
        self._network = Network(sim.spawn)

    async def run(self, process: Instance) -> None:
        """Be ready when the first slot begins, and sign one slot after the other."""
        listens = self._slots.start > 0 and self._sim.safeguard("listen_before_signing")
        for slot in self._slots:
            await trio.sleep_until(slot * SLOT_SECONDS)
            process.ready()
            if not self.is_ready.get():
                self.is_ready.set(True)
            if listens:
                listens = slot == self._slots.start or bool(await self._ask(self._beacon.signed_by, slot - 1))
            if not listens:
                await self._sign(slot)

    async def _sign(self, slot: int) -> None:
        if self._sim.safeguard("generation_check") and slot in self._own:
            return
        if self._sim.safeguard("cas_write") and not await self._ask(self._beacon.reserve, slot, self.name):
            self._sim.emit("guard.refused", signer=self.name, slot=slot)
            return
        await self._ask(self._beacon.sign, slot, self.name)
        self._own.add(slot)

    async def _ask(self, method: Callable[..., Awaitable[T]], *args: object) -> T:
        return await self._network.call("beacon", method, *args)


@racewindow.scenario(
    safeguards=SSV_DOUBLE_SIGN,
    checks=(single_active_writer,),
    faults=(Overlap(target="signer-old", seconds=60), Pause(target="signer-old", seconds=30), Delay(seconds=6)),
    narrate=told(
        {
            "signer.started": "the operator starts {signer}",
            "signer.stopped": "the operator has stopped {signer}",
            "write.accepted": "{writer} signs slot {slot}",
            "guard.refused": "{signer} does not sign slot {slot}: it is reserved",
        }
    ),
    incident="2025-09-10, Ankr on SSV",
)
async def ssv_double_sign(sim: racewindow.Simulation, *, slots: int = 3) -> None:
    """For a maintenance a second instance is started with the same keys while the first one still signs.

    slots: of 12 s each, that are signed after the maintenance begins.
    """
    at_least(1, slots=slots)
    supervisor, beacon = Supervisor(sim.spawn), Beacon(sim)

    async def stop_old() -> None:
        await supervisor.stop(supervisor["signer-old"])
        sim.emit("signer.stopped", signer="signer-old")

    async def maintain(process: Instance) -> None:
        process.ready()
        await trio.sleep(1)
        if sim.safeguard("full_downtime"):
            await stop_old()
        new = Signer(sim, beacon, "signer-new", range(1, slots + 1))
        supervisor.start(new.run, new.name)
        sim.emit("signer.started", signer="signer-new")
        await racewindow.until(new.is_ready.get)
        if not sim.safeguard("full_downtime"):
            await stop_old()

    supervisor.start(maintain, "operator")
    supervisor.start(Signer(sim, beacon, "signer-old", range(slots + 1)).run, "signer-old")
