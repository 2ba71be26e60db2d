"""Values of any kind become JSON that is the same in every process."""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racewindow.plain import clock_text, one_line, plain, scrub


class Colour(enum.IntEnum):
    RED = 3


class Pair(NamedTuple):
    left: int
    right: object


@dataclasses.dataclass(frozen=True)
class Row:
    price_e8: int
    seen: frozenset[str]
    secret: str = dataclasses.field(default="", repr=False)


class Thing:
    def told(self) -> None: ...


class Liar:
    def __repr__(self) -> str:
        raise ValueError


class Broken(Mapping[str, int]):
    def __getitem__(self, key: str) -> int:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter("a")

    def __len__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return "Broken()"


class Unsliceable(Sequence[int]):
    def __getitem__(self, at: Any) -> Any:
        if at >= 2:
            raise IndexError
        return at

    def __len__(self) -> int:
        return 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (10**30, 10**30),
        (Colour.RED, "RED"),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ("a\ud800", "a\\ud800"),
        (b"\x00\xff", "00ff"),
        ((1, [2]), [1, [2]]),
        (Pair(1, {2}), {"left": 1, "right": [2]}),
        (Row(5, frozenset({"b", "a"}), "x"), {"price_e8": 5, "seen": ["a", "b"]}),
        ({1: "a", (2, 3): "b", None: "c"}, {"1": "a", "[2, 3]": "b", "None": "c"}),
        ({3, 20, "x"}, ["x", 20, 3]),
        (Liar(), "<Liar>"),
        (Broken(), "Broken()"),
        (Unsliceable(), [0, 1]),
        (range(300), [*range(200), "… 100 more"]),
        (dict.fromkeys(range(201), 0), {**{str(n): 0 for n in range(200)}, "…": "1 more"}),
        ("x" * 2_001, "x" * 2_000 + "… 1 more characters"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_becomes_json(value: object, expected: object) -> None:
    assert expected == plain(value)


def test_what_json_has_no_word_for_is_described_without_its_address() -> None:
    described = plain([Thing(), clock_text, Thing().told])

    assert described[0] == f"<{__name__}.Thing object>"
    assert described[1] == "<function clock_text>"
    assert " at 0x" not in described[2]


def test_a_value_that_holds_itself_ends() -> None:
    knot: list[object] = []
    knot.append(knot)

    assert one_line(plain(knot)).count("[") < 20


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.sets(st.text())))
def test_what_comes_out_is_json_and_stays_the_same(value: object) -> None:
    out = plain(value)

    assert out == json.loads(one_line(out)) == plain(out)


def test_addresses_go_and_other_hexadecimal_numbers_stay() -> None:
    text = "<Cell object at 0x7f31c5a0d2b0> holds 0xdeadbeef at 0x1f"

    assert scrub(text) == "<Cell object> holds 0xdeadbeef at 0x1f"


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "T+00:00.000"),
        (30_000_000_000, "T+00:30.000"),
        (1_800_999_999_999, "T+30:00.999"),
        (3_600_000_000_000, "T+1:00:00.000"),
        (-1_500_000_000, "T-00:01.500"),
    ],
)
def test_virtual_time_is_minutes_and_seconds(time_ns: int, text: str) -> None:
    assert text == clock_text(time_ns)
