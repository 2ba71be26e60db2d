"""Faults of operators: the person or script that carries out the runbook does not do what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import trio

from racewindow import FaultPoint, StepFault, fault_parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class _OperatorFault(StepFault):
    family: ClassVar[str] = "operator"
    points: ClassVar[tuple[str, ...]] = ("runbook.step",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip(_OperatorFault):
    """A step of the runbook is left out."""

    kind: ClassVar[str] = "skip"

    def taken(self, step: int, count: int) -> Sequence[int]:
        """None instead of it."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat(_OperatorFault):
    """A step of the runbook is done more than once."""

    kind: ClassVar[str] = "repeat"

    times: int = fault_parameter(2, "how often in all", unit="times", least=2, mildest=2)

    def taken(self, step: int, count: int) -> Sequence[int]:
        """The step, again and again."""
        return (step,) * self.times


@dataclass(frozen=True, slots=True, kw_only=True)
class Early(_OperatorFault):
    """A later step of the runbook is done before this one, and not again; the last step has none after it."""

    kind: ClassVar[str] = "early"

    steps_ahead: int = fault_parameter(1, "how far ahead that step is", unit="steps", least=1, mildest=1)

    def taken(self, step: int, count: int) -> Sequence[int]:
        """The later one first, the last one if there are not so many."""
        later = min(step + self.steps_ahead, count - 1)
        return (later, step) if later > step else (step,)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongTarget(_OperatorFault):
    """A step of the runbook is done on the wrong target: another node, or the old database."""

    kind: ClassVar[str] = "wrong-target"

    def taken(self, step: int, count: int) -> Sequence[int]:
        """The step, elsewhere."""
        return (-1 - step,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrun(_OperatorFault):
    """A step of the runbook takes much longer than planned, so that the window overruns; then it is done as planned."""

    kind: ClassVar[str] = "overrun"

    seconds: float = fault_parameter(1800.0, "how much longer")

    async def strike(self, point: FaultPoint) -> None:
        """Take the time before the step."""
        await trio.sleep(self.seconds)
