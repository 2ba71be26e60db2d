"""AWS, 2025-10-19/20: a slow enactor writes an old plan over the newest, and the clean-up deletes it.

What happened [C, confirmed by the operator]
    From 06:48 to 09:40 UTC the regional endpoint of DynamoDB had no addresses; the region was clear at 21:20. Several
    enactors apply DNS plans, each on its own. One was unusually slow: it had checked that its plan was newer than the
    one in place, and wrote it long after. Meanwhile another had applied the newest plan and began to delete plans that
    were much older. So the record pointed at a plan that was deleted: it was empty, and the automation could not
    repair it.

What is modelled here
    enactor-1:  r(record) -> nothing newer: check ok
    | enactor-2:  check ok ; w(record, plan 5)
    | enactor-1:  w(record, plan 1)                          # generation_monotonic: the check was stale by then
    | enactor-2:  cleanup deletes plan 1                     # never_empty

    An enactor checks once, when it starts, and writes later: one step for each record. It is slow because others are
    scheduled first; nothing delays it. A record points at a plan; the store refuses to point one at a plan that is not
    there [I, inferred]. Whoever finds a record empty when it checks cannot go on, as the automation could not.

What closes what (expected verdicts, held by the tests)
    `cas_write`: check and write are one step. `cleanup_in_use_check` stops the emptiness and not the step back. Not
    `generation_check`, the same check once more just before the write, in a step of its own.

Illustrative numbers: plan 5 as the newest, how many plans are kept; two enactors (there were three: `enactors=3`).
"""

from __future__ import annotations

import racewindow
from racewindow import Instance, Network, Supervisor, TrackedDict
from racewindow_faults.network import Delay, Duplicate
from racewindow_faults.process import Pause
from racewindow_models.checkers_ownership import generation_monotonic, never_empty
from racewindow_models.expected import Expected
from racewindow_models.sizes import at_least
from racewindow_models.telling import told

AWS_DNS_PLAN = {
    "cas_write": "the store takes a plan only if it is newer than the one in the record: check and write are one step",
    "cleanup_in_use_check": "the clean-up does not delete a plan that a record points at",
    "generation_check": "an enactor checks once more just before each write, in a step of its own",
}

EXPECTED = Expected(
    ident="S-AWS-1",
    violates=("generation_monotonic", "never_empty"),
    closed_by=(("cas_write",),),
    not_closed_by=(("cleanup_in_use_check",), ("generation_check",), ("cleanup_in_use_check", "generation_check")),
    closes_only={("cleanup_in_use_check",): ("never_empty",)},
    constraints=3,
)

NEWEST, KEPT = 5, 3
"""The newest plan, and how many generations before the one just applied the clean-up leaves alone."""


class PlanStore:
    """The plans that there are, and the records that point at them; each method is one step."""

    def __init__(self, sim: racewindow.Simulation, records: tuple[str, ...]) -> None:
        self._sim, self.records = sim, records
        self._plans = TrackedDict(dict.fromkeys(range(NEWEST + 1), True), name="plans")
        self._records = TrackedDict(dict.fromkeys(records, 0), name="records")

    async def applied(self, record: str) -> int | None:
        """The generation of the plan that a record points at; None if that plan is not there."""
        generation = self._records[record]
        return generation if self._plans[generation] else None

    async def apply(self, record: str, generation: int, enactor: str) -> None:
        """Point a record at a plan."""
        replaced = self._records[record]
        if self._sim.safeguard("cas_write") and generation <= replaced:
            self._refused(record, generation, f"it points at plan {replaced}")
        elif not self._plans[generation]:
            self._refused(record, generation, "there is no such plan any more")
        else:
            self._records[record] = generation
            self._sim.emit("record.written", key=record, writer=enactor, generation=generation, replaced=replaced)

    async def clean_up(self, generation: int, enactor: str) -> None:
        """Delete one plan."""
        pointing = [record for record in self.records if self._records[record] == generation]
        if self._sim.safeguard("cleanup_in_use_check") and pointing:
            self._sim.emit("guard.refused", what=f"to delete plan {generation}", why=f"{pointing[0]} points at it")
            return
        self._plans[generation] = False
        self._sim.emit("plan.deleted", by=enactor, generation=generation)
        for record in pointing:
            self._sim.emit("record.emptied", key=record, by=enactor, generation=generation)

    def _refused(self, record: str, generation: int, why: str) -> None:
        self._sim.emit("guard.refused", what=f"to point {record} at plan {generation}", why=why)


class Enactor:
    """Applies one plan to all records, and deletes plans that are much older."""

    def __init__(self, sim: racewindow.Simulation, store: PlanStore, name: str, plan: int) -> None:
        self._sim, self._store, self._name, self._plan = sim, store, name, plan
        self._network = Network(sim.spawn)

    async def run(self, process: Instance) -> None:
        """Check, write to each record, clean up."""
        process.ready()
        if not all([await self._is_newer(record) for record in self._store.records]):
            return
        self._sim.emit("plan.checked", enactor=self._name, plan=self._plan)
        for record in self._store.records:
            if self._sim.safeguard("generation_check") and not await self._is_newer(record):
                continue
            await self._network.call("plan-store", self._store.apply, record, self._plan, self._name)
        for old in range(1, self._plan - KEPT):
            await self._network.call("plan-store", self._store.clean_up, old, self._name)

    async def _is_newer(self, record: str) -> bool:
        """Whether its plan is newer than the one that is applied, at this moment."""
        applied = await self._network.call("plan-store", self._store.applied, record)
        if applied is None:
            self._sim.emit("enactor.stuck", enactor=self._name, record=record)
        return applied is not None and applied < self._plan


@racewindow.scenario(
    safeguards=AWS_DNS_PLAN,
    checks=(generation_monotonic, never_empty),
    faults=(
        Delay(target="enactor-*", seconds=60),
        Pause(target="enactor-*", seconds=60),
        Duplicate(target="enactor-*"),
    ),
    narrate=told(
        {
            "plan.checked": "{enactor} finds plan {plan} newer than what is applied",
            "record.written": "{writer} points {key} at plan {generation}; it pointed at plan {replaced}",
            "plan.deleted": "{by} cleans up: plan {generation} is deleted",
            "record.emptied": "{key} points at plan {generation}, which is not there: it is empty",
            "enactor.stuck": "{enactor} finds {record} empty and cannot go on",
            "guard.refused": "the store refuses {what}: {why}",
        }
    ),
    incident="2025-10-19, AWS",
)
async def aws_dns_plan(sim: racewindow.Simulation, *, enactors: int = 2, records: int = 1) -> None:
    """A slow enactor writes an old plan over the newest one, whose enactor then deletes the old plan.

    enactors: each with a plan of its own, the first with plan 1, the last with plan 5. records: of the endpoint.
    """
    at_least(2, enactors=enactors)
    at_least(1, records=records)
    supervisor = Supervisor(sim.spawn)
    store = PlanStore(sim, tuple(f"record-{number}" for number in range(1, records + 1)))
    for number in range(1, enactors + 1):
        plan = 1 + (NEWEST - 1) * (number - 1) // (enactors - 1)
        name = f"enactor-{number}"
        supervisor.start(Enactor(sim, store, name, plan).run, name)
