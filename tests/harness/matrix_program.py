"""Two deposits with six safeguards: two close one thing, one another, two nothing, and one breaks something."""

from __future__ import annotations

import trio

import racewindow
from racewindow.checkers import History, Verdict, Violation

SAFEGUARDS = {
    "lock": "one deposit at a time",
    "compare": "a deposit is made only on the balance that it has seen, else once more",
    "wait": "the report waits until all deposits are made",
    "log": "each deposit is logged",
    "thank": "the customer is thanked",
    "give_up": "a deposit that finds the lock taken is left out",
}


@racewindow.checker("nothing_lost")
def nothing_lost(history: History) -> Verdict:
    (balance,) = [event.data["balance"] for event in history.events if event.kind == "closed"]
    return Verdict.violated([] if balance == 2 else [Violation("lost", "balance", f"it is {balance}")])


@racewindow.checker("report_whole")
def report_whole(history: History) -> Verdict:
    (deposits,) = [event.data["deposits"] for event in history.events if event.kind == "reported"]
    return Verdict.violated([] if deposits == 2 else [Violation("early", "report", f"it says {deposits}")])


@racewindow.checker("never_negative")
def never_negative(history: History) -> Verdict:
    return Verdict.holds()


CHECKS = (nothing_lost, report_whole, never_negative)


@racewindow.scenario(safeguards=SAFEGUARDS, checks=CHECKS, not_in_all=["give_up"])
async def bank(sim: racewindow.Simulation) -> None:
    """Two deposits into one account, and a report of how many there were."""
    balance, made, lock = racewindow.Cell(0, name="balance"), racewindow.Cell(0, name="made"), trio.Lock()

    async def deposit() -> None:
        if sim.safeguard("lock"):
            if sim.safeguard("give_up") and lock.locked():
                made.update(lambda count: count + 1)
                return
            await lock.acquire()
        while True:
            seen = balance.get()
            await trio.lowlevel.checkpoint()
            if not sim.safeguard("compare") or balance.get() == seen:
                break
        balance.set(seen + 1)
        if sim.safeguard("log"):
            sim.emit("deposited", balance=seen + 1)
        made.update(lambda count: count + 1)
        if sim.safeguard("lock"):
            lock.release()

    async def report() -> None:
        if sim.safeguard("wait"):
            await racewindow.until(lambda: made.get() == 2)
        sim.emit("reported", deposits=made.get())
        if sim.safeguard("thank"):
            sim.emit("thanked")

    async with trio.open_nursery() as nursery:
        for service in (deposit, deposit, report):
            nursery.start_soon(service)
    sim.emit("closed", balance=balance.get())
