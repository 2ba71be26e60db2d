"""Cloudflare, 2025-11-18: while a change rolls over the nodes of a cluster, good and bad files alternate.

What happened [C, confirmed by the operator]
    A permission change was rolled over the nodes of a ClickHouse cluster, one after the other. A metadata query without
    a database filter then returned duplicate rows. From it the feature file of bot management is generated every 5
    minutes: it was good or bad depending on which node answered. A file may have 200 features; about 60 are in use.
    Over the limit the new proxy (FL2) panics and answers 5xx; the old proxy (FL) gives a bot score of 0. The
    fluctuation made it look like an attack. Files were stopped at 14:24, and a good one was put in by hand.

What is modelled here
    upgrader:   grant(node-1)
    | builder:  query(node-1) -> over the limit ; proxy-1: panic        # config_valid_before_activate
                                                  proxy-2: score 0      # no_default_in_use
    builder:    query(node-2) -> good ; proxies ok ; monitor: "over"    # recovery_seen_everywhere

    The change reaches the k-th node in round k of the builder, in the same instant: either may be first. Which node
    answers is a choice. Another proxy starts in the second round and loads the file that is there; it has no last
    good one. The monitor samples every proxy half a round after each round; it sees errors, and no score of 0.

What closes what (expected verdicts, held by the tests)
    `keep_last_good` or `validate_at_builder`, each alone. A proxy that has no last good file stays out of service.
    Not `canary`: the file of the canary may come from a good node, and the next one, for everybody, from a bad one.
    `independent_validation` closes the premature all-clear only.

Illustrative numbers: `copies`, how often a bad answer names each feature (only "doubled in size" is reported, so the
real count of rows is not known); 3 nodes, 2 proxies, one node each 5 minutes.
"""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import trio

import racewindow
from racewindow import Cell, Instance, Network, Supervisor, TrackedDict
from racewindow_faults.network import Delay
from racewindow_faults.process import Crash, Pause
from racewindow_models.checkers_rollout import (
    config_valid_before_activate,
    no_default_in_use,
    recovery_seen_everywhere,
)
from racewindow_models.expected import Expected
from racewindow_models.sizes import at_least
from racewindow_models.telling import told

ROUND_SECONDS = 300
FEATURES, LIMIT = 60, 200

CLOUDFLARE_ROLLOUT = {
    "keep_last_good": "a proxy refuses a file over its limit and keeps its last good one; if it has none it waits",
    "validate_at_builder": "the builder counts the rows of a file and does not distribute one over the limit",
    "independent_validation": "the monitor declares recovery only after it has asked every node itself",
    "canary": "a file goes to one proxy first; if that stays healthy, the next file goes to all",
}

EXPECTED = Expected(
    ident="S-CF-1",
    violates=("config_valid_before_activate", "no_default_in_use", "recovery_seen_everywhere"),
    closed_by=(("keep_last_good",), ("validate_at_builder",)),
    not_closed_by=(("canary",), ("independent_validation",), ("canary", "independent_validation")),
    closes_only={("independent_validation",): ("recovery_seen_everywhere",)},
    constraints=2,
)


class FeatureFile(NamedTuple):
    """A generated file: which round it is of, which node gave its rows, and how many those are."""

    number: int
    node: str
    rows: int

    def __str__(self) -> str:
        return f"file {self.number} (rows of {self.node})"


class Cluster:
    """The database nodes, of which some have the new permissions already.

    `copies`: how often a query names each feature on those; 1 if it names the database that it is about.
    """

    def __init__(self, nodes: int, copies: int) -> None:
        self.nodes = tuple(f"node-{number}" for number in range(1, nodes + 1))
        self._copies = copies
        self._permissions = TrackedDict(dict.fromkeys(self.nodes, "old"), name="permissions")

    async def grant(self, node: str) -> None:
        """Give one node the new permissions."""
        self._permissions[node] = "new"

    async def query(self, node: str) -> int:
        """The rows with which one node answers the metadata query."""
        return FEATURES * (self._copies if self._permissions[node] == "new" else 1)


class Proxy:
    """A proxy with its file: over the limit an old one gives a score of 0, and a new one panics."""

    def __init__(self, sim: racewindow.Simulation, name: str, *, is_old: bool) -> None:
        self._sim, self.name, self._is_old = sim, name, is_old
        self.file: Cell[FeatureFile | None] = Cell(None, name=f"{name}.file")

    async def load(self, file: FeatureFile) -> None:
        """Switch to a file."""
        if self._sim.safeguard("keep_last_good") and file.rows > LIMIT:
            last = self.file.get()
            what = "does not serve, having no other" if last is None else f"keeps {last}"
            self._sim.emit("guard.kept", proxy=self.name, refused=str(file), what=what)
            return
        self.file.set(file)
        self._sim.emit("config.activated", consumer=self.name, config=str(file), rows=file.rows, limit=LIMIT, absent=())

    async def handle(self) -> FeatureFile | None:
        """Answer a request: the file that the answer rests on, None for an error."""
        file = self.file.get()
        if file is None or (file.rows > LIMIT and not self._is_old):
            return None
        scored = file.rows <= LIMIT
        self._sim.emit("value.used", consumer=self.name, value="bot score", amount=30 if scored else 0, present=scored)
        return file


class Edge:
    """What is between the builder and the customers: the newest file, and the proxies that work with one."""

    def __init__(self, sim: racewindow.Simulation, cluster: Cluster, proxies: int, rounds: int) -> None:
        self._sim, self._cluster, self._rounds = sim, cluster, rounds
        self._supervisor, self._network = Supervisor(sim.spawn), Network(sim.spawn)
        first = FeatureFile(0, cluster.nodes[0], FEATURES)
        self._newest = Cell(first, name="distribution.newest")
        self._proxies = [Proxy(sim, f"proxy-{n}", is_old=n % 2 == 0) for n in range(1, proxies + 1)]

    def start(self) -> None:
        """Start everything."""
        start = self._supervisor.start
        for proxy in self._proxies:
            proxy.file.set(self._newest.get())
            self._start(proxy)
        start(self._build, "builder")
        start(self._upgrade, "upgrader")
        start(self._scale_up, "autoscaler")
        start(self._monitor, "monitor")

    def _start(self, proxy: Proxy) -> None:
        async def life(process: Instance) -> None:
            if proxy.file.get() is None:
                await proxy.load(self._newest.get())
            process.ready()
            await trio.sleep_until((self._rounds + 1) * ROUND_SECONDS)

        instance = self._supervisor.start(life, proxy.name)
        self._network.serve(proxy.name, lambda: instance)

    async def _upgrade(self, process: Instance) -> None:
        """Give one node after the other the new permissions."""
        process.ready()
        for number, node in enumerate(self._cluster.nodes[: self._rounds], start=1):
            await trio.sleep_until(number * ROUND_SECONDS)
            await self._network.call(node, self._cluster.grant, node)
            self._sim.emit("node.upgraded", node=node)

    async def _build(self, process: Instance) -> None:
        """Make a file in each round and distribute it."""
        process.ready()
        for number in range(1, self._rounds + 1):
            await trio.sleep_until(number * ROUND_SECONDS)
            node = self._sim.choose(self._cluster.nodes)
            file = FeatureFile(number, node, await self._network.call(node, self._cluster.query, node))
            if self._sim.safeguard("validate_at_builder") and file.rows > LIMIT:
                self._sim.emit("guard.refused", file=str(file), rows=file.rows)
                continue
            self._sim.emit("file.built", file=str(file), rows=file.rows)
            await self._distribute(file)

    async def _distribute(self, file: FeatureFile) -> None:
        fleet = self._proxies
        if self._sim.safeguard("canary"):
            first = self._proxies[0]
            if file.number == 1:
                fleet = [first]
            elif await self._asked(first) is None:
                return
        if fleet is self._proxies:
            self._newest.set(file)
        for proxy in fleet:
            with contextlib.suppress(racewindow.CallError):  # one that is down loads the newest file when it starts
                await self._network.call(proxy.name, proxy.load, file)

    async def _scale_up(self, process: Instance) -> None:
        """Start one more proxy in the second round, with nothing in memory."""
        process.ready()
        await trio.sleep_until(2 * ROUND_SECONDS)
        self._start(Proxy(self._sim, "proxy-new", is_old=False))

    async def _monitor(self, process: Instance) -> None:
        """Send a request through every proxy from time to time, and say when errors begin and when they are over."""
        process.ready()
        is_failing = False
        for number in range(1, self._rounds + 1):
            await trio.sleep_until((number + 0.5) * ROUND_SECONDS)
            answers = [await self._asked(proxy) for proxy in self._proxies]
            good = [file for file in answers if file is not None]
            if len(good) < len(answers):
                is_failing = True
                self._sim.emit("monitor.errors", count=len(answers) - len(good), of=len(answers))
            elif is_failing:
                seen = await self._nodes_seen(good)
                if len(seen) == len(self._cluster.nodes) or not self._sim.safeguard("independent_validation"):
                    is_failing = False
                    self._sim.emit("recovery.declared", by="monitor", seen=seen, all=self._cluster.nodes)

    async def _asked(self, proxy: Proxy) -> FeatureFile | None:
        try:
            return await self._network.call(proxy.name, proxy.handle)
        except racewindow.CallError:
            return None

    async def _nodes_seen(self, files: list[FeatureFile]) -> tuple[str, ...]:
        """The nodes that are known to give good rows: by the files in use, or by asking each."""
        if not self._sim.safeguard("independent_validation"):
            return tuple(dict.fromkeys(file.node for file in files if file.rows <= LIMIT))
        call, query = self._network.call, self._cluster.query
        return tuple([node for node in self._cluster.nodes if await call(node, query, node) <= LIMIT])


@racewindow.scenario(
    safeguards=CLOUDFLARE_ROLLOUT,
    checks=(config_valid_before_activate, no_default_in_use, recovery_seen_everywhere),
    faults=(Delay(target="upgrader", seconds=300), Pause(target="builder", seconds=300), Crash(target="proxy-*")),
    narrate=told(
        {
            "node.upgraded": "{node} has the new permissions",
            "file.built": "the builder distributes {file}: {rows} rows",
            "guard.refused": "alarm: the builder does not distribute {file}: {rows} rows",
            "guard.kept": "alarm: {proxy} refuses {refused}, and {what}",
            "config.activated": "{consumer} takes {config}: {rows} of {limit}",
            "value.used": "{consumer} answers a request with {value} {amount}",
            "monitor.errors": "the monitor sees {count} of {of} proxies answer with an error",
            "recovery.declared": "the {by} declares that it is over",
        }
    ),
    incident="2025-11-18, Cloudflare",
)
async def cloudflare_rollout(
    sim: racewindow.Simulation, *, nodes: int = 3, proxies: int = 2, rounds: int = 2, copies: int = 4
) -> None:
    """Files are generated from whichever node answers while a change rolls over the nodes: good and bad alternate.

    nodes: of the database. proxies: by turns new (they panic) and old (they give a score of 0); one more starts in the
    second round. rounds: of the builder, 300 s each; in each of them the change reaches one more node. copies: how
    often a node with the new permissions names each feature; 1 is a query that names its database.
    """
    at_least(1, nodes=nodes, proxies=proxies, rounds=rounds, copies=copies)
    Edge(sim, Cluster(nodes, copies), proxies, rounds).start()
