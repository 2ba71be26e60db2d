"""Results and failures in words: the full text of each, 80 columns wide, and nothing in it that changes by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racewindow.errors import ExplorationFailed
from racewindow.failure import Failure
from racewindow.failure_file import StoredFailure
from racewindow.report import failure_text, result_text, untrusted_text
from racewindow.report_layout import WIDTH, command, message, numbered, wrap
from racewindow.report_replay import execution_text, replay_text
from racewindow.result import Result
from racewindow.schedule import Deviation
from tests.harness.told import (
    ASSERTED,
    DEADLOCK,
    FOUND,
    LIQUIDATED,
    NOTHING,
    STALE,
    UNTRUSTED,
    execution,
)
from tests.harness.told_results import RESULTS
from tests.snapshots.compare import assert_snapshot

STORED = StoredFailure(
    path=Path("found/x.json"),
    target="paradex",
    scenario="paradex",
    kind="violation",
    message=LIQUIDATED.message,
    schedule=LIQUIDATED.schedule,
    digest=LIQUIDATED.digest,
    checker=LIQUIDATED.checker,
    class_=LIQUIDATED.class_,
    subject=LIQUIDATED.subject,
)

REPLAYS = {
    "same": (execution(LIQUIDATED), False),
    "same_second_of_two": (execution(replace(STALE, digest=LIQUIDATED.digest), LIQUIDATED), False),
    "same_but_for_steps": (execution(LIQUIDATED, digest="1" * 32), True),
    "another": (execution(STALE, digest="2" * 32), False),
    "none": (execution(), True),
    "none_and_unknown": (execution(unknown=(("conservation", "the checker crashed: KeyError: 'XRP'"),)), False),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_told(name: str) -> None:
    assert_snapshot(f"result_{name}.txt", result_text(RESULTS[name]) + "\n")


@pytest.mark.parametrize("name", REPLAYS)
def test_a_replay_is_told(name: str) -> None:
    ran, changed = REPLAYS[name]

    assert_snapshot(f"replay_{name}.txt", replay_text(ran, STORED, changed=changed) + "\n")


@pytest.mark.parametrize(
    ("name", "failure"),
    [("checker", LIQUIDATED), ("assertion", ASSERTED), ("deadlock", DEADLOCK)],
)
def test_a_failure_is_told(name: str, failure: Failure) -> None:
    text = failure_text(failure, scenario="paradex", file=None)

    assert_snapshot(f"failure_{name}.txt", text + "\n")


def test_an_execution_without_a_file_is_told() -> None:
    assert_snapshot("execution_failed.txt", execution_text(execution(ASSERTED), "two-writers") + "\n")
    assert_snapshot("execution_ok.txt", execution_text(execution(), "two-writers") + "\n")


def test_what_was_held_fixed_names_the_feed() -> None:
    told = " ".join(result_text(NOTHING, feed="prices.csv").split())

    assert "held fixed: no safeguard on; markets=2, accounts=2, note=as recorded; feed prices.csv; no faults" in told


def test_the_text_of_a_failure_is_the_same_whenever_and_however_fast_it_was_found() -> None:
    slow = replace(FOUND, seconds=400.0, failures=(replace(LIQUIDATED, count=9),))
    told = [result_text(result).partition("Explored")[0] for result in (FOUND, slow)]

    assert told[0].partition("All that")[0] == told[1].partition("All that")[0]


def test_a_long_list_of_deviations_is_cut_and_says_so() -> None:
    many = replace(
        LIQUIDATED,
        deviations=tuple(f"after step {n} of writer: committer goes first" for n in range(60)),
        schedule=replace(
            LIQUIDATED.schedule, deviations=tuple(Deviation("main/0", n, "task", 0, "main/1") for n in range(60))
        ),
    )

    text = failure_text(many, scenario="paradex", file="x.json")

    assert "60 deviations from the default order:" in text
    assert "  12. after step 11" in text
    assert "  … 48 more, all of them in the failure's file" in text
    assert "racewindow replay x.json" in text
    assert "--schedule" not in text, "a token of hundreds of characters is for the file"
    assert "--schedule" in failure_text(many, scenario="paradex", file=None)


def test_a_command_can_be_pasted_whatever_the_names_are() -> None:
    assert command(["racewindow", "replay"], ["my file.json"]) == ["racewindow replay 'my file.json'"]
    assert command(["racewindow", "replay"], ["x" * 80]) == ["racewindow replay \\", "  " + "x" * 80]


@given(st.text(), st.integers(0, 20), st.integers(0, 10))
def test_wrapped_text_loses_nothing_and_is_wide_only_for_a_long_word(text: str, indent: int, hang: int) -> None:
    lines = wrap(text, indent, hang)

    assert "".join(text.split()) == "".join("".join(lines).split())
    assert all(len(line) <= WIDTH or len(line.split()) <= 1 or indent + hang > 20 for line in lines)


def test_commands_in_a_message_stay_on_one_line() -> None:
    long = "racewindow replay " + "word " * 20
    text = message(f"what {'happened ' * 12}\nWhy: {'reason ' * 15}\nDo:  {long}")

    assert long.strip() in text
    assert all(line.startswith("     ") for line in text.splitlines()[3:4])


def test_numbers_line_up() -> None:
    assert numbered(["a"] * 11, 12, "")[8:10] == [" 9. a", "10. a"]


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (FOUND, failure_text(LIQUIDATED, scenario="paradex", file=FOUND.files[0])),
        (replace(FOUND, files=()), failure_text(LIQUIDATED, scenario="paradex", file=None)),
        (UNTRUSTED, untrusted_text(UNTRUSTED)),
    ],
)
def test_check_raises_the_report(result: Result, text: str) -> None:
    with pytest.raises(ExplorationFailed) as caught:
        result.check()

    assert text == str(caught.value)


def test_check_lets_a_clean_result_pass() -> None:
    NOTHING.check()
