"""Synthetix, 2019-06-25: one of three price sources is silent, and the average of a good and a bad one is published.

What happened [C, confirmed by the operator]
    One source for the Korean won was silently down. Another one began to give a price 1,000 times too high. With two
    sources left nothing tells the outlier from the other, and their average was published. It was traded against: a
    paper profit of more than 1 billion dollars, 37 million sETH. The trades were reversed for a bounty.

What is modelled here
    source-1:  answer 1 ; source-2: answer 1000
    aggregator:  r(answers) -> 1, 1000 ; publish 500.5          # bounded_delta
    | source-3:  answer 1                                       # too late: it would have been the median
    bot:         trade at 500.5                                 # trades_at_true_price

    Of three or more answers the median is published, of two the average. source-3 is slow: its answer and the end of a
    round come in the same instant. `--fault crash:target=source-*` is a source that is down, as it was in fact.

What closes what (expected verdicts, held by the tests)
    `min_sources`: with fewer than three answers the market is halted until there are three again. Not `require_ready`:
    at the start of the aggregator every source had answered.

Controls: `wrong_factor=1`, no source is wrong; `move_percent=-16`, the market truly falls. Both stay silent.

Illustrative numbers: three sources, a round of 60 s, a bound of 10% on moves that no second source confirms.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Awaitable, Callable

import trio

import racewindow
from racewindow import Cell, Instance, Network, Supervisor, TrackedDict
from racewindow_faults.network import Delay, Drop
from racewindow_faults.process import Crash
from racewindow_models.checkers_valuation import bounded_delta, near, trades_at_true_price
from racewindow_models.expected import Expected
from racewindow_models.showing_prices import TRADED
from racewindow_models.sizes import at_least
from racewindow_models.telling import listed, told
from racewindow_models.units import text_e8

SYNTHETIX_MIN_SOURCES = {
    "min_sources": "with fewer than three answers the market is halted, until there are three again",
    "require_ready": "the aggregator publishes nothing until each source has answered once",
}

EXPECTED = Expected(
    ident="S-SYN-1",
    violates=("bounded_delta", "trades_at_true_price"),
    closed_by=(("min_sources",),),
    not_closed_by=(("require_ready",),),
    constraints=1,
)

ROUND_SECONDS, ENOUGH, BOUND_PERCENT, OPENING_E8 = 60, 3, 10, 86_000
MARKET, WRONG = "KRW", "source-2"


class Oracle:
    """The answers of the sources in each round, what is published, and whether the market is open."""

    def __init__(self, sim: racewindow.Simulation, sources: int, true_e8: Callable[[int], int]) -> None:
        self._sim, self._true_e8 = sim, true_e8
        self.sources = [f"source-{number}" for number in range(1, sources + 1)]
        self._answers: TrackedDict[tuple[int, str], int] = TrackedDict(name="answers")
        self._published = Cell(OPENING_E8, name="published")
        self._is_halted = Cell(False, name="halted")  # noqa: FBT003

    async def answer(self, number: int, source: str, price_e8: int) -> None:
        """Take the answer of a source in a round."""
        self._answers[number, source] = price_e8
        self._sim.emit("source.answered", source=source, price=text_e8(price_e8))

    async def publish(self, number: int) -> None:
        """Publish the price of a round from the answers that are there: the median, of two the average."""
        answers = {source: self._answers[number, source] for source in self._answered(number)}
        missing = [source for source in self.sources if source not in answers]
        if self._sim.safeguard("min_sources"):
            self._halt(is_wanted=len(answers) < ENOUGH)
        answered = {source for earlier in range(1, number + 1) for source in self._answered(earlier)}
        is_ready = len(answered) == len(self.sources) or not self._sim.safeguard("require_ready")
        if not answers or self._is_halted.get() or not is_ready:
            self._sim.emit("nothing.published", missing=listed(missing))
            return
        price_e8, before_e8 = int(statistics.median(answers.values())), self._published.get()
        self._published.set(price_e8)
        self._sim.emit(
            "price.published",
            by="the aggregator",
            market=MARKET,
            price_e8=price_e8,
            before_e8=before_e8,
            bound_percent=BOUND_PERCENT,
            sources=tuple(name for name, each_e8 in answers.items() if near(each_e8, price_e8, BOUND_PERCENT)),
            price=text_e8(price_e8),
            count=len(answers),
        )

    def _halt(self, *, is_wanted: bool) -> None:
        if self._is_halted.get() != is_wanted:
            self._is_halted.set(is_wanted)
            self._sim.emit("market.halted" if is_wanted else "market.reopened")

    async def trade(self, number: int, account: str) -> None:
        """Trade at the published price, unless the market is halted."""
        if self._is_halted.get():
            self._sim.emit("trade.refused", account=account)
            return
        price_e8 = self._published.get()
        self._sim.emit(
            "trade.made",
            account=account,
            market=MARKET,
            price_e8=price_e8,
            true_e8=self._true_e8(number),
            bound_percent=BOUND_PERCENT,
            price=text_e8(price_e8),
        )

    def _answered(self, number: int) -> list[str]:
        return [source for source in self.sources if (number, source) in self._answers]


@racewindow.scenario(
    safeguards=SYNTHETIX_MIN_SOURCES,
    checks=(bounded_delta, trades_at_true_price),
    faults=(Crash(target="source-*"), Drop(target="source-*"), Delay(target="source-*", seconds=30)),
    display=TRADED,
    narrate=told(
        {
            "source.answered": "{source} gives {price}",
            "price.published": "the aggregator publishes {price}, from {count} answers",
            "nothing.published": "nothing is published: there is no answer of {missing}",
            "market.halted": "the market is halted: there are not enough answers",
            "market.reopened": "the market is open again",
            "trade.made": "{account} trades at {price}",
            "trade.refused": "{account} cannot trade: the market is halted",
        }
    ),
    incident="2019-06-25, Synthetix",
)
async def synthetix_min_sources(
    sim: racewindow.Simulation, *, sources: int = 3, rounds: int = 2, wrong_factor: int = 1_000, move_percent: int = 0
) -> None:
    """One price source is silent, another one is wrong, and the average of the two that are left is published.

    sources: of which the last one is slow. rounds: of 60 s. wrong_factor: by how much the second source is too high, in
    the last round; 1 is right. move_percent: by which the true price moves in the last round.
    """
    at_least(3, sources=sources)
    at_least(1, rounds=rounds, wrong_factor=wrong_factor)
    at_least(-99, move_percent=move_percent)

    def true_e8(number: int) -> int:
        return OPENING_E8 * (100 + move_percent) // 100 if number == rounds else OPENING_E8

    supervisor, network = Supervisor(sim.spawn), Network(sim.spawn, timeout_seconds=ROUND_SECONDS)
    oracle = Oracle(sim, sources, true_e8)

    def source(name: str) -> Callable[[Instance], Awaitable[None]]:
        async def run(process: Instance) -> None:
            process.ready()
            for number in range(1, rounds + 1):
                await trio.sleep_until(number * ROUND_SECONDS - (0 if name == oracle.sources[-1] else 1))
                factor = wrong_factor if name == WRONG and number == rounds else 1
                with contextlib.suppress(racewindow.CallError):  # nobody notices: the source is silently down
                    await network.call("oracle", oracle.answer, number, name, true_e8(number) * factor)

        return run

    async def aggregate(process: Instance) -> None:
        process.ready()
        for number in range(1, rounds + 1):
            await trio.sleep_until(number * ROUND_SECONDS)
            await network.call("oracle", oracle.publish, number)

    async def trade(process: Instance) -> None:
        process.ready()
        for number in range(1, rounds + 1):
            await trio.sleep_until(number * ROUND_SECONDS + 1)
            await network.call("oracle", oracle.trade, number, "bot")

    for name in oracle.sources:
        supervisor.start(source(name), name)
    supervisor.start(aggregate, "aggregator")
    supervisor.start(trade, "bot")
