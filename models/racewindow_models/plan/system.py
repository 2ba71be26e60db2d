"""The plan system `exchange`: it checks a plan of the exchange and makes a scenario of it.

Nothing in the scenario is scripted: its function puts the services together and lets the people of the runbook begin.
What goes wrong then goes wrong because services and people race.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import racewindow
from racewindow import Checker, Parameter, Plan, PlanFile, Scenario, Simulation, parse_fault
from racewindow_models.feed import Feed, load
from racewindow_models.plan.carrying import Carrying
from racewindow_models.plan.checks import checker_of
from racewindow_models.plan.problems import mistakes_of
from racewindow_models.plan.references import feed_path, mistakes_in
from racewindow_models.plan.schema import ExchangePlan
from racewindow_models.plan.services import PlannedExchange
from racewindow_models.plan.telling import tell
from racewindow_models.plan.timeline import notes_of, rows_of
from racewindow_models.safeguards import SAFEGUARDS, Safeguards
from racewindow_models.showing import WINDOW
from racewindow_models.window import prepare


class ExchangePlans:
    """What reads plans about the services of the exchange."""

    @property
    def template(self) -> str:
        """A commented plan that passes its own check and can be explored as it is."""
        return (files("racewindow_models") / "plan" / "template.toml").read_text(encoding="utf-8")

    def load(self, file: PlanFile) -> Plan:
        """The plan in a file. Raises InputError with every mistake that is in it."""
        plan = read(file)
        return Plan(scenario_of(plan, file), rows_of(plan), notes_of(plan))


EXCHANGE = ExchangePlans()


def read(file: PlanFile) -> ExchangePlan:
    """What a file says, checked: first each key by itself, then what refers to each other."""
    from pydantic import ValidationError

    try:
        plan = ExchangePlan.model_validate(dict(file.data))
    except ValidationError as error:
        raise file.refuse(mistakes_of(error, file.data)) from None
    mistakes = mistakes_in(plan, file.folder)
    if mistakes:
        raise file.refuse(mistakes)
    return plan


def scenario_of(plan: ExchangePlan, file: PlanFile) -> Scenario:
    """The scenario that runs a plan."""
    known = {name: SAFEGUARDS[name] for name in plan.safeguards}

    async def window(sim: Simulation, **params: Any) -> None:
        safeguards = Safeguards.of(sim, known)
        on = {name for name in plan.safeguards if sim.safeguard(name)}
        steps = [s for s in plan.runbook if s.only_with in (None, *on) and (s.not_with is None or s.not_with not in on)]
        exchange = PlannedExchange(sim, prepare(sim.feed, params), safeguards, plan)
        exchange.begin()
        Carrying(exchange, steps).begin()

    def feed(path: str | None = None, *, allow_negative_prices: bool = False) -> Feed:
        negative = allow_negative_prices or plan.feed.allow_negative_prices
        return load(path or feed_path(plan, file.folder), allow_negative_prices=negative)

    return Scenario(
        function=window,
        name=plan.name or file.stem,
        summary=plan.summary,
        safeguards=known,
        safeguards_on=tuple(name for name, on in plan.safeguards.items() if on),
        checks=tuple(_checks(plan)),
        faults=tuple(parse_fault(text) for text in plan.faults.kinds),
        fault_budget=plan.faults.budget,
        parameters=tuple(Parameter(name, int, value) for name, value in _sizes(plan).items()),
        feed_loader=feed,
        narrate=tell,
        display=WINDOW,
        incident=plan.incident,
        source=file.text,
    )


def _checks(plan: ExchangePlan) -> list[Checker]:
    """What judges it, in the order of the plan."""
    return [checker_of(name, how, plan) for name, how in plan.checks.items() if how]


def _sizes(plan: ExchangePlan) -> dict[str, int]:
    """The parameters of the scenario, as `Settings` has them: what `--set` changes, and shrinking makes small."""
    sizes = plan.exchange
    return {
        "markets": sizes.markets,
        "accounts": sizes.accounts,
        "ticks": sizes.ticks,
        "batches": sizes.batches,
        "tick_seconds": plan.feed.tick,
        "window_seconds": sizes.first_round,
        "max_age_seconds": sizes.max_age,
        "opening_index_percent": sizes.opening_index,
        "basis_bps": sizes.basis,
        "cross": sizes.cross,
    }


_SYSTEM: racewindow.PlanSystem = EXCHANGE
"""Held by the type checker: it is one."""
