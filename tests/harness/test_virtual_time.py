"""`time` and `datetime` inside a step are the execution's own clock."""

from __future__ import annotations

import copy
import copyreg
import datetime as dt
import functools
import os
import pickle
import random
import sys
import time
import uuid
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racewindow.errors import RealIOError
from racewindow.virtual import EPOCH_NS, MONOTONIC_START_NS, clock, entropy, install, originals, real
from tests.harness.virtual_stage import NS, STAGE, WORLD_OF, FakeWorld

OFFSETS_NS = {
    "time": EPOCH_NS,
    "monotonic": MONOTONIC_START_NS,
    "perf_counter": MONOTONIC_START_NS,
    "process_time": 0,
    "thread_time": 0,
}


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", OFFSETS_NS)
def test_every_clock_is_the_virtual_clock_at_a_fixed_offset(name: str, program: Any) -> None:
    """Seconds and nanoseconds agree, whichever way the function was imported."""

    @given(st.integers(0, 10**15))
    def check(at_ns: int) -> None:
        for home in (time, program):
            with STAGE.step(FakeWorld(at_ns=at_ns)):
                assert getattr(home, f"{name}_ns")() == OFFSETS_NS[name] + at_ns
                assert getattr(home, name)() == (OFFSETS_NS[name] + at_ns) / NS

    check()


@pytest.mark.usefixtures("installed")
def test_clock_gettime_reads_the_usual_clocks_and_refuses_others() -> None:
    """A clock that an execution cannot have is an OSError, as an unknown one always was."""
    with STAGE.step(FakeWorld(at_ns=5)):
        assert time.clock_gettime_ns(time.CLOCK_REALTIME) == time.time_ns()
        assert time.clock_gettime_ns(time.CLOCK_MONOTONIC) == time.monotonic_ns()
        assert time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) == time.process_time()
        with pytest.raises(OSError, match="Invalid argument"):
            time.clock_gettime(12345)
        with pytest.raises(RealIOError, match="clock_settime"):
            time.clock_settime_ns(time.CLOCK_REALTIME, 0)


def test_epoch_is_when_the_window_opened() -> None:
    assert dt.datetime(2026, 1, 19, 4, 30, tzinfo=dt.UTC).timestamp() * NS == EPOCH_NS


@pytest.mark.usefixtures("installed")
@given(st.lists(st.integers(0, 10**6) | st.floats(0, 1e6), max_size=5))
def test_sleep_moves_the_clock_by_what_was_asked(seconds: list[float]) -> None:
    """Never by less, and by less than a nanosecond and the float's own error more."""
    with STAGE.step() as world:
        for duration in seconds:
            before = world.at_ns
            time.sleep(duration)
            assert 0 <= world.at_ns - before - int(duration) * NS - (duration % 1) * NS <= 1


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("seconds", [-1, -0.5, -1e-12, float("nan"), float("inf"), "1", None, 1 + 0j])
def test_sleep_refuses_what_the_original_refuses(seconds: Any) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)) as expected:
        real.sleep(seconds)
    with STAGE.step() as world, pytest.raises(expected.type):
        time.sleep(seconds)
    assert world.at_ns == 0


@pytest.mark.usefixtures("installed")
def test_calendar_functions_without_an_argument_mean_virtual_now(program: Any) -> None:
    """With one they do what they always did."""
    with STAGE.step(FakeWorld(at_ns=61 * NS)):
        for home in (time, program):
            assert tuple(home.gmtime())[:6] == tuple(home.localtime())[:6] == (2026, 1, 19, 4, 31, 1)
            assert home.ctime() == home.asctime() == "Mon Jan 19 04:31:01 2026"
            assert home.strftime("%H:%M:%S %Z") == "04:31:01 UTC"
            assert home.gmtime(0).tm_year == 1970
            assert home.ctime(0) == "Thu Jan  1 00:00:00 1970"
            assert home.asctime(time.gmtime(0)) == "Thu Jan  1 00:00:00 1970"
            assert home.strftime("%Y", time.gmtime(0)) == "1970"
            assert home.mktime(home.localtime()) == home.time()


@pytest.mark.usefixtures("installed")
def test_every_function_that_reads_a_clock_or_draws_is_patched() -> None:
    """A function that a new Python adds has to be judged here."""
    pure = {"clock_getres", "get_clock_info", "mktime", "pthread_getcpuclockid", "strptime", "struct_time", "tzset"}
    functions = {name for name, value in vars(time).items() if callable(value) and name[0].islower()}
    assert functions - pure == set(clock.INSIDE) & functions
    assert {name for name in random.__all__ if not isinstance(getattr(random, name), type)} == set(
        entropy.RANDOM_FUNCTIONS
    )


@pytest.mark.usefixtures("installed")
def test_datetime_now_is_virtual(program: Any) -> None:
    tokyo = dt.timezone(dt.timedelta(hours=9))
    with STAGE.step(FakeWorld(at_ns=1_500_000_999)):
        for home in (dt, program):
            assert repr(home.datetime.now()) == "datetime.datetime(2026, 1, 19, 4, 30, 1, 500000)"
            assert home.datetime.now() == home.datetime.today()
            assert home.datetime.now(dt.UTC).isoformat() == "2026-01-19T04:30:01.500000+00:00"
            assert home.datetime.now(tz=tokyo).isoformat() == "2026-01-19T13:30:01.500000+09:00"
            assert repr(home.date.today()) == "datetime.date(2026, 1, 19)"
        assert dt.datetime.now().timestamp() == pytest.approx(time.time(), abs=1e-6)
        assert dt.datetime.now().astimezone() == dt.datetime.now(dt.UTC)
        with pytest.raises(TypeError, match="tzinfo"):
            dt.datetime.now(9)  # type: ignore[arg-type]


@pytest.mark.usefixtures("installed")
def test_utcnow_is_virtual_and_blames_its_caller() -> None:
    """Its deprecation, from Python 3.12, points at the program and not at us."""
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        outside = dt.datetime.utcnow()
        with STAGE.step():
            assert dt.datetime.utcnow() == dt.datetime(2026, 1, 19, 4, 30)
    assert [warning.filename for warning in record] == [__file__] * (2 if sys.version_info >= (3, 12) else 0)
    assert abs(outside - dt.datetime.now(dt.UTC).replace(tzinfo=None)) < dt.timedelta(minutes=1)


@pytest.mark.usefixtures("installed")
def test_no_value_has_the_type_of_a_stand_in() -> None:
    """Whatever way it is made, inside or outside."""
    plain, day = originals.REAL_DATETIME, originals.REAL_DATE
    with STAGE.step():
        values = [
            dt.datetime(2026, 1, 19),
            dt.datetime.now(),
            dt.datetime.now(dt.UTC),
            dt.datetime.today(),
            dt.datetime.fromisoformat("2026-01-19"),
            dt.datetime.strptime("2026", "%Y"),
            dt.datetime.fromtimestamp(0),
            dt.datetime.fromtimestamp(0, dt.UTC),
            dt.datetime.combine(dt.date.today(), dt.time(4)),
            dt.datetime.fromordinal(1),
            dt.datetime.now() + dt.timedelta(1),
            dt.datetime.now().replace(year=2027),
            dt.datetime.min,
        ]
        assert {type(value) for value in values} == {plain}
        days = [dt.date.today(), dt.date(2026, 1, 1), dt.date.fromtimestamp(0), dt.datetime.now().date()]
        assert {type(value) for value in days} == {day}


@pytest.mark.usefixtures("installed")
def test_outside_a_step_dates_are_the_real_ones() -> None:
    minute = dt.timedelta(minutes=1)
    assert abs(dt.datetime.today() - originals.REAL_DATETIME.now()) < minute
    assert abs(dt.datetime.now(dt.UTC) - originals.REAL_DATETIME.now(dt.UTC)) < minute
    assert dt.date.today() in {originals.REAL_DATE.today(), originals.REAL_DATE.today() - dt.timedelta(days=1)}


@pytest.mark.usefixtures("installed")
def test_stand_ins_count_as_what_they_stand_for(program: Any) -> None:
    """In isinstance, issubclass, match, tables keyed by type, and unions."""
    plain = originals.REAL_DATETIME(2026, 1, 19)
    assert program.datetime is dt.datetime
    assert all(isinstance(plain, kind) for kind in (dt.datetime, dt.date, dt.datetime | None))
    assert not isinstance(plain.date(), dt.datetime) and not isinstance(3, dt.date)
    assert issubclass(dt.datetime, dt.date) and not issubclass(dt.date, dt.datetime)
    assert {originals.REAL_DATETIME: 1}[dt.datetime] == {dt.datetime: 1}[type(plain)] == 1
    assert dt.datetime != dt.date
    match plain:
        case dt.datetime(year=2026):
            pass
        case _:
            pytest.fail("did not match")

    @functools.singledispatch
    def kind(_value: object) -> str:
        return "other"

    kind.register(dt.datetime, lambda _value: "datetime")
    assert kind(plain) == "datetime"


@pytest.mark.usefixtures("installed")
def test_classes_derived_from_datetime_have_the_virtual_clock(program: Any) -> None:
    """Those made before the installation, and those made from a stand-in."""

    class During(dt.datetime):
        extra = 1

    for derived in (program.Derived, During):
        with STAGE.step():
            now = derived.now(dt.UTC)
            assert type(now) is derived and now == dt.datetime(2026, 1, 19, 4, 30, tzinfo=dt.UTC)
            assert type(derived.today()) is type(derived(2026, 1, 19)) is derived
            assert isinstance(now, dt.datetime) and isinstance(now, derived)
        assert not isinstance(dt.datetime.now(), derived) and not issubclass(dt.datetime, derived)
        assert abs(derived.now(dt.UTC).timestamp() - real.time()) < 60
        assert {derived: 1}[derived] == 1 and derived != dt.datetime


def test_a_method_that_a_derived_class_defines_stays() -> None:
    class Frozen(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Frozen:
            return cls(2000, 1, 1, tzinfo=tz)

    with install(WORLD_OF), STAGE.step():
        assert Frozen.now().year == 2000
        assert Frozen.today().year == 2026


def test_a_class_or_reducer_that_somebody_else_put_there_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with any mock: it means what it says."""

    class Mocked(dt.datetime):
        pass

    reducer = lambda value: (dt.date.fromordinal, (value.toordinal(),))  # noqa: E731
    monkeypatch.setitem(copyreg.dispatch_table, dt.date, reducer)
    monkeypatch.setattr(dt, "datetime", Mocked)
    with install(WORLD_OF):
        assert dt.datetime is Mocked
        assert copyreg.dispatch_table[originals.REAL_DATE] is reducer


@given(value=st.datetimes() | st.dates() | st.datetimes(timezones=st.just(dt.UTC)), protocol=st.integers(2, 5))
def test_pickles_and_copies_are_those_of_plain_values(value: dt.date, protocol: int) -> None:
    """Byte for byte, so that they can be read without us."""
    plain = pickle.dumps(value, 4)
    with install(WORLD_OF):
        assert pickle.dumps(value, 4) == plain
        loaded = pickle.loads(pickle.dumps(value, protocol))  # noqa: S301
        for again in (loaded, copy.copy(value), copy.deepcopy([value])[0]):
            assert again == value and type(again) is type(value)
        assert pickle.loads(pickle.dumps([dt.datetime, time.time, random.random, uuid.uuid1])) == [  # noqa: S301
            *(dt.datetime, time.time, random.random, uuid.uuid1)
        ]


def test_local_time_is_utc_while_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the machine is; afterwards it is there again."""
    made_before = dt.datetime(2026, 1, 19, 4, 30)
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        before = {name: vars(time)[name] for name in ("tzname", "timezone", "altzone", "daylight")}
        with install(WORLD_OF), STAGE.step():
            assert made_before.timestamp() * NS == EPOCH_NS
            assert time.localtime().tm_hour == 4 and time.tzname[0] == "UTC"
        assert all(vars(time)[name] is value for name, value in before.items())
        assert os.environ["TZ"] == "America/New_York"
        assert made_before.timestamp() * NS == EPOCH_NS + 5 * 3600 * NS
        monkeypatch.delenv("TZ")
        with install(WORLD_OF):  # the C library still says New York
            assert os.environ["TZ"] == "UTC"
        assert "TZ" not in os.environ
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_machine_in_utc_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is left alone where there is nothing to do."""
    monkeypatch.setenv("TZ", "UTC0")
    time.tzset()
    try:
        with install(WORLD_OF):
            assert os.environ["TZ"] == "UTC0"
    finally:
        monkeypatch.undo()
        time.tzset()
