"""Paradex, after 2026-01-19: a wrong spot oracle passes the check of the mark price against the external fair price.

What is documented [C, confirmed by the operator or a primary document]
    Mark price = spot oracle x (1 + fair basis). Since 2026-01-27 an external fair price is published: spot oracle x
    (1 + the median of five bases, of four other venues and of its own one-hour average). Since 2026-02-03 it bounds
    orders in a post-only market.

What is inferred [I]
    The external fair price is nearly independent of the venue's own book, which has one vote of five. It is not
    independent of the mark price: both are a multiple of the same spot oracle, so a wrong oracle passes.

What is modelled here [H, a hypothesis to explore: nothing says that the oracle was wrong that day]
    The oracle is restarted in a window and has no prices yet. Its sources report one by one, one of them wrongly; the
    median of three is right, but it answers from those that it has.

        source-1:    w(reports, 16% below)
        | writer:    r(reports) -> one, 16% below ; mark == fair -> admitted   # independent_band
        source-2, -3: w(reports, true)                                         # too late
        liquidator:  r(mark) ; close account-1                                 # no_false_liquidation

What closes what (expected verdicts, held by the tests)
    `independent_reference`: the mark price is held against what other venues quote, which no oracle of ours enters.
    `min_sources` closes `no_false_liquidation` only: the oracle is right then, and the check still compares it with
    itself, in every order of events. Not `age_guard`: all is fresh.

Controls, with `independent_reference`: `wrong_percent=0`, and `move_percent=-16`, a true fall, in which account-1 is
liquidated rightly: silent.

Illustrative numbers: the price, how wrong the source is, the bases, the bound of 5%, an account with 10 times leverage
and 5% maintenance margin.
"""

from __future__ import annotations

from statistics import median_low
from typing import NamedTuple

import trio

import racewindow
from racewindow import Cell, Instance, Network, Supervisor, TrackedDict
from racewindow_faults.network import Delay
from racewindow_faults.process import Crash, Pause
from racewindow_models.checkers_valuation import independent_band, near, no_false_liquidation
from racewindow_models.expected import Expected
from racewindow_models.showing_prices import admitted_price
from racewindow_models.sizes import at_least
from racewindow_models.telling import told
from racewindow_models.units import E8, SECOND_NS, text_dollars, text_e8

WRONG_ORACLE = {
    "independent_reference": "the mark price is held against the quotes of other venues, not against the same oracle",
    "min_sources": "the oracle does not answer until all three of its sources have reported",
    "age_guard": "the writer refuses an answer of the oracle with a report that is older than 15 s",
}

EXPECTED = Expected(
    ident="S-PDX-ORACLE",
    violates=("independent_band", "no_false_liquidation"),
    closed_by=(("independent_reference",),),
    not_closed_by=(("min_sources",), ("age_guard",), ("min_sources", "age_guard")),
    closes_only={("min_sources",): ("no_false_liquidation",), ("min_sources", "age_guard"): ("no_false_liquidation",)},
    constraints=0,
)

MARKET, ORACLE, OTHERS = "BTC", "spot oracle", "other venues"
SOURCES = ("source-1", "source-2", "source-3")
TICK, MAX_AGE_SECONDS, NEAR_PERCENT = 5, 15, 5
BEFORE_E8 = 92_600 * E8
COLLATERAL_E8, NEEDED_E8 = BEFORE_E8 // 10, BEFORE_E8 // 20
FAIR_BASIS_BPS, BASES_BPS = 20, (18, 19, 20, 22, 25)


class Report(NamedTuple):
    """What a source says, and when it said it."""

    price_e8: int
    source_ts_ns: int


class Venue:
    """The spot oracle, the mark price, and an account that is long by one coin."""

    def __init__(self, sim: racewindow.Simulation, true_e8: int) -> None:
        self._sim, self._true_e8 = sim, true_e8
        self._reports: TrackedDict[str, Report] = TrackedDict(name="oracle.reports")
        self._mark_e8 = Cell(_with_basis(BEFORE_E8, FAIR_BASIS_BPS), name="mark")
        self._is_closed = Cell(False, name="account-1.closed")  # noqa: FBT003

    async def report(self, source: str, price_e8: int) -> None:
        """Take what a source says."""
        self._reports[source] = Report(price_e8, self._sim.now_ns)
        self._sim.emit("source.reported", source=source, price=text_e8(price_e8))

    async def spot(self) -> Report | None:
        """The median of what was reported, the lower one of two, as old as its oldest; None: it has no answer."""
        reports = [report for source in SOURCES if (report := self._reports.get(source)) is not None]
        if not reports or (self._sim.safeguard("min_sources") and len(reports) < len(SOURCES)):
            return None
        return Report(median_low(each.price_e8 for each in reports), min(each.source_ts_ns for each in reports))

    async def quotes(self) -> int:
        """The price of the contract on other venues, which ask no oracle of ours."""
        return _with_basis(self._true_e8, median_low(BASES_BPS))

    async def admit(self, mark_e8: int, reference_e8: int, reference_venues: tuple[str, ...]) -> None:
        """Take a mark price that is near its reference."""
        if not near(mark_e8, reference_e8, NEAR_PERCENT):
            self._sim.emit("price.refused", price=text_e8(mark_e8), reference=text_e8(reference_e8))
            return
        self._mark_e8.set(mark_e8)
        self._sim.emit(
            "price.admitted",
            by="the writer",
            market=MARKET,
            venues=(ORACLE,),
            reference_venues=reference_venues,
            price_e8=mark_e8,
            true_e8=_with_basis(self._true_e8, FAIR_BASIS_BPS),
            price=text_e8(mark_e8),
            reference=text_e8(reference_e8),
        )

    async def liquidate(self) -> None:
        """Close the account if the mark price leaves it with less than it needs."""
        value_e8 = _account_e8(self._mark_e8.get())
        if value_e8 < NEEDED_E8 and not self._is_closed.get():
            self._is_closed.set(True)
            self._sim.emit(
                "account.liquidated",
                account="account-1",
                value_e8=value_e8,
                true_e8=_account_e8(_with_basis(self._true_e8, FAIR_BASIS_BPS)),
                needed_e8=NEEDED_E8,
                value=text_dollars(value_e8),
            )


def _with_basis(spot_e8: int, basis_bps: int) -> int:
    return spot_e8 * (10_000 + basis_bps) // 10_000


def _account_e8(mark_e8: int) -> int:
    return COLLATERAL_E8 + mark_e8 - BEFORE_E8


@racewindow.scenario(
    safeguards=WRONG_ORACLE,
    checks=(independent_band, no_false_liquidation),
    faults=(Delay(target="source-2", seconds=5), Crash(target="source-3"), Pause(target="liquidator", seconds=5)),
    display=admitted_price("BTC mark price", "USDT"),
    narrate=told(
        {
            "source.reported": "{source} reports {price} to the oracle",
            "price.admitted": "the writer publishes a mark price of {price}; it is held against {reference}",
            "price.refused": "the writer refuses a mark price of {price}: its reference is {reference}",
            "account.liquidated": "{account} is liquidated at a value of {value}",
        }
    ),
    incident="2026-01-19, Paradex",
)
async def paradex_wrong_oracle(
    sim: racewindow.Simulation, *, rounds: int = 1, wrong_percent: int = 16, move_percent: int = 0
) -> None:
    """A restarted spot oracle answers from one wrong source, and mark price and external fair price agree on it.

    rounds: of 5 s, in each of which every source reports and the writer computes the mark price. wrong_percent: how
    far below the true price source-1 is. move_percent: how far the market has truly moved in the window.
    """
    at_least(1, rounds=rounds)
    at_least(0, wrong_percent=wrong_percent)
    supervisor, network = Supervisor(sim.spawn), Network(sim.spawn)
    true_e8 = BEFORE_E8 * (100 + move_percent) // 100
    venue = Venue(sim, true_e8)
    wrong_e8 = true_e8 * (100 - wrong_percent) // 100
    prices_e8 = dict.fromkeys(SOURCES, true_e8) | {SOURCES[0]: wrong_e8}
    ticks = range(1, rounds + 1)

    async def compute(process: Instance) -> None:
        process.ready()
        for tick in ticks:
            await trio.sleep_until(tick * TICK)
            spot = await network.call(ORACLE, venue.spot)
            if spot is None:
                continue
            is_old = sim.now_ns - spot.source_ts_ns > MAX_AGE_SECONDS * SECOND_NS
            if is_old and sim.safeguard("age_guard"):
                continue
            origin: tuple[str, ...]
            if sim.safeguard("independent_reference"):
                reference_e8, origin = await network.call(OTHERS, venue.quotes), (OTHERS,)
            else:
                reference_e8, origin = _with_basis(spot.price_e8, median_low(BASES_BPS)), (ORACLE, OTHERS)
            await venue.admit(_with_basis(spot.price_e8, FAIR_BASIS_BPS), reference_e8, origin)

    async def liquidate(process: Instance) -> None:
        process.ready()
        for tick in ticks:
            await trio.sleep_until(tick * TICK + 1)
            await network.call("accounts", venue.liquidate)

    def start_source(source: str) -> None:
        async def report(process: Instance) -> None:
            process.ready()
            for tick in ticks:
                await trio.sleep_until(tick * TICK)
                await network.call(ORACLE, venue.report, source, prices_e8[source])

        supervisor.start(report, source)

    for source in SOURCES:
        start_source(source)
    supervisor.start(compute, "writer")
    supervisor.start(liquidate, "liquidator")
