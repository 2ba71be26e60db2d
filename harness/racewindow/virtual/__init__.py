"""Everything a program can ask the machine for, made repeatable inside an execution.

Responsible for: inside a step of an execution, and only there, `time`, `datetime`, `random`, `uuid`, `secrets` and
`os.urandom` answer from the execution's own clock and from the current task's own stream of random numbers; real I/O,
real threads and blocking waits raise an error that names the call. Not responsible for: what *inside a step* means (the
`world_of` given to `install` decides), nor for trio's own clock, I/O and threads (the runtime replaces those).

Invariant: a thread for which `world_of()` is None sees the original behaviour of every patched name, and `undo` puts
back every attribute that `install` touched, to the identical object. One exception, process-wide and for as long as an
installation lasts: local time is UTC (`zone.py` says why nothing smaller works).

Where to look: `world.py` what the runtime has to offer; `clock.py` and `dates.py` time; `entropy.py` randomness;
`refusal.py` what is refused; `patching.py` and `scan.py` how names are replaced; `installing.py` puts them together.
`docs/virtual.md` is the table of what is virtual, what is refused and what leaks.
"""

from __future__ import annotations

from racewindow.virtual.clock import EPOCH_NS, MONOTONIC_START_NS
from racewindow.virtual.installing import Installation, install
from racewindow.virtual.light import LightInstallation
from racewindow.virtual.originals import real
from racewindow.virtual.world import World, WorldOf

__all__ = ["EPOCH_NS", "MONOTONIC_START_NS", "Installation", "LightInstallation", "World", "WorldOf", "install", "real"]
