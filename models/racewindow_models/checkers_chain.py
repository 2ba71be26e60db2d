"""Checkers of what reached the chain and the cloud store."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from racewindow import History, Verdict, Violation, checker
from racewindow_models.chain import Block
from racewindow_models.evidence import (
    NO_TRUTH,
    blocks_of,
    evidence_of,
    first_findings,
    in_block,
    window_of,
)
from racewindow_models.findings import Finding, ValueClass
from racewindow_models.ground_truth import MarketTruth
from racewindow_models.guards import index_change_e8_max
from racewindow_models.units import BlockHeight, PriceE8, TimeNs, text_e8
from racewindow_models.values import Batch, MarketValues


@checker("ready_before_write")
def ready_before_write(history: History) -> Verdict:
    """No value on the chain was computed by an instance before its state was loaded.

    Publishing early is not held against an instance if the value came out right: a market whose state was there, or a
    new one that has no state to load. A value spoilt after a complete load is not this checker's to find.
    """
    window = window_of(history)
    if window is None:
        return Verdict.unknown(NO_TRUTH)
    early = first_findings(history, window, _is_early)
    return Verdict.violated([_computed_too_early(finding, block) for block, finding in early])


def _is_early(finding: Finding) -> bool:
    return finding.class_ is not ValueClass.STALE and not finding.values.provenance.from_saved_state


def _computed_too_early(finding: Finding, block: Block) -> Violation:
    where, why = in_block(block.height, block.time_ns), finding.values.provenance
    return Violation(
        class_=finding.class_.value,
        subject=finding.market,
        message=f"{finding} {where}: {why}",
        time_ns=block.time_ns,
        evidence=_about(finding, block),
    )


def _about(finding: Finding, block: Block) -> dict[str, object]:
    quantity = {"quantity": finding.quantity.value, "amount_e8": finding.amount_e8, "true_e8": finding.true_e8}
    return quantity | evidence_of(finding.values, block.height)


@checker("no_unknown_age")
def no_unknown_age(history: History) -> Verdict:
    """No value on the chain was of unknown age, or older than `max_age`, when it was committed."""
    window = window_of(history)
    if window is None:
        return Verdict.unknown(NO_TRUTH)
    stale = first_findings(history, window, lambda finding: finding.class_ is ValueClass.STALE)
    return Verdict.violated([_too_old(finding, block) for block, finding in stale])


def _too_old(finding: Finding, block: Block) -> Violation:
    values = finding.values
    return Violation(
        class_=finding.class_.value,
        subject=finding.market,
        message=f"{finding} {in_block(block.height, block.time_ns)}, {values.provenance}",
        time_ns=block.time_ns,
        evidence=_about(finding, block),
    )


@checker("bounded_delta")
def bounded_delta(history: History) -> Verdict:
    """From block to block an index changes by no more than the largest funding rate allows.

    The bound runs over the time between the two values' sources, at the highest price in between. A mark price may
    jump: markets do.
    """
    window = window_of(history)
    if window is None:
        return Verdict.unknown(NO_TRUTH)
    first: dict[object, Violation] = {}
    for parent, block in pairwise([window.block, *blocks_of(history)]):
        for last, values in zip(parent.batch, block.batch, strict=True):
            jump = _jump(last, values, window.truth[values.market])
            if jump is not None:
                key = (values.market, jump.bad.funding_index_e8 == 0)
                if key not in first:
                    first[key] = _out_of_bounds(jump, values, block)
    return Verdict.violated(list(first.values()))


class _Jump(NamedTuple):
    """A change beyond its bound, and which of the two values is to blame."""

    change_e8: int
    most_e8: int
    bad: MarketValues


def _jump(last: MarketValues, values: MarketValues, truth: MarketTruth) -> _Jump | None:
    if last.source_ts_ns is None or values.source_ts_ns is None:
        return None  # no_unknown_age reports it
    change_e8 = values.funding_index_e8 - last.funding_index_e8
    start_ns, end_ns = sorted((last.source_ts_ns, values.source_ts_ns))
    price_e8 = PriceE8(max(map(abs, truth.series.prices_between(start_ns, end_ns))))
    most_e8 = index_change_e8_max(price_e8, end_ns - start_ns)
    if abs(change_e8) <= most_e8:
        return None
    return _Jump(change_e8, most_e8, last if _is_true(values, truth) else values)


def _out_of_bounds(jump: _Jump, values: MarketValues, block: Block) -> Violation:
    change_e8, most_e8, bad = jump
    class_ = ValueClass.DEFAULT if bad.funding_index_e8 == 0 else ValueClass.CORRUPT
    return Violation(
        class_=class_.value,
        subject=values.market,
        message=(
            f"{values.market} funding index changes by {text_e8(change_e8)} to {text_e8(values.funding_index_e8)} "
            f"{in_block(block.height, block.time_ns)}, no rate changes it by more than {text_e8(most_e8)}: "
            f"{text_e8(bad.funding_index_e8)} ({class_.value}) was {bad.provenance}"
        ),
        time_ns=block.time_ns,
        evidence={"change_e8": change_e8, "change_e8_max": most_e8} | evidence_of(bad, block.height),
    )


def _is_true(values: MarketValues, truth: MarketTruth) -> bool:
    source_ts_ns = values.source_ts_ns
    return source_ts_ns is not None and values.funding_index_e8 == truth.funding_index_e8(source_ts_ns)


@checker("no_mixed_generations")
def no_mixed_generations(history: History) -> Verdict:
    """All values of a block are of one generation."""
    first: dict[object, Violation] = {}
    for block in blocks_of(history):
        oldest = min(block.batch, key=_generation)
        newest = max(block.batch, key=_generation)
        if oldest.generation != newest.generation and oldest.market not in first:
            first[oldest.market] = _torn(block, oldest, newest)
    return Verdict.violated(list(first.values()))


def _generation(values: MarketValues) -> int:
    return values.generation


def _torn(block: Block, oldest: MarketValues, newest: MarketValues) -> Violation:
    return Violation(
        class_=ValueClass.TORN.value,
        subject=oldest.market,
        message=f"two generations {in_block(block.height, block.time_ns)}: {_of(oldest)}; {_of(newest)}",
        time_ns=block.time_ns,
        evidence={"older": evidence_of(oldest, block.height), "newer": evidence_of(newest, block.height)},
    )


def _of(values: MarketValues) -> str:
    mark = text_e8(values.mark_price_e8)
    return f"{values.market} mark price {mark} is of generation {values.generation}, {values.provenance}"


@checker("sinks_agree")
def sinks_agree(history: History) -> Verdict:
    """The cloud store holds the same batch as the chain for every block, and none for a block that is not there.

    Agreement is not correctness: both sinks can hold the same wrong value.
    """
    blocks = {block.height: block for block in blocks_of(history)}
    stored = {e.data["height"]: e for e in history.events if e.kind == "cloud.batch"}
    violations = []
    for height in sorted(blocks.keys() | stored.keys()):
        if height not in stored and not history.finished:
            return Verdict.unknown(f"the execution ended before block {height} could reach the cloud store")
        on_chain = blocks[height].batch if height in blocks else ()
        in_cloud = stored[height].data["batch"] if height in stored else ()
        if on_chain != in_cloud:
            time_ns = blocks[height].time_ns if height in blocks else TimeNs(stored[height].time_ns)
            violations.append(_disagreement(on_chain, in_cloud, height, time_ns))
    return Verdict.violated(violations)


def _disagreement(on_chain: Batch, in_cloud: Batch, height: BlockHeight, time_ns: TimeNs) -> Violation:
    """Which market the sinks disagree about; a sink that has nothing at all is wrong about the first."""
    cloud = {values.market: values for values in in_cloud}
    chain = {values.market: values for values in on_chain}
    market = next(m for m in (chain | cloud) if chain.get(m) != cloud.get(m))
    is_missing = market not in chain or market not in cloud
    return Violation(
        class_=(ValueClass.DEFAULT if is_missing else ValueClass.TORN).value,
        subject=market,
        message=(
            f"the sinks disagree about {market} {in_block(height, time_ns)}: "
            f"{_held(chain.get(market))} on chain, {_held(cloud.get(market))} in the cloud store"
        ),
        time_ns=time_ns,
        evidence={
            sink: evidence_of(held[market], height) if market in held else None
            for sink, held in (("chain", chain), ("cloud", cloud))
        },
    )


def _held(values: MarketValues | None) -> str:
    if values is None:
        return "nothing"
    mark, index = text_e8(values.mark_price_e8), text_e8(values.funding_index_e8)
    return f"mark price {mark} and funding index {index} ({values.provenance})"
