"""What `paradex` finds, what closes it, and that nothing is found where nothing is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import racewindow
from racewindow import Result, Schedule
from racewindow_models.feed import Feed, load
from racewindow_models.narrate import narrate
from racewindow_models.scenarios.paradex import CHECKS, paradex
from racewindow_models.window import prepare
from tests.models.variants import judged, ready_at_start

CLOSING = ["require_ready,age_guard,atomic_batch", "presence_required,age_guard,atomic_batch"]


def explored(scenario: racewindow.Scenario = paradex, *, schedules: int = 150, **options: Any) -> Result:
    return racewindow.explore(
        scenario, strategy="random", schedules=schedules, all_failures=True, shrink=False, **options
    )


def groups(result: Result) -> set[tuple[str | None, str | None]]:
    assert not result.untrusted
    assert {failure.kind for failure in result.failures} <= {"violation"}
    return {(failure.checker, failure.class_) for failure in result.failures}


def classes(result: Result) -> set[str | None]:
    return {class_ for _, class_ in groups(result)}


def test_without_safeguards_every_class_is_found() -> None:
    result = explored()

    assert groups(result) == {
        ("no_false_liquidation", "default"),
        ("no_false_liquidation", "corrupt"),
        ("ready_before_write", "default"),
        ("ready_before_write", "corrupt"),
        ("no_unknown_age", "stale"),
        ("bounded_delta", "default"),
        ("bounded_delta", "corrupt"),
        ("no_mixed_generations", "torn"),
    }
    assert result.failures[0].checker == "no_false_liquidation"


@pytest.mark.parametrize("seed", range(3))
def test_a_false_liquidation_is_found_within_a_few_executions(seed: int) -> None:
    result = racewindow.explore(paradex, strategy="random", schedules=12, seed=seed, all_failures=True)

    assert ("no_false_liquidation", "default") in groups(result)


@pytest.mark.parametrize(
    ("safeguards", "checker", "class_", "words"),
    [
        ("", "no_unknown_age", "stale", "(stale, 60 s old; true is 1"),
        ("age_guard,atomic_batch", "ready_before_write", "corrupt", "mark price "),
        ("age_guard,atomic_batch", "ready_before_write", "default", "funding index 0 (default; true is "),
    ],
)
def test_mark_prices_and_indices_are_told_in_their_class(
    safeguards: str, checker: str, class_: str, words: str
) -> None:
    (failure,) = [f for f in explored(safeguards=safeguards).failures if (f.checker, f.class_) == (checker, class_)]

    assert words in failure.message


# --- what closes it


@pytest.mark.parametrize("safeguard", ["require_ready", "presence_required"])
def test_either_guard_of_the_load_closes_default_and_corrupt(safeguard: str) -> None:
    assert groups(explored(safeguards=safeguard)) == {("no_unknown_age", "stale"), ("no_mixed_generations", "torn")}


@pytest.mark.parametrize("guard", ["require_ready", "presence_required"])
def test_stale_needs_the_age_guard_and_torn_the_atomic_batch(guard: str) -> None:
    assert classes(explored(safeguards=f"{guard},atomic_batch")) == {"stale"}
    assert classes(explored(safeguards=f"{guard},age_guard")) == {"torn"}


def test_the_age_guard_does_not_see_a_wrong_index_with_a_fresh_time() -> None:
    assert ("no_false_liquidation", "default") in groups(explored(safeguards="age_guard,atomic_batch"))


@pytest.mark.parametrize("safeguards", CLOSING)
@pytest.mark.parametrize("clock", ["idle", "racing"])
def test_the_three_guards_close_everything(safeguards: str, clock: str) -> None:
    assert groups(explored(safeguards=safeguards, clock=clock)) == set()


@pytest.mark.slow
@pytest.mark.parametrize("safeguards", CLOSING)
def test_five_thousand_schedules_find_nothing_behind_the_three_guards(safeguards: str) -> None:
    result = explored(safeguards=safeguards, schedules=5_000)

    assert (result.executions, result.failing, result.verdict) == (5_000, 0, "nothing found")


def test_readiness_at_process_start_closes_nothing() -> None:
    result = explored(ready_at_start, safeguards="require_ready,age_guard,atomic_batch")

    assert ("no_false_liquidation", "default") in groups(result)
    assert ("ready_before_write", "corrupt") in groups(result)


@pytest.mark.parametrize("safeguards", ["delta_guard", "delta_guard,keep_last_good"])
def test_the_delta_guard_closes_the_liquidations(safeguards: str) -> None:
    found = groups(explored(safeguards=safeguards))

    assert found == {("no_unknown_age", "stale"), ("no_mixed_generations", "torn")}


def test_all_safeguards_together_find_nothing() -> None:
    assert groups(explored(safeguards="all")) == set()


@pytest.mark.parametrize(
    "params",
    [
        {"markets": 1, "accounts": 2, "ticks": 1, "batches": 1},
        {"markets": 3, "accounts": 3, "ticks": 3, "batches": 4},
        {"opening_index_percent": -10},
        {"window_seconds": 1_800},
    ],
)
def test_other_sizes_fail_without_safeguards_and_hold_with_them(params: dict[str, int]) -> None:
    assert ("no_false_liquidation", "default") in groups(explored(params=params, schedules=60))
    for safeguards in CLOSING:
        assert groups(explored(params=params, schedules=60, safeguards=safeguards)) == set()


# --- controls: nothing is wrong, and nothing is reported; see also test_controls.py


def default_schedule(**options: Any) -> racewindow.Execution:
    return racewindow.replay(paradex, Schedule(fingerprint=paradex.fingerprint, **options))


def test_a_clean_upgrade_is_silent() -> None:
    """Where every service is given the time to finish, the same window without any safeguard does no harm."""
    execution = default_schedule()

    assert (execution.outcome, execution.failures, execution.unknown) == ("ok", (), ())
    assert sum(event.kind == "chain.block" for event in execution.events) == 2


@pytest.fixture
def fall(tmp_path: Path) -> str:
    """A market that truly falls by 16%, in one tick of the window, and by 3% in the next one after it."""
    prices = [100.0] * 6 + [84.0] * 7 + [81.5] * 5
    file = tmp_path / "BTC.csv"
    file.write_text("time,close\n" + "".join(f"{n * 3600},{price}\n" for n, price in enumerate(prices)))
    return str(file)


def test_a_true_fall_is_silent(fall: str) -> None:
    """Also with guards that are not needed, which hold values against the last ones."""
    assert default_schedule(feed=fall).failures == ()
    for safeguards in ("delta_guard,keep_last_good,age_guard,atomic_batch,require_ready", "all"):
        assert groups(explored(feed=fall, safeguards=safeguards)) == set()


def test_a_new_market_is_not_liquidated_by_its_zero() -> None:
    found = groups(explored(params={"opening_index_percent": 0}))

    assert not any(checker in ("no_false_liquidation", "bounded_delta") for checker, _ in found)


# --- the checkers are exact


@pytest.mark.parametrize("safeguards", ["", "require_ready", "atomic_batch", "delta_guard,keep_last_good"])
@pytest.mark.parametrize("clock", ["idle", "racing"])
def test_checkers_find_what_is_wrong_and_nothing_else(safeguards: str, clock: str) -> None:
    result = explored(judged, safeguards=safeguards, clock=clock, schedules=60)

    assert [failure.message for failure in result.failures] == []


@pytest.mark.slow
def test_checkers_are_exact_in_larger_windows() -> None:
    params = {"markets": 3, "ticks": 4, "batches": 4}

    assert explored(judged, params=params, schedules=400).failures == ()


# --- the declaration


def test_the_gravest_checker_comes_first() -> None:
    assert [check.name for check in CHECKS] == [
        "no_false_liquidation",
        "ready_before_write",
        "no_unknown_age",
        "bounded_delta",
        "no_mixed_generations",
        "sinks_agree",
        "conservation",
    ]


def test_a_window_is_computed_once_per_feed_and_parameters() -> None:
    feed: Feed = load()

    assert prepare(feed, {"ticks": 2}) is prepare(feed, {"ticks": 2})
    assert prepare(feed, {"ticks": 3}) is not prepare(feed, {"ticks": 2})


def test_a_size_that_makes_no_sense_is_a_usage_error() -> None:
    with pytest.raises(racewindow.UsageError, match="the parameter 'ticks' cannot be 0"):
        explored(params={"ticks": 0})


def test_the_story_of_a_false_liquidation_is_told_in_order() -> None:
    """From the start of the window to the account, with nothing of the truth left out."""
    failure = explored(safeguards="age_guard,atomic_batch").failures[0]
    story = [line for event in failure.events if (line := narrate(event)) is not None]

    told = [
        "maintenance starts: writer-1 saves its state (XRP and ETH) and stops",
        "the rows of XRP and ETH are copied from db-old to db-new",
        "routing switches to db-new; writer-2, committer and liquidator start; trading reopens",
        "writer-2 begins a round, finds no state of",
        "writer-2 publishes",
        "funding index 0 (default; true is",
        "is liquidated as worth",
        "it should not have been: under ground truth it is worth",
    ]
    rest = "\n".join(story)
    for words in told:
        _, found, rest = rest.partition(words)
        assert found, words
    assert len(story) <= 14


def test_the_services_log_what_they_know_and_no_truth(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    failure = explored(schedules=20).failures[0]
    racewindow.replay(paradex, failure.schedule, log=log)
    lines = [json.loads(line) for line in log.read_text().splitlines()]

    assert [line["event"] for line in lines[:3]] == ["maintenance started", "state saved", "rows copied"]
    assert {line["event"] for line in lines} >= {"values published", "block appended", "account liquidated"}
    assert not any(word in log.read_text() for word in ("true", "provenance", "saved_state"))


@pytest.mark.parametrize(
    "name", [*paradex.safeguards, *(p.name for p in paradex.parameters), *(check.name for check in CHECKS)]
)
def test_the_documentation_explains_every_name(name: str) -> None:
    page = Path(__file__).parents[2] / "docs" / "paradex.md"

    assert f"`{name}`" in page.read_text(encoding="utf-8")


def test_the_documentation_gives_the_defaults() -> None:
    page = (Path(__file__).parents[2] / "docs" / "paradex.md").read_text(encoding="utf-8")

    assert [p.name for p in paradex.parameters if f"| `{p.name}` | {p.default} |" not in page] == []
