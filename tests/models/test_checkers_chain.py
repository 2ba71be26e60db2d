"""The checkers of the sinks, on histories of a few events written by hand: holds, violated, unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from racewindow import FunctionChecker, History, Judgement, Violation
from racewindow_models.checkers_chain import (
    bounded_delta,
    no_mixed_generations,
    no_unknown_age,
    ready_before_write,
    sinks_agree,
)
from racewindow_models.feed import Feed, Recording
from racewindow_models.units import E8, FundingIndexE8, Generation, MarketName, PriceE8
from racewindow_models.values import MarketValues, missing_values
from tests.models.histories import (
    BTC,
    PAXG,
    RATE_E8,
    SAVED,
    UNLOADED,
    ZERO,
    at,
    block,
    history,
    in_cloud,
    on_chain,
    true_values,
)

CHAIN = (ready_before_write, no_unknown_age, bounded_delta, no_mixed_generations, sinks_agree)


def batch(seconds: int, **changed: Any) -> list[MarketValues]:
    """True values of both markets, those of BTC changed."""
    return [replace(true_values(BTC, seconds), **changed), true_values(PAXG, seconds)]


def committed(*batches: list[MarketValues], start: int = 60) -> History:
    """One block per tick, stored in both sinks."""
    blocks = [block(n + 1, start + 5 * n, *each) for n, each in enumerate(batches)]
    return history(*(event for each in blocks for event in (on_chain(each), in_cloud(each))))


def violations(checker: FunctionChecker, of: History) -> list[tuple[str | None, str]]:
    return [(each.class_, each.subject) for each in checker.check(of).violations]


def only(checker: FunctionChecker, of: History) -> Violation:
    (violation,) = checker.check(of).violations
    return violation


@pytest.mark.parametrize("checker", CHAIN, ids=lambda checker: checker.name)
def test_true_and_fresh_values_hold(checker: FunctionChecker) -> None:
    assert checker.check(committed(batch(60), batch(65), batch(70))).judgement is Judgement.HOLDS


@pytest.mark.parametrize("checker", CHAIN, ids=lambda checker: checker.name)
def test_a_chain_without_new_blocks_holds(checker: FunctionChecker) -> None:
    assert checker.check(history()).judgement is Judgement.HOLDS


@pytest.mark.parametrize("checker", [ready_before_write, no_unknown_age, bounded_delta], ids=lambda c: c.name)
def test_without_a_feed_the_answer_is_unknown(checker: FunctionChecker) -> None:
    verdict = checker.check(replace(committed(batch(60)), feed=None))

    assert (verdict.judgement, verdict.reason) == (
        Judgement.UNKNOWN,
        "there is no recorded feed, so no ground truth to judge against",
    )


# --- ready_before_write


def test_an_index_of_zero_that_nobody_wrote_is_a_default() -> None:
    violation = only(ready_before_write, committed(batch(60, funding_index_e8=ZERO, provenance=UNLOADED)))

    assert (violation.class_, violation.subject, violation.time_ns) == ("default", "BTC", at(60))
    assert violation.message == (
        "BTC funding index 0 (default; true is 9260.01930312) in block 1604711 at 60 s: "
        "computed by writer-2 before its state was loaded"
    )
    assert violation.evidence == {
        "quantity": "funding index",
        "amount_e8": 0,
        "true_e8": 926_001_930_312,
        "market": "BTC",
        "block": 1_604_711,
        "mark_price_e8": true_values(BTC, 60).mark_price_e8,
        "funding_index_e8": 0,
        "source_ts_ns": at(60),
        "generation": 12,
        "provenance": "computed by writer-2 before its state was loaded",
    }


def test_a_mark_price_without_its_basis_is_corrupt() -> None:
    of = committed(batch(60, mark_price_e8=PriceE8(92_720 * E8), provenance=UNLOADED))

    assert only(ready_before_write, of).message == (
        "BTC mark price 92720 (corrupt; true is 92905.44) in block 1604711 at 60 s: "
        "computed by writer-2 before its state was loaded"
    )


def test_an_index_that_went_on_from_a_wrong_zero_is_corrupt() -> None:
    began_wrong = replace(UNLOADED, state_by="writer-2")
    of = committed(batch(65, funding_index_e8=FundingIndexE8(160_000), provenance=began_wrong))

    violation = only(ready_before_write, of)

    assert violation.class_ == "corrupt"
    assert violation.message.endswith(
        "computed by writer-2 from a state that writer-2 began before its load was complete"
    )


def test_what_stays_wrong_is_reported_once_with_its_first_block() -> None:
    wrong = {"funding_index_e8": ZERO, "provenance": UNLOADED}

    assert only(ready_before_write, committed(batch(60, **wrong), batch(65, **wrong))).time_ns == at(60)


def test_publishing_early_is_fine_if_the_value_came_out_right() -> None:
    assert violations(ready_before_write, committed(batch(60, provenance=UNLOADED))) == []


def test_a_new_market_has_an_index_of_zero() -> None:
    """A zero is a value: a market listed now has accrued nothing, and no state to load."""
    feed = Feed((Recording("NEW", (PriceE8(E8),)),), (RATE_E8,))
    params: dict[str, Any] = {"markets": 1, "opening_index_percent": 0, "basis_bps": 0}
    listed = replace(true_values(MarketName("NEW"), 0, feed, **params), provenance=UNLOADED)
    of = block(1, 0, listed)

    assert listed.funding_index_e8 == 0
    for checker in CHAIN:
        verdict = checker.check(history(on_chain(of), in_cloud(of), feed=feed, **params))
        assert verdict.judgement is Judgement.HOLDS, checker.name


# --- no_unknown_age


def test_a_value_is_stale_above_the_maximal_age_and_not_at_it() -> None:
    fresh, stale = (history(on_chain(block(1, seconds, *batch(45)))) for seconds in (60, 61))

    assert violations(no_unknown_age, fresh) == []
    assert violations(no_unknown_age, stale) == [("stale", "BTC")] * 2 + [("stale", "PAXG")] * 2


def test_a_stale_value_is_told_with_its_age_and_the_truth() -> None:
    first = no_unknown_age.check(history(on_chain(block(1, 60, *batch(0))))).violations[0]

    assert first.message == (
        "BTC mark price 92785.2 (stale, 60 s old; true is 92905.44) in block 1604711 at 60 s, "
        "computed by writer-2 from the state saved by writer-1"
    )


def test_an_unknown_age_is_stale() -> None:
    assert violations(no_unknown_age, committed(batch(60, source_ts_ns=None))) == [("stale", "BTC")] * 2


def test_a_missing_row_is_a_default_of_unknown_age() -> None:
    of = committed([missing_values(BTC), true_values(PAXG, 60)])

    assert violations(ready_before_write, of) == [("default", "BTC")] * 2
    assert violations(no_mixed_generations, of) == [("torn", "BTC")]


def test_the_maximal_age_is_a_parameter() -> None:
    assert violations(no_unknown_age, history(on_chain(block(1, 61, *batch(45))), max_age_seconds=16)) == []


# --- bounded_delta


def test_a_reset_index_is_out_of_bounds() -> None:
    violation = only(bounded_delta, committed(batch(60, funding_index_e8=ZERO, provenance=UNLOADED)))

    assert (violation.class_, violation.subject, violation.time_ns) == ("default", "BTC", at(60))
    assert violation.message == (
        "BTC funding index changes by -9260 to 0 in block 1604711 at 60 s, no rate changes it by more than 9.65833334: "
        "0 (default) was computed by writer-2 before its state was loaded"
    )


def test_a_jump_back_to_the_truth_is_put_down_to_the_value_before_it() -> None:
    of = committed(batch(60, funding_index_e8=FundingIndexE8(7), provenance=UNLOADED), batch(65))

    violation = only(bounded_delta, of)

    assert (violation.class_, violation.time_ns) == ("corrupt", at(60))


def test_a_fall_of_the_price_is_no_jump_of_the_index() -> None:
    feed = Feed((Recording(BTC, (PriceE8(100 * E8), PriceE8(84 * E8))),), (RATE_E8,))
    blocks = [block(n + 1, 5 * n, true_values(BTC, 5 * n, feed, markets=1)) for n in range(3)]
    of = history(*map(on_chain, blocks), feed=feed, markets=1)

    for checker in (ready_before_write, no_unknown_age, bounded_delta, no_mixed_generations):
        assert violations(checker, of) == []


# --- no_mixed_generations


def test_a_batch_of_two_generations_is_torn() -> None:
    of = history(on_chain(block(1, 65, true_values(BTC, 60), true_values(PAXG, 65))))

    violation = only(no_mixed_generations, of)

    assert (violation.class_, violation.subject, violation.time_ns) == ("torn", "BTC", at(65))
    assert violation.message == (
        "two generations in block 1604711 at 65 s: "
        "BTC mark price 92905.44 is of generation 12, computed by writer-2 from the state saved by writer-1; "
        "PAXG mark price 2692.374 is of generation 13, computed by writer-2 from the state saved by writer-1"
    )


# --- sinks_agree


def test_a_block_that_differs_in_the_cloud_is_found() -> None:
    good = block(1, 60, *batch(60))
    other = block(1, 60, *batch(60, funding_index_e8=ZERO))

    violation = only(sinks_agree, history(on_chain(good), in_cloud(other)))

    assert (violation.class_, violation.subject) == ("torn", "BTC")
    assert violation.message == (
        "the sinks disagree about BTC in block 1604711 at 60 s: mark price 92905.44 and funding index 9260.01930312 "
        "(computed by writer-2 from the state saved by writer-1) on chain, mark price 92905.44 and funding index 0 "
        "(computed by writer-2 from the state saved by writer-1) in the cloud store"
    )


def test_agreement_is_not_correctness() -> None:
    assert violations(sinks_agree, committed(batch(60, funding_index_e8=ZERO, provenance=UNLOADED))) == []


def test_a_batch_in_one_sink_only_is_found_once_the_run_is_over() -> None:
    appended = block(1, 60, *batch(60))

    assert violations(sinks_agree, history(on_chain(appended))) == [("default", "BTC")]
    assert violations(sinks_agree, history(in_cloud(appended))) == [("default", "BTC")]
    verdict = sinks_agree.check(history(on_chain(appended), finished=False))
    assert (verdict.judgement, verdict.reason) == (
        Judgement.UNKNOWN,
        "the execution ended before block 1604711 could reach the cloud store",
    )


# --- order


def test_blocks_are_judged_by_height_whatever_the_order_of_their_events() -> None:
    wrong = batch(60, funding_index_e8=ZERO, provenance=UNLOADED)
    of = committed(wrong, batch(65), [true_values(BTC, 65), true_values(PAXG, 70)])
    backwards = replace(of, events=tuple(reversed(of.events)))

    for checker in CHAIN:
        assert checker.check(of) == checker.check(backwards), checker.name


def test_values_are_compared_without_their_provenance() -> None:
    """No service can tell two values apart by what only the simulator knows."""
    assert replace(true_values(BTC, 60), provenance=UNLOADED) == replace(true_values(BTC, 60), provenance=SAVED)
    assert replace(true_values(BTC, 60), generation=Generation(1)) != true_values(BTC, 60)
