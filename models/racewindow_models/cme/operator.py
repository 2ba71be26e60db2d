"""The operator: reads the estimate, and decides whether to wait for site A or to fail over to site B.

Once, on a call after the first attempt, if nothing else is switched on. With `re_evaluate` again and again while the
market is closed, and once more before the market is given away.
"""

from __future__ import annotations

from functools import partial

import trio

import racewindow
from racewindow import Cell, Network, Supervisor
from racewindow_models.cme.estimator import Estimate, Estimator
from racewindow_models.cme.registry import Registry
from racewindow_models.cme.site import Site
from racewindow_models.units import TimeNs, to_trio_seconds


class Operator:
    """Decides, and carries out what is decided.

    `call_ns`: when the first decision is made. `brief_ns`: the longest outage that is waited out. `start_up_ns`: how
    long site B takes to start. `again_ns`: time between two decisions, None with `re_evaluate` off. `end_ns`: when site
    A is back at the latest, and nothing is left to decide. `at_once`: fail over whatever the estimate says, unless the
    outage is over.
    """

    def __init__(
        self,
        sim: racewindow.Simulation,
        network: Network,
        supervisor: Supervisor,
        *,
        estimator: Estimator,
        registry: Registry,
        site_b: Site,
        call_ns: TimeNs,
        brief_ns: TimeNs,
        start_up_ns: TimeNs,
        again_ns: TimeNs | None,
        end_ns: TimeNs,
        at_once: bool,
    ) -> None:
        self._sim, self._network, self._supervisor = sim, network, supervisor
        self._estimator, self._registry, self._site_b = estimator, registry, site_b
        self._call_ns, self._brief_ns, self._start_up_ns = call_ns, brief_ns, start_up_ns
        self._again_ns, self._end_ns, self._at_once = again_ns, end_ns, at_once
        self._started = Cell(value=False, name="site-b.started")

    async def run(self) -> None:
        """From the first decision to the last."""
        await trio.sleep(0 if self._at_once else to_trio_seconds(self._call_ns))
        if self._again_ns is not None:
            await self._decide_until_it_is_over(self._again_ns)
        elif self._fails_over(await self._decide()):
            self._start_site_b()
            await racewindow.until(lambda: self._site_b.is_up)
            await self._give_to_site_b()

    async def _decide_until_it_is_over(self, again_ns: TimeNs) -> None:
        estimate = await self._decide()
        while not estimate.is_over and self._sim.now_ns < self._end_ns:
            if self._fails_over(estimate):
                if self._site_b.is_up:
                    await self._give_to_site_b()
                    return
                self._start_site_b()
                with trio.move_on_after(to_trio_seconds(again_ns)):
                    await racewindow.until(lambda: self._site_b.is_up)
            else:
                await trio.sleep(to_trio_seconds(again_ns))
            estimate = await self._decide()

    async def _decide(self) -> Estimate:
        """Read the estimate and decide by it; the decision stands until the next."""
        estimate = await self._network.call_until_answered("estimator", self._estimator.read)
        self._sim.emit(
            "operator.decided",
            estimate=estimate,
            fails_over=self._fails_over(estimate),
            at_ns=self._sim.now_ns,
        )
        return estimate

    def _fails_over(self, estimate: Estimate) -> bool:
        return not estimate.is_over and (self._at_once or estimate.left_ns > self._brief_ns)

    def _start_site_b(self) -> None:
        if not self._started.get():
            self._started.set(True)
            self._supervisor.start(partial(self._site_b.start_up, self._start_up_ns), self._site_b.name)

    async def _give_to_site_b(self) -> None:
        lease = await self._network.call_until_answered("registry", self._registry.take, self._site_b.name)
        await self._site_b.open_the_market(lease)
