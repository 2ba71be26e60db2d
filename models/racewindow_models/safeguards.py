"""The safeguards that a service may have, each off by default.

Each guards in the service that would have it, and is checked in the same step as the action that it guards.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from racewindow import Simulation

SAFEGUARDS = {
    "require_ready": "the writer's tick loop waits until its loader has loaded everything",
    "presence_required": "to the writer a state that is missing or not loaded is an error, not 0: it does not publish",
    "age_guard": "committer and liquidator refuse values whose age is unknown or above max_age",
    "atomic_batch": "the writer publishes, and the committer takes, the values of all markets in one step",
    "delta_guard": "the committer refuses an index that changed faster than any rate allows, or a mark off spot",
    "keep_last_good": "what delta_guard refuses is replaced by the last good value, with an alarm; the rest goes on",
}
"""Name -> what it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguards:
    """Which safeguards are on; see `SAFEGUARDS`."""

    require_ready: bool = False
    presence_required: bool = False
    age_guard: bool = False
    atomic_batch: bool = False
    delta_guard: bool = False
    keep_last_good: bool = False

    @classmethod
    def of(cls, sim: Simulation) -> Safeguards:
        """The safeguards that are on in an execution."""
        return cls(**{field.name: sim.safeguard(field.name) for field in fields(cls)})
