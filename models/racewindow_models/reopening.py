"""The reopening of the markets: cancel-only, post-only, open; and who trades while the books are still empty.

The state is right again and the books are empty; only TP/SL orders have survived. Who comes back first is not known, so
whoever can come may come in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import trio

from racewindow import Instance, Network, Simulation, Supervisor, until
from racewindow_models.book import Answer, Mode, Order, OrderBook, Quotes
from racewindow_models.chain import Chain
from racewindow_models.clearing import Clearing, flat
from racewindow_models.cloud import CloudStore
from racewindow_models.cross import AnyAccount
from racewindow_models.epochs import LATER_WRITER
from racewindow_models.ledger import Ledger
from racewindow_models.mark_writer import MarkWriter
from racewindow_models.market_witness import MarketWitness
from racewindow_models.oracle import SpotOracle
from racewindow_models.safeguards import Safeguards
from racewindow_models.settings import Settings
from racewindow_models.triggers import TRADING, Conditional, Triggers
from racewindow_models.units import E8, AccountName, MarketName, PriceE8, SizeE8, TimeNs, UsdtE8, nanoseconds
from racewindow_models.vault_liquidator import VaultLiquidator
from racewindow_models.window import Window
from racewindow_models.witness import Witness

TRADER, SELLER, MAKER, HOLDER = (AccountName(name) for name in ("trader", "seller", "maker", "holder"))
STOCK_E8 = UsdtE8(1_000_000 * E8)
"""The collateral of those who trade; illustrative, and enough for all that they do here."""
SHARE = 10
"""What is sold in the thin book is this part of a position; the bid there is as large as a position. Illustrative."""
STOP_PART = 1_000
"""Stop-loss and take-profit are this part of the price away from it: 10 bps. Illustrative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The plan of a reopening, in seconds of virtual time, and how far off the bid is that rests in a thin book.

    at: when it begins. maker: how long after that market makers are back. post_only: how long the post-only mode lasts.
    grace: of `liquidation_grace`. depth_percent: how far below the fair price the trader's bid rests.
    """

    at: int
    maker: int
    post_only: int
    grace: int
    depth_percent: int

    def marks(self, settings: Settings, safeguards: Safeguards, rounds: int) -> int:
        """How many marks the writer publishes: until a liquidator that may have to wait has looked so many rounds."""
        grace = self.grace if safeguards.liquidation_grace else 0
        freshening = self.maker + settings.max_age_seconds if safeguards.liquidation_after_fresh else 0
        wait = max(grace, freshening, self.maker)
        return wait // settings.tick_seconds + rounds + 2


class Reopening:
    """The services and the people of a reopening, on a chain that holds true values.

    `mode`: of the markets before. `vault_e8`: the capital of the vault in each market. `cloud`: a second sink for the
    marks. `epoch`: the chain's; with one given, what happens to accounts goes into a ledger.
    """

    make_writer: type[MarkWriter] = MarkWriter
    writer_name = LATER_WRITER

    def __init__(
        self,
        sim: Simulation,
        window: Window,
        safeguards: Safeguards,
        timing: Timing,
        *,
        chain: Chain,
        network: Network,
        oracle: SpotOracle,
        witness: Witness,
        mode: Mode = Mode.HALTED,
        vault_e8: UsdtE8 = STOCK_E8,
        banded_triggers: bool = False,
        cloud: CloudStore | None = None,
        epoch: Callable[[], int] | None = None,
    ) -> None:
        self._sim, self._window, self._safeguards, self._timing = sim, window, safeguards, timing
        self._chain, self._network, self._oracle, self._witness = chain, network, oracle, witness
        band = "post_only_band" if safeguards.post_only_band else "price bands"
        self._exempt = ("the rule for takers", *(() if banded_triggers else (band,)))
        self.market_witness = MarketWitness(sim)
        self.thin_market = window.markets[0]
        self.clearing = Clearing(self._accounts(), vault_e8)
        self.book = OrderBook(
            mode,
            mark_e8=self.mark_e8,
            fair_e8=self.fair_e8,
            executed=self._executed,
            post_only_band=safeguards.post_only_band,
            banded_triggers=banded_triggers,
        )
        self._cloud = cloud
        self.writer = self._writer(self.writer_name)
        self.ledger = (
            None if epoch is None else Ledger(fair_e8=self.fair_e8, now_ns=lambda: witness.now_ns, epoch=epoch)
        )

    # --- what the book and the clearing have to know ----------------------------------------------------------------

    def mark_e8(self, market: MarketName) -> PriceE8:
        """The mark price of a market on the chain."""
        return next(values.mark_price_e8 for values in self._chain.head.batch if values.market == market)

    def fair_e8(self, market: MarketName) -> PriceE8:
        """The external fair price of a market at this moment."""
        return self.writer.external_fair_price_e8(market, self._witness.now_ns)

    def _executed(self, market: MarketName, order: Order, answer: Answer) -> None:
        """The clearing books every trade in the step in which it happens."""
        fair_e8 = self.fair_e8(market)
        exempt = self._exempt if order.triggered else ()
        self.market_witness.answered(market, order, answer, fair_e8=fair_e8, exempt=exempt)
        index_e8 = next(each.funding_index_e8 for each in self._chain.head.batch if each.market == market)
        for trade in answer.trades:
            change = self.clearing.trade(trade.buyer, trade.seller, trade.size_e8, trade.price_e8, index_e8)
            self.market_witness.changed(change)
            if order.triggered and self.ledger is not None:
                self.ledger.triggered(trade, change)

    def _accounts(self) -> list[AnyAccount]:
        """The accounts of the window, and those who trade: makers in every market, the others in the thin one."""
        window, market = self._window, self.thin_market
        first = window.accounts[0]
        holder = replace(first, name=HOLDER, size_e8=self._share_e8(), collateral_e8=STOCK_E8)
        makers = [flat(maker_of(each), each, STOCK_E8) for each in window.markets]
        traders = [holder, flat(TRADER, market, STOCK_E8), flat(SELLER, market, STOCK_E8), *makers]
        return [*window.accounts, *window.cross_accounts, *traders]

    def _share_e8(self) -> SizeE8:
        return SizeE8(max(E8, abs(self._window.accounts[0].size_e8) // SHARE // E8 * E8))

    def _whole_e8(self) -> SizeE8:
        return SizeE8(SHARE * self._share_e8())

    # --- services ---------------------------------------------------------------------------------------------------

    def _writer(self, instance: str) -> MarkWriter:
        return self.make_writer(
            instance,
            self._window.states,
            oracle=self._oracle,
            book=self.book,
            chain=self._chain,
            network=self._network,
            safeguards=self._safeguards,
            settings=self._window.settings,
            witness=self._witness,
            market_witness=self.market_witness,
            cloud=self._cloud,
        )

    def start(self, supervisor: Supervisor, *, rounds: int) -> None:
        """Start writer, TP/SL and liquidator; the last two look in so many `rounds`."""
        timing, settings = self._timing, self._window.settings
        first, marks = (
            (timing.at - settings.window_seconds) // settings.tick_seconds,
            timing.marks(settings, self._safeguards, rounds),
        )
        end = timing.at + marks * settings.tick_seconds

        async def write(process: Instance) -> None:
            await self.writer.run(process, first, marks)

        async def watch(process: Instance) -> None:
            await self._triggers().run(process, rounds=rounds, tick_seconds=settings.tick_seconds)

        async def liquidate(process: Instance) -> None:
            await self.liquidator(self._safeguards).run_at_reopening(
                process, self.writer.fresh.get, rounds=rounds, grace_seconds=timing.grace, end_seconds=end
            )

        supervisor.start(write, self.writer.instance)
        supervisor.start(watch, "tp-sl")
        supervisor.start(liquidate, "liquidator")

    def liquidator(self, safeguards: Safeguards) -> VaultLiquidator:
        """A liquidator of the accounts."""
        return VaultLiquidator(
            self.clearing,
            chain=self._chain,
            book=self.book,
            safeguards=safeguards,
            witness=self._witness,
            market_witness=self.market_witness,
            settings=self._window.settings,
            ledger=self.ledger,
        )

    def _triggers(self) -> Triggers:
        """One position in the thin market, to be closed if the price leaves the one at which trading was halted."""
        halted_e8 = self._window.truth[self.thin_market].mark_price_e8(TimeNs(0))
        away_e8 = abs(halted_e8) // STOP_PART
        waiting = Conditional(
            HOLDER, self.thin_market, self._share_e8(), PriceE8(halted_e8 - away_e8), PriceE8(halted_e8 + away_e8)
        )
        return Triggers([waiting], book=self.book, chain=self._chain, network=self._network)

    # --- people -----------------------------------------------------------------------------------------------------

    async def trade_in_the_thin_book(self) -> None:
        """A trader quotes both sides as soon as it can: a sell near the fair price, and a bid far below it."""
        await until(lambda: self.book.mode in TRADING)
        fair_e8 = self.fair_e8(self.thin_market)
        far_e8 = PriceE8(fair_e8 - abs(fair_e8) * self._timing.depth_percent // 100)
        await self.place(self.thin_market, Order(TRADER, False, self._whole_e8(), fair_e8))  # noqa: FBT003
        await self.place(self.thin_market, Order(TRADER, True, self._whole_e8(), far_e8))  # noqa: FBT003

    async def sell_aggressively(self) -> None:
        """A seller who takes any bid; the gateway admits the order if it would rest, and the book gets it later."""
        await until(lambda: self.book.mode in TRADING)
        market, fair_e8 = self.thin_market, self.fair_e8(self.thin_market)
        limit_e8 = PriceE8(fair_e8 - abs(fair_e8) * self._timing.depth_percent // 100)
        order = Order(SELLER, False, self._share_e8(), limit_e8)  # noqa: FBT003
        if not await self._network.call(self.book.name, self.book.would_take, market, order):
            await self.place(market, replace(order, admitted=True))

    async def make_markets(self) -> None:
        """Market makers come back."""
        await trio.sleep_until(self._timing.at + self._timing.maker)
        await self.quote()

    async def quote(self) -> None:
        """Market makers quote both sides of every market around the fair price."""
        for market in self._window.markets:
            fair_e8 = self.fair_e8(market)
            away_e8 = abs(fair_e8) // 2_000
            for buying, price_e8 in ((True, fair_e8 - away_e8), (False, fair_e8 + away_e8)):
                order = Order(maker_of(market), buying, self._whole_e8(), PriceE8(price_e8))
                answer = await self.place(market, order)
                if answer.refusal:
                    await self._quote_inside(market, order, away_e8)

    async def _quote_inside(self, market: MarketName, order: Order, away_e8: int) -> None:
        """Quote as close to the other side of the book as rests, where the fair price is beyond it."""
        shown: Quotes = (await self._network.call(self.book.name, self.book.quotes, (market,)))[0]
        best_e8 = shown.ask_e8 if order.buying else shown.bid_e8
        if best_e8 is not None:
            limit_e8 = PriceE8(best_e8 - away_e8 if order.buying else best_e8 + away_e8)
            await self.place(market, replace(order, limit_e8=limit_e8))

    async def place(self, market: MarketName, order: Order) -> Answer:
        """Send an order to the book."""
        answer: Answer = await self._network.call(self.book.name, self.book.place, market, order)
        return answer

    # --- steps of runbooks ------------------------------------------------------------------------------------------

    async def change_mode(self, mode: Mode) -> None:
        """Change what the markets admit."""
        await trio.lowlevel.checkpoint()
        before = self.book.mode
        self.book.change_mode(mode)
        self.market_witness.mode_changed(before, mode)

    async def let_the_time_come(self) -> None:
        """Wait until the reopening is to begin, and true values of that time have been published."""
        at_ns = nanoseconds(self._timing.at)
        await until(lambda: self._chain.head.time_ns >= at_ns)

    async def cancel_only(self) -> None:
        """Orders can be cancelled, and not placed."""
        await self.change_mode(Mode.CANCEL_ONLY)

    async def post_only(self) -> None:
        """Orders may rest, and not take."""
        await self.change_mode(Mode.POST_ONLY)

    async def open_fully(self) -> None:
        """After the post-only phase, every order is admitted."""
        await trio.sleep(self._timing.post_only)
        await self.change_mode(Mode.OPEN)


def maker_of(market: MarketName) -> AccountName:
    """The market makers' account in a market."""
    return AccountName(f"{MAKER}-{market}")
