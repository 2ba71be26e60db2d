"""The order book: price and time priority, what each mode admits, and bands that restrict the aggressive side only."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racewindow_models.book import Answer, Mode, Order, OrderBook, Quotes
from racewindow_models.units import E8, AccountName, MarketName, PriceE8, SizeE8
from tests.models.inside import done, inside

XRP = MarketName("XRP")


def order(owner: str, price: int | None, size: int, **flags: bool) -> Order:
    """An order for `size` units, negative to sell, at a whole price."""
    limit = None if price is None else PriceE8(price * E8)
    return Order(AccountName(owner), size > 0, SizeE8(abs(size) * E8), limit, **flags)


def book_of(mode: Mode = Mode.OPEN, *, fair: int = 100, **options: bool) -> OrderBook:
    def reference(_: MarketName) -> PriceE8:
        return PriceE8(fair * E8)

    return OrderBook(mode, mark_e8=reference, fair_e8=reference, executed=lambda *_: None, **options)


def answers(book: OrderBook, orders: Sequence[Order]) -> list[Answer]:
    return [done(book.place(XRP, each)) for each in orders]


def quotes(book: OrderBook) -> Quotes:
    return done(book.quotes([XRP]))[0]


@inside
def test_the_best_price_is_filled_first_and_of_equal_ones_the_older() -> None:
    makers = [order("late", 101, -1), order("cheap", 100, -1), order("later", 101, -1)]
    *_, answer = answers(book_of(), [*makers, order("buyer", 101, 2)])
    assert [(trade.seller, trade.price_e8) for trade in answer.trades] == [("cheap", 100 * E8), ("late", 101 * E8)]


@inside
def test_what_is_left_of_a_limit_order_rests_and_of_a_market_order_does_not() -> None:
    book = book_of()
    answers(book, [order("maker", 100, -1), order("buyer", 100, 3)])
    assert quotes(book) == Quotes(PriceE8(100 * E8), None, PriceE8(100 * E8))
    book = book_of()
    answers(book, [order("maker", 100, -1), order("buyer", None, 3)])
    assert quotes(book) == Quotes(None, None, PriceE8(100 * E8))


@pytest.mark.parametrize(
    ("mode", "taker", "refusal"),
    [
        (Mode.OPEN, order("seller", 99, -1), ""),
        (Mode.HALTED, order("seller", 99, -1), "the market is halted"),
        (Mode.CANCEL_ONLY, order("seller", 150, -1), "the market is cancel-only"),
        (Mode.POST_ONLY, order("seller", 150, -1), ""),
        (Mode.POST_ONLY, order("seller", 99, -1), "the market is post-only, and the order would take"),
        (Mode.POST_ONLY, order("seller", None, -1, triggered=True), ""),
        (Mode.POST_ONLY, order("seller", 99, -1, admitted=True), ""),
    ],
)
@inside
def test_what_a_mode_admits(mode: Mode, taker: Order, refusal: str) -> None:
    book = book_of()
    answers(book, [order("maker", 99, 1)])
    book.change_mode(mode)
    assert answers(book, [taker])[0].refusal == refusal


@inside
def test_a_band_accepts_a_passive_order_at_any_distance_and_refuses_an_aggressive_one() -> None:
    book = book_of()
    resting, taking = answers(book, [order("far", 60, 1), order("seller", None, -1)])
    assert resting.refusal == ""
    assert taking.refusal == "it would trade at 60, outside the band around the mark price 100"


@inside
def test_the_narrow_band_is_for_post_only_markets_and_for_triggered_orders_only_if_they_are_banded() -> None:
    far, admitted, triggered = (
        order("far", 80, 1),
        order("seller", 80, -1, admitted=True),
        order("stop", None, -1, triggered=True),
    )

    def refused(taker: Order, mode: Mode = Mode.POST_ONLY, **options: bool) -> bool:
        return bool(answers(book_of(mode, **options), [far, taker])[1].refusal)

    assert not refused(admitted)
    assert refused(admitted, post_only_band=True)
    assert not refused(admitted, Mode.OPEN, post_only_band=True), "in an open market the wide band holds"
    assert not refused(triggered, post_only_band=True)
    assert refused(triggered, post_only_band=True, banded_triggers=True)


@inside
def test_a_halt_forgets_the_last_trade_and_cancelling_empties_the_book() -> None:
    book = book_of()
    answers(book, [order("maker", 100, -1), order("buyer", 100, 1), order("maker", 99, 1), order("maker", 101, -1)])
    book.change_mode(Mode.HALTED)
    assert quotes(book).last_e8 is None
    assert done(book.cancel_all()) == 2
    assert quotes(book) == Quotes(None, None, None)


orders = st.builds(
    order,
    st.sampled_from("abc"),
    st.integers(95, 105) | st.none(),
    st.integers(-3, 3).filter(bool),
)


@given(st.lists(orders, max_size=12))
@inside
def test_matching_agrees_with_a_naive_one_unit_by_unit(given_orders: list[Order]) -> None:
    answered = answers(book_of(), given_orders)
    assert naive_trades(given_orders) == [
        [(t.price_e8, t.maker.owner) for t in each.trades for _ in range(t.size_e8 // E8)] for each in answered
    ]


def naive_trades(given_orders: Sequence[Order]) -> list[list[tuple[int, AccountName]]]:
    """For each order the price and the maker of every unit, from a list of single units in order of time."""
    units: list[Order] = []
    found: list[list[tuple[int, AccountName]]] = []
    for taker in given_orders:
        trades: list[tuple[int, AccountName]] = []
        for _ in range(taker.size_e8 // E8):
            others = [unit for unit in units if unit.buying != taker.buying and accepts(taker, unit)]
            if others:
                best = min(others, key=price_of) if taker.buying else max(others, key=price_of)
                units.remove(best)
                trades.append((price_of(best), best.owner))
            elif taker.limit_e8 is not None:
                units.append(taker)
        found.append(trades)
    return found


def price_of(unit: Order) -> int:
    return unit.limit_e8 or 0


def accepts(taker: Order, unit: Order) -> bool:
    if taker.limit_e8 is None:
        return True
    return price_of(unit) <= taker.limit_e8 if taker.buying else price_of(unit) >= taker.limit_e8
