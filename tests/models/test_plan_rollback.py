"""A plan can go back to a snapshot: what is restored is as it was, and what is forgotten is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from racewindow import explore
from tests.models.planned import explored, scenario_of, step

SERVICES = """committer.at_start = "working"
writer.saves = "all along"
"""
CHECKS = "[checks]\nrollback_complete = true\nsinks_agree = true\n"
BOTH = '["writer-1", "committer"]'
STOP = step("stop all", f'do = "stop"\ninstances = {BOTH}\nnot_before = "12 s"')
START = step("start all", f'do = "start"\ninstances = {BOTH}\nnot_before = "20 s"')
COMPLETE, AGREE = "rollback_complete", "sinks_agree"


def restored(*parts: str, more: str = "") -> str:
    """A step that goes back to the snapshot."""
    named = ", ".join(f'"{part}"' for part in parts)
    return step(f"restore {' '.join(parts)}", f'do = "restore"\nparts = [{named}]\n{more}')


def groups(folder: Path, *steps: str, tables: str = CHECKS, **params: int) -> set[tuple[str | None, str | None]]:
    """What fails, in every order of events."""
    return explored(scenario_of(folder, steps, tables, services=SERVICES, writer="working"), None, **params).groups


def test_a_rollback_of_every_part_while_all_services_are_down_is_complete(tmp_path: Path) -> None:
    assert groups(tmp_path, STOP, restored("chain", "cloud", "database"), START) == set()


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("chain", "cloud"), {(COMPLETE, "stale"), (COMPLETE, "corrupt")}),
        (("chain", "database"), {(COMPLETE, "corrupt"), (AGREE, "torn")}),
    ],
    ids=["published values are left in the database", "batches are left in the cloud"],
)
def test_what_is_not_restored_is_found(parts: tuple[str, ...], expected: set[tuple[str, str]], tmp_path: Path) -> None:
    assert groups(tmp_path, STOP, restored(*parts), START) == expected


def test_a_batch_that_is_under_way_when_the_chain_goes_back_lands_on_it(tmp_path: Path) -> None:
    """The parts are restored while the committer is at work; only then is everything stopped."""
    back = restored("chain", "cloud", "database", more='not_before = "10 s"')
    stop = STOP.replace("12 s", "14 s")

    assert groups(tmp_path, back, stop, START) >= {(COMPLETE, "stale"), (COMPLETE, "corrupt")}


def test_a_writer_that_goes_on_over_a_rollback_is_a_cache_that_was_not_restored(tmp_path: Path) -> None:
    back = restored("chain", "cloud", "database", more='not_before = "12 s"')
    commit = '["committer"]'
    steps = [STOP.replace(BOTH, commit), back, START.replace(BOTH, commit)]

    assert groups(tmp_path, *steps, ticks=3) == {(COMPLETE, "stale"), (COMPLETE, "corrupt")}


def test_a_snapshot_that_was_taken_later_is_what_is_gone_back_to(tmp_path: Path) -> None:
    take = step("take", 'do = "snapshot"\nnot_before = "12 s"')
    back = restored("chain", "cloud", "database", more='not_before = "17 s"')
    scenario = scenario_of(tmp_path, [take, back, STOP.replace("12 s", "18 s"), START], CHECKS, services=SERVICES)
    seen = explored(scenario, batches=2)

    heights = {
        event.data["block"].height
        for events in seen.executions
        for event in events
        if event.kind == "chain.rolled_back"
    }
    assert heights == seen.all("snapshot.taken", "height")
    assert heights == {1_604_711}


@pytest.mark.slow
def test_whatever_chance_finds_while_one_opens_and_another_rolls_back_is_among_what_the_reduction_finds(
    tmp_path: Path,
) -> None:
    """So nothing that snapshot, validation and liquidation share with services is hidden from the reduction."""
    look = 'do = "validate"\nagainst = "cloud"\non_rejection = "abort"\nblock_since = "10 s"'
    back = restored("chain", "cloud", "database", more='by = "other"\nnot_before = "15 s"')
    steps = [step("look", look), step("open", 'do = "mode"\nmode = "open"\nnot_before = "15 s"'), back]
    tables = CHECKS + "liquidation_last = true\nvalidate_before_exit = true\n[safeguards]\nre_evaluate = true\n"
    services = SERVICES + 'liquidator.at_start = "working"\nliquidator.grace = "3 s"'
    top = 'mode_at_start = "halted"'
    scenario = scenario_of(tmp_path, steps, tables, services=services, writer="working", top=top)
    by_chance = explore(
        scenario, strategy="random", schedules=200, all_failures=True, params={"batches": 2}, shrink=False
    )
    reduced = explored(scenario, batches=2).groups

    assert ("liquidation_last", "stale") in reduced
    assert {(each.checker, each.class_) for each in by_chance.failures} <= reduced


def test_accounts_go_back_with_the_chain_and_nothing_is_made_of_nothing(tmp_path: Path) -> None:
    """Who was liquidated by an index of 0 has a position again, and loses it again to what is still in the store."""

    def start(name: str, at: int) -> str:
        return step(f"{name} {at}", f'do = "start"\ninstances = ["{name}"]\nnot_before = "{at} s"')

    first = [start("writer-2", 10), start("committer", 12), start("liquidator", 14)]  # no state has been saved
    stop = STOP.replace(BOTH, '["writer-2", "committer", "liquidator"]').replace("12 s", "16 s")
    again = [start("committer", 20), start("liquidator", 22)]
    steps = [step("out", 'do = "stop"\ninstances = ["writer-1"]\nnot_before = "1 s"'), *first, stop]
    services = 'committer.at_start = "down"\nliquidator.at_start = "down"'
    tables = "[checks]\nconservation = true\n"
    switch = step("switch", 'do = "switch"')
    steps = [switch, *steps, restored("chain", "cloud"), *again]
    seen = explored(scenario_of(tmp_path, steps, tables, services=services, writer="idle"))

    assert seen.groups == set()
    for events in seen.executions:
        lost = [event.data["account"].name for event in events if event.kind == "account.liquidated"]
        assert len(lost) == 2 and len(set(lost)) == 1
