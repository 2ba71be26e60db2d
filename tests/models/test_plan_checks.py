"""Every checker of the catalogue can be named in a plan: it judges what services did there, or says that it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from racewindow import History
from racewindow.checkers import Judgement
from racewindow.plans import load_plan
from racewindow_models.plan.checks import BOUNDED, CHECKS
from tests.harness.command_line import CommandLine, racewindow
from tests.models.planned import COMMITTER, COPY, START, STOP, SWITCH, explored, scenario_of, step

__all__ = ["racewindow"]

CATALOGUE = {
    *("ready_before_write", "no_unknown_age", "bounded_delta", "generation_monotonic", "single_active_writer"),
    *("no_mixed_generations", "no_overlap", "validate_before_exit", "liquidation_last", "independent_band"),
    *("sinks_agree", "rollback_complete", "no_false_liquidation", "conservation", "eventually_reopens"),
    *("decision_inputs_fresh", "config_valid_before_activate"),
}
ALWAYS = {"generation_monotonic", "single_active_writer", "no_overlap", "safe_to_leave", "eventually_reopens"}
"""What every plan has: a writer and the store that it writes to; and a plan that cannot reopen is refused."""


def wanted(name: str) -> str:
    """A table of checks with one of them."""
    how = '{ within = "5 s" }' if name in BOUNDED else "true"
    return f"[checks]\n{name} = {how}\n"


def test_every_checker_of_the_catalogue_can_be_named_in_a_plan() -> None:
    assert len(CATALOGUE) == 17
    assert {*CHECKS, *BOUNDED} == CATALOGUE | {"safe_to_leave"}


@pytest.mark.parametrize("name", sorted({*CHECKS, *BOUNDED} - ALWAYS))
def test_a_check_that_has_nothing_to_judge_in_a_plan_is_unknown_and_the_plan_says_so(
    name: str, tmp_path: Path, racewindow: CommandLine
) -> None:
    scenario = scenario_of(tmp_path, [step("wait", 'do = "wait"')], wanted(name))
    [check] = scenario.checks

    verdict = check.check(History([]))
    assert (check.name, verdict.judgement) == (name, Judgement.UNKNOWN)

    told = " ".join(racewindow("plan", "check", str(tmp_path / "plan.toml")).out.split())
    assert f"unknown in every order of events, because {verdict.reason}" in told


def test_a_result_says_of_which_checks_it_is_no_result(tmp_path: Path, racewindow: CommandLine) -> None:
    scenario_of(tmp_path, [step("wait", 'do = "wait"')], wanted("independent_band"))
    told = " ".join(racewindow("explore", str(tmp_path / "plan.toml"), "--strategy", "dpor").out.split())

    assert "Not about independent_band, which could not tell in any execution." in told


# --- who writes, and what is switched to -----------------------------------------------------------------------------


def test_two_writers_that_are_both_accepted_are_found_unless_the_store_fences_the_older_one(tmp_path: Path) -> None:
    tables = f"[safeguards]\nfencing = false\n{wanted('single_active_writer')}"
    steps = [step(*START), step(*STOP, "not_before = '20 s'")]
    scenario = scenario_of(tmp_path, steps, tables, writer="working", services='writer.saves = "all along"')
    bare, fenced = explored(scenario), explored(scenario, ["fencing"])

    assert bare.groups == {("single_active_writer", "regressed")}
    assert fenced.groups == set()
    assert fenced.all("write.accepted", "token") == {1, 2}


def test_writers_that_share_a_token_are_two_writers(tmp_path: Path) -> None:
    text = scenario_of(tmp_path, [step("wait", 'do = "wait"')], wanted("single_active_writer"), writer="working")
    assert explored(text).groups == set()

    path = tmp_path / "plan.toml"
    both = path.read_text(encoding="utf-8").replace('writer-2 = "down"', 'writer-2 = "working"')
    path.write_text(both, encoding="utf-8")
    assert explored(load_plan(str(path)).scenario).groups == {("single_active_writer", "torn")}


def test_a_version_without_all_rows_is_not_switched_to(tmp_path: Path) -> None:
    tables = wanted("config_valid_before_activate")
    late = scenario_of(tmp_path, [step(*STOP), step(*SWITCH), step(*COPY)], tables)
    assert explored(late).groups == {("config_valid_before_activate", "default")}

    other = [step(*STOP), step(*COPY, by="other"), step(*SWITCH)]
    seen = explored(scenario_of(tmp_path, other, tables))
    assert seen.all("config.activated", "absent") == {(), ("XRP",)}
    assert seen.groups == {("config_valid_before_activate", "default")}

    waits = [step(*STOP), step(*COPY, by="other"), step(*SWITCH, 'after = ["copy"]')]
    assert explored(scenario_of(tmp_path, waits, tables)).groups == {("config_valid_before_activate", "default")}
    fit = [step(*STOP), step(*COPY, 'after = ["stop"]', by="other"), step(*SWITCH, 'after = ["copy"]')]
    assert explored(scenario_of(tmp_path, fit, tables)).groups == set()


# --- how a halt is left ----------------------------------------------------------------------------------------------

HALTED = 'mode_at_start = "halted"'
OPEN = ("open", 'do = "mode"\nmode = "open"')
RESTART = step(
    "start", 'do = "start"\ninstances = ["writer-2", "committer"]\nwhen_gone = ["writer-1"]\nnot_before = "10 s"'
)
VALIDATE = 'do = "validate"\nblock_since = "10 s"\non_rejection = "abort"\n'
READY = "[safeguards]\nrequire_ready = true\nre_evaluate = false\natomic_batch = true\n"
WINDOW = [step(*STOP), step(*COPY), step(*SWITCH)]


def groups(folder: Path, steps: list[str], tables: str, on: list[str] | None = None, **params: int) -> set[object]:
    """What fails in a window that begins in a halt."""
    services = f'{COMMITTER}\nliquidator.at_start = "down"\nliquidator.grace = "12 s"'
    return set(explored(scenario_of(folder, steps, tables, top=HALTED, services=services), on, **params).groups)


def test_a_halt_that_is_left_with_a_wrong_value_has_to_be_left_after_an_independent_check(tmp_path: Path) -> None:
    start = step("start", 'do = "start"\ninstances = ["committer"]\nnot_before = "30 s"')  # and the values are of 0 s
    against = {source: step("v", f'{VALIDATE}against = "{source}"') for source in ("cloud", "state before")}
    tables = wanted("validate_before_exit")

    unchecked = ("validate_before_exit", "stale")
    assert groups(tmp_path, [start, step(*OPEN, 'not_before = "31 s"')], tables) == {unchecked}
    assert groups(tmp_path, [start, against["cloud"], step(*OPEN)], tables) == {unchecked}
    assert groups(tmp_path, [start, against["state before"], step(*OPEN)], tables) == set()


@pytest.mark.parametrize("then", ["abort", "roll back"])
def test_what_a_validation_rejects_is_not_opened(then: str, tmp_path: Path) -> None:
    """Nothing has been copied, so the writer counts the index as 0."""
    validate = step("v", f'do = "validate"\nblock_since = "10 s"\nagainst = "state before"\non_rejection = "{then}"')
    restart = step("start", 'do = "start"\ninstances = ["writer-2"]\nnot_before = "10 s"')
    commit = step("commit", 'do = "start"\ninstances = ["committer"]\nnot_before = "15 s"')
    steps = [step(*STOP), step(*SWITCH), restart, commit, validate, step(*OPEN)]
    scenario = scenario_of(
        tmp_path, steps, wanted("validate_before_exit"), top=HALTED, services='committer.at_start = "down"'
    )
    seen = explored(scenario, batches=2)

    assert seen.groups == set()
    assert seen.all("mode.changed", "mode") == set()
    assert ("rejects" in seen.all("runbook.step", "what"), seen.all("window.left", "routed")) == (
        True,
        {"db-new" if then == "abort" else "db-old"},
    )


def test_a_decision_to_open_rests_on_the_newest_block_or_on_one_that_is_not_too_long_gone(tmp_path: Path) -> None:
    validate = step("v", f'{VALIDATE}against = "cloud"')
    steps = [*WINDOW, RESTART, validate, step(*OPEN, 'not_before = "21 s"')]
    checks = '[checks]\ndecision_inputs_fresh = {{ within = "{} s" }}\n'

    assert groups(tmp_path, steps, READY + checks.format(5), batches=2) == {("decision_inputs_fresh", "stale")}
    assert groups(tmp_path, steps, READY + checks.format(6), batches=2) == set()
    on = ["require_ready", "atomic_batch", "re_evaluate"]
    assert groups(tmp_path, steps, READY + checks.format(5), on, batches=2) == set()


def test_liquidation_that_begins_before_feeds_are_fresh_or_in_the_grace_period_is_found(tmp_path: Path) -> None:
    start = step("start", 'do = "start"\ninstances = ["writer-2", "committer", "liquidator"]\nnot_before = "20 s"')
    tables = "[safeguards]\nliquidation_after_fresh = false\nliquidation_grace = false\nrequire_ready = true\n"
    tables += wanted("liquidation_last")
    steps = [*WINDOW, start, step(*OPEN, 'not_before = "20 s"')]
    stale, early = ("liquidation_last", "stale"), ("liquidation_last", "early")

    assert groups(tmp_path, steps, tables, ["require_ready"]) == {stale, early}
    assert groups(tmp_path, steps, tables, ["require_ready", "liquidation_after_fresh"]) == {early}
    assert groups(tmp_path, steps, tables, ["require_ready", "liquidation_grace", "liquidation_after_fresh"]) == set()
