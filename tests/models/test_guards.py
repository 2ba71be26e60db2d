"""The guards of the consumers refuse what they should, at the bound exactly, and let the truth pass."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from racewindow_models.guards import implausible, index_change_e8_max, too_old
from racewindow_models.oracle import SpotSeries
from racewindow_models.units import E8, FundingIndexE8, FundingRateE8, MarketName, PriceE8, TimeNs
from racewindow_models.values import missing_values
from tests.models.histories import BTC, ZERO, at, true_values, window


def test_an_age_of_exactly_the_maximum_is_fine() -> None:
    values = true_values(BTC, 45)

    assert too_old(values, at(60), at(15)) == ""
    assert too_old(values, TimeNs(at(60) + 1), at(15)) == "BTC is 15.000000001 s old, more than 15 s"


def test_what_is_not_there_is_of_unknown_age() -> None:
    assert too_old(missing_values(BTC), at(0), at(15)) == "the age of BTC is unknown"
    assert implausible(missing_values(BTC), true_values(BTC, 0), PriceE8(1)) == "the age of BTC is unknown"


def test_the_documented_bound_of_the_index() -> None:
    """BTC at 92,600: at most about 0.80 in 5 s and 289 in 30 minutes."""
    price = PriceE8(92_600 * E8)

    assert index_change_e8_max(price, at(5)) == 80_381_945
    assert index_change_e8_max(price, at(1_800)) == 28_937_500_001


@given(
    price=st.integers(1, 10**13),
    rate=st.integers(-5_000_000, 5_000_000),
    start=st.integers(0, 10**12),
    length=st.integers(0, 10**12),
)
def test_no_allowed_rate_exceeds_the_bound(price: int, rate: int, start: int, length: int) -> None:
    series = SpotSeries.of(MarketName("BTC"), [PriceE8(price)], [FundingRateE8(rate)], at(5))
    change = series.funding_e8(TimeNs(start + length)) - series.funding_e8(TimeNs(start))

    assert abs(change) <= index_change_e8_max(PriceE8(price), length)


def test_a_reset_index_and_a_mark_off_spot_are_refused() -> None:
    last, now = true_values(BTC, 0), true_values(BTC, 60)
    spot = window().truth[BTC].series.price_e8(at(60))

    assert implausible(now, last, spot) == ""
    assert implausible(replace(now, funding_index_e8=ZERO), last, spot) == (
        "the funding index of BTC changed by -9260, while no rate changes it by more than 9.65833334"
    )
    assert implausible(replace(now, mark_price_e8=PriceE8(spot * 106 // 100)), last, spot) == (
        "the mark price of BTC is 5563.2 off spot"
    )
    assert implausible(replace(now, funding_index_e8=FundingIndexE8(now.funding_index_e8 + 1)), last, spot) == ""


def test_a_true_fall_passes_since_spot_falls_with_it() -> None:
    last, now = true_values(BTC, 0), true_values(BTC, 60)
    fallen = replace(now, mark_price_e8=PriceE8(now.mark_price_e8 * 84 // 100))
    spot = window().truth[BTC].series.price_e8(at(60))

    assert implausible(fallen, last, PriceE8(spot * 84 // 100)) == ""
