"""Schedules survive being written down, as JSON and as a token, and a damaged one is refused."""

from __future__ import annotations

import base64
import json
import string
import zlib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from racewindow.errors import InputError
from racewindow.schedule import CLOCK, START, Deviation, Kind, Schedule

ALPHABET = string.ascii_letters + string.digits + "-_"

numbers = st.integers(0, 300)
paths = st.lists(numbers, max_size=4).map(lambda parts: "/".join(["main", *map(str, parts)]))
kinds: st.SearchStrategy[Kind] = st.sampled_from(("task", "value", "fault"))
deviations = st.builds(
    Deviation,
    task=paths | st.just(START) | st.text(),
    step=numbers,
    kind=kinds,
    index=st.integers(0, 3),
    option=paths | st.just(CLOCK) | numbers.map(str) | st.text(),
)
simple = st.integers() | st.text(max_size=5) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
schedules = st.builds(
    Schedule,
    deviations=st.lists(deviations, max_size=6, unique_by=lambda d: d.key).map(tuple),
    seed=st.integers(),
    semantics=st.sampled_from(("processes", "trio")),
    clock=st.sampled_from(("idle", "racing")),
    params=st.dictionaries(st.text(max_size=5), simple, max_size=3),
    safeguards=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    feed=st.none() | st.text(min_size=1, max_size=9),
    feed_options=st.dictionaries(st.text(max_size=5), simple, max_size=2),
    limits=st.dictionaries(st.sampled_from(("step_limit", "step_timeout")), st.integers(1, 9)),
    fingerprint=st.just("") | st.integers(0, 0xFFFFFF).map("{:06x}".format),
)


def first(task: str, step: int, option: str) -> Deviation:
    return Deviation(task, step, "task", 0, option)


LOST_UPDATE = Schedule(
    (first("main", 0, "main/1"), first("main/1", 0, "main/0"), first("main/0", 0, "main/1")), fingerprint="3f9c1a"
)


@given(schedules)
@example(LOST_UPDATE)
@example(
    Schedule((Deviation("main/1/02", 0, "value", 0, "9" * 30),))
)  # what looks like a path or a number, and is none
def test_a_token_gives_the_schedule_back(schedule: Schedule) -> None:
    assert schedule == Schedule.from_token(schedule.token())


@given(schedules)
def test_a_dictionary_gives_the_schedule_back_through_json(schedule: Schedule) -> None:
    assert schedule == Schedule.from_dict(json.loads(json.dumps(schedule.as_dict())))


@given(schedules)
def test_equal_schedules_have_equal_hashes_and_tokens(schedule: Schedule) -> None:
    again = Schedule.from_dict(schedule.as_dict())

    assert (hash(schedule), schedule.token()) == (hash(again), again.token())


@pytest.mark.parametrize("seed", [0, 1, 7, 2**32 - 1])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_token_of_a_lost_update_is_short(seed: int, count: int) -> None:
    token = Schedule(LOST_UPDATE.deviations[:count], seed=seed, fingerprint="3f9c1a").token()

    assert len(token) <= 40


def test_a_token_is_one_word_of_letters_digits_and_dashes() -> None:
    assert LOST_UPDATE.token() == "rw1-CD-cGgADAAgFAAUBAAEFQ6In_g"


def test_every_wrong_character_is_noticed() -> None:
    """All of them: 30 positions, 63 other characters each."""
    token = LOST_UPDATE.token()
    changed = (token[:at] + other + token[at + 1 :] for at in range(4, len(token)) for other in ALPHABET)

    for word in changed:
        if word != token:
            with pytest.raises(InputError, match="damaged"):
                Schedule.from_token(word)


@given(schedules, st.data())
def test_a_wrong_character_a_swap_a_lost_and_an_added_one_are_noticed(schedule: Schedule, data: st.DataObject) -> None:
    token = schedule.token()
    at = data.draw(st.integers(4, len(token) - 2))
    other = data.draw(st.sampled_from(ALPHABET))
    damaged = {
        token[:at] + other + token[at + 1 :],
        token[:at] + token[at + 1] + token[at] + token[at + 2 :],
        token[:at] + token[at + 1 :],
        token[:at] + other + token[at:],
        token[:-1],
        token.swapcase(),
    }

    for word in damaged - {token}:
        with pytest.raises(InputError):
            Schedule.from_token(word)


@given(st.binary(max_size=60))
def test_bytes_that_nobody_packed_are_refused_or_make_a_schedule(content: bytes) -> None:
    """A correct check does not make sense of nonsense, and nonsense never gets further than a message."""
    packed = content + zlib.crc32(content).to_bytes(4, "little")
    word = "rw1-" + base64.urlsafe_b64encode(packed).decode().rstrip("=")
    outcome: Schedule | str
    try:
        outcome = Schedule.from_token(word)
    except InputError as error:
        outcome = str(error)

    if isinstance(outcome, Schedule):
        assert outcome == Schedule.from_token(outcome.token())
    else:
        assert outcome.startswith(f"the schedule token {word[:60]}")


def test_white_space_from_a_mail_or_a_terminal_does_no_harm() -> None:
    token = LOST_UPDATE.token()

    assert Schedule.from_token(f"  {token[:20]}\n  {token[20:]}\n") == LOST_UPDATE


@pytest.mark.parametrize(
    ("word", "text"),
    [
        (
            "main/1",
            (
                "'main/1' is not a schedule token.\n"
                "Why: tokens of this version begin with 'rw1-'.\n"
                "Do:  copy the whole word from the failure's text, or replay the failure's file instead."
            ),
        ),
        (
            "rw1-CD-cGgADAAgFAAUBAAEFQ6In_h",
            (
                "the schedule token rw1-CD-cGgADAAgFAAUBAAEFQ6In_h is damaged.\n"
                "Why: its characters do not belong together.\n"
                "Do:  copy the whole word again, or replay the failure's file instead."
            ),
        ),
        (
            "rw1-CD-cGgADAAgFAAUBAAEGQ6In_g",
            (
                "the schedule token rw1-CD-cGgADAAgFAAUBAAEGQ6In_g is damaged.\n"
                "Why: its check does not match: a character was changed, lost or added.\n"
                "Do:  copy the whole word again, or replay the failure's file instead."
            ),
        ),
        (
            "rw1-",
            (
                "the schedule token rw1- is damaged.\n"
                "Why: its check does not match: a character was changed, lost or added.\n"
                "Do:  copy the whole word again, or replay the failure's file instead."
            ),
        ),
        (
            "rw1-CD…cGg",
            (
                "the schedule token rw1-CD…cGg is damaged.\n"
                "Why: it is cut off, or has a character that no token has.\n"
                "Do:  copy the whole word again, or replay the failure's file instead."
            ),
        ),
    ],
)
def test_a_bad_token_is_one_message(word: str, text: str) -> None:
    with pytest.raises(InputError) as caught:
        Schedule.from_token(word)

    assert str(caught.value) == text


def changed(**fields: Any) -> dict[str, Any]:
    return LOST_UPDATE.as_dict() | fields


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({}, "deviations is missing."),
        ([], "the schedule should be an object, not []."),
        (changed(seed="1"), "seed should be a whole number, not '1'."),
        (changed(seed=True), "seed should be a whole number, not True."),
        (changed(seed=1.5), "seed should be a whole number, not 1.5."),
        (changed(semantics="fifo"), "semantics should be one of processes, trio, not 'fifo'."),
        (changed(clock=None), "clock should be one of idle, racing, not None."),
        (changed(params=[]), "params should be an object, not []."),
        (changed(safeguards="all"), "safeguards should be a list, not 'all'."),
        (changed(safeguards=[1]), "safeguards should be text, not 1."),
        (changed(feed=3), "feed should be text, not 3."),
        (changed(limits={"step_limit": 0}), "limits: step_limit should be a number above 0, not 0."),
        (changed(fingerprint="xyz"), "fingerprint should be six hexadecimal digits, not 'xyz'."),
        (changed(deviations={}), "deviations should be a list, not {}."),
        (changed(deviations=["main"]), "a deviation should be an object, not 'main'."),
        (changed(deviations=[{"task": "main"}]), "step is missing."),
        (
            changed(deviations=[{"task": "main", "step": -1, "kind": "task", "index": 0, "option": "main/1"}]),
            "step should not be negative, as -1 is.",
        ),
        (
            changed(deviations=[{"task": "main", "step": 1, "kind": "tusk", "index": 0, "option": "main/1"}]),
            "kind should be one of task, value, fault, not 'tusk'.",
        ),
        (
            changed(deviations=[{"task": "main", "step": 1, "kind": "task", "index": 0, "option": "main/1"}] * 2),
            "two deviations belong to the same decision.",
        ),
    ],
)
def test_a_damaged_dictionary_says_which_field(data: Any, why: str) -> None:
    with pytest.raises(InputError) as caught:
        Schedule.from_dict(data)

    assert ("the schedule is damaged.", why) == (caught.value.what, caught.value.why)
