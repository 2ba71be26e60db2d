"""A story keeps what led to the violation, and says what it leaves out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racewindow.events import Event
from racewindow.story import LINES_MAX, story_of

NS = 1_000_000_000


def event(seconds: int, kind: str = "tick", **data: object) -> Event:
    return Event(seconds * NS, "writer", 0, kind, data)


def ticks(count: int) -> list[Event]:
    return [event(n, number=n) for n in range(count)]


def gaps(lines: Sequence[str]) -> int:
    return sum(int(line.split()[1]) for line in lines if line.endswith("…"))


def test_an_event_tells_itself_where_nobody_narrates() -> None:
    events = [event(30, "db.switch", to="new", rows=2), event(3_601, "stop")]

    assert story_of(events) == ("T+00:30.000  writer: db.switch to=new rows=2", "T+1:00:01.000  writer: stop")


def test_the_narrator_chooses_what_is_told_and_how() -> None:
    def narrate(each: Event) -> str | None:
        return f"the writer\n  ticks for the {each.data['number']}th time" if each.data["number"] % 2 else None

    assert story_of(ticks(4), narrate) == (
        "T+00:01.000  the writer ticks for the 1th time",
        "T+00:03.000  the writer ticks for the 3th time",
    )


def test_a_narrator_that_crashes_hides_nothing() -> None:
    def narrate(each: Event) -> str:
        return str(each.data["no such thing"])

    assert story_of(ticks(1), narrate) == ("T+00:00.000  writer: tick number=0",)


def test_a_long_story_is_cut_around_the_violation() -> None:
    lines = story_of(ticks(100), highlight={50 * NS})

    assert lines == (
        "             … 42 more events …",
        *(f"T+00:{n}.000  writer: tick number={n}" for n in range(42, 54)),
        "             … 46 more events …",
    )


def test_without_a_violation_the_end_is_told() -> None:
    lines = story_of(ticks(50))

    assert lines[0] == "             … 37 more events …"
    assert lines[1:] == tuple(f"T+00:{n}.000  writer: tick number={n}" for n in range(37, 50))


def test_one_event_left_out_is_one_event() -> None:
    assert "             … 2 more events …" in story_of(ticks(LINES_MAX + 1))
    assert story_of(ticks(3), lines_max=2) == (
        "             … 2 more events …",
        "T+00:02.000  writer: tick number=2",
    )
    assert story_of(ticks(4), highlight={0, 3 * NS}, lines_max=3) == (
        "T+00:00.000  writer: tick number=0",
        "             … 2 more events …",
        "T+00:03.000  writer: tick number=3",
    )


@given(st.integers(0, 200), st.sets(st.integers(0, 200), max_size=5), st.integers(2, LINES_MAX))
def test_a_story_is_short_and_accounts_for_every_event(count: int, violated: set[int], lines_max: int) -> None:
    lines = story_of(ticks(count), highlight={n * NS for n in violated}, lines_max=lines_max)
    told = [line for line in lines if not line.endswith("…")]

    assert len(lines) <= lines_max
    assert count == len(told) + gaps(lines)
    assert told == sorted(told, key=lambda line: int(line.rpartition("=")[2]))


@pytest.mark.parametrize("at", [0, 20, 99])
def test_the_violation_itself_is_always_told(at: int) -> None:
    lines = story_of(ticks(100), highlight={at * NS})

    assert any(line.endswith(f"number={at}") for line in lines)
