"""The audit of a day: who was harmed, by how much, and why, computed by replaying ground truth.

What happened to an account is held against what would have happened by the true values: had it kept its position, it
would now be worth so much, or would rightly have been liquidated on the way. The difference is owed. A triggered order
that traded away from the external fair price is owed the distance beyond the band. What a rollback has undone is owed
nothing. These are the rules of this model; by which rules $650,000 were refunded to 200 accounts is not known.

Only an audit may look at the truth: it is made afterwards, from recorded prices.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from racewindow import Event
from racewindow_models.cross import AnyAccount, is_covered, positions_of, true_at, value_e8, was_covered
from racewindow_models.fair import POST_ONLY_BAND_E8, worst_in_band_e8
from racewindow_models.ground_truth import GroundTruth
from racewindow_models.margin import instants
from racewindow_models.units import E8, AccountName, PriceE8, SizeE8, TimeNs, UsdtE8, text_e8, text_seconds, text_usdt


class What(enum.Enum):
    """What happened to an account."""

    LIQUIDATED = "liquidated"
    DELEVERAGED = "deleveraged"
    TRIGGERED = "stop-loss sold"


@dataclass(frozen=True, slots=True)
class Harm:
    """Something that happened to an account against its will.

    `epoch`: how often the chain had been rolled back. `price_e8`: of a triggered order its trade's; of the others the
    mark price that they were judged by, None if they were judged by several. `fair_e8`: the external fair price.
    An account with cross margin is judged by several, and has neither a size nor a fair price of its own: 0.
    """

    what: What
    before: AnyAccount
    after: AnyAccount
    size_e8: SizeE8
    price_e8: PriceE8 | None
    fair_e8: PriceE8
    time_ns: TimeNs
    epoch: int


@dataclass(frozen=True, slots=True)
class Refund:
    """One line of the report: an account, what happened to it, what it is owed (0 for nothing), and why."""

    account: AccountName
    what: str
    owed_e8: UsdtE8
    why: str

    def __str__(self) -> str:
        return f"{self.account}: {self.what}; owed {text_usdt(self.owed_e8)}: {self.why}"


def refund_report(events: Iterable[Event]) -> str:
    """The refunds of an execution as people read them: one line each, and what they come to."""
    refunds = [event.data["refund"] for event in events if event.kind == "refund.decided"]
    total_e8 = sum(refund.owed_e8 for refund in refunds)
    owed = len({refund.account for refund in refunds if refund.owed_e8})
    last = f"{text_usdt(total_e8)} to {owed} of {len({refund.account for refund in refunds})} accounts"
    return "\n".join([*map(str, refunds), last])


def audit(harms: Iterable[Harm], truth: GroundTruth, end_ns: TimeNs, epoch: int, max_age_ns: TimeNs) -> list[Refund]:
    """What everybody is owed at a time, in the order of time and name. `epoch`: the chain's at that time."""
    ordered = sorted(harms, key=lambda harm: (harm.time_ns, harm.before.name))
    return [_refund(harm, truth, end_ns, epoch, max_age_ns) for harm in ordered]


def _refund(harm: Harm, truth: GroundTruth, end_ns: TimeNs, epoch: int, max_age_ns: TimeNs) -> Refund:
    price = "" if harm.price_e8 is None else f" at {text_e8(harm.price_e8)}"
    happened = f"{harm.what.value}{price} at {text_seconds(harm.time_ns)}"
    name = harm.before.name
    if harm.epoch < epoch:
        return Refund(name, happened, UsdtE8(0), "the rollback has undone it")
    if harm.what is What.TRIGGERED:
        lost_e8 = beyond_the_band_e8(harm)
        return Refund(name, happened, lost_e8, f"the external fair price was {text_e8(harm.fair_e8)}")
    if not was_covered(harm.before, truth, harm.time_ns, max_age_ns):
        return Refund(name, happened, UsdtE8(0), "it was below its maintenance margin by the true values too")
    would_e8, has_e8 = (worth_e8(each, truth, harm.time_ns, end_ns) for each in (harm.before, harm.after))
    owed_e8 = UsdtE8(max(would_e8 - has_e8, 0))
    return Refund(
        name, happened, owed_e8, f"by the true values it would be worth {text_usdt(would_e8)}, not {text_usdt(has_e8)}"
    )


def beyond_the_band_e8(harm: Harm) -> UsdtE8:
    """What a sale (of a positive size) lost against the lower end of the band, or a purchase against the upper one."""
    assert harm.price_e8 is not None  # a triggered order has one
    worst_e8 = worst_in_band_e8(harm.fair_e8, POST_ONLY_BAND_E8, buying=harm.size_e8 < 0)
    return UsdtE8(max(0, harm.size_e8 * (worst_e8 - harm.price_e8) // E8))


def worth_e8(account: AnyAccount, truth: GroundTruth, start_ns: TimeNs, end_ns: TimeNs) -> UsdtE8:
    """What an account is worth at the end if it keeps its position, and is liquidated once it truly has to be.

    The true values are looked at on every tick, as a liquidator does. A liquidated account keeps what it is worth,
    and no less than nothing.
    """
    if positions_of(account):
        for time_ns in instants(truth.markets[0], start_ns, end_ns):
            truly = true_at(truth, time_ns)
            if not is_covered(account, truly):
                return UsdtE8(max(0, value_e8(account, truly)))
    return value_e8(account, true_at(truth, end_ns))
