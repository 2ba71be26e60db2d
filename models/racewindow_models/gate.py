"""The gate at the end of a halt: the operator asks the validator, and leaves the halt only if it has passed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from racewindow import Cell, Network
from racewindow_models.book import Mode
from racewindow_models.chain import Chain
from racewindow_models.cloud import CloudStore
from racewindow_models.market_witness import MarketWitness
from racewindow_models.units import TimeNs
from racewindow_models.validator import Report, Validator


class Gate:
    """Validations of one halt, and how it is left."""

    def __init__(
        self, validator: Validator, *, chain: Chain, cloud: CloudStore, network: Network, witness: MarketWitness
    ) -> None:
        self._validator, self._chain, self._cloud = validator, chain, cloud
        self._network, self._witness = network, witness
        self._reports: Cell[tuple[Report, ...]] = Cell((), name="gate.reports")

    async def passed(self, validator: Validator | None = None) -> bool:
        """Ask the validator, or another one; whether it has found nothing wrong."""
        asked = validator or self._validator
        report: Report = await self._network.call(asked.name, asked.check)
        self._reports.set((*self._reports.get(), report))
        self._witness.validated(report)
        return report.passed

    async def leave_the_halt(self, change_mode: Callable[[Mode], Awaitable[None]], mode: Mode) -> None:
        """Let the markets trade again, by the newest block, of which the reports that passed are proof."""
        await trio.lowlevel.checkpoint()
        self.tell_how_it_is_left()
        await change_mode(mode)

    def tell_how_it_is_left(self) -> None:
        """Say by which block the halt is left in this step, and which reports are proof."""
        block = self._chain.head
        passed = tuple(each for each in self._reports.get() if each.passed and each.block.height == block.height)
        self._witness.halt_left(block, passed)

    @property
    def is_outdated(self) -> bool:
        """Whether there is a newer block than the one that the last validation was about."""
        reports = self._reports.get()
        return bool(reports) and reports[-1].block != self._chain.head

    def is_in_both_sinks(self, since_ns: TimeNs) -> bool:
        """Whether the newest block was made at a time or later, and the cloud store has it too."""
        block = self._chain.head
        return block.time_ns >= since_ns and self._cloud.batch(block.height) is not None
