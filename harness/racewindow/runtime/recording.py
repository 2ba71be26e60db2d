"""Who records the execution in this thread: what a hook on one of trio's methods asks first."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from racewindow.runtime.recorder import Recorder


class Recording(threading.local):
    """`recorder`: of the execution in this thread, if it is on the record.

    `accesses`: the same, or None while it repeats steps that are known, of which only names and edges are kept.
    """

    recorder: Recorder | None = None
    accesses: Recorder | None = None

    def start(self, recorder: Recorder | None) -> None:
        """An execution begins."""
        self.recorder = self.accesses = recorder

    def stop(self) -> None:
        """It is over."""
        self.recorder = self.accesses = None


RECORDING = Recording()
