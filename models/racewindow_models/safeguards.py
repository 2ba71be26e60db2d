"""The safeguards that a service may have, each off by default.

Each guards in the service that would have it, and is checked in the same step as the action that it guards. A scenario
declares those that can make a difference in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from racewindow import Simulation

SAFEGUARDS = {
    "require_ready": "the writer's tick loop waits until its loader has loaded everything",
    "presence_required": "what is missing or not loaded is an error, not 0: it is neither published nor committed",
    "age_guard": "committer and liquidator refuse values whose age is unknown or above max_age",
    "atomic_batch": "the writer publishes, and the committer takes, the values of all markets in one step",
    "delta_guard": "the committer refuses an index that changed faster than any rate allows, or a mark off spot",
    "keep_last_good": "what delta_guard refuses is replaced by the last good value, with an alarm; the rest goes on",
    "full_downtime": "the operator stops every old instance, and waits until it has gone, before any new one starts",
    "drain_writes": "the operator waits until no write is in flight any more before anything is copied or started",
    "fencing": "the store refuses writes with a fencing token older than the newest it has seen",
    "lease": "a writer looks whether it still holds the lease, and writes in a later step",
    "cas_write": "the store accepts a value only if its generation is newer than the one it holds",
    "copy_complete": "the operator compares the rows of both databases before routing switches",
    "generation_check": "the committer refuses a value of an older generation than the last one on the chain",
    "outbox": "the cloud store is fed from the chain's own log, so that both sinks roll back together",
    "independent_validation": "validation compares with the state before the window and other venues, not the sinks",
    "re_evaluate": "whoever leaves a halt validates again if there is a newer block than the validated one",
    "external_mark_at_reopen": "while markets reopen, the mark price follows other venues; the own book has no vote",
    "liquidation_grace": "liquidation begins only when a grace period after the reopening is over",
    "liquidation_after_fresh": "liquidation begins only when all feeds are fresh again",
    "post_only_band": "in a post-only market, aggressive orders but TP/SL must be within 5 bps of external fair price",
}
"""Name -> what it does."""


def declared(*names: str) -> dict[str, str]:
    """The safeguards of a scenario, with what they do."""
    return {name: SAFEGUARDS[name] for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguards:
    """Which safeguards are on; see `SAFEGUARDS`."""

    require_ready: bool = False
    presence_required: bool = False
    age_guard: bool = False
    atomic_batch: bool = False
    delta_guard: bool = False
    keep_last_good: bool = False
    full_downtime: bool = False
    drain_writes: bool = False
    fencing: bool = False
    lease: bool = False
    cas_write: bool = False
    copy_complete: bool = False
    generation_check: bool = False
    outbox: bool = False
    independent_validation: bool = False
    re_evaluate: bool = False
    external_mark_at_reopen: bool = False
    liquidation_grace: bool = False
    liquidation_after_fresh: bool = False
    post_only_band: bool = False

    @classmethod
    def of(cls, sim: Simulation, names: Mapping[str, str], **always: bool) -> Safeguards:
        """The safeguards that are on in an execution, of those that the scenario declares.

        `always`: what is on or off in this scenario whatever is asked for.
        """
        asked = {field.name: sim.safeguard(field.name) for field in fields(cls) if field.name in names}
        return cls(**asked | always)
