"""Scaled integers are written as people write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racewindow import UsageError
from racewindow_models.settings import Settings
from racewindow_models.units import E8, TimeNs, text_duration, text_e8, text_seconds, text_usdt, to_trio_seconds


@given(amount_e8=st.integers(-(10**20), 10**20))
def test_text_is_exact_and_shortest(amount_e8: int) -> None:
    text = text_e8(amount_e8)

    assert Decimal(text) * E8 == amount_e8
    assert not ("." in text and text.endswith(("0", ".")))


@pytest.mark.parametrize(
    ("amount_e8", "text"),
    [
        (0, "0.00 USDT"),
        (123_456_789_000, "1,234.56 USDT"),
        (-1_500_000_000_000, "-15,000.00 USDT"),
        (-1, "-0.00 USDT"),
    ],
)
def test_money_is_cut_to_cents(amount_e8: int, text: str) -> None:
    assert text_usdt(amount_e8) == text


@pytest.mark.parametrize(("time_ns", "text"), [(0, "0 s"), (60 * 10**9, "60 s"), (1_500_000_000, "1.5 s")])
def test_time_is_told_in_seconds(time_ns: int, text: str) -> None:
    assert text_seconds(time_ns) == text


def test_a_long_time_is_told_in_hours_minutes_and_seconds() -> None:
    told = {seconds: text_duration(seconds * 10**9) for seconds in (0, 10, 3_600, 23_400, 90_061)}
    assert told == {0: "0 s", 10: "10 s", 3_600: "1 h", 23_400: "6 h 30 min", 90_061: "25 h 1 min 1 s"}


def test_time_reaches_trio_in_seconds() -> None:
    assert to_trio_seconds(TimeNs(65 * 10**9)) == 65.0


@pytest.mark.parametrize("name", ["markets", "accounts", "ticks", "batches", "tick_seconds", "window_seconds"])
def test_a_size_below_one_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        Settings(**{name: 0})

    assert str(caught.value) == f"the parameter {name!r} cannot be 0.\nWhy: it has to be at least 1."
