"""Knight Capital, 2012-08-01: a flag that is used again wakes old code on the one server without the new code.

What happened [C, confirmed by a primary document]
    New code was put on 7 of 8 servers, and nobody compared them. It used a flag again that on the eighth still woke
    code that had been out of use for years and no longer noticed when an order was filled. 212 orders became 4 million
    executions, in 45 minutes, and cost 460 million dollars. An attempt to repair it took the new code off the 7 good
    servers, so that all of them ran the old one. 97 mails before the opening had warned, and nobody read them.

What is modelled here
    technician:  r(servers in service) -> server-1, server-2
    | inventory: server-3 is back in service                # with the old code
    technician:  install on server-1, server-2
    desk:        (at the opening) flag on                   # config_valid_before_activate
    client:      order-1 -> server-3                        # no_overexecution
    desk:        (45 s later) takes the new code off     # repair_no_worse

    The technician copied the code server by server and left one out [C]. Why is not known; that it came back into
    service after the list had been made is ours. `--fault skip` leaves a server out as it was in fact. Which server
    an order goes to is a choice. The old code counts what is filled where it no longer looks.

What closes what (expected verdicts, held by the tests)
    `version_check`, of all servers in the step that turns the flag on; `new_flag`, one that old code does not know.
    `kill_switch`, which holds what leaves of an order against what came in, in the step that sends it, closes the harm:
    `no_overexecution`, and with it `repair_no_worse`, there being nothing to repair. It cannot close
    `config_valid_before_activate`: it is pulled when the flag is on, and old code awake. A switch that waits for people
    to look is pulled too late.

Illustrative numbers: 3 servers, orders for 100 shares, a child order every 30 s. The mails are left out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

import racewindow
from racewindow import Cell, Instance, Network, Supervisor
from racewindow_faults.network import Delay
from racewindow_faults.operator import Skip
from racewindow_faults.process import Pause
from racewindow_models.checkers_harm import no_overexecution, repair_no_worse
from racewindow_models.checkers_rollout import config_valid_before_activate
from racewindow_models.expected import Expected
from racewindow_models.runbook import Step, carry_out
from racewindow_models.showing_prices import ORDERS
from racewindow_models.sizes import at_least
from racewindow_models.telling import listed, told

KNIGHT_PARTIAL_ROLLOUT = {
    "version_check": "the flag is turned on only if all servers in service run the new code, in the same step",
    "new_flag": "the new code has a flag of its own, and old code passes it over",
    "kill_switch": "a server that would send more of an order than came in sends nothing and turns the flag off",
}

EXPECTED = Expected(
    ident="S-KNT-1",
    violates=("config_valid_before_activate", "no_overexecution", "repair_no_worse"),
    closed_by=(("version_check",), ("new_flag",)),
    not_closed_by=(("kill_switch",),),
    closes_only={("kill_switch",): ("no_overexecution", "repair_no_worse")},
    constraints=2,
)

MINUTE, CHILD_SECONDS, OPENING, SHARES = 60, 30, 600, 100
NEW, OLD = "the new code", "the old code"


class Server:
    """One server: its code, and what it has sent to the market of each order."""

    def __init__(self, sim: racewindow.Simulation, name: str) -> None:
        self._sim, self.name = sim, name
        self.code = Cell(OLD, name=f"{name}.code")

    async def install(self, code: str) -> None:
        """Replace its code."""
        self.code.set(code)
        self._sim.emit("code.installed", server=self.name, code=code)

    def is_awake(self, *, flag: bool) -> bool:
        """Whether the flag wakes what is meant to sleep: the old code takes it for its own."""
        return flag and self.code.get() == OLD and not self._sim.safeguard("new_flag")


class Market:
    """The servers, which of them are in service, the flag, and the orders on their way."""

    def __init__(self, sim: racewindow.Simulation, servers: int, orders: int) -> None:
        self._sim, self._orders = sim, orders
        self._supervisor, self._network = Supervisor(sim.spawn), Network(sim.spawn)
        self._servers = {name: Server(sim, name) for name in (f"server-{n}" for n in range(1, servers + 1))}
        *others, self._last = self._servers
        self._in_service = Cell(tuple(others), name="servers in service")
        self._flag = Cell(False, name="flag")  # noqa: FBT003
        self._overdone = Cell(0, name="orders executed too often")
        self._end = OPENING + (orders + 1) * MINUTE

    def start(self) -> None:
        """Start everything."""
        self._supervisor.start(self._return_to_service, "inventory")
        self._supervisor.start(self._install, "technician")
        self._supervisor.start(self._trade, "desk")
        self._supervisor.start(self._send, "client")

    async def _return_to_service(self, process: Instance) -> None:
        """Put the last server back into service."""
        process.ready()
        await trio.lowlevel.checkpoint()
        self._in_service.update(lambda names: (*names, self._last))
        self._sim.emit("server.in_service", server=self._last)

    async def _install(self, process: Instance) -> None:
        """Make a list of the servers in service and copy the new code to each of them."""
        process.ready()
        await trio.lowlevel.checkpoint()
        names = self._in_service.get()
        self._sim.emit("list.made", servers=listed(names))
        await carry_out([Step(f"install on {name}", self._installing(self._servers[name])) for name in names])

    def _installing(self, server: Server) -> Callable[[], Awaitable[None]]:
        async def install() -> None:
            await trio.sleep(MINUTE)
            await self._network.call(server.name, server.install, NEW)

        return install

    async def _trade(self, process: Instance) -> None:
        """Turn the flag on at the opening; look 45 s after each order, and act if one was executed too often."""
        process.ready()
        await trio.sleep_until(OPENING)
        without = [server.name for server in self._serving() if server.code.get() != NEW]
        if self._sim.safeguard("version_check") and without:
            self._sim.emit("guard.refused", why=f"{listed(without)} runs {OLD}")
            return
        self._flag.set(True)
        self._sim.emit("flag.on", without=f"not on {listed(without)}" if without else "on all servers")
        for server in self._serving():
            absent = (NEW,) if server.is_awake(flag=True) else ()
            self._sim.emit("config.activated", consumer=server.name, config="the flag", rows=0, limit=0, absent=absent)
        for number in range(1, self._orders + 1):
            await trio.sleep_until(OPENING + number * MINUTE + CHILD_SECONDS // 2)
            if self._overdone.get():
                await self._repair()
                return

    async def _repair(self) -> None:
        """Do what seems to be called for: the code that is new today must be wrong."""
        before = self._awake()
        for server in self._serving():
            if server.code.get() == NEW:
                await self._network.call(server.name, server.install, OLD)
        after = self._awake()
        self._sim.emit("repair.done", by="desk", what="takes the new code off", before=before, after=after)

    def _serving(self) -> list[Server]:
        return [self._servers[name] for name in self._in_service.get()]

    def _awake(self) -> tuple[str, ...]:
        flag = self._flag.get()
        return tuple(server.name for server in self._serving() if server.is_awake(flag=flag))

    async def _send(self, process: Instance) -> None:
        """Send an order a minute, each to whichever server the router takes."""
        process.ready()
        for number in range(1, self._orders + 1):
            await trio.sleep_until(OPENING + number * MINUTE - CHILD_SECONDS)
            server = self._servers[self._sim.choose(self._in_service.get())]
            process.spawn(self._execute, server, f"order-{number}", name=f"order-{number}")

    async def _execute(self, server: Server, order: str) -> None:
        """Send child orders to the market until the order is filled, as far as the code can see."""
        sent = 0
        while trio.current_time() < self._end:
            if self._sim.safeguard("kill_switch") and sent >= SHARES:
                self._flag.set(False)
                self._sim.emit("switch.pulled", server=server.name, order=order)
                return
            sent += SHARES
            self._sim.emit("order.executed", order=order, server=server.name, quantity=SHARES, sent=sent)
            if sent > SHARES:
                self._overdone.update(lambda count: count + 1)
            await trio.sleep(CHILD_SECONDS)
            if not server.is_awake(flag=self._flag.get()):
                return


@racewindow.scenario(
    safeguards=KNIGHT_PARTIAL_ROLLOUT,
    checks=(config_valid_before_activate, no_overexecution, repair_no_worse),
    faults=(
        Skip(target="technician"),
        Delay(target="technician", seconds=600),
        Pause(target="technician", seconds=600),
    ),
    display=ORDERS,
    narrate=told(
        {
            "list.made": "the technician's list of servers in service: {servers}",
            "server.in_service": "{server} is back in service",
            "code.installed": "{server} has {code}",
            "flag.on": "the flag is on; the new code is {without}",
            "guard.refused": "the flag stays off: {why}",
            "order.executed": "{server} has sent {sent} shares of {order}, of {quantity}",
            "switch.pulled": "{server} would send more of {order} than came in: it sends nothing, and the flag is off",
            "repair.done": "the {by} {what}",
        }
    ),
    incident="2012-08-01, Knight Capital",
)
async def knight_partial_rollout(sim: racewindow.Simulation, *, servers: int = 3, orders: int = 2) -> None:
    """New code is missing on one server, where a flag that is used again wakes old code; the repair makes it worse.

    servers: of which the last is put back into service while the list for the rollout is made. orders: of clients, one
    a minute from the opening on, each for 100 shares.
    """
    at_least(2, servers=servers)
    at_least(1, orders=orders)
    Market(sim, servers, orders).start()
