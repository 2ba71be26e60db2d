"""The fault families, one file each: what can go wrong in a maintenance window.

Processes, the network, storage, clocks, data, configuration, and whoever carries out the runbook. This package depends
on the public names of `racewindow` only. A fault never names a service, so it can strike in any scenario that offers a
fault point.
"""

from racewindow_faults.clock import Frozen, Jump, Skew
from racewindow_faults.config import FlagReuse, OldConfig, PartialRollout, WrongOrder
from racewindow_faults.data import DecimalShift, DuplicatedRow, MissingRow, Nan, OldVersion, Sign, WrongUnit, Zero
from racewindow_faults.network import Corrupt, Delay, Drop, Duplicate, Partition, Reorder, Reset, Timeout
from racewindow_faults.operator import Early, Overrun, Repeat, Skip, WrongTarget
from racewindow_faults.process import Cancel, Crash, Expire, Overlap, Pause, Restart, Stall
from racewindow_faults.storage import Abort, FailedCommit, LostFsync, LostWrite, PartialCopy, StaleRead, TornBatch

__all__ = [
    "Abort", "Cancel", "Corrupt", "Crash", "DecimalShift", "Delay", "Drop", "Duplicate", "DuplicatedRow", "Early",
    "Expire", "FailedCommit", "FlagReuse", "Frozen", "Jump", "LostFsync", "LostWrite", "MissingRow", "Nan", "OldConfig",
    "OldVersion", "Overlap", "Overrun", "PartialCopy", "PartialRollout", "Partition", "Pause", "Reorder", "Repeat",
    "Reset", "Restart", "Sign", "Skew", "Skip", "StaleRead", "Stall", "Timeout", "TornBatch", "WrongOrder",
    "WrongTarget", "WrongUnit", "Zero",
]  # fmt: skip
