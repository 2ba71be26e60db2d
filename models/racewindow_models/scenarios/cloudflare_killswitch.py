"""Cloudflare, 2025-12-05: a switch that turns a rule off everywhere at once, and code that needs the rule to be there.

What happened [C, confirmed by the operator]
    From 08:47 to 09:12 about 28% of the HTTP traffic was concerned. A global switch, which has no gradual rollout,
    turned off a test rule. The old proxy (FL1) then indexed an object that was missing because the rule had not been
    run.

What is modelled here
    operator:   w(switch, off)                       # to every proxy at once
    | proxy-2:  evaluate(request) -> no result ; r(result) of the rule -> missing: error

    A kill switch is a write like any other, and the removal of a row is as dangerous as a bad row: nothing is too
    large, something is not there. Each proxy takes the new rules in a step of its own; requests arrive meanwhile. The
    new proxy has no need of the result.

What closes what (expected verdicts, held by the tests)
    `presence_required`: the proxy treats a missing row as an error of the rules, and goes on with those it has.
    `validate_at_builder`: whoever distributes the switch looks first whether any proxy in use needs the row.
    Not `canary`: the one proxy that gets the switch first may be a new one, which does well. Not `delta_guard`, a
    check of how large the rules are: they only become smaller.

Control: `rule_in_use=false` turns off a rule that no proxy needs, and stays silent.

Illustrative: one new and one old proxy, a request to each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

import racewindow
from racewindow import Cell, Instance, Network, Supervisor
from racewindow_faults.network import Delay
from racewindow_faults.process import Crash, Pause
from racewindow_models.checkers_rollout import config_valid_before_activate, no_default_in_use
from racewindow_models.expected import Expected
from racewindow_models.sizes import at_least
from racewindow_models.telling import listed, told

CLOUDFLARE_KILLSWITCH = {
    "presence_required": "a proxy refuses rules without a row that it needs, and goes on with those it has",
    "validate_at_builder": "the operator's tool does not distribute rules without a row that some proxy needs",
    "canary": "the rules go to one proxy first, and to all if that answers a request without an error",
    "delta_guard": "a proxy refuses rules that have grown",
}

EXPECTED = Expected(
    ident="S-CF-1 (contrast)",
    violates=("config_valid_before_activate", "no_default_in_use"),
    closed_by=(("presence_required",), ("validate_at_builder",)),
    not_closed_by=(("canary",), ("delta_guard",), ("canary", "delta_guard")),
    constraints=1,
)

TEST_RULE, OTHER_RULE = "test-rule", "other-rule"
Rules = frozenset[str]


class Proxy:
    """A proxy with its rules, and those of them whose results its code indexes without looking."""

    def __init__(self, sim: racewindow.Simulation, name: str, rules: Rules, needs: Rules) -> None:
        self._sim, self.name, self.needs = sim, name, needs
        self._rules = Cell(rules, name=f"{name}.rules")

    async def take(self, rules: Rules) -> None:
        """Switch to other rules."""
        on, absent = self._sim.safeguard, sorted(self.needs - rules)
        if on("presence_required") and absent:
            self._sim.emit("guard.refused", who=self.name, why=f"{listed(absent)} would be missing")
        elif on("delta_guard") and len(rules) > len(self._rules.get()):
            self._sim.emit("guard.refused", who=self.name, why="there are more of them than before")
        else:
            self._rules.set(rules)
            what = f"rules without {TEST_RULE}"
            self._sim.emit("config.activated", consumer=self.name, config=what, rows=len(rules), limit=2, absent=absent)

    async def handle(self) -> bool:
        """Answer a request: run the rules, then put their results together; False for an error."""
        results = self._rules.get()
        await trio.lowlevel.checkpoint()
        for rule in sorted(self.needs):
            found = rule in results
            self._sim.emit(
                "value.used", consumer=self.name, value=f"the result of {rule}", amount=int(found), present=found
            )
        return self.needs <= results


@racewindow.scenario(
    safeguards=CLOUDFLARE_KILLSWITCH,
    checks=(config_valid_before_activate, no_default_in_use),
    faults=(Delay(target="operator", seconds=1), Pause(target="visitor", seconds=1), Crash(target="operator")),
    narrate=told(
        {
            "switch.off": "the operator turns {rule} off, everywhere at once",
            "canary.asked": "{proxy} has the rules first and answers {how}",
            "guard.refused": "{who} refuses the rules: {why}",
            "config.activated": "{consumer} switches to {config}",
            "value.used": "{consumer} indexes {value}: {amount}",
            "request.failed": "a request to {proxy} fails",
        }
    ),
    incident="2025-12-05, Cloudflare",
)
async def cloudflare_killswitch(
    sim: racewindow.Simulation, *, proxies: int = 2, requests: int = 1, rule_in_use: bool = True
) -> None:
    """A rule is turned off on all proxies at once, and the code of the old ones needs its result.

    proxies: by turns new (they do without) and old. requests: to each proxy. rule_in_use: whether any proxy needs it.
    """
    at_least(1, proxies=proxies, requests=requests)
    supervisor, network = Supervisor(sim.spawn), Network(sim.spawn)
    before: Rules = frozenset({TEST_RULE, OTHER_RULE})
    needed: Rules = frozenset({TEST_RULE}) if rule_in_use else frozenset()
    fleet = [Proxy(sim, f"proxy-{n}", before, needed if n % 2 == 0 else frozenset()) for n in range(1, proxies + 1)]

    async def turn_off(process: Instance) -> None:
        process.ready()
        rules, missed = before - {TEST_RULE}, [proxy.name for proxy in fleet if TEST_RULE in proxy.needs]
        if sim.safeguard("validate_at_builder") and missed:
            sim.emit("guard.refused", who="the operator's tool", why=f"{listed(missed)} need {TEST_RULE}")
            return
        if sim.safeguard("canary"):
            first = sim.choose(fleet)
            await network.call(first.name, first.take, rules)
            is_well = await network.call(first.name, first.handle)
            sim.emit("canary.asked", proxy=first.name, how="well" if is_well else "with an error")
            if not is_well:
                return
        sim.emit("switch.off", rule=TEST_RULE)
        for proxy in fleet:
            supervisor.start(_distributor(network, proxy, rules), f"switch-{proxy.name}")

    async def visit(process: Instance) -> None:
        process.ready()
        for _ in range(requests):
            for proxy in fleet:
                if not await network.call(proxy.name, proxy.handle):
                    sim.emit("request.failed", proxy=proxy.name)

    supervisor.start(visit, "visitor")
    supervisor.start(turn_off, "operator")


def _distributor(network: Network, proxy: Proxy, rules: Rules) -> Callable[[Instance], Awaitable[None]]:
    async def distribute(process: Instance) -> None:
        process.ready()
        await network.call(proxy.name, proxy.take, rules)

    return distribute
