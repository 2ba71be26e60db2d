"""The validator: what it compares without and with `independent_validation`, and what its references are made from."""

from __future__ import annotations

from dataclasses import replace

from racewindow_models.chain import Chain
from racewindow_models.cloud import CloudStore
from racewindow_models.findings import Quantity
from racewindow_models.safeguards import Safeguards
from racewindow_models.units import FundingIndexE8, PriceE8
from racewindow_models.validator import STATE_BEFORE, Reference, Report, Validator
from racewindow_models.values import Batch
from tests.models.histories import BTC, at, true_values, window
from tests.models.inside import done, inside

BEFORE = replace(window().block, batch=(true_values(BTC, 0),))
GOOD = (true_values(BTC, 60),)
ZEROED = (replace(GOOD[0], funding_index_e8=FundingIndexE8(0)),)
OFF = (replace(GOOD[0], mark_price_e8=PriceE8(GOOD[0].mark_price_e8 * 9 // 10)),)


def validated(on_chain: Batch, in_cloud: Batch | None = None, *, independent: bool = False) -> Report:
    """What a validator finds that is asked after a block has been made; without `in_cloud` both sinks hold the same."""
    chain, cloud = Chain(BEFORE), CloudStore()
    block = chain.append(on_chain, at(60))
    cloud.store(block.height, on_chain if in_cloud is None else in_cloud)
    spot_e8 = PriceE8(GOOD[0].mark_price_e8)
    validator = Validator(
        before=BEFORE,
        chain=chain,
        cloud=cloud,
        reference=Reference(lambda _: spot_e8, frozenset({"other venues"})),
        safeguards=Safeguards(independent_validation=independent),
    )
    return done(validator.check())


@inside
def test_sinks_that_differ_are_rejected_and_sinks_that_agree_on_a_wrong_value_pass() -> None:
    assert validated(GOOD).passed
    assert validated(ZEROED).passed
    assert validated(GOOD, ZEROED).problems == (f"block {BEFORE.height + 1} is another one in the cloud store",)


@inside
def test_an_independent_one_rejects_an_index_that_no_rate_allows_and_a_mark_off_the_other_venues() -> None:
    assert validated(GOOD, independent=True).passed
    assert "the funding index of BTC changed by" in validated(ZEROED, independent=True).problems[0]
    assert "the mark price of BTC is" in validated(OFF, independent=True).problems[0]


@inside
def test_the_report_says_what_the_references_are_made_from() -> None:
    assert validated(GOOD).references[BTC, Quantity.FUNDING_INDEX] == {"writer-2"}
    references = validated(GOOD, independent=True).references
    assert references[BTC, Quantity.FUNDING_INDEX] == {STATE_BEFORE}
    assert references[BTC, Quantity.MARK_PRICE] == {"other venues"}
