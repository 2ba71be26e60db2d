"""TSB, 2018-04-22: all customers are moved in one weekend to a platform of which one site was never tried.

What happened [C, confirmed by the operator; where marked P, by press or secondary reports only]
    All customers were moved in one weekend. The data were right, the platform was not ready, and all was normal only
    in December. The fine was 48.65 million pounds. Of two data centres only one had been tested [P].

What is modelled here
    rehearsal:      test(dc-1) -> well                     # of dc-1 only
    operator:       open                                   # validate_before_exit: dc-2 serves as well
    | provisioner-dc-2:  install(payments)                 # dc-2 is complete only now: config_valid_before_activate

    The last component of dc-2 is due in the very instant of the opening; either may be first. Both sites serve, and
    which of them a customer comes to is a choice. Whoever comes to a site that is not complete is turned away.

What closes what (expected verdicts, held by the tests)
    `independent_validation`: each site is tried before customers are let in to it. `staged_cutover` only bounds the
    harm (`few_turned_away`): groups come one after the other, and an error sends everyone back to the old platform.
    Not `copy_complete`: the data were right all the time.

Illustrative numbers: two components, groups of one customer an hour, at most one customer turned away.
"""

from __future__ import annotations

import trio

import racewindow
from racewindow import Cell, Instance, Network, Supervisor
from racewindow_faults.network import Delay
from racewindow_faults.process import Crash, Pause
from racewindow_models.checkers_harm import few_turned_away
from racewindow_models.checkers_rollout import config_valid_before_activate, validate_before_exit
from racewindow_models.expected import Expected
from racewindow_models.sizes import at_least
from racewindow_models.telling import listed, told

TSB_CUTOVER = {
    "independent_validation": "customers are let in only after every site that serves has been tried by itself",
    "staged_cutover": "customers come in groups; after an error all of them go back to the old platform",
    "copy_complete": "the operator compares the rows of both platforms before the opening",
}

EXPECTED = Expected(
    ident="S-TSB-1",
    violates=("validate_before_exit", "config_valid_before_activate", "few_turned_away"),
    closed_by=(("independent_validation",),),
    not_closed_by=(("staged_cutover",), ("copy_complete",), ("staged_cutover", "copy_complete")),
    closes_only={("staged_cutover",): ("few_turned_away",)},
    constraints=2,
)

HOUR, OPENING, CALLED_OFF, BOUND = 3_600, 36_000, 72_000, 1
COMPONENTS = ("accounts", "payments")


class Site:
    """A data centre: the components that it has so far."""

    def __init__(self, sim: racewindow.Simulation, name: str, complete_at: int) -> None:
        self._sim, self.name, self._complete_at = sim, name, complete_at
        self._installed: Cell[tuple[str, ...]] = Cell((), name=f"{name}.components")

    @property
    def absent(self) -> tuple[str, ...]:
        """What is still missing."""
        installed = self._installed.get()
        return tuple(component for component in COMPONENTS if component not in installed)

    async def provision(self, process: Instance) -> None:
        """Install one component an hour, the last one when the site is due."""
        process.ready()
        for number, component in enumerate(COMPONENTS, start=1):
            await trio.sleep_until(self._complete_at - (len(COMPONENTS) - number) * HOUR)
            self._installed.set((*self._installed.get(), component))
            self._sim.emit("component.installed", site=self.name, component=component)


class Cutover:
    """The weekend: what is moved, tried and opened, and the customers."""

    def __init__(self, sim: racewindow.Simulation, customers: int) -> None:
        self._sim, self._customers = sim, customers
        self._supervisor, self._network = Supervisor(sim.spawn), Network(sim.spawn)
        self._sites = {name: Site(sim, name, at) for name, at in (("dc-1", OPENING - 2 * HOUR), ("dc-2", OPENING))}
        self._tried: Cell[tuple[str, ...]] = Cell((), name="sites tried")
        self._rows_moved = Cell(0, name="rows moved")
        self._platform: Cell[str | None] = Cell(None, name="platform")
        self._turned_away = Cell(0, name="turned away")

    def start(self) -> None:
        """Start everything."""
        start = self._supervisor.start
        for site in self._sites.values():
            start(site.provision, f"provisioner-{site.name}")
        start(self._move_rows, "migration")
        start(self._rehearse, "rehearsal")
        start(self._open, "operator")
        start(self._come, "customers")

    async def _move_rows(self, process: Instance) -> None:
        """Move the row of each customer."""
        process.ready()
        for _ in range(self._customers):
            await trio.sleep(HOUR)
            self._rows_moved.update(lambda rows: rows + 1)

    async def _rehearse(self, process: Instance) -> None:
        """Try the first site, as soon as it is complete."""
        process.ready()
        await self._try("dc-1")

    async def _try(self, name: str) -> None:
        """Try a site when it is complete; one that never is has not been tried."""
        with trio.move_on_at(CALLED_OFF):
            await racewindow.until(lambda: not self._sites[name].absent)
            self._tried.update(lambda tried: (*tried, name))
            self._sim.emit("site.tried", site=name)

    async def _open(self, process: Instance) -> None:
        """Let customers in at the planned time."""
        process.ready()
        await trio.sleep_until(OPENING)
        if self._sim.safeguard("copy_complete"):
            await racewindow.until(lambda: self._rows_moved.get() == self._customers)
        if self._sim.safeguard("independent_validation"):
            for name in self._sites:
                if name not in self._tried.get():
                    await self._try(name)
            if len(self._tried.get()) < len(self._sites):
                self._platform.set("old")
                self._sim.emit("cutover.called_off")
                return
        self._platform.set("new")
        tried = self._tried.get()
        self._sim.emit("maintenance.left", by="the operator", checked=tried, serving=tuple(self._sites), to="all sites")
        await trio.sleep((self._customers + 1) * HOUR)
        self._sim.emit("customers.counted", turned_away=self._turned_away.get(), bound=BOUND)

    async def _come(self, process: Instance) -> None:
        """Come when it is open, all at once or in groups, each to whichever site answers."""
        process.ready()
        await racewindow.until(lambda: self._platform.get() is not None)
        if self._platform.get() == "old":
            return
        for number in range(1, self._customers + 1):
            if self._sim.safeguard("staged_cutover") and number > 1:
                await trio.sleep(HOUR)
                if self._turned_away.get():
                    self._sim.emit("customer.old", customer=number)
                    continue
            site = self._sites[self._sim.choose(list(self._sites))]
            await self._network.call(site.name, self._serve, site, number)

    async def _serve(self, site: Site, number: int) -> None:
        absent = site.absent
        self._sim.emit("config.activated", consumer=site.name, config="customers", rows=0, limit=0, absent=absent)
        if absent:
            self._turned_away.update(lambda count: count + 1)
            self._sim.emit("customer.turned_away", customer=number, site=site.name, absent=listed(absent))
        else:
            self._sim.emit("customer.served", customer=number, site=site.name)


@racewindow.scenario(
    safeguards=TSB_CUTOVER,
    checks=(validate_before_exit, config_valid_before_activate, few_turned_away),
    faults=(
        Delay(target="customers", seconds=60),
        Pause(target="provisioner-*", seconds=2 * HOUR),
        Crash(target="provisioner-*"),
    ),
    narrate=told(
        {
            "component.installed": "{site} has {component}",
            "site.tried": "{site} has been tried: all is well",
            "maintenance.left": "{by} lets customers in to {to}",
            "cutover.called_off": "the operator calls it off: all stay on the old platform",
            "customer.served": "customer {customer} is served by {site}",
            "customer.turned_away": "customer {customer} is turned away: {site} has no {absent}",
            "customer.old": "customer {customer} stays on the old platform",
        }
    ),
    incident="2018-04-22, TSB",
)
async def tsb_cutover(sim: racewindow.Simulation, *, customers: int = 2) -> None:
    """All customers move at once to two sites, of which one has been tried and the other is not complete.

    customers: who come when the platform opens; no more than one may be turned away.
    """
    at_least(1, customers=customers)
    Cutover(sim, customers).start()
