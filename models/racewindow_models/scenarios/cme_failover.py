"""CME, 2025-11-27: the exchange waited for a data centre on an estimate that had long stopped being true.

What happened [C, confirmed by the operator or a primary document, partly as quoted by the press]
    The data centre CyrusOne CHI1 in Aurora, Illinois, lost its cooling. Staff and contractors had not followed the
    procedure to drain cooling towers before freezing; "initial remediation attempts further exacerbated the problem".
    Trading halted at about 20:40 CT on 27 November, futures and options were back at 07:30 CT on the 28th, after 10 h
    50 min; BrokerTec EU and EBS came first. The disaster-recovery site near New York was not used, because the
    information at hand pointed to a brief outage.

What is reported by the press only [P]
    EBS was back at 06:00 CT. The site had been sold and leased back in 2016. A thin session widened the effect.

What is inferred [I]
    As a race: the check (an estimate) and its use (to stay) are apart, the input changes in between, and nobody looks
    again. The opposite failure is as near: fail over, and the first site comes back.

What is modelled here, and claimed by nobody
    The decision is made on a call at the time when the first attempt to repair the plant should be over. The plant is
    repaired in two attempts and then the long way. Whether an attempt works is for the search to choose, so estimates
    are wrong in both directions. Site A opens the market by itself when it has cooling again, if the registry says
    that the market is still its own. Site B takes as long to start as the second attempt.

        operator:    r(estimate 1: 20 min) -> stay
        | plant:     the attempt fails
        estimator:   w(estimate 2: 9 h)                          # decision_inputs_fresh: nobody looks again

        operator:    r(estimate 2) -> fail over ; start(site-b)
        site-a:      the second attempt works ; r(registry) -> site-a
        | operator:  w(registry, site-b) ; site-b opens         # single_active_writer: both are active

Tasks: `plant`, `estimator`, `site-a`, `site-b`, `operator`; `registry` and `clearing` are asked by calls.
Parameters, in minutes: `outage_minutes` (650), `attempt_minutes`, `start_up_minutes` (site B), `brief_minutes` (the
longest outage that is waited out), `re_evaluate_minutes`, `fresh_minutes` (the bound of the checker) and
`stage_minutes` (between the two stages: 90, from 06:00 to 07:30). All but the first and the last are illustrative.
Faults (`--faults K`): a call is late, the estimator is slow, a step of the reopening is skipped or repeated.

Expected verdicts, held by the tests
    Without safeguards: `decision_inputs_fresh` and `single_active_writer` are violated, by one constraint each.
    `re_evaluate` closes the first alone and `fencing` the second alone; together they close both. `failover_at_once`,
    which is not part of "all", closes the first and leaves the second. A failover with fencing is the control: silent
    in every order. What a failover costs that was not needed is not modelled.
    Re-evaluation at longer intervals than the bound does not close the first.
"""

from __future__ import annotations

from functools import partial

import racewindow
from racewindow import Network, Supervisor
from racewindow_faults.network import Delay
from racewindow_faults.operator import Repeat, Skip
from racewindow_faults.process import Stall
from racewindow_models.cme.checkers import (
    decision_inputs_fresh,
    eventually_reopens,
    single_active_writer,
    validate_before_exit,
)
from racewindow_models.cme.clearing import Clearing
from racewindow_models.cme.estimator import Estimator
from racewindow_models.cme.narrate import narrate
from racewindow_models.cme.operator import Operator
from racewindow_models.cme.plant import ATTEMPTS, Plant
from racewindow_models.cme.registry import SITE_A, SITE_B, Registry
from racewindow_models.cme.showing import FAILOVER
from racewindow_models.cme.site import Site
from racewindow_models.expected import Expected
from racewindow_models.units import TimeNs, nanoseconds

EXPECTED = Expected(
    ident="S-CME-1",
    violates=("decision_inputs_fresh", "single_active_writer"),
    closed_by=(("re_evaluate", "fencing"), ("fencing", "failover_at_once")),
    not_closed_by=(("re_evaluate",), ("fencing",), ("failover_at_once",)),
    closes_only={
        ("re_evaluate",): ("decision_inputs_fresh",),
        ("fencing",): ("single_active_writer",),
        ("failover_at_once",): ("decision_inputs_fresh",),
    },
    constraints=1,
)


@racewindow.scenario(
    safeguards={
        "re_evaluate": "the operator decides again at intervals, and before the market is given away",
        "fencing": "clearing refuses what carries an older token than the newest one that it has seen",
        "failover_at_once": "the operator fails over whatever the estimate says",
    },
    not_in_all=("failover_at_once",),
    checks=(single_active_writer, decision_inputs_fresh, validate_before_exit, eventually_reopens),
    faults=(
        Delay(seconds=60),
        Stall(target="estimator", seconds=1_800),
        Skip(),
        Repeat(),
    ),
    display=FAILOVER,
    narrate=narrate,
    incident="2025-11-27, CME",
)
async def cme_failover(
    sim: racewindow.Simulation,
    *,
    outage_minutes: int = 650,
    attempt_minutes: int = 20,
    start_up_minutes: int = 20,
    brief_minutes: int = 60,
    re_evaluate_minutes: int = 15,
    fresh_minutes: int = 15,
    stage_minutes: int = 90,
) -> None:
    """A site loses its cooling; the operator waits for it, or fails over to another, on an estimate that changes.

    outage_minutes: from the halt until both stages are open at site A, if no attempt to repair its plant works.
    attempt_minutes: what one of two such attempts takes; the operator decides after the first. start_up_minutes: what
    site B takes. brief_minutes: the longest outage that is waited out. re_evaluate_minutes: between two decisions with
    re_evaluate. fresh_minutes: how soon a decision has to be made again once its estimate has changed. stage_minutes:
    from the first stage of the reopening to the second.
    """
    minutes = _checked(
        outage_minutes=outage_minutes,
        attempt_minutes=attempt_minutes,
        start_up_minutes=start_up_minutes,
        brief_minutes=brief_minutes,
        re_evaluate_minutes=re_evaluate_minutes,
        fresh_minutes=fresh_minutes,
        stage_minutes=stage_minutes,
    )
    cold_ns = TimeNs(minutes["outage_minutes"] - minutes["stage_minutes"])
    network, supervisor = Network(sim.spawn), Supervisor(sim.spawn)
    plant = Plant(sim, attempt_ns=minutes["attempt_minutes"], outage_ns=cold_ns)
    estimator, registry = Estimator(sim, plant), Registry(sim)
    clearing = Clearing(sim, fencing=sim.safeguard("fencing"))
    site_a, site_b = (
        Site(sim, network, name, registry=registry, clearing=clearing, stage_ns=minutes["stage_minutes"])
        for name in (SITE_A, SITE_B)
    )
    operator = Operator(
        sim,
        network,
        supervisor,
        estimator=estimator,
        registry=registry,
        site_b=site_b,
        call_ns=minutes["attempt_minutes"],
        brief_ns=minutes["brief_minutes"],
        start_up_ns=minutes["start_up_minutes"],
        again_ns=minutes["re_evaluate_minutes"] if sim.safeguard("re_evaluate") else None,
        end_ns=minutes["outage_minutes"],
        at_once=sim.safeguard("failover_at_once"),
    )
    supervisor.start(plant.run, "plant")
    supervisor.start(estimator.run, "estimator")
    supervisor.start(partial(site_a.come_back, plant), SITE_A)
    sim.spawn(operator.run, name="operator")


def _checked(**minutes: int) -> dict[str, TimeNs]:
    """The parameters as spans. Raises UsageError for one that makes no sense."""
    least = {"outage_minutes": ATTEMPTS * minutes["attempt_minutes"] + minutes["stage_minutes"] + 1}
    for name, value in minutes.items():
        if value < least.get(name, 1):
            raise racewindow.UsageError(
                f"the parameter {name!r} cannot be {value}.", why=f"it has to be at least {least.get(name, 1)}."
            )
    return {name: nanoseconds(60 * value) for name, value in minutes.items()}
