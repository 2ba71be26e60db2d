"""Trading as a plan has it: the order book, and who comes back when a step lets them in.

The services of a reopening are those of the scenarios: a writer whose marks follow the book and which publishes on the
chain itself, TP/SL orders that have waited, and a liquidator whose vault takes over what it closes. Beside them are a
trader who quotes far from the price, a seller who takes what there is, and market makers, who are back later.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from racewindow import Instance
from racewindow_models.book import Answer, Mode, Order, Quotes
from racewindow_models.exchange import Exchange
from racewindow_models.mark_writer import OTHER_VENUES, OWN_BOOK, SPOT_ORACLE, MarkWriter
from racewindow_models.oracle import OracleRound
from racewindow_models.plan import schema
from racewindow_models.plan.witnessing import PlannedWitness
from racewindow_models.reopening import Reopening, Timing
from racewindow_models.triggers import TRADING
from racewindow_models.units import SECOND_NS, MarketName
from racewindow_models.values import MarketState, MarketValues

NAMES = ("writer-of-marks", "tp-sl", "liquidator", "trader", "seller", "maker")
"""Of all who come back."""
PATIENT = ("tp-sl", "liquidator", "trader", "seller")
"""Of those who do nothing before anybody can trade."""
Life = Callable[[Instance], Awaitable[None]]


class PlannedMarkWriter(MarkWriter):
    """A writer of marks that belongs to the epoch of the chain in which it began."""

    began_in = 0

    def _advance(self, state: MarketState, answer: OracleRound, quotes: Quotes) -> MarketValues:
        values = super()._advance(state, answer, quotes)
        return replace(values, provenance=replace(values.provenance, made_in=self.began_in))


class PlannedTrading(Reopening):
    """The book of a plan, and who trades there."""

    make_writer = PlannedMarkWriter
    writer_name = NAMES[0]
    writer: PlannedMarkWriter

    def __init__(self, exchange: Exchange, table: schema.Book, mode: schema.Mode | None) -> None:
        self._exchange, self._table = exchange, table
        super().__init__(
            exchange.sim,
            exchange.window,
            exchange.safeguards,
            self._timing_at(0),
            chain=exchange.chain,
            network=exchange.network,
            oracle=exchange.oracle,
            witness=exchange.witness,
            mode=book_mode(mode),
            cloud=exchange.cloud,
            banded_triggers=table.banded_triggers,
        )

    def _timing_at(self, seconds: int) -> Timing:
        table = self._table
        return Timing(at=seconds, maker=table.makers_back, post_only=0, grace=table.grace, depth_percent=table.depth)

    def lives(self, began_in: int) -> dict[str, Life]:
        """What everybody does from now on, by name. `began_in`: the epoch of the chain."""
        self._timing = timing = self._timing_at(-(-self._sim.now_ns // SECOND_NS))
        self.writer.began_in = began_in
        settings, rounds = self._window.settings, self._table.rounds
        marks = timing.marks(settings, self._safeguards, rounds)
        first = (timing.at - settings.window_seconds) // settings.tick_seconds

        async def write(process: Instance) -> None:
            await self.writer.run(process, first, marks)

        async def watch(process: Instance) -> None:
            await self._triggers().run(process, rounds=rounds, tick_seconds=settings.tick_seconds)

        async def liquidate(process: Instance) -> None:
            end = timing.at + marks * settings.tick_seconds
            await self.liquidator(self._safeguards).run_at_reopening(
                process, self.writer.fresh.get, rounds=rounds, grace_seconds=timing.grace, end_seconds=end
            )

        people = (self.trade_in_the_thin_book, self.sell_aggressively, self.make_markets)
        return dict(zip(NAMES, (write, watch, liquidate, *map(_as_life, people)), strict=True))

    @property
    def is_on(self) -> bool:
        """Whether anybody can trade."""
        return self.book.mode in TRADING

    def _executed(self, market: MarketName, order: Order, answer: Answer) -> None:
        super()._executed(market, order, answer)
        is_banded = bool(answer.trades) or "outside" in answer.refusal
        if is_banded and not (order.triggered and not self._table.banded_triggers):
            self._tell_band(market)

    def _tell_band(self, market: MarketName) -> None:
        """Say what the band was centred on that the price of an order has just been held against."""
        assert isinstance(self._witness, PlannedWitness)
        if self.book.mode is Mode.POST_ONLY and self._safeguards.post_only_band:
            sources: tuple[str, ...] = (SPOT_ORACLE, OTHER_VENUES)
        else:
            sources = next(each.provenance.sources for each in self._chain.head.batch if each.market == market)
        self._witness.price_banded(market, OWN_BOOK, sources)


def _as_life(act: Callable[[], Awaitable[None]]) -> Life:
    async def life(process: Instance) -> None:
        process.ready()
        await act()

    return life


def book_mode(mode: schema.Mode | None) -> Mode:
    """A plan's mode as the book has it; without modes the markets are open."""
    return Mode.OPEN if mode is None else Mode[mode.upper()]
