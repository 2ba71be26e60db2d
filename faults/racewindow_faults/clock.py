"""Faults of clocks: each service has its own, and it need not be right, nor go on, nor go on forwards.

Sleeps and deadlines are those of the true time; what is wrong is the time that a service reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from racewindow import ClockFault, fault_parameter

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClockFault(ClockFault):
    family: ClassVar[str] = "clock"
    points: ClassVar[tuple[str, ...]] = ("clock.read",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skew(_ClockFault):
    """The clock is off by some time from now on, and may run too fast or too slowly on top of it."""

    kind: ClassVar[str] = "skew"

    seconds: float = fault_parameter(2.0, "how far it is ahead; below 0 it is behind", least=-1e9, most=1e9)
    drift_percent: float = fault_parameter(
        0.0, "how much too fast it runs; below 0 too slowly", unit="percent", least=-100.0, most=1e6
    )

    def shown_ns(self, now_ns: int, struck_ns: int) -> int:
        """Off by so much."""
        return now_ns + int(self.seconds * _NS) + int((now_ns - struck_ns) * self.drift_percent / 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump(_ClockFault):
    """The clock jumps, and after a while back to the right time."""

    kind: ClassVar[str] = "jump"

    seconds: float = fault_parameter(3600.0, "how far it jumps ahead; below 0 back", least=-1e9, most=1e9)
    lasting_seconds: float = fault_parameter(60.0, "how long it stays there")

    def shown_ns(self, now_ns: int, struck_ns: int) -> int:
        """Off by so much, for so long."""
        return now_ns + int(self.seconds * _NS) if now_ns - struck_ns < self.lasting_seconds * _NS else now_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen(_ClockFault):
    """The clock stands still, and after a while shows the right time again."""

    kind: ClassVar[str] = "frozen"

    seconds: float = fault_parameter(60.0, "how long it stands still")

    def shown_ns(self, now_ns: int, struck_ns: int) -> int:
        """What it showed when it stopped, for so long."""
        return struck_ns if now_ns - struck_ns < self.seconds * _NS else now_ns
