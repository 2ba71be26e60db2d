"""The recorded feed: where the prices come from, and which market is made of which recording.

A row of a recording is one tick; what wall-clock time it was recorded at plays no part after reading. The feed holds
numbers only. What they mean at a point of virtual time is up to the oracle (`oracle.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import TypeVar

from racewindow_models.feed_csv import Readings, read_prices, read_rates
from racewindow_models.units import FundingRateE8, MarketName, PriceE8

T = TypeVar("T")

BUNDLED_PRICES = {"XRP": "xrp_usdt_perp_mark_1h.csv", "ETH": "eth_usdt_perp_trades.csv"}
BUNDLED_RATES = "xrp_usdt_perp_funding_8h.csv"
SHIFT_ROWS = 10
"""A recording that is used for one more market starts this many rows later in it."""


@dataclass(frozen=True, slots=True)
class Recording:
    """The prices of one market, one per tick."""

    name: str
    prices_e8: tuple[PriceE8, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """Everything that was recorded: prices of some markets, and the funding rates used for all of them.

    `notes`: what is worth telling about the files, one sentence each.
    """

    recordings: tuple[Recording, ...]
    funding_rates_e8: tuple[FundingRateE8, ...]
    notes: tuple[str, ...] = ()
    _derived: dict[Hashable, object] = field(default_factory=dict, repr=False)

    def derived(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` computes from this feed alone, computed once per `key`.

        An exploration runs the same scenario on the same feed thousands of times; this is where all that does not
        depend on the order of events is kept between executions. `make` has to be a pure function of feed and key.
        """
        if key not in self._derived:
            self._derived[key] = make()
        return self._derived[key]  # type: ignore[return-value]  # one key is only ever used with one `make`

    def market(self, number: int) -> Recording:
        """The recording that market `number`, from 0, is made of.

        Markets take turns at the recordings; each further round begins `SHIFT_ROWS` rows later in them (wrapping
        around, as far as the choice of the first row goes), so that no two markets move together.
        """
        recording = self.recordings[number % len(self.recordings)]
        again = number // len(self.recordings)
        if again == 0:
            return recording
        first = again * SHIFT_ROWS % len(recording.prices_e8)
        return Recording(f"{recording.name}-{again + 1}", recording.prices_e8[first:])


def load(path: str | None = None, *, allow_negative_prices: bool = False) -> Feed:
    """Read the feed of a scenario: the file at `path`, or without one the recordings that come with the package.

    From a file all markets are made, the second and further ones starting later in it. The funding rates are the
    recorded ones in either case. Raises InputError for a file that cannot be used.
    """
    rates_e8 = tuple(FundingRateE8(rate) for rate in _bundled(BUNDLED_RATES, read_rates).amounts_e8)
    if path is None:
        readings = {name: _bundled(file, read_prices) for name, file in BUNDLED_PRICES.items()}
    else:
        file = Path(path)
        readings = {file.stem: read_prices(file, allow_negative_prices=allow_negative_prices)}
    recordings = tuple(
        Recording(MarketName(name), tuple(PriceE8(price) for price in each.amounts_e8))
        for name, each in readings.items()
    )
    return Feed(recordings, rates_e8, tuple(note for each in readings.values() for note in each.notes))


def _bundled(name: str, read: Callable[[Path], Readings]) -> Readings:
    with as_file(files("racewindow_models") / "data" / name) as path:
        return read(path)
