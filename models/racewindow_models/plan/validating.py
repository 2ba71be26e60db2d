"""Validations of a plan, and how a halt is left: by the newest block, with what was validated as proof or without."""

from __future__ import annotations

from dataclasses import replace

import trio

from racewindow import Cell, until
from racewindow_models.exchange import Exchange
from racewindow_models.gate import Gate
from racewindow_models.mark_writer import OTHER_VENUES
from racewindow_models.market_witness import MarketWitness
from racewindow_models.plan.schema import Mode, Source, Validate
from racewindow_models.units import MarketName, PriceE8, TimeNs
from racewindow_models.validator import Reference, Validator

HALTED: tuple[Mode, ...] = ("halted", "cancel_only")
"""Modes in which nobody trades."""


class Validating:
    """The validators of one execution, and the gate at the end of its halts."""

    def __init__(self, exchange: Exchange) -> None:
        self._safeguards = exchange.safeguards
        self._validators = {source: _validator(exchange, source) for source in ("cloud", "state before")}
        self._newest: Cell[Source | None] = Cell(None, name="validated.against")
        self._gate = Gate(
            self._validators["cloud"],
            chain=exchange.chain,
            cloud=exchange.cloud,
            network=exchange.network,
            witness=MarketWitness(exchange.sim),
        )

    async def validate(self, step: Validate) -> bool:
        """Validate the newest block; whether nothing is wrong with it."""
        if step.block_since is not None:
            since_ns = TimeNs(step.block_since)
            await until(lambda: self._gate.is_in_both_sinks(since_ns))
        self._newest.set(step.against)
        return await self._gate.passed(self._validators[step.against])

    async def may_leave(self) -> bool:
        """Come to the step in which a halt is left; False if what was validated is out of date, and is rejected now.

        It is looked at again only with `re_evaluate`, and then in that step.
        """
        await trio.lowlevel.checkpoint()
        while self._safeguards.re_evaluate and self._gate.is_outdated:
            source = self._newest.get()
            assert source is not None, "something has been validated"
            if not await self._gate.passed(self._validators[source]):
                return False
            await trio.lowlevel.checkpoint()
        self._gate.tell_how_it_is_left()
        return True


def _validator(exchange: Exchange, source: str) -> Validator:
    """A validator that holds a block against one source; with `independent_validation` always the state before."""

    def elsewhere_e8(market: MarketName) -> PriceE8:
        return exchange.oracle.price_e8(market, exchange.witness.now_ns)

    on = exchange.safeguards.independent_validation or source == "state before"
    return Validator(
        before=exchange.window.block,
        chain=exchange.chain,
        cloud=exchange.cloud,
        reference=Reference(elsewhere_e8, frozenset({OTHER_VENUES})),
        safeguards=replace(exchange.safeguards, independent_validation=on),
    )
