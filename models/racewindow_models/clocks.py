"""What a service reads from outside when it needs it: the time that its own clock shows, and its configuration.

Both are right unless a fault has struck; they are the fault points `clock.read` and `config.load`.
"""

from __future__ import annotations

import racewindow
from racewindow import ClockFault, ConfigFault
from racewindow_models.safeguards import Safeguards
from racewindow_models.units import TimeNs


class ServiceClock:
    """The clock of one life of a service, which one task reads. A fault that has struck it stays with it."""

    def __init__(self) -> None:
        self._struck: list[tuple[ClockFault, TimeNs]] = []

    def shown_ns(self, now_ns: TimeNs) -> TimeNs:
        """What it shows at a time."""
        fault = racewindow.offer_fault("clock.read")
        if isinstance(fault, ClockFault):
            self._struck.append((fault, now_ns))
        shown_ns = now_ns
        for each, struck_ns in self._struck:
            shown_ns = TimeNs(shown_ns + each.shown_ns(now_ns, struck_ns) - now_ns)
        return shown_ns


def load_config(newest: Safeguards) -> Safeguards:
    """The safeguards that a service starts with: they are its configuration, and before the last change it had none."""
    fault = racewindow.offer_fault("config.load")
    return fault.loaded((Safeguards(), newest)) if isinstance(fault, ConfigFault) else newest
