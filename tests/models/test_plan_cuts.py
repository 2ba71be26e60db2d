"""A runbook can be cut off after any step: every cut is explored, and whether it is safe to leave it so is judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from racewindow import Event, History, Verdict
from racewindow_models.plan.checks import CHECKS
from tests.models.planned import COPY, SAFE, START, STOP, SWITCH, explored, scenario_of, step

STEPS = [step(*STOP), step(*COPY), step(*SWITCH), step(*START)]
NAMES = {"stop", "copy", "switch", "start"}


def cut(then: str, later: str = "") -> str:
    """What is checked, and that the runbook may be cut off."""
    return f'{SAFE}[cut_off]\nthen = "{then}"\n{later}'


def test_every_cut_is_explored_and_after_it_no_step_is_begun(tmp_path: Path) -> None:
    seen = explored(scenario_of(tmp_path, STEPS, cut("leave")))

    assert seen.all("runbook.cut", "after") == NAMES - {"start"}
    assert seen.all("window.left", "after") == NAMES - {"start"} | {""}
    for events in seen.executions:
        told = [event.kind for event in events]
        if "runbook.cut" in told:
            assert "runbook.step" not in told[told.index("runbook.cut") :]
    assert seen.groups == set()


def test_whoever_resumes_takes_the_steps_that_are_left_and_only_these(tmp_path: Path) -> None:
    by_two = [step(*STOP), step(*COPY, 'after = ["stop"]', by="other"), step(*SWITCH, 'after = ["copy"]'), step(*START)]
    seen = explored(scenario_of(tmp_path, by_two, cut("resume", 'resume_after = "3 s"')))

    assert seen.all("runbook.cut", "after") >= {"stop", "copy", "switch"}
    for events in seen.executions:
        done = [e.data["step"] for e in events if e.kind == "runbook.step" and e.data["what"] == "is done"]
        assert sorted(done) == sorted(NAMES)
        assert done.index("copy") < done.index("switch") < done.index("start")
    assert seen.all("window.left", "routed") == {"db-new"}
    assert seen.groups == set()


def test_what_is_rolled_back_is_as_it_was(tmp_path: Path) -> None:
    seen = explored(scenario_of(tmp_path, STEPS, cut("roll back")))

    for events in seen.executions:
        was_cut = any(event.kind == "runbook.cut" for event in events)
        [left] = [event.data for event in events if event.kind == "window.left"]
        assert (left["routed"], left["writers"]) == (("db-old", ["writer-1"]) if was_cut else ("db-new", ["writer-2"]))
    undone = [tuple(e.data["step"] for e in events if e.data.get("what") == "undoes") for events in seen.executions]
    assert set(undone) == {(), ("stop",), ("copy", "stop"), ("switch", "copy", "stop")}
    assert seen.groups == set()


SWITCH_FIRST = [step(*STOP), step(*SWITCH), step(*COPY), step(*START)]
BOTH = [step(*COPY), step(*SWITCH), step(*START), step(*STOP)]
GONE = [step(*STOP), step("drop", 'do = "drop"'), step(*SWITCH)]
LIQUIDATOR = 'liquidator.at_start = "working"'


@pytest.mark.parametrize(
    ("steps", "services", "writer", "expected"),
    [
        (SWITCH_FIRST, "", "idle", {("safe_to_leave", "missing rows", "switch")}),
        (BOTH, 'writer.saves = "all along"', "working", {("safe_to_leave", "split brain", "start")}),
        (STEPS, LIQUIDATOR, "idle", {("safe_to_leave", "unattended", each) for each in ("stop", "copy", "switch")}),
        (GONE, "", "idle", {("safe_to_leave", "missing rows", "drop")}),
    ],
    ids=["rows that are not there yet", "two who write", "liquidations on old prices", "a version that is gone"],
)
def test_a_cut_that_is_not_safe_to_leave_is_found(
    steps: list[str], services: str, writer: str, expected: set[tuple[str, str, str]], tmp_path: Path
) -> None:
    """Only there: where the check names no step, the cut after it is safe."""
    seen = explored(scenario_of(tmp_path, steps, cut("leave"), services=services, writer=writer))
    judged = CHECKS["safe_to_leave"]
    found = set()
    for events in seen.executions:
        [left] = [event for event in events if event.kind == "window.left"]
        for violation in judged.check(History(events)).violations:
            if left.data["after"]:
                found.add((judged.name, violation.class_, left.data["after"]))

    assert found == expected


def test_whether_it_is_safe_is_not_known_before_the_end() -> None:
    assert CHECKS["safe_to_leave"].check(History([], finished=False)).judgement is Verdict.unknown("").judgement


@pytest.mark.parametrize(
    ("data", "class_"),
    [
        ({}, None),
        ({"dropped": True}, "missing rows"),
        ({"missing": ["XRP"]}, "missing rows"),
        ({"writers": ["a", "b"]}, "split brain"),
        ({"writers": [], "liquidates": True}, "unattended"),
        ({"writers": []}, None),
    ],
)
def test_each_class_of_what_is_not_safe(data: dict[str, object], class_: str | None) -> None:
    left = {"after": "", "routed": "db", "dropped": False, "missing": [], "writers": ["a"], "liquidates": False}
    event = Event(0, "end-of-window", 0, "window.left", left | data)
    verdict = CHECKS["safe_to_leave"].check(History([event]))

    assert [each.class_ for each in verdict.violations] == ([] if class_ is None else [class_])
