"""dYdX Chain, 2025-10-11: after the halt the chain traded and liquidated at the prices of before.

What happened [C, confirmed by the operator or a primary document]
    The chain halted at about 21:35 UTC (see `racewindow_models.scenarios.dydx_settlement`) and was back shortly after
    04:00. On resumption the matching engine used stale oracle prices, because validators restarted their oracle
    sidecars slowly: trades and liquidations at wrong prices. No on-chain funds were lost. 27 claims, $462,097.79 in
    all, were put to a vote, to be paid from the insurance fund. Since v4.0 withdrawals and transfers had been gated for
    50 blocks after an outage; [I] that gate did not cover liquidations.

What is reported by the press only [P]
    Trading was out for about 8 hours.

What is modelled here, from documented mechanics
    The price on the chain has no timestamp. An update is accepted with votes from two thirds of the stake; freshness is
    checked only by the producer, the node that votes (30 s, and a TTL of 10 s). Nodes and sidecars are separate
    processes, so there are two quorums, started independently. The operator starts four nodes, then four sidecars.

        operator:     start(node-1 .. node-3)                          # enough for blocks
        | liquidator: r(chain.price) -> $100, 6.5 h old ; liquidate    # no_unknown_age, liquidation_last
        operator:     start(sidecar-1 .. sidecar-3)                    # enough for a price: $115

Tasks: `operator` (a runbook), `node-1` to `node-4`, `sidecar-1` to `sidecar-4`, `chain`, `engine`, `liquidator`.
Parameters: `outage_seconds` (the halt; 6.5 h), `trading_seconds` (when trading is to be back; 8 h), `price_usd` and
`move_percent` (the price at the halt and what it has moved since), `max_age_seconds` (30 s), `ttl_seconds` (10 s),
`grace_seconds`, `fresh_sidecars` (of the four), `source_ts_on_chain` (whether `age_guard` has a time to look at).
Illustrative: the price, a move of 15%, the positions, a maintenance margin of 5%, the grace of 600 s.
Faults (`--faults K`): the operator is slow, a sidecar is slow, a call is late.

Expected verdicts, held by the tests
    Without safeguards: `no_unknown_age`, `liquidation_last` and `no_false_liquidation` are violated. Smallest failing
    order: one constraint, a use of the price before the third sidecar is up. Closed by `age_guard` or by
    `halt_until_fresh`. `liquidation_grace` is only a timer: it closes the two about liquidations if no sidecar is
    later than the grace, and not `no_unknown_age`, because orders are filled all the same.
    Not closed by a stricter TTL of the producer (`ttl_seconds=1`): its silence is what leaves the old value in place.
    Three fresh sidecars and a stale one are enough (`fresh_sidecars=3`). With two there is never a price: without
    safeguards everything goes on at the old one, with either closing safeguard `eventually_reopens` is violated; so it
    is with `age_guard` and `source_ts_on_chain=false`.
    Controls, silent with a closing safeguard: a halt of 8 h with fresh prices before liquidation, a true fall of 16%
    and a true negative price, by both of which accounts are rightly liquidated.
"""

from __future__ import annotations

import trio

import racewindow
from racewindow import Network, Supervisor
from racewindow_faults.network import Delay
from racewindow_faults.process import Stall
from racewindow_models.dydx.checkers_restart import (
    eventually_reopens,
    liquidation_last,
    no_false_liquidation,
    no_unknown_age,
)
from racewindow_models.dydx.consensus import Consensus
from racewindow_models.dydx.consumers import Engine, Liquidator
from racewindow_models.dydx.narrate_restart import narrate
from racewindow_models.dydx.positions import Subaccount, dollars
from racewindow_models.dydx.prices import VALIDATORS, TruePrice
from racewindow_models.dydx.showing import PRICES
from racewindow_models.dydx.validator import Process, Validator
from racewindow_models.expected import Expected
from racewindow_models.runbook import Step, carry_out
from racewindow_models.units import E8, AccountName, SizeE8, TimeNs, nanoseconds

EXPECTED = Expected(
    ident="S-DYDX-2",
    violates=("no_unknown_age", "liquidation_last", "no_false_liquidation"),
    closed_by=(("age_guard",), ("halt_until_fresh",)),
    not_closed_by=(("liquidation_grace",),),
    closes_only={("liquidation_grace",): ("liquidation_last", "no_false_liquidation")},
    constraints=1,
)
SUBACCOUNTS = (
    Subaccount(AccountName("alice"), SizeE8(10 * E8), dollars(-960)),
    Subaccount(AccountName("bob"), SizeE8(-10 * E8), dollars(1_040)),
)
"""A long and a short of 10 each, which at a price of $100 are both worth $40 and need $50."""

BLOCK_NS = nanoseconds(1)
"""About the time between two blocks."""


@racewindow.scenario(
    safeguards={
        "age_guard": "prices carry their time, and engine and liquidator refuse one that is older than max_age",
        "halt_until_fresh": "trading and liquidation begin only with the first price that is accepted",
        "liquidation_grace": "the liquidator waits for some time after the first block",
    },
    checks=(no_false_liquidation, liquidation_last, no_unknown_age, eventually_reopens),
    faults=(Stall(target="operator", seconds=300), Stall(target="sidecar-*", seconds=300), Delay(seconds=10)),
    display=PRICES,
    narrate=narrate,
    incident="2025-10-11, dYdX",
)
async def dydx_stale_oracle(
    sim: racewindow.Simulation,
    *,
    outage_seconds: int = 23_400,
    trading_seconds: int = 28_800,
    price_usd: int = 100,
    move_percent: int = 15,
    max_age_seconds: int = 30,
    ttl_seconds: int = 10,
    grace_seconds: int = 600,
    fresh_sidecars: int = 4,
    source_ts_on_chain: bool = True,
) -> None:
    """A chain restarts with enough nodes for blocks before there are enough oracle sidecars for a price.

    outage_seconds: from the halt to the restart. trading_seconds: from the halt until engine and liquidator look again
    if they have to. price_usd: at the halt. move_percent: what the price has moved by the restart. max_age_seconds: the
    oldest price that may be used. ttl_seconds: the oldest that a node votes for. grace_seconds: how long the liquidator
    waits with liquidation_grace. fresh_sidecars: how many of the four have a source for prices. source_ts_on_chain:
    whether with age_guard the chain keeps the time that a price is of.
    """
    _check(outage_seconds, trading_seconds, fresh_sidecars, ttl_seconds)
    truth, again_ns = TruePrice.moved(price_usd, move_percent), nanoseconds(trading_seconds)
    network, supervisor = Network(sim.spawn), Supervisor(sim.spawn)
    validators = [
        Validator(
            sim,
            number,
            truth,
            stale=number > fresh_sidecars,
            ttl_ns=nanoseconds(ttl_seconds),
            end_ns=TimeNs(again_ns + 2 * BLOCK_NS),
        )
        for number in range(1, VALIDATORS + 1)
    ]
    guarded = sim.safeguard("age_guard")
    chain = Consensus(
        sim,
        network,
        validators,
        truth,
        halt_until_fresh=sim.safeguard("halt_until_fresh"),
        with_source_ts=guarded and source_ts_on_chain,
    )
    max_age_ns = nanoseconds(max_age_seconds) if guarded else None
    engine = Engine(sim, network, chain, truth, again_ns=again_ns, max_age_ns=max_age_ns)
    liquidator = Liquidator(sim, network, chain, truth, again_ns=TimeNs(again_ns + BLOCK_NS), max_age_ns=max_age_ns)
    liquidator.watch(SUBACCOUNTS, nanoseconds(grace_seconds) if sim.safeguard("liquidation_grace") else TimeNs(0))
    sim.spawn(carry_out, runbook(supervisor, validators, outage_seconds), name="operator")
    supervisor.start(chain.run, "chain")
    supervisor.start(engine.run, "engine")
    supervisor.start(liquidator.run, "liquidator")


def runbook(supervisor: Supervisor, validators: list[Validator], outage_seconds: int) -> list[Step]:
    """Wait for the end of the outage, start the nodes one by one, start the sidecars one by one.

    The operator sees that each is up before the next; but blocks are made long before the last.
    """

    async def wait() -> None:
        await trio.sleep(outage_seconds)

    def starting(process: Process) -> Step:
        async def act() -> None:
            await trio.lowlevel.checkpoint()
            supervisor.start(process.run, process.name)
            await racewindow.until(lambda: process.is_up)

        return Step(f"start {process.name}", act)

    nodes = [starting(each.node) for each in validators]
    sidecars = [starting(each.sidecar) for each in validators]
    return [Step("wait for the end of the outage", wait), *nodes, *sidecars]


def _check(outage_seconds: int, trading_seconds: int, fresh_sidecars: int, ttl_seconds: int) -> None:
    """Raises UsageError for a size that makes no sense."""
    for name, value, least, most in (
        ("outage_seconds", outage_seconds, 1, None),
        ("ttl_seconds", ttl_seconds, 0, None),
        ("fresh_sidecars", fresh_sidecars, 0, VALIDATORS),
        ("trading_seconds", trading_seconds, outage_seconds + 1, None),
    ):
        if value < least or (most is not None and value > most):
            between = f"at least {least}" if most is None else f"from {least} to {most}"
            raise racewindow.UsageError(f"the parameter {name!r} cannot be {value}.", why=f"it has to be {between}.")
