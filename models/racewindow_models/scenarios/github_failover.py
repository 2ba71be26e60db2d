"""GitHub, 2018-10-21: a replica is promoted during a short partition, and both sides hold writes of their own.

What happened [C, confirmed by the operator]
    The link between two sites was cut for 43 seconds. The orchestrator promoted a database in the west. The one in the
    east held writes that had not been replicated, and the west accepted writes for about 40 minutes.
    Each side had writes that the other one lacked, so there was no safe way back. Integrity was put before speed:
    degraded for 24 h 11 min.

What is modelled here
    application: w(east, write-1)
    | link:      cut                                    # before the replicator has sent write-1
    orchestrator: (10 s later) promote west
    | application: w(east, write-2)                     # single_active_writer: it had asked for the way before
    application: w(west, write-3)                       # no_unique_writes

    The application asks which site is the primary and writes to it in a later step. The replicator sends each write of
    the primary to the replica while the link is up. When the link is back, the two sides are compared.

What closes what (expected verdicts, held by the tests)
    `copy_complete`: no promotion unless the replica is known to have everything, which nobody knows while the link is
    cut. `no_auto_promotion`: none across sites. `fencing` stops the second writer, and not the loss: what the east had
    accepted before the promotion is not in the west.

Control: `planned=true` fails over without a partition. With `fencing` and `copy_complete` it is silent.

Illustrative numbers: 10 s until the orchestrator acts, a write every 10 s. With `fencing` the east is refused once
the west is promoted, also while it is cut off: as by a lease that runs out before another one is given [I, inferred].
"""

from __future__ import annotations

import trio

import racewindow
from racewindow import Cell, Instance, Network, Supervisor
from racewindow_faults.network import Delay
from racewindow_faults.process import Crash, Pause
from racewindow_models.checkers_ownership import no_unique_writes, single_active_writer
from racewindow_models.expected import Expected
from racewindow_models.sizes import at_least
from racewindow_models.telling import listed, told

GITHUB_FAILOVER = {
    "fencing": "a site refuses a write with a fencing token older than the newest that has been given out",
    "copy_complete": "a replica is promoted only when it is known to hold all that the primary has accepted",
    "no_auto_promotion": "nothing is promoted across sites unless a person has planned it",
}

EXPECTED = Expected(
    ident="S-GH-1",
    violates=("single_active_writer", "no_unique_writes"),
    closed_by=(("copy_complete",), ("no_auto_promotion",)),
    not_closed_by=(("fencing",),),
    closes_only={("fencing",): ("single_active_writer",)},
    constraints=2,
)

CUT_SECONDS, PARTITION_SECONDS, DETECTION_SECONDS = 10, 43, 10
EAST, WEST = "east", "west"
Writes = tuple[str, ...]


class Sites:
    """The databases of both sites: what each holds, which one is the primary, whether they can hear each other."""

    def __init__(self, sim: racewindow.Simulation) -> None:
        self._sim = sim
        self.held: dict[str, Cell[Writes]] = {site: Cell((), name=f"{site}.writes") for site in (EAST, WEST)}
        self.primary = Cell(EAST, name="primary")
        self.link_is_up = Cell(True, name="link")  # noqa: FBT003

    async def write(self, site: str, write: str) -> bool:
        """Accept a write at a site, unless that is fenced off."""
        token, newest = self._token(site), self._token(self.primary.get())
        if self._sim.safeguard("fencing") and token < newest:
            self._sim.emit("guard.refused", site=site, write=write)
            return False
        self.held[site].update(lambda writes: (*writes, write))
        self._sim.emit(
            "write.accepted", key="the repositories", writer=site, token=token, newest=newest, others=(), write=write
        )
        return True

    async def replicate(self, write: str) -> None:
        """Take over a write of the east in the west."""
        self.held[WEST].update(lambda writes: (*writes, write))

    @property
    def not_replicated(self) -> Writes:
        """What the east holds and the west does not."""
        west = self.held[WEST].get()
        return tuple(write for write in self.held[EAST].get() if write not in west)

    @staticmethod
    def _token(site: str) -> int:
        return 1 if site == EAST else 2


class Failover:
    """The services at both sites, as one execution has them."""

    def __init__(self, sim: racewindow.Simulation, writes: int, *, planned: bool) -> None:
        self._sim, self._writes, self._planned = sim, writes, planned
        self._sites, self._network, self._supervisor = Sites(sim), Network(sim.spawn), Supervisor(sim.spawn)

    def start(self) -> None:
        """Start everything."""
        services = (self._write, self._replicate, self._promote, self._compare)
        for service, name in zip(services, ("application", "replicator", "orchestrator", "operator"), strict=True):
            self._supervisor.start(service, name)
        if not self._planned:
            self._sim.spawn(self._cut, name="link")

    async def _cut(self) -> None:
        await trio.sleep(CUT_SECONDS)
        self._sites.link_is_up.set(False)
        self._sim.emit("link.cut")
        await trio.sleep(PARTITION_SECONDS)
        self._sites.link_is_up.set(True)
        self._sim.emit("link.back")

    async def _write(self, process: Instance) -> None:
        """Write every 10 s to whichever site is the primary."""
        process.ready()
        for number in range(1, self._writes + 1):
            await trio.sleep_until(CUT_SECONDS * number)
            site = self._sites.primary.get()
            await self._network.call(site, self._sites.write, site, f"write-{number}")

    async def _replicate(self, process: Instance) -> None:
        """Send each write of the east to the west, as long as the link is up and the east is the primary."""
        process.ready()
        sites = self._sites
        while True:
            await racewindow.until(
                lambda: sites.link_is_up.get() and sites.primary.get() == EAST and sites.not_replicated
            )
            await sites.replicate(sites.not_replicated[0])
            await trio.lowlevel.checkpoint()

    async def _promote(self, process: Instance) -> None:
        """Make the west the primary, when the east cannot be heard or as planned."""
        process.ready()
        sites = self._sites
        if not self._planned:
            await racewindow.until(lambda: not sites.link_is_up.get())
        await trio.sleep_until(CUT_SECONDS + DETECTION_SECONDS)
        if self._sim.safeguard("no_auto_promotion") and not self._planned:
            self._sim.emit("promotion.refused", why="nobody has planned it")
            return
        if self._sim.safeguard("copy_complete") and not sites.link_is_up.get():
            self._sim.emit("promotion.refused", why="nobody can know whether the west has everything")
            return
        if self._sim.safeguard("copy_complete"):
            await racewindow.until(lambda: not sites.not_replicated)
        sites.primary.set(WEST)
        self._sim.emit("site.promoted", site=WEST)

    async def _compare(self, process: Instance) -> None:
        """Look at both sides when all is over, and end the replication."""
        process.ready()
        await trio.sleep_until(CUT_SECONDS * (self._writes + 1) + PARTITION_SECONDS)
        east, west = self._sites.held[EAST].get(), self._sites.held[WEST].get()
        unique = {EAST: self._sites.not_replicated, WEST: tuple(write for write in west if write not in east)}
        own = "; ".join(f"only {side} has {listed(writes)}" for side, writes in unique.items() if writes)
        self._sim.emit("sides.compared", key="the repositories", unique=unique, own=own or "no difference")
        await self._supervisor.stop(self._supervisor["replicator"])


@racewindow.scenario(
    safeguards=GITHUB_FAILOVER,
    checks=(single_active_writer, no_unique_writes),
    faults=(
        Delay(target="application", seconds=15),
        Pause(target="replicator", seconds=15),
        Crash(target="replicator"),
    ),
    narrate=told(
        {
            "link.cut": "the link between the sites is cut",
            "link.back": "the link is back",
            "write.accepted": "{writer} accepts {write}",
            "guard.refused": "{site} refuses {write}: another site is the primary",
            "promotion.refused": "nothing is promoted: {why}",
            "site.promoted": "{site} is promoted to be the primary",
            "sides.compared": "the sides are compared: {own}",
        }
    ),
    incident="2018-10-21, GitHub",
)
async def github_failover(sim: racewindow.Simulation, *, writes: int = 3, planned: bool = False) -> None:
    """A replica is promoted in a partition of 43 s, and both sides hold writes that the other one lacks.

    writes: of the application, one every 10 s. planned: the west is promoted on purpose, and the link is never cut.
    """
    at_least(1, writes=writes)
    Failover(sim, writes, planned=planned).start()
