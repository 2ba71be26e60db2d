"""The story of a window: one plain line per event that matters, None for the others.

The harness puts the virtual time in front. What was right is passed over: a reader wants to know what happened and
where it went wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from racewindow import Event
from racewindow_models.chain import Block
from racewindow_models.cross import is_covered, needed_e8, quoted, true_at, value_e8
from racewindow_models.findings import Finding, Quantity, ValueClass, examine, examine_block
from racewindow_models.units import TimeNs, text_e8, text_usdt


def narrate(event: Event) -> str | None:
    """The event as a person would tell it, without its time; None if it is not worth telling."""
    tell = _TELL.get(event.kind)
    return tell(event.data, TimeNs(event.time_ns)) if tell is not None else None


def narrate_writes(event: Event) -> str | None:
    """The same where it matters who writes when, also what is right: with every write to the store."""
    if event.kind != "writer.published":
        return narrate(event)
    batch = event.data["batch"]
    return (
        f"{batch[0].provenance.producer} writes {_and(values.market for values in batch)} "
        f"of generation {batch[0].generation}"
    )


def _stopped(data: Mapping[str, Any], _time_ns: TimeNs) -> str:
    return f"maintenance starts: {data['instance']} saves its state ({_and(data['markets'])}) and stops"


def _copied(data: Mapping[str, Any], _time_ns: TimeNs) -> str:
    return f"the rows of {_and(data['markets'])} are copied from {data['source']} to {data['target']}"


def _restarted(data: Mapping[str, Any], _time_ns: TimeNs) -> str:
    return f"routing switches to {data['database']}; {_and(data['services'])} start; trading reopens"


def _overlap(data: Mapping[str, Any], _: TimeNs) -> str:
    return f"{data['instance']} starts while {data['other']} has not ended"


def _loaded(data: Mapping[str, Any], _time_ns: TimeNs) -> str:
    return f"{data['instance']} has loaded its state"


def _missing(data: Mapping[str, Any], _time_ns: TimeNs) -> str:
    verb = "refuses to count it as 0" if data["refused"] else "counts it as 0"
    return f"{data['instance']} begins a round, finds no state of {_and(data['markets'])} and {verb}"


def _published(data: Mapping[str, Any], time_ns: TimeNs) -> str | None:
    findings = [f for values in data["batch"] for f in examine(values, data["truth"], time_ns, data["max_age_ns"])]
    if not findings:
        return None
    return f"{findings[0].values.provenance.producer} publishes {_list(findings)}"


def _gone_back(block: Block) -> str:
    """Which markets have values of an older generation than in the block before: true once, and young enough still."""
    before = {} if block.parent is None else {values.market: values.generation for values in block.parent.batch}
    return "; ".join(
        f"{values.market} goes back from generation {before[values.market]} to {values.generation}"
        for values in block.batch
        if values.generation < before.get(values.market, values.generation)
    )


def _block(data: Mapping[str, Any], _time_ns: TimeNs) -> str:
    block = data["block"]
    findings = tuple(examine_block(block, data["truth"], data["max_age_ns"]))
    what = _list(findings) if findings else _gone_back(block) or "all values are true"
    generations = sorted({values.generation for values in block.batch})
    torn = f"; generations {_and(map(str, generations))} in one batch" if len(generations) > 1 else ""
    return f"block {block.height} reaches the chain: {what}{torn}"


def _stored(data: Mapping[str, Any], _time_ns: TimeNs) -> str:
    return f"the values of block {data['height']} are stored in the cloud"


def _displayed(data: Mapping[str, Any], _time_ns: TimeNs) -> str:
    return f"a web page shows {data['market']} at {text_e8(data['price_e8'])}"


def _call_failed(data: Mapping[str, Any], _time_ns: TimeNs) -> str:
    return f"a call of {data['service']} fails: {data['why']}"


def _refused(data: Mapping[str, Any], _time_ns: TimeNs) -> str:
    return f"{data['service']} refuses: {data['reason']}"


def _kept(data: Mapping[str, Any], _time_ns: TimeNs) -> str:
    return f"alarm: the last good values of {data['kept'].market} are kept, because {data['reason']}"


def _liquidated(data: Mapping[str, Any], time_ns: TimeNs) -> str:
    account, truly = data["account"], true_at(data["truth"], time_ns)
    judged_e8 = value_e8(account, quoted(data["used"]))
    true_e8, true_margin_e8 = value_e8(account, truly), needed_e8(account, truly)
    judgement = "it should not have been" if is_covered(account, truly) else "rightly so"
    return (
        f"{account.name} is liquidated as worth {text_usdt(judged_e8)} by block {data['height']}; {judgement}: "
        f"under ground truth it is worth {text_usdt(true_e8)} and needs {text_usdt(true_margin_e8)}"
    )


def _list(findings: Iterable[Finding]) -> str:
    """The bad numbers market by market, the gravest market first; of stale ones the age says it all."""
    by_market: dict[str, list[Finding]] = {}
    for finding in findings:
        by_market.setdefault(finding.market, []).append(finding)
    gravest_first = sorted(by_market.items(), key=lambda item: min(map(_gravity, item[1])))
    return "; ".join(_market(market, sorted(bad, key=_gravity)) for market, bad in gravest_first)


def _gravity(finding: Finding) -> int:
    """A wrong index is money at once; of classes, the one that never was true comes first."""
    order = (ValueClass.DEFAULT, ValueClass.CORRUPT, ValueClass.STALE)
    return order.index(finding.class_) * 2 + (finding.quantity is Quantity.MARK_PRICE)


def _market(market: str, findings: list[Finding]) -> str:
    if all(finding.class_ is ValueClass.STALE for finding in findings):
        return f"{market} {findings[0].age} (stale)"
    numbers = [
        f"{f.quantity.value} {text_e8(f.amount_e8)} ({f.class_.value}; true is {text_e8(f.true_e8)})" for f in findings
    ]
    return f"{market} {_and(numbers)}"


def _rolled_back(data: Mapping[str, Any], _time_ns: TimeNs) -> str:
    root, expected = data["root"][:8], data["snapshot_root"][:8]
    found = f"its state root {root} again" if root == expected else f"the state root {root}, not {expected}"
    return f"the operator rolls the chain back to block {data['block'].height} and finds {found}"


def _verified(data: Mapping[str, Any], _time_ns: TimeNs) -> str | None:
    if data["root"] == data["snapshot_root"]:
        return None
    return f"the operator finds the state root {data['root'][:8]}, and {data['snapshot_root'][:8]} in the snapshot"


def _read(data: Mapping[str, Any], _time_ns: TimeNs) -> str:
    heights = sorted(data["batches"])
    return (
        f"a portfolio page reads the cloud store, which holds blocks up to {heights[-1]}"
        if heights
        else ("a portfolio page reads the cloud store, which is empty")
    )


def _and(words: Iterable[str]) -> str:
    *head, last = words
    return f"{', '.join(head)} and {last}" if head else last


_TELL: Mapping[str, Callable[[Mapping[str, Any], TimeNs], str | None]] = {
    "writer.stopped": _stopped,
    "database.copied": _copied,
    "services.restarted": _restarted,
    "writer.overlap": _overlap,
    "writer.loaded": _loaded,
    "writer.state_missing": _missing,
    "writer.published": _published,
    "chain.block": _block,
    "cloud.batch": _stored,
    "display.shown": _displayed,
    "call.failed": _call_failed,
    "chain.rolled_back": _rolled_back,
    "rollback.verified": _verified,
    "cloud.read": _read,
    "guard.refused": _refused,
    "guard.kept": _kept,
    "account.liquidated": _liquidated,
}
