"""Checkers of who writes to a sink, and in which order: generations that go back, two writers, a rollback undone."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from racewindow import Event, History, Verdict, Violation, checker
from racewindow_models.evidence import evidence_of, in_block
from racewindow_models.findings import ValueClass
from racewindow_models.units import BlockHeight, MarketName, text_seconds
from racewindow_models.values import Batch, MarketValues


@checker("generation_monotonic")
def generation_monotonic(history: History) -> Verdict:
    """In the store of published values and on the chain, the generation of a market never decreases.

    A rollback of the chain that begins a new epoch may lower it, to that of the block it goes back to. The store's
    writes of one market conflict with each other, so their order in the history is the order in which they happened.
    """
    first: dict[object, Violation] = {}
    for sink, market, events in _writes(history):
        for (_, older), (event, values) in pairwise(events):
            if values.generation < older.generation and (sink, market) not in first:
                first[sink, market] = _regression(sink, event, older, values)
    return Verdict.violated(list(first.values()))


@checker("no_overlap")
def no_overlap(history: History) -> Verdict:
    """Where `full_downtime` is promised, an old and a new instance of the writer are never both up.

    Where it is not, nothing is asked.
    """
    return Verdict.violated(
        [
            Violation(
                class_=None,
                subject=event.data["instance"],
                message=(
                    f"{event.data['instance']} starts at {text_seconds(event.time_ns)} while {event.data['other']} has "
                    "not ended, though full downtime is promised"
                ),
                time_ns=event.time_ns,
                evidence=dict(event.data),
            )
            for event in history.events
            if event.kind == "writer.overlap"
        ]
    )


_Writes = list[tuple[Event, MarketValues]]


def _writes(history: History) -> list[tuple[str, MarketName, _Writes]]:
    """For each sink and market, what was written to it, in order; on the chain by epoch, of which each stands alone."""
    found: dict[tuple[str, MarketName, int], _Writes] = {}
    epoch = 0
    for event in history.events:
        if event.kind == "writer.published":
            for values in event.data["batch"]:
                found.setdefault(("store", values.market, 0), []).append((event, values))
        elif event.kind in ("chain.block", "chain.rolled_back"):
            epoch = max(epoch, event.data.get("epoch", 0))
            for values in event.data["block"].batch:
                found.setdefault(("chain", values.market, epoch), []).append((event, values))
    return [(sink, market, events) for (sink, market, _), events in found.items()]


def _regression(sink: str, event: Event, older: MarketValues, values: MarketValues) -> Violation:
    where = "in the store of published values" if sink == "store" else "on the chain"
    return Violation(
        class_=ValueClass.REGRESSED.value,
        subject=values.market,
        message=(
            f"{values.market} goes back from generation {older.generation} ({older.provenance}) to "
            f"{values.generation} ({values.provenance}) {where} at {text_seconds(event.time_ns)}"
        ),
        time_ns=event.time_ns,
        evidence={"before": evidence_of(older, BlockHeight(0)), "after": evidence_of(values, BlockHeight(0))},
    )


@checker("rollback_complete")
def rollback_complete(history: History) -> Verdict:
    """After a rollback no sink holds anything newer than the snapshot that was not made since.

    The chain: no block is appended whose batch was made before the rollback. The cloud store: when the rollback is
    said to be complete, it holds no batch of a height above the snapshot. The state root in the step that restores it,
    and when it is verified unless a batch has been let through since, is that of the snapshot.
    """
    rollback = next((event for event in history.events if event.kind == "chain.rolled_back"), None)
    if rollback is None:
        return Verdict.holds() if history.finished else Verdict.unknown("the execution ended before the rollback")
    snapshot, epoch = rollback.data["block"], rollback.data["epoch"]
    first: dict[str, Violation] = {}
    for event in history.events:
        if (
            event.kind in ("chain.rolled_back", "rollback.verified")
            and event.data["root"] != event.data["snapshot_root"]
        ):
            first.setdefault("chain", _not_restored(event))
        elif event.kind == "chain.block" and event.data["made_in"] < epoch and _follows(event, rollback, history):
            block = event.data["block"]
            first.setdefault("chain", _left_over("chain", block.batch[0], block.height, event.time_ns))
        elif event.kind == "cloud.read":
            for height, batch in sorted(event.data["batches"].items()):
                if height > snapshot.height and event.data["made_in"][height] < epoch:
                    first.setdefault("cloud store", _left_over("cloud store", batch[0], height, event.time_ns))
    return Verdict.violated([first[sink] for sink in sorted(first)])


def _not_restored(event: Event) -> Violation:
    root, expected, height = event.data["root"], event.data["snapshot_root"], event.data["block"].height
    return Violation(
        class_=ValueClass.CORRUPT.value,
        subject="chain",
        message=(
            f"after the rollback to block {height} the state root is {root[:8]} at {text_seconds(event.time_ns)}, and "
            f"the snapshot's {expected[:8]}: not all of it was restored"
        ),
        time_ns=event.time_ns,
        evidence={"height": height, "root": root, "snapshot_root": expected},
    )


def _follows(event: Event, rollback: Event, history: History) -> bool:
    """Whether a block was appended after the rollback: appending and rolling back conflict, so they are in order."""
    return history.events.index(event) > history.events.index(rollback)


def _left_over(sink: str, values: MarketValues, height: BlockHeight, time_ns: int) -> Violation:
    return Violation(
        class_=(ValueClass.STALE if sink == "chain" else ValueClass.CORRUPT).value,
        subject=sink,
        message=f"the {sink} holds a batch made before the rollback {in_block(height, time_ns)}, {values.provenance}",
        time_ns=time_ns,
        evidence=evidence_of(values, height),
    )


@checker("sinks_agree")
def sinks_agree_when_read(history: History) -> Verdict:
    """A reader of both sinks finds in the cloud store what is on the chain, and nothing else."""
    violations = []
    for event in history.events:
        if event.kind == "cloud.read":
            chain, cloud = event.data["chain"], event.data["batches"]
            height = next((each for each in sorted(chain | cloud) if chain.get(each) != cloud.get(each)), None)
            if height is not None:
                violations.append(_disagreement(height, chain, cloud, event.time_ns))
    return Verdict.violated(violations)


def _disagreement(
    height: BlockHeight, chain: Mapping[BlockHeight, Batch], cloud: Mapping[BlockHeight, Batch], time_ns: int
) -> Violation:
    values = (chain.get(height) or cloud[height])[0]
    in_both = height in chain and height in cloud
    where = "another one in each" if in_both else f"only {'on the chain' if height in chain else 'in the cloud store'}"
    return Violation(
        class_=(ValueClass.TORN if in_both else ValueClass.DEFAULT).value,
        subject=values.market,
        message=f"the sinks disagree about block {height} at {text_seconds(time_ns)}: it is {where}",
        time_ns=time_ns,
        evidence=evidence_of(values, height),
    )
