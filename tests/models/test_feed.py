"""The feed holds the recordings that come with the package, or the user's; markets take turns at them."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from racewindow import InputError
from racewindow_models.feed import Feed, Recording, load
from racewindow_models.units import FundingRateE8, PriceE8, text_e8


def test_the_default_feed_is_the_bundled_recording() -> None:
    feed = load()

    xrp, eth = feed.recordings
    assert (xrp.name, len(xrp.prices_e8), text_e8(xrp.prices_e8[0])) == ("XRP", 100, "1.21431")
    assert (eth.name, len(eth.prices_e8), text_e8(eth.prices_e8[0])) == ("ETH", 199, "1666.9")
    assert (len(feed.funding_rates_e8), min(feed.funding_rates_e8), max(feed.funding_rates_e8)) == (91, -219334, 58316)
    assert feed.notes == ()


def test_a_file_makes_every_market(tmp_path: Path) -> None:
    file = tmp_path / "BTC.csv"
    file.write_text("time,price\n" + "".join(f"{n},{n + 1}\n" for n in range(12)))
    feed = load(str(file))

    assert [feed.market(n).name for n in range(3)] == ["BTC", "BTC-2", "BTC-3"]
    assert [text_e8(feed.market(n).prices_e8[0]) for n in range(3)] == ["1", "11", "9"]
    assert feed.market(1).prices_e8[-1] == feed.market(0).prices_e8[-1]
    assert feed.funding_rates_e8 == load().funding_rates_e8


def test_markets_beyond_the_recordings_start_later_in_them() -> None:
    feed = load()

    assert [feed.market(n).name for n in range(5)] == ["XRP", "ETH", "XRP-2", "ETH-2", "XRP-3"]
    assert feed.market(2).prices_e8 == feed.market(0).prices_e8[10:]
    assert feed.market(4).prices_e8 == feed.market(0).prices_e8[20:]


def test_a_file_of_one_row_makes_markets_too() -> None:
    feed = Feed((Recording("BTC", (PriceE8(5),)),), (FundingRateE8(1),))

    assert feed.market(3).prices_e8 == (5,)


def test_negative_prices_are_for_the_caller_to_allow(tmp_path: Path) -> None:
    file = tmp_path / "wti.csv"
    file.write_text("time,close\n1,10\n2,-37.63\n")

    assert load(str(file), allow_negative_prices=True).recordings[0].prices_e8[1] < 0
    with pytest.raises(InputError, match=r"line 3: the price is -37\.63\."):
        load(str(file))


def test_notes_of_the_file_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "BTC.csv"
    file.write_text("time,close\n0,1\n10,1\n20,1\n50,1\n")

    assert load(str(file)).notes == ("BTC.csv: 1 gap of 0:00:30 before line 5 (rows are usually 0:00:10 apart)",)


def test_what_is_derived_from_a_feed_is_computed_once_per_key() -> None:
    feed, numbers = load(), count()

    assert [feed.derived(key, lambda: next(numbers)) for key in ("a", "b", "a")] == [0, 1, 0]
