"""Scenarios for the tests, put together from the same services as `paradex`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import racewindow
from racewindow import Event, History, Judgement, Verdict, Violation
from racewindow_models.database import Routing
from racewindow_models.feed import Feed, load
from racewindow_models.scenarios.paradex import CHECKS, PARADEX, run_window
from racewindow_models.units import E8
from racewindow_models.window import Window, prepare
from racewindow_models.writer import MarketDataWriter


class ReadyAtStart(MarketDataWriter):
    """A writer that calls itself ready when its process starts, not when its state is loaded."""

    async def load(self, process: racewindow.Instance, routing: Routing) -> None:
        self.ready.set(True)
        await super().load(process, routing)


@racewindow.scenario(safeguards=PARADEX, checks=CHECKS, feed=load)
async def ready_at_start(sim: racewindow.Simulation) -> None:
    """`paradex` with a readiness that comes too early."""
    run_window(sim, {}, ReadyAtStart)


# --- an independent judgement of every execution ----------------------------------------------------------------------


def naive_truth(feed: Feed, number: int, seconds: Fraction, params: dict[str, Any]) -> tuple[int, int]:
    """Mark price and funding index of a market, recomputed from the recording tick by tick."""
    prices, rates = feed.market(number).prices_e8, feed.funding_rates_e8
    tick = params["tick_seconds"]
    premium, row = Fraction(0), 0
    while row * tick < seconds:
        length = min(Fraction(tick), seconds - row * tick)
        premium += Fraction(prices[min(row, len(prices) - 1)] * rates[min(row, len(rates) - 1)], E8) * length
        row += 1
    spot = prices[min(int(seconds // tick), len(prices) - 1)]
    opening = prices[0] * params["opening_index_percent"] // 100
    return int(spot * (10_000 + params["basis_bps"]) // 10_000), opening + int(premium / (8 * 3_600) // 1)


def naive_findings(history: History) -> set[tuple[str, str, str]]:
    """(checker, class, market) of everything that is wrong on the chain, by first principles."""
    window: Window = prepare(history.feed, history.params)
    params = {**{n: getattr(window.settings, n) for n in ("tick_seconds", "opening_index_percent", "basis_bps")}}
    found = set()
    for event in history.events:
        if event.kind != "chain.block":
            continue
        batch = event.data["block"].batch
        for number, values in enumerate(batch):
            source = Fraction(values.source_ts_ns, 10**9)
            true = naive_truth(history.feed, number, source, params)
            for amount, expected in zip((values.mark_price_e8, values.funding_index_e8), true, strict=True):
                if amount != expected:
                    class_ = "default" if amount == 0 else "corrupt"
                    found.add(("ready_before_write", class_, values.market))
                elif Fraction(event.time_ns, 10**9) - source > window.settings.max_age_seconds:
                    found.add(("no_unknown_age", "stale", values.market))
        generations = [values.generation for values in batch]
        if len(set(generations)) > 1:
            found.add(("no_mixed_generations", "torn", batch[generations.index(min(generations))].market))
    return found


def shuffled(events: Sequence[Event], seed: int) -> tuple[Event, ...]:
    """The events in another order; those of one task stay in theirs."""
    by_task: dict[str, list[Event]] = {}
    for event in events:
        by_task.setdefault(event.task, []).append(event)
    order = [event.task for event in events]
    random.Random(seed).shuffle(order)
    return tuple(by_task[task].pop(0) for task in order)


@racewindow.checker("checkers_are_exact")
def checkers_are_exact(history: History) -> Verdict:
    """The checkers find what first principles find, no more and no less, whatever the order of independent events."""
    verdicts = {each.name: each.check(history) for each in CHECKS}
    compared = ("ready_before_write", "no_unknown_age", "no_mixed_generations")
    found = {(name, v.class_, v.subject) for name in compared for v in verdicts[name].violations}
    problems = []
    if found != naive_findings(history):
        problems.append(f"found {sorted(map(str, found))}, wrong is {sorted(naive_findings(history))}")
    problems += [f"{name} cannot tell" for name, v in verdicts.items() if v.judgement is Judgement.UNKNOWN]
    other = History(shuffled(history.events, len(history.events)), history.params, feed=history.feed)
    problems += [f"{each.name} depends on the order" for each in CHECKS if each.check(other) != verdicts[each.name]]
    return Verdict.violated([Violation(None, "checkers", problem) for problem in problems])


@racewindow.scenario(safeguards=PARADEX, checks=[checkers_are_exact], feed=load)
async def judged(sim: racewindow.Simulation, *, markets: int = 2, ticks: int = 2, batches: int = 2) -> None:
    """`paradex`, whose checkers are themselves checked."""
    run_window(sim, {"markets": markets, "ticks": ticks, "batches": batches})
