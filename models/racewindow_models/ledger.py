"""The ledger of what happened to accounts against their will: what an audit is made from."""

from __future__ import annotations

from collections.abc import Callable

from racewindow import TrackedDict
from racewindow_models.book import Trade
from racewindow_models.clearing import Change
from racewindow_models.margin import Account
from racewindow_models.refunds import Harm, What
from racewindow_models.units import AccountName, MarketName, PriceE8, SizeE8, TimeNs
from racewindow_models.values import Batch


class Ledger:
    """Entries by account. `fair_e8`, `now_ns`, `epoch`: what is noted with each."""

    def __init__(
        self, *, fair_e8: Callable[[MarketName], PriceE8], now_ns: Callable[[], TimeNs], epoch: Callable[[], int]
    ) -> None:
        self._fair_e8, self._now_ns, self._epoch = fair_e8, now_ns, epoch
        self._entries: TrackedDict[AccountName, tuple[Harm, ...]] = TrackedDict(name="ledger")

    def liquidated(self, name: AccountName, change: Change, used: Batch) -> None:
        """An account has been liquidated by the values of a block, and others perhaps deleveraged with it."""
        marks_e8 = {values.market: values.mark_price_e8 for values in used}
        for each in (name, *change.deleveraged):
            what, before = What.LIQUIDATED if each == name else What.DELEVERAGED, change.before[each]
            if isinstance(before, Account):
                self._note(what, change, each, before.size_e8, marks_e8[before.market])
            else:
                self._note(what, change, each, SizeE8(0), None)

    def triggered(self, trade: Trade, change: Change) -> None:
        """A TP/SL order has been triggered and has sold."""
        self._note(What.TRIGGERED, change, trade.taker.owner, trade.size_e8, trade.price_e8)

    def entries(self) -> list[Harm]:
        """All that was noted, account by account."""
        return [harm for harms in self._entries.values() for harm in harms]

    def _note(self, what: What, change: Change, name: AccountName, size_e8: SizeE8, price_e8: PriceE8 | None) -> None:
        before, after = change.before[name], change.after[name]
        fair_e8 = self._fair_e8(before.market) if isinstance(before, Account) else PriceE8(0)
        harm = Harm(what, before, after, size_e8, price_e8, fair_e8, self._now_ns(), self._epoch())
        self._entries[name] = (*self._entries.get(name, ()), harm)
