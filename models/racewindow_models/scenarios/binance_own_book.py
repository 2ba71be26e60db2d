"""Binance, 2025-10-10: collateral is valued by the venue's own thin book, and liquidated.

What happened [C, confirmed by the operator; where marked P, by press or secondary reports only]
    From 21:36 to 22:16 UTC three collaterals (USDe, BNSOL, WBETH) were valued from the venue's own book, which was
    thin: USDe fell to about 0.66 there [P]. 283 million dollars were paid to those concerned. A price floor and weights
    from redemption were added. That some prices were shown as 0 was a matter of the display only.

What is modelled here
    seller:      sell -> best bid 0.66
    | index:     r(best bid) -> 0.66 ; compared with the last trade: 0.66        # independent_band
    | maker:     w(bids, 0.99)                                                   # too late
    liquidator:  r(index) -> 0.66 ; close account-1 ; sell its USDe into the same book   # no_false_liquidation

    A market maker fills the book again as soon as it is thin; whether the index is taken before that is a matter of
    order. What is liquidated is sold into the book that the next value is taken from.

What closes what (expected verdicts, held by the tests)
    `independent_reference`: the value is held against what USDe is redeemed for, and is that if they differ. A
    `price_floor` closes `no_false_liquidation` only: the book is still compared with itself. Not `age_guard`: all is
    fresh.

Controls: `worth_percent=66`, USDe truly is worth less: liquidated, and silent, with `independent_reference`. The 0 on
the display is nobody's input and stays silent always.

Illustrative numbers: the book, what is sold, two accounts with 100 USDe that need 75 and 55 dollars, a floor of 0.95.
"""

from __future__ import annotations

from typing import NamedTuple

import trio

import racewindow
from racewindow import Cell, Instance, Network, Supervisor
from racewindow_faults.network import Delay
from racewindow_faults.process import Crash, Pause
from racewindow_models.checkers_valuation import independent_band, near, no_false_liquidation
from racewindow_models.expected import Expected
from racewindow_models.showing_prices import admitted_price
from racewindow_models.sizes import at_least
from racewindow_models.telling import told
from racewindow_models.units import E8, SECOND_NS, text_dollars, text_e8

BINANCE_OWN_BOOK = {
    "independent_reference": "the price of the book counts only near what USDe is redeemed for; else that counts",
    "price_floor": "the index is never below 0.95",
    "age_guard": "the liquidator uses no index older than 60 s",
}

EXPECTED = Expected(
    ident="S-BNB-1",
    violates=("independent_band", "no_false_liquidation"),
    closed_by=(("independent_reference",),),
    not_closed_by=(("price_floor",), ("age_guard",), ("price_floor", "age_guard")),
    closes_only={("price_floor",): ("no_false_liquidation",)},
    constraints=2,
)

MINUTE, MAX_AGE_SECONDS, BAND_PERCENT, NEAR_PERCENT = 60, 60, 40, 5
CENT_E8 = E8 // 100
FLOOR_E8, SOLD, HELD = 95 * CENT_E8, 25, 100
NEEDED_E8 = (75 * E8, 55 * E8)
MARKET, BOOK, REDEMPTION = "USDe", "own book", "redemption"


class Level(NamedTuple):
    """Bids at one price, in units of USDe."""

    price_e8: int
    size: int


FULL = Level(99 * CENT_E8, 20)
THIN = (Level(66 * CENT_E8, 30), Level(50 * CENT_E8, 1_000))


class Book:
    """The venue's own book of bids, best first, and the price of the last trade."""

    def __init__(self) -> None:
        self.bids: Cell[tuple[Level, ...]] = Cell((FULL, *THIN), name="book.bids")
        self.last_trade_e8 = Cell(FULL.price_e8, name="book.last_trade")

    @property
    def best_bid_e8(self) -> int:
        """The highest price that anybody bids."""
        return self.bids.get()[0].price_e8

    async def sell(self, size: int) -> None:
        """Sell into the bids, the best first; the last level is never used up."""
        bids = list(self.bids.get())
        while size >= bids[0].size and len(bids) > 1:
            size -= bids.pop(0).size
        bids[0] = Level(bids[0].price_e8, max(1, bids[0].size - size))
        self.bids.set(tuple(bids))
        self.last_trade_e8.set(bids[0].price_e8)

    async def refill(self) -> None:
        """Bid near what USDe is worth again."""
        self.bids.update(lambda bids: (FULL, *bids))


class Venue:
    """The index that collateral is valued by, and the accounts."""

    def __init__(self, sim: racewindow.Simulation, accounts: int, worth_e8: int) -> None:
        self._sim, self._worth_e8, self.book = sim, worth_e8, Book()
        self._index: Cell[tuple[int, int]] = Cell((FULL.price_e8, 0), name="index")
        self._accounts = {f"account-{n}": NEEDED_E8[(n - 1) % len(NEEDED_E8)] for n in range(1, accounts + 1)}
        self._open = Cell(tuple(self._accounts), name="accounts")

    async def take_index(self) -> None:
        """Take the value of USDe from the book, after a comparison."""
        price_e8, venues = self.book.best_bid_e8, (BOOK,)
        reference_venues: tuple[str, ...]
        if self._sim.safeguard("independent_reference"):
            reference_e8, reference_venues = self._worth_e8, (REDEMPTION,)
            if not near(price_e8, reference_e8, NEAR_PERCENT):
                price_e8, venues, reference_venues = reference_e8, (REDEMPTION,), ()
        else:
            reference_e8, reference_venues = self.book.last_trade_e8.get(), (BOOK,)
            if not near(price_e8, reference_e8, BAND_PERCENT):
                self._sim.emit("index.refused", price=text_e8(price_e8))
                return
        if self._sim.safeguard("price_floor"):
            price_e8 = max(price_e8, FLOOR_E8)
        self._index.set((price_e8, self._sim.now_ns))
        self._sim.emit(
            "price.admitted",
            by="the index",
            market=MARKET,
            venues=venues,
            reference_venues=reference_venues,
            price_e8=price_e8,
            true_e8=self._worth_e8,
            price=text_e8(price_e8),
        )

    async def show(self) -> None:
        """Show the price with too few decimals: 0. Nobody uses what is shown."""
        self._sim.emit("display.shown", price=self._index.get()[0] // E8)

    async def liquidate(self, account: str) -> None:
        """Close an account that has less than it needs, and sell its collateral into the book."""
        (price_e8, source_ts_ns), needed_e8 = self._index.get(), self._accounts[account]
        is_old = self._sim.now_ns - source_ts_ns > MAX_AGE_SECONDS * SECOND_NS
        value_e8 = HELD * price_e8
        if account not in self._open.get() or value_e8 >= needed_e8 or (is_old and self._sim.safeguard("age_guard")):
            return
        self._open.update(lambda accounts: tuple(each for each in accounts if each != account))
        self._sim.emit(
            "account.liquidated",
            account=account,
            value_e8=value_e8,
            true_e8=HELD * self._worth_e8,
            needed_e8=needed_e8,
            value=text_dollars(value_e8),
        )
        await self.book.sell(HELD)

    @property
    def accounts(self) -> list[str]:
        """The names of all accounts."""
        return list(self._accounts)


@racewindow.scenario(
    safeguards=BINANCE_OWN_BOOK,
    checks=(independent_band, no_false_liquidation),
    faults=(Delay(target="maker", seconds=60), Pause(target="maker", seconds=60), Crash(target="maker")),
    display=admitted_price("USDe in the index", "dollars"),
    narrate=told(
        {
            "book.sold": "the seller sells {size} USDe: the best bid is {price} now",
            "book.refilled": "the market maker bids again",
            "price.admitted": "the index takes USDe at {price}",
            "index.refused": "the index refuses {price}",
            "display.shown": "the display shows {price}",
            "account.liquidated": "{account} is liquidated at a value of {value}",
        }
    ),
    incident="2025-10-10, Binance",
)
async def binance_own_book(
    sim: racewindow.Simulation, *, accounts: int = 2, rounds: int = 1, worth_percent: int = 100
) -> None:
    """Collateral is valued by the venue's own thin book, and what is liquidated is sold into the same book.

    accounts: with 100 USDe each. rounds: of a minute, in each of which the book is sold into and the index taken.
    worth_percent: of a dollar that USDe is redeemed for.
    """
    at_least(1, accounts=accounts, rounds=rounds, worth_percent=worth_percent)
    supervisor, network = Supervisor(sim.spawn), Network(sim.spawn)
    venue = Venue(sim, accounts, worth_percent * CENT_E8)
    minutes = range(1, rounds + 1)

    async def sell(process: Instance) -> None:
        process.ready()
        for minute in minutes:
            await trio.sleep_until(minute * MINUTE)
            await network.call("book", venue.book.sell, SOLD)
            sim.emit("book.sold", size=SOLD, price=text_e8(venue.book.best_bid_e8))

    async def make(process: Instance) -> None:
        process.ready()
        for _ in minutes:
            await racewindow.until(lambda: venue.book.best_bid_e8 < FULL.price_e8)
            await network.call("book", venue.book.refill)
            sim.emit("book.refilled")

    async def take_index(process: Instance) -> None:
        process.ready()
        for minute in minutes:
            await trio.sleep_until(minute * MINUTE)
            await network.call("index", venue.take_index)
            await network.call("display", venue.show)

    async def liquidate(process: Instance) -> None:
        process.ready()
        for minute in minutes:
            await trio.sleep_until(minute * MINUTE + 1)
            for account in venue.accounts:
                await network.call("accounts", venue.liquidate, account)

    supervisor.start(sell, "seller")
    supervisor.start(make, "maker")
    supervisor.start(take_index, "index")
    supervisor.start(liquidate, "liquidator")
