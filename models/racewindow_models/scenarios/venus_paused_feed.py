"""Venus, 2022-05-12: a price feed pauses at its floor, and its last value can still be borrowed against.

What happened [C, confirmed by the operator]
    The feed for LUNA has a floor of about 0.10 dollars and pauses below it; LUNA was truly worth about 0.01. The last
    value stayed readable, and loans of about 11 million dollars were taken against it before the market was paused.

What is modelled here
    feed:       w(LUNA, 0.10) ; true price below its floor: it says nothing any more
    borrower:   r(LUNA) -> 0.10, minutes later ; loan        # no_unknown_age, loans_covered
    | guardian: pause(market)                                # after the loan

    The guardian looks after some minutes, and pauses the market if the feed is silent by then; whether another loan
    comes first is a matter of order. Nobody looks at how old the value is where it is used.

What closes what (expected verdicts, held by the tests)
    `age_guard`, in the pool, where the value is used; `floor_is_unknown`: a value at the floor means "no price". Not
    `delta_guard`: what stands still does not jump.

    Beyond orders: a feed that crashes before it comes to its floor (`--fault crash:target=feed`) is silent as well, and
    only `age_guard` holds.

    Here no price means no loan, so a missing price fails closed. At Paradex a 0 was a valid number and failed open.

Control: `floor_cents=0` is a feed that follows the same fall to the end, and stays silent.

Illustrative numbers: the path of the true price, loans of 55% of what the collateral seems to be worth, a bound of 120
s on the age, 8 minutes until the guardian acts. Within the bound the price falls less than such a loan leaves room for.
"""

from __future__ import annotations

from typing import NamedTuple

import trio

import racewindow
from racewindow import Cell, Instance, Network, Supervisor
from racewindow_faults.network import Delay
from racewindow_faults.process import Crash, Pause
from racewindow_models.checkers_valuation import loans_covered, near, no_unknown_age
from racewindow_models.expected import Expected
from racewindow_models.showing_prices import LOANS
from racewindow_models.sizes import at_least
from racewindow_models.telling import told
from racewindow_models.units import E8, SECOND_NS, text_dollars, text_e8

VENUS_PAUSED_FEED = {
    "age_guard": "the pool lends nothing against a price that is older than the bound",
    "floor_is_unknown": "the pool takes a price at the floor of its feed for no price",
    "delta_guard": "the pool lends nothing against a price that has jumped by half since the last loan",
}

EXPECTED = Expected(
    ident="S-VNS-1",
    violates=("no_unknown_age", "loans_covered"),
    closed_by=(("age_guard",), ("floor_is_unknown",)),
    not_closed_by=(("delta_guard",),),
    constraints=1,
)

MINUTE, MAX_AGE_SECONDS, LOAN_PERCENT, COINS = 60, 120, 55, 1_000_000
GUARDIAN_MINUTE, ATTEMPT_MINUTES = 8, 4
CENT_E8 = E8 // 100
TRUE_MILLS = (400, 240, 140, 100, 80, 55, 35, 20, 12)
"""The true price in each minute, in thousandths of a dollar; after that it stays."""


def true_e8(time_ns: int) -> int:
    """The true price at a virtual time: what only the simulator knows."""
    minute = time_ns // (MINUTE * SECOND_NS)
    return TRUE_MILLS[min(minute, len(TRUE_MILLS) - 1)] * E8 // 1_000


class Price(NamedTuple):
    """What a feed has said, and when."""

    price_e8: int
    source_ts_ns: int


class Feed:
    """The price feed of one market, which says nothing below its floor."""

    def __init__(self, sim: racewindow.Simulation, floor_e8: int) -> None:
        self._sim, self.floor_e8 = sim, floor_e8
        self.last: Cell[Price | None] = Cell(None, name="feed.last")

    @property
    def age_ns(self) -> int:
        """For how long it has said nothing."""
        last = self.last.get()
        return self._sim.now_ns - (last.source_ts_ns if last else 0)

    async def run(self, process: Instance) -> None:
        """Publish the price every minute."""
        process.ready()
        for minute in range(len(TRUE_MILLS)):
            await trio.sleep_until(minute * MINUTE)
            price_e8 = true_e8(self._sim.now_ns)
            if price_e8 < self.floor_e8:
                self._sim.emit("feed.paused", true=text_e8(price_e8), floor=text_e8(self.floor_e8))
                return
            self.last.set(Price(price_e8, self._sim.now_ns))


class Pool:
    """Lends against LUNA at the price that can be read."""

    def __init__(self, sim: racewindow.Simulation, feed: Feed) -> None:
        self._sim, self._feed = sim, feed
        self._is_paused = Cell(False, name="market.paused")  # noqa: FBT003
        self._last_used_e8 = Cell(0, name="pool.last_used")

    async def pause(self) -> None:
        """Lend nothing any more."""
        self._is_paused.set(True)
        self._sim.emit("market.paused")

    async def borrow(self, account: str) -> None:
        """Lend against a million coins."""
        price = self._feed.last.get()
        why = self._why_not(price)
        if price is None or why:
            self._sim.emit("loan.refused", account=account, why=why)
            return
        self._last_used_e8.set(price.price_e8)
        loan_e8 = COINS * price.price_e8 * LOAN_PERCENT // 100
        self._sim.emit(
            "price.used",
            consumer="the pool",
            market="LUNA",
            price_e8=price.price_e8,
            age_ns=self._feed.age_ns,
            max_age_ns=MAX_AGE_SECONDS * SECOND_NS,
        )
        self._sim.emit(
            "loan.taken",
            account=account,
            loan_e8=loan_e8,
            worth_e8=COINS * true_e8(self._sim.now_ns),
            loan=text_dollars(loan_e8),
            price=text_e8(price.price_e8),
        )

    def _why_not(self, price: Price | None) -> str:
        """Why nothing is lent; empty if something is."""
        on, last_e8 = self._sim.safeguard, self._last_used_e8.get()
        if self._is_paused.get():
            return "the market is paused"
        if price is None or price.price_e8 == 0:
            return "there is no price"
        if on("age_guard") and self._feed.age_ns > MAX_AGE_SECONDS * SECOND_NS:
            return "the price is too old"
        if on("floor_is_unknown") and price.price_e8 <= self._feed.floor_e8:
            return "a price at the floor is none"
        if on("delta_guard") and last_e8 and not near(price.price_e8, last_e8, 50):
            return "the price has jumped"
        return ""


@racewindow.scenario(
    safeguards=VENUS_PAUSED_FEED,
    checks=(no_unknown_age, loans_covered),
    faults=(Delay(target="guardian", seconds=240), Pause(target="guardian", seconds=240), Crash(target="feed")),
    display=LOANS,
    narrate=told(
        {
            "feed.paused": "the feed pauses: true is {true}, below its floor of {floor}",
            "market.paused": "the guardian pauses the market",
            "loan.taken": "{account} borrows {loan} at a price of {price}",
            "loan.refused": "nothing is lent to {account}: {why}",
        }
    ),
    incident="2022-05-12, Venus",
)
async def venus_paused_feed(sim: racewindow.Simulation, *, loans: int = 2, floor_cents: int = 10) -> None:
    """A price feed pauses at its floor, and loans are taken against its last value.

    loans: that somebody tries to take, one every 4 minutes. floor_cents: of the feed; 0 is a feed without a floor.
    """
    at_least(1, loans=loans)
    at_least(0, floor_cents=floor_cents)
    supervisor, network = Supervisor(sim.spawn), Network(sim.spawn)
    feed = Feed(sim, floor_cents * CENT_E8)
    pool = Pool(sim, feed)

    async def guard(process: Instance) -> None:
        process.ready()
        await trio.sleep_until(GUARDIAN_MINUTE * MINUTE)
        if feed.age_ns > MAX_AGE_SECONDS * SECOND_NS:
            await network.call("pool", pool.pause)

    async def borrow(process: Instance) -> None:
        process.ready()
        for number in range(1, loans + 1):
            await trio.sleep_until(number * ATTEMPT_MINUTES * MINUTE)
            await network.call("pool", pool.borrow, f"borrower-{number}")

    supervisor.start(feed.run, "feed")
    supervisor.start(guard, "guardian")
    supervisor.start(borrow, "borrower")
