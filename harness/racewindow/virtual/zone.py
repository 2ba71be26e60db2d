"""Local time is UTC while an installation lasts.

Responsible for one thing: that no outcome depends on the time zone of the machine. A schedule found in Berlin has to
fail in the same way on a server in UTC.

Why it is process-wide, unlike all the rest: `datetime.timestamp()` and `.astimezone()` of a naive value ask the C
library directly. Values are of a C type that cannot be patched, and many were made before the exploration began
(`WINDOW_START = datetime(2026, 1, 19, 4, 30)` at the top of a scenario), so replacing the class would not reach them.
The C library has one local zone per process. So the zone is set there, and threads outside the execution see local
time as UTC too, until `undo`. Where the machine is in UTC already, as servers are, nothing is touched.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from racewindow.virtual.patching import Ledger

_NAMES = ("tzname", "timezone", "altzone", "daylight")


def pin_local_zone(ledger: Ledger) -> None:
    """Make UTC the local zone, where the platform allows it (`time.tzset`: everywhere but on Windows)."""
    if not hasattr(time, "tzset") or _is_utc():
        return
    namespace = vars(time)
    old_zone, old_names = os.environ.get("TZ"), {name: namespace[name] for name in _NAMES}
    os.environ["TZ"] = "UTC"
    time.tzset()

    def undo() -> None:
        # Also if the program has set a zone of its own meanwhile: the next exploration must start where this one did.
        if old_zone is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = old_zone
        time.tzset()
        namespace.update(old_names)

    ledger.add(undo)


def _is_utc() -> bool:
    return time.timezone == 0 and not time.daylight and time.tzname[0] == "UTC"
