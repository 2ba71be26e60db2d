"""A failure found under ordering constraints is explained as any other, by what can be done besides keeping these."""

from __future__ import annotations

import pytest
import trio

import racewindow
from racewindow import Cell
from racewindow.runtime.execution import Environment
from racewindow.session import Session
from racewindow.settings import make_settings
from racewindow.strategies.tolerant import TolerantPicker
from tests.harness.explained_programs import PROGRAMS

KNOWN = {known.name: known for known in PROGRAMS}
GIVEN = (
    ("lost_update", "deposit starts before deposit#2 starts"),
    ("read_before_ready", "bystander ends before publish starts"),
    ("torn", "write starts before read starts"),
    ("used_after_close", "use starts before close starts"),
    ("locked_crosswise", "transfer starts before transfer#2 starts"),
    ("slow_overlap", "deposit#2 starts before deposit starts"),
    ("guarded", "gossip ends before load starts"),
)
"""Constraints under which the program still fails. The task that waits has other step numbers than without."""


@pytest.mark.parametrize(("name", "given"), GIVEN, ids=[name for name, _ in GIVEN])
def test_it_names_the_pair_what_is_needed_and_what_closes_it_besides(name: str, given: str) -> None:
    known = KNOWN[name]
    failure = racewindow.explore(known.main, strategy="random", constraints=[given]).failures[0]
    explanation = racewindow.explain(known.main, failure)
    fix = explanation.fixes[0]
    both = racewindow.explore(known.main, strategy="dpor", constraints=[given, *fix.constraints])

    known.assert_is_decided_by(explanation.pairs[0])
    assert given not in map(str, fix.constraints)
    assert fix.checked.proved
    assert (both.complete, both.failing, both.executions) == (True, 0, fix.checked.orders)
    assert set(explanation.needed) == set(failure.deviations)


def test_a_wait_for_ever_that_the_constraint_has_brought_is_a_failure_like_any_other() -> None:
    """Whether the seller comes to its second step depends on who is first; the buyer that waits for it hangs."""

    async def main() -> None:
        sold = Cell(False, name="sold")

        async def seller() -> None:
            await trio.lowlevel.checkpoint()
            if not sold.get():
                await trio.lowlevel.checkpoint()

        async def rival() -> None:
            sold.set(True)

        async def buyer() -> None:
            await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            for task in (seller, rival, buyer):
                nursery.start_soon(task)

    given = "seller step 2 before buyer starts"
    failure = racewindow.explore(main, strategy="random", constraints=[given]).failures[0]
    explanation = racewindow.explain(main, failure)
    pair, fix = explanation.pairs[0], explanation.fixes[0]

    assert failure.kind == "deadlock"
    assert (pair.key, pair.first.task, pair.second.task) == ("sold", "rival", "seller")
    assert fix.checked.proved
    assert racewindow.explore(main, strategy="dpor", constraints=[given, *fix.constraints]).verdict == "complete"


def test_steps_keep_the_numbers_that_they_have_under_the_constraints() -> None:
    """Its deviations, followed as far as they fit, lead to the failure; counted as without them, they do not."""
    main, given = KNOWN["read_before_ready"].main, GIVEN[1][1]
    failure = racewindow.explore(main, strategy="random", constraints=[given], shrink=False).failures[0]
    constraints = failure.schedule.constraints

    def fails(counted: tuple[object, ...]) -> bool:
        settings = make_settings(main, constraints=constraints)
        with Environment(footprints=True):
            ran = Session(settings).run(TolerantPicker(failure.schedule.deviations, given=counted))
        return failure.identity in {finding.identity for finding in ran.judged.findings}

    assert fails(make_settings(main, constraints=constraints).constraints)
    assert not fails(())
