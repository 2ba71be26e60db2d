"""Compound, 2020-11-26: a price is held against an anchor that has moved along with it.

What happened [C, confirmed by the operator]
    DAI cost 1.30 dollars on one venue. A reported price is accepted only within 20% of an anchor from another venue,
    and the anchor had moved along: the check was not independent. About 89 million dollars were liquidated.

What is modelled here
    buyers:        w(venue-1, 1.15), w(venue-1, 1.30)
    arbitrageur:   r(venue-1) -> 1.30 ; w(venue-2, 1.12)          # the anchor now derives from venue-1
    | poster:      r(venue-1) -> 1.30 ; r(venue-2) -> 1.12 ; post # independent_band
    liquidator:    r(posted) -> 1.30 ; close account-1            # no_false_liquidation

    Buyers move the price of a thin venue. Whoever buys where DAI is cheap and sells where it is dear moves the other
    venue along, a step later. If the poster comes before that, the check does its work.

What closes what (expected verdicts, held by the tests)
    `independent_reference`: an anchor from venues that no trade of this one moves. Not `age_guard`: both prices are
    fresh. Not `delta_guard`: each posted price is within 20% of the one before.

Control: `true_percent=130`, DAI is dear everywhere, stays silent with `independent_reference`, and account-1 is
liquidated.

Illustrative numbers: the steps of the price, how far the anchor follows (30% of the way), an account with 170 dollars
and a debt of 100 DAI that has to keep 42.50.
"""

from __future__ import annotations

from typing import NamedTuple

import trio

import racewindow
from racewindow import Cell, Instance, Network, Supervisor
from racewindow_faults.network import Delay
from racewindow_faults.process import Pause
from racewindow_models.checkers_valuation import independent_band, near, no_false_liquidation
from racewindow_models.expected import Expected
from racewindow_models.showing_prices import admitted_price
from racewindow_models.sizes import at_least
from racewindow_models.telling import listed, told
from racewindow_models.units import E8, SECOND_NS, text_dollars, text_e8

COMPOUND_ANCHOR = {
    "independent_reference": "the anchor is the price of venues that trading on the reporting one does not move",
    "age_guard": "the poster refuses a price or an anchor that is older than 60 s",
    "delta_guard": "the poster refuses a price that is more than 20% off the one posted before",
}

EXPECTED = Expected(
    ident="S-CMP-1",
    violates=("independent_band", "no_false_liquidation"),
    closed_by=(("independent_reference",),),
    not_closed_by=(("age_guard",), ("delta_guard",), ("age_guard", "delta_guard")),
    constraints=1,
)

MINUTE, BAND_PERCENT, MAX_AGE_SECONDS, FOLLOWS_PERCENT = 60, 20, 60, 30
COLLATERAL_E8, DEBT_DAI, NEEDED_E8 = 170 * E8, 100, 4_250 * E8 // 100
RISE_PERCENT = (115, 130)
REPORTER, ANCHOR = "venue-1", "venue-2"
OTHERS = ("venue-3", "venue-4")


class Quote(NamedTuple):
    """The price on a venue, since when, and from which venues' trading it derives."""

    price_e8: int
    source_ts_ns: int
    venues: tuple[str, ...]


class Lending:
    """The venues, the posted price of DAI, and one account that owes DAI."""

    def __init__(self, sim: racewindow.Simulation, true_e8: int) -> None:
        self._sim, self._true_e8 = sim, true_e8
        self.reporter = Cell(Quote(E8, 0, (REPORTER,)), name=REPORTER)
        self.anchor = Cell(Quote(E8, 0, (ANCHOR,)), name=ANCHOR)
        self.followed_e8 = Cell(E8, name="followed")
        self._posted = Cell(E8, name="posted")
        self._is_closed = Cell(False, name="account-1.closed")  # noqa: FBT003

    async def buy(self, price_e8: int) -> None:
        """Buy on the reporting venue, up to a price."""
        self.reporter.set(Quote(price_e8, self._sim.now_ns, (REPORTER,)))
        self._sim.emit("venue.moved", venue=REPORTER, price=text_e8(price_e8))

    async def follow(self) -> None:
        """Buy on the other venue what sells for more on the reporting one."""
        seen, price_e8 = self.reporter.get(), self.anchor.get().price_e8
        price_e8 += (seen.price_e8 - price_e8) * FOLLOWS_PERCENT // 100
        self.anchor.set(Quote(price_e8, self._sim.now_ns, (ANCHOR, *seen.venues)))
        self.followed_e8.set(seen.price_e8)
        self._sim.emit("venue.moved", venue=ANCHOR, price=text_e8(price_e8))

    async def look(self, venue: Cell[Quote]) -> Quote:
        """What a venue says."""
        return venue.get()

    async def look_elsewhere(self) -> Quote:
        """What the venues say that this story leaves alone: the true price."""
        return Quote(self._true_e8, self._sim.now_ns, OTHERS)

    async def post(self, price: Quote, anchor: Quote) -> None:
        """Post a price that holds against its anchor."""
        why = self._why_not(price, anchor)
        if why:
            self._sim.emit("price.refused", price=text_e8(price.price_e8), why=why)
            return
        self._posted.set(price.price_e8)
        self._sim.emit(
            "price.admitted",
            by="the poster",
            market="DAI",
            venues=price.venues,
            reference_venues=anchor.venues,
            price_e8=price.price_e8,
            true_e8=self._true_e8,
            price=text_e8(price.price_e8),
            anchor=text_e8(anchor.price_e8),
        )

    def _why_not(self, price: Quote, anchor: Quote) -> str:
        on, oldest_ns = self._sim.safeguard, self._sim.now_ns - MAX_AGE_SECONDS * SECOND_NS
        if not near(price.price_e8, anchor.price_e8, BAND_PERCENT):
            return f"the anchor is {text_e8(anchor.price_e8)}, from {listed(anchor.venues)}"
        if on("age_guard") and min(price.source_ts_ns, anchor.source_ts_ns) < oldest_ns:
            return "it is too old, or its anchor is"
        if on("delta_guard") and not near(price.price_e8, self._posted.get(), BAND_PERCENT):
            return f"{text_e8(self._posted.get())} is posted"
        return ""

    async def liquidate(self) -> None:
        """Close the account if the posted price leaves it with less than it needs."""
        value_e8 = COLLATERAL_E8 - DEBT_DAI * self._posted.get()
        if value_e8 < NEEDED_E8 and not self._is_closed.get():
            self._is_closed.set(True)
            self._sim.emit(
                "account.liquidated",
                account="account-1",
                value_e8=value_e8,
                true_e8=COLLATERAL_E8 - DEBT_DAI * self._true_e8,
                needed_e8=NEEDED_E8,
                value=text_dollars(value_e8),
            )


@racewindow.scenario(
    safeguards=COMPOUND_ANCHOR,
    checks=(independent_band, no_false_liquidation),
    faults=(Delay(target="arbitrageur", seconds=60), Delay(target="poster", seconds=30), Pause(target="liquidator")),
    display=admitted_price("DAI as posted", "dollars"),
    narrate=told(
        {
            "venue.moved": "DAI costs {price} on {venue}",
            "price.admitted": "the poster posts {price}; the anchor is {anchor}",
            "price.refused": "the poster refuses {price}: {why}",
            "account.liquidated": "{account} is liquidated at a value of {value}",
        }
    ),
    incident="2020-11-26, Compound",
)
async def compound_anchor(sim: racewindow.Simulation, *, steps: int = 2, true_percent: int = 100) -> None:
    """A price rises on one venue, the anchor that it is held against moves along, and accounts are liquidated.

    steps: in which the price rises, one a minute: to 1.15, then to 1.30. true_percent: of a dollar that DAI is worth
    everywhere else.
    """
    at_least(1, steps=steps, true_percent=true_percent)
    supervisor, network = Supervisor(sim.spawn), Network(sim.spawn)
    lending = Lending(sim, true_percent * E8 // 100)
    minutes = range(1, steps + 1)
    prices_e8 = [RISE_PERCENT[min(minute, len(RISE_PERCENT)) - 1] * E8 // 100 for minute in minutes]

    async def buy(process: Instance) -> None:
        process.ready()
        for minute, price_e8 in zip(minutes, prices_e8, strict=True):
            await trio.sleep_until(minute * MINUTE)
            await network.call(REPORTER, lending.buy, price_e8)

    async def follow(process: Instance) -> None:
        process.ready()
        while lending.followed_e8.get() < prices_e8[-1]:
            await racewindow.until(lambda: lending.followed_e8.get() < lending.reporter.get().price_e8)
            await network.call(ANCHOR, lending.follow)

    async def post(process: Instance) -> None:
        process.ready()
        for minute in minutes:
            await trio.sleep_until(minute * MINUTE)
            price = await network.call(REPORTER, lending.look, lending.reporter)
            if sim.safeguard("independent_reference"):
                anchor = await network.call("other venues", lending.look_elsewhere)
            else:
                anchor = await network.call(ANCHOR, lending.look, lending.anchor)
            await network.call("lending", lending.post, price, anchor)

    async def liquidate(process: Instance) -> None:
        process.ready()
        for minute in minutes:
            await trio.sleep_until(minute * MINUTE + 1)
            await network.call("lending", lending.liquidate)

    supervisor.start(post, "poster")
    supervisor.start(buy, "buyers")
    supervisor.start(follow, "arbitrageur")
    supervisor.start(liquidate, "liquidator")
