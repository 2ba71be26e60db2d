"""Reading a recording of prices (or funding rates) from a CSV file, and saying precisely what is wrong with it.

Two kinds of file are told apart. In a file of *candles* (or any regular sample) each row is one price. In a file of
*trades* there are many rows a second: they are collected in buckets of one second, the last trade of a bucket is its
price, and a second without trades gives no price. A file holds trades if it has a column that only trades have, or
two rows of the same time.

Numbers are read as decimals and rounded half-even to 10^-8; a binary float never touches them.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, DecimalException
from itertools import pairwise
from pathlib import Path

from racewindow import InputError
from racewindow_models.units import E8, SECOND_NS, TimeNs

TIME_COLUMNS = ("time", "timestamp", "date", "datetime", "open_time")
PRICE_COLUMNS = ("close", "mark_price", "mark", "price", "index_price", "spot", "last")
RATE_COLUMNS = ("funding_rate", "rate")
TRADE_COLUMNS = ("side", "amount", "size", "quantity", "qty")
AMOUNT_MAX = 10**12
TRADE_BUCKET_NS = SECOND_NS
"""Exchanges that publish a mark price every second are the reason for this width."""
TRADE_PAUSE_NS_MAX = 60 * SECOND_NS
"""A longer pause between two trades is reported as a gap."""

EPOCH_MAX = 10**20

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_UNITS_NS = ((10**17, 1), (10**14, 1_000), (10**11, 1_000_000))
"""(smallest number, its unit): an epoch of seconds stays below 10^11 until the year 5138."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One row: where it stands in the file, when it was recorded, and its number times 10^8."""

    line: int
    time_ns: TimeNs
    amount_e8: int


@dataclass(frozen=True, slots=True)
class Column:
    """What a file is read for. `minimum_e8` is the smallest number that makes sense, None for any."""

    what: str
    names: tuple[str, ...]
    minimum_e8: int | None = None


@dataclass(frozen=True, slots=True)
class Readings:
    """The numbers of a file, one per tick, and what is worth knowing about them."""

    amounts_e8: tuple[int, ...]
    notes: tuple[str, ...] = ()


def read_prices(path: Path, *, allow_negative_prices: bool = False) -> Readings:
    """The prices of a file of candles or trades.

    Zero counts as negative here: in a recording it nearly always stands for a price that is missing. Raises InputError,
    naming the line, for anything that cannot be used.
    """
    column = Column("price", PRICE_COLUMNS, None if allow_negative_prices else 1)
    samples, is_trades = _read(path, column)
    if not is_trades:
        return Readings(tuple(s.amount_e8 for s in samples), _gaps_of_candles(path.name, samples))
    buckets = {sample.time_ns // TRADE_BUCKET_NS: sample.amount_e8 for sample in samples}
    return Readings(tuple(buckets.values()), _gaps_of_trades(path.name, samples))


def read_rates(path: Path) -> Readings:
    """The funding rates of a file, one per row; they may have any sign."""
    samples, _ = _read(path, Column("funding rate", RATE_COLUMNS))
    return Readings(tuple(s.amount_e8 for s in samples))


# --- rows ------------------------------------------------------------------------------------------------------------


def _read(path: Path, column: Column) -> tuple[list[Sample], bool]:
    """All rows in order, and whether they are trades."""
    lines = _lines(path)
    header = next(lines, None)
    if header is None:
        raise InputError(f"{path} is empty.", do=f"give a CSV file with a header, a time and a {column.what} column.")
    names = [name.strip().lower().replace(" ", "_") for name in header[1]]
    at_time = _find(path, names, "time", TIME_COLUMNS)
    at_amount = _find(path, names, column.what, column.names)
    samples: list[Sample] = []
    for line, cells in lines:
        if len(cells) != len(names):
            raise InputError(
                f"{path}, line {line}: the row does not fit the header: {len(cells)} columns instead of {len(names)}.",
                do="complete or remove the row.",
            )
        time_ns = _time_ns(path, line, cells[at_time])
        if samples and time_ns < samples[-1].time_ns:
            raise InputError(
                f"{path}, line {line}: the time goes back, to {cells[at_time].strip()!r}.",
                why="rows have to be in the order of time; equal times are fine.",
                do=f"sort the file by its column {names[at_time]!r}.",
            )
        samples.append(Sample(line, time_ns, _amount_e8(path, line, cells[at_amount], column)))
    if not samples:
        raise InputError(f"{path} has a header and no rows.", do="give a file with at least one row.")
    has_trade_columns = any(name in names for name in TRADE_COLUMNS)
    return samples, has_trade_columns or any(a.time_ns == b.time_ns for a, b in pairwise(samples))


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the number of its line; the first is the header."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"there is no file {path}.", do="give the path of a CSV file.") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not a text file.",
            why=f"the byte at position {error.start} is not UTF-8.",
            do="give a CSV file; an archive or a spreadsheet has to be exported to CSV first.",
        ) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: not CSV: {error}.") from None


def _find(path: Path, names: Sequence[str], what: str, known: Sequence[str]) -> int:
    """The position of the first of the known names that the header has."""
    for name in known:
        if name in names:
            return names.index(name)
    raise InputError(
        f"{path}, line 1: there is no {what} column.",
        why=f"the columns are {', '.join(repr(name) for name in names)}.",
        do=f"call the {what} column one of: {', '.join(known)}.",
    )


# --- cells -----------------------------------------------------------------------------------------------------------


def _time_ns(path: Path, line: int, cell: str) -> TimeNs:
    text = cell.strip()
    try:
        number = Decimal(text)
    except DecimalException:
        number = None
    try:
        if number is not None:
            if abs(number) >= EPOCH_MAX:
                raise ValueError(text)  # noqa: TRY301  # the same answer as to a text that is no time
            unit_ns = next((unit for least, unit in _EPOCH_UNITS_NS if abs(number) >= least), SECOND_NS)
            return TimeNs(int(number * unit_ns))
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return TimeNs((moment - _EPOCH) // timedelta(microseconds=1) * 1_000)
    except (ValueError, OverflowError, DecimalException):
        raise InputError(
            f"{path}, line {line}: the time is {text!r}.",
            why="a time is ISO 8601 (2026-01-19T04:30:00Z, UTC if it says nothing) or an epoch in s, ms, us or ns.",
            do="correct or remove the row.",
        ) from None


def _amount_e8(path: Path, line: int, cell: str, column: Column) -> int:
    text = cell.strip()
    try:
        amount = Decimal(text)
        # Comparing NaN fails, and infinity is above any bound, so both get the message below.
        if abs(amount) >= AMOUNT_MAX:
            raise ValueError(text)  # noqa: TRY301  # the same answer as to a text that is no number
        amount_e8 = int((amount * E8).to_integral_value(ROUND_HALF_EVEN))
    except (DecimalException, ValueError):
        raise InputError(
            f"{path}, line {line}: the {column.what} is {text!r}.",
            why=f"a {column.what} has to be a finite number below 10^12, with a point for the decimals.",
            do="correct or remove the row.",
        ) from None
    if column.minimum_e8 is not None and amount_e8 < column.minimum_e8:
        raise InputError(
            f"{path}, line {line}: the {column.what} is {text}.",
            why=f"a {column.what} of zero or below is nearly always a mistake of the recording.",
            do="correct the row, or say with --allow-negative-prices that such prices are real.",
        )
    return amount_e8


# --- gaps ------------------------------------------------------------------------------------------------------------


def _gaps_of_candles(name: str, samples: Sequence[Sample]) -> tuple[str, ...]:
    """A note if some rows are further apart than rows of this file usually are."""
    spans = [b.time_ns - a.time_ns for a, b in pairwise(samples)]
    if not spans:
        return ()
    usual_ns = Counter(spans).most_common(1)[0][0]
    return _note(name, samples, spans, usual_ns * 3 // 2, f"rows are usually {_span(usual_ns)} apart")


def _gaps_of_trades(name: str, samples: Sequence[Sample]) -> tuple[str, ...]:
    """A note if no trade was recorded for longer than is likely."""
    spans = [b.time_ns - a.time_ns for a, b in pairwise(samples)]
    return _note(name, samples, spans, TRADE_PAUSE_NS_MAX, f"more than {_span(TRADE_PAUSE_NS_MAX)} without a trade")


def _note(name: str, samples: Sequence[Sample], spans: Sequence[int], limit_ns: int, why: str) -> tuple[str, ...]:
    gaps = [(span, sample.line) for span, sample in zip(spans, samples[1:], strict=True) if span > limit_ns]
    if not gaps:
        return ()
    longest_ns, line = max(gaps, key=lambda gap: gap[0])
    count = "1 gap" if len(gaps) == 1 else f"{len(gaps)} gaps, the longest"
    return (f"{name}: {count} of {_span(longest_ns)} before line {line} ({why})",)


def _span(span_ns: int) -> str:
    return str(timedelta(microseconds=span_ns // 1_000))
