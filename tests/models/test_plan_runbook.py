"""A plan is run as it says: waits are kept, limits strike, and what goes wrong goes wrong because services race."""

from __future__ import annotations

from pathlib import Path

import pytest

import racewindow as rw
from tests.models.planned import COMMITTER, COPY, SAFE, START, STOP, SWITCH, explored, scenario_of, step

EARLY = {("ready_before_write", "default"), ("ready_before_write", "corrupt")}
READY = "[checks]\nready_before_write = true\n"
START_ALL = ("start", 'do = "start"\ninstances = ["writer-2", "committer"]\nnot_before = "10 s"')
PLAIN = [step(*STOP), step(*COPY), step(*SWITCH), step(*START_ALL)]


@pytest.mark.parametrize("ready", ["loaded", "started"])
def test_a_writer_that_is_ready_when_it_starts_is_not_helped_by_waiting_for_it(ready: str, tmp_path: Path) -> None:
    """That is the race of the restart; the safeguard waits for what the writer says of itself."""
    tables = f"[safeguards]\nrequire_ready = true\n{READY}"
    scenario = scenario_of(tmp_path, PLAIN, tables, services=COMMITTER, ready=ready)

    assert explored(scenario, ()).groups == EARLY
    assert explored(scenario).groups == (set() if ready == "loaded" else EARLY)


def test_a_step_that_waits_until_an_instance_is_ready_comes_after_its_load(tmp_path: Path) -> None:
    committer = step("commit", 'do = "start"\ninstances = ["committer"]', 'when_ready = ["writer-2"]')
    steps = [step(*STOP), step(*COPY), step(*SWITCH), step(*START), committer]
    seen = explored(scenario_of(tmp_path, steps, READY, services=COMMITTER))

    for events in seen.executions:
        told = [(e.kind, e.data.get("step"), e.data.get("what")) for e in events]
        assert told.index(("writer.loaded", None, None)) < told.index(("runbook.step", "commit", "is done"))


COPYING = 'do = "copy"\nnot_before = "5 s"\ntakes = ["2 s", "8 s"]'
LATE = "[safeguards]\ncopy_complete = false\npresence_required = false\nrequire_ready = true\n" + READY


def overrunning(folder: Path, reaction: str, tables: str = LATE, gate: str = "") -> list[str]:
    """A copy that may take longer than there is time for; what happens then; then everything starts."""
    compare = step("compare", 'do = "compare"\nonly_with = "copy_complete"')
    copy = step("copy", COPYING, f'within = "4 s"\non_overrun = "{reaction}"')
    return [step(*STOP), copy, compare, step("switch", 'do = "switch"', gate), step(*START_ALL)]


def test_what_goes_on_after_a_copy_that_overruns_reads_a_half_copied_database(tmp_path: Path) -> None:
    scenario = scenario_of(tmp_path, overrunning(tmp_path, "continue"), LATE, services=COMMITTER)
    bare = explored(scenario, ["require_ready"])

    assert bare.groups == EARLY
    assert bare.sets("runbook.step", "what") == {
        frozenset({"begins", "is done"}),
        frozenset({"begins", "is done", "overruns"}),
    }
    assert explored(scenario, ["require_ready", "copy_complete"]).groups == set()
    assert explored(scenario, ["require_ready", "presence_required"]).groups == set()


def test_a_step_that_comes_after_one_that_overran_waits_for_its_end(tmp_path: Path) -> None:
    steps = overrunning(tmp_path, "continue", gate='after = ["copy"]')

    assert explored(scenario_of(tmp_path, steps, LATE, services=COMMITTER)).groups == set()


def test_a_runbook_that_is_aborted_goes_no_further_and_one_that_is_rolled_back_undoes_what_was_done(
    tmp_path: Path,
) -> None:
    tables = LATE + "safe_to_leave = true\n"
    abort = explored(scenario_of(tmp_path, overrunning(tmp_path, "abort"), tables, services=COMMITTER))
    back = explored(scenario_of(tmp_path, overrunning(tmp_path, "roll back"), tables, services=COMMITTER))

    assert abort.all("window.left", "after") == {"", "copy"}
    assert abort.all("window.left", "routed") == back.all("window.left", "routed") == {"db-old", "db-new"}
    assert back.all("window.left", "after") == {""}
    assert {("writer-1",), ("writer-2",)} == back.all("window.left", "writers")
    late = [
        [(e.data["what"], e.data["step"]) for e in events if e.kind == "runbook.step"] for events in abort.executions
    ]
    assert all(told[-1] == ("overruns", "copy") for told in late if ("is done", "copy") not in told)
    assert not any({("overruns", "copy"), ("is done", "copy")} <= set(told) for told in late)
    assert {(), ("writer-2",)} == abort.all("window.left", "writers")
    assert abort.groups == back.groups == set()


def test_people_wait_for_each_other_and_for_nothing_else(tmp_path: Path) -> None:
    free = [step("a", 'do = "wait"'), step("b", 'do = "wait"', by="other")]
    bound = [step("a", 'do = "wait"'), step("b", 'do = "wait"', 'after = ["a"]', by="other")]

    def orders(steps: list[str]) -> set[tuple[str, ...]]:
        scenario = scenario_of(tmp_path, steps, SAFE + "[cut_off]\n")
        return {
            tuple(e.data["step"] for e in events if e.data.get("what") == "is done")
            for events in explored(scenario).executions
        }

    assert orders(free) >= {("a", "b"), ("b", "a"), ("a",), ("b",)}
    assert orders(bound) == {("a", "b"), ("a",)}


def test_an_instance_that_starts_before_another_has_gone_overlaps_with_it(tmp_path: Path) -> None:
    first = step("stop first", STOP[1], 'only_with = "full_downtime"')
    last = step("stop last", STOP[1], 'not_with = "full_downtime"')
    tables = "[safeguards]\nfull_downtime = false\n[checks]\nno_overlap = true\n"
    scenario = scenario_of(tmp_path, [first, step(*COPY), step(*SWITCH), step(*START), last], tables)

    assert explored(scenario).groups == {("no_overlap", "split brain")}
    assert explored(scenario, ["full_downtime"]).groups == set()


@pytest.mark.slow
def test_the_liquidator_acts_only_while_the_markets_are_open_and_they_open_in_time_or_late(tmp_path: Path) -> None:
    begin = step("start", 'do = "start"\ninstances = ["writer-2", "committer", "liquidator"]\nnot_before = "10 s"')
    tables = '[checks]\nno_false_liquidation = true\neventually_reopens = { within = "15 s" }\n'
    services = f'{COMMITTER}\nliquidator.at_start = "down"'

    def groups(top: str, *modes: tuple[str, int]) -> set[tuple[str | None, str | None]]:
        opening = [step(f"to {mode}", f'do = "mode"\nmode = "{mode}"\nnot_before = "{at} s"') for mode, at in modes]
        steps = [step(*STOP), step(*COPY), step(*SWITCH), begin, *opening]
        return explored(scenario_of(tmp_path, steps, tables, services=services, top=top)).groups

    wrong, late = ("no_false_liquidation", "default"), ("eventually_reopens", "late")
    assert groups("", ("open", 12)) == {wrong}
    assert groups('mode_at_start = "halted"', ("open", 12)) == {wrong}
    assert groups('mode_at_start = "halted"', ("post_only", 12), ("open", 20)) == {wrong, late}
    assert groups('mode_at_start = "halted"', ("open", 12), ("post_only", 12)) == {wrong}  # it had a moment


def test_a_liquidator_that_works_stops_judging_when_the_markets_are_halted(tmp_path: Path) -> None:
    halt = step("halt", 'do = "mode"\nmode = "halted"\nnot_before = "12 s"')
    start = step("start", START_ALL[1].replace("10 s", "15 s"))
    tables = "[checks]\nno_false_liquidation = true\n"
    services = f'{COMMITTER}\nliquidator.at_start = "working"'

    def groups(*steps: str) -> set[tuple[str | None, str | None]]:
        scenario = scenario_of(tmp_path, steps, tables, services=services, top='mode_at_start = "open"')
        return explored(scenario, batches=2).groups

    assert groups(*PLAIN[:3], start) == {("no_false_liquidation", "default")}
    assert groups(*PLAIN[:3], halt, start) == set()


@pytest.mark.slow
def test_faults_strike_where_the_plan_lets_them(tmp_path: Path) -> None:
    gate = f'[faults]\nbudget = 1\nkinds = ["skip"]\n[safeguards]\nrequire_ready = true\n{READY}'
    scenario = scenario_of(tmp_path, PLAIN, gate, services=COMMITTER)

    assert explored(scenario).groups == EARLY
    assert scenario.resolve_faults(0).budget == 0


def test_who_waits_for_a_step_that_was_skipped_is_told_that_it_is_done(tmp_path: Path) -> None:
    steps = [step("a", 'do = "wait"'), step("b", 'do = "wait"', 'after = ["a"]', by="other")]
    scenario = scenario_of(tmp_path, steps, '[faults]\nbudget = 1\nkinds = ["skip"]\n' + SAFE)

    assert explored(scenario).groups == set()


CUT = READY + "safe_to_leave = true\n[cut_off]\n"
SECOND = step("copy", COPYING, 'by = "other"\nafter = ["stop"]')


@pytest.mark.slow
@pytest.mark.parametrize(
    ("steps", "tables", "top"),
    [
        ([step(*STOP), SECOND, step(*SWITCH), step(*START_ALL)], CUT, ""),
        ([step(*STOP), step(*COPY), step(*SWITCH), step(*START_ALL), *(
            step(mode, f'do = "mode"\nmode = "{mode}"\nnot_before = "12 s"') for mode in ("open", "halted"))],
         "[checks]\nno_false_liquidation = true\n", 'mode_at_start = "halted"'),
    ],
    ids=["two people, several times, a cut", "a mode that passes"],
)  # fmt: skip
def test_whatever_chance_finds_is_among_what_the_reduction_finds(
    steps: list[str], tables: str, top: str, tmp_path: Path
) -> None:
    """So nothing that services or people share is hidden from the reduction."""
    services = f'{COMMITTER}\nliquidator.at_start = "working"'
    scenario = scenario_of(tmp_path, steps, tables, services=services, top=top)
    by_chance = rw.explore(scenario, strategy="random", schedules=300, all_failures=True, shrink=False)

    assert by_chance.failures
    assert {(each.checker, each.class_) for each in by_chance.failures} <= explored(scenario).groups


@pytest.mark.parametrize("kind", ["stall:seconds=9", "pause:seconds=9", "restart:down_seconds=300,target=writer-2"])
def test_a_fault_of_time_alone_leaves_nothing_undone(kind: str, tmp_path: Path) -> None:
    """Nobody stops a service before it has begun to live, and none comes back after the window."""
    tables = f'{SAFE}[faults]\nbudget = 1\nkinds = ["{kind}"]\n'

    assert (
        explored(scenario_of(tmp_path, [step(*STOP), step(*COPY), step(*SWITCH), step(*START)], tables)).groups == set()
    )
