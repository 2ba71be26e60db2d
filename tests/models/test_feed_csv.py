"""A recording is read exactly, and a file that cannot be used is refused with one message that says where and why."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racewindow import InputError, UsageError
from racewindow_models.feed_csv import read_prices, read_rates
from racewindow_models.units import E8, text_e8


@pytest.fixture
def feed_file(tmp_path: Path) -> Path:
    return tmp_path / "btc.csv"


def prices(file: Path, text: str, *, allow_negative_prices: bool = False) -> list[str]:
    file.write_text(text, encoding="utf-8")
    readings = read_prices(file, allow_negative_prices=allow_negative_prices)
    return [text_e8(amount_e8) for amount_e8 in readings.amounts_e8]


@pytest.mark.parametrize(
    "text",
    [
        "time,open,high,low,close\n2021-11-15T06:00:00Z,1,2,3,1.5\n2021-11-15T07:00:00Z,1,2,3,2.5\n",
        "timestamp,price\n1636956000000,1.5\n1636959600000,2.5\n",
        "date;mark_price\n1636956000;1.5\n1636959600;2.5\n",
        "Date\tClose\tVolume\n2021-11-15 06:00:00\t1.5\t7\n2021-11-15 07:00:00+00:00\t2.5\t7\n",
        '\ufeff"Open Time","Mark"\r\n"2021-11-15T06:00:00.017Z","1.5"\r\n\r\n"2021-11-15T07:00:00Z","2.5"\r\n',
        "timestamp,price\n1636956000.25,1.5\n1636959600.5,2.5\n",
        "open_time,last\n1636956000000000,1.5\n1636959600000000000,2.5\n",
    ],
)
def test_columns_times_and_separators_are_recognized(feed_file: Path, text: str) -> None:
    assert prices(feed_file, text) == ["1.5", "2.5"]


def test_close_is_preferred_to_other_prices(feed_file: Path) -> None:
    assert prices(feed_file, "time,price,close\n1,1,2\n") == ["2"]


def test_trades_are_bucketed_by_the_second_and_the_last_one_counts(feed_file: Path) -> None:
    trades = [(0, 1), (500, 2), (500, 3), (1_000, 4), (3_999, 5)]
    rows = [f"{1_675_329_600_000 + ms},buy,{price},0.1" for ms, price in trades]

    assert prices(feed_file, "\n".join(["timestamp,side,price,amount", *rows])) == ["3", "4", "5"]


def test_equal_times_make_a_file_one_of_trades(feed_file: Path) -> None:
    assert prices(feed_file, "time,price\n10,1\n10,2\n11,3\n") == ["2", "3"]


@given(amounts=st.lists(st.integers(1, 10**13), min_size=1, max_size=20))
def test_prices_are_read_to_the_last_digit(tmp_path_factory: pytest.TempPathFactory, amounts: list[int]) -> None:
    file = tmp_path_factory.mktemp("feed") / "exact.csv"
    file.write_text("time,price\n" + "".join(f"{n},{Decimal(a) / E8:f}\n" for n, a in enumerate(amounts)), "utf-8")

    assert list(read_prices(file).amounts_e8) == amounts


def test_rates_may_be_negative_or_zero(feed_file: Path) -> None:
    feed_file.write_text("time,funding_rate\n2021-11-18T00:00:00Z,-0.0001\n2021-11-18T08:00:00Z,0\n")

    assert read_rates(feed_file).amounts_e8 == (-10_000, 0)


def test_negative_prices_and_zero_are_read_when_they_can_be_real(feed_file: Path) -> None:
    text = "time,price\n1,10\n2,0\n3,-37.63\n"

    assert prices(feed_file, text, allow_negative_prices=True) == ["10", "0", "-37.63"]


TIMES = "time, timestamp, date, datetime, open_time"
PRICES = "close, mark_price, mark, price, index_price, spot, last"
WHY_TIME = (
    "Why: a time is ISO 8601 (2026-01-19T04:30:00Z, UTC if it says nothing) or an epoch in s, ms, us or ns.\n"
    "Do:  correct or remove the row."
)
WHY_NUMBER = (
    "Why: a price has to be a finite number below 10^12, with a point for the decimals.\n"
    "Do:  correct or remove the row."
)
WHY_POSITIVE = (
    "Why: a price of zero or below is nearly always a mistake of the recording.\n"
    "Do:  correct the row, or say with --allow-negative-prices that such prices are real."
)
WHY_ORDER = "Why: rows have to be in the order of time; equal times are fine.\nDo:  sort the file by its column 'time'."
REFUSED = {
    "": "FILE is empty.\nDo:  give a CSV file with a header, a time and a price column.",
    "\n \n": "FILE is empty.\nDo:  give a CSV file with a header, a time and a price column.",
    "time,price\n": "FILE has a header and no rows.\nDo:  give a file with at least one row.",
    "time,amount\n1,2\n": f"FILE, line 1: there is no price column.\nWhy: the columns are 'time', 'amount'.\n"
    f"Do:  call the price column one of: {PRICES}.",
    "1636,1.5\n": f"FILE, line 1: there is no time column.\nWhy: the columns are '1636', '1.5'.\n"
    f"Do:  call the time column one of: {TIMES}.",
    "time,price\n1,2\n\n2\n": (
        "FILE, line 4: the row does not fit the header: 1 columns instead of 2.\nDo:  complete or remove the row."
    ),
    "time,price\n2021-11-15T07:00:00Z,2\n2021-11-15T06:00:00Z,2\n": (
        f"FILE, line 3: the time goes back, to '2021-11-15T06:00:00Z'.\n{WHY_ORDER}"
    ),
    'time,price\n1,"2\n': "FILE, line 2: not CSV: unexpected end of data.",
}
BAD_TIMES = ["yesterday", "", "nan", "inf", "1e99999", "2021-13-01", "0001-01-01T00:00:00+23:00x"]
BAD_NUMBERS = ["NaN", "inf", "-Infinity", "", "n/a", "sNaN", "1e999999", "1e13"]
REFUSED |= {f"time,price\n{bad},2\n": f"FILE, line 2: the time is {bad!r}.\n{WHY_TIME}" for bad in BAD_TIMES}
REFUSED |= {f"time,price\n1,{bad}\n": f"FILE, line 2: the price is {bad!r}.\n{WHY_NUMBER}" for bad in BAD_NUMBERS}
REFUSED |= {
    f"time,price\n1,2\n2,{bad}\n": f"FILE, line 3: the price is {bad}.\n{WHY_POSITIVE}"
    for bad in ("-37.63", "0", "-0.0", "1e-12")
}


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_prices(path)
    return str(caught.value).replace(str(path), "FILE")


@pytest.mark.parametrize("text", REFUSED)
def test_a_bad_file_is_refused_in_full_words(feed_file: Path, text: str) -> None:
    feed_file.write_text(text, encoding="utf-8")

    assert refusal(feed_file) == REFUSED[text]


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    binary = tmp_path / "feed.zip"
    binary.write_bytes(b"PK\x03\x04\xff\xfe")

    assert refusal(tmp_path / "none.csv") == "there is no file FILE.\nDo:  give the path of a CSV file."
    assert refusal(tmp_path) == "FILE cannot be read: Is a directory."
    assert refusal(binary) == (
        "FILE is not a text file.\nWhy: the byte at position 4 is not UTF-8.\n"
        "Do:  give a CSV file; an archive or a spreadsheet has to be exported to CSV first."
    )


def test_a_bad_feed_is_bad_usage() -> None:
    assert issubclass(InputError, UsageError)


@given(text=st.text(max_size=60) | st.text("0123456789,;\n.-ne:TZ time price\"'", max_size=80))
def test_any_text_is_read_or_refused_by_name(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("feed") / "any.csv"
    file.write_text("time,price\n" + text, encoding="utf-8")

    try:
        amounts_e8 = read_prices(file).amounts_e8
    except InputError as error:
        refused = str(error)
        assert refused.startswith(str(file))  # it may be refused or not
    else:
        assert amounts_e8


def test_gaps_of_candles_are_reported_not_refused(feed_file: Path) -> None:
    feed_file.write_text("time,close\n0,1\n3600,1\n7200,1\n18000,1\n21600,1\n28800,1\n")

    assert read_prices(feed_file).notes == (
        "btc.csv: 2 gaps, the longest of 3:00:00 before line 5 (rows are usually 1:00:00 apart)",
    )


def test_pauses_between_trades_are_reported_from_a_minute_on(feed_file: Path) -> None:
    feed_file.write_text("time,price,amount\n0,1,1\n60,1,1\n121,1,1\n")

    assert read_prices(feed_file).notes == (
        "btc.csv: 1 gap of 0:01:01 before line 4 (more than 0:01:00 without a trade)",
    )
