"""The ledger of what happened to accounts against their will: what an audit is made from."""

from __future__ import annotations

from collections.abc import Callable

from racewindow import TrackedDict
from racewindow_models.book import Trade
from racewindow_models.clearing import Change
from racewindow_models.refunds import Harm, What
from racewindow_models.units import AccountName, MarketName, PriceE8, SizeE8, TimeNs
from racewindow_models.values import MarketValues


class Ledger:
    """Entries by account. `fair_e8`, `now_ns`, `epoch`: what is noted with each."""

    def __init__(
        self, *, fair_e8: Callable[[MarketName], PriceE8], now_ns: Callable[[], TimeNs], epoch: Callable[[], int]
    ) -> None:
        self._fair_e8, self._now_ns, self._epoch = fair_e8, now_ns, epoch
        self._entries: TrackedDict[AccountName, tuple[Harm, ...]] = TrackedDict(name="ledger")

    def liquidated(self, name: AccountName, change: Change, values: MarketValues) -> None:
        """An account has been liquidated by the values of a block, and others perhaps deleveraged with it."""
        for each in (name, *change.deleveraged):
            what = What.LIQUIDATED if each == name else What.DELEVERAGED
            self._note(what, each, change, change.before[each].size_e8, values.mark_price_e8)

    def triggered(self, trade: Trade, change: Change) -> None:
        """A TP/SL order has been triggered and has sold."""
        self._note(What.TRIGGERED, trade.taker.owner, change, trade.size_e8, trade.price_e8)

    def entries(self) -> list[Harm]:
        """All that was noted, account by account."""
        return [harm for harms in self._entries.values() for harm in harms]

    def _note(self, what: What, name: AccountName, change: Change, size_e8: SizeE8, price_e8: PriceE8) -> None:
        before, after = change.before[name], change.after[name]
        fair_e8, now_ns, epoch = self._fair_e8(before.market), self._now_ns(), self._epoch()
        harm = Harm(what, before, after, size_e8, price_e8, fair_e8, now_ns, epoch)
        self._entries[name] = (*self._entries.get(name, ()), harm)
