"""The order book of every market: resting orders, matching by price and time, market modes, and price bands.

Its methods answer calls, each in one step. An order that rests is a *maker*, one that crosses is a *taker*. In a
post-only market an order may only rest; TP/SL orders that have been triggered are exempt, as are orders that a gateway
has admitted as passive before (`would_take`): by the time that one arrives, the book may be another.

Price bands restrict the aggressive side only, so a passive order is accepted at any distance: the general one is
centred on the mark price, and with `post_only_band` a post-only market has one of 5 bps around the external fair price.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from racewindow import Cell, TrackedDict
from racewindow_models.fair import GENERAL_BAND_E8, POST_ONLY_BAND_E8, worst_in_band_e8
from racewindow_models.units import AccountName, MarketName, PriceE8, SizeE8, text_e8


class Mode(enum.Enum):
    """What a market admits."""

    OPEN = "open"
    HALTED = "halted"
    CANCEL_ONLY = "cancel-only"
    POST_ONLY = "post-only"


@dataclass(frozen=True, slots=True)
class Order:
    """An order to buy or to sell. `limit_e8`: its worst price; None: a market order, at any price, which never rests.

    `triggered`: it is a TP/SL order whose condition has been met. `admitted`: a gateway found that it would rest.
    """

    owner: AccountName
    buying: bool
    size_e8: SizeE8
    limit_e8: PriceE8 | None = None
    triggered: bool = False
    admitted: bool = False

    def __str__(self) -> str:
        price = "at any price" if self.limit_e8 is None else f"at {text_e8(self.limit_e8)}"
        return f"{self.owner}'s {'bid' if self.buying else 'sell'} of {text_e8(self.size_e8)} {price}"


@dataclass(frozen=True, slots=True)
class Trade:
    """What two orders have agreed on, at the price of the one that rested."""

    price_e8: PriceE8
    size_e8: SizeE8
    maker: Order
    taker: Order

    @property
    def buyer(self) -> AccountName:
        """Who bought."""
        return (self.taker if self.taker.buying else self.maker).owner

    @property
    def seller(self) -> AccountName:
        """Who sold."""
        return (self.maker if self.taker.buying else self.taker).owner


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order: why it was refused, or "" and its trades."""

    refusal: str
    trades: tuple[Trade, ...] = ()


@dataclass(frozen=True, slots=True)
class Quotes:
    """What a market shows: best bid and ask, and the last trade since it was halted; None for what is not there."""

    bid_e8: PriceE8 | None
    ask_e8: PriceE8 | None
    last_e8: PriceE8 | None


def match(resting: Sequence[Order], taker: Order) -> tuple[list[Trade], list[Order], SizeE8]:
    """Fill an order from the other side, best price first: trades, what rests there then, and what is left of it."""
    trades, after, left_e8 = list[Trade](), list[Order](), taker.size_e8
    for maker in resting:
        size_e8 = SizeE8(min(left_e8, maker.size_e8))
        if not size_e8 or not _meets(maker, taker):
            after.append(maker)
            continue
        assert maker.limit_e8 is not None  # a market order never rests
        trades.append(Trade(maker.limit_e8, size_e8, maker, taker))
        left_e8 = SizeE8(left_e8 - size_e8)
        if size_e8 < maker.size_e8:
            after.append(replace(maker, size_e8=SizeE8(maker.size_e8 - size_e8)))
    return trades, after, left_e8


def _meets(maker: Order, taker: Order) -> bool:
    if taker.limit_e8 is None or maker.limit_e8 is None:
        return True
    return maker.limit_e8 <= taker.limit_e8 if taker.buying else maker.limit_e8 >= taker.limit_e8


Reference = Callable[[MarketName], PriceE8]


class OrderBook:
    """The books of all markets, and their mode.

    `mark_e8`, `fair_e8`: mark price and external fair price of a market, which bands are centred on. `banded_triggers`:
    whether orders that were triggered are subject to bands as well. `executed` is told of every answer to an order.
    """

    name = "book"

    def __init__(
        self,
        mode: Mode,
        *,
        mark_e8: Reference,
        fair_e8: Reference,
        executed: Callable[[MarketName, Order, Answer], None],
        post_only_band: bool = False,
        banded_triggers: bool = False,
    ) -> None:
        self._mode = Cell(mode, name="mode")
        self._mark_e8, self._fair_e8, self._executed = mark_e8, fair_e8, executed
        self._post_only_band, self._banded_triggers = post_only_band, banded_triggers
        self._sides: TrackedDict[str, tuple[Order, ...]] = TrackedDict(name="book")
        self._last: TrackedDict[MarketName, PriceE8] = TrackedDict(name="book.last")

    @property
    def mode(self) -> Mode:
        """What the markets admit at this moment."""
        return self._mode.get()

    def change_mode(self, mode: Mode) -> None:
        """From now on the markets admit something else. A halt forgets the last trade: it is of another session."""
        self._mode.set(mode)
        if mode is Mode.HALTED:
            for market in list(self._last):
                del self._last[market]

    async def place(self, market: MarketName, order: Order) -> Answer:
        """Fill an order as far as it crosses within its band; what is left rests, unless it is a market order."""
        refusal, worst_e8 = self._admit(market, order)
        if refusal:
            return self._answered(market, order, Answer(refusal))
        taker = order if worst_e8 is None else replace(order, limit_e8=worst_e8)
        trades, after, left_e8 = match(self._side(market, buying=not order.buying), taker)
        if trades:
            self._sides[_side_name(market, buying=not order.buying)] = tuple(after)
            self._last[market] = trades[-1].price_e8
        rest = replace(order, size_e8=left_e8)
        if left_e8 and order.limit_e8 is not None and not self._crosses(market, rest):
            resting = (*self._side(market, buying=order.buying), rest)
            self._sides[_side_name(market, buying=order.buying)] = _sorted(resting)
        elif left_e8 and not trades:
            return self._answered(market, order, Answer("there is nobody to trade with"))
        return self._answered(market, order, Answer("", tuple(trades)))

    async def would_take(self, market: MarketName, order: Order) -> bool:
        """Whether an order would cross the book as it is now: what a gateway asks before it admits one as passive."""
        return self._crosses(market, order)

    async def quotes(self, markets: Sequence[MarketName]) -> tuple[Quotes, ...]:
        """What the markets show, in one step."""
        return tuple(self._quotes(market) for market in markets)

    async def cancel_all(self) -> int:
        """Cancel every resting order; returns how many there were. TP/SL orders do not rest here."""
        count = 0
        for key in list(self._sides):
            count += len(self._sides[key])
            self._sides[key] = ()
        return count

    def _quotes(self, market: MarketName) -> Quotes:
        bids, asks = self._side(market, buying=True), self._side(market, buying=False)
        return Quotes(bids[0].limit_e8 if bids else None, asks[0].limit_e8 if asks else None, self._last.get(market))

    def _side(self, market: MarketName, *, buying: bool) -> tuple[Order, ...]:
        return self._sides.get(_side_name(market, buying=buying), ())

    def _crosses(self, market: MarketName, order: Order) -> bool:
        resting = self._side(market, buying=not order.buying)
        return bool(resting) and _meets(resting[0], order)

    def _admit(self, market: MarketName, order: Order) -> tuple[str, PriceE8 | None]:
        """Why an order is not admitted, or ""; and the worst price that its band lets it trade at, None for any."""
        mode = self._mode.get()
        if mode in (Mode.HALTED, Mode.CANCEL_ONLY):
            return f"the market is {mode.value}", None
        if not self._crosses(market, order):
            return "", None
        if mode is Mode.POST_ONLY and not (order.triggered or order.admitted):
            return "the market is post-only, and the order would take", None
        if order.triggered and not self._banded_triggers:
            return "", None
        return self._band(market, order, mode)

    def _band(self, market: MarketName, order: Order, mode: Mode) -> tuple[str, PriceE8]:
        narrow = mode is Mode.POST_ONLY and self._post_only_band
        reference_e8 = self._fair_e8(market) if narrow else self._mark_e8(market)
        width_e8 = POST_ONLY_BAND_E8 if narrow else GENERAL_BAND_E8
        band_e8 = worst_in_band_e8(reference_e8, width_e8, buying=order.buying)
        if order.limit_e8 is None:
            worst_e8 = band_e8
        else:
            worst_e8 = min(band_e8, order.limit_e8) if order.buying else max(band_e8, order.limit_e8)
        if self._crosses(market, replace(order, limit_e8=worst_e8)):
            return "", worst_e8
        best_e8 = self._side(market, buying=not order.buying)[0].limit_e8
        assert best_e8 is not None  # a market order never rests
        which = "5 bps around the external fair price" if narrow else "the band around the mark price"
        return f"it would trade at {text_e8(best_e8)}, outside {which} {text_e8(reference_e8)}", worst_e8

    def _answered(self, market: MarketName, order: Order, answer: Answer) -> Answer:
        self._executed(market, order, answer)
        return answer


def _sorted(orders: Sequence[Order]) -> tuple[Order, ...]:
    """Best price first; of equal ones the older first."""
    return tuple(sorted(orders, key=lambda each: (each.limit_e8 or 0) * (-1 if each.buying else 1)))


def _side_name(market: MarketName, *, buying: bool) -> str:
    return f"{market} {'bids' if buying else 'asks'}"
