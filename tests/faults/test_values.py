"""What faults of data, storage, configuration, clocks and runbooks make of the values they are given."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import racewindow
import racewindow_faults
from racewindow import ClockFault, CommitFailedError, TransactionAbortedError, UsageError, ValueFault, WriteFault
from racewindow_faults import (
    Abort,
    DecimalShift,
    DuplicatedRow,
    Early,
    FailedCommit,
    FlagReuse,
    Frozen,
    Jump,
    LostFsync,
    LostWrite,
    MissingRow,
    Nan,
    OldConfig,
    OldVersion,
    Overrun,
    PartialCopy,
    PartialRollout,
    Repeat,
    Sign,
    Skew,
    Skip,
    StaleRead,
    TornBatch,
    WrongOrder,
    WrongTarget,
    WrongUnit,
    Zero,
)
from tests.faults.stage import Store


@dataclass(frozen=True)
class Price:
    """A row that is a dataclass."""

    market: str
    halted: bool
    mark: int
    index: float


class Pair(NamedTuple):
    """A row that is a named tuple."""

    market: str
    mark: int


ROW = Price("BTC", False, 92_600, 12.5)
MAPPING = {"market": "BTC", "mark": 92_600, "index": 12.5}


# --- data ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "value", "read"),
    [
        (Zero(), 92_600, 0),
        (Zero(), 12.5, 0.0),
        (Zero(), Decimal("12.50"), Decimal(0)),
        (Zero(), ROW, Price("BTC", False, 0, 12.5)),
        (Zero(field="index"), ROW, Price("BTC", False, 92_600, 0.0)),
        (Zero(), Pair("BTC", 5), Pair("BTC", 0)),
        (Zero(field="1"), ("BTC", 5, 6), ("BTC", 0, 6)),
        (Zero(field="index"), MAPPING, {"market": "BTC", "mark": 92_600, "index": 0.0}),
        (Zero(), [("BTC", "?"), ("ETH", 5), ("XRP", 6)], [("BTC", "?"), ("ETH", 0), ("XRP", 6)]),
        (Zero(), {7: 5}, {7: 0}),
        (DecimalShift(), 92_600, 9_260_000),
        (DecimalShift(places=-2), 92_650, 926),
        (DecimalShift(places=-2), -92_650, -926),
        (DecimalShift(places=1), 1.25, 12.5),
        (DecimalShift(places=-1), Decimal("12.5"), Decimal("1.25")),
        (DecimalShift(places=-1), Fraction(1, 2), Fraction(1, 20)),
        (Sign(), 5, -5),
        (Sign(), Pair("BTC", 5), Pair("BTC", -5)),
        (WrongUnit(), 5, 5000),
        (WrongUnit(factor=0.01), 12_399, 124),
        (WrongUnit(factor=0.5), 3.0, 1.5),
        (WrongUnit(factor=0.1), Decimal("12.5"), Decimal("1.25")),
        (WrongUnit(factor=0.1), Fraction(1, 2), Fraction(1, 20)),
        (MissingRow(), ROW, None),
        (MissingRow(), [1, 2, 3], [2, 3]),
        (MissingRow(row=1), [1, 2, 3], [1, 3]),
        (MissingRow(row=9), [1, 2, 3], [1, 2]),
        (MissingRow(), [], []),
        (DuplicatedRow(), [1, 2, 3], [1, 1, 2, 3]),
        (DuplicatedRow(row=9), [1, 2, 3], [1, 2, 3, 3]),
        (DuplicatedRow(), [], []),
        (DuplicatedRow(), ROW, ROW),
    ],
)
def test_a_data_fault_hits_one_number_or_one_row(fault: ValueFault, value: Any, read: Any) -> None:
    before = copy.deepcopy(value)
    found = fault.read([None, value])
    assert found == read and type(found) is type(read)
    assert value == before, "the truth is as it was"


@pytest.mark.parametrize("value", [None, "BTC", True, {}, (), [], {"name": "BTC"}, [{"name": "BTC"}]])
def test_what_has_no_number_stays_as_it_is(value: Any) -> None:
    for fault in (Zero(), Sign(), Nan(), WrongUnit(), DecimalShift()):
        assert fault.read([value]) == value


@pytest.mark.parametrize(("value", "kind"), [(5, float), (5.0, float), (Decimal(5), Decimal)])
def test_nan_is_a_number_that_is_none(value: Any, kind: type) -> None:
    found = Nan().read([value])
    assert type(found) is kind and found != found  # noqa: PLR0124  # which is what it is


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (ROW, "it has numbers in: mark, index."),
        ("BTC", "it is 'BTC'."),
        (5, "it is 5."),
        ([ROW], "it has numbers in: mark, index."),
    ],
)
def test_a_field_that_is_not_there_is_one_clear_message(value: Any, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        Zero(field="funding").read([value])
    assert caught.value.what == "zero: what is read has no number in a field 'funding'."
    assert caught.value.why == why


def test_a_field_that_is_not_there_ends_the_exploration_with_that_message() -> None:
    async def main() -> None:
        await Store(btc=MAPPING).read("btc")

    with pytest.raises(UsageError, match="no number in a field 'funding'"):
        racewindow.explore(main, strategy="dfs", faults=Zero(field="funding"))


def test_a_decimal_point_is_moved_somewhere() -> None:
    with pytest.raises(UsageError, match="places cannot be 0"):
        DecimalShift(places=0)


@given(st.integers(-(10**12), 10**12), st.integers(-6, 6).filter(bool))
def test_a_decimal_shift_to_the_right_and_back_is_nothing(number: int, places: int) -> None:
    there = DecimalShift(places=abs(places)).read([number])
    assert DecimalShift(places=-abs(places)).read([there]) == number


def test_what_was_never_there_is_not_there() -> None:
    for name in ("Zero", "MissingRow", "DuplicatedRow", "OldVersion", "StaleRead"):
        assert getattr(racewindow_faults, name)().read(()) is None
    assert ValueFault().read(()) is None


# --- storage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [lambda n: StaleRead(versions_behind=n), lambda n: OldVersion(versions_back=n)])
def test_an_older_version_is_at_most_the_oldest(kind: Any) -> None:
    assert [kind(n).read([None, 7, 9]) for n in (1, 2, 3)] == [7, None, None]
    assert kind(1).read([9]) == 9


@pytest.mark.parametrize(
    ("fault", "written", "durable", "error"),
    [
        (WriteFault(), "abc", "abc", None),
        (LostWrite(), "", "", None),
        (LostFsync(), "abc", "", None),
        (TornBatch(), "a", "a", None),
        (TornBatch(kept_items=0), "", "", None),
        (TornBatch(kept_items=9, told="failed"), "abc", "abc", CommitFailedError),
        (FailedCommit(), "", "", CommitFailedError),
        (FailedCommit(effect="all"), "abc", "abc", CommitFailedError),
        (Abort(), "", "", TransactionAbortedError),
        (PartialCopy(), "ab", "ab", None),
        (PartialCopy(missing_items=9), "", "", None),
    ],
)
def test_a_write_fault_says_what_takes_effect_what_lasts_and_what_is_told(
    fault: WriteFault, written: str, durable: str, error: type[Exception] | None
) -> None:
    assert list(fault.written("abc")) == list(written)
    assert list(fault.durable("abc")) == list(durable)
    if error is None:
        fault.acknowledge()
    else:
        with pytest.raises(error):
            fault.acknowledge()


# --- configuration ---------------------------------------------------------------------------------------------------

OLDEST = {"limit": 1, "flag": False, "venue": "a"}
OLD = {"limit": 2, "flag": False, "venue": "a"}
NEW = {"limit": 3, "flag": True, "venue": "b"}


@pytest.mark.parametrize(
    ("fault", "versions", "loaded"),
    [
        (OldConfig(), [OLDEST, OLD, NEW], OLD),
        (OldConfig(versions_back=2), [OLDEST, OLD, NEW], OLDEST),
        (OldConfig(), [NEW], NEW),
        (WrongOrder(), [OLDEST, OLD, NEW], {"limit": 2, "flag": True, "venue": "b"}),
        (WrongOrder(), [NEW, OLDEST, OLD, NEW], {"limit": 2, "flag": True, "venue": "b"}),
        (WrongOrder(), [OLD, NEW], NEW),
        (WrongOrder(), [1, 2, 3], 2),
        (FlagReuse(), [OLDEST, OLD, {**OLD, "flag": True}], {**OLD, "flag": True}),
        (FlagReuse(flag="flag"), [OLDEST, OLD, NEW], {**OLD, "flag": True}),
        (FlagReuse(flag="new"), [OLD, {**NEW, "new": 1}], {**OLD, "new": 1}),
        (FlagReuse(), [1, 2], 1),
        (PartialRollout(), [OLD, NEW], {**OLD, "limit": 3}),
        (PartialRollout(applied_fields=2), [OLD, NEW], {**OLD, "limit": 3, "flag": True}),
        (PartialRollout(applied_fields=0), [OLD, NEW], OLD),
        (PartialRollout(), [1, 2], 1),
        (PartialRollout(), [ROW, Price("BTC", True, 0, 0.0)], Price("BTC", True, 92_600, 12.5)),
    ],
)
def test_a_config_fault_loads_another_configuration(fault: Any, versions: Sequence[Any], loaded: Any) -> None:
    before = copy.deepcopy(versions)
    assert fault.loaded(versions) == loaded
    assert versions == before


def test_a_flag_that_is_not_there_is_one_clear_message() -> None:
    with pytest.raises(UsageError) as caught:
        FlagReuse(flag="flog").loaded([OLD, NEW])
    assert caught.value.what == "flag-reuse: the configuration has no flag 'flog'."
    assert caught.value.why == "its fields are: limit, flag, venue."


# --- clocks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        (ClockFault(), [100, 110, 200]),
        (Skew(), [102, 112, 202]),
        (Skew(seconds=-5), [95, 105, 195]),
        (Skew(seconds=0, drift_percent=10), [100, 111, 210]),
        (Skew(seconds=0, drift_percent=-100), [100, 100, 100]),
        (Jump(), [3700, 3710, 200]),
        (Jump(seconds=-50, lasting_seconds=math.inf), [50, 60, 150]),
        (Frozen(), [100, 100, 200]),
        (Frozen(seconds=math.inf), [100, 100, 100]),
    ],
)
def test_a_clock_fault_shows_another_time_from_when_it_struck(fault: ClockFault, shown: list[int]) -> None:
    """It has struck at 100 s; read then, 10 s and 100 s later."""
    times = [fault.shown_ns(now * 10**9, 100 * 10**9) for now in (100, 110, 200)]
    assert times == [second * 10**9 for second in shown]
    assert all(isinstance(each, int) for each in times)


# --- operators -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "taken"),
    [
        (Skip(), [(), (), ()]),
        (Repeat(), [(0, 0), (1, 1), (2, 2)]),
        (Repeat(times=3), [(0,) * 3, (1,) * 3, (2,) * 3]),
        (Early(), [(1, 0), (2, 1), (2,)]),
        (Early(steps_ahead=5), [(2, 0), (2, 1), (2,)]),
        (WrongTarget(), [(-1,), (-2,), (-3,)]),
        (Overrun(), [(0,), (1,), (2,)]),
    ],
)
def test_an_operator_fault_takes_other_steps(fault: Any, taken: list[tuple[int, ...]]) -> None:
    assert [tuple(fault.taken(step, 3)) for step in range(3)] == taken
