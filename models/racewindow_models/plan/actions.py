"""What each kind of step does to the exchange, and what undoes it."""

from __future__ import annotations

from collections.abc import Sequence

import trio

import racewindow
from racewindow import until
from racewindow_models.plan.schema import (
    BringBack,
    Compare,
    CopyRows,
    Drain,
    Drop,
    Mode,
    Restore,
    SetMode,
    Start,
    StepBase,
    Stop,
    Switch,
    TakeSnapshot,
    Validate,
    Wait,
    WriteBoth,
)
from racewindow_models.plan.services import PlannedExchange
from racewindow_models.plan.trading import NAMES
from racewindow_models.plan.validating import HALTED
from racewindow_models.units import MarketName, TimeNs, to_trio_seconds


class Actions:
    """The steps of a plan on one exchange."""

    def __init__(self, exchange: PlannedExchange) -> None:
        self._exchange, self._plan = exchange, exchange.plan
        self._modes_before: dict[str, Mode | None] = {}
        validates = any(isinstance(step, Validate) for step in self._plan.runbook)
        self._looks_at_exits = validates or bool(self._plan.checks.get("validate_before_exit"))
        """To look is an access, which makes orders differ: only where somebody wants to know."""

    async def do(self, step: StepBase) -> bool:
        """Do a step; False if it has found that the runbook must not go on.

        What it takes passes before it has an effect; a copy's is spread evenly over its batches.
        """
        exchange, takes = self._exchange, TimeNs(racewindow.choose(step.takes))
        if isinstance(step, CopyRows):
            await self._copy(step, takes)
            return True
        await _pass(takes)
        match step:
            case Stop():
                for name in step.instances:
                    if exchange.is_up(name) and name in exchange.service.instances:
                        exchange.witness.maintenance_started(name)
                    await exchange.stop(name)
            case Start():
                for name in step.instances:
                    exchange.start(name)
            case WriteBoth():
                exchange.routing.write_both(both=True)
            case Switch():
                exchange.switch(exchange.target)
            case Drop():
                exchange.routing.write_both(both=False)
                exchange.source.drop()
            case Compare():
                await until(lambda: exchange.target.holds(exchange.markets))
            case Drain():
                await exchange.drain_writes()
            case SetMode():
                self._modes_before[step.step] = exchange.mode.get()
                return await self._set_mode(step.mode)
            case Validate():
                return await exchange.validating.validate(step)
            case BringBack():
                exchange.bring_back()
            case TakeSnapshot() | Restore():
                await self._go_back(step)
            case _:
                assert isinstance(step, Wait), step
        return True

    async def _go_back(self, step: TakeSnapshot | Restore) -> None:
        assert self._exchange.restoring is not None, "the plan has such a step"
        if isinstance(step, Restore):
            await self._exchange.restoring.restore(step.parts)
        else:
            self._exchange.restoring.take()

    async def undo(self, step: StepBase) -> None:
        """Undo a step that was done, or begun. What was copied or restored stays; what is dropped cannot come back."""
        exchange = self._exchange
        match step:
            case Stop():
                for name in step.instances:
                    exchange.start(name)
            case Start():
                for name in step.instances:
                    await exchange.stop(name)
            case WriteBoth():
                exchange.routing.write_both(both=False)
            case Switch():
                exchange.switch(exchange.source)
            case BringBack():
                for name in NAMES:
                    await exchange.stop(name)
            case SetMode() if step.step in self._modes_before:
                await self._set_mode(self._modes_before[step.step])

    async def _set_mode(self, mode: Mode | None) -> bool:
        """Set the mode, also to leave a halt; False if that must not be, by what is validated again."""
        leaves = self._exchange.mode.get() in HALTED and mode not in HALTED
        if leaves and self._looks_at_exits and not await self._exchange.validating.may_leave():
            return False
        self._exchange.set_mode(mode)
        return True

    # --- copying ----------------------------------------------------------------------------------------------------

    async def _copy(self, step: CopyRows, takes: TimeNs) -> None:
        markets = [MarketName(each) for each in step.markets or self._exchange.markets]
        how, size = self._plan.database.copy_in, self._plan.database.batch
        size = {"one transaction each": 1, "one transaction": len(markets), "read, then write": size}[how]
        batches = [markets[start : start + size] for start in range(0, len(markets), size)]
        for number, batch in enumerate(batches):
            await _pass(TimeNs(takes * (number + 1) // len(batches) - takes * number // len(batches)))
            await self._copy_batch(batch)
        exchange = self._exchange
        exchange.witness.rows_copied(tuple(markets), exchange.source.name, exchange.target.name)

    async def _copy_batch(self, markets: Sequence[MarketName]) -> None:
        exchange = self._exchange
        call, source, target = exchange.network.call_until_answered, exchange.source, exchange.target
        if self._plan.database.copy_in == "read, then write":
            rows = await call(source.name, source.read_rows, markets)
            await call(target.name, target.write_rows, rows)
        else:
            await call(source.name, source.copy_rows, markets, target)


async def _pass(time_ns: TimeNs) -> None:
    if time_ns:
        await trio.sleep(to_trio_seconds(time_ns))
